"""Free-form answers: the lists that were named, beside the same cases with options."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.markup import Column, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import count, decimal, p_text, percent, points, points_span
from medo1.page.sections.section import Section


def _free_form(material: Material) -> Markup:
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("cases", lambda row: count(row["n"])),
        Column("right one first", lambda row: percent(row["first"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("anywhere in the list", lambda row: percent(row["named"])),
        Column("decided by the judge", lambda row: percent(row["judged"])),
        Column("diagnoses weighed", lambda row: decimal(row["breadth"])),
        Column("changes of the lead", lambda row: decimal(row["lead_changes"])),
        Column("doubts and turns", lambda row: decimal(row["second_thoughts"])),
        Column("beside, with options", lambda row: row["against"] or "none", left=True),
        Column("its accuracy", lambda row: percent(row["with_options"])),
        Column("difference, points", lambda row: points(row["difference"])),
        Column("interval", lambda row: points_span(row["low"], row["high"])),
        Column("p", lambda row: p_text(row["p_value"])),
    ]
    return joined(
        [
            table("The same cases without options", columns, material.rows("free_form"), "free_form"),
            paragraph(
                "A list of diagnoses is asked for, and the right one looked for in it: by its names first, then by the "
                "judge, where there is one. Means over the cases."
            ),
        ]
    )


SECTION = Section("free-form", "Free-form answers", ("free_form",), _free_form)
