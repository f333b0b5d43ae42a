"""The ledger: the database that knows every run, what each node read and wrote, and how it ended.

Written by `medo1.lineage.recorder` while a run goes on, read by `medo1.lineage.audit`. A SQLite file in WAL mode by
default (readers never wait, writers take turns for milliseconds), PostgreSQL for a team. Nothing here imports Kedro.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.ledger_reader import LedgerReader
from medo1.lineage.ledger_settings import LedgerSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

# How long a first or last word to the ledger waits for others that write; what is said in between waits less.
BUSY_S = 30.0
PATIENCE_S = 0.5
# Raised with every change of the tables (medo1.lineage.schema). One of an older number is brought up to date where
# UPGRADES says how, any other is refused with what to do.
SCHEMA_VERSION = 2
UPGRADES = {
    1: (
        "ALTER TABLE run ADD COLUMN root TEXT",
        "ALTER TABLE run ADD COLUMN cost JSON",
        "ALTER TABLE version ADD COLUMN env TEXT",
        "ALTER TABLE version ADD COLUMN maker JSON",
        "ALTER TABLE version ADD COLUMN completions JSON",
        "ALTER TABLE version ADD COLUMN measures BOOLEAN",
        "UPDATE version SET env = (SELECT run.env FROM run WHERE run.id = version.run_id)",
    )
}


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

    def __init__(self, settings: LedgerSettings, *, create: bool = False) -> None:
        from sqlalchemy.exc import DBAPIError

        self.settings = settings
        self._copy: Path | None = None
        if settings.is_file:
            if create:
                settings.file.parent.mkdir(parents=True, exist_ok=True)
            elif not settings.file.is_file():
                raise NoLedgerError(
                    f"There is no ledger at {settings.file} yet: the first `kedro run` starts it. If versions were "
                    "saved before, `kedro audit rebuild` makes it from their manifests."
                )
        self._engine = _engine(settings)
        try:
            try:
                self._check_schema(create)
            except (sqlite3.OperationalError, DBAPIError) as error:
                if create or not settings.is_file or not _cannot_write(error):
                    raise
                self._read_a_copy()
        except (sqlite3.Error, DBAPIError) as error:
            cause = getattr(error, "orig", None) or error
            raise LedgerError(f"{_unreachable(settings)}: {_first_line(cause)}{_what_to_do(settings, cause)}") from None

    @contextmanager
    def reading(self) -> Iterator[LedgerReader]:
        """What sees one state of the ledger throughout."""
        with self._engine.connect() as connection, connection.begin():
            yield LedgerReader(connection)

    @contextmanager
    def writing(self, patience_s: float = BUSY_S) -> Iterator[Connection]:
        """A transaction: all of it or nothing, whatever happens.

        Args:
            patience_s: how long others that write are waited for.
        """
        self.refuse_a_copy()
        options = {"medo1_writes": True, "medo1_patience_s": patience_s}
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
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

    def last_written(self) -> int | None:
        """When something was written last, in nanoseconds of the file system's clock; None for a server, or never."""
        try:
            return Path(f"{self.settings.file}-wal").stat().st_mtime_ns if self.settings.is_file else None
        except OSError:
            return None

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def __repr__(self) -> str:
        return f"Ledger({self.settings.url!r})"

    def _read_a_copy(self) -> None:
        """Read a ledger that lies where nothing can be written (an archive, a full disk) from a copy of its own.

        What a killed process had written and not yet put into the file lies beside it and is copied too.
        """
        self._engine.dispose()
        self._copy = Path(tempfile.mkdtemp(prefix="medo1-ledger-"))
        own = self._copy / self.settings.file.name
        for ending in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{self.settings.file}{ending}", f"{own}{ending}")
        self._engine = _engine(self.settings, own)
        self._check_schema(create=False)

    def refuse_a_copy(self) -> None:
        """An error where the ledger is read from a copy, because nothing can be written where it lies."""
        if self._copy is not None:
            raise LedgerError(
                f"The ledger {self.settings.file} lies where nothing can be written, so this command cannot be "
                "answered; those that only read can."
            )

    def _check_schema(self, create: bool) -> None:
        with self.reading() as reader:
            found = reader.value("SELECT value FROM meta WHERE key = 'schema'") if reader.has_table("meta") else None
        if found is None:
            if not create:
                raise NoLedgerError(
                    f"The database {self.settings.url} holds no ledger yet: the first `kedro run` starts it."
                )
            from medo1.lineage.schema import meta, metadata

            with self._one_at_a_time() as connection:
                metadata.create_all(connection)
                self.insert(connection, meta, {"key": "schema", "value": str(SCHEMA_VERSION)})
            return
        if found.isdigit() and int(found) in UPGRADES:
            self._bring_up_to_date()
        elif found != str(SCHEMA_VERSION):
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

    def _bring_up_to_date(self) -> None:
        """Add what an older release's tables lack; another process may be doing the same."""
        with self._one_at_a_time() as connection:
            found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'schema'").scalar_one()
            for number in range(int(found), SCHEMA_VERSION):
                for statement in UPGRADES[number]:
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema'")  # noqa: S608

    @contextmanager
    def _one_at_a_time(self) -> Iterator[Connection]:
        options = {"medo1_writes": True}
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(62501064)")
            yield connection


def _engine(settings: LedgerSettings, file: Path | None = None) -> Engine:
    """SQLAlchemy's engine; `file` reads a SQLite file elsewhere in the place of the one that is configured."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    if not settings.is_file:
        try:
            url = make_url(settings.url).set(
                username=settings.credentials.get("username"), password=settings.credentials.get("password")
            )
            patience = {"connect_timeout": 5}
            return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
        except ModuleNotFoundError as error:
            raise LedgerError(
                f"A ledger in PostgreSQL needs the package {error.name}: pip install 'medo1[postgres]'."
            ) from error
        except (ArgumentError, NoSuchModuleError) as error:
            raise LedgerError(f"lineage.yml: url {settings.url!r} is none ({error}).") from error
    engine = create_engine(f"sqlite:///{file or settings.file}", connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, so that writers begin as writers
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("medo1_writes"):
            connection.exec_driver_sql("BEGIN")
            return
        patience_s = options.get("medo1_patience_s", BUSY_S)
        _write_ahead(connection, patience_s)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * patience_s)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Connection, patience_s: float) -> None:
    """Have readers never wait for writers. The switch itself waits for nobody, so it is tried until it succeeds."""
    from sqlalchemy.exc import OperationalError

    until = time.monotonic() + patience_s
    while connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _cannot_write(error: Exception) -> bool:
    """Whether a file could not be opened for want of a place to write in."""
    told = str(error)
    return any(part in told for part in ("readonly", "unable to open", "disk I/O", "disk is full"))


def _conflict_columns(table: Table) -> list[str]:
    from sqlalchemy import UniqueConstraint

    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            return [column.name for column in constraint.columns]
    return [column.name for column in table.primary_key.columns]


def _unreachable(settings: LedgerSettings) -> str:
    if settings.is_file:
        return f"The ledger {settings.file} cannot be opened"
    return f"The ledger's database {settings.url} cannot be reached"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _what_to_do(settings: LedgerSettings, error: BaseException) -> str:
    if settings.is_file and ("not a database" in str(error) or "malformed" in str(error)):
        return (
            ". The file is damaged: move it away and run `kedro audit rebuild`, which makes a new one from what lies "
            "beside the versions"
        )
    return ""
