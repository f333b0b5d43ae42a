"""The place of the explorer: its filters, its list and where a case is shown. Scripts fill it; without them it says
so.
"""

from __future__ import annotations

from markupsafe import Markup

from medo1.lineage.page_marks import mark
from medo1.page.files_inside import part
from medo1.page.material import Material
from medo1.page.sections.section import Section


def _body(material: Material) -> Markup:
    look = material.places(material.arms)
    shown = [arm for arm in material.arms if material.there(f"{arm}.generations")]
    return Markup(part("explorer/cases.html")).format(  # noqa: S704
        looks=" ".join(str(look[arm]) for arm in shown),
        left_out="Texts that may not be passed on are left out." if material.share_texts and _closed(material) else "",
        place=Markup("../../report_cases/{}/report_cases/").format(Markup(mark("id"))),  # noqa: S704
    )


def _closed(material: Material) -> bool:
    """Whether the study asks a question whose text may not be passed on."""
    asked = [material.frame(f"{arm}.asked_questions") for arm in material.arms]
    return any(table is not None and not table["shareable"].all() for table in asked)


SECTION = Section("cases", "Cases", ("{arm}.generations", "{arm}.asked_questions"), _body)
