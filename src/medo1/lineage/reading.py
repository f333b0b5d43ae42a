"""Reading the ledger: questions in SQL, rows as dictionaries, one state of the ledger from the first to the last.

A ledger in a file is read through Python's own sqlite3: importing SQLAlchemy takes longer than most questions of
`kedro audit`. Where a statement of SQLAlchemy is asked nevertheless, it goes over the same connection and sees the same
state. Another database is read through SQLAlchemy from the start.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Executable

Row = dict[str, Any]

# What SQLite keeps as text and as numbers, by the names of the columns: a test holds it against the schema.
JSON_COLUMNS = ("pipelines", "selection", "runtime_params", "hardware", "key", "rows_from", "detail")
BOOLEAN_COLUMNS = ("git_dirty", "rebuilt", "protected", "equal")


def _from_json(value: Any) -> Any:
    """A JSON value; SQLite keeps one that is a bare number as a number."""
    return json.loads(value) if isinstance(value, str) else value


_DECODE: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(JSON_COLUMNS, _from_json),
    **dict.fromkeys(BOOLEAN_COLUMNS, bool),
}


class Reader:
    """Asks the ledger. `Ledger.reading` makes one.

    Args:
        file: the connection to a ledger in a file, in a transaction.
        core: the same or another database's connection in SQLAlchemy, where that is loaded already.
    """

    def __init__(self, file: sqlite3.Connection | None, core: Connection | None = None) -> None:
        assert file is not None or core is not None
        self._file, self._core = file, core

    def rows(self, sql: str, **values: Any) -> Iterator[Row]:
        """Rows of a question. `:name` stands for the value of that name, `(:name)` for the members of a list."""
        yield from self._asked(sql, values, {})

    def stream(self, sql: str, **values: Any) -> Iterator[Row]:
        """As `rows`, where often only the first are wanted: a server sends the others when they are asked for."""
        yield from self._asked(sql, values, {"yield_per": 100})

    def _asked(self, sql: str, values: Row, options: Row) -> Iterator[Row]:
        sql, values = _spread(sql, values)
        if self._file is None:
            from sqlalchemy import text

            for found in self.execute(text(sql).execution_options(**options), values):
                yield dict(found._mapping)
            return
        cursor = self._file.execute(sql, values)
        columns = [(column[0], _DECODE.get(column[0])) for column in cursor.description]
        for row in cursor:
            yield {
                name: value if decode is None or value is None else decode(value)
                for (name, decode), value in zip(columns, row, strict=True)
            }

    def first(self, sql: str, **values: Any) -> Row | None:
        """The first row; None where there is none."""
        return next(self.rows(sql, **values), None)

    def value(self, sql: str, **values: Any) -> Any:
        """The only column of the first row; None where there is none."""
        row = self.first(sql, **values)
        return None if row is None else next(iter(row.values()))

    def has_table(self, name: str) -> bool:
        """Whether the database holds a table."""
        if self._file is not None:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = :name"
            return self.first(query, name=name) is not None
        from sqlalchemy import inspect

        assert self._core is not None
        return bool(inspect(self._core).has_table(name))

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Ask a statement of SQLAlchemy."""
        if self._core is None:
            self._core = _core_over(self._file)
        return self._core.execute(statement, values)


class _Held(sqlite3.Connection):
    """A connection whose transaction lasts until it is closed: SQLAlchemy would end it when it first connects."""

    def rollback(self) -> None:
        pass


def opened(file: Path, timeout_s: float) -> sqlite3.Connection:
    """A connection to a ledger that is there, which sees the state of its first question throughout."""
    where = f"{file.as_uri()}?mode=rw"
    connection = sqlite3.connect(where, uri=True, timeout=timeout_s, isolation_level=None, factory=_Held)
    connection.execute("BEGIN")
    return connection


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


def _core_over(file: sqlite3.Connection | None) -> Connection:
    """SQLAlchemy's connection over an open one, whose transaction it leaves alone."""
    from sqlalchemy import StaticPool, create_engine

    assert file is not None
    engine = create_engine("sqlite://", creator=lambda: file, poolclass=StaticPool, pool_reset_on_return=None)
    return engine.connect()
