"""A study's page, its verdicts as JSON values, and the same in words for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.studies.analysis import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    NOT_MEASURED,
    ability_rows,
    accuracy_rows,
    best_rows,
    comparison_rows,
    followed_rows,
    trend_rows,
)
from medo1.studies.cell_results import CellResult
from medo1.studies.cells import Cell
from medo1.studies.declaration import Declaration
from medo1.studies.kept_cells import KeptCells

ORDER = (FAILS, CANNOT_TELL, NOT_MEASURED)  # failed predictions first
OF_SEVERAL = {FAILS: "do not hold", HOLDS: "hold"}


@dataclass(frozen=True)
class StudyReport:
    """What a study came to.

    Attributes:
        html: the page.
        verdicts: the declaration's predictions with what was measured, as JSON values.
        lines: the same for a terminal.
        cells: rows of the table `study_cells`.
    """

    html: str
    verdicts: dict[str, Any]
    lines: list[str]
    cells: list[dict[str, Any]]


def kept_report(kept: KeptCells, cells: Sequence[Cell]) -> StudyReport:
    """Everything that is told of a study, from what is kept of it.

    Args:
        kept: its results.
        cells: all its cells, in order.
    """
    done = kept.done(cells)
    results = [done[cell.name] for cell in cells if cell.name in done]
    return study_report(kept.name, kept.study, results, len(cells), list(kept.failures(cells).values()))


def study_report(
    name: str, study: Declaration, results: Sequence[CellResult], of: int, failures: Sequence[Mapping[str, Any]] = ()
) -> StudyReport:
    """Everything that is told of a study.

    Args:
        name: the study's.
        study: its declaration.
        results: of the cells that are done.
        of: how many cells there are.
        failures: of cells that failed.
    """
    from medo1.page.declared_study_page import declared_study_page

    accuracies = accuracy_rows(study, results)
    compared, trends, best, follows = (
        make(study, results) for make in (comparison_rows, trend_rows, best_rows, followed_rows)
    )
    predictions = [
        *(_comparison(row) for row in compared),
        *(_trend(row) for row in trends),
        *(_best(row) for row in best),
        *(_followed(row) for row in follows),
    ]
    predictions = sorted(
        (one for one in predictions if one["verdict"] is not None),
        key=lambda one: ORDER.index(one["verdict"]) if one["verdict"] in ORDER else len(ORDER),
    )
    done = f"{len(results)} of {of} cells"
    given = {
        "study_predictions": predictions,
        "study_accuracies": accuracies,
        "study_comparisons": compared,
        "study_trends": trends,
        "study_best": best,
        "study_followed": follows,
        "study_abilities": ability_rows(study, results),
        "study_failures": list(failures),
        "study_runs": [{"cell": _cell_name(study, one), **one.run} for one in results],
    }
    facts = {
        "study": name, "cells": done, "recipe": study.recipe[:16], "environment": study.env,
        "pipelines": ", ".join(study.pipelines),
    }  # fmt: skip
    html = declared_study_page(
        given, title=f"Study: {name}", declared=study.model_dump(mode="json"), facts=facts,
        confidence=study.confidence, lead=_lead(study, predictions, done),
    )  # fmt: skip
    verdicts = {
        "study": name, "question": study.question, "recipe": study.recipe, "cells": len(results), "of": of,
        "predictions": predictions,
        "trends": trends,
        "best": best,
        "followed": follows,
        "comparisons": [{key: row[key] for key in row if key != "each"} for row in compared],
    }  # fmt: skip
    lines = [
        study.question,
        f"{done} done.",
        *(f"  {one['verdict']}: {one['says']} ({one['measured']})" for one in predictions),
    ]
    rows = [
        {key: row.get(key) for key in ("run", "arm", "on", "questions", "accuracy", "tokens", "unread")}
        | {"study": name, "cell": Cell({factor: row[factor] for factor in study.grid}, {}).name}
        for row in accuracies
    ]
    return StudyReport(html, verdicts, lines, rows)


def _cell_name(study: Declaration, result: CellResult) -> str:
    return Cell({factor: result.levels[factor] for factor in study.grid}, {}).name


def _lead(study: Declaration, predictions: Sequence[Mapping[str, Any]], done: str) -> str:
    counts: dict[str, int] = {}
    for one in predictions:
        counts[one["verdict"]] = counts.get(one["verdict"], 0) + 1
    told = ", ".join(
        f"{count} {verdict if count == 1 else OF_SEVERAL.get(verdict, verdict)}" for verdict, count in counts.items()
    )
    return f"{study.question} Of {len(predictions)} predictions: {told}. {done} are done."


def _points(value: Any) -> str:
    return "not known" if value is None else f"{100 * value:+.1f}"


def _comparison(row: Mapping[str, Any]) -> dict[str, Any]:
    measured = (
        f"{_points(row['difference'])} points, {_points(row['joint_low'])} to {_points(row['joint_high'])}, "
        f"{row['repetitions']} repetition{'s' * (row['repetitions'] != 1)}"
        if row["repetitions"] else "no cells yet"
    )  # fmt: skip
    return {
        "name": row["comparison"], "says": f"{row['says']} ({row['at']})" if row["at"] else row["says"],
        "predicted": None if row["predicted"] is None else f"{row['predicted']} points", "measured": measured,
        "verdict": row["verdict"],
    }  # fmt: skip


def _trend(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["slope"] is None:
        measured = "too few cells yet"
    else:
        crossing = (
            f"the arms cross at {row['crossing']:.3g} ({row['crossing_low']:.3g} to {row['crossing_high']:.3g})"
            if row["crossing"] is not None else "a crossing is not seen"
        )  # fmt: skip
        measured = f"{row['slope']:+.2f} in log odds a doubling, {row['low']:+.2f} to {row['high']:+.2f}; {crossing}"
    return {"name": row["trend"], "says": row["says"], "predicted": row["predicted"], "measured": measured,
            "verdict": row["verdict"]}  # fmt: skip


def _best(row: Mapping[str, Any]) -> dict[str, Any]:
    told = "; ".join(
        f"at {one['level']} {one['place']:g} ({one['low']:g} to {one['high']:g})"
        for one in (row["least_level"], row) if one is not None
    )  # fmt: skip
    return {"name": row["best"], "says": row["says"], "predicted": row["predicted"],
            "measured": f"{row['axis']} of the best arm: {told}", "verdict": row["verdict"]}  # fmt: skip


def _followed(row: Mapping[str, Any]) -> dict[str, Any]:
    measured = (
        f"{row['share']:.1%} of {row['questions']} answers, {row['low']:.1%} to {row['high']:.1%}"
        if row["questions"] else "no cells yet"
    )  # fmt: skip
    return {"name": row["followed"], "says": row["says"], "predicted": row["predicted"], "measured": measured,
            "verdict": row["verdict"]}  # fmt: skip
