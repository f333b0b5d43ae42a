"""One artifact of all formats, or of all arms, from one of each: what compares them reads one, and so does a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medo1.frames import Frame, of_arms


def gather(*tables: Frame, formats: tuple[str, ...] = ()) -> Frame:
    """The rows of all formats, or arms, in one table, in the order in which they shall stand; a question that several
    arms were asked stands there once.

    Args:
        tables: of one kind, one a format or an arm.
        formats: the tables' own, which a column says in rows that do not say it.
    """
    import pandas as pd

    named = list(tables)
    for name, table in zip(formats, tables, strict=False):
        if "format" not in table:
            named[formats.index(name)] = table.assign(format=name)[["format", *table.columns]]
    whole = pd.concat([table for table in named if len(table)] or named[:1], ignore_index=True)
    own = "arm" in whole or "format" in whole
    return whole if own else whole.drop_duplicates(["benchmark", "question_id"], ignore_index=True)


def gather_values(*values: Any, formats: tuple[str, ...]) -> dict[str, Any]:
    """The values of all formats by name.

    Args:
        values: one a format.
        formats: their names.
    """
    return dict(zip(formats, values, strict=True))


def by_arm(tables: Mapping[str, Frame]) -> dict[str, Frame]:
    """Each arm's rows of tables of all arms, by `<arm>.<table>`; of a table without arms, each arm has all rows.

    Args:
        tables: by name; `answers` among them, whose arms are those of all.
    """
    arms = of_arms(tables["answers"])
    found: dict[str, Frame] = {}
    for name, table in tables.items():
        parts = of_arms(table) if "arm" in table else dict.fromkeys(arms, table)
        found |= {f"{arm}.{name}": rows for arm, rows in parts.items()}
    return found
