"""Pieces of HTML that sections are made of: tables, figures, the command that audits them. Everything that is put in
is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from medo1.lineage.page_marks import mark
from medo1.page.numbers_text import UNKNOWN

Row = Mapping[str, Any]
LONG = 14  # rows of a table that stand open
SENTENCE = 40  # characters from which a cell is one
PRINTED = 40  # rows of a table that is printed whole: more would be a hundred pages that nobody reads


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


def audited(*traces: tuple[str, str]) -> Markup:
    """The commands that trace numbers, one click away.

    Args:
        traces: datasets, each with what the command needs beside: a column and the row.
    """
    commands = joined(
        Markup("<p><code>kedro audit trace {}{}{}</code></p>").format(
            dataset,
            Markup(mark("version", dataset)),  # noqa: S704  (a name of the catalog)
            f" {rest}" if rest else "",
        )
        for dataset, rest in traces
    )
    return Markup(
        '<details class="audit"><summary>check these numbers</summary><p>{} again from what lies '
        "below, down to the calls that were paid for:</p>{}</details>"
    ).format("This command makes them" if len(traces) == 1 else "These commands make them", commands)


def without_commands(html: Markup) -> Markup:
    """A section whose numbers do not stand in the catalog, without the commands that would trace them there."""
    return Markup(re.sub(r'<details class="audit">.*?</details>', "", html, flags=re.DOTALL))  # noqa: S704


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    dataset: str = "",
    trace: str = "",
    *,
    first: Callable[[Row], bool] | None = None,
) -> Markup:
    """A table that scrolls by itself where it is wide and folds where it is long, with the command that audits it. A
    column that holds nothing is left out; without a row there is no table.

    Args:
        caption: what it is, for readers and screen readers.
        columns: the first is each row's heading.
        rows: in their order.
        dataset: where the numbers stand in the catalog.
        trace: what the command needs beside.
        first: which rows of a long table stand open above the fold of all.
    """
    if not rows:
        return Markup("")
    audit = audited((dataset, trace)) if dataset else Markup("")
    some = [row for row in rows if first(row)] if first is not None and len(rows) > LONG else []
    if len(rows) <= LONG or len(some) == len(rows):
        return _whole(caption, columns, rows, dataset or "table") + audit
    named = f"{caption}: {'all ' if some else ''}{len(rows)} rows"
    whole = Markup('<details class="fold{}"><summary>{}</summary>{}</details>').format(
        " long" if len(rows) > PRINTED else "", named, _whole(named, columns, rows, dataset or "table")
    )
    return (_whole(caption, columns, some, f"{dataset or 'table'}-first") if some else Markup("")) + whole + audit


def _whole(caption: str, columns: Sequence[Column], rows: Sequence[Row], name: str) -> Markup:
    cells = [[column.cell(row) for column in columns] for row in rows]
    told = [n for n in range(len(columns)) if n == 0 or any(str(row[n]) not in ("", UNKNOWN) for row in cells)]
    columns, cells = [columns[n] for n in told], [[row[n] for n in told] for row in cells]
    heads = joined(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="left"') if column.left else "", column.heading)
        for column in columns
    )
    body = joined(Markup("<tr>{}</tr>").format(_cells(columns, row)) for row in cells)
    return Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="Table: {0}">'
        '<table data-name="{1}"><caption>{0}</caption>'
        "<thead><tr>{2}</tr></thead><tbody>{3}</tbody></table></div>"
    ).format(caption, name, heads, body)


def _cells(columns: Sequence[Column], row: Sequence[Any]) -> Markup:
    words = Markup(' class="left"') if columns[0].left else ""
    cells = [Markup('<th scope="row"{}>{}</th>').format(words, row[0])]
    cells += [
        Markup("<td{}>{}</td>").format(_words_class(cell) if column.left else "", cell)
        for column, cell in zip(columns[1:], row[1:], strict=True)
    ]
    return joined(cells)


def _words_class(cell: Any) -> Markup:
    """Of a cell of words; a sentence keeps a width at which it can be read."""
    told = cell.striptags() if isinstance(cell, Markup) else str(cell)
    return Markup(' class="left{}"').format(" long" if len(told) > SENTENCE else "")


def figure(caption: str, panels: Sequence[str], above: str = "", *, name: str, lead: str = "") -> Markup:
    """Panels side by side where there is room, one below another where there is not, with what they show in words.

    Args:
        caption: says what is seen, so that the figure need not be.
        panels: SVG, made by `medo1.page.charts`, which escapes what it is given.
        above: HTML of the same kind: a legend.
        name: the figure's anchor.
        lead: a wide panel above the others.
    """
    few = " one" if len(panels) == 1 else ""
    grid = Markup('<div class="panels{}">{}</div>').format(few, joined(Markup(panel) for panel in panels))  # noqa: S704
    return Markup('<figure id="figure-{}">{}{}{}<figcaption>{}</figcaption></figure>').format(
        name,
        Markup(above),  # noqa: S704
        Markup(lead),  # noqa: S704
        grid if panels else "",
        caption,
    )


def words(names: Iterable[Any]) -> Markup:
    """Names in a row: a, b and c."""
    told = [escape(str(name)) for name in names]
    if len(told) < 2:  # noqa: PLR2004
        return Markup(told[0]) if told else Markup("")  # noqa: S704  (escaped)
    return Markup(", ").join(told[:-1]) + Markup(" and ") + told[-1]
