"""What a study's cells come to: its comparisons, trends and best arms, each with the verdict on what was predicted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from medo1.studies.cell_results import CellResult
from medo1.studies.declaration import ALL, Comparison, Declaration, Range, Side

if TYPE_CHECKING:
    from medo1.statistics.repeated_differences import RepeatedDifference, SpreadPrior

Row = dict[str, Any]
HOLDS, FAILS, CANNOT_TELL, NOT_MEASURED = "holds", "does not hold", "cannot be told", "not measured"
Levels = Mapping[str, str]
Answers = dict[tuple[str, str, int], int]  # (SHA-256 of a benchmark's questions, benchmark, place) to 1 or 0


def accuracy_rows(study: Declaration, cells: Iterable[CellResult]) -> list[Row]:
    """Of every cell and arm: its accuracy on all questions, on each stratum and on each benchmark."""
    rows = []
    for cell in cells:
        for arm, answered in cell.arms.items():
            for on in (ALL, *study.strata, *cell.questions):
                right = _answers(study, cell, arm, on)
                if right:
                    rows.append({
                        **{factor: cell.levels[factor] for factor in study.grid}, "arm": arm, "on": on,
                        "questions": len(right), "accuracy": sum(right.values()) / len(right),
                        "tokens": _mean_tokens(cell, answered) if on == ALL else None,
                        "unread": sum(one["unread"] for one in answered.values()) if on == ALL else None,
                        "run": cell.run["id"],
                    })  # fmt: skip
    return rows


def ability_rows(study: Declaration, cells: Iterable[CellResult]) -> list[Row]:
    """What each cell's base model can do, where it was trained in the run."""
    return [
        {
            **{factor: cell.levels[factor] for factor in study.grid},
            "weights": cell.weights,
            "ability": kind,
            "share": share,
        }
        for cell in cells
        for kind, share in cell.abilities.items()
    ]


def comparison_rows(study: Declaration, cells: Sequence[CellResult]) -> list[Row]:
    """Every declared comparison at every level that it is made for; p-values are corrected over all of them."""
    from medo1.statistics.families import holm, simultaneous_confidence
    from medo1.statistics.repeated_differences import spread_prior

    found = [
        (name, one, at, blocks)
        for name, one in study.comparisons.items()
        for at in _levels_of(study, one.by)
        if (blocks := _blocks(study, cells, one, at)) is not None
    ]
    asked = [(name, one, at, blocks) for name, one, at, blocks in found if blocks]
    family = sum(one.predicted is not None for _, one, _, _ in found)
    together = simultaneous_confidence(study.confidence, family)
    spreads = [(tried.spread, len(blocks)) for *_, blocks in asked if (tried := _difference(blocks)).spread is not None]
    prior = spread_prior([(spread, count) for spread, count in spreads if spread is not None])
    rows: list[Row] = []
    for name, one, at, blocks in asked:
        alone = _difference(blocks, study.confidence, prior)
        joint = _difference(blocks, together if one.predicted is not None else study.confidence, prior)
        rows.append({
            "comparison": name, "says": one.says, "at": _told(at), "levels": dict(at), "of": _sides(one)[0],
            "against": _sides(one)[1], "on": one.questions, "difference": alone.interval.value,
            "low": alone.interval.low, "high": alone.interval.high, "joint_low": joint.interval.low,
            "joint_high": joint.interval.high, "p_value": alone.p_value, "repetitions": len(blocks),
            "spread": alone.spread, "each": list(alone.of_repetition), "questions": alone.questions,
            "predicted": None if one.predicted is None else _range_text(one.predicted),
            "verdict": None if one.predicted is None
            else _decided(
                study,
                len(blocks) if prior is None else math.inf,  # the family knows how much seeds differ
                _verdict(one.predicted, joint.interval.low, joint.interval.high),
            ),
        })  # fmt: skip
    tested = [row for row in rows if row["predicted"] is not None]
    for row, adjusted in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_adjusted"] = adjusted
    missing = [(name, one, at) for name, one, at, blocks in found if not blocks]
    return [*({"p_adjusted": None, **row} for row in rows), *(_missing_row(*one) for one in missing)]


def trend_rows(study: Declaration, cells: Sequence[CellResult]) -> list[Row]:
    """Every declared interaction."""
    from medo1.statistics.interactions import PairedCounts, interaction

    rows = []
    for name, one in study.trends.items():
        counts = []
        repetitions = set()
        for cell in cells:
            of, against = (_answers(study, cell, arm, one.questions) for arm in (one.of, one.against))
            if of and against:
                scale = study.scale[one.over][cell.levels[one.over]]
                counts.append(PairedCounts(scale, sum(of.values()), sum(against.values()), len(of)))
                repetitions.add(tuple(cell.levels[factor] for factor in study.repetitions))
        row: Row = {"trend": name, "says": one.says, "of": one.of, "against": one.against, "on": one.questions,
                    "over": study.axis.get(one.over, one.over), "runs": len(counts),
                    "predicted": one.predicted}  # fmt: skip
        if len(counts) < 3 or len({count.scale for count in counts}) < 2:  # noqa: PLR2004
            rows.append({**row, "slope": None, "low": None, "high": None, "p_value": None, "crossing": None,
                         "crossing_low": None, "crossing_high": None, "crosses": None,
                         "verdict": NOT_MEASURED if one.predicted else None})  # fmt: skip
            continue
        found = interaction(counts, study.confidence)
        bounds = Range(low=0.0) if one.predicted == "rises" else Range(high=0.0)
        crossing = found.crossing
        rows.append({
            **row, "slope": found.slope.value, "low": found.slope.low, "high": found.slope.high,
            "p_value": found.p_value, "crossing": crossing and crossing.value,
            "crossing_low": crossing and crossing.low, "crossing_high": crossing and crossing.high,
            "crosses": found.crosses,
            "verdict": _decided(study, len(repetitions), _verdict(bounds, found.slope.low, found.slope.high))
            if one.predicted else None,
        })  # fmt: skip
    return rows


def best_rows(study: Declaration, cells: Sequence[CellResult]) -> list[Row]:
    """Where the best of several arms stands at each level, and how often over resampled runs and questions."""
    rows: list[Row] = []
    for name, one in study.best.items():
        levels = sorted(study.grid[one.by], key=lambda level: study.scale[one.by][level])
        places: list[list[float]] = []
        for level in levels:
            of_level = [cell for cell in cells if cell.levels[one.by] == level]
            answered = [[_answers(study, cell, arm, one.questions) for arm in one.arms] for cell in of_level]
            answered = [arms for arms in answered if all(arms)]
            if not answered:
                continue
            draws = _best_of_draws(answered, list(one.arms.values()), seed=len(places))
            means = [
                sum(sum(arms[place].values()) / len(arms[place]) for arms in answered) / len(answered)
                for place in range(len(one.arms))
            ]
            best = max(range(len(means)), key=lambda place: means[place])
            names = list(one.arms)
            rows.append({
                "best": name, "says": one.says, "on": one.questions, "axis": one.axis, "level": level,
                "scale": study.scale[one.by][level], "arm": names[best], "place": one.arms[names[best]],
                "low": min(_central(draws, study.confidence)), "high": max(_central(draws, study.confidence)),
                "share": sum(draw == one.arms[names[best]] for draw in draws) / len(draws),
                "accuracies": dict(zip(names, means, strict=True)), "repetitions": len(answered),
                "predicted": one.predicted, "verdict": None, "least_level": None,
            })  # fmt: skip
            places.append(draws)
        if one.predicted and len(places) > 1:
            # The best arm's place at the greatest level less that at the least one, over the same number of draws.
            moved = [last - first for first, last in zip(places[0], places[-1], strict=True)]
            ends = _central(moved, study.confidence)
            sign = 1 if one.predicted == "rises" else -1
            low, high = min(ends), max(ends)
            told = HOLDS if sign * (low if sign > 0 else high) > 0 else FAILS if low == high == 0 else CANNOT_TELL
            if sign * (high if sign > 0 else low) < 0:
                told = FAILS
            first = rows[-len(places)]
            least = {key: first[key] for key in ("level", "place", "low", "high")}
            once = min(first["repetitions"], rows[-1]["repetitions"])
            rows[-1] |= {"verdict": _decided(study, once, told), "least_level": least}
    return rows


def followed_rows(study: Declaration, cells: Sequence[CellResult]) -> list[Row]:
    """How often answers follow a changed step: of each arm, over all its cells."""
    from medo1.statistics.intervals import repeated_share

    rows = []
    for name, one in study.followed.items():
        of_arm = [cell.faithfulness[one.arm] for cell in cells if one.arm in cell.faithfulness]
        counted = [[part for benchmark, part in found.items() if benchmark != ALL] for found in of_arm]
        asked = [
            (sum(part["n"] * part["follows"] for part in parts), sum(part["n"] for part in parts)) for parts in counted
        ]
        asked = [(count, number) for count, number in asked if number]
        row: Row = {"followed": name, "says": one.says, "arm": one.arm, "repetitions": len(asked),
                    "questions": int(sum(number for _, number in asked)),
                    "predicted": None if one.predicted is None else _share_range_text(one.predicted)}  # fmt: skip
        if not asked:
            unknown = dict.fromkeys(("share", "low", "high", "stays", "neither"))
            rows.append({**row, **unknown, "verdict": NOT_MEASURED if one.predicted else None})
            continue
        share = repeated_share(asked, study.confidence)
        others = {
            kind: sum(part["n"] * part[kind] for parts in counted for part in parts) / row["questions"]
            for kind in ("stays", "neither")
        }
        rows.append({
            **row, "share": share.value, "low": share.low, "high": share.high, **others,
            "verdict": None if one.predicted is None
            else _decided(study, len(asked), _verdict(one.predicted, share.low, share.high)),
        })  # fmt: skip
    return rows


def _share_range_text(predicted: Range) -> str:
    low, high = predicted.low, predicted.high
    if low is not None and high is not None:
        return f"{low:.0%} to {high:.0%}"
    return f"above {low:.0%}" if high is None else f"below {high:.0%}"


def _blocks(
    study: Declaration, cells: Sequence[CellResult], one: Comparison, at: Levels
) -> dict[tuple[str, ...], dict[tuple[str, str, int], float]] | None:
    """Repetition to question to the difference of the two sides; None where the grid leaves such cells out."""
    sides = [{**at, **side.at} for side in (one.of, one.against)]
    if any(
        all(side.get(factor) == level for factor, level in left.items()) for left in study.without for side in sides
    ):
        return None
    found: dict[tuple[str, ...], dict[tuple[str, str, int], float]] = {}
    for repetition in _levels_of(study, study.repetitions):
        chosen = [_cell_at(cells, {**repetition, **side}) for side in sides]
        if chosen[0] is None or chosen[1] is None:
            continue
        of, against = (
            _answers(study, cell, side.arm, one.questions)
            for cell, side in zip(chosen, (one.of, one.against), strict=True)
            if cell is not None
        )
        shared = of.keys() & against.keys()
        if shared:
            found[tuple(repetition.values())] = {key: float(of[key] - against[key]) for key in sorted(shared)}
    return found


def _difference(
    blocks: Mapping[Any, Mapping[Any, float]], confidence: float = 0.95, prior: SpreadPrior | None = None
) -> RepeatedDifference:
    from medo1.statistics.repeated_differences import repeated_difference

    return repeated_difference(blocks, confidence, prior)


def _answers(study: Declaration, cell: CellResult, arm: str, on: str) -> Answers:
    """Whether an arm was right, by question; empty where it was not asked."""
    found = {}
    for benchmark, answered in cell.arms.get(arm, {}).items():
        if on not in (ALL, benchmark) and on not in study.strata:
            continue
        asked = cell.questions[benchmark]
        for place, (right, difficulty) in enumerate(zip(answered["right"], asked["difficulty"], strict=True)):
            if on in study.strata and (difficulty == "." or int(difficulty) not in study.strata[on]):
                continue
            found[(asked["ids"], benchmark, place)] = int(right)
    return found


def _cell_at(cells: Sequence[CellResult], levels: Levels) -> CellResult | None:
    return next((cell for cell in cells if all(cell.levels.get(f) == level for f, level in levels.items())), None)


def _levels_of(study: Declaration, factors: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every combination of the levels of some factors; one empty one of none."""
    if not factors:
        yield {}
        return
    for level in study.grid[factors[0]]:
        for rest in _levels_of(study, factors[1:]):
            yield {factors[0]: level, **rest}


def _mean_tokens(cell: CellResult, answered: Mapping[str, Mapping[str, Any]]) -> float:
    counts = {benchmark: len(one["right"]) for benchmark, one in answered.items()}
    return sum(answered[one]["tokens"] * count for one, count in counts.items()) / sum(counts.values())


def _verdict(predicted: Range, low: float, high: float) -> str:
    """Whether the whole interval lies where it was predicted, or none of it does.

    A bound of zero belongs to no side: "above 0" is not borne out by an interval that begins at 0.
    """
    least = -2.0 if predicted.low is None else predicted.low
    most = 2.0 if predicted.high is None else predicted.high
    if (low > least or (predicted.low is None)) and (high < most or (predicted.high is None)):
        return HOLDS
    if high < least or low > most or (least == 0 and high <= 0) or (most == 0 and low >= 0):
        return FAILS
    return CANNOT_TELL


def _decided(study: Declaration, repetitions: float, verdict: str) -> str:
    """The verdict; none of the first of several repetitions, when nothing is known yet of how much they differ."""
    several = math.prod(len(study.grid[factor]) for factor in study.repetitions) > 1
    return CANNOT_TELL if several and repetitions == 1 else verdict


def _range_text(predicted: Range) -> str:
    """A predicted range, in points."""
    low, high = (
        None if one is None else (f"{100 * one:+g}" if one else "0") for one in (predicted.low, predicted.high)
    )
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"above {low}" if high is None else f"below {high}"


def _told(levels: Levels) -> str:
    return ", ".join(f"{factor} {level}" for factor, level in levels.items())


def _sides(one: Comparison) -> tuple[str, str]:
    """What is compared, in words: the levels in which the sides differ, or all of them where they differ in none."""
    differing = {factor for factor in one.of.at | one.against.at if one.of.at.get(factor) != one.against.at.get(factor)}
    return tuple(_side(side, differing or set(side.at)) for side in (one.of, one.against))  # type: ignore[return-value]


def _side(side: Side, factors: set[str]) -> str:
    levels = {factor: level for factor, level in side.at.items() if factor in factors}
    return f"{side.arm} ({_told(levels)})" if levels else side.arm


def _missing_row(name: str, one: Comparison, at: Levels) -> Row:
    unknown = ("difference", "low", "high", "joint_low", "joint_high", "p_value", "p_adjusted", "spread")
    return {
        "comparison": name, "says": one.says, "at": _told(at), "levels": dict(at), "of": _sides(one)[0],
        "against": _sides(one)[1], "on": one.questions, "repetitions": 0, "questions": 0, "each": [],
        **dict.fromkeys(unknown), "predicted": None if one.predicted is None else _range_text(one.predicted),
        "verdict": None if one.predicted is None else NOT_MEASURED,
    }  # fmt: skip


def _best_of_draws(
    answered: Sequence[Sequence[Answers]], places: Sequence[float], *, seed: int, draws: int = 400
) -> list[float]:
    """The best arm's place in bootstrap draws of runs and of questions; of arms that are equal any."""
    import numpy as np

    rng = np.random.default_rng(seed)
    keys = sorted(set().union(*(arms[0] for arms in answered)))
    index = {key: place for place, key in enumerate(keys)}
    right = np.zeros((len(answered), len(places), len(keys)))
    asked = np.zeros((len(answered), len(keys)))
    for run, arms in enumerate(answered):
        for arm, found in enumerate(arms):
            for key, one in found.items():
                right[run, arm, index[key]] = one
                asked[run, index[key]] = 1
    best = []
    for _ in range(draws):
        runs = rng.multinomial(len(answered), [1 / len(answered)] * len(answered))
        weights = rng.multinomial(len(keys), [1 / len(keys)] * len(keys))
        shares = np.einsum("r,rak,k->a", runs, right, weights) / np.einsum("r,rk,k->", runs, asked, weights)
        best.append(places[int(rng.choice(np.flatnonzero(shares > shares.max() - 1e-12)))])
    return best


def _central(draws: Sequence[float], confidence: float) -> tuple[float, float]:
    """The draws at both ends of the central share of them: values that occurred."""
    ordered = sorted(draws)
    outside = int(len(ordered) * (1 - confidence) / 2)
    return ordered[outside], ordered[len(ordered) - 1 - outside]
