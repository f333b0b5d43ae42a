"""Rows of `stopping_rules`: every stopping rule, at several thresholds, replayed on samples that were all drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.errors import UserError
from medo1.frames import Frame, records
from medo1.pipelines.inference.answer_rows import known
from medo1.pipelines.inference.vote_tables import Poll
from medo1.statistics.fitted_prior import Drawn, fitted_prior
from medo1.statistics.fitted_stopping import calibrated, priors_of_others
from medo1.statistics.intervals import mean_interval, share_interval
from medo1.statistics.rules import StoppingRule
from medo1.statistics.stopping import Stop, stops_at
from medo1.statistics.votes import vote
from medo1.vocabulary import RULES

ALL = "all"  # the row of the arms together
PROMISES = (0.9, 0.95, 0.98, 0.99)
THRESHOLDS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


def stopping_rows(polls: Sequence[Poll], rule: StoppingRule, most: int) -> list[dict[str, Any]]:
    """Rows of `tables.STOPPING_RULES`, by benchmark, rule and threshold.

    Args:
        polls: of one arm, with all `most` samples of each question.
        rule: when to look, the prior, and one more threshold. Of the rule `fitted`, each half of the questions is
            replayed with the prior of the other half.
    """
    if most <= rule.first:
        return []
    rows = []
    priors = dict(zip([poll.question_id for poll in polls], priors_of_others(_drawn(polls)), strict=True))
    for benchmark in sorted({poll.benchmark for poll in polls}):
        own = [poll for poll in polls if poll.benchmark == benchmark]
        thresholds = sorted({*THRESHOLDS, rule.threshold})
        for name in RULES:
            stopped = [
                stops_at(
                    [sample.letter for sample in poll.samples],
                    poll.options,
                    rule.model_copy(update={"rule": name, "mixture": priors[poll.question_id]}),
                    thresholds,
                )
                for poll in own
            ]
            for threshold, ended in zip(thresholds, zip(*stopped, strict=True), strict=True):
                keys = {"arm": own[0].arm, "benchmark": benchmark, "rule": name, "threshold": threshold}
                rows.append({**keys, "most": most, **_replayed(own, ended)})
    return rows


def prior_rows(polls: Mapping[str, Sequence[Poll]]) -> list[dict[str, Any]]:
    """Rows of `tables.STOPPING_PRIOR`: the mixture that the questions of each arm show, and of all arms together.

    Args:
        polls: of each arm, with all samples of each question.
    """
    every = {**polls, ALL: _together(polls)}
    return [
        {"arm": arm, "pseudo_count": pseudo_count, "share": share, "questions": len(own)}
        for arm, own in every.items()
        if own
        for pseudo_count, share in fitted_prior(_drawn(own))
    ]


def calibration_rows(polls: Mapping[str, Sequence[Poll]], rule: StoppingRule) -> list[dict[str, Any]]:
    """Rows of `tables.STOPPING_CALIBRATION`: the threshold of the rule `fitted` that holds each promise, by arm and for
    all arms together.

    Args:
        polls: of each arm, with all samples of each question.
        rule: when to look.
    """
    rows = []
    for arm, own in {**polls, ALL: _together(polls)}.items():
        for most in sorted({len(poll.samples) for poll in own}):
            alike = _drawn([poll for poll in own if len(poll.samples) == most])
            if len(alike) < 2 or most <= rule.first:  # noqa: PLR2004
                continue
            for promise, found in zip(PROMISES, calibrated(alike, rule, PROMISES), strict=True):
                rows.append({"arm": arm, "most": most, "promised": promise, "questions": len(alike), **found._asdict()})
    return rows


def rule_of(rule: StoppingRule, arm: str, most: int, prior: Frame, calibration: Frame) -> StoppingRule:
    """The rule `fitted` as an arm's own dev questions, or those of all arms together, fit it.

    Args:
        rule: when to look, and the agreement that is promised. most: samples that would be drawn at most.
        prior, calibration: `tables.STOPPING_PRIOR`, `tables.STOPPING_CALIBRATION` of an earlier run.

    Raises:
        UserError: they hold nothing for so many samples or such a promise.
    """
    own = arm if arm in set(prior["arm"]) else ALL
    told = calibration[(calibration["arm"] == own) & (calibration["most"] == most)]
    found = [row for row in records(told) if abs(row["promised"] - (rule.agreement or 0)) < 1e-9]  # noqa: PLR2004
    learn = (
        f"Learn it first: kedro run --pipelines=inference with inference.splits [dev], samples {most} and "
        "adaptive.draw false."
    )
    if not found:
        there = ", ".join(f"{row['promised']:g} with {row['most']} samples" for row in records(
            calibration[calibration["arm"] == own]
        ))  # fmt: skip
        raise UserError(
            f"inference.adaptive.agreement is {rule.agreement:g}, and `stopping_calibration` has nothing for it and "
            f"{most} samples of {arm}; it has {there or 'no rows'}. {learn}"
        )
    [row] = found
    if known(row["threshold"]) is None:
        raise UserError(
            f"inference.adaptive.agreement {rule.agreement:g} takes at least {row['needed']} dev questions whose "
            f"samples agree often enough; `stopping_calibration` is of {row['questions']}. Promise less, or ask "
            "more dev questions."
        )
    shares = prior[prior["arm"] == own]
    mixture = tuple(zip(shares["pseudo_count"].tolist(), shares["share"].tolist(), strict=True))
    return rule.model_copy(update={"threshold": float(row["threshold"]), "mixture": mixture})


def _together(polls: Mapping[str, Sequence[Poll]]) -> list[Poll]:
    return [poll for own in polls.values() for poll in own]


def _drawn(polls: Sequence[Poll]) -> list[Drawn]:
    return [([sample.letter for sample in poll.samples], poll.options) for poll in polls]


def _replayed(polls: Sequence[Poll], ended: Sequence[Stop]) -> dict[str, Any]:
    winners = [vote(poll.samples).letter for poll in polls]
    agreed = sum(stop.leader == winner for stop, winner in zip(ended, winners, strict=True))
    accuracy = mean_interval([float(stop.leader == poll.gold) for stop, poll in zip(ended, polls, strict=True)])
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
