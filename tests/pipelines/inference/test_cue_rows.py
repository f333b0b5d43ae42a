"""Cues are told apart by how often their answers are read and how varied these are."""

from __future__ import annotations

from medo1 import tables
from medo1.engines import Request
from medo1.pipelines.inference.asked_arm import AskedArm
from medo1.pipelines.inference.cue_rows import chosen_cue, closing_cues, cue_rows
from medo1.pipelines.inference.params import DrawParams
from medo1.questions import questions_from
from tests.pipelines.inference.tape import Tape
from tests.pipelines.inference.test_nodes import LETTERS, questions

KNOWN, ALIKE, UNKNOWN = " The diagnosis is", "\nFinal answer:", "\nErgo:"


def answering(request: Request) -> str:
    """A student that knows one cue, answers another always alike, and goes on thinking after a third."""
    number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
    last = request.messages[-1]
    if last.role == "assistant" and last.content.endswith(ALIKE):
        return f"{last.content} D"
    if last.role == "assistant" and last.content.endswith(KNOWN):
        return f"{last.content} disease {LETTERS[number % 4]} of {number} ({LETTERS[number % 4]})."
    return f"{last.content if last.role == 'assistant' else ''}{' so then' * 40}"


class Student(Tape):
    def _answer(self, request: Request):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        last = request.messages[-1]
        done = super()._answer(replace(request, messages=request.messages[:1]))
        if last.role != "assistant":
            return done
        rest = answering(request)[len(last.content) :]
        words = rest.split(" ")[: request.sampling.max_new_tokens + 1]
        finish = "stop" if len(rest.split(" ")) == len(words) else "length"
        return replace(done, text=" ".join(words), completion_tokens=len(words) - 1, finish_reason=finish)


def test_the_cue_that_is_read_and_varied_is_chosen() -> None:
    params = DrawParams(max_new_tokens=200, budgets=(4, 8), answer_tokens=9, samples=3)
    engine = Student(answering)
    arm = AskedArm(engine, None, "Think.", params, None, 3)
    rows = cue_rows(arm, "arm", questions_from(questions(20)), [UNKNOWN, ALIKE, KNOWN])
    table = tables.as_table(tables.ANSWER_CUES, rows).set_index(["cue", "budget"])
    assert set(table.index.get_level_values("budget")) == {4, 8}
    assert table.loc[(KNOWN, 4), ["elicited", "unread", "variety", "accuracy", "chosen"]].tolist() == [
        20,
        0,
        1,
        1,
        True,
    ]
    assert table.loc[(ALIKE, 4), ["unread", "commonest", "commonest_share", "variety"]].tolist() == [0, "D", 1, 0]
    assert table.loc[(UNKNOWN, 8), "unread"] == 1
    assert not table.loc[[ALIKE, UNKNOWN], "chosen"].any()
    assert chosen_cue(rows[:4]) == UNKNOWN, "where none does better, the first"


def test_cues_come_from_how_chains_close() -> None:
    asked = questions_from(questions(10))
    chains = [
        f"Hmm, disease A of {n}? No. All right, I am sure. The diagnosis is {one.options[one.gold]} ({one.gold}).\n"
        f"Final answer: {one.gold}"
        for n, one in enumerate(asked)
    ]
    found = closing_cues([*chains[:-1], "Something else altogether"], asked)
    assert found[:2] in (["\nFinal answer:", " The diagnosis is"], [" The diagnosis is", "\nFinal answer:"])


def test_a_cue_is_measured_on_the_same_thoughts() -> None:
    params = DrawParams(max_new_tokens=200, budgets=(4, 8), answer_tokens=9, samples=0)
    engine = Student(answering)
    cue_rows(AskedArm(engine, None, "Think.", params, None, 3), "arm", questions_from(questions(3)), [ALIKE, KNOWN])
    thoughts = [one.messages for one in engine.asked if not one.messages[-1].content.endswith((ALIKE, KNOWN))]
    assert len(thoughts) == 2 * len(set(thoughts)), "a store answers the second time"
