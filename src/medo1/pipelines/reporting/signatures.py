"""Signatures of a study that goes wrong, each with its interval: what is seen, is not, or cannot be told.

A signature is `yes` or `no` when its interval lies on one side of its border, and else cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan, sqrt
from typing import Any

from medo1.chains.filters.repetition import goes_in_circles
from medo1.frames import Frame, of_arms, records
from medo1.pipelines.reporting.answer_groups import ALL, side_by_side
from medo1.pipelines.reporting.evidence import Evidence
from medo1.pipelines.reporting.params import SIGNATURE_NAMES, SignatureName
from medo1.statistics.intervals import Interval, share_interval
from medo1.statistics.means import difference_within_strata
from medo1.statistics.paired import difference_interval

Row = dict[str, Any]
NOTABLE = 0.05  # share of answers from which loops and unfinished thoughts matter
UNFINISHED = ("cut", "cut_by_context", "forced", "empty")

SAYS: dict[SignatureName, str] = {
    "cot_below_vanilla": "Thinking step by step scores below answering at once.",
    "wrong_longer_than_right": "Wrong answers are longer than right ones to questions as difficult (value in tokens).",
    "loops": f"Answers go round in circles: more than {100 * NOTABLE:.0f} % of them.",
    "unfinished": f"Thoughts do not come to their end: more than {100 * NOTABLE:.0f} % of them.",
    "votes_fall": "The majority of all samples scores below one sample.",
    "gain_vanishes": "What training gains on benchmarks that it was trained on is gone on others.",
}


def signature_rows(evidence: Evidence, generations: Frame) -> list[Row]:
    """Rows of `SIGNATURES`.

    Args:
        evidence: what was measured. generations: of all arms, for their texts.
    """
    finders: dict[SignatureName, Callable[[], Iterator[Row]]] = {
        "cot_below_vanilla": lambda: _cot_below(evidence),
        "wrong_longer_than_right": lambda: _wrong_longer(evidence),
        "loops": lambda: _loops(evidence, generations),
        "unfinished": lambda: _unfinished(evidence),
        "votes_fall": lambda: _votes_fall(evidence),
        "gain_vanishes": lambda: _gain_vanishes(evidence),
    }
    return [
        {"signature": name, "says": SAYS[name], **row, "built_in": name in evidence.params.built_in}
        for name in SIGNATURE_NAMES
        for row in finders[name]()
    ]


def _finding(arm: str, benchmark: str, found: Interval, n: int, seen: str) -> Row:
    numbers = {"value": found.value, "low": found.low, "high": found.high, "n": n}
    return {"arm": arm, "benchmark": benchmark, **numbers, "seen": seen}


def _beyond(found: Interval, border: float = 0.0) -> str:
    """Whether the value lies above the border."""
    if found.low > border:
        return "yes"
    return "no" if found.high < border else "cannot be told"


def _below(found: Interval) -> str:
    return _beyond(Interval(-found.value, -found.high, -found.low))


def _cot_below(evidence: Evidence) -> Iterator[Row]:
    arm = evidence.roles.get("vanilla_cot")
    for benchmark in [*sorted(evidence.benchmarks), *([ALL] if evidence.overall == ALL else [])]:
        row = evidence.comparison(arm, benchmark) if arm else None
        if arm and row:
            found = Interval(row["difference"], row["difference_low"], row["difference_high"])
            seen = "cannot be told" if row["p_value"] > 1 - evidence.params.confidence else _sign(found)
            yield _finding(arm, benchmark, found, int(row["questions"]), seen)


def _sign(found: Interval) -> str:
    return "yes" if found.value < 0 else "no"


def _wrong_longer(evidence: Evidence) -> Iterator[Row]:
    for benchmark, arm, _ in evidence.of_each():
        # Hard questions draw long answers and wrong ones, so that only questions of one difficulty are compared.
        lengths = evidence.lengths(arm, benchmark)
        wrong = (~lengths["correct"].astype(bool)).tolist()
        if 1 < sum(wrong) < len(wrong) - 1:
            found = difference_within_strata(
                lengths["completion_tokens"].astype(float).tolist(),
                wrong,
                [(row["benchmark"], str(row["difficulty"])) for row in records(lengths)],
                evidence.params.confidence,
            )
            yield _finding(arm, benchmark, found, len(lengths), _beyond(found))


def _loops(evidence: Evidence, generations: Frame) -> Iterator[Row]:
    for table in of_arms(generations).values():
        greedy = table[table["draw"] == "greedy"]
        for (benchmark, arm), group in greedy.groupby(["benchmark", "arm"], sort=True):
            looped = sum(goes_in_circles(text) for text in group["text"])
            found = share_interval(looped, len(group), evidence.params.confidence)
            yield _finding(str(arm), str(benchmark), found, len(group), _beyond(found, NOTABLE))


def _unfinished(evidence: Evidence) -> Iterator[Row]:
    for benchmark, arm, group in evidence.of_each():
        found = share_interval(int(group["outcome"].isin(UNFINISHED).sum()), len(group), evidence.params.confidence)
        yield _finding(arm, benchmark, found, len(group), _beyond(found, NOTABLE))


def _votes_fall(evidence: Evidence) -> Iterator[Row]:
    for arm in evidence.arms:
        gain = evidence.vote_gain(arm)
        if gain is not None:
            yield _finding(arm, evidence.overall, gain[0], gain[2], _below(gain[0]))


def _gain_vanishes(evidence: Evidence) -> Iterator[Row]:
    """The gain on benchmarks with training questions minus that on others; seen where it is positive and the gain on
    others is not told from zero."""
    inside = evidence.greedy["benchmark"].isin(evidence.trained_on)
    if inside.all() or not inside.any():
        return
    base = evidence.greedy["arm"] == evidence.params.baseline
    for arm, spec in evidence.arms.items():
        if not spec.get("adapter"):
            continue
        mine = evidence.greedy["arm"] == arm
        gains = [
            _gain(side_by_side(evidence.greedy[mine & where], evidence.greedy[base & where]), evidence)
            for where in (inside, ~inside)
        ]
        (here, here_n), (away, away_n) = gains
        if isnan(here.value) or isnan(away.value):
            continue
        value = here.value - away.value
        # The two sets of questions are independent: variances recovered from the intervals' bounds add up.
        low = value - sqrt((here.value - here.low) ** 2 + (away.high - away.value) ** 2)
        high = value + sqrt((here.high - here.value) ** 2 + (away.value - away.low) ** 2)
        seen = "yes" if low > 0 and away.low <= 0 else "no" if away.low > 0 else "cannot be told"
        yield _finding(arm, evidence.overall, Interval(value, low, high), here_n + away_n, seen)


def _gain(both: Frame, evidence: Evidence) -> tuple[Interval, int]:
    if both.empty:
        return Interval(float("nan"), float("nan"), float("nan")), 0
    gained = int((both["correct"] & ~both["correct_base"]).sum())
    lost = int((both["correct_base"] & ~both["correct"]).sum())
    return difference_interval(gained, lost, len(both), evidence.params.confidence), len(both)
