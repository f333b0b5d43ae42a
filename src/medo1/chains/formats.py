"""The formats of chains as validated types: `cot`, `longstep`, `longmonolog`, and `journey`.

`parsed` gives a chain or the problems that keep the text from being one; a problem has a short code, by which tables
are grouped, and a text, which can be sent to a teacher. Formats are tolerant of layout (`medo1.chains.steps`) and
strict about what is said. A new format is a type, a function that reads it, and an entry in `FORMATS`.

Source: arXiv 2501.06458, section on LongStep and LongMonolog (it describes the formats, but not how they are checked);
for `journey` arXiv 2410.18982 (journey learning).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import Field

from medo1.chains.boilerplate import boilerplate, refusal
from medo1.chains.leaks import leak
from medo1.chains.steps import ChainStep, steps_of
from medo1.chains.wordlists import EXAM_QUESTION, FAILED, TURN, TURNED_BACK
from medo1.engines.base import FinishReason
from medo1.parameters import Parameters

_LIST_LINE = re.compile(
    r"[ \t]*(?:[-*+•‣▪◦–][ \t]|#{1,6}[ \t]|\d{1,3}[.)][ \t]|[*_]*(?:step|schritt|étape|paso)[ \t]+\d|第.{1,3}步"  # noqa: RUF001
    r"|(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__)[ \t]*:?[ \t]*$|\|.*\|[ \t]*$)",
    re.IGNORECASE,
)
LONGEST_LIST_SHARE = 0.3  # of a monologue's lines that may look like a list's
FEWEST_LIST_LINES = 3
LONGEST_TAIL = 400  # characters after the final answer; more is another text

_STATING = re.compile(
    r"\b(?:final|answer|option|choice|letter|correct|right|best|most|likely|diagnosis|is|it|the|so|therefore|thus|hence"
    r"|[a-z])\b|答案|最终|选",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+|[\u4e00-\u9fff]")
_CHINESE = re.compile(r"[\u3400-\u9fff\u3040-\u30ff]")
_CHINESE_PER_WORD = 1.5  # signs that say as much as one English word, roughly
PLACEHOLDER = re.compile(r"\{\{\s*[a-z_.]+\s*\}\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no chain of its format: a code (one word, for tables), and what to tell the teacher."""

    code: str
    text: str


class Checks(Parameters):
    """How strict the formats are. Each format looks at those that concern it."""

    min_words: int = Field(
        default=0, ge=0, description="fewest words of a chain (in Chinese, 1.5 characters count as one)"
    )
    min_reasoning_words: int = Field(
        default=1,
        ge=0,
        description="fewest words beside those that state the answer; 0 for a control without reasoning",
    )
    min_steps: int = Field(default=2, gt=0, description="fewest steps of a longstep chain")
    require_parts: bool = Field(default=False, description="each longstep step states goal, evidence and conclusion")
    min_turns: int = Field(default=1, ge=0, description="fewest places where a monologue asks, doubts or turns")


USUAL_CHECKS = Checks()


@dataclass(frozen=True, slots=True)
class Chain:
    """A text that reasons, and the letter of its final answer; each format has a type of its own."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Cot(Chain):
    """One passage of reasoning, then the final answer."""


@dataclass(frozen=True, slots=True)
class LongStep(Chain):
    """Numbered steps in order, each with a goal, evidence and a conclusion, then the final answer."""

    steps: tuple[ChainStep, ...]


@dataclass(frozen=True, slots=True)
class LongMonolog(Chain):
    """An inner monologue that supposes, doubts, checks and turns back; `turns` counts the places where it does."""

    turns: int


@dataclass(frozen=True, slots=True)
class Journey(Chain):
    """A search told as one text, failed branches included; `dead_ends` counts where it says that it turned back."""

    dead_ends: int


@dataclass(frozen=True, slots=True)
class ChainFormat:
    """One way to write a chain.

    Attributes:
        read: text, answer and checks to the chain, and its problems.
        paper_mean_tokens: the mean length that the paper reports; None where it reports none.
    """

    read: Callable[[str, str, Checks], tuple[Chain, list[Problem]]]
    paper_mean_tokens: float | None = None


def parsed(
    format: str,
    text: str,
    options: Mapping[str, str],
    finish_reason: FinishReason = "stop",
    checks: Checks = USUAL_CHECKS,
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
    read = FORMATS[format].read
    if finish_reason == "content_filter":
        return None, [Problem("filtered", "a content filter withheld it")]
    if not text.strip():
        return None, [Problem("empty", "it holds no text")]
    answer, problems = _final_answer(text, options, finish_reason)
    if answer is None and refusal(text):
        return None, [Problem("refused", f"it declines: {' '.join(text.split())[:100]!r}")]
    problems += _not_its_own_words(text)
    if not problems and _reasoning_words(text, options) < checks.min_reasoning_words:
        problems.append(Problem("no_reasoning", "it states an answer and no reason: write the reasoning before it"))
    if (words := word_count(text)) < checks.min_words:
        problems.append(Problem("too_short", f"it has {words} words, expected at least {checks.min_words}"))
    chain, more = read(text, answer or "", checks)
    problems += more
    return (None, problems) if problems else (chain, [])


def word_count(text: str) -> int:
    """Words of a text; Chinese and Japanese signs count as two thirds of one."""
    signs = len(_CHINESE.findall(text))
    return len(_CHINESE.sub(" ", text).split()) + round(signs / _CHINESE_PER_WORD)


def _reasoning_words(text: str, options: Mapping[str, str]) -> int:
    """How many words there are beside those that state the answer."""
    for option in options.values():
        text = text.replace(option, " ")
    return len(_WORD.findall(_STATING.sub(" ", text)))


def _not_its_own_words(text: str) -> list[Problem]:
    """What stands in a text and belongs to no chain, whatever its format."""
    from medo1.answers.thinking import answer_part  # here: the graph is built from recipes, and needs no reader

    problems = []
    if found := leak(text):
        problems.append(Problem("gold_leak", f"it speaks of an answer that was given beforehand: {found!r}"))
    if placeholder := PLACEHOLDER.search(text):
        problems.append(Problem("prompt_leak", f"it repeats a placeholder of the prompt: {placeholder[0]!r}"))
    if answer_part(text, text.lower()).thinking != "none":
        problems.append(
            Problem("thinking_marks", "it holds marks of a thought (such as <think>): write the chain alone")
        )
    if around := boilerplate(text):
        problems.append(
            Problem(
                "boilerplate", f"it speaks to its reader or of its task ({around!r}): write the chain and nothing else"
            )
        )
    return problems


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
    empty = [step.number for step in steps if not step.says_something]
    if empty:
        problems.append(Problem("empty_step", f"step {empty[0]} says nothing"))
    elif checks.require_parts and not problems:
        for step in steps:
            missing = [name for name in ("goal", "evidence", "conclusion") if not getattr(step, name)]
            if missing:
                told = f"step {step.number} has no line '{missing[0].capitalize()}: ...'"
                problems.append(Problem("step_without_parts", told))
                break
    return LongStep(text, answer, steps), problems


def _longmonolog(text: str, answer: str, checks: Checks) -> tuple[LongMonolog, list[Problem]]:
    problems = [*_not_a_list(text)]
    turns = turn_count(text)
    if turns < checks.min_turns:
        told = "it only goes straight ahead"
        if turns:
            told = f"it asks, doubts or turns in {turns} places, expected at least {checks.min_turns}"
        problems.append(
            Problem("no_second_thought", f"{told}: think as one thinks, with suppositions, doubts and checks")
        )
    return LongMonolog(text, answer, turns), problems


def turn_count(text: str) -> int:
    """Places where a thought asks, supposes, doubts or turns. The exam's own question, copied, is none."""
    return len(TURN.findall(EXAM_QUESTION.sub(" ", text)))


def _journey(text: str, answer: str, checks: Checks) -> tuple[Journey, list[Problem]]:
    problems = [*_not_a_list(text)]
    dead_ends = len(TURNED_BACK.findall(text))
    if turn_count(text):
        dead_ends += len(FAILED.findall(text))
    if not dead_ends:
        problems.append(Problem("no_dead_end", "no line of thought fails in it: tell where you turned back, and why"))
    return Journey(text, answer, dead_ends), problems


def _not_a_list(text: str) -> list[Problem]:
    lines = [line for line in text.splitlines() if line.strip()]
    listed = sum(bool(_LIST_LINE.match(line)) for line in lines)
    if listed >= FEWEST_LIST_LINES and listed > LONGEST_LIST_SHARE * len(lines):
        return [
            Problem(
                "is_a_list", f"{listed} of its {len(lines)} lines are list items or headings: write connected thought"
            )
        ]
    return []


FORMATS: Mapping[str, ChainFormat] = {
    "cot": ChainFormat(_cot),
    "longstep": ChainFormat(_longstep, paper_mean_tokens=729.0),
    "longmonolog": ChainFormat(_longmonolog, paper_mean_tokens=1223.0),
    "journey": ChainFormat(_journey),
}
