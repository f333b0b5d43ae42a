"""The ledger: the database that knows every run, what each node read and wrote, and how it ended.

Written by `medo1.lineage.recorder` while a run goes on, read by `medo1.lineage.audit`. A SQLite file in WAL mode by
default (readers never wait, writers take turns for milliseconds), PostgreSQL for a team. Nothing here imports Kedro.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.configuration import Settings
from medo1.lineage.reading import Reader, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

BUSY_S = 30
# Raised with every change of the tables (medo1.lineage.schema). A ledger of another number is refused with what to do.
SCHEMA_VERSION = 1


class LedgerError(UserError):
    """The ledger cannot be used; the text says why and what to do."""


class NoLedgerError(LedgerError):
    """There is no ledger yet."""


class RunIdTakenError(LedgerError):
    """Another run has this id."""


class Ledger:
    """An open ledger.

    Args:
        settings: where it is.
        create: make it where there is none; a reader does not.

    Raises:
        NoLedgerError: when there is none and `create` is false.
        LedgerError: when it cannot be reached, or was written by another release.
    """

    def __init__(self, settings: Settings, *, create: bool = False) -> None:
        self.settings = settings
        self._made: Engine | None = None
        if settings.is_file and not create and not settings.file.is_file():
            raise NoLedgerError(
                f"There is no ledger at {settings.file} yet: the first `kedro run` starts it. If versions were saved "
                "before, `kedro audit rebuild` makes it from their manifests."
            )
        if settings.is_file:
            settings.file.parent.mkdir(parents=True, exist_ok=True)
        if create or not settings.is_file:
            self._made = _engine(settings)
        try:
            self._check_schema(create)
        except self._driver_errors() as error:
            cause = getattr(error, "orig", None) or error
            raise LedgerError(f"{_unreachable(settings)}: {_first_line(cause)}") from None

    @property
    def _engine(self) -> Engine:
        """SQLAlchemy's engine, made when first something is written: who only reads a file does without it."""
        if self._made is None:
            self._made = _engine(self.settings)
        return self._made

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """What sees one state of the ledger throughout."""
        if self._made is None:
            with closing(opened(self.settings.file, BUSY_S)) as file:
                yield Reader(file)
            return
        with self._made.connect() as connection:
            if not self.settings.is_file:
                yield Reader(None, connection)
                return
            connection.begin()  # what is asked past SQLAlchemy sees the same state too
            file = connection.connection.driver_connection  # type: ignore[assignment]
            yield Reader(file, connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it or nothing, whatever happens."""
        with self._engine.connect().execution_options(medo1_writes=True) as connection, connection.begin():
            yield connection

    def insert(
        self, connection: Connection, table: Table, row: Mapping[str, Any], *, replace: tuple[str, ...] = ()
    ) -> Any:
        """Insert a row, or leave the one that has its key, or replace the named columns of that.

        Returns:
            the row's `id`, where the table has one and it was inserted or replaced.
        """
        statement: Any
        if connection.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            statement = sqlite_insert(table).values(row)
        else:
            from sqlalchemy.dialects.postgresql import insert as postgresql_insert

            statement = postgresql_insert(table).values(row)
        if replace:
            statement = statement.on_conflict_do_update(
                index_elements=_conflict_columns(table), set_={name: statement.excluded[name] for name in replace}
            )
        else:
            statement = statement.on_conflict_do_nothing()
        if "id" in table.c:
            return connection.execute(statement.returning(table.c.id)).scalar()
        connection.execute(statement)
        return None

    def keep_document(self, connection: Connection, kind: str, content: str) -> str:
        """Keep a text under its digest, once; returns the digest."""
        from sqlalchemy import select

        from medo1.lineage.digests import digest_of_text
        from medo1.lineage.schema import document

        digest = digest_of_text(content)
        if connection.execute(select(document.c.digest).where(document.c.digest == digest)).first() is None:
            self.insert(connection, document, {"digest": digest, "kind": kind, "content": content})
        return digest

    def latest_run_id(self) -> str | None:
        """The highest id of a run; None before the first."""
        with self.reading() as reader:
            found: str | None = reader.value("SELECT max(id) FROM run")
        return found

    def close(self) -> None:
        """Give back the connections."""
        if self._made is not None:
            self._made.dispose()

    def __repr__(self) -> str:
        return f"Ledger({self.settings.url!r})"

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        if self._made is None:
            return (sqlite3.Error,)
        from sqlalchemy.exc import DBAPIError

        return (sqlite3.Error, DBAPIError)

    def _check_schema(self, create: bool) -> None:
        with self.reading() as reader:
            found = reader.value("SELECT value FROM meta WHERE key = 'schema'") if reader.has_table("meta") else None
        if found is None:
            if not create:
                raise NoLedgerError(
                    f"The database {self.settings.url} holds no ledger yet: the first `kedro run` starts it."
                )
            from medo1.lineage.schema import meta, metadata

            with self.writing() as connection:
                if connection.dialect.name == "postgresql":  # two first runs at once
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(62501064)")
                metadata.create_all(connection)
                self.insert(connection, meta, {"key": "schema", "value": str(SCHEMA_VERSION)})
            return
        if found != str(SCHEMA_VERSION):
            newer = found.isdigit() and int(found) > SCHEMA_VERSION
            raise LedgerError(
                f"The ledger {self.settings.url} has schema {found}, this medo1 reads and writes {SCHEMA_VERSION}. "
                + (
                    "It was written by a newer release: update medo1 (pip install --upgrade medo1)."
                    if newer
                    else "It was written by an older release: move it away and run `kedro audit rebuild`, "
                    "which makes a new one from the manifests beside the versions."
                )
            )


def _engine(settings: Settings) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    if not settings.is_file:
        try:
            url = make_url(settings.url).set(
                username=settings.credentials.get("username"), password=settings.credentials.get("password")
            )
            return create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise LedgerError(
                f"A ledger in PostgreSQL needs the package {error.name}: pip install 'medo1[postgres]'."
            ) from error
        except (ArgumentError, NoSuchModuleError) as error:
            raise LedgerError(f"lineage.yml: url {settings.url!r} is none ({error}).") from error
    engine = create_engine(f"sqlite:///{settings.file}", connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, so that writers begin as writers
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("medo1_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _conflict_columns(table: Table) -> list[str]:
    from sqlalchemy import UniqueConstraint

    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            return [column.name for column in constraint.columns]
    return [column.name for column in table.primary_key.columns]


def _unreachable(settings: Settings) -> str:
    if settings.is_file:
        return f"The ledger {settings.file} cannot be opened"
    return f"The ledger's database {settings.url} cannot be reached"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
