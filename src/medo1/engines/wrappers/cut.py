"""Answers cut by their length limit: kept and marked, continued, or retried with a larger limit.

Pure functions. Every piece is a separate request, so each is stored and none is paid for twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from medo1.engines.base import Completion, Message, Request
from medo1.engines.thought import apart

WhenCut = Literal["keep", "continue", "reask"]


def next_request(request: Request, pieces: Sequence[Completion], when_cut: WhenCut, larger: int) -> Request:
    """What to ask after `pieces`, the last of which was cut.

    Args:
        request: as it was first asked.
        pieces: the answers so far.
        when_cut: `continue`: go on where the text stops (the last message is the text so far); `reask`: the same again.
        larger: `max_new_tokens` of the new request, for `reask`.
    """
    if when_cut == "reask":
        return replace(request, sampling=replace(request.sampling, max_new_tokens=larger))
    text = "".join(piece.whole_text for piece in pieces)
    last = request.messages[-1]
    if last.role == "assistant":
        return replace(request, messages=(*request.messages[:-1], Message("assistant", last.content + text)))
    return replace(request, messages=(*request.messages, Message("assistant", text)))


def joined(pieces: Sequence[Completion], when_cut: WhenCut) -> Completion:
    """The pieces as one completion: texts joined (continued) or the last one (asked again), tokens of all paid pieces,
    the first piece's prompt."""
    if len(pieces) == 1:
        return pieces[0]
    first, last = pieces[0], pieces[-1]
    if last.finish_reason == "error":  # what there is of the answer is worth more than the error
        whole = first if when_cut == "reask" else joined(pieces[:-1], when_cut)
        return replace(whole, error=f"cut, and not continued: {last.error}")
    continued = when_cut == "continue"
    whole = replace(
        last,
        key=first.key,
        text="".join(piece.whole_text for piece in pieces) if continued else last.text,
        reasoning="".join(piece.reasoning for piece in pieces if piece.written is None)
        if continued
        else last.reasoning,
        written=None if continued else last.written,
        prompt_tokens=first.prompt_tokens,
        completion_tokens=_total(piece.completion_tokens for piece in (pieces if continued else [last])),
        reasoning_tokens=_total(piece.reasoning_tokens for piece in (pieces if continued else [last])),
        mean_logprob=_mean(pieces) if continued else last.mean_logprob,
        latency_s=sum(piece.latency_s or 0.0 for piece in pieces),
        cached=all(piece.cached for piece in pieces),
        attempts=sum(piece.attempts for piece in pieces),
        unread=sum(piece.unread for piece in pieces),
        unusable=sum(piece.unusable for piece in pieces),
        unseen_prompt_tokens=sum(piece.unseen_prompt_tokens for piece in pieces),
        unseen_completion_tokens=sum(piece.unseen_completion_tokens for piece in pieces),
        parts=tuple(piece.request_id for piece in pieces),
    )
    return apart(whole) if continued else whole


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _mean(pieces: Sequence[Completion]) -> float | None:
    """Mean log-probability over the tokens of all pieces; None if one of them does not say."""
    total = weight = 0.0
    for piece in pieces:
        if piece.mean_logprob is None or not piece.completion_tokens:
            return None
        total += piece.mean_logprob * piece.completion_tokens
        weight += piece.completion_tokens
    return total / weight if weight else None
