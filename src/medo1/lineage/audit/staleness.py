"""What would come out otherwise if it were made again: outputs whose inputs, parameters, prompts or code have changed.

Only the latest version of each dataset is asked about. Contents are compared, not names: an input that was made again
with the same bytes makes nothing stale. Parameters are held against what the configuration says now (of the
environment that the version's run had), prompts and files against what lies there now, code against the sources. How
nodes are wired is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.graph import direct_inputs
from medo1.lineage.audit.known_runs import document
from medo1.lineage.audit.known_versions import heads, of_this_environment
from medo1.lineage.code import CodeReader
from medo1.lineage.ledger import Ledger
from medo1.lineage.outside_files import possible_digests
from medo1.lineage.places import Places

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
MISSING = object()
NOT_SET = "(not set)"


@dataclass(slots=True)
class Stale:
    """A version that is out of date, and why; `through` are stale inputs that it was made from."""

    version: Row
    reasons: list[str] = field(default_factory=list)
    through: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Configuration:
    """What the project says now, for one environment."""

    parameters: Mapping[str, Any]
    catalog: Mapping[str, Any]


def stale_versions(
    connection: LedgerReader, ledger: Ledger, places: Places, configuration: Callable[[str], Configuration]
) -> tuple[list[Stale], int]:
    """The stale ones among the latest versions, in the order in which they are made, and how many were looked at.

    Args:
        configuration: what the project says now in an environment.
    """
    everywhere = heads(connection, ledger, places)
    by_location = {row["location"]: row for row in everywhere}
    latest = of_this_environment(ledger, everywhere)
    packages = {row["function"].partition(":")[0].partition(".")[0] for row in latest if row["function"]} | {"medo1"}
    judge = _Judge(connection, ledger, by_location, configuration, CodeReader(sorted(packages)))
    found = {row["id"]: judge.judged(row) for row in latest}
    judge.close()
    # What is made from something stale is stale too, and is told so, however far down.
    changed = True
    while changed:
        changed = False
        for row in latest:
            for location in judge.read_from.get(row["id"], ()):
                up = by_location.get(location)
                if up is None or up["id"] == row["id"] or up["id"] not in found:
                    continue
                source = found[up["id"]]
                if (source.reasons or source.through) and up["dataset"] not in found[row["id"]].through:
                    found[row["id"]].through.append(up["dataset"])
                    changed = True
    stale = [one for one in found.values() if one.reasons or one.through]
    return sorted(stale, key=lambda one: (bool(one.through), one.version["dataset"])), len(latest)


class _Judge:
    def __init__(
        self,
        connection: LedgerReader,
        ledger: Ledger,
        latest: Mapping[str, Row],
        configuration: Callable[[str], Configuration],
        reader: CodeReader,
    ) -> None:
        self._connection, self._ledger, self._latest, self._reader = connection, ledger, latest, reader
        self._configuration = configuration
        self._configurations: dict[str, Configuration] = {}
        self._runs: dict[str, tuple[str, Mapping[str, Any] | None] | None] = {}
        self._nodes: dict[int, tuple[list[str], list[str]]] = {}
        self.read_from: dict[int, list[str]] = {}

    def close(self) -> None:
        self._reader.close()

    def judged(self, row: Row) -> Stale:
        """A version with the reasons of its own; all outputs of a node share them."""
        number = row["node_run_id"]
        if number is None:
            return Stale(row)
        if number not in self._nodes:
            self._nodes[number] = self._judged_node(row)
        reasons, locations = self._nodes[number]
        self.read_from[row["id"]] = locations
        return Stale(row, list(reasons))

    def _judged_node(self, row: Row) -> tuple[list[str], list[str]]:
        reasons, locations = self._code_reasons(row), []
        for read in direct_inputs(self._connection, row):
            match read["kind"]:
                case "version" if read["version"] is not None:
                    locations.append(read["version"]["location"])
                    reasons += self._version_reasons(read)
                case "parameters":
                    reasons += self._parameter_reasons(row, read)
                case "file":
                    reasons += self._file_reasons(read)
                case "engine":
                    reasons += self._engine_reasons(row, read)
        return reasons, locations

    def _version_reasons(self, read: Row) -> list[str]:
        used = read["version"]
        newest = self._latest.get(used["location"])
        if newest is None:
            return [f"{read['name']}: no version of it is there any more"]
        if newest["version"] > used["version"] and newest["digest"] != used["digest"]:
            return [f"{read['name']}: made from {used['version']}, the latest is {newest['version']}"]
        return []

    def _parameter_reasons(self, row: Row, read: Row) -> list[str]:
        env, then = self._run(row["run_id"]) or ("", None)
        if then is None:
            return []  # a rebuilt run: what it was called with is known, what the files said is not
        path = read["name"].removeprefix("params:")
        now = self._now(env).parameters
        before, after = _at(then, path), _at(now, path)
        if before == after:
            return []
        return [f"{read['name']}: {change}" for change in changes(before, after)]

    def _file_reasons(self, read: Row) -> list[str]:
        location = (read["detail"] or {}).get("location", "")
        path = Path(self._ledger.settings.path_of(location))
        if "://" in location or not path.exists():
            return [] if "://" in location or "@" in (read["digest"] or "") else [f"{read['name']}: {location} is gone"]
        return [] if read["digest"] in possible_digests(path) else [f"{read['name']}: {location} has changed"]

    def _engine_reasons(self, row: Row, read: Row) -> list[str]:
        detail = read["detail"] or {}
        then = detail.get("configuration")
        if then is None:
            return []
        env, _ = self._run(row["run_id"]) or ("", None)
        entry = self._now(env).catalog.get(read["name"])
        reasons = []
        if entry is not None:
            now = {"engine": entry.get("engine"), "options": dict(entry.get("options") or {})}
            before = {"engine": then.get("engine"), "options": then.get("options") or {}}
            reasons += [f"{read['name']}: {change}" for change in changes(before, now)]
        module, _, name = str(then.get("engine", "")).rpartition(".")
        reached = self._reader.reached_from(f"{module}:{name}")
        if reached is not None and detail.get("code") and reached.digest != detail["code"]:
            reasons.append(f"{read['name']}: the engine's code has changed")
        return reasons

    def _code_reasons(self, row: Row) -> list[str]:
        if not row["function"] or not row["code"]:
            return []
        reached = self._reader.reached_from(row["function"])
        if reached is None:
            return [f"code: {row['function']} is gone"]
        if reached.digest == row["code"]:
            return []
        text = document(self._connection, row["code"])
        if text is None:
            return [f"code: {row['function']} or what it uses has changed"]
        return [f"code: {', '.join(_named(changed_parts(json.loads(text), reached.parts)))}"]

    def _run(self, run_id: str | None) -> tuple[str, Mapping[str, Any] | None] | None:
        if run_id is None:
            return None
        if run_id not in self._runs:
            found = self._connection.first("SELECT env, parameters FROM run WHERE id = :run_id", run_id=run_id)
            if found is None:
                self._runs[run_id] = None
            else:
                text = document(self._connection, found["parameters"])
                self._runs[run_id] = (found["env"], json.loads(text) if text else None)
        return self._runs[run_id]

    def _now(self, env: str) -> Configuration:
        if env not in self._configurations:
            now = self._configuration(env)
            # As the ledger keeps them: in JSON every key is a text.
            told = [json.loads(json.dumps(dict(one), default=str)) for one in (now.parameters, now.catalog)]
            self._configurations[env] = Configuration(*told)
        return self._configurations[env]


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Definitions (`module:name`) that were changed, added or removed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def changes(before: Any, after: Any, path: str = "") -> list[str]:
    """What differs between two JSON values, one line a place: `train.rate: 0.1 -> 0.2`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            line
            for key in sorted({*before, *after}, key=str)
            for line in changes(
                before.get(key, MISSING), after.get(key, MISSING), f"{path}.{key}" if path else str(key)
            )
        ]
    if before is not MISSING and after is not MISSING and before == after:
        return []
    told = f"{path}: " if path else ""
    return [f"{told}{shown_value(before)} -> {shown_value(after)}"]


def shown_value(value: Any) -> str:
    """A JSON value in a line."""
    return NOT_SET if value is MISSING or value is None else json.dumps(value, ensure_ascii=False)


def _at(value: Any, path: str) -> Any:
    if path == "parameters":
        return value
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _named(parts: list[str], most: int = 4) -> list[str]:
    return parts if len(parts) <= most else [*parts[:most], f"and {len(parts) - most} more"]
