"""What went in, where the limits are, how the page was made."""

from __future__ import annotations

from markupsafe import Markup

from medo1.lineage.evidence import EVIDENCE_MARK
from medo1.lineage.page_marks import mark
from medo1.page.markup import Column, joined, table
from medo1.page.material import Material
from medo1.page.numbers_text import count
from medo1.page.sections.section import Section


def _inputs(material: Material) -> Markup:
    summary = material.given["ingest_summary"]
    columns = [
        Column("file", lambda row: row["file"]),
        Column("read as", lambda row: row.get("form", "·"), left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("split", lambda row: row["split"], left=True),
        Column("rows", lambda row: count(row["rows"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("rejected", lambda row: count(row["rejected"])),
        Column("why", lambda row: ", ".join(f"{why} ({times})" for why, times in row["reasons"].items()), left=True),
    ]
    return table("Files that were read, and what became of their rows", columns, summary["files"], "ingest_summary")


def _limits(material: Material) -> Markup:
    rows = [row for row in material.rows("results") if row["benchmark"] == material.headline()]
    unread = sum(row["unread"] for row in rows)
    least = min((row["questions"] for row in material.rows("results")), default=0)
    told = [
        "For research. No part of this is fit for clinical use.",
        f"The smallest benchmark has {count(least)} question{'s' if least != 1 else ''}: one answer more or less moves "
        f"an accuracy by {100 / least:.1f} points." if least else "",
        f"{count(unread)} greedy answer{'s' if unread != 1 else ''} of all arms together could not be read, which "
        "counts as wrong." if unread else "",
        "Multiple choice measures picking an answer among given ones, and not finding one.",
        "Intervals are about other questions of the same kind. They say nothing of another training run: another "
        "seed gives another "
        "adapter (kedro seeds).",
    ]  # fmt: skip
    items = joined(Markup("<li>{}</li>").format(one) for one in told if one)
    return Markup("<ul>{}</ul>").format(items)


def _made(material: Material) -> Markup:
    if not material.traced:
        return Markup("")  # no run made the page: it says of each of its runs where that stands
    facts = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in (material.facts or {}).items()
    )
    return Markup(
        '<dl class="facts">{run}{facts}</dl>'
        '<p>Made from what has the digest <code class="digest">{evidence}</code>, which another run of the same inputs '
        "shows too. <code>kedro audit trace report</code> makes this page again and holds every number against what "
        "lies below "
        "it; "
        "<code>kedro audit verify</code> checks every file that it rests on.</p>"
        '<details class="lineage"><summary>Everything that this page was made from, as a picture</summary>'
        '<div class="wide" tabindex="0" role="region" aria-label="Lineage of this page">{picture}</div></details>'
    ).format(
        run=Markup(mark("run")),  # noqa: S704
        facts=facts,
        evidence=Markup(EVIDENCE_MARK),  # noqa: S704
        picture=Markup(mark("lineage")),  # noqa: S704
    )


INPUTS = Section("inputs", "What went in", ("ingest_summary",), _inputs)
LIMITS = Section("limits", "Limits", (), _limits)
MADE = Section("made", "How this was made", (), _made)
