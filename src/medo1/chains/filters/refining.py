"""A second chance: a wrong or leaking chain goes back to its teacher once, with the reason, before it is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.chains.filters.asking import rewritten
from medo1.chains.filters.candidate import Candidate, Verdict
from medo1.chains.filters.funnel import first_refusal
from medo1.chains.filters.running import USABLE, ChainFilters
from medo1.chains.filters.specs import RefineSpec
from medo1.engines.base import Completion, Engine

# The reason sent to the teacher. The gold answer is never in it: a chain that was given the answer does not derive it.
TOLD = {
    "correct": "its final answer is not the right one",
    "answer": "it states no single final answer; end with the line 'Final answer: X'",
    "leak": "it speaks of an answer that was given beforehand; derive the answer from the case alone",
}


def refined(
    chains: Sequence[dict[str, Any]],
    filters: ChainFilters,
    teacher: Engine,
    prompt: str,
    request: str,
    spec: RefineSpec,
    seed: int,
) -> list[dict[str, Any]]:
    """The chains, those that `filters` refuse replaced where the teacher's second try passes them.

    Args:
        chains: rows of a chains table.
        filters: those whose refusals are refined; their order is `spec.reasons`.
        teacher: who writes again.
        prompt: with the places of `medo1.chains.filters.asking.REFINE`.
        request: what is asked of a teacher for this format; may be empty.
        spec: room for the new chain.
        seed: of the draws.
    """
    candidates = filters.candidates(chains, [None] * len(chains))
    failing: dict[tuple[str, int], tuple[Candidate, str]] = {}
    for looked in filters.looked(candidates):
        refused = first_refusal(looked.verdicts)
        if refused is not None and refused != USABLE:
            failing[looked.candidate.key] = looked.candidate, TOLD[refused]
    replies = rewritten(failing, teacher, prompt, request, spec.max_new_tokens, seed)
    again = {key: _replaced(candidate.chain, replies[key]) for key, (candidate, _) in failing.items() if key in replies}
    second = filters.looked(filters.candidates(list(again.values()), [None] * len(again)))
    better = {one.candidate.key: one.candidate.chain for one in second if _passes(one.verdicts)}
    return [better.get((chain["question_id"], chain["sample"]), dict(chain)) for chain in chains]


def _passes(verdicts: dict[str, Verdict]) -> bool:
    return first_refusal(verdicts) is None


def _replaced(chain: dict[str, Any], reply: Completion) -> dict[str, Any]:
    tokens = reply.completion_tokens
    return {
        **chain,
        "text": reply.text,
        "finish_reason": reply.finish_reason,
        "completion_tokens": None if tokens is None else max(0, tokens - (reply.reasoning_tokens or 0)),
        "teacher": reply.model,
        "request_id": reply.request_id,
        "request_ids": [*chain["request_ids"], reply.request_id],
    }
