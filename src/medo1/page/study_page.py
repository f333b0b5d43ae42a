"""A study's page with its cases: in one file while they are few, in a folder of scripts beside it where they are
many.
"""

from __future__ import annotations

from typing import NamedTuple

from medo1.page.explorer.case_texts import cases_of
from medo1.page.explorer.pieces import chunk_files, packed
from medo1.page.files_inside import part
from medo1.page.material import Material
from medo1.page.report_page import Block, rendered

INSIDE = 25_000_000  # characters of packed cases that a page carries itself


class StudyPage(NamedTuple):
    """A page, and the files that belong into the folder of its cases; none where the page carries them itself."""

    html: str
    files: dict[str, str]


def study_page(
    material: Material,
    *,
    cases: bool = True,
    inside: int = INSIDE,
) -> StudyPage:
    """The page of a study.

    Args:
        material: the study.
        cases: whether the page has the explorer of cases.
        inside: how many characters of packed cases the page carries itself.
    """
    found = cases_of(material, shareable_only=material.share_texts) if cases else None
    if found is None:
        return StudyPage(rendered(material), {})
    pieces = packed(found)
    data = [Block("cases-index", pieces.contents)]
    apart = pieces.size > inside
    if not apart:
        data += [Block(f"cases-{number}", chunk) for number, chunk in enumerate(pieces.chunks)]
    html = rendered(material, data, [part("explorer/cases.js")], scripts_beside=apart)
    return StudyPage(html, chunk_files(pieces.chunks) if apart else {})
