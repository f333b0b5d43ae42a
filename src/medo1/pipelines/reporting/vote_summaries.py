"""Rows about samples: what votes can reach, pass@k, where the error comes from, and whether agreement tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import exp, sqrt
from typing import Any

from medo1.frames import Frame
from medo1.pipelines.reporting.answer_groups import greedy_answers, groups, tallies
from medo1.pipelines.reporting.params import ReportingParams
from medo1.statistics.calibration import (
    area_under_risk_coverage,
    brier,
    expected_calibration_error,
    reliability,
    risk_coverage,
)
from medo1.statistics.intervals import mean_interval, share_interval
from medo1.statistics.sampling_variance import variances
from medo1.statistics.vote_limits import chance_of_leading, pass_at

Row = dict[str, Any]
SURE = 0.95  # a commonest answer that is the true one with less than this chance may still change
POINTS = 40  # of a curve of risk against coverage, at most


def limit_rows(answers: Frame, params: ReportingParams) -> list[Row]:
    """Rows of `VOTE_LIMITS`, of arms that were sampled."""
    rows = []
    for benchmark, arm, polls in tallies(answers):
        leads = [_chance_of_leading(poll.right, tuple(sorted(poll.wrong)), poll.options) for poll in polls]
        limit = mean_interval(leads, params.confidence)
        samples = polls[0].samples
        rows.append(
            {
                "arm": arm,
                "benchmark": benchmark,
                "questions": len(polls),
                "samples": samples,
                "single": _mean([poll.right / poll.samples for poll in polls]),
                "majority": _mean([poll.majority() for poll in polls]),
                "limit": limit.value,
                "low": limit.low,
                "high": limit.high,
                "modal_wrong": _mean([poll.majority() == 0 for poll in polls]),
                "undecided": _mean([1 - SURE < lead < SURE for lead in leads]),
                "tied": _mean([poll.tied for poll in polls]),
                "unread": _mean([poll.silent / poll.samples for poll in polls]),
                "pass_at_all": _mean([poll.right > 0 for poll in polls]),
            }
        )
    return rows


def pass_rows(answers: Frame, params: ReportingParams) -> list[Row]:
    """Rows of `PASS_CURVE`, at 1, 2, 4, ... samples and at all of them."""
    rows = []
    for benchmark, arm, polls in tallies(answers):
        samples = polls[0].samples
        for k in sorted({*(2**power for power in range(samples.bit_length())), samples}):
            found = mean_interval([pass_at(poll.right, poll.samples, k) for poll in polls], params.confidence)
            keys = {"arm": arm, "benchmark": benchmark, "k": k, "questions": len(polls)}
            rows.append({**keys, "pass_at_k": found.value, "low": found.low, "high": found.high})
    return rows


def variance_rows(answers: Frame) -> list[Row]:
    """Rows of `VARIANCES`, of arms with two samples and more of two questions and more."""
    rows = []
    for benchmark, arm, polls in tallies(answers):
        samples, questions = polls[0].samples, len(polls)
        if samples < 2 or questions < 2:  # noqa: PLR2004
            continue
        found = variances([poll.right for poll in polls], [poll.samples for poll in polls])
        rows.append(
            {
                "arm": arm,
                "benchmark": benchmark,
                "questions": questions,
                "samples": samples,
                "between": found.between,
                "within": found.within,
                "error_of_one": sqrt(found.total / questions),
                "error_of_all": sqrt((found.between + found.within / samples) / questions),
                "halving": found.halving,
            }
        )
    return rows


def calibration_rows(answers: Frame, params: ReportingParams) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows of `CALIBRATION`, `CALIBRATION_SUMMARY` and `RISK_COVERAGE`, by vote share and by the model's confidence."""
    bins: list[Row] = []
    summaries: list[Row] = []
    curves: list[Row] = []
    for arm, benchmark, score, scores, right in _scored(answers):
        keys = {"arm": arm, "benchmark": benchmark, "score": score}
        for one in reliability(scores, right):
            found = share_interval(one.right, one.count, params.confidence)
            bins.append(
                {
                    **keys,
                    "bin_low": one.low,
                    "bin_high": one.high,
                    "n": one.count,
                    "mean_score": one.mean_score,
                    "accuracy": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
        summaries.append(
            {
                **keys,
                "n": len(scores),
                "error": 1 - sum(right) / len(right),
                "brier": brier(scores, right),
                "ece": expected_calibration_error(scores, right),
                "aurc": area_under_risk_coverage(scores, right),
            }
        )
        curve = risk_coverage(scores, right)
        step = max(1, -(-len(curve) // POINTS))
        kept = [*curve[::step], *([curve[-1]] if (len(curve) - 1) % step else [])]
        curves += [
            {**keys, "coverage": one.coverage, "accuracy": one.accuracy, "threshold": one.threshold} for one in kept
        ]
    return bins, summaries, curves


def _scored(answers: Frame) -> Iterator[tuple[str, str, str, list[float], list[bool]]]:
    """Arm, benchmark, what is scored, the scores and whether each answer is right.

    The vote's share is over all samples, so that an unread one counts against it. The confidence is the geometric mean
    of the probabilities of the greedy answer's tokens. An answer that states nothing is scored 0: it is known to be
    none.
    """
    for benchmark, arm, polls in tallies(answers):
        if polls[0].samples > 1:
            yield arm, benchmark, "vote_share", [poll.share for poll in polls], [poll.won for poll in polls]
    for benchmark, arm, group in groups(greedy_answers(answers), overall=False):
        if group["mean_logprob"].notna().all():
            read = (group["status"] == "answer").tolist()
            sure = [exp(min(0.0, float(value))) for value in group["mean_logprob"]]
            scores = [value if stated else 0.0 for value, stated in zip(sure, read, strict=True)]
            yield arm, benchmark, "confidence", scores, [bool(one) for one in group["correct"]]


@cache
def _chance_of_leading(right: int, wrong: tuple[int, ...], options: int) -> float:
    return chance_of_leading(right, wrong, options)


def _mean(values: Sequence[float | bool]) -> float:
    return float(sum(values) / len(values))
