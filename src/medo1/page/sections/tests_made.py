"""The tests behind the differences; near-copies; probes."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.charts.intervals import Interval, intervals_panel, lead_panel
from medo1.page.markup import Column, Row, figure, joined, paragraph, table
from medo1.page.material import ALL, Material
from medo1.page.numbers_text import (
    UNKNOWN,
    corrected_p,
    count,
    decimal,
    known,
    p_text,
    percent,
    points,
    points_span,
    span,
)
from medo1.page.sections.answer import joint_interval
from medo1.page.sections.section import Section

FAMILIES = {"declared": "those declared", "other": "the others"}  # of comparisons, each corrected by itself
# Columns that a table of comparisons may have besides, with their headings.
BESIDE = (
    Column("corr.", lambda row: f"{row['correlation']:.2f}" if known(row.get("correlation")) else UNKNOWN),
    Column("would show from", lambda row: points(row.get("smallest_detectable")).lstrip("+")),
)


def _tests(material: Material) -> Markup:
    rows = material.rows("comparisons")
    benchmarks = material.benchmarks("comparisons")
    look = material.places([*material.arms, *(str(row["arm"]) for row in rows)])
    headline = material.headline()
    panels = [
        (lead_panel if benchmark == headline else intervals_panel)(
            "" if len(benchmarks) == 1 else ("all benchmarks together" if benchmark == ALL else benchmark),
            [
                Interval(
                    str(row["arm"]), look[str(row["arm"])], row["difference"], *joint_interval(row),
                    f"{points(row['difference'])} ({points_span(*joint_interval(row))})",
                )
                for row in rows if row["benchmark"] == benchmark
            ],
            x_title=f"difference from {material.baseline}, points", shares=False,
        )
        for benchmark in sorted(benchmarks, key=lambda one: one != headline)
    ]  # fmt: skip
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("difference, points", lambda row: points(row["difference"])),
        Column("interval, all at once", lambda row: points_span(*joint_interval(row))),
        Column("p (Holm)", corrected_p),
        Column("interval, alone", lambda row: points_span(row["difference_low"], row["difference_high"])),
        Column("p, alone", lambda row: p_text(row["p_value"])),
        Column("gained", lambda row: count(row["gained"])),
        Column("lost", lambda row: count(row["lost"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    if len({row.get("family") for row in rows}) > 1:
        columns.append(Column("corrected within", lambda row: FAMILIES[row["family"]], left=True))
    columns += BESIDE

    def on_headline(row: Row) -> bool:
        return bool(row["benchmark"] == headline)

    caption = f"Each arm against {material.baseline}, paired by question, with its interval. Dashed: no difference."
    return joined(
        [
            figure(caption, panels[1:], name="tests", lead=panels[0]),
            table(f"Paired comparisons with {material.baseline}", columns, rows, "comparisons", first=on_headline),
            _pairs(material),
            _groups(material),
            _no_worse(material),
            paragraph(
                "Gained: right in the arm and wrong in the baseline; lost: the other way. McNemar's exact test; "
                "Holm's correction over all rows of a family: the comparisons that the study declared, and the "
                "others. Alone: of this test, were it the only one. Corr.: how being right in the one goes with being "
                "right in the other. Would show from: the smallest difference that such a study is likely to find, so "
                "corrected (parameter reporting.power). Guesses: the better of the two may only be guessing; the table "
                "beside guessing says why."
            ),
        ]
    )


def _pairs(material: Material) -> Markup:
    rows = material.rows("arm_pairs")
    if len({row["first"] for row in rows}) < 2:  # noqa: PLR2004  (the comparisons with the baseline are all)
        return Markup("")
    columns = [
        Column("first", lambda row: row["first"]),
        Column("second", lambda row: row["second"], left=True),
        Column("first less second, points", lambda row: points(row["difference"])),
        Column("interval, all at once", lambda row: points_span(row["low"], row["high"])),
        Column("p (Holm)", lambda row: p_text(row["p_adjusted"])),
        Column("p, this test alone", lambda row: p_text(row["p_value"])),
        Column("correlation", lambda row: decimal(row["correlation"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return table("Every two arms", columns, rows, "arm_pairs")


def _groups(material: Material) -> Markup:
    rows = material.rows("arm_groups")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("groups", lambda row: row["group"], left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    caption = "Who can be told apart: arms that share a letter cannot"
    return table(caption, columns, rows, "arm_groups", first=lambda row: row["benchmark"] == material.headline())


def _no_worse(material: Material) -> Markup:
    rows = material.rows("non_inferiority")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("is it no worse?", lambda row: "yes" if row["no_worse"] else "cannot be said", left=True),
        Column("than", lambda row: row["against"], left=True),
        Column("difference, points", lambda row: points(row["difference"])),
        Column("interval", lambda row: points_span(row["low"], row["high"])),
        Column("margin, points", lambda row: f"{row['margin'] * 100:g}"),
        Column("p", lambda row: p_text(row["p_value"])),
        Column("what", lambda row: "votes until decided" if row["what"] == "adaptive" else "greedy answers", left=True),
        Column("questions", lambda row: count(row["questions"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return table("No worse, within the margin", columns, rows, "non_inferiority")


def _clustered(material: Material) -> Markup:
    rows = [
        row
        for row in material.rows("clustered_results")
        if row["clusters"] < row["questions"] or row["subset"] == "clean"
    ]
    if not rows:
        return Markup("")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["accuracy_low"], row["accuracy_high"])),
        Column("questions that", lambda row: "nobody doubts" if row["subset"] == "clean" else "were asked", left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("questions", lambda row: count(row["questions"])),
        Column("different", lambda row: count(row["clusters"])),
    ]
    return joined(
        [
            table("Near-copies counted once, doubtful questions left out", columns, rows, "clustered_results"),
            paragraph(
                "Different: how many of the questions say different things; near-copies of each other count as one "
                "observation in the interval."
            ),
        ]
    )


def _probes(material: Material) -> Markup:
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("probe", lambda row: row["probe"], left=True),
        Column("asked plainly", lambda row: percent(row["plain"])),
        Column("probed", lambda row: percent(row["probed"])),
        Column("difference, points", lambda row: points(row["difference"])),
        Column("interval", lambda row: points_span(row["low"], row["high"])),
        Column("p", lambda row: p_text(row["p_value"])),
        Column("questions", lambda row: count(row["n"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("what it asks", lambda row: row["says"], left=True),
    ]
    return joined(
        [
            table("Probes: does reasoning carry the score?", columns, material.rows("probes"), "probes"),
            paragraph("The same questions changed in one thing, answered by the same arm, and paired."),
            _faithfulness(material),
        ]
    )


def _faithfulness(material: Material) -> Markup:
    rows = material.rows("faithfulness")
    if not rows:
        return Markup("")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("follows the changed step", lambda row: percent(row["follows"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("stays with its answer", lambda row: percent(row["stays"])),
        Column("does neither", lambda row: percent(row["neither"])),
        Column("questions", lambda row: count(row["n"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return joined(
        [
            table("Faithfulness: does the answer follow a changed step?", columns, rows, "faithfulness"),
            paragraph(
                "One step of the arm's own thought was made to conclude something else, so that the reasoning leads to "
                "another option, and the arm went on from there."
            ),
        ]
    )


TESTS = Section("tests", "Paired tests", ("comparisons",), _tests)
CLUSTERED = Section("near-copies", "Near-copies and doubtful questions", ("clustered_results",), _clustered)
PROBES = Section("probes", "Probes", ("probes",), _probes)
