"""Several runs on one page: which they are, and what differs between them."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.markup import Column, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.sections.section import Section


def _body(material: Material) -> Markup:
    runs = [
        Column("run", lambda row: row["label"]),
        Column("id", lambda row: row["run"], left=True),
        Column("environment", lambda row: row["env"], left=True),
        Column("commit", lambda row: row["commit"], left=True),
        Column("command", lambda row: row["command"], left=True),
        Column("answers of", lambda row: row["answers"], left=True),
        Column("parameters read", lambda row: row["read"]),
    ]
    labels = [row["label"] for row in material.rows("compared_runs")]
    differing = [Column("parameter", lambda row: row["parameter"])]
    differing += [Column(label, lambda row, label=label: row[label], left=True) for label in labels]  # type: ignore[misc]
    rows = material.rows("run_differences")
    return joined(
        [
            table("The runs", runs, material.rows("compared_runs")),
            table("Parameters that differ", differing, rows)
            if rows
            else paragraph("The parameters that the runs read are the same."),
            paragraph(
                "Parameters are compared where two runs read them, themselves or through what their inputs were made "
                "from; the table of runs says how many groups of parameters each read."
            ),
            paragraph(
                "Only questions that every arm of every run was asked count on this page. The audit of a run's own "
                "numbers: "
                "kedro audit trace results@RUN."
            ),
        ]
    )


SECTION = Section("runs", "The runs", ("compared_runs",), _body)
