"""The formats of chains as validated types: `cot`, `longstep`, `longmonolog`, and `journey`.

Who calls it: synthesis, on each answer of a teacher; anyone who has chains from elsewhere and wants to know what they
are. `parsed` gives a chain or the problems that keep the text from being one; a problem has a short code, which tables
are grouped by, and a text, which a teacher can be told.

Source: arXiv 2501.06458, section on LongStep and LongMonolog (what they are is described there, how they are checked is
not); for `journey` arXiv 2410.18982 (journey learning).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from medo1.chains.leaks import leak
from medo1.engines.base import FinishReason

Code = Literal[
    "empty", "cut", "filtered", "no_answer", "conflicting_answers", "text_after_answer", "no_steps", "too_few_steps",
    "steps_out_of_order", "empty_step", "step_without_parts", "is_a_list", "no_second_thought", "no_dead_end",
    "gold_leak", "prompt_leak", "failed", "no_tree",
]  # fmt: skip

# `Step 3: title`, also as a heading or in bold. Bare `3.` counts only where a text has no line of the first kind.
STEP = re.compile(
    r"^[ \t#>*_-]*step[ \t]+(\d{1,3})\b[ \t]*(?:[:.)\u2013-]|\*\*|$)[ \t*_]*", re.IGNORECASE | re.MULTILINE
)
NUMBERED = re.compile(r"^[ \t#>*_]*(\d{1,3})[.)][ \t*_]+", re.MULTILINE)
PART = re.compile(r"^[ \t>*_-]*(goal|evidence|conclusion)[ \t*_]*:[ \t*_]*", re.IGNORECASE | re.MULTILINE)
LIST_LINE = re.compile(r"^[ \t]*(?:[-*+\u2022][ \t]|#{1,6}[ \t]|\d{1,3}[.)][ \t]|step[ \t]+\d)", re.IGNORECASE)
LONGEST_LIST_SHARE = 0.3  # of a monologue's lines that may look like a list's
FEWEST_LIST_LINES = 3
LONGEST_TAIL = 400  # characters after the final answer; more is another text

TURN = re.compile(
    r"\b(?:wait|hmm+|actually|however|alternatively|let me|let's|maybe|perhaps|on second thought|what if|but|hold on"
    r"|could (?:it|this)|not so fast|i(?:'m| am) not sure|does (?:that|this|it) fit|that (?:changes|doesn't))\b"
    r"|\?",
    re.IGNORECASE,
)
DEAD_END = re.compile(
    r"\b(?:dead end|does(?: not|n't) (?:fit|explain|hold|work|add up)|rule(?:d|s)? (?:it |this |that )?out|"
    r"go(?:ing)? back|back up|step back|return(?:ing)? to|abandon|not (?:it|that|this)|so not|no, )",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"\{\{\s*[a-z_.]+\s*\}\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no chain of its format: a code, and what to tell the teacher."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Checks:
    """How strict the formats are.

    Attributes:
        min_steps: fewest steps of a LongStep chain.
        require_parts: each step must state goal, evidence and conclusion.
        min_turns: fewest places where a monologue asks, doubts or turns.
        gold_leak: refuse chains that speak of an answer that was given to them.
    """

    min_steps: int = 2
    require_parts: bool = False
    min_turns: int = 1
    gold_leak: bool = True


@dataclass(frozen=True, slots=True)
class Cot:
    """One passage of reasoning, then the final answer."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a LongStep chain: its number, all of its text, and its parts where they are marked."""

    number: int
    text: str
    goal: str = ""
    evidence: str = ""
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class LongStep:
    """Numbered steps in order, each with a goal, evidence and a conclusion, then the final answer."""

    text: str
    answer: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class LongMonolog:
    """An inner monologue that supposes, doubts, checks and turns back; `turns` counts the places where it does."""

    text: str
    answer: str
    turns: int


@dataclass(frozen=True, slots=True)
class Journey:
    """A search told as one text, failed branches included; `dead_ends` counts where it says that it turned back."""

    text: str
    answer: str
    dead_ends: int


Chain = Cot | LongStep | LongMonolog | Journey


def parsed(
    format: str,
    text: str,
    options: Mapping[str, str],
    finish_reason: FinishReason = "stop",
    checks: Checks = Checks(),
) -> tuple[Chain | None, list[Problem]]:
    """A text read as a chain of a format.

    Args:
        format: a key of `FORMATS`.
        text: the whole text.
        options: letter to text of the question's options.
        finish_reason: why the text ended.
        checks: how strict to be.

    Returns:
        The chain and no problems, or None and at least one problem.

    Raises:
        KeyError: no such format.
    """
    read = FORMATS[format]
    if finish_reason == "content_filter":
        return None, [Problem("filtered", "a content filter withheld it")]
    if not text.strip():
        return None, [Problem("empty", "it holds no text")]
    answer, problems = _final_answer(text, options, finish_reason)
    if checks.gold_leak and (found := leak(text)):
        problems.append(Problem("gold_leak", f"it speaks of an answer that was given beforehand: {found!r}"))
    if found_placeholder := PLACEHOLDER.search(text):
        problems.append(Problem("prompt_leak", f"it repeats a placeholder of the prompt: {found_placeholder[0]!r}"))
    chain, more = read(text, answer or "", checks)
    problems += more
    return (None, problems) if problems else (chain, [])


def _final_answer(
    text: str, options: Mapping[str, str], finish_reason: FinishReason
) -> tuple[str | None, list[Problem]]:
    from medo1.answers import read_answer  # here: the graph is built from recipes, and needs no reader

    answer = read_answer(text, options, finish_reason)
    if answer.status == "answer" and answer.letter is not None:
        tail = text[answer.span[1] :] if answer.span is not None else ""
        if len(tail.strip()) > LONGEST_TAIL:
            return answer.letter, [
                Problem("text_after_answer", "much text follows the final answer: end with the answer")
            ]
        return answer.letter, []
    if answer.status == "truncated" or finish_reason == "length":
        return None, [Problem("cut", "it was cut by the length limit before a final answer")]
    letters = ", ".join(options)
    if answer.status == "conflict":
        return None, [Problem("conflicting_answers", "it states two different final answers: state one")]
    return None, [Problem("no_answer", f"it does not end with the line 'Final answer: X', X one of {letters}")]


def _cot(text: str, answer: str, checks: Checks) -> tuple[Cot, list[Problem]]:
    return Cot(text, answer), []


def _longstep(text: str, answer: str, checks: Checks) -> tuple[LongStep, list[Problem]]:
    steps = steps_of(text)
    if not steps:
        return LongStep(text, answer, ()), [
            Problem("no_steps", "it has no lines that begin with 'Step 1:', 'Step 2:' ...")
        ]
    problems = []
    numbers = [step.number for step in steps]
    if numbers != list(range(1, len(steps) + 1)):
        found = ", ".join(map(str, numbers))
        problems.append(
            Problem("steps_out_of_order", f"its steps are numbered {found}, not 1 to {len(steps)} in order")
        )
    if len(steps) < checks.min_steps:
        problems.append(Problem("too_few_steps", f"it has {len(steps)} steps, expected at least {checks.min_steps}"))
    empty = [step.number for step in steps if not step.text.strip()]
    if empty:
        problems.append(Problem("empty_step", f"step {empty[0]} says nothing"))
    if checks.require_parts:
        for step in steps:
            missing = [name for name in ("goal", "evidence", "conclusion") if not getattr(step, name)]
            if missing:
                told = f"step {step.number} has no line '{missing[0].capitalize()}: ...'"
                problems.append(Problem("step_without_parts", told))
                break
    return LongStep(text, answer, steps), problems


def steps_of(text: str) -> tuple[Step, ...]:
    """The numbered steps of a text, in the order in which they stand; none where it has no step lines."""
    marks = list(STEP.finditer(text)) or list(NUMBERED.finditer(text))
    steps = []
    for mark, following in zip_longest(marks, marks[1:]):
        body = text[mark.end() : following.start() if following else len(text)].strip()
        if following is None:  # the last step ends where the summing up begins
            body = re.split(r"\n\s*\n|\n[^\n]*final answer", body, maxsplit=1, flags=re.IGNORECASE)[0]
        steps.append(Step(int(mark[1]), body.strip(), **_parts(body)))
    return tuple(steps)


def _parts(body: str) -> dict[str, str]:
    marks = list(PART.finditer(body))
    return {
        mark[1].lower(): body[mark.end() : following.start() if following else len(body)].strip()
        for mark, following in zip_longest(marks, marks[1:])
    }


def _longmonolog(text: str, answer: str, checks: Checks) -> tuple[LongMonolog, list[Problem]]:
    problems = [*_not_a_list(text)]
    turns = len(TURN.findall(text))
    if turns < checks.min_turns:
        told = "it only goes straight ahead: think as one thinks, with suppositions, doubts and checks"
        problems.append(Problem("no_second_thought", told))
    return LongMonolog(text, answer, turns), problems


def _journey(text: str, answer: str, checks: Checks) -> tuple[Journey, list[Problem]]:
    problems = [*_not_a_list(text)]
    dead_ends = len(DEAD_END.findall(text))
    if not dead_ends:
        problems.append(Problem("no_dead_end", "no line of thought fails in it: tell where you turned back, and why"))
    return Journey(text, answer, dead_ends), problems


def _not_a_list(text: str) -> list[Problem]:
    lines = [line for line in text.splitlines() if line.strip()]
    listed = sum(bool(LIST_LINE.match(line)) for line in lines)
    if listed >= FEWEST_LIST_LINES and listed > LONGEST_LIST_SHARE * len(lines):
        return [
            Problem(
                "is_a_list", f"{listed} of its {len(lines)} lines are list items or headings: write connected thought"
            )
        ]
    return []


FORMATS: dict[str, Callable[[str, str, Checks], tuple[Chain, list[Problem]]]] = {
    "cot": _cot,
    "longstep": _longstep,
    "longmonolog": _longmonolog,
    "journey": _journey,
}
