"""What reading a text gives: the answer, its status, the rule that decided and the place that it was read from."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Status = Literal["answer", "abstain", "conflict", "truncated"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Answer(NamedTuple):
    """What was read out of a text.

    Attributes:
        letter: the stated option, None unless `status` is `answer`.
        status: `answer`, `abstain` (none stated), `conflict` (two different final statements), `truncated` (cut
        before one). rule: the name of the rule that decided, one of `RULES`. span: where in the text the deciding
        statement stands (start, end), None where there is none.
    """

    letter: str | None
    status: Status
    rule: str
    span: tuple[int, int] | None = None
