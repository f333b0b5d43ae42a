"""Filters that ask a model: what is asked, what is read from replies, and what is never told."""

from __future__ import annotations

import pytest

from medo1.chains.filters.asking import (
    ANSWER,
    QUALITY,
    answers_read,
    attempted,
    checked_prompt,
    hard_enough,
    judgements,
    judges_agreement,
    quality_verdicts,
    reconsidered,
)
from medo1.chains.filters.refining import refined
from medo1.chains.filters.running import ChainFilters
from medo1.chains.filters.specs import DifficultySpec, FilterSpecs, JudgeSpec, RefineSpec
from medo1.errors import UserError
from tests.chains.filters.rows import RIGHT, Told, candidate, chain, question

PROMPTS = {ANSWER: "{{question}} -- {{chain}} Answer?", QUALITY: "{{question}} -- {{chain}} Score?"}
JUDGE = JudgeSpec(engines=("judge",))


@pytest.mark.parametrize(
    ("reply", "letter"),
    [("It ends on measles.\nAnswer: B", "B"), ("**Answer:** (b)", "B"), ("Answer: none", None),
     ("Answer: A\nAnswer: B", None), ("It is B.", None), ("", None)],
)  # fmt: skip
def test_a_judge_reads_the_answer_of_a_chain_in_prose(reply: str, letter: str | None) -> None:
    one = candidate("It is the illness with Koplik spots.")
    rows = judgements([one], {"judge": Told(lambda _: reply)}, PROMPTS, JUDGE, {one.key}, quality=False)
    assert [row["answer"] for row in rows] == [letter]
    assert answers_read(rows) == ({one.key: letter} if letter else {})
    assert rows[0]["request_ids"] == [f"told-{one.key[0]}/0"]


def test_two_judges_must_read_the_same_letter() -> None:
    one, other = candidate(n=1), candidate(n=2)
    judges = {
        "strict": Told(lambda _: "Answer: B"),
        "lax": Told(lambda request: f"Answer: {'B' if request.key.startswith(one.key[0]) else 'C'}"),
    }
    rows = judgements([one, other], judges, PROMPTS, JUDGE, {one.key, other.key}, quality=False)
    assert answers_read(rows) == {one.key: "B"}


def test_only_chains_that_nobody_could_read_are_sent_for_their_answer() -> None:
    judge = Told(lambda _: "Answer: B")
    judgements([candidate(n=1), candidate(n=2)], {"judge": judge}, PROMPTS, JUDGE, set(), quality=False)
    assert judge.asked == []


def test_a_cut_reply_of_a_judge_says_nothing() -> None:
    one = candidate()
    rows = judgements(
        [one], {"judge": Told(lambda _: "facts: 5\nAnswer: B", "length")}, PROMPTS, JUDGE, {one.key}, quality=True
    )
    assert (rows[0]["answer"], rows[0]["score"]) == (None, None)
    assert quality_verdicts(rows, 3.0) == {}


@pytest.mark.parametrize(("scores", "passed"), [((3, 3), True), ((4, 2), True), ((3, 2), False), ((5, 5), True)])
def test_the_rubrics_mean_is_held_against_the_least_score_its_edge_included(
    scores: tuple[int, int], passed: bool
) -> None:
    one = candidate()
    reply = f"It is short.\nderivation: {scores[0]}\n- facts: {scores[1]}\n"
    rows = judgements([one], {"judge": Told(lambda _: reply)}, PROMPTS, JUDGE, set(), quality=True)
    verdict = quality_verdicts(rows, 3.0)[one.key]
    assert (verdict.passed, verdict.value) == (passed, sum(scores) / 2)


def test_the_agreement_of_two_judges_is_reported_with_kappa() -> None:
    candidates = [candidate(n=n) for n in range(8)]
    first = {one.key[0]: 5 if n < 4 else 1 for n, one in enumerate(candidates)}
    second = {one.key[0]: 5 if n < 3 or n == 7 else 1 for n, one in enumerate(candidates)}
    judges = {
        name: Told(lambda request, scores=scores: f"facts: {scores[request.key.split('/')[0]]}")
        for name, scores in (("one", first), ("two", second))
    }
    rows = judgements(candidates, judges, PROMPTS, JUDGE, set(), quality=True)
    told = judges_agreement(rows, 3.0)
    assert (told["chains"], told["same_verdict"], told["kappa"], told["mean_difference"]) == (8, 0.75, 0.5, 1.0)
    assert judges_agreement([row for row in rows if row["judge"] == "one"], 3.0) == {}


def test_difficulty_is_how_often_a_plain_solver_fails() -> None:
    questions = [question(n) for n in range(3)]
    spec = DifficultySpec(solver="student", attempts=4, min_failure_rate=0.5)
    right = {f"{0:016x}": 4, f"{1:016x}": 2, f"{2:016x}": 0}
    solver = Told(lambda request: f"Final answer: {'B' if request.sample < right[request.key.split('/')[0]] else 'A'}")
    rows = attempted(questions, solver, "Answer.", spec, seed=1)
    assert [(row["attempts"], row["right"]) for row in rows] == [(4, 4), (4, 2), (4, 0)]
    assert len({request.seed for request in solver.asked}) == 12
    failures = {row["question_id"]: 1 - row["right"] / row["attempts"] for row in rows}
    assert [hard_enough(candidate(n=n), failures, spec).passed for n in range(3)] == [False, True, True]
    assert hard_enough(candidate(n=9), failures, spec).passed  # nobody tried it


def test_reconsidered_hypotheses_are_counted() -> None:
    assert reconsidered("It is measles.") == 0
    told = "Measles? Wait, no fever. On second thought, that doesn't fit. Let me recheck. So not rubella."
    assert reconsidered(told) == 5
    spec = DifficultySpec(min_reconsidered=2)
    assert not hard_enough(candidate("Wait. It is measles."), {}, spec).passed
    assert hard_enough(candidate("Wait. Hold on. It is measles."), {}, spec).passed


def specs(*reasons: str) -> FilterSpecs:
    return FilterSpecs.model_validate({"order": reasons, "refine": {"reasons": reasons}})


def test_a_wrong_chain_goes_back_once_and_the_right_answer_is_never_told() -> None:
    asked = [question(1), question(2), question(3)]
    chains = [chain(1), chain(2, "Final answer: A"), chain(3, "Final answer: C")]
    teacher = Told(lambda request: RIGHT if request.key.startswith(f"{2:016x}") else "Final answer: A", name="again")
    filters = ChainFilters(specs("correct"), asked, "cot")
    rows = refined(
        chains, filters, teacher, "{{question}} {{chain}} {{reason}}", "", RefineSpec(reasons=("correct",)), 1
    )
    assert [row["text"] for row in rows] == [RIGHT, RIGHT, "Final answer: C"]
    assert rows[1]["request_ids"] == ["r2", f"again-{2:016x}/0"]
    assert (rows[1]["teacher"], rows[1]["request_id"]) == ("again", f"again-{2:016x}/0")
    assert rows[0] == chains[0]
    assert [request.key for request in teacher.asked] == [f"{2:016x}/0", f"{3:016x}/0"]
    for request in teacher.asked:
        told = request.messages[0].content.split("Final answer")[1]
        assert "B" not in told
        assert "measles" not in told


def test_a_leaking_chain_is_told_to_derive_its_answer() -> None:
    leaking = chain(1, "The given answer is B, so measles.\nFinal answer: B")
    teacher = Told(lambda request: RIGHT)
    filters = ChainFilters(specs("leak"), [question(1)], "cot")
    [row] = refined(
        [leaking], filters, teacher, "{{question}} {{chain}} {{reason}}", "", RefineSpec(reasons=("leak",)), 1
    )
    assert row["text"] == RIGHT
    assert "given beforehand" in teacher.asked[0].messages[0].content


def test_a_prompt_without_its_places_is_refused_by_name() -> None:
    with pytest.raises(
        UserError, match=r"p/answer\.md must have the places \{\{chain\}\}, \{\{question\}\}; found question"
    ):
        checked_prompt({"answer": "{{question}}"}, "answer", "p")
    with pytest.raises(UserError, match=r"there is no prompt answer\.md \(found: none\)"):
        checked_prompt({}, "answer", "p")


def test_the_projects_own_prompts_have_their_places() -> None:
    from medo1.datasets import PromptFolder
    from tests.conftest import ROOT

    prompts = PromptFolder(filepath=str(ROOT / "conf/base/prompts/filters")).load()
    for name in ("answer", "quality", "refine"):
        assert checked_prompt(prompts, name, "conf/base/prompts/filters")
