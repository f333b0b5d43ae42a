"""The tables of the ledger. SQLAlchemy Core, for SQLite and PostgreSQL.

    run ──< node_run ──< input >── version      what a node read: versions, files, parameters, engines
     │         └───────< version                what it wrote
     ├──< pin                                   what the run's free inputs were resolved to when it started
     └── document                               parameters, packages, diffs, code: each text once, by its digest
    version ──< tag

Times are UTC in ISO 8601, which sorts as text in both databases. A change of the tables raises
`medo1.lineage.ledger.SCHEMA_VERSION`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_ID = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

document = Table(
    "document",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # parameters, packages, diff, code
    Column("content", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),  # also the version that the run saves
    Column("site", Text, nullable=False),  # the project directory that it ran in; see LedgerSettings.site
    Column("command", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("pipelines", JSON, nullable=False),
    Column("selection", JSON, nullable=False),  # nodes, tags, namespaces, runner ...: only what was given
    Column("runtime_params", JSON, nullable=False),
    Column("from_run", Text),
    Column("parameters", Text),  # digest of a document, as the next three
    Column("effective_parameters", Text),
    Column("packages", Text),
    Column("diff", Text),
    Column("git_commit", Text),
    Column("git_branch", Text),
    Column("git_dirty", Boolean),
    Column("diff_digest", Text),  # also where the diff itself was too large to keep or held a secret
    Column("python", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("medo1", Text, nullable=False),
    Column("kedro", Text, nullable=False),
    Column("hardware", JSON, nullable=False),
    Column("user", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("heartbeat_at", Float, nullable=False),  # seconds since the epoch
    Column("ended_at", Text),
    Column("outcome", Text),  # finished, failed, interrupted; NULL: no end was written
    Column("error", Text),
    Column("rebuilt", Boolean, nullable=False, default=False),  # known from manifests only
    Column("root", Text),  # digest of the run's record, which names by digest all that the run was (run_records)
    Column("cost", JSON),  # what it paid engines: answers, tokens, dollars
)

node_run = Table(
    "node_run",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("run_id", Text, ForeignKey("run.id"), nullable=False),
    Column("node", Text, nullable=False),
    Column("function", Text),  # module:name
    Column("code", Text),  # digest of the code that it reaches; a document lists it
    Column("started_at", Text, nullable=False),
    Column("duration_s", Float),  # of the function alone
    Column("ended_at", Text),  # outputs saved
    Column("outcome", Text),  # finished, failed
    UniqueConstraint("run_id", "node"),
)

version = Table(
    "version",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("site", Text, nullable=False),  # empty for a URL, which is the same everywhere
    Column("location", Text, nullable=False),  # path below the site, or URL, of the dataset
    Column("version", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("node_run_id", _ID, ForeignKey("node_run.id")),
    Column("run_id", Text),  # no foreign key: a version may be known whose run is not
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("rows", BigInteger),
    Column("key", JSON, nullable=False),
    Column("rows_from", JSON, nullable=False),
    Column("saved_at", Text, nullable=False),
    Column("manifest", Text, nullable=False),  # digest of the manifest's text
    Column("pruned_at", Text),
    Column("env", Text),  # the environment in which it was saved
    Column("maker", JSON(none_as_null=True)),  # who made it, where no run did: by hand, or adopted
    Column("completions", JSON(none_as_null=True)),  # the store that paid for it, how many answers, their digest
    Column("measures", Boolean),  # it measures the run itself (time, cost) and comes out otherwise each time
    UniqueConstraint("site", "location", "version"),
    Index("version_by_dataset", "dataset", "version"),
    Index("version_by_node", "node_run_id"),
    Index("version_by_run", "run_id"),
)

input = Table(  # noqa: A001  (the word of the field)
    "input",
    metadata,
    Column("node_run_id", _ID, ForeignKey("node_run.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # version, file, parameters, engine, memory
    Column("version_id", _ID, ForeignKey("version.id")),
    Column("digest", Text),
    Column("detail", JSON(none_as_null=True)),
    Index("input_by_version", "version_id"),
)

pin = Table(
    "pin",
    metadata,
    Column("run_id", Text, ForeignKey("run.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # version, file
    Column("location", Text, nullable=False),
    Column("version", Text),
    Column("digest", Text),
)

tag = Table(
    "tag",
    metadata,
    Column("version_id", _ID, ForeignKey("version.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("protected", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("tag_by_name", "name"),
)

reproduction = Table(
    "reproduction",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("run_id", Text, ForeignKey("run.id"), nullable=False),
    Column("at", Text, nullable=False),
    Column("equal", Boolean, nullable=False),
    Column("detail", JSON, nullable=False),
)
