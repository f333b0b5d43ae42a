"""The same questions plain and probed, paired, in numbers and in a sentence.

Of a probe with several versions (orders, wordings) a question counts with its mean over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.probes.specs import Probe
from medo1.statistics.intervals import share_interval
from medo1.statistics.paired_means import paired_means

ALL = "all"


@dataclass(frozen=True, slots=True)
class ProbedPair:
    """A question, answered plainly and under a probe.

    Attributes:
        plain: whether the plain answer was right. probed: the share of versions that were.
        same: the share of versions that chose the same option as the plain answer; None where neither chose one.
        took: the share that chose the planted wrong option; None where none was planted.
        options: how many there are.
    """

    plain: bool
    probed: float
    same: float | None
    took: float | None
    options: int


def pairs_of(plain: Mapping[str, Mapping[str, Any]], probed: Sequence[Mapping[str, Any]]) -> list[ProbedPair]:
    """A pair for each question that was answered both ways; failed calls are left out.

    Args:
        plain: rows of `tables.ANSWERS` by question id. probed: rows of `tables.PROBE_ANSWERS`, of one probe.
    """
    versions: dict[str, list[Mapping[str, Any]]] = {}
    for row in probed:
        if row["status"] != "error":
            versions.setdefault(row["question_id"], []).append(row)
    found = []
    for question, rows in versions.items():
        own = plain.get(question)
        if own is None or own["status"] == "error":
            continue
        told = [row["original"] for row in rows]
        planted = [row["letter"] == row["planted"] for row in rows if isinstance(row["planted"], str)]
        letter = own["letter"] if isinstance(own["letter"], str) else None
        found.append(
            ProbedPair(
                plain=bool(own["correct"]),
                probed=sum(bool(row["correct"]) for row in rows) / len(rows),
                same=None if letter is None and not any(told) else sum(one == letter for one in told) / len(told),
                took=sum(planted) / len(planted) if planted else None,
                options=int(own["options"]),
            )
        )
    return found


def probe_rows(
    arm: str, plain: Sequence[Mapping[str, Any]], probed: Sequence[Mapping[str, Any]], confidence: float = 0.95
) -> list[dict[str, Any]]:
    """Rows of `tables.PROBES`: an arm's probes by benchmark, and over all where there are several.

    Args:
        arm: its name. plain: its greedy rows of `tables.ANSWERS`. probed: its rows of `tables.PROBE_ANSWERS`.
        confidence: of the intervals.
    """
    benchmarks = list(dict.fromkeys(row["benchmark"] for row in probed))
    probes: list[Probe] = list(dict.fromkeys(row["probe"] for row in probed))
    rows = []
    for probe in probes:
        of_benchmark = {
            benchmark: pairs_of(
                {row["question_id"]: row for row in plain if row["benchmark"] == benchmark},
                [row for row in probed if row["benchmark"] == benchmark and row["probe"] == probe],
            )
            for benchmark in benchmarks
        }
        if len(of_benchmark) > 1:
            of_benchmark[ALL] = [pair for pairs in of_benchmark.values() for pair in pairs]
        rows += [
            {"arm": arm, "benchmark": benchmark, "probe": probe, **_measured(probe, pairs, confidence)}
            for benchmark, pairs in of_benchmark.items()
            if pairs
        ]
    return rows


def _measured(probe: Probe, pairs: Sequence[ProbedPair], confidence: float) -> dict[str, Any]:
    outcome = paired_means([pair.probed for pair in pairs], [float(pair.plain) for pair in pairs], confidence)
    size = len(pairs)
    same = [pair.same for pair in pairs if pair.same is not None]
    took = [pair.took for pair in pairs if pair.took is not None]
    numbers = {
        "n": size,
        "plain": sum(pair.plain for pair in pairs) / size,
        "probed": sum(pair.probed for pair in pairs) / size,
        "difference": outcome.difference.value,
        "low": outcome.difference.low,
        "high": outcome.difference.high,
        "p_value": outcome.p_value,
        "kept": sum(same) / len(same) if same and probe != "none_of_the_others" else None,
        "took_planted": sum(took) / len(took) if took else None,
        "chance": sum(1 / pair.options for pair in pairs) / size,
    }
    return {**numbers, "says": _sentence(probe, pairs, numbers, confidence)}


def _sentence(probe: Probe, pairs: Sequence[ProbedPair], numbers: Mapping[str, Any], confidence: float) -> str:
    """What the numbers say, and what they cannot say."""
    size, chance, points = len(pairs), numbers["chance"], 100 * numbers["difference"]
    low, high = numbers["low"], numbers["high"]
    if probe == "options_only":
        interval = share_interval(round(numbers["probed"] * size), size, confidence)
        if interval.low > chance:
            return f"The options alone give {numbers['probed']:.0%}, where guessing gives {chance:.0%}: they leak."
        return f"Without the stem nothing is left that is surely above guessing ({chance:.0%})."
    if share_interval(sum(pair.plain for pair in pairs), size, confidence).low <= chance:
        return "The plain accuracy cannot be told from guessing: the probe says nothing."
    moved = (
        f"falls by {-points:.1f} points"
        if high < 0
        else f"rises by {points:.1f} points"
        if low > 0
        else f"does not surely change ({100 * low:+.1f} to {100 * high:+.1f} points)"
    )
    what = {
        "none_of_the_others": "with the right option replaced by `None of the other answers`",
        "shuffled_options": "in other orders of the options",
        "wrong_start": "after a wrong start",
        "reworded": "in other wordings",
        "changed_step": "when one step of the thought is changed",
    }[probe]
    tails = []
    if numbers["kept"] is not None:
        tails.append(f"{numbers['kept']:.0%} of the answers keep their option")
    if numbers["took_planted"] is not None:
        tails.append(f"{numbers['took_planted']:.0%} take the planted one")
    return f"Accuracy {moved} {what}{'; ' if tails else ''}{', '.join(tails)}."
