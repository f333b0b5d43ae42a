"""Running a run again: its commit, its uncommitted changes, its parameters, its pins, in a directory of its own.

The copy is a git worktree. Pinned versions are linked into it, files from outside too if they are still the same, and
completion stores are copied, so that an answer that was paid is not paid again; `fresh` asks every engine anew. It has
a root and a ledger of its own, so that nothing is written where the first run was recorded. Then the digests of
everything that the first run saved are compared, but for what measures the run itself (`measures_run` in the catalog).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.audit.known_runs import document, whole_run
from medo1.lineage.audit.staleness import changes
from medo1.lineage.environment import installed_packages
from medo1.lineage.known_digests import KNOWN
from medo1.lineage.ledger import Ledger
from medo1.lineage.ledger_settings import ROOT_NAME, LedgerSettings
from medo1.lineage.manifests import MANIFEST_NAME, Manifest, is_version_name
from medo1.lineage.page_marks import without_told
from medo1.lineage.recorder import now_text
from medo1.lineage.redaction import HIDDEN

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]

# Only Kedro's own names: the commit that is run may be older than what is here.
SCRIPT = """
import json, sys
from pathlib import Path
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
call = json.loads(Path(sys.argv[1]).read_text())
bootstrap_project(Path.cwd())
with settings.SESSION_CLASS.create(Path.cwd(), env=call["env"], runtime_params=call["parameters"]) as session:
    session.run(pipeline_names=call["pipelines"], load_versions=call["pins"], **call["selection"])
"""
SELECTED = ("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces")


class CannotReproduceError(UserError):
    """A run cannot be run again as it was; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One version of the first run and what came of it now: `equal`, `different`, `missing`, `measured`.

    What measures the run itself (time, cost) may differ, and is outside the verdict.
    """

    dataset: str
    outcome: str
    before: str
    after: str | None


@dataclass(slots=True)
class Reproduction:
    """How a run came out again."""

    run: str
    worktree: Path
    compared: list[Compared] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    exit_code: int = 0

    @property
    def equal(self) -> bool:
        return self.exit_code == 0 and not self.different

    @property
    def different(self) -> list[Compared]:
        """What should have come out again and did not."""
        return [one for one in self.compared if one.outcome not in ("equal", "measured")]


def reproduce(
    connection: LedgerReader, ledger: Ledger, run: Row, *, fresh: bool = False, keep: bool = False, quiet: bool = False
) -> Reproduction:
    """Run a run again and compare.

    Args:
        fresh: ask engines anew instead of using the completions that were kept.
        keep: leave the worktree; it is left anyway where something differs.
        quiet: do not pass on what the run prints.

    Raises:
        CannotReproduceError: saying why not.
    """
    known = whole_run(connection, ledger, run)
    diff = _difference(connection, run)
    project = ledger.settings.project
    _refuse(known, project)
    top = Path(_git(project, "rev-parse", "--show-toplevel").strip())
    folder = Path(tempfile.mkdtemp(prefix="medo1-reproduce-"))
    worktree = folder / "tree"
    _git(top, "worktree", "add", "--quiet", "--detach", str(worktree), run["git_commit"])
    again = Reproduction(run["id"], worktree / project.relative_to(top))
    finished = False
    try:
        if diff:
            _git(worktree, "apply", "--whitespace=nowarn", "-", text=diff)
        _furnish(connection, known, ledger.settings, again.worktree, fresh)
        again.packages = _package_changes(known)
        again.exit_code = _rerun(known, again.worktree, quiet)
        again.compared = [_compared(row, ledger.settings, again.worktree) for row in known["outputs"]]
        finished = True
    finally:
        if not finished or (again.equal and not keep):
            _git(top, "worktree", "remove", "--force", str(worktree), check=False)
            shutil.rmtree(folder, ignore_errors=True)
            _git(top, "worktree", "prune", check=False)
    return again


def remember(ledger: Ledger, again: Reproduction) -> None:
    """Write into the ledger how a run came out again."""
    from medo1.lineage.schema import reproduction

    with ledger.writing() as connection:
        row = {
            "run_id": again.run,
            "at": now_text(),
            "equal": again.equal,
            "detail": {
                "exit_code": again.exit_code,
                "different": [one.dataset for one in again.different],
                "compared": len(again.compared),
                "packages": again.packages,
            },
        }
        connection.execute(reproduction.insert().values(row))


def _refuse(run: Row, project: Path) -> None:
    reasons = []
    if run["rebuilt"] or run["parameters"] is None:
        reasons.append("the ledger was rebuilt from manifests, which do not hold all that it was called with")
    if not run["git_commit"]:
        reasons.append("it ran outside a git repository, so its code is not known")
    elif not _git(project, "cat-file", "-t", run["git_commit"], check=False).strip():
        reasons.append(f"its commit {run['git_commit'][:12]} is not in this repository (git fetch?)")
    if run["git_dirty"] and not run["diff"]:
        reasons.append("it ran with uncommitted changes that were not kept: larger than 1 MiB, binary, or with a key")
    if HIDDEN in json.dumps(run["parameters"]):
        reasons.append("one of its parameters was hidden because it looked like a key")
    remote = [row["dataset"] for row in run["outputs"] if "://" in row["location"]]
    if remote:
        reasons.append(f"it saves to URLs ({', '.join(remote[:3])}), and a rerun would save there too")
    if not run["outputs"]:
        reasons.append("it saved nothing that could be compared")
    if reasons:
        raise CannotReproduceError(f"Run {run['id']} cannot be reproduced: {'; '.join(reasons)}.")


def _difference(connection: LedgerReader, run: Row) -> str | None:
    return document(connection, run["diff"])


def _furnish(connection: LedgerReader, run: Row, settings: LedgerSettings, worktree: Path, fresh: bool) -> None:
    """Put into the worktree what git does not hold: pinned versions, files from outside, local configuration."""
    project = settings.project
    for pin in run["pins"]:
        location = pin["location"]
        if "://" in location or Path(location).is_absolute():
            continue
        if pin["kind"] == "version":
            source = Path(settings.path_of(location)) / pin["version"]
            if not (source / MANIFEST_NAME).is_file():
                raise CannotReproduceError(
                    f"Run {run['id']} cannot be reproduced: it read {pin['name']}@{pin['version']}, which is not there "
                    "any more."
                )
            for place in _places_of(location, settings.env_of(run["env"])):
                _link(source, worktree / place / pin["version"])
            continue
        target, outside = worktree / location, Path(settings.path_of(location))
        if not target.exists() and outside.exists():
            if KNOWN.of_tree(outside).digest != pin["digest"]:
                raise CannotReproduceError(
                    f"Run {run['id']} cannot be reproduced: {pin['name']} ({location}) is not in git and has changed "
                    "since."
                )
            _link(outside, target)
    (worktree / "conf" / "local").mkdir(parents=True, exist_ok=True)  # Kedro asks for it, git keeps no empty folder
    for file in sorted((project / "conf" / "local").glob("*.yml")):
        if not file.name.startswith(("parameters", "lineage")):
            _link(file, worktree / "conf" / "local" / file.name)
    _own_ledger(run["env"], worktree)
    if not fresh:
        for store in _stores(connection, run["id"]):
            source = Path(settings.path_of(store))
            if source.is_file() and not Path(store).is_absolute():
                (worktree / store).parent.mkdir(parents=True, exist_ok=True)
                with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(worktree / store)) as other:
                    one.backup(other)


def _places_of(location: str, env: str) -> list[str]:
    """Where a version lies, and where the run's own environment would keep it: a pin is looked for there."""
    top, _, rest = location.partition("/")
    if env == "base" or top != ROOT_NAME or rest.startswith(f"{env}/"):
        return [location]
    return [location, f"{top}/{env}/{rest}"]


def _stores(connection: LedgerReader, run_id: str) -> set[str]:
    """Paths of the completion stores of the engines that a run asked."""
    from sqlalchemy import select

    from medo1.lineage.schema import input as input_
    from medo1.lineage.schema import node_run

    query = (
        select(input_.c.detail)
        .join(node_run, node_run.c.id == input_.c.node_run_id)
        .where((node_run.c.run_id == run_id) & (input_.c.kind == "engine"))
    )
    details = [row.detail or {} for row in connection.execute(query)]
    return {store for detail in details if (store := (detail.get("configuration") or {}).get("store"))}


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.symlink_to(source.resolve(), target_is_directory=source.is_dir())


def _rerun(run: Row, worktree: Path, quiet: bool) -> int:
    pins = {pin["name"]: pin["version"] for pin in run["pins"] if pin["kind"] == "version"}
    selection = {name: run["selection"][name] for name in SELECTED if run["selection"].get(name)}
    if run["selection"].get("only_missing_outputs"):
        selection["only_missing_outputs"] = True
    call = {
        "env": run["env"] or None,
        "parameters": run["parameters"],
        "pipelines": run["pipelines"],
        "pins": pins,
        "selection": selection,
    }
    file = worktree / "data" / "reproduce.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(call), encoding="utf-8")
    given = [str(Path(part).resolve()) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    path = os.pathsep.join([str(worktree / "src"), *given])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)],
        cwd=worktree,
        env={**os.environ, "PYTHONPATH": path, "MEDO1_ROOT": ROOT_NAME, "KEDRO_DISABLE_TELEMETRY": "1"},
        check=False,
        capture_output=quiet,
    )
    return done.returncode


def _compared(row: Mapping[str, Any], settings: LedgerSettings, worktree: Path) -> Compared:
    folder = worktree / row["location"]
    names = sorted((path.name for path in folder.glob("*") if is_version_name(path.name)), reverse=True)
    for name in names:
        file = folder / name / MANIFEST_NAME
        if file.is_file() and not (folder / name).is_symlink():
            digest = Manifest.from_json(file.read_bytes(), str(file)).digest
            then = Path(settings.path_of(row["location"]), row["version"], folder.name)
            same = digest == row["digest"] or (row["kind"] == "Page" and _same_page(then, folder / name / folder.name))
            outcome = "equal" if same else "measured" if row["measures"] else "different"
            return Compared(row["dataset"], outcome, row["digest"], digest)
    return Compared(row["dataset"], "missing", row["digest"], None)


def _same_page(then: Path, now: Path) -> bool:
    """Whether two pages are the same but for what only their runs know: when they ran, and how long that took."""
    texts = [without_told(file.read_text(encoding="utf-8")) for file in (then, now) if file.is_file()]
    return len(texts) == 2 and texts[0] == texts[1]  # noqa: PLR2004


def _own_ledger(env: str, worktree: Path) -> None:
    """Have the rerun write into a ledger of its own, whatever the commit's configuration says."""
    folder = worktree / "conf" / (env or "local")
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("lineage*"):
        file.unlink()
    (folder / "lineage.yml").write_text(f"url: sqlite:///{ROOT_NAME}/ledger.sqlite\ncredentials: null\n")


def _package_changes(run: Row) -> list[str]:
    return changes(run["packages"] or {}, installed_packages())


def _git(folder: Path, *arguments: str, text: str | None = None, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, input=text, capture_output=True, text=True, check=False)
    if check and done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise CannotReproduceError(
            f"git {' '.join(arguments[:2])} failed: {reason[-1] if reason else done.returncode}."
        )
    return done.stdout
