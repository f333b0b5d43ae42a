"""Results: every arm on every benchmark."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.markup import Column, Row, figure, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import corrected_p, count, percent, points, points_span, span
from medo1.page.sections.answer import accuracy_panels, joint_interval
from medo1.page.sections.section import Section


def _body(material: Material) -> Markup:
    compared = {(row["arm"], row["benchmark"]): row for row in material.rows("comparisons")}

    def other(row: Row, key: str) -> object:
        return compared.get((row["arm"], row["benchmark"]), {}).get(key)

    panels = accuracy_panels(material)[1:]
    several = len(material.benchmarks("results")) > 1
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column(
            f"{material.confidence * 100:g} % interval", lambda row: span(row["accuracy_low"], row["accuracy_high"])
        ),
        Column(f"against {material.baseline}, points", lambda row: points(other(row, "difference"))),
        Column(
            "interval of the difference", lambda row: points_span(*_joint(compared.get((row["arm"], row["benchmark"]))))
        ),
        Column("p (Holm)", lambda row: corrected_p(compared.get((row["arm"], row["benchmark"]), {}))),
        Column("mean tokens", lambda row: count(row["mean_tokens"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("unread", lambda row: count(row["unread"])),
        Column("of these cut", lambda row: count(row["truncated"])),
    ]
    if several:
        columns.insert(1, Column("benchmark", lambda row: row["benchmark"], left=True))
    return joined(
        [
            figure("The same, on each benchmark.", panels, name="benchmarks") if panels else "",
            table(
                "Accuracy of the arms",
                columns,
                material.rows("results"),
                "results",
                first=lambda row: row["benchmark"] == material.headline(),
            ),
            paragraph(
                "Greedy generations over all questions. Unread: no single answer could be read, which counts as wrong. "
                "Accuracies have Wilson intervals; that of all benchmarks is put together from theirs. Differences are "
                "paired by question; their intervals hold all at once, as the corrected p-values do. Guesses: the "
                "better of the two cannot be told from one who guesses, and nothing is claimed of the difference."
            ),
        ]
    )


def _joint(compared: Row | None) -> tuple[object, object]:
    return (None, None) if compared is None else joint_interval(compared)


SECTION = Section("results", "Results", ("results",), _body)
