"""What a run's free inputs are: resolved once, when the run starts, and kept whatever other runs save meanwhile.

Kedro resolves "the latest version" each time that a dataset is loaded, so two runs at once can mix their inputs, and a
pin on an unversioned dataset is ignored without a word. Here a pin that cannot take effect is an error, the versions
of a run that is still going on are not taken (it may save the one and not yet the other), and inputs that come from
different versions of one ancestor are pointed out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kedro.io.core import DatasetError, VersionNotFoundError, is_parameter

from medo1.lineage.ledger import Ledger
from medo1.lineage.manifests import is_version_name
from medo1.lineage.recorder import Pin
from medo1.nearest import did_you_mean

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline

    from medo1.lineage.manifests import Manifest

    Catalog: TypeAlias = CatalogProtocol[Any, Any]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceRun:
    """Where free inputs are taken from: a run, but for the named files that may have changed since."""

    run: str
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Placed:
    """A version and the place in which it lies, as the ledger writes places."""

    version: str
    location: str


_SOURCE: ContextVar[SourceRun | None] = ContextVar("medo1_source_run", default=None)


@contextmanager
def inputs_from(run: str | None, changed: frozenset[str] = frozenset()) -> Iterator[None]:
    """Within this, a run takes every free input from `run` (`kedro run --from-run`)."""
    token = _SOURCE.set(SourceRun(run, changed) if run else None)
    try:
        yield
    finally:
        _SOURCE.reset(token)


def pinned_inputs(
    ledger: Ledger, pipeline: Pipeline, catalog: Catalog, given: Mapping[str, str], only_missing: bool
) -> tuple[list[Pin], str | None]:
    """Pin every free input in the catalog, and say to what.

    Args:
        ledger: knows tags, runs, and which of them are going on.
        pipeline: what is about to run.
        catalog: its datasets are pinned in place.
        given: pins that were asked for, a version or a tag by dataset.
        only_missing: nodes may be left out because their outputs exist; those outputs are inputs then.

    Returns:
        the pins, and the run that they were taken from, where one was named.

    Raises:
        DatasetError: when a pin cannot take effect, or an input has no version.
    """
    free = {name for name in pipeline.inputs() if not is_parameter(name)}
    if only_missing:
        free |= {name for name in pipeline.datasets() if _is_versioned(catalog, name) and catalog.exists(name)}
    wanted: dict[str, str | Placed] = dict(given)
    _refuse_idle(given, free, pipeline, catalog)
    source, source_id = _SOURCE.get(), None
    files: dict[str, str] = {}
    if source is not None:
        source_id, versions, files = _inputs_of_run(ledger, source, free, catalog)
        wanted = {**versions, **wanted}
    pins: list[Pin] = []
    missing = []
    for name in sorted(free):
        if not _is_versioned(catalog, name):
            pins.extend(_file_pin(ledger, catalog, name, files.get(name)))
            continue
        dataset = catalog.get(name)
        try:
            version, place = _resolved(ledger, dataset, name, wanted.get(name))
        except VersionNotFoundError:
            if name in wanted:
                raise
            missing.append(name)
            continue
        dataset.pin(version, place)
        manifest = dataset.manifest(version)
        location = ledger.settings.location_of(dataset.read_location)
        logger.info("%s is pinned to version %s%s", name, version, f" of {location}" if place else "")
        pins.append(Pin(name, "version", location, version, manifest.digest, manifest.run or None))
    if missing:
        raise DatasetError(_what_is_missing(ledger, missing))
    _point_out_mixture(ledger, pins)
    return pins, source_id


def _what_is_missing(ledger: Ledger, missing: list[str]) -> str:
    text = f"This run needs {', '.join(missing)}, and there is no complete version yet"
    with ledger.reading() as reader:
        query = (
            "SELECT DISTINCT env FROM version WHERE dataset IN (:missing) AND site IN (:sites) AND pruned_at IS NULL"
        )
        rows = reader.rows(query, missing=missing, sites=["", ledger.settings.site])
        others = sorted({ledger.settings.env_of(row["env"]) for row in rows} - {ledger.settings.env})
    if others:
        text += (
            f" in environment {ledger.settings.env}. Environment {' and '.join(others)} has some, and environments do "
            f"not read each other's: to go on from there, name a run of it, such as --from-run {others[0]}/latest"
        )
        text += ". Or run"
    else:
        text += ". Run"
    return (
        f"{text} the pipeline that makes it first (kedro registry describe lists each pipeline's nodes), or "
        "everything: kedro run."
    )


def _is_versioned(catalog: Catalog, name: str) -> bool:
    return hasattr(catalog.get(name), "pin")


def _refuse_idle(pins: Mapping[str, str], free: set[str], pipeline: Pipeline, catalog: Catalog) -> None:
    """An error for each pin that would be ignored: Kedro takes them all without a word."""
    for name, version in pins.items():
        if name not in free:
            if name in pipeline.datasets():
                why = "made by this run. To take an earlier version, name with --pipelines only what comes after it"
            else:
                versioned = sorted(one for one in free if _is_versioned(catalog, one))
                why = f"no input of this run. {did_you_mean(name, versioned)}"
            raise DatasetError(f"--load-versions {name}:{version} cannot take effect: {name} is {why}")
        if not _is_versioned(catalog, name):
            raise DatasetError(
                f"--load-versions {name}:{version} cannot take effect: {name} has no versions. "
                "Only what a run of medo1 made has versions."
            )


def _resolved(ledger: Ledger, dataset: Any, name: str, wanted: str | Placed | None) -> tuple[str, str | None]:
    """The version that a free input has in this run, and where it lies if not in the dataset's own place."""
    if isinstance(wanted, Placed):
        return wanted.version, ledger.settings.path_of(wanted.location)
    if wanted is not None:
        version = wanted if is_version_name(wanted) else _version_named(ledger, name, wanted).version
        try:
            dataset.manifest(version)
        except VersionNotFoundError:
            placed = _version_named(ledger, name, version, or_none=True)
            if placed is None:
                raise
            return placed.version, ledger.settings.path_of(placed.location)
        return version, None
    from medo1.lineage.audit.known_runs import goes_on

    before = None
    while True:
        version = dataset.latest_version(before)
        if version is None:
            break
        manifest = dataset.manifest(version)
        _refuse_made_by_hand(name, version, manifest)
        before = version
        env = ledger.settings.env_of(manifest.run_record.get("env"))
        if manifest.run and env != ledger.settings.env:
            logger.warning(
                "%s: version %s is not taken, because it was made in environment %s; to take it, pin it "
                "(--load-versions %s:%s)",
                *(name, version, env, name, version),
            )
            continue
        if not goes_on(ledger, manifest.run):
            return str(version), None
        logger.warning(
            "%s: version %s is not taken, because its run is still going on and may save more; to take it, pin it "
            "(--load-versions %s:%s)",
            name,
            version,
            name,
            version,
        )
    if before is not None:
        raise DatasetError(
            f"{name}: its only version {before} belongs to a run that is still going on, or to another environment. "
            f"Wait for it, or take it as it is: --load-versions {name}:{before}."
        )
    raise VersionNotFoundError(name)


def _refuse_made_by_hand(name: str, version: str, manifest: Manifest) -> None:
    """An error for a version that no run made and nobody named: nothing says what it was made from."""
    if manifest.run or manifest.maker.get("by") == "adopted":
        return
    from medo1.lineage.audit.verification import by_text

    raise DatasetError(
        f"{name}: its latest version {version} was made by no run ({by_text(manifest.maker)}), so nothing says what it "
        f"was made from. To use it all the same, name it: --load-versions {name}:{version}. To bring in what was made "
        f"elsewhere, with its origin: kedro audit adopt {name} PATH --origin TEXT. To go on from a run: --from-run RUN."
    )


def _version_named(ledger: Ledger, name: str, wanted: str, *, or_none: bool = False) -> Any:
    """The version of a dataset that a tag or a name means, wherever it lies."""
    from medo1.lineage.audit.references import UnknownReferenceError, find_version

    try:
        with ledger.reading() as connection:
            found = find_version(connection, ledger, f"{name}@{wanted}")
    except UnknownReferenceError as error:
        if or_none:
            return None
        raise DatasetError(f"--load-versions {name}:{wanted} cannot take effect: {error}") from error
    return Placed(found["version"], found["location"])


def _inputs_of_run(
    ledger: Ledger, source: SourceRun, free: set[str], catalog: Catalog
) -> tuple[str, dict[str, Placed], dict[str, str]]:
    """What a run's state of each free input was: versions, and digests of what comes from outside."""
    from medo1.lineage.audit.known_runs import inputs_and_outputs
    from medo1.lineage.audit.references import find_run

    with ledger.reading() as connection:
        run = find_run(connection, ledger, source.run)
        versions, digests = inputs_and_outputs(connection, run["id"])
    for name in sorted(source.changed - free):
        raise DatasetError(f"--changed {name}: there is no such input of this run. {did_you_mean(name, sorted(free))}")
    unknown = []
    for name in sorted(free):
        dataset = catalog.get(name)
        if _is_versioned(catalog, name):
            if name not in versions:
                unknown.append(name)
        elif hasattr(dataset, "digest") and name not in digests:
            unknown.append(name)
    unknown = [name for name in unknown if name not in source.changed]
    if unknown:
        raise DatasetError(
            f"--from-run {source.run} cannot take effect: run {run['id']} neither read nor wrote "
            f"{', '.join(unknown)}. Free inputs of this run: {', '.join(sorted(free))}."
        )
    chosen = {
        name: Placed(version, location)
        for name, (version, location) in versions.items()
        if name in free and name not in source.changed
    }
    return run["id"], chosen, {name: value for name, value in digests.items() if name not in source.changed}


def _file_pin(ledger: Ledger, catalog: Catalog, name: str, expected: str | None) -> Iterator[Pin]:
    """What comes from outside cannot be kept as it was, but it can be held against what it was."""
    dataset = catalog.get(name)
    if not hasattr(dataset, "digest") or not dataset.exists():
        return  # an engine or a cache; and what is missing says so itself, better, when it is loaded
    digest = dataset.digest()
    if expected is not None and digest != expected:
        raise DatasetError(
            f"--from-run cannot take effect: {name} has changed since that run (digest {digest[:12]}, then "
            f"{expected[:12]}). Put the old content back, or accept the new one: --changed {name}."
        )
    location = ledger.settings.location_of(str(getattr(dataset, "location", name)))
    yield Pin(name, "file", location, None, digest)


def _point_out_mixture(ledger: Ledger, pins: list[Pin]) -> None:
    """A warning where two inputs were made from different contents of one ancestor."""
    from medo1.lineage.audit.graph import different_ancestors

    with ledger.reading() as connection:
        for ancestor, versions in different_ancestors(connection, ledger, pins).items():
            told = "; ".join(f"{name} from {version}" for name, version in versions)
            logger.warning("The inputs of this run come from different versions of %s: %s", ancestor, told)
