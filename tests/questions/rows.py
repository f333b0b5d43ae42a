"""A good row of each form, and rows that cannot be used with a part of the reason that must be given."""

from __future__ import annotations

from typing import Any

STEM = "A 60-year-old woman has fever and a stiff neck. Which of the following is the most likely diagnosis?"
TEXTS = ["Lupus", "Meningitis", "Gout", "Influenza"]
OPTIONS = dict(zip("ABCD", TEXTS, strict=True))
TEN = [f"Disease {n}" for n in range(10)]
LINK = "https://jamanetwork.com/journals/jama/fullarticle/2812345"
COLUMNS = {"opa": TEXTS[0], "opb": TEXTS[1], "opc": TEXTS[2], "opd": TEXTS[3]}
ABSTRACT = {"contexts": ["We asked.", "We found."], "labels": ["BACKGROUND", "RESULTS"]}

# form -> (a good row, its gold letter, [(what is changed, part of the reason)])
GONE = object()
Bad = tuple[dict[str, Any], str]
ROWS: dict[str, tuple[dict[str, Any], str, list[Bad]]] = {
    "medqa": (
        {"question": STEM, "options": OPTIONS, "answer_idx": "B", "answer": "Meningitis"},
        "B",
        [
            ({"question": " "}, "'question' is empty"),
            ({"question": GONE}, "'question' is missing"),
            ({"question": ["x"]}, "'question' is list, expected a text"),
            ({"options": {"A": "Lupus"}}, "1 options, expected at least 2"),
            ({"options": {"A": "Lupus", "C": "Meningitis"}}, "there is no option B"),
            ({"options": {"A": "Lupus", "B": "", "C": "Gout"}}, "option B is empty"),
            ({"options": {"first": "Lupus", "second": "Gout"}}, "expected a letter"),
            ({"options": "Lupus, Meningitis"}, "expected letters and texts"),
            ({"options": 7}, "expected letters and texts"),
            ({"answer_idx": "E"}, "'answer_idx' is 'E', expected one of A, B, C, D"),
            ({"answer_idx": None}, "'answer_idx' is empty"),
            ({"answer": "Gout"}, "the answer is 'Gout', but option B is 'Meningitis'"),
            ({"options": {**OPTIONS, "D": "meningitis "}}, "the options B and D have the same text"),
            ({"question": "a\ud83d"}, "half a character"),
        ],
    ),
    "medbullets": (
        {"link": "https://step2.medbullets.com/x/1", "question": STEM, **COLUMNS, "ope": "Measles", "answer_idx": "E"},
        "E",
        [
            ({"opb": None}, "option B is empty"),
            ({"answer_idx": "F"}, "expected one of A, B, C, D, E"),
            ({"answer_idx": ""}, "'answer_idx' is empty"),
            ({"answer": "Lupus"}, "the answer is 'Lupus', but option E is 'Measles'"),
            ({"question": float("nan")}, "'question' is empty"),
        ],
    ),
    "jama": (
        {"link": LINK, "question": STEM, **COLUMNS, "diagnosis": "Meningitis", "answer_idx": "B", "field": "Neurology"},
        "B",
        [
            ({"question": None}, "'question' is empty"),
            ({"opd": "", "opc": "", "opb": ""}, "1 options"),
            ({"answer_idx": "E"}, "expected one of A, B, C, D"),
        ],
    ),
    "huatuo": (
        {"question": STEM, "options": OPTIONS, "answer_idx": "B", "answer": "Meningitis", "Complex_CoT": "Hmm.",
         "Response": "It is meningitis."},
        "B",
        [
            ({"options": None}, "expected letters and texts"),
            ({"answer_idx": "Z"}, "expected one of"),
            ({"answer": "Gout"}, "but option B is"),
            ({"question": None}, "'question' is empty"),
        ],
    ),
    "medxpertqa": (
        {"id": "t1", "question": STEM, "options": dict(zip("ABCDEFGHIJ", TEN, strict=True)), "label": "J"},
        "J",
        [
            ({"label": "K"}, "'label' is 'K'"),
            ({"label": None}, "'label' is empty"),
            ({"images": ["x.jpg"]}, "needs what a text cannot show"),
            ({"options": {}}, "0 options"),
        ],
    ),
    "medmcqa": (
        {"question": STEM, **COLUMNS, "cop": 0, "exp": "Ans. (a) Lupus"},
        "A",
        [
            ({"cop": -1}, "the answer is withheld"),
            ({"cop": None}, "'cop' is empty"),
            ({"cop": "b"}, "expected a number"),
            ({"cop": 7}, "expected 0 to 3"),
            ({"opa": ""}, "option A is empty"),
        ],
    ),
    "pubmedqa": (
        {"question": "Does it work?", "context": ABSTRACT, "final_decision": "maybe", "pubid": 1},
        "C",
        [
            ({"final_decision": "perhaps"}, "expected yes, no or maybe"),
            ({"final_decision": None}, "'final_decision' is empty"),
            ({"context": None}, "the abstract is empty"),
            ({"context": {"contexts": []}}, "the abstract is empty"),
            ({"context": {"contexts": ["x"], "labels": 3}}, "'labels'"),
            ({"context": 3.5}, "the abstract is float"),
            ({"question": ""}, "'question' is empty"),
        ],
    ),
    "mmlu": (
        {"question": STEM, "choices": TEXTS, "answer": 1, "subject": "anatomy"},
        "B",
        [
            ({"answer": 4}, "'answer' is 4, expected 0 to 3"),
            ({"answer": -1}, "expected 0 to 3"),
            ({"answer": None}, "'answer' is empty"),
            ({"answer": "x y"}, "expected a number"),
            ({"choices": None}, "expected letters and texts"),
            ({"choices": ["a", "", "c", "d"]}, "option B is empty"),
            ({"choices": [f"c{n}" for n in range(27)]}, "27 choices, at most 26"),
        ],
    ),
    "mmlu_pro": (
        {"question_id": 1, "question": STEM, "options": [*TEN[:9], "N/A"], "answer": "I", "answer_index": 8,
         "category": "health"},
        "I",
        [
            ({"answer_index": 9, "answer": "J"}, "expected 0 to 8"),
            ({"answer": "A"}, "'answer' is 'A' and 'answer_index' is 8, which is I"),
            ({"options": "none"}, "expected letters and texts"),
            ({"answer_index": None}, "expected a number"),
        ],
    ),
    "mediq": (
        {"id": 0, "question": "Which drug was given?", "context": ["A man has gout.", "A drug is given."],
         "options": OPTIONS, "answer": "Meningitis", "answer_idx": "B", "facts": ["1. He has gout."]},
        "B",
        [
            ({"context": []}, "the case is missing"),
            ({"context": [{"a": 1}]}, "'context' is a list of dict, expected a text or a list of texts"),
            ({"answer_idx": "F"}, "expected one of A, B, C, D"),
            ({"options": None}, "expected letters and texts"),
        ],
    ),
    "choices": (
        {"stem": STEM, "choices": {"text": TEXTS, "label": ["1", "2", "3", "4"]}, "answerKey": "2"},
        "B",
        [
            ({"answerKey": "5"}, "'answerKey' is '5', expected one of A, B, C, D"),
            ({"answerKey": ["1", "2"]}, "'answerKey' names several right answers (1, 2)"),
            ({"choices": {"text": TEXTS, "label": ["1", "2"]}}, "4 texts and 2 labels"),
            ({"choices": {"text": TEXTS, "label": ["1", "2", "2", "3"]}}, "labelled alike"),
            ({"choices": {"text": TEXTS, "label": ["1", "2", "4", "5"]}}, "there is no option C"),
            ({"stem": None}, "'stem' is empty"),
        ],
    ),
    "right_and_wrong": (
        {"question": STEM, "correct_answer": "Meningitis", "distractor1": "Lupus", "distractor2": "Gout"},
        "C",
        [
            ({"correct_answer": ""}, "'correct_answer' is empty"),
            ({"distractor1": None}, "'distractor1' is empty"),
            ({"distractor1": "Meningitis"}, "have the same text"),
        ],
    ),
}  # fmt: skip


def changed(row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The row with some values changed or gone."""
    return {key: value for key, value in {**row, **changes}.items() if value is not GONE}


# anything that a cell may hold where a careful author would not put it
JUNK: list[Any] = [
    None, "", " ", "nan", 0, -1, 10**40, 3.5, float("nan"), float("inf"), True, [], {}, [None], {"A": None}, [[]], [{}],
    {"key": 1}, [{"key": "A"}], "[", "{'A': 1}", "[1, 2", "\x00", "\ud83d", "A" * 30_000, {"A": {"B": 1}}, ["x"] * 40,
    {1: 2}, "((((((((((", "\u0301", {"contexts": 5}, {"contexts": [1], "labels": [1, 2]}, {"": ""},
]  # fmt: skip
