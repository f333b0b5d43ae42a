"""Rows of `stopping_rules`: every stopping rule, at several thresholds, replayed on samples that were all drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.pipelines.inference.vote_tables import Poll
from medo1.statistics.intervals import mean_interval, share_interval
from medo1.statistics.rules import StoppingRule
from medo1.statistics.stopping import Stop, stops
from medo1.statistics.votes import vote
from medo1.vocabulary import RULES

THRESHOLDS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def stopping_rows(polls: Sequence[Poll], rule: StoppingRule, most: int) -> list[dict[str, Any]]:
    """Rows of `tables.STOPPING_RULES`, by benchmark, rule and threshold.

    Args:
        polls: of one arm, with all `most` samples of each question.
        rule: when to look, the prior, and one more threshold.
    """
    if most <= rule.first:
        return []
    rows = []
    for benchmark in sorted({poll.benchmark for poll in polls}):
        own = [poll for poll in polls if poll.benchmark == benchmark]
        for name in RULES:
            replayed = rule.model_copy(update={"rule": name})
            looked = [
                list(stops([sample.letter for sample in poll.samples], poll.options, replayed, most)) for poll in own
            ]
            for threshold in sorted({*THRESHOLDS, rule.threshold}):
                ended = [next(stop for stop in stopped if stop.ends(threshold, most)) for stopped in looked]
                keys = {"arm": own[0].arm, "benchmark": benchmark, "rule": name, "threshold": threshold}
                rows.append({**keys, "most": most, **_replayed(own, ended)})
    return rows


def _replayed(polls: Sequence[Poll], ended: Sequence[Stop]) -> dict[str, Any]:
    parts = [vote(poll.samples[: stop.drawn]).letter for poll, stop in zip(polls, ended, strict=True)]
    agreed = sum(part == vote(poll.samples).letter for part, poll in zip(parts, polls, strict=True))
    accuracy = mean_interval([float(part == poll.gold) for part, poll in zip(parts, polls, strict=True)])
    agreement = share_interval(agreed, len(polls))
    spent = [poll.tokens[: stop.drawn] for poll, stop in zip(polls, ended, strict=True)]
    counted = [sum(count or 0 for count in counts) for counts in spent if None not in counts]
    return {
        "questions": len(polls),
        "drawn": sum(stop.drawn for stop in ended) / len(ended),
        "tokens": sum(counted) / len(counted) if len(counted) == len(polls) else None,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "agreement": agreement.value,
        "agreement_low": max(0.0, agreement.low),
        "agreement_high": min(1.0, agreement.high),
        "promised": sum(stop.probability for stop in ended) / len(ended),
    }
