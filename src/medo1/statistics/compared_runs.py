"""Arms of several runs on the questions that they share: accuracies, and differences that hold all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medo1.statistics.families import agreeing, holm, simultaneous_confidence
from medo1.statistics.paired import difference_interval, paired
from medo1.statistics.strata import weighted_interval

Answered = Mapping[str, Mapping[tuple[str, str], bool]]  # of each arm: (benchmark, question) to whether it was right
ALL = "all"


def accuracy_rows(right: Answered, confidence: float = 0.95) -> list[dict[str, Any]]:
    """Accuracy of each arm on each benchmark, and on all together where there are several, with the intervals that a
    study's own results have."""
    rows = []
    for benchmark in _benchmarks(right):
        for arm, answered in right.items():
            counted: dict[str, list[bool]] = {}
            for (name, _), value in answered.items():
                if benchmark in (ALL, name):
                    counted.setdefault(name, []).append(value)
            parts = [(sum(values), len(values)) for values in counted.values()]
            estimate = weighted_interval(parts, confidence=confidence)
            rows.append(
                {
                    "arm": arm, "benchmark": benchmark,
                    "questions": sum(asked for _, asked in parts), "correct": sum(correct for correct, _ in parts),
                    "accuracy": estimate.value, "accuracy_low": estimate.low, "accuracy_high": estimate.high,
                }
            )  # fmt: skip
    return rows


def difference_rows(right: Answered, against: Mapping[str, str], confidence: float = 0.95) -> list[dict[str, Any]]:
    """Each arm against another on the same questions; all rows are one family, corrected by Holm.

    Args:
        right: of each arm, whether it was right on each question; all of the same questions.
        against: the arm that an arm is compared with.
        confidence: of the intervals.

    Raises:
        KeyError: where two arms were not asked the same questions.
    """
    rows: list[dict[str, Any]] = []
    outcomes = []
    for benchmark in _benchmarks(right):
        for arm, baseline in against.items():
            keys = [key for key in right[arm] if benchmark in (ALL, key[0])]
            outcome = paired([right[arm][key] for key in keys], [right[baseline][key] for key in keys], confidence)
            alone = agreeing(outcome.difference, outcome.p_value, confidence)
            outcomes.append(outcome)
            rows.append(
                {
                    "arm": arm, "baseline": baseline, "benchmark": benchmark, "questions": len(keys),
                    "gained": outcome.gained, "lost": outcome.lost, "difference": outcome.difference.value,
                    "difference_low": alone.low, "difference_high": alone.high, "p_value": outcome.p_value,
                    "correlation": outcome.correlation,
                }
            )  # fmt: skip
    level = simultaneous_confidence(confidence, len(rows))
    adjusted = holm([row["p_value"] for row in rows])
    for row, outcome, p_value in zip(rows, outcomes, adjusted, strict=True):
        wide = difference_interval(outcome.gained, outcome.lost, outcome.questions, level)
        joint = agreeing(wide, p_value, confidence)
        row |= {"p_adjusted": p_value, "simultaneous_low": joint.low, "simultaneous_high": joint.high}
    return rows


def _benchmarks(right: Answered) -> list[str]:
    found = sorted({benchmark for answered in right.values() for benchmark, _ in answered})
    return [*found, ALL] if len(found) > 1 else found
