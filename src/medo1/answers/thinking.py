"""Where a model's thinking ends and its answer begins.

Reasoning models mark their thinking in many ways, and chat templates often swallow the opening mark. Letters in the
thinking are not answers, so only what stands outside is read.

Forms (from the models' own cards and chat templates): `<think>` (DeepSeek-R1, QwQ, Qwen3), `<|im_start|>think` ...
`<|im_start|>answer` (s1, m1), `<|begin_of_thought|>` ... `<|begin_of_solution|>` (SkyThought), `## Thinking` ...
`## Final Response` (HuatuoGPT-o1), `[THINK]` (Magistral), channels (gpt-oss), `◁think▷` (Kimi), `<unused94>`
(MedGemma), `<|START_THINKING|>` (Command A), and tags that prompts ask for (`<reasoning>`, `<scratchpad>` and the
like).
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice
from typing import Literal, NamedTuple

# anything that may be a mark; which it is says `_kind`
_MARK = re.compile(
    r"</?[a-z][\w:]{1,30}>|<\|[^|<>\n]{1,40}\|>(?:think\b|answer\b|analysis|commentary|"
    r"final)?(?:<\|message\|>)?|\[/?think\]|◁/?think▷|assistantfinal"
    r"|(?:^|\n)[ \t]*(?:#{1,6}[ \t]*\**|\*\*)final response\**:?"
)
_NAME = re.compile(
    r"(?:[a-z]{1,12}[:_])?(?:think(?:ing)?(?:_\w{1,12})?|thoughts?|thought_process|reasoning|reason|"
    r"reflection|scratchpad|analysis|inner_monologue|monologue)"
)
_OPENS = frozenset(
    {
        "[think]",
        "◁think▷",
        "<unused94>",
        "<|begin_of_thought|>",
        "<|start_thinking|>",
        "<|im_start|>think",
        "<|thought_start|>",
    }
)
_CLOSES = frozenset(
    {
        "[/think]",
        "◁/think▷",
        "<unused95>",
        "assistantfinal",
        "<|end_of_thought|>",
        "<|begin_of_solution|>",
        "<|end_thinking|>",
        "<|start_response|>",
        "<|im_start|>answer",
        "<|thought_end|>",
    }
)
_HEADING = re.compile(r"\s*#{1,6}[ \t]*\**thinking\**:?\s*\n", re.IGNORECASE)
TAG_LIKE = re.compile(r"<[/a-z|｜]")
_TAG_GUARDS = ("</", "think>", "thinking>", "<|", "<unused9", "<reason", "<scratch", "<thought")
_LAST_PART = 4000  # characters from the end that are searched for marks first
_MARKS = 300  # looked at
# what ends a turn: a model that goes on after it is talking to itself
_TURN = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|end_of_text|return|end_of_turn|end_of_solution|eom_id|"
    r"end_of_sentence|im_start|start_header_id|user|assistant|system)\|>"
    r"|</s>|<eos>|<end_of_turn>|<｜end▁of▁sentence｜>|<\|END_(?:RESPONSE|OF_TURN_TOKEN)\|>|\[/?INST\]|<start_of_turn>",
)


class AnswerPart(NamedTuple):
    """The part of a text that speaks to the reader.

    `start` and `end` bound it; `thinking` says what stands beside it: `none`, `closed` (thought before it) or `open`
    (the text ends inside its thinking and the part is empty).
    """

    start: int
    end: int
    thinking: Literal["none", "closed", "open"]


def may_think(low: str) -> bool:
    """Whether a mark of thinking, or of a turn's end, may stand in a text: a quick look, wrong on the safe side."""
    return (
        ("<" in low and TAG_LIKE.search(low) is not None)
        or ("[" in low and ("think]" in low or "inst]" in low))
        or "◁" in low
        or ("#" in low and _HEADING.match(low) is not None)
        or ("final" in low and _final_marks(low))
    )


def answer_part(text: str, low: str) -> AnswerPart:
    """The last part of a text that stands outside its thinking and holds something.

    Args:
        text: the whole output.
        low: the same in lower case, position by position.
    """
    if not may_think(low):
        return AnswerPart(0, len(text), "none")
    start, end = 0, len(text)
    thinking: Literal["none", "closed", "open"] = "none"
    close = low.rfind("</think>")
    if (
        close >= 0
        and low.find("<think>", close) < 0
        and text[close + 8 :].strip()
        and "<|" not in low
        and "final response" not in low
    ):
        return _to_turn_end(text, close + 8, len(text), "closed")
    heading = "#" in low and _HEADING.match(low)
    if heading or _may_hold_marks(low):
        marks = _marks(low)
        if heading or marks:
            filled = [
                part for part in _outside(marks, len(text), inside=bool(heading)) if text[part[0] : part[1]].strip()
            ]
            if not filled:
                open_ended = marks[-1].kind == "open" if marks else True
                return AnswerPart(len(text), len(text), "open" if open_ended else "closed")
            start, end = filled[-1]
            thinking = "closed"
    return _to_turn_end(text, start, end, thinking)


def _may_hold_marks(low: str) -> bool:
    """Whether a mark of thinking may stand in the text: a quick look, wrong on the safe side."""
    if "<" in low and any(guard in low for guard in _TAG_GUARDS):
        return True
    return ("[" in low and "think]" in low) or "◁" in low or _final_marks(low)


def _final_marks(low: str) -> bool:
    """Whether one of the marks that are words stands in the text."""
    return "assistantfinal" in low or "final response" in low


def _kind(mark: str) -> Literal["open", "close"] | None:
    """Whether a mark opens or closes thinking, None where it does neither."""
    if mark in _OPENS:
        return "open"
    if mark in _CLOSES or mark.endswith(("final response", "final response:", "*")):
        return "close"
    if mark.startswith("<|channel|>"):
        return "close" if "final" in mark else "open" if mark.removesuffix("<|message|>") != "<|channel|>" else None
    if mark.startswith("<|"):
        return None
    if _NAME.fullmatch(mark.strip("</>")):
        return "close" if mark[1] == "/" else "open"
    return None


def _marks(low: str) -> list[Mark]:
    """The marks of thinking: those in the text's last part where one closes there, else the first ones of the whole."""
    if len(low) > _LAST_PART:
        last = _marks_from(low, len(low) - _LAST_PART)
        if any(mark.kind == "close" for mark in last):
            return last
    return _marks_from(low, 0)


def _marks_from(low: str, start: int) -> list[Mark]:
    found = []
    for match in islice(_MARK.finditer(low, start), _MARKS):
        kind = _kind(match[0].strip())
        if kind is not None:
            found.append(Mark(kind, match.start(), match.end()))
    return found


class Mark(NamedTuple):
    """A mark of thinking and where it stands."""

    kind: Literal["open", "close"]
    start: int
    end: int


def _outside(marks: list[Mark], length: int, *, inside: bool) -> list[tuple[int, int]]:
    """The parts between the marks that are no thinking; what precedes a closing mark is thinking, opened or not."""
    parts: list[tuple[int, int]] = []
    position = 0
    for mark in marks:
        if mark.kind == "open":
            if not inside:
                parts.append((position, mark.start))
            inside = True
        else:
            if not inside:
                parts.clear()
            inside, position = False, mark.end
    if not inside:
        parts.append((position, length))
    return parts


def _to_turn_end(text: str, start: int, end: int, thinking: Literal["none", "closed", "open"]) -> AnswerPart:
    """The part up to the mark that ends the model's turn."""
    if text.find("<", start, end) < 0 and text.find("[", start, end) < 0:
        return AnswerPart(start, end, thinking)
    first = _TURN.search(text, start, end)
    while first is not None and not text[start : first.start()].strip():
        start = first.end()  # a turn's opening mark, not its end
        first = _TURN.search(text, start, end)
    return AnswerPart(start, first.start() if first is not None else end, thinking)
