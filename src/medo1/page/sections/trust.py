"""How far an answer can be trusted: calibration, letters, lengths."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from markupsafe import Markup

from medo1.page.charts.bars import Bar, bars_panel
from medo1.page.charts.intervals import Interval, intervals_panel
from medo1.page.charts.lines import Point, Series, lines_panel
from medo1.page.markup import Column, Row, figure, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import count, decimal, known, percent
from medo1.page.sections.section import Section, line_panels

FEW = 5  # answers of a score that a point is drawn for
ASIDE = 0.1  # of a grade: right and wrong answers stand beside each other
LEAST = 0.1  # share of the questions from which accuracy is drawn: that of a few is chance


def _calibration(material: Material) -> Markup:
    parts: list[Markup] = []
    for score in dict.fromkeys(row["score"] for row in material.rows("calibration")):

        def bins(arm: str, place: int, rows: list[Row]) -> list[Series]:
            told = "said {}, {} right, of {}"
            points = [
                Point(
                    row["mean_score"], row["accuracy"],
                    told=told.format(percent(row["mean_score"], 0), percent(row["accuracy"], 0), row["n"]),
                )
                for row in sorted(rows, key=lambda row: row["mean_score"])
            ]  # fmt: skip
            return [Series(arm, place, tuple(points))]

        panels, legend = line_panels(
            material, "calibration", bins, keep=lambda row, of=score: row["score"] == of and _counts(row),  # type: ignore[misc]
            x_title=f"{_named(score)}, %", x_shares=True, diagonal=True,
        )  # fmt: skip
        caption = f"How often an answer is right, over its {_named(score)}. On the dashed line it says what it "
        caption += f"knows. Scores that fewer than {FEW} answers have are left out."
        if panels:
            parts.append(figure(caption, panels, legend, name=f"calibration-{score}"))
    summary = [
        Column("arm", lambda row: row["arm"]),
        Column("score", lambda row: _named(row["score"]), left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("Brier", lambda row: decimal(row["brier"])),
        Column("calibration error", lambda row: decimal(row["ece"])),
        Column("area under risk and coverage", lambda row: decimal(row["aurc"])),
        Column("questions", lambda row: count(row["n"])),
    ]
    rows = material.rows("calibration_summary")
    return joined([*parts, table("Calibration, lower is better", summary, rows, "calibration_summary")])


def _counts(row: Row) -> bool:
    """Whether enough answers have a score for a point."""
    return known(row["mean_score"]) and known(row["accuracy"]) and row["n"] >= FEW


def _named(score: str) -> str:
    return str(score).replace("_", " ")


def _coverage(material: Material) -> Markup:
    parts = []
    for score in dict.fromkeys(row["score"] for row in material.rows("risk_coverage")):

        def lines(arm: str, place: int, rows: list[Row]) -> list[Series]:
            points = [
                Point(
                    row["coverage"], row["accuracy"],
                    told=f"answers {percent(row['coverage'], 0)}, {percent(row['accuracy'])} of them right",
                )
                for row in sorted(rows, key=lambda row: row["coverage"])
                if known(row["accuracy"]) and row["coverage"] >= LEAST
            ]  # fmt: skip
            return [Series(arm, place, tuple(points))]

        panels, legend = line_panels(
            material, "risk_coverage", lines, keep=lambda row, of=score: row["score"] == of,  # type: ignore[misc]
            x_title="questions answered, %", x_shares=True, chance=True,
        )  # fmt: skip
        caption = (
            f"Accuracy when only the questions with the highest {_named(score)} are answered, and the rest left open."
        )
        parts.append(figure(caption, panels, legend, name=f"coverage-{score}"))
    return joined(parts)


def _letters(material: Material) -> Markup:
    rows = material.rows("letters")
    look = material.places(str(row["arm"]) for row in rows)
    panels = []
    where = material.benchmarks("letters")[-1]  # all together where there are several
    shown = [row for row in rows if row["benchmark"] == where and known(row["answered"])]
    most = max((max(row["answered"], row["gold"]) for row in shown), default=1.0)
    for arm, place in look.items():
        bars = [
            Bar(
                str(row["letter"]), row["answered"], beside=row["gold"],
                told=f"{percent(row['answered'], 0)}, right for {percent(row['gold'], 0)}",
            )
            for row in shown if row["arm"] == arm
        ]  # fmt: skip
        if bars:
            panels.append(bars_panel(arm, bars, place=place, most=most))
    counted = [
        Column("arm", lambda row: row["arm"]),
        Column("letter", lambda row: row["letter"], left=True),
        Column("answered", lambda row: percent(row["answered"])),
        Column("right for", lambda row: percent(row["gold"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("chance", lambda row: percent(row["chance"])),
        Column("always the commonest letter", lambda row: percent(row["commonest_letter"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("compared", lambda row: "no" if row["muted"] else "yes", left=True),
        Column("why", lambda row: row["why"], left=True),
    ]
    baselines = material.rows("letter_baselines")
    caption = "How often each letter is answered; the line across a bar is how often it is right."
    return joined(
        [
            figure(caption, panels, name="letters"),
            table(
                "Accuracy beside guessing",
                columns,
                baselines,
                "letter_baselines",
                first=lambda row: row["benchmark"] == where or bool(row["muted"]),
            ),
            table("How often each letter is answered", counted, rows, "letters"),
        ]
    )


def _lengths(material: Material) -> Markup:
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("answers", _right, left=True),
        Column("mean tokens", lambda row: count(row["mean_tokens"])),
        Column("from", lambda row: count(row["low"])),
        Column("to", lambda row: count(row["high"])),
        Column("difficulty", lambda row: count(row["difficulty"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("answers counted", lambda row: count(row["n"])),
    ]
    caption = (
        "Mean tokens of an arm's greedy answers, with intervals. Filled: answers that are right; rings: wrong ones. "
        "Each panel has a scale of its own."
    )
    return joined(
        [
            figure(caption, _length_panels(material), name="lengths"),
            table("Length of right and wrong answers, by difficulty", columns, material.rows("lengths"), "lengths"),
            paragraph("Wrong answers that are longer than right ones of the same difficulty are a sign of wandering."),
        ]
    )


def _length_panels(material: Material) -> list[str]:
    """A panel for each arm: over difficulty where it is known, else rows of right and wrong answers."""
    rows = material.rows("lengths")
    where = material.benchmarks("lengths")[-1]  # all together where there are several
    graded = [row for row in rows if row["benchmark"] == where and known(row["difficulty"])]
    panels = []
    for arm, place in material.places(str(row["arm"]) for row in rows).items():
        if graded:
            own = [row for row in graded if row["arm"] == arm]
            panels.append(_over_difficulty(arm, place, own, sorted({row["difficulty"] for row in graded})))
        else:
            several = len(material.benchmarks("lengths")) > 1
            marks = [
                Interval(
                    f"{row['benchmark']}, {_right(row)}" if several else _right(row), place, row["mean_tokens"],
                    _bound(row, "low"), _bound(row, "high"), f"{count(row['mean_tokens'])} ({count(row['n'])} answers)",
                    hollow=not row["correct"],
                )
                for row in rows if row["arm"] == arm
            ]  # fmt: skip
            panels.append(intervals_panel(arm, marks, x_title="mean tokens", counts=True))
    return panels


def _over_difficulty(arm: str, place: int, rows: Sequence[Row], grades: Sequence[int]) -> str:
    series = []
    for correct, aside in ((False, ASIDE), (True, -ASIDE)):
        points = [
            Point(
                row["difficulty"] + aside, row["mean_tokens"], row["low"], row["high"],
                f"difficulty {row['difficulty']}, {row['n']} {_right(row)} answers, {count(row['mean_tokens'])} tokens",
            )
            for row in sorted(rows, key=lambda row: row["difficulty"]) if bool(row["correct"]) == correct
        ]  # fmt: skip
        series.append(Series(arm, place, tuple(points), hollow=not correct))
    return lines_panel(arm, series, x_title="difficulty", y_title="mean tokens", x_values=grades, shares=False)


def _right(row: Row) -> str:
    return "right" if row["correct"] else "wrong"


def _bound(row: Row, name: str) -> float:
    return float(row[name]) if known(row[name]) else nan


CALIBRATION = Section("calibration", "Does it know when it is right?", ("calibration",), _calibration)
COVERAGE = Section("coverage", "When may it say that it does not know?", ("risk_coverage",), _coverage)
LETTERS = Section("letters", "Letters", ("letters",), _letters)
LENGTHS = Section("lengths", "Length and correctness", ("lengths",), _lengths)
