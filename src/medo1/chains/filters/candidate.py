"""A chain as the filters see it, and a filter's verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medo1.questions import Question


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chain with what the filters look at.

    Attributes:
        chain: the row of the chains table.
        question: what it answers; None where no question has the chain's id.
        writes: the format that it must have, a key of `medo1.chains.formats.FORMATS`.
        tokens: its length in tokens as `LengthSpec.tokens_of` counts them; None where unknown.
    """

    chain: dict[str, Any]
    question: Question | None
    writes: str
    tokens: int | None = None

    @property
    def text(self) -> str:
        return str(self.chain["text"])

    @property
    def finish_reason(self) -> Any:
        return self.chain["finish_reason"]

    @property
    def key(self) -> tuple[str, int]:
        """Question and sample: what tells the chains of one format apart."""
        return str(self.chain["question_id"]), int(self.chain["sample"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a filter says of a chain.

    Attributes:
        passed: whether the chain may be kept.
        reason: why not; for a chain that passed, what is worth knowing of it, or nothing.
        value: what was measured, in the filter's own unit; None where nothing was.
        match: the words of the chain (or of its question) that decided.
        other: what they are compared with: a benchmark's question, another chain.
    """

    passed: bool
    reason: str = ""
    value: float | None = None
    match: str = ""
    other: str = ""


PASSED = Verdict(True)


def dropped(reason: str, value: float | None = None, match: str = "", other: str = "") -> Verdict:
    """A verdict against a chain."""
    return Verdict(False, reason, value, match, other)
