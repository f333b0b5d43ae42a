"""Each filter drops what it is for and nothing else, and every chain is accounted for."""

from __future__ import annotations

from medo1 import tables
from medo1.pipelines.filtering.decontamination import contaminated, word_ngrams
from medo1.pipelines.filtering.nodes import filter_chains
from medo1.pipelines.filtering.params import FilteringParams
from medo1.questions import Question, question_rows

PARAMS = FilteringParams()
OPTIONS = {"A": "influenza", "B": "measles"}
WORDS = "a child with fever and a spreading rash that began behind the ears three days ago comes to clinic"


def question(n: int, split: str = "train", stem: str | None = None) -> Question:
    return Question(f"{n:016x}", "b", split, stem or f"Case number {n}?", OPTIONS, "B", None, f"f:{n}")


def chain(n: int, text: str = "Step 1: rash.\nFinal answer: B", finish: str = "stop", sample: int = 0) -> dict:
    return {
        "question_id": f"{n:016x}",
        "format": "longstep",
        "sample": sample,
        "text": text,
        "finish_reason": finish,
        "completion_tokens": 5,
        "teacher": "t",
        "request_id": "",
    }


def filtered(chains: list[dict], questions: list[Question], params: FilteringParams = PARAMS) -> tuple:
    return filter_chains(
        tables.as_table(tables.CHAINS, chains), tables.as_table(tables.QUESTIONS, question_rows(questions)), params
    )


def test_each_chain_is_kept_or_dropped_with_filter_and_reason_and_the_counts_add_up() -> None:
    chains = [
        chain(1),
        chain(2, finish="length"),
        chain(3, text="Step 1: rash. I am not sure."),
        chain(4, text="Final answer: A"),
        chain(5, text="The given answer is B, so measles.\nFinal answer: B"),
        chain(6),
    ]
    questions = [
        *(question(n) for n in range(1, 6)),
        question(6, stem=WORDS),
        question(7, "test", stem=f"Again {WORDS}"),
    ]
    kept, dropped, summary = filtered(chains, questions)
    assert list(kept["question_id"]) == [f"{1:016x}"]
    assert dict(zip(dropped["question_id"].str[-1], dropped["filter"], strict=True)) == {
        "2": "cut",
        "3": "no_answer",
        "4": "wrong",
        "5": "leak",
        "6": "contamination",
    }
    assert (dropped["reason"].str.len() > 0).all()
    assert summary["chains"] == 6 == summary["kept"] + sum(summary["dropped"].values())


def test_a_wrong_chain_can_be_kept_on_purpose() -> None:
    kept, _, _ = filtered([chain(1, text="Final answer: A")], [question(1)], FilteringParams(require_correct=False))
    assert len(kept) == 1


def test_the_same_question_in_train_and_test_is_contamination_whatever_its_length() -> None:
    train, test = question(1), question(1, "test")
    _, dropped, _ = filtered([chain(1)], [train, test], FilteringParams(ngram_words=None))
    assert list(dropped["filter"]) == ["contamination"]


def test_boilerplate_that_many_questions_share_is_no_contamination() -> None:
    phrase = "which of the following is the most likely diagnosis in this patient at this point in time"
    test = [f"Unique beginning number {n} {'of its own kind ' * n}. {phrase}" for n in range(10)]
    assert contaminated({"x": f"Something else entirely. {phrase}"}, test, 13, 3) == {}
    assert set(contaminated({"x": f"Something else entirely. {phrase}"}, test[:1], 13, 3)) == {"x"}


def test_a_verbatim_leak_is_found_whatever_case_and_punctuation() -> None:
    assert contaminated({"x": WORDS.upper()}, [WORDS.replace(" ", ", ")], 13, 3)["x"].startswith("a child with fever")


def test_short_texts_are_compared_whole() -> None:
    assert list(word_ngrams("Fever?", 13)) == [("fever",)]
    assert contaminated({"x": "fever"}, ["Fever!"], 13, 3) == {"x": "fever"}
    assert contaminated({"x": "fever"}, ["Fever and rash"], 13, 3) == {}


def test_no_chain_at_all_gives_empty_tables_with_their_columns() -> None:
    kept, dropped, summary = filtered([], [question(1)])
    assert list(kept.columns) == list(tables.CHAINS.columns)
    assert list(dropped.columns) == list(tables.CHAINS_DROPPED.columns)
    assert summary["chains"] == 0
