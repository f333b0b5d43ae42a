"""The completion store: every answer that was ever paid for, keyed by the content of its request.

One SQLite file in WAL mode with `synchronous=FULL`: a commit is on disk when it returns, readers never wait, several
processes may write (they take turns for milliseconds). sqlite3 rather than SQLAlchemy because the store is SQLite by
contract, and an insert through an object layer costs more than sending the request.

An answer is kept under `request_id`, the digest of everything that the answer depends on. The first answer that is
committed wins; a second process that sent the same request at the same time also paid, but gets the first
answer, so that all runs see the same one. Errors are no answers: they go to `failures` with their reason.

Prompts and engine identities are kept once each, however many answers refer to them. Keys are in none of it.

An answer is also found where nothing tells it apart from what would come: under the address that an earlier version of
medo1 gave it, and under another limit of new tokens where the model had ended by itself within both.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from medo1.engines.base import Adapter, Completion, Engine, EngineError, Message, Request, Sampling, beyond_top_p
from medo1.engines.thought import apart, storable
from medo1.lineage.digests import canonical_json, digest_of_text, digest_of_value

VERSION = 3
BUSY_S = 120.0
ROWS_AT_ONCE = 500

SCHEMA = """
CREATE TABLE IF NOT EXISTS engines (engine_id TEXT PRIMARY KEY, identity TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS prompts (prompt_id TEXT PRIMARY KEY, messages TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    request_id TEXT PRIMARY KEY,
    engine_id TEXT NOT NULL REFERENCES engines,
    prompt_id TEXT NOT NULL REFERENCES prompts,
    sampling TEXT NOT NULL,
    sample INTEGER NOT NULL,
    seed INTEGER,
    adapter TEXT,
    at REAL NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    mean_logprob REAL,
    self_certainty REAL,
    confidence REAL,
    lowest_confidence REAL,
    latency_s REAL,
    model TEXT NOT NULL,
    error TEXT,
    reasoning TEXT NOT NULL,
    reasoning_tokens INTEGER,
    cached_prompt_tokens INTEGER,
    shared INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    unseen_prompt_tokens INTEGER NOT NULL DEFAULT 0,
    unseen_completion_tokens INTEGER NOT NULL DEFAULT 0,
    endless_id TEXT
);
CREATE TABLE IF NOT EXISTS failures (
    request_id TEXT NOT NULL,
    engine_id TEXT NOT NULL,
    prompt_id TEXT NOT NULL,
    at REAL NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    unusable INTEGER NOT NULL DEFAULT 0,
    unseen_prompt_tokens INTEGER NOT NULL DEFAULT 0,
    unseen_completion_tokens INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS aliases (request_id TEXT PRIMARY KEY, answer_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failures_by_request ON failures (request_id);
CREATE INDEX IF NOT EXISTS answers_that_ended ON answers (endless_id) WHERE finish_reason = 'stop';
CREATE INDEX IF NOT EXISTS answers_that_were_cut ON answers (endless_id) WHERE finish_reason = 'length';
"""

# What brings a file of an earlier version up to this one; the answers in it are kept.
UPGRADES = {
    1: "".join(
        f"ALTER TABLE answers ADD COLUMN {name} REAL;" for name in ("self_certainty", "confidence", "lowest_confidence")
    ),
    2: "ALTER TABLE answers ADD COLUMN endless_id TEXT;"
    + "".join(
        f"ALTER TABLE {table} ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0;"
        for table, name in (
            ("answers", "unseen_prompt_tokens"), ("answers", "unseen_completion_tokens"), ("failures", "unusable"),
            ("failures", "unseen_prompt_tokens"), ("failures", "unseen_completion_tokens"),
        )
    ),
}  # fmt: skip

# The columns of `answers` that are fields of a completion under the same name.
ANSWER = (
    "text", "finish_reason", "prompt_tokens", "completion_tokens", "mean_logprob", "self_certainty", "confidence",
    "lowest_confidence", "latency_s", "model", "error",
    "reasoning", "reasoning_tokens", "cached_prompt_tokens", "shared", "attempts", "unread", "unseen_prompt_tokens",
    "unseen_completion_tokens",
)  # fmt: skip
HEAD = ("request_id", "at", "engine", "messages", "sampling", "sample", "seed", "adapter")
_columns = attrgetter(*ANSWER)
READ = f"SELECT request_id, {', '.join(ANSWER)} FROM answers WHERE request_id IN ({{places}})"  # noqa: S608
READ_ALIAS = (
    f"SELECT l.request_id, a.request_id, {', '.join('a.' + name for name in ANSWER)} FROM aliases l "  # noqa: S608
    "JOIN answers a ON a.request_id = l.answer_id WHERE l.request_id IN ({places})"
)
READ_ENDED = (
    f"SELECT endless_id, request_id, sampling, {', '.join(ANSWER)} FROM answers "  # noqa: S608
    "WHERE endless_id IN ({places}) AND finish_reason = 'stop'"
)
READ_CUT = (
    "SELECT endless_id, completion_tokens, json_extract(sampling, '$.max_new_tokens') FROM answers "
    "WHERE endless_id IN ({places}) AND finish_reason = 'length' AND text != '' AND coalesce(reasoning_tokens, 0) = 0"
)
WRITE = (
    "INSERT OR IGNORE INTO answers (request_id, engine_id, prompt_id, sampling, sample, seed, adapter, at, endless_id, "  # noqa: S608
    f"{', '.join(ANSWER)}) VALUES ({', '.join('?' * (9 + len(ANSWER)))})"
)
UNUSABLE = (
    "SELECT request_id, sum(unusable), max(error) FROM failures WHERE request_id IN ({places}) GROUP BY request_id"
)
RECOVER = "kedro completions --store {path} recover --to NEW.sqlite"
FILL = (
    "UPDATE answers SET endless_id = endless_id_of(engine_id, prompt_id, sampling, sample, seed, adapter) "
    "WHERE endless_id IS NULL"
)
assert set(ANSWER) <= {field.name for field in fields(Completion)}


def prompt_text_of(messages: tuple[Message, ...]) -> str:
    """The conversation as the store keeps it: JSON pairs of role and content."""
    text = json.dumps([[message.role, message.content] for message in messages], ensure_ascii=False)
    # Halves of surrogate pairs become JSON's own escapes: they can be written, and read back as what they were.
    return text.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=256)
def _drawn(sampling: Sampling) -> str:
    return canonical_json(
        {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_new_tokens": sampling.max_new_tokens,
            "stop": sampling.stop,
            **beyond_top_p(sampling),
        }
    )


def request_address(request: Request, engine_id: str, prompt_id: str | None = None) -> str:
    """The content address of a request: SHA-256 over all that its answer depends on, 64 hex digits.

    Args:
        request: its `key` is left out, being the caller's.
        engine_id: `engine_address` of the engine that answers.
        prompt_id: digest of `prompt_text_of(request.messages)`, where it is known already.
    """
    if prompt_id is None:
        prompt_id = digest_of_text(prompt_text_of(request.messages))
    adapter = request.adapter.digest if request.adapter is not None else None
    return _address(engine_id, prompt_id, _drawn(request.sampling), request.sample, request.seed, adapter)


def _address(engine_id: str, prompt_id: str, sampling: str, sample: int, seed: int | None, adapter: str | None) -> str:
    return digest_of_text(f"{engine_id}\n{prompt_id}\n{sampling}\n{sample}\n{seed}\n{adapter or ''}")


def _endless_id(
    engine_id: str, prompt_id: str, sampling: str, sample: int, seed: int | None, adapter: str | None
) -> str:
    """The address without the limit of new tokens."""
    return _address(engine_id, prompt_id, _without_limit(sampling), sample, seed, adapter)


@lru_cache(maxsize=256)
def _without_limit(sampling: str) -> str:
    return canonical_json({name: value for name, value in json.loads(sampling).items() if name != "max_new_tokens"})


class Addresses:
    """Where the answers of an engine lie.

    Args:
        engine: its identity is taken now.
    """

    def __init__(self, engine: Engine) -> None:
        self.identity = engine.identity
        self.engine_id = engine_address(self.identity)
        earlier = {continued: engine.earlier_identity(continued=continued) for continued in (False, True)}
        self._earlier = {name: None if one is None else engine_address(one) for name, one in earlier.items()}

    def of(self, request: Request, prompt_id: str) -> str:
        """The request's content address; `prompt_id` is the digest of `prompt_text_of(request.messages)`."""
        return request_address(request, self.engine_id, prompt_id)

    def earlier_of(self, request: Request, prompt_id: str) -> str | None:
        """The address that an earlier version of medo1 gave it, where that is unambiguous."""
        earlier = self._earlier[request.messages[-1].role == "assistant"]
        return None if earlier is None else request_address(request, earlier, prompt_id)

    def endless_of(self, request: Request, prompt_id: str) -> str:
        """Its address without the limit of new tokens."""
        adapter = request.adapter.digest if request.adapter is not None else None
        sampling = _drawn(request.sampling)
        return _endless_id(self.engine_id, prompt_id, sampling, request.sample, request.seed, adapter)


class Kept(NamedTuple):
    """A kept answer: the id that it lies under, and its row for `kept_completion`."""

    request_id: str
    row: tuple[Any, ...]


def kept_completion(request_id: str, row: tuple[Any, ...], key: str) -> Completion:
    """A row of the store as the completion of the request that the caller calls `key`. Rows hold texts as they were
    written, so that a thought in one is taken out by the rules of today."""
    return apart(Completion(key, cached=True, request_id=request_id, **dict(zip(ANSWER, row, strict=True))))


def _as_written(completion: Completion) -> Completion:
    """The completion as a row holds it: every text storable, a thought that stood in the text back in its place."""
    if completion.written is None:
        try:
            f"{completion.text}{completion.reasoning}{completion.model}{completion.error}".encode()
        except UnicodeEncodeError:
            pass
        else:
            return completion
    texts = {name: getattr(completion, name) for name in ("text", "reasoning", "model")}
    alone = apart(replace(completion, text=completion.whole_text, reasoning="", written=None))
    if completion.written is not None and alone.reasoning == completion.reasoning:
        texts |= {"text": completion.written, "reasoning": ""}
    error = completion.error if completion.error is None else storable(completion.error)
    text, reasoning, model = (storable(texts[name]) for name in ("text", "reasoning", "model"))
    return replace(completion, text=text, reasoning=reasoning, model=model, error=error)


def engine_address(identity: Mapping[str, Any]) -> str:
    """The digest of an engine's identity, 64 hex digits."""
    return digest_of_value(dict(identity))


class Paid(NamedTuple):
    """A request and the answer to it, ready to be kept.

    Attributes:
        prompt_id, prompt: digest and text of `prompt_text_of(request.messages)`.
    """

    request_id: str
    prompt_id: str
    prompt: str
    request: Request
    completion: Completion


def exported(paid: Paid, identity: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as a row of `CompletionStore.rows`."""
    request = paid.request
    adapter = request.adapter.digest if request.adapter is not None else None
    head = (
        paid.request_id, time.time(), dict(identity), json.loads(paid.prompt), json.loads(_drawn(request.sampling)),
        request.sample, request.seed, adapter,
    )  # fmt: skip
    kept = _as_written(paid.completion)
    return {**dict(zip(HEAD, head, strict=True)), **dict(zip(ANSWER, _columns(kept), strict=True))}


def restored(row: Mapping[str, Any]) -> tuple[Paid, dict[str, Any]]:
    """A row that was exported, ready to be kept again, and the identity of the engine that answered.

    Raises:
        KeyError, TypeError, ValueError: for a row that is none.
    """
    sampling = row["sampling"]
    adapter = Adapter("", Path(), row["adapter"]) if row["adapter"] else None
    request = Request(
        "",
        tuple(Message(role, content) for role, content in row["messages"]),
        Sampling(**{**sampling, "stop": tuple(sampling["stop"])}),
        row["sample"],
        row["seed"],
        adapter,
    )
    prompt = prompt_text_of(request.messages)
    completion = Completion("", request_id=row["request_id"], **{name: row[name] for name in ANSWER if name in row})
    return Paid(row["request_id"], digest_of_text(prompt), prompt, request, completion), dict(row["engine"])


class CompletionStore:
    """A file of completions. Safe for several threads and processes; each thread has its own connection.

    Args:
        path: the SQLite file, made with its folder when missing. On a local disk: SQLite's locks are not safe on
            network file systems.

    Raises:
        EngineError: the file is no completion store, or of a newer medo1.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        self._known: set[str] = set()  # engines and recent prompts that are in the file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise EngineError(
                    f"{self.path}: written by a newer medo1 (store version {version}, this one knows up to {VERSION}): "
                    "update medo1"
                )
            if version == 0:
                self._refuse_foreign()
            if version < VERSION:
                self._bring_up_to_date()
            self._refuse_damaged()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from None

    def _refuse_foreign(self) -> None:
        """Tables of something else are left alone, even in a file that SQLite can read."""
        tables = [name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables:
            raise EngineError(
                f"{self.path}: not a completion store but a database of something else (its tables: "
                f"{', '.join(sorted(tables)[:5])}); give another path"
            )

    def _refuse_damaged(self) -> None:
        """The tables that this version needs, as it needs them."""
        for table, columns in (("answers", ANSWER), ("failures", ("unusable",)), ("engines", ()), ("prompts", ())):
            there = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            if not there or set(columns) - there:
                missing = ", ".join(sorted(set(columns) - there)) or table
                raise EngineError(
                    f"{self.path}: not a whole completion store ({missing} is missing); give another path, or recover "
                    f"what it holds: {RECOVER.format(path=self.path)}"
                )

    def _unusable(self, error: sqlite3.Error) -> EngineError:
        """What is wrong with the file, and how to recover what it holds."""
        if _is_full(error):
            return EngineError(f"{self.path}: the disk is full ({error}). Free some space and run again")
        if "locked" in str(error) or "busy" in str(error):
            return EngineError(f"{self.path}: another process has held it for {BUSY_S:g} s ({error}). Run again later")
        if "readonly" in str(error) or "unable to open" in str(error):
            return EngineError(f"{self.path}: cannot be written ({error}). Give another path, or the right to write it")
        return EngineError(
            f"{self.path}: not a completion store, or a damaged one ({error}). If answers are in it, recover them: "
            f"{RECOVER.format(path=self.path)}; else give another path or move it away"
        )

    def __repr__(self) -> str:
        return f"CompletionStore({str(self.path)!r})"

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Autocommit mode: transactions are begun by hand, so that they begin as writers and never fail half-way.
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.create_function("endless_id_of", 6, _endless_id, deterministic=True)
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _bring_up_to_date(self) -> None:
        """Make the tables, or add to those of an earlier version; another process may be doing the same."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            steps = [text for since, text in UPGRADES.items() if 0 < version <= since]
            for statement in "".join([*steps, SCHEMA, FILL + ";", f"PRAGMA user_version = {VERSION};"]).split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise

    def get(self, request_id: str, key: str) -> Completion | None:
        """The answer kept under an address, as the completion of the request that the caller calls `key`."""
        row = self.get_many([request_id]).get(request_id)
        if row is not None:
            return kept_completion(request_id, row, key)
        alias = self._by_alias([request_id]).get(request_id)
        return None if alias is None else kept_completion(*alias, key)

    def find(self, asked: Mapping[str, Request], prompts: Mapping[str, str], where: Addresses) -> dict[str, Kept]:
        """The answers to some requests (a few hundred at most), under their addresses or under others that nothing
        tells apart.

        Args:
            asked: requests by address.
            prompts: by the same addresses, the digest of `prompt_text_of(request.messages)`.
            where: addresses of the engine.
        """
        found = {name: Kept(name, row) for name, row in self.get_many(list(asked)).items()}
        missing = [name for name in asked if name not in found]
        if not missing:
            return found
        found |= self._by_alias(missing)
        earlier = {
            other: name
            for name in missing
            if name not in found and (other := where.earlier_of(asked[name], prompts[name])) is not None
        }
        if earlier:
            found |= {earlier[other]: Kept(other, row) for other, row in self.get_many(list(earlier)).items()}
        endless: dict[str, list[str]] = {}
        for name in missing:
            if name not in found:
                endless.setdefault(where.endless_of(asked[name], prompts[name]), []).append(name)
        for endless_id, request_id, sampling, *row in self._selected(READ_ENDED, list(endless)):
            counted = row[ANSWER.index("completion_tokens")]
            for name in endless[endless_id]:
                limit = asked[name].sampling.max_new_tokens
                if json.loads(sampling)["max_new_tokens"] <= limit or (counted is not None and counted <= limit):
                    found.setdefault(name, Kept(request_id, tuple(row)))
        return found

    def limits_of_cut(self, endless_ids: Sequence[str]) -> dict[str, list[int]]:
        """The limits at which answers were cut that can be continued, by address without the limit. An answer that was
        cut before its limit had filled the model's context."""
        found: dict[str, list[int]] = {}
        for start in range(0, len(endless_ids), ROWS_AT_ONCE):
            for endless_id, counted, limit in self._selected(READ_CUT, endless_ids[start : start + ROWS_AT_ONCE]):
                if counted == limit:
                    found.setdefault(endless_id, []).append(limit)
        return found

    def _by_alias(self, request_ids: Sequence[str]) -> dict[str, Kept]:
        return {name: Kept(other, tuple(row)) for name, other, *row in self._selected(READ_ALIAS, request_ids)}

    def _selected(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement.format(places=", ".join("?" * len(values))), values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from None

    def unusable(self, request_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """How often each of some requests was answered, and paid, with what could not be used; and the last reason."""
        found = self._selected(UNUSABLE, request_ids)
        return {request_id: (count, error) for request_id, count, error in found if count}

    def forget_failures(self) -> int:
        """Forget what failed, so that requests whose answers could not be used are sent again; returns how many."""
        return self._connection.execute("DELETE FROM failures").rowcount

    def get_many(self, request_ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """The answers kept under some addresses (a few hundred at most), each as a row for `kept_completion`."""
        return {row[0]: row[1:] for row in self._selected(READ, request_ids)}

    def __contains__(self, request_id: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM answers WHERE request_id = ?", (request_id,)).fetchone()
        return found is not None

    def put(self, paid: Sequence[Paid], engine_id: str, identity: Mapping[str, Any]) -> list[Completion]:
        """Commit answers and failures in one transaction; they are on disk when this returns.

        Args:
            paid: what came back; each completion has its `request_id`.
            engine_id, identity: of the engine that answered.

        Returns:
            the completions, in order; where another process was first, its answer.
        """
        try:
            return self._put(paid, engine_id, identity)
        except (UnicodeError, OverflowError, ValueError, sqlite3.IntegrityError, sqlite3.ProgrammingError, TypeError):
            if len(paid) == 1:
                raise
        told = []
        for one in paid:  # one row cannot be written as it is: it alone is lost, and says so
            try:
                told += self._put([one], engine_id, identity)
            except Exception as error:
                text = f"the answer came and cannot be kept ({type(error).__name__}: {error}): {one.completion.text!r}"
                told.append(Completion(one.completion.key, "", "error", error=text[:10_000], request_id=one.request_id))
        return told

    def _put(self, paid: Sequence[Paid], engine_id: str, identity: Mapping[str, Any]) -> list[Completion]:
        now = time.time()
        answers, failures, prompts = [], [], {}
        for one in paid:
            request, completion = one.request, _as_written(one.completion)
            prompts[one.prompt_id] = one.prompt
            if completion.finish_reason == "error":
                told = (completion.error or "", completion.attempts, completion.unread, completion.unusable)
                lost = (completion.unseen_prompt_tokens, completion.unseen_completion_tokens)
                failures.append((one.request_id, engine_id, one.prompt_id, now, *told, *lost))
                continue
            adapter = request.adapter.digest if request.adapter is not None else None
            drawn = _drawn(request.sampling)
            depends = (engine_id, one.prompt_id, drawn, request.sample, request.seed, adapter)
            asked = (one.request_id, *depends, now, _endless_id(*depends))
            answers.append((*asked, *_columns(completion)))
        new = [(name, text) for name, text in prompts.items() if name not in self._known]
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            if engine_id not in self._known:
                connection.execute(
                    "INSERT OR IGNORE INTO engines VALUES (?, ?)", (engine_id, canonical_json(dict(identity)))
                )
            connection.executemany("INSERT OR IGNORE INTO prompts VALUES (?, ?)", new)
            kept = connection.executemany(WRITE, answers).rowcount
            connection.executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", failures)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
        if len(self._known) > 10_000:  # noqa: PLR2004  (a cache of what need not be written again, not a record)
            self._known.clear()
        self._known |= {engine_id, *prompts}
        completions = [one.completion for one in paid]
        if kept < len(answers):  # somebody else was first with some of them
            completions = [self._first(completion) for completion in completions]
        return completions

    def _first(self, completion: Completion) -> Completion:
        """What the store holds for this request: our own answer, or one that was committed before it."""
        kept = self.get(completion.request_id, completion.key)
        if kept is None or completion.finish_reason == "error":
            return completion
        same = (kept.whole_text, kept.latency_s) == (completion.whole_text, completion.latency_s)
        return completion if same else kept

    def typical_completion_tokens(self, engine_id: str, model: str | None = None) -> float | None:
        """Mean completion tokens of the last thousand answers of an engine; None without any."""
        row = self._connection.execute(
            "SELECT avg(completion_tokens) FROM (SELECT completion_tokens FROM answers WHERE engine_id = ? "
            "AND completion_tokens IS NOT NULL ORDER BY rowid DESC LIMIT 1000)",
            (engine_id,),
        ).fetchone()
        return None if row[0] is None else float(row[0])

    # What `kedro completions` reads, moves and prunes

    def engines(self) -> dict[str, dict[str, Any]]:
        """The identities of the engines whose answers are kept, by their addresses."""
        found = self._connection.execute(
            "SELECT engine_id, identity FROM engines WHERE engine_id IN (SELECT engine_id FROM answers)"
        )
        return {engine_id: json.loads(identity) for engine_id, identity in found}

    def recover_from(self, damaged: Path) -> tuple[int, int]:
        """Take over what can be read of a damaged store; returns how many rows of all tables, and how many were lost.

        Every answer found is complete: it is a row with the columns of its own.
        """
        source = sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)
        taken = lost = 0
        for table in ("engines", "prompts", "answers", "failures", "aliases"):
            ours = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
            try:
                theirs = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
                names = [name for name in ours if name in theirs]
                wanted = f"SELECT {', '.join(names)} FROM {table}"  # noqa: S608
                most = None if table in {"engines", "aliases"} else source.execute(f"SELECT max(rowid) FROM {table}")  # noqa: S608
                ends = None if most is None else most.fetchone()[0] or 0
            except sqlite3.DatabaseError:
                lost += 1
                continue
            write = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
            pages = [("", ())] if ends is None else [(" WHERE rowid = ?", (place,)) for place in range(1, ends + 1)]
            for where, values in pages:
                try:
                    rows = source.execute(wanted + where, values).fetchall()
                    self._connection.executemany(write, rows)
                    taken += len(rows)
                except sqlite3.DatabaseError:
                    lost += 1
        source.close()
        self._connection.execute(FILL)
        return taken, lost

    def migrate(self, engine_id: str, identity: Mapping[str, Any]) -> int:
        """Have an engine's answers found under another identity too, and show it as theirs; returns how many.

        The answers stay where they are: what refers to them by their ids still finds them.
        """
        connection = self._connection
        other = engine_address(identity)
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.create_function("address_of", 6, _address, deterministic=True)
            moved = connection.execute(
                "INSERT OR IGNORE INTO aliases SELECT address_of(?, prompt_id, sampling, sample, seed, adapter), "
                "request_id FROM answers WHERE engine_id = ?",
                (other, engine_id),
            ).rowcount
            connection.execute(
                "UPDATE answers SET endless_id = endless_id_of(?, prompt_id, sampling, sample, seed, adapter) "
                "WHERE engine_id = ?",
                (other, engine_id),
            )
            connection.execute(
                "UPDATE engines SET identity = ? WHERE engine_id = ?", (canonical_json(dict(identity)), engine_id)
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
        return moved

    def rows(self, where: Filter | None = None, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Answers with their prompts and engines as JSON values, in the order in which they were kept.

        Read in pages, so memory stays flat.
        """
        condition, values = (where or Filter()).sql()
        last = -1
        left = limit
        while left is None or left > 0:
            page = ROWS_AT_ONCE if left is None else min(left, ROWS_AT_ONCE)
            found = self._connection.execute(
                "SELECT a.request_id, a.at, e.identity, p.messages, a.sampling, a.sample, a.seed, a.adapter, "  # noqa: S608
                f"{', '.join('a.' + name for name in ANSWER)}, a.rowid FROM answers a "
                "CROSS JOIN engines e USING (engine_id) CROSS JOIN prompts p USING (prompt_id) "  # rowid leads
                f"WHERE {condition} AND a.rowid > ? ORDER BY a.rowid LIMIT ?",
                (*values, last, page),
            ).fetchall()
            if not found:
                return
            for row in found:
                head = dict(zip(HEAD, row, strict=False))
                for name in ("engine", "messages", "sampling"):
                    head[name] = json.loads(head[name])
                yield {**head, **dict(zip(ANSWER, row[8:-1], strict=True))}
            last = found[-1][-1]
            if left is not None:
                left -= len(found)

    def failures(self, limit: int = 20) -> list[dict[str, Any]]:
        """The last failures: request, time, reason."""
        found = self._connection.execute(
            "SELECT request_id, at, error, attempts, unread FROM failures ORDER BY at DESC LIMIT ?", (limit,)
        ).fetchall()
        return [dict(zip(("request_id", "at", "error", "attempts", "unread"), row, strict=True)) for row in found]

    def totals(self, where: Filter | None = None) -> list[dict[str, Any]]:
        """Answers per engine and finish reason: count, tokens, first and last."""
        condition, values = (where or Filter()).sql()
        names = ("engine", "finish_reason", "answers", "prompt_tokens", "completion_tokens", "first_at", "last_at")
        found = self._connection.execute(
            "SELECT e.identity, a.finish_reason, count(*), sum(a.prompt_tokens * 1.0 / a.shared), "  # noqa: S608
            "sum(a.completion_tokens), min(a.at), max(a.at) FROM answers a JOIN engines e USING (engine_id) "
            f"JOIN prompts p USING (prompt_id) WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2",
            values,
        ).fetchall()
        return [{**dict(zip(names, row, strict=True)), "engine": json.loads(row[0])} for row in found]

    def count(self, where: Filter | None = None) -> int:
        """How many answers there are."""
        condition, values = (where or Filter()).sql()
        row = self._connection.execute(
            "SELECT count(*) FROM answers a JOIN engines e USING (engine_id) "  # noqa: S608
            f"JOIN prompts p USING (prompt_id) WHERE {condition}",
            values,
        ).fetchone()
        return int(row[0])

    def prune(self, where: Filter) -> int:
        """Delete answers, and prompts and failures that nothing refers to any more; returns how many answers went."""
        condition, values = where.sql()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            gone = connection.execute(
                "DELETE FROM answers WHERE request_id IN (SELECT a.request_id FROM answers a "  # noqa: S608
                f"JOIN engines e USING (engine_id) JOIN prompts p USING (prompt_id) WHERE {condition})",
                values,
            ).rowcount
            unused = "NOT IN (SELECT prompt_id FROM answers UNION SELECT prompt_id FROM failures)"
            connection.execute(f"DELETE FROM prompts WHERE prompt_id {unused}")  # noqa: S608
            connection.execute("DELETE FROM engines WHERE engine_id NOT IN (SELECT engine_id FROM answers)")
            connection.execute("DELETE FROM aliases WHERE answer_id NOT IN (SELECT request_id FROM answers)")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
        self._known.clear()
        return gone

    def close(self) -> None:
        """Close all threads' connections. The store may be used again: it opens new ones."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()


def _is_full(error: BaseException) -> bool:
    """Whether an error of SQLite means that there is no space left."""
    return getattr(error, "sqlite_errorname", "") in {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC"} or (
        "disk is full" in str(error) or "No space left" in str(error)
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which answers: all conditions that are given must hold.

    Attributes:
        model: part of the engine's model name or of the model as returned.
        text: part of a message or of the answer.
        finish_reason: `stop`, `length`, `content_filter`.
        before, after: seconds since the epoch.
        request_id: the beginning of an id.
        engine_id: the beginning of an engine's address.
    """

    model: str | None = None
    text: str | None = None
    finish_reason: str | None = None
    before: float | None = None
    after: float | None = None
    request_id: str | None = None
    engine_id: str | None = None

    @property
    def given(self) -> bool:
        return any(value is not None for value in asdict(self).values())

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """A condition over `answers a`, `engines e`, `prompts p`, and its values."""
        parts: list[tuple[str, tuple[Any, ...]]] = []
        if self.model is not None:
            parts.append(("(instr(e.identity, ?) OR instr(a.model, ?))", (self.model, self.model)))
        if self.text is not None:
            quoted = json.dumps(self.text, ensure_ascii=False)[1:-1]  # messages lie there as JSON
            parts.append(("(instr(p.messages, ?) OR instr(a.text, ?))", (quoted, self.text)))
        if self.finish_reason is not None:
            parts.append(("a.finish_reason = ?", (self.finish_reason,)))
        if self.before is not None:
            parts.append(("a.at < ?", (self.before,)))
        if self.after is not None:
            parts.append(("a.at >= ?", (self.after,)))
        if self.request_id is not None:
            parts.append(("substr(a.request_id, 1, ?) = ?", (len(self.request_id), self.request_id)))
        if self.engine_id is not None:
            parts.append(("substr(a.engine_id, 1, ?) = ?", (len(self.engine_id), self.engine_id)))
        condition = " AND ".join(text for text, _ in parts) or "1"
        return condition, tuple(value for _, values in parts for value in values)
