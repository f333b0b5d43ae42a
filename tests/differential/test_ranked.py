"""Ranked diagnoses read out of free-form answers, and when two names are one."""

# ruff: noqa: E501, RUF001  (outputs stand as models write them)

from __future__ import annotations

import pytest

from medo1.differential import normalised_diagnosis, read_differential, same_diagnosis

LISTS = [
    ("1. Pulmonary embolism\n2. Pneumonia\n3. Aortic dissection", ["Pulmonary embolism", "Pneumonia", "Aortic dissection"]),
    ("- Gout\n- Pseudogout\n- Septic arthritis", ["Gout", "Pseudogout", "Septic arthritis"]),
    ("1) Gout because of the crystals\n2) Pseudogout (20%)", ["Gout", "Pseudogout"]),
    (
        "**Differential diagnosis:**\n1. **Pulmonary embolism** - sudden onset\n   - supports: tachycardia\n2. **Pneumonia**: fever",
        ["Pulmonary embolism", "Pneumonia"],
    ),
    # the last list counts, and a final diagnosis stands before it
    ("### Initial differential\n1. Gout\n2. Sepsis\n\nCrystals were seen.\n\n### Final differential\n1. Pseudogout\n2. Gout\n", ["Pseudogout", "Gout"]),
    ("Differential:\n1. Pulmonary embolism\n2. Pneumonia\n\n**Final diagnosis:** Pneumonia", ["Pneumonia", "Pulmonary embolism"]),
    # lists of something else are left alone
    ("Key findings:\n- Fever\n- Cough\n\nRanked differential:\n1) Pneumonia\n2) Bronchitis\n\nNext steps:\n1. CXR\n2. Antibiotics", ["Pneumonia", "Bronchitis"]),
    # so are diagnoses that are argued away
    ("Differential diagnosis:\n1. Lupus\n2. Gout\n\nRuled out diagnoses:\n- Sepsis\n- Stroke", ["Lupus", "Gout"]),
    ("1. Lupus\n2. Gout\n\nLess likely diagnoses:\n- Sepsis", ["Lupus", "Gout", "Sepsis"]),
    ("Most likely diagnosis: Lupus\n\n**Excluded:**\n1. Sepsis\n2. Stroke", ["Lupus"]),
    ("Ranked from most likely to least likely:\n1. Lupus\n2. Gout", ["Lupus", "Gout"]),
    # within a line, in an object
    ("Differential: PE, pneumonia, and MI.", ["PE", "pneumonia", "MI"]),
    ("Differential diagnosis: 1) gout 2) pseudogout", ["gout", "pseudogout"]),
    ('{"differential": ["PE", "Pneumonia"], "reasoning": "short of breath"}', ["PE", "Pneumonia"]),
    ('```json\n{"ranked_diagnoses": [{"diagnosis": "PE", "p": 0.6}, {"diagnosis": "MI"}]}\n```', ["PE", "MI"]),
    # one diagnosis
    ("Diagnosis: Crohn's disease", ["Crohn's disease"]),
    ("The most likely diagnosis is **lupus (SLE)**, given the rash.", ["lupus (SLE)"]),
    ("OK, sure. The diagnosis is luthemia (A).\nFinal answer: A", ["luthemia"]),
    ("The diagnosis is confirmed by biopsy. So her diagnosis is most likely **gout**, given the crystals.", ["gout"]),
    ("Final answer: (A) Gout", ["Gout"]),
    # thinking is no answer
    ("<think>1. Sepsis\n2. Gout</think>\n\n1. Gout\n2. Pseudogout", ["Gout", "Pseudogout"]),
    # a diagnosis named twice is named once
    ("1. SLE\n2. Systemic lupus erythematosus\n3. Dermatomyositis", ["SLE", "Dermatomyositis"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), LISTS, ids=lambda value: repr(value)[:50])
def test_the_ranked_diagnoses_are_read(text, names):
    differential = read_differential(text)
    assert list(differential.names) == names
    assert differential.status == "answer"
    for diagnosis in differential.diagnoses:
        assert text[slice(*diagnosis.span)] == diagnosis.name


@pytest.mark.parametrize(
    ("text", "finish_reason", "status"),
    [
        ("", None, "abstain"),
        ("I cannot say without an examination.", None, "abstain"),
        ("<think>1. Gout\n2. Pseudog", None, "truncated"),
        ("The patient has a painful", "length", "truncated"),
        ("", "length", "truncated"),
    ],
)
def test_what_names_no_diagnosis_gives_none(text, finish_reason, status):
    differential = read_differential(text, finish_reason)
    assert (differential.names, differential.status) == ((), status)


OTHERS = "- Pseudogout\n- Septic arthritis"
GOUT_FIRST = ["gout", "pseudogout", "septic arthritis"]


@pytest.mark.parametrize(
    "text",
    [
        f"Most likely diagnosis: Gout\n\nOther possibilities:\n{OTHERS}",
        f"Most likely diagnosis: Gout\n{OTHERS}",
        f"**Most likely diagnosis:** Gout (80%)\n\n**Differential diagnoses:**\n{OTHERS}",
        f"The most likely diagnosis is **gout**, given the crystals. Less likely:\n{OTHERS}",
        f"## Most likely diagnosis\nGout\n\n## Other possibilities\n{OTHERS}",
        f"**Most likely diagnosis:**\n\nGout\n\nAlso possible:\n{OTHERS}",
        f"### 1. Final diagnosis: Gout\n### 2. Alternatives\n{OTHERS}",
        f"- Most likely diagnosis: Gout\n\nOther possibilities:\n{OTHERS}",
        f"Most likely: Gout\nLess likely:\n{OTHERS}",
        f"Most likely diagnosis: Gout\n\nSupporting evidence:\n- Crystals\n- A red toe\n\nOther possibilities:\n{OTHERS}",
        "Final diagnosis: Gout\n\nAlternatives considered:\n1. Pseudogout\n2. Septic arthritis",
        "Most likely diagnosis: Gout\n\nDifferential: pseudogout and septic arthritis.",
        "1. **Most likely diagnosis:** Gout\n2. Pseudogout\n3. Septic arthritis",
        '{"most_likely_diagnosis": "Gout", "differential": ["Pseudogout", "Septic arthritis"]}',
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_stated_diagnosis_stands_before_the_alternatives_that_follow_it(text):
    differential = read_differential(text)
    assert [name.lower() for name in differential.names] == GOUT_FIRST
    for diagnosis in differential.diagnoses:
        assert text[slice(*diagnosis.span)] == diagnosis.name


@pytest.mark.parametrize(
    "text",
    [
        # the list names what was stated, under this name or another
        "The most likely diagnosis is gout at first sight.\n\n1. Pseudogout\n2. Gout",
        "Leading diagnosis: Gout\n\nDifferential:\n- Pseudogout (CPPD)\n- Gout",
        'Most likely diagnosis: Gout\n\n{"differential": ["Pseudogout", "Gout"]}',
        # it is announced as the final one
        "Working diagnosis: Sepsis\n\nThe joint was tapped.\n\nFinal differential:\n1. Pseudogout\n2. Gout",
        "Most likely diagnosis: Sepsis\n\nDifferential after the joint was tapped:\n1. Pseudogout\n2. Gout",
        # nothing is stated but the list
        "Most likely diagnosis:\n1. Pseudogout\n2. Gout",
        "The most likely diagnosis is listed first:\n1. Pseudogout\n2. Gout",
        "The most likely diagnosis is one of the following:\n- Pseudogout\n- Gout",
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_list_that_is_the_ranked_answer_keeps_its_order(text):
    assert [name.removesuffix(" (CPPD)") for name in read_differential(text).names] == ["Pseudogout", "Gout"]


def test_half_a_name_at_a_cut_is_left_out():
    assert read_differential("1. Gout\n2. Pseudogout\n3. Septic arth", "length").names == ("Gout", "Pseudogout")
    assert read_differential("1. Gout\n2. Pseudogout\n3. Septic arth").names[-1] == "Septic arth"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SLE", "systemic lupus erythematosus"),
        ("Systemic lupus erythematosus (SLE)", "Lupus"),
        ("Crohn’s disease", "crohn disease"),
        ("haemolytic anaemia", "Hemolytic anemia"),
        ("Oesophageal carcinoma", "esophageal carcinoma"),
        ("Guillain–Barré syndrome", "GBS"),
        ("Wegener's granulomatosis", "granulomatosis with polyangiitis"),
        ("Type II diabetes mellitus", "type 2 diabetes mellitus"),
        ("diabetes mellitus type 2", "T2DM"),
        ("Suspected pulmonary embolus.", "Pulmonary embolism"),
        ("β-thalassaemia", "beta thalassemia"),
    ],
)
def test_further_names_of_a_diagnosis_match(one, other):
    assert same_diagnosis(one, other), (normalised_diagnosis(one), normalised_diagnosis(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pneumonia", "aspiration pneumonia"),
        ("MI", "mitral insufficiency"),
        ("type 1 diabetes mellitus", "type 2 diabetes mellitus"),
        ("acute pancreatitis", "chronic pancreatitis"),
        ("viral hepatitis B", "viral hepatitis C"),
        ("", "pneumonia"),
    ],
)
def test_names_that_are_only_alike_do_not_match(one, other):
    assert not same_diagnosis(one, other)


def test_the_rank_of_the_gold_diagnosis_counts_from_one():
    differential = read_differential("1. Pneumonia\n2. Pulmonary embolus\n3. MI")
    assert differential.rank_of("Pulmonary embolism (PE)") == 2
    assert differential.rank_of("Myocardial infarction") == 3
    assert differential.rank_of("Pneumothorax") is None


def test_a_callers_own_synonyms_are_used():
    differential = read_differential("1. harbosis\n2. okaritis")
    assert differential.rank_of("the wasting of Harb", {"wasting of harb": "harbosis"}) == 1
