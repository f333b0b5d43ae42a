"""Reading the ledger: questions in SQL, rows as dictionaries, one state of the ledger from the first to the last."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Executable

Row = dict[str, Any]
PIECE = 100  # rows that are fetched at once


class LedgerReader:
    """Asks the ledger. `Ledger.reading` makes one.

    Args:
        connection: in a transaction, so that all questions see one state.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._decode = _decoders() if connection.dialect.name == "sqlite" else {}

    def rows(self, sql: str, **values: Any) -> Iterator[Row]:
        """Rows of a question. `:name` stands for the value of that name, `(:name)` for the members of a list."""
        yield from self._asked(sql, values, {})

    def stream(self, sql: str, **values: Any) -> Iterator[Row]:
        """As `rows`, where often only the first are wanted: a server sends the others when they are asked for."""
        yield from self._asked(sql, values, {"yield_per": PIECE})

    def _asked(self, sql: str, values: Row, options: Row) -> Iterator[Row]:
        from sqlalchemy import text

        sql, values = _spread(sql, values)
        found = self._connection.execute(text(sql).execution_options(**options), values)
        names = list(found.keys())
        decoded = [(name, self._decode[name]) for name in names if name in self._decode]
        for some in found.partitions(PIECE):  # a row at a time costs twice as much
            for values_of_row in some:
                row = dict(zip(names, values_of_row, strict=True))
                for name, decode in decoded:
                    if row[name] is not None:
                        row[name] = decode(row[name])
                yield row

    def first(self, sql: str, **values: Any) -> Row | None:
        """The first row; None where there is none."""
        return next(self.rows(sql, **values), None)

    def value(self, sql: str, **values: Any) -> Any:
        """The only column of the first row; None where there is none."""
        row = self.first(sql, **values)
        return None if row is None else next(iter(row.values()))

    def has_table(self, name: str) -> bool:
        """Whether the database holds a table."""
        from sqlalchemy import inspect

        return bool(inspect(self._connection).has_table(name))

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Ask a statement of SQLAlchemy."""
        return self._connection.execute(statement, values)


@cache
def _decoders() -> dict[str, Callable[[Any], Any]]:
    """What SQLite keeps as text and as numbers, by the names of the schema's columns: a name has one type in all."""
    from sqlalchemy import JSON, Boolean

    from medo1.lineage.schema import meta, metadata

    found: dict[str, Callable[[Any], Any]] = {}
    for table in metadata.tables.values():
        for column in table.c if table is not meta else ():
            if isinstance(column.type, JSON):
                found[column.name] = _from_json
            elif isinstance(column.type, Boolean):
                found[column.name] = bool
    return found


def _from_json(value: Any) -> Any:
    """A JSON value; SQLite keeps one that is a bare number as a number."""
    return json.loads(value) if isinstance(value, str) else value


def beginning(text: str) -> str:
    """The pattern, for `LIKE :name ESCAPE '/'`, of all that begins with a text."""
    return re.sub(r"([/%_])", r"/\1", text) + "%"


def _spread(sql: str, values: Row) -> tuple[str, Row]:
    """A parameter for each member of a list."""
    flat: Row = {}
    for name, value in values.items():
        if not isinstance(value, list | tuple):
            flat[name] = value
            continue
        members = {f"{name}_{number}": member for number, member in enumerate(value)}
        sql = sql.replace(f"(:{name})", f"({', '.join(f':{member}' for member in members)})")
        flat |= members
    return sql, flat
