"""Pieces of HTML that sections are made of: tables, figures, the command that audits them. Everything that is put in
is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from medo1.lineage.page_marks import mark

Row = Mapping[str, Any]
LONG = 14  # rows of a table that stand open


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        heading: what stands above it.
        cell: what it shows of a row; text is escaped.
        left: whether it holds words, and not numbers.
    """

    heading: str
    cell: Callable[[Row], Any]
    left: bool = False


def joined(parts: Iterable[Any]) -> Markup:
    """Pieces, one after another."""
    return Markup("").join(parts)


def paragraph(text: Any, kind: str = "soft") -> Markup:
    """A paragraph."""
    return Markup('<p class="{}">{}</p>').format(kind, text)


def audited(dataset: str, rest: str = "") -> Markup:
    """The command that traces a dataset's numbers, one click away."""
    told = Markup(mark("version", dataset))  # noqa: S704  (a name of the catalog)
    return Markup(
        '<details class="audit"><summary>check these numbers</summary><p>This command makes them again from what lies '
        "below, down to the calls that were paid for:</p><code>kedro audit trace {}{}{}</code></details>"
    ).format(dataset, told, f" {rest}" if rest else "")


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    dataset: str = "",
    trace: str = "",
    *,
    folds: bool = True,
) -> Markup:
    """A table that scrolls by itself where it is wide and folds where it is long, with the command that audits it.

    Args:
        caption: what it is, for readers and screen readers.
        columns: the first is each row's heading.
        rows: in their order.
        dataset: where the numbers stand in the catalog.
        trace: what the command needs beside.
        folds: whether it folds where it is long.
    """
    heads = joined(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="left"') if column.left else "", column.heading)
        for column in columns
    )
    body = joined(Markup("<tr>{}</tr>").format(_cells(columns, row)) for row in rows)
    whole = Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="Table: {0}">'
        '<table data-name="{1}"><caption>{0}</caption>'
        "<thead><tr>{2}</tr></thead><tbody>{3}</tbody></table></div>"
    ).format(caption, dataset or "table", heads, body)
    if folds and len(rows) > LONG:
        whole = Markup('<details class="fold"><summary>{}: {} rows</summary>{}</details>').format(
            caption, len(rows), whole
        )
    return whole + (audited(dataset, trace) if dataset else Markup(""))


def _cells(columns: Sequence[Column], row: Row) -> Markup:
    first, *others = columns
    cells = [Markup('<th scope="row">{}</th>').format(first.cell(row))]
    cells += [
        Markup("<td{}>{}</td>").format(Markup(' class="left"') if column.left else "", column.cell(row))
        for column in others
    ]
    return joined(cells)


def figure(caption: str, panels: Sequence[str], above: str = "", *, name: str) -> Markup:
    """Panels side by side where there is room, one below another where there is not, with what they show in words.

    Args:
        caption: says what is seen, so that the figure need not be.
        panels: SVG, made by `medo1.page.charts`, which escapes what it is given.
        above: HTML of the same kind: a legend.
        name: the figure's anchor.
    """
    few = " one" if len(panels) == 1 else ""
    return Markup('<figure id="figure-{}">{}<div class="panels{}">{}</div><figcaption>{}</figcaption></figure>').format(
        name,
        Markup(above),  # noqa: S704
        few,
        joined(Markup(panel) for panel in panels),  # noqa: S704
        caption,
    )


def words(names: Iterable[Any]) -> Markup:
    """Names in a row: a, b and c."""
    told = [escape(str(name)) for name in names]
    if len(told) < 2:  # noqa: PLR2004
        return Markup(told[0]) if told else Markup("")  # noqa: S704  (escaped)
    return Markup(", ").join(told[:-1]) + Markup(" and ") + told[-1]
