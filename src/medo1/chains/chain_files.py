"""Rows of files that hold chains: which fields are the question, the thought and the answer, in forms in public use.

Forms known by their fields: HuatuoGPT-o1's and medical-o1-reasoning-SFT (`Complex_CoT`, `Response`), m23k (`prompt`,
`reasoning`, `distilled_answer_string`), MedReason (`question`, `options`, `reasoning`, `answer`), s1K and s1K-1.1
(`thinking_trajectories`, `attempt`), the paper's own set (`longCOT`; JAMA's rows hold a link in place of a question),
and conversations (OpenThoughts, R1 distillations): `messages` or `conversations` with the thought between its tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.answers.thinking import answer_part
from medo1.questions.question_errors import QuestionsError, RowError
from medo1.questions.readers.gold_answers import is_missing

_QUESTIONS = ("question", "Question", "prompt", "problem", "instruction", "query", "input", "url", "link")
_THOUGHTS = (
    "Complex_CoT", "deepseek_thinking_trajectory", "thinking_trajectories", "thinking_trajectory",
    "gemini_thinking_trajectory", "longCOT", "long_cot", "LongMonolog", "longmonolog", "LongStep", "longstep",
    "reasoning", "reasoning_content", "thinking", "thoughts", "thought", "chain_of_thought", "cot", "rationale",
)  # fmt: skip
_ANSWERS = (
    "Response", "distilled_answer_string", "deepseek_attempt", "attempt", "gemini_attempt", "response", "output",
    "completion", "final_response", "final_answer", "answer", "solution", "generation", "text",
)  # fmt: skip
_TALKS = ("messages", "conversations", "conversation")
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "model": "assistant"}
_MARKS = re.compile(
    r"</?(?:think|thinking|thought|thoughts|reasoning|scratchpad)>|<\|(?:begin|end)_of_(?:thought|solution)\|>"
    r"|<\|im_start\|>(?:think|answer)\b|<\|im_end\|>|<\|im_start\|>|\[/?THINK\]|◁/?think▷"
    r"|^[ \t]*#{1,6}[ \t]*\**(?:Thinking|Final Response)\**:?[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ChainColumns:
    """Where in a file's rows a chain stands; what is None is found by its usual names.

    Attributes:
        form: form of the file's questions, where it holds them; None recognises it.
        reasoning: field that holds the reasoning.
        answer: field that holds the final response.
        mapping: columns of the questions, for a file of one's own (`medo1.questions.ColumnMapping`).
        question: field that holds the question, its id or its link, where chains and questions lie apart.
    """

    form: str | None = None
    reasoning: str | None = None
    answer: str | None = None
    mapping: Mapping[str, Any] | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class RowChain:
    """What one row holds of a chain.

    Attributes:
        question: the question's text, id or link; empty where the row has none.
        thought: the reasoning; empty where there is none apart from the answer.
        reply: what follows the thought.
    """

    question: str
    thought: str
    reply: str


def chain_of(values: Mapping[str, Any], columns: ChainColumns) -> RowChain:
    """The chain of a row.

    Raises:
        RowError: where a part is missing, is no text, or the thought never ends.
    """
    talk = next((values[name] for name in _TALKS if name in values), None)
    if columns.answer is None and talk is not None:
        asked, reply = _talk(talk)
        thought = ""
    else:
        asked = joined(values, columns.question or _first(values, _QUESTIONS), required=False)
        reply_name = columns.answer or _first(values, _ANSWERS)
        if reply_name is None:
            raise RowError(f"there is no answer: expected one of the fields {', '.join(_ANSWERS[:8])}")
        thought_name = columns.reasoning if columns.answer else columns.reasoning or _first(values, _THOUGHTS)
        thought = joined(values, thought_name, required=columns.reasoning is not None)
        reply = joined(values, reply_name)
    if thought:
        thought = _MARKS.sub("", thought).strip()
        _, reply = split_thinking(reply) if _MARKS.search(reply) else ("", reply)
    else:
        thought, reply = split_thinking(reply)
    return RowChain(asked, thought, reply.strip())


def split_thinking(text: str) -> tuple[str, str]:
    """A model's output as its thought and what it says after it, both without the marks.

    Raises:
        RowError: where the thought never ends, so that no answer follows.
    """
    part = answer_part(text, text.lower())
    if part.thinking == "open":
        raise RowError("its thinking never ends: no answer follows")
    if part.thinking == "none":
        return "", _MARKS.sub("", text).strip()
    return _MARKS.sub("", text[: part.start]).strip(), _MARKS.sub("", text[part.start : part.end]).strip()


def joined(values: Mapping[str, Any], name: str | None, *, required: bool = True) -> str:
    """A field's text; texts of a list follow each other, with an empty line between.

    Raises:
        RowError: where it is missing or holds something else than text.
    """
    value: Any = values.get(name) if name is not None else None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        odd = next((one for one in value if not isinstance(one, str)), None)
        if odd is not None:
            raise RowError(f"field {name} is a list of {type(odd).__name__}, expected texts")
        value = "\n\n".join(one.strip() for one in value if one.strip())
    if is_missing(value):
        if required:
            raise RowError(f"field {name} is missing or empty")
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"field {name} is {type(value).__name__}, expected a text or a list of texts")
    return str(value).strip()


def _first(values: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if values.get(name) not in (None, "", [])), None)


def _talk(turns: Any) -> tuple[str, str]:
    """The question and the reply of a conversation: the first turn of the user and the assistant's answer to it.

    Raises:
        RowError: for a conversation of another shape, or of several questions.
    """
    turns = turns.tolist() if hasattr(turns, "tolist") else turns
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise RowError("the conversation is no list of turns with role and content")
    said = [(_ROLES.get(str(turn.get("role", turn.get("from", ""))).lower()), turn.get("content", turn.get("value")))
            for turn in turns]  # fmt: skip
    spoken = [(role, content) for role, content in said if role is not None]
    if [role for role, _ in spoken] != ["user", "assistant"]:
        roles = ", ".join(str(turn.get("role", turn.get("from"))) for turn in turns[:6])
        raise RowError(f"the conversation is {roles}: expected one question and one reply")
    question, reply = (content for _, content in spoken)
    if not isinstance(question, str) or not isinstance(reply, str) or not reply.strip():
        raise RowError("a turn of the conversation holds no text")
    return question.strip(), reply.strip()


def check_columns(name: str, rows: Sequence[Mapping[str, Any]], columns: ChainColumns) -> None:
    """Refuses fields that no row has.

    Raises:
        QuestionsError: naming the field, and those that there are.
    """
    have = dict.fromkeys(str(column) for row in rows for column in row)
    for what, field in (("reasoning", columns.reasoning), ("answer", columns.answer), ("question", columns.question)):
        if field is not None and rows and field not in have:
            raise QuestionsError(f"{name}: {what} names the field {field!r}; the file has {', '.join(have)}")
