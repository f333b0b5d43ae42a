"""Each kind of misreading that was seen in recorded outputs, as a table or a property of its own."""
# ruff: noqa: RUF001  (outputs stand as models write them)

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.answers import read_answer
from medo1.answers.rules import CUES

MISREAD = Path(__file__).parents[3] / "shared" / "cases" / "answers.jsonl"
EXAMPLE = {"A": "Metformin", "B": "Bisoprolol", "C": "Gout", "D": "Vitamin D"}
DRUGS = dict(
    zip(
        "ABCDEFGHIJ",
        ("Amiodarone", "Bisoprolol", "Clonidine", "Digoxin", "Enalapril", "Furosemide", "Glipizide", "Heparin",
         "Insulin", "Jardiance"),
        strict=True,
    )
)  # fmt: skip
YES_NO = {"A": "yes", "B": "no", "C": "maybe"}

# held to be labelled wrong: what it holds is a whole answer, the letter that its own thinking arrived at
KEPT = {"Therefore, the answer should be option C.\n</think>\n\nC": "C"}


def told(text: str, options: dict[str, str] = DRUGS, finish_reason: str | None = "stop") -> str:
    answer = read_answer(text, options, finish_reason)
    return answer.letter or answer.status


@pytest.mark.skipif(not MISREAD.is_file(), reason="needs the misread outputs in ../shared/cases")
def test_every_output_that_was_once_misread_is_read_right():
    wrong = []
    for line in MISREAD.read_text().splitlines():
        row = json.loads(line)
        read = told(row["text"], row["options"], row["finish_reason"])
        kept = next((letter for end, letter in KEPT.items() if row["text"].endswith(end)), None)
        if read not in (kept or row["right"], *row["also_right"]):
            wrong.append((row["kind"], row["right"], read, row["text"][-80:]))
    assert wrong == []


@pytest.mark.parametrize("cue", CUES, ids=lambda cue: f"{cue.form} {cue.words[0]}")
def test_each_row_of_the_table_reads_its_example_and_not_its_counter_example(cue):
    assert told(cue.example, EXAMPLE) == "C"
    assert told(cue.counter, EXAMPLE) in ("abstain", "conflict")


@pytest.mark.parametrize("cue", [cue for cue in CUES if cue.form in ("verb", "language")], ids=lambda cue: cue.words[0])
def test_each_word_of_a_row_announces_a_letter(cue):
    for word in cue.words:
        verb = f"I {word}{'e' if word == 'choos' else ''} C."
        text = verb if cue.form == "verb" else f"{word}: C"
        assert told(text if not word.endswith(":") else f"{word} C", EXAMPLE) == "C", word


# letters are labels, whichever they are

STATEMENTS = (
    "So the drug of choice is:\n{x}",
    "Weighing all of this, the most likely culprit is:\n\n{x}",
    "The pulse is fast.\n\nAnswer: {x}",
    "The pulse is fast.\n\nThe answer is {x}",
    "The pulse is fast. So it's {x}.",
    "The pulse is fast.\n\n**{x}**",
    "The pulse is fast.\n\n{x}.",
    "{x}",
    "{x}. {text}",
    "{x}\n\nIt slows the pulse.",
    "The best drug is {text} ({x}).",
    "The best drug is:\n\n({x}) {text}",
    "I would choose {x}.",
    "Option {x} is correct.",
    "The correct answer is {text}.",
    "{x} is the correct answer.",
    "The answer is not {y} but {x}.",
    "Final answer: {x}",
    "\\boxed{{{x}}}",
    "정답은 {x}입니다.",
    "答案是{x}。",
    "正解は{x}です。",
    "Die richtige Antwort ist {x}.",
    "La respuesta correcta es {x}.",
    "La bonne réponse est {x}.",
)


@pytest.mark.parametrize("finish_reason", [None, "stop"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_relabelling_options_and_labels_alike_relabels_the_answer(statement: str, finish_reason: str | None):
    wrong = {}
    for x, drug in DRUGS.items():
        y = "C" if x != "C" else "D"
        text = statement.format(x=x, y=y, text=drug)
        if (read := told(text, DRUGS, finish_reason)) != x:
            wrong[x] = read
    assert wrong == {}


# whether a text was cut is judged knowing the options

LONG = {
    "A": "Replace hydrochlorothiazide with dapagliflozin",
    "B": "Order computed tomography of the head",
    "C": "Start piperacillin, tazobactam and vancomycin",
    "D": "Reassurance and follow-up in 2 weeks",
    "E": "Reassurance and follow-up in 2 weeks with a repeat ultrasound of the kidneys",
}
CONCLUSIONS = (
    "Therefore, the most appropriate next step in management is:\n\n({x}) {text}",
    "Based on the analysis, the most likely answer is:\n{x}) {text}",
    "So, the correct answer is:\n\n{x}. {text}",
    "Thus, the best initial step in the care of this patient is:\n\n- {x}. {text}\n",
)


@pytest.mark.parametrize("conclusion", CONCLUSIONS[:3])
@pytest.mark.parametrize("x", LONG)
def test_an_options_whole_text_is_an_end_without_a_full_stop(conclusion: str, x: str):
    text = f"The pressure is high. The kidneys are well.\n\n{conclusion.format(x=x, text=LONG[x])}"
    assert told(text, LONG, None) == x
    assert (
        told(text.replace(", tazobactam and", " tazobactam, and").replace("weeks with", "week with"), LONG, None) == x
    )


@pytest.mark.parametrize("finish_reason", [None, "length"])
@pytest.mark.parametrize("x", LONG)
def test_a_text_that_is_cut_in_its_first_line_or_walk_is_given_no_letter(x: str, finish_reason: str | None):
    walk = "\n\n".join(f"{letter}) {text} - this would be considered." for letter, text in LONG.items())
    for text in (f"{x}) {LONG[x]} would be one way to go about it, as the guidelines say so, and", walk):
        for end in range(2, len(text), 1):
            whole = text[:end].strip() in (x, f"{x})", f"{x}) {LONG[x]}", "A", "A)", f"A) {LONG['A']}")
            if not whole and (finish_reason or not text[:end].rstrip().endswith("considered.")):
                assert told(text[:end], LONG, finish_reason) in ("truncated", "abstain"), text[:end]


@pytest.mark.parametrize(
    ("text", "finish_reason"),
    [
        ("因此，我认为正确答案应该是B，但还需要考虑其他选项，因为患者的肾功能不", None),
        ("정답은 B일 가능성이 높습니다. 하지만 신장 기능을 고려하면 다른 약이", None),
        ("正解はBと考えられます。しかし、腎機能を考えると他の選択肢も検討する必要があり", None),
        (
            "Okay, let me think. It may be B. Wait, no. So D is correct. Let me check the others. The options are (C)",
            None,
        ),
        (
            "So the answer should be B) Bisoprolol. Wait, but the rate. Let me confirm.\n\nAnother way: the dose (H4)",
            None,
        ),
        ("The pulse is fast.\n\n**B) Bisoprolol:** It slows the pulse, but it is not\n\n*", None),
        ("It is a walk.\n\n8. **Heparin**: this may help.\n\n9. **Insulin**: this may help.\n\n1", None),
    ],
)
def test_a_cut_deliberation_is_given_no_letter(text: str, finish_reason: str | None):
    assert told(text, DRUGS, finish_reason) in ("truncated", "abstain")


# options' own texts are no cues

CUE_TEXTS = (
    "no", "none", "not", "wait", "wrong", "the answer", "no answer", "treatment option", "is not", "all of the above",
    "none of the above", "best choice", "I choose A", "actually", "if needed", "both A and B", "either", "unlikely",
    "incorrect", "option B", "not indicated", "no, it is A", "reconsider", "maybe",
)  # fmt: skip


@pytest.mark.parametrize("word", CUE_TEXTS)
@pytest.mark.parametrize(
    "statement",
    [
        "The answer is ({x}) {text}. The options offered were (A) {a}, (B) {b}, (C) {c}.",
        "Answer: {x}\n\n(A) {a}, (B) {b}, (C) {c}",
        "Answer: {x}\n\nA) {a}\nB) {b}\nC) {c}",
        "({x}) {text} is the correct answer, not the others: (A) {a} (B) {b} (C) {c}",
        "A) {a}: considered.\nB) {b}: considered.\nC) {c}: considered.\n\nThe correct answer is {x}) {text}.",
    ],
)
def test_an_option_whose_text_is_a_cue_changes_no_letter(word: str, statement: str):
    for x in "ABC":
        for place in "ABC":
            options = {"A": "aspirin", "B": "bisoprolol", "C": "clonidine", place: word}
            text = statement.format(x=x, text=options[x], a=options["A"], b=options["B"], c=options["C"])
            assert told(text, options) in (x, "conflict", "abstain"), (text, options)
            if statement.startswith(("The answer", "Answer")):
                assert told(text, options) == x, (text, options)


@pytest.mark.parametrize(
    "text",
    [
        "The answer is ({x}). {text} is not a first-line drug.",
        "The answer is {x}. {text} is not given by mouth.",
        "Answer: {x}) {text} is not cleared by the liver",
        "among A through J, the answer is {x}--{text} is not FDA approved",
        "The correct answer is {x}: {text} does not slow the sinus node.",
    ],
)
def test_what_is_said_of_an_option_is_no_denial_of_the_answer(text: str):
    for x, drug in DRUGS.items():
        assert told(text.format(x=x, text=drug)) == x


# several options

SEVERAL = (
    "So the correct answer is:\n{x}) {a}\n{y}) {b}",
    "The correct answers are ({x}) {a} and ({y}) {b}.",
    "The answer is ({x}) and ({y}).",
    "The answer is {x} or {y}.",
    "The answer is {a} ({x}) and {b} ({y}).",
    "The likely culprits are {a} ({x}) and {b} ({y}).",
    "The best drugs are {a} ({x}) or {b} ({y}).",
    "Therefore, the final answer is:\n- **{x}. {a}**\n- **{y}. {b}**",
    "Answer: {x}{y}",
    "Answer: {x}/{y}",
    "Answer: {x} & {y}",
    "The answer is ({x}{y}).",
    "\\boxed{{{x}, {y}}}",
    "정답은 {x}와 {y}입니다.",
    "정답은 {x}나 {y} 중에서 골라야 합니다.",
    "答案是{x}和{y}。",
    "正解は{x}と{y}です。",
    "Die richtigen Antworten sind {x} und {y}.",
    "Las respuestas correctas son {x} y {y}.",
)


@pytest.mark.parametrize("text", SEVERAL)
@pytest.mark.parametrize(("x", "y"), [("A", "C"), ("B", "D"), ("C", "E")])
def test_several_options_are_never_read_as_one(text: str, x: str, y: str):
    assert told(text.format(x=x, y=y, a=DRUGS[x], b=DRUGS[y])) in ("conflict", "abstain")


@pytest.mark.parametrize(
    "text", ["The options given are A to D.", "The choices are A-D.", "The answer is one of A to D."]
)
def test_a_range_of_options_is_no_answer(text: str):
    assert told(text) in ("abstain", "conflict")


@pytest.mark.parametrize(
    "text", ["The answer is {b} ({x}).", "Answer: {x}) {b}", "The correct answer is **{b} ({x})**."]
)
def test_a_text_with_another_options_letter_is_a_conflict(text: str):
    for x, y in (("A", "B"), ("B", "D"), ("I", "C")):
        assert read_answer(text.format(x=x, b=DRUGS[y]), DRUGS, "stop").rule == "letter_and_text"


@pytest.mark.parametrize(
    "heading",
    [
        "Let's analyze each answer choice:", "Let's go through each option:", "Here are the answer choices:",
        "Evaluation of every choice:", "Now consider each choice:", "Reviewing the choices:", "Answer choice analysis:",
        "Let us evaluate the options one by one:",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "item", ["* **{x}) {text}:** It may help.", "- {x}. {text} is one way.", "**({x})** {text}: see."]
)
def test_a_heading_of_a_walk_is_no_choice(heading: str, item: str):
    walk = "\n".join(item.format(x=x, text=text) for x, text in DRUGS.items())
    for text in (f"{heading}\n\n{walk}", f"{heading}\n{walk}", f"{heading}\n\n{item.format(x='A', text='Amiodarone')}"):
        assert told(text, DRUGS, None) in ("abstain", "truncated", "conflict"), text


# announced and concluded


@pytest.mark.parametrize(
    "sentence",
    [
        "The patient who needs this drug most is:", "The most appropriate drug from the given options is:",
        "The best next step in the evaluation of this patient is:", "This finding is best described by:",
        "Of the choices provided, the most consistent is:", "The drug that is linked to goitre is:",
        "Therefore, the patient is at greatest risk from:", "The best evidence comes from:",
        "The treatment of choice would be:", "His rhythm would most likely be slowed by:",
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ["({x}) {text}", "**{x}. {text}**", "{x}) {text}.", "**[{x}]**", "{x}"])
def test_an_option_below_a_sentence_that_announces_it_is_read(sentence: str, line: str):
    for x in "ADI":
        text = f"The pulse is fast and the dose was high.\n\n{sentence}\n\n{line.format(x=x, text=DRUGS[x])}"
        assert told(text) == x
        if "{text}" in line:
            assert told(f"{text}\n\nThis is what slows the node and spares the kidneys.") == x


@pytest.mark.parametrize(
    "sentence",
    [
        "Therefore, he should be given what slows the node, as stated in option ({x}).",
        "The best immediate step would be to start {text} (Option {x}).",
        "The most concerning drug in this patient would be {text}, as it carries a risk.",
        "Therefore, the best drug in this case would be that glycoside (option {x}) for the rate.",
        "So the answer is the old glycoside ({x}).",
        "The patient is at increased risk for {text} ({x}) toxicity due to his kidneys.",
        "We can go with the more common drug, which is {text} ({x}).",
        "The correct statement about the rate is: {x}. {text}",
        "In conclusion, {text} ({x}) is the most appropriate drug.",
    ],
)
def test_a_conclusion_within_a_sentence_is_read(sentence: str):
    for x in "BDI":
        assert told(f"The pulse is fast and the dose was high. {sentence.format(x=x, text=DRUGS[x])}") == x


# other languages


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("정답은 B가 아니라 D입니다.", "D"),
        ("답은 B가 아니고 D이다.", "D"),
        ("答案不是B，而是D。", "D"),
        ("正解はBではなくDです。", "D"),
        ("Die richtige Antwort ist nicht B, sondern D.", "D"),
        ("La respuesta correcta no es B sino D.", "D"),
        ("La bonne réponse n'est pas B mais D.", "D"),
        ("La risposta corretta non è B ma D.", "D"),
        ("逐项分析：A、B、D、E均不成立，只有选项C是对的。", "C"),
        ("所以选项C是正确的。", "C"),
        ("따라서 C가 정답입니다.", "C"),
        ("したがって、Cが正しい。", "C"),
        ("정답은 B가 아닙니다.", "abstain"),
        ("正解はBではありません。", "abstain"),
        ("Die Antwort ist nicht B.", "abstain"),
    ],
)
def test_a_denial_in_another_language_is_one(text: str, read: str):
    assert told(text) == read


# false conflicts


@pytest.mark.parametrize(
    "text",
    [
        "First try: \\boxed{A}. That was a mistake; the right one is \\boxed{D}.",
        "Let me see.\n\n3. **Provide the final answer:**\n   - Option A: Amiodarone\n   - Option B: Bisoprolol\n"
        "   - Option C: Clonidine\n   - Option D: Digoxin\n\nHigh.\n\nTherefore, the final answer is:\nD. Digoxin",
        "For Question 1, the bone is small. The answer is (B).\n\nFor Question 2, the rate is high. The answer is (D).",
        "For the question about the bone, the answer is (B).\n\nFor the question about the rate, the answer is (D).",
        "In Example 1, the answer was A. In Example 2, the answer was B.\n\nThe answer is D.",
    ],
)
def test_what_was_taken_back_listed_or_asked_elsewhere_is_no_conflict(text: str):
    assert told(text, {letter: DRUGS[letter] for letter in "ABCDE"}) == "D"


def test_an_abbreviation_in_brackets_is_no_label():
    options = {
        "A": "Dilatation and evacuation (D&E)",
        "B": "Oxytocin",
        "C": "Aspiration",
        "D": "Dilatation",
        "E": "Mifepristone",
    }
    assert told("Dilatation and evacuation (D&E) is the most appropriate for this patient.", options) == "A"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STATEMENTS[:18]), st.permutations(string.ascii_uppercase[:5]))
def test_any_permutation_of_letters_permutes_the_answer(statement: str, letters: list[str]):
    texts = ("Lupus", "Measles", "Gout", "Rickets", "Scurvy")
    for name, letter in zip("ABCDE", letters, strict=True):
        options = dict(sorted(zip(letters, texts, strict=True)))
        other = letters[0] if letter != letters[0] else letters[1]
        text = statement.format(x=letter, y=other, text=options[letter])
        assert told(text, options) == letter, (name, text)


# conclusions inside a sentence, eliminations, contrasts and verdict walks

HEART = {"A": "Metformin", "B": "Bisoprolol", "C": "Clonidine", "D": "Digoxin"}


@pytest.mark.parametrize(
    "sentence",
    [
        "The heart is failing, so a beta blocker would help, as stated in option ({x}).",
        "Therefore what slows the rate is needed, i.e., option {x}.",
        "He needs a slower rate, so we should give it, as described in choice ({x}).",
        "Hence, ({x}) is the one we want.",
        "Option {x} is the one that fits.",
        "({x}) is what we need here.",
        "{x} is the one I would pick.",
        "Hence, {text} ({x}).",
        "Thus: **{text} ({x})**",
        "By elimination, {text} ({x}).",
        "Not {y}. Not {z}. {x}.",
        "Not {y}, or {z}. {x}.",
    ],
)
def test_what_a_sentence_refers_to_or_settles_on_is_read(sentence: str):
    for x, y, z in ("ABC", "BAD", "CDA", "DCB"):
        assert told(sentence.format(x=x, y=y, z=z, text=HEART[x]), HEART) == x


@pytest.mark.parametrize("finish_reason", ["stop", None])
@pytest.mark.parametrize(
    "sentence",
    [
        "He has a rash, as stated in option ({x}).",
        "So a beta blocker is not needed, as stated in option ({x}).",
        "If he had fever, we should give it, as stated in option ({x}).",
        "({x}) is the one to avoid.",
        "({x}) is the one we can rule out.",
        "({x}) is not the one we want.",
        "Is ({x}) the one we want?",
        "Hence, {text} ({x})?",
        "Hence, {text} ({x}) is not needed.",
        "Hence, {text} ({x}) or {other} ({y}).",
        "Not {x}. Not {y}.",
    ],
)
def test_what_a_sentence_mentions_or_denies_is_no_conclusion(sentence: str, finish_reason: str | None):
    for x, y in ("AB", "BA", "CD", "DC"):
        assert len(told(sentence.format(x=x, y=y, text=HEART[x], other=HEART[y]), HEART, finish_reason)) > 1


@pytest.mark.parametrize(
    "out",
    [
        "can be ruled out",
        "can safely be eliminated",
        "have been excluded",
        "do not fit",
        "are out",
        "are not correct",
        "都可以排除",
    ],
)
def test_options_that_are_ruled_out_together_are_no_answer(out: str):
    for named in ("B, C and D", "(B), (C), and (D)", "C and D"):
        assert told(f"{named} {out}.", HEART) == "abstain"
        assert told(f"{named} {out}, so the answer is A.", HEART) == "A"


@pytest.mark.parametrize(
    "text",
    [
        "不是{y}，而是{x}。",
        "并非{y}，而是{x}。",
        "所以不是{y}，而是{x}。",
        "{y}가 아니라 {x}입니다.",
        "{y}ではなく{x}です。",
        "Nicht {y}, sondern {x}.",
        "No es {y}, sino {x}.",
        "Ce n'est pas {y}, mais {x}.",
        "Non è {y}, ma {x}.",
        "Não é {y}, mas sim {x}.",
    ],
)
def test_a_contrast_states_what_it_puts_in_the_others_place(text: str):
    for x, y in ("AB", "BA", "CD", "DC"):
        assert told(text.format(x=x, y=y), HEART) == x
        said = text.format(x=x, y=y)
        assert all(len(told(said[:cut], HEART, "length")) > 1 for cut in range(said.rindex(x) + 1))
        assert len(told(f"{text.format(x=x, y=y)}\n\n{text.format(x=y, y=x)}", HEART)) > 1


@pytest.mark.parametrize(
    "text", ["不是{y}，而是{x}吗？", "如果不是{y}，而是{x}。", "{y}가 아니라 {x}인가?", "不是{y}。"]
)
def test_a_contrast_that_asks_or_supposes_states_nothing(text: str):
    for x, y in ("AB", "BA", "CD", "DC"):
        assert told(text.format(x=x, y=y), HEART) == "abstain"


WALKS = (
    ("{x}) {t} is a drug. {v}", " ", "Correct.", "Incorrect."),
    ("{x}) {t}: {v} It has its uses.", "\n", "Correct.", "Incorrect."),
    ("**{x}. {t}**: {v} – for such reasons.", "\n\n", "Correct", "Incorrect"),
    ("Option {x}: {v} It has its uses.", "\n", "Right.", "Wrong."),
    ("{x}) {t} {v}", "\n", "✅", "❌"),
    ("{x}. {t}: This is {v} because of the heart.", "\n", "correct", "incorrect"),
    ("{x}: {v}。", "\n", "正确", "错误"),
    ("{x}) {v}. Es ist so.", "\n", "Richtig", "Falsch"),
)


def walk(form: tuple[str, str, str, str], right: str) -> str:
    turn, between, good, bad = form
    return between.join(turn.format(x=x, t=t, v=good if x in right else bad) for x, t in HEART.items())


@pytest.mark.parametrize("form", WALKS, ids=lambda form: form[0])
def test_a_walk_states_the_one_option_that_it_calls_correct(form: tuple[str, str, str, str]):
    for x in HEART:
        assert told(walk(form, x), HEART) == x
    for several in ("", "AB", "ACD", "ABCD"):
        assert told(walk(form, several), HEART) in ("abstain", "conflict")


@pytest.mark.parametrize("finish_reason", ["length", None])
@pytest.mark.parametrize("form", WALKS, ids=lambda form: form[0])
def test_a_walk_that_is_cut_states_nothing(form: tuple[str, str, str, str], finish_reason: str | None):
    for x in HEART:
        whole = walk(form, x)
        last = whole.rindex(form[2] if x == "D" else form[3])
        # of a text whose end is unknown, the first turn alone may be all of it
        for cut in range(1 if finish_reason else whole.index("Bisoprolol" if "{t}" in form[0] else "B") + 2, last):
            assert len(told(whole[:cut], HEART, finish_reason)) > 1, whole[:cut]


@pytest.mark.parametrize(
    "text", ["Q1: (B) Q2: (A) Q3: (C)", "Q1: B\nQ2: A\nQ3: C", "1. B\n2. A\n3. C", "1) (B)\n2) (A)", "Q1: B; Q2: A"]
)
def test_answers_to_several_questions_are_not_this_ones(text: str):
    assert told(text, HEART) in ("abstain", "conflict")


@pytest.mark.parametrize("finish", ["stop", None, "length"])
@pytest.mark.parametrize("word", ["wrong", "Incorrect", "false", "no", "not indicated", "contraindicated", "falsch"])
def test_a_first_line_that_turns_its_option_down_states_it_not(word: str, finish: str | None) -> None:
    options = {"A": "Metformin", "B": "Bisoprolol", "C": "Clonidine", "D": "Digoxin"}
    for text in (f"A) {word}.", f"A) {word}. B) {word}. C) right. D) {word}.", f"(A) {word}\n(B) {word}"):
        assert read_answer(text, options, finish).letter in (None, "C"), text
    assert read_answer("A) No change", {"A": "No change in dose", "B": "Stop it"}, "stop").letter == "A"
