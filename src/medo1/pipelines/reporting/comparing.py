"""Rows of results and comparisons: each arm, each against the baseline, every two of them, and who is no worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from medo1.errors import UserError
from medo1.frames import Frame
from medo1.nearest import did_you_mean
from medo1.pipelines.reporting.answer_groups import ALL, groups, mean_of, side_by_side
from medo1.pipelines.reporting.letters import baseline_rows
from medo1.pipelines.reporting.params import FamilyParams, ReportingParams
from medo1.statistics.families import agreeing, holm, simultaneous_confidence
from medo1.statistics.groups import letter_groups
from medo1.statistics.intervals import Interval, share_interval
from medo1.statistics.paired import Paired, difference_interval, p_of_inferiority, paired
from medo1.statistics.power import smallest_detectable
from medo1.statistics.strata import weighted_interval

Row = dict[str, Any]


def result_rows(greedy: Frame, params: ReportingParams) -> list[Row]:
    """Rows of `tables.RESULTS`."""
    rows = []
    for benchmark, arm, group in groups(greedy):
        estimate = _accuracy(group, params) if benchmark == ALL else _share(group, params)
        status = group["status"]
        rows.append(
            {
                "arm": arm,
                "benchmark": benchmark,
                "questions": len(group),
                "answered": int((status == "answer").sum()),
                "unread": int((status != "answer").sum()),
                "truncated": int((status == "truncated").sum()),
                "correct": int(group["correct"].sum()),
                "accuracy": estimate.value,
                "accuracy_low": estimate.low,
                "accuracy_high": estimate.high,
                "mean_tokens": mean_of(group["completion_tokens"]),
            }
        )
    return rows


def _share(group: Frame, params: ReportingParams) -> Interval:
    return share_interval(int(group["correct"].sum()), len(group), params.confidence)


def _accuracy(group: Frame, params: ReportingParams) -> Interval:
    """The mean over benchmarks, weighted by their sizes as declared, else by the questions asked."""
    parts = {str(name): part for name, part in group.groupby("benchmark", sort=True)}
    counts = [(int(part["correct"].sum()), len(part)) for part in parts.values()]
    return weighted_interval(counts, sizes_of(parts, params.weights), params.confidence)


def sizes_of(parts: Mapping[str, Sequence[Any] | Frame], weights: Mapping[str, float]) -> list[float] | None:
    """The declared size of each benchmark; None where none is declared.

    Raises:
        UserError: where some are and others are not.
    """
    if not weights:
        return None
    missing = [name for name in parts if name not in weights]
    if missing:
        raise UserError(
            f"reporting.weights names {', '.join(weights)} and not {', '.join(missing)}: give the size of each "
            "benchmark that is asked, or of none."
        )
    return [weights[name] for name in parts]


def comparison_rows(greedy: Frame, params: ReportingParams) -> list[Row]:
    """Rows of `tables.COMPARISONS`, corrected within the declared family and within the rest.

    Raises:
        UserError: for a baseline or a family that names no arm of the study.
    """
    arms = list(dict.fromkeys(greedy["arm"]))
    unknown = [name for name in (params.baseline, *(params.family.arms or ())) if name not in arms]
    if unknown:
        key = "baseline" if unknown[0] == params.baseline else "family.arms"
        meant = did_you_mean(unknown[0], arms)
        raise UserError(f"reporting.{key} is {unknown[0]!r}, which is no arm of this study. {meant}")
    muted = {(row["arm"], row["benchmark"]): row for row in baseline_rows(greedy)}
    rows: list[Row] = []
    outcomes: list[tuple[Paired, Frame]] = []
    for benchmark, arm, group in groups(greedy):
        if arm == params.baseline:
            continue
        base = greedy if benchmark == ALL else greedy[greedy["benchmark"] == benchmark]
        both = side_by_side(group, base[base["arm"] == params.baseline])
        if both.empty:
            continue
        outcome = paired(both["correct"].tolist(), both["correct_base"].tolist(), params.confidence)
        better = arm if outcome.difference.value > 0 else params.baseline
        outcomes.append((outcome, both))
        alone = agreeing(outcome.difference, outcome.p_value, params.confidence)
        rows.append(
            {
                "arm": arm,
                "baseline": params.baseline,
                "benchmark": benchmark,
                "questions": len(both),
                "gained": outcome.gained,
                "lost": outcome.lost,
                "difference": outcome.difference.value,
                "difference_low": alone.low,
                "difference_high": alone.high,
                "p_value": outcome.p_value,
                "correlation": outcome.correlation,
                "family": "declared" if _declared(params.family, arm, benchmark) else "other",
                "muted": bool(muted.get((better, benchmark), {}).get("muted", False)),
                "why": muted.get((better, benchmark), {}).get("why", ""),
            }
        )
    for family in ("declared", "other"):
        places = [place for place, row in enumerate(rows) if row["family"] == family]
        level = simultaneous_confidence(params.confidence, len(places))
        adjusted = holm([rows[place]["p_value"] for place in places])
        for place, p_value in zip(places, adjusted, strict=True):
            rows[place] |= _corrected(outcomes[place][0], p_value, level, params)
    return rows


def _declared(family: FamilyParams, arm: str, benchmark: str) -> bool:
    return (family.arms is None or arm in family.arms) and (family.benchmarks is None or benchmark in family.benchmarks)


def _corrected(outcome: Paired, p_value: float, level: float, params: ReportingParams) -> Row:
    wide = difference_interval(outcome.gained, outcome.lost, outcome.questions, level)
    joint = agreeing(wide, p_value, params.confidence)
    # Arms that never differ in these questions may in others: one more discordant question is thought of.
    discordant = min(1.0, (outcome.gained + outcome.lost + 1) / (outcome.questions + 1))
    return {
        "p_adjusted": p_value,
        "simultaneous_low": joint.low,
        "simultaneous_high": joint.high,
        "smallest_detectable": smallest_detectable(discordant, outcome.questions, 1 - level, params.power),
    }


def pair_rows(greedy: Frame, params: ReportingParams) -> tuple[list[Row], list[Row]]:
    """Rows of `ARM_PAIRS` and `ARM_GROUPS`: every two arms on each benchmark, and who cannot be told apart."""
    pairs: list[Row] = []
    lettered: list[Row] = []
    for benchmark in dict.fromkeys(benchmark for benchmark, _, _ in groups(greedy)):
        tables = {arm: group for name, arm, group in groups(greedy) if name == benchmark}
        mine = []
        for first, second in combinations(tables, 2):
            both = side_by_side(tables[first], tables[second])
            if len(both):
                outcome = paired(both["correct"].tolist(), both["correct_base"].tolist(), params.confidence)
                mine.append((first, second, outcome))
        level = simultaneous_confidence(params.confidence, len(mine))
        adjusted = holm([outcome.p_value for _, _, outcome in mine])
        apart = []
        for (first, second, outcome), p_value in zip(mine, adjusted, strict=True):
            wide = difference_interval(outcome.gained, outcome.lost, outcome.questions, level)
            joint = agreeing(wide, p_value, params.confidence)
            pairs.append(
                {
                    "first": first,
                    "second": second,
                    "benchmark": benchmark,
                    "questions": outcome.questions,
                    "difference": outcome.difference.value,
                    "low": joint.low,
                    "high": joint.high,
                    "correlation": outcome.correlation,
                    "p_value": outcome.p_value,
                    "p_adjusted": p_value,
                }
            )
            if p_value <= 1 - params.confidence:
                apart.append((first, second))
        best = sorted(tables, key=lambda arm: -float(tables[arm]["correct"].mean()))
        letters = letter_groups(best, apart)
        lettered += [{"arm": arm, "benchmark": benchmark, "group": letters[arm]} for arm in tables]
    return pairs, lettered


def no_worse_rows(greedy: Frame, adaptive: Frame, params: ReportingParams) -> list[Row]:
    """Rows of `NON_INFERIORITY`: arms against the baseline, and votes that stop early against votes of all samples."""
    rows = []
    for benchmark, arm, group in groups(greedy):
        base = greedy if benchmark == ALL else greedy[greedy["benchmark"] == benchmark]
        both = side_by_side(group, base[base["arm"] == params.baseline])
        if arm != params.baseline and len(both):
            keys = {"what": "arm", "arm": arm, "against": params.baseline, "benchmark": benchmark}
            rows.append(keys | _no_worse(both["correct"].tolist(), both["correct_base"].tolist(), params))
    drawn = adaptive.dropna(subset=["correct_of_all"])
    for benchmark, arm, group in groups(drawn) if len(drawn) else []:
        keys = {"what": "adaptive", "arm": arm, "against": "vote of all samples", "benchmark": benchmark}
        rows.append(keys | _no_worse(group["correct"].tolist(), group["correct_of_all"].tolist(), params))
    return rows


def _no_worse(first: Iterable[bool], second: Iterable[bool], params: ReportingParams) -> Row:
    outcome = paired([bool(one) for one in first], [bool(one) for one in second], params.confidence)
    p_value = p_of_inferiority(outcome.gained, outcome.lost, outcome.questions, params.margin)
    return {
        "questions": outcome.questions,
        "difference": outcome.difference.value,
        "low": outcome.difference.low,
        "high": outcome.difference.high,
        "margin": params.margin,
        "p_value": p_value,
        "no_worse": p_value <= (1 - params.confidence) / 2,
    }


def difficulty_rows(greedy: Frame) -> list[Row]:
    """Rows of `tables.BY_DIFFICULTY`."""
    graded = greedy.dropna(subset=["difficulty"])
    return [
        {
            "arm": arm,
            "benchmark": benchmark,
            "difficulty": int(str(difficulty)),
            "questions": len(group),
            "accuracy": float(group["correct"].mean()),
            "mean_tokens": mean_of(group["completion_tokens"]),
        }
        for (arm, benchmark, difficulty), group in graded.groupby(["arm", "benchmark", "difficulty"], sort=False)
    ]


def cluster_rows(greedy: Frame, questions: Frame, confidence: float) -> list[Row]:
    """Rows of `tables.CLUSTERED_RESULTS`."""
    from medo1.statistics.clusters import clustered_interval

    known = questions.drop_duplicates(["question_id", "benchmark"])[["question_id", "benchmark", "cluster", "flags"]]
    greedy = greedy.merge(known, on=["question_id", "benchmark"], how="left")
    greedy["cluster"] = greedy["cluster"].where(greedy["cluster"].fillna("") != "", greedy["question_id"])
    doubtful = greedy["flags"].fillna("").str.contains("doubtful")
    rows = []
    for subset, table in (("all", greedy), ("clean", greedy[~doubtful])):
        if subset == "clean" and not doubtful.any():
            continue
        for benchmark, arm, group in groups(table):
            right = [bool(one) for one in group["correct"]]
            estimate = clustered_interval(right, group["cluster"].tolist(), confidence)
            rows.append(
                {
                    "arm": arm,
                    "benchmark": benchmark,
                    "subset": subset,
                    "questions": len(group),
                    "clusters": int(group["cluster"].nunique()),
                    "correct": sum(right),
                    "accuracy": estimate.value,
                    "accuracy_low": estimate.low,
                    "accuracy_high": estimate.high,
                }
            )
    return rows
