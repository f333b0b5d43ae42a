"""Runs that are forked from a warm process and killed, and what is looked at after each: for any project of medo1's.

A kill so costs what the run had taken, and not a start of Kedro and of PyTorch. Whatever reads or runs does so in a
process of its own, so that the warm one has no threads, which a fork would leave behind.
"""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

# Of the runs started, for each that must be found interrupted: kills before the ledger's first row do not count.
MOST_RUNS_EACH = 20


class Project(Protocol):
    """What is killed: a Kedro project in a folder."""

    path: Path

    def run(self) -> str:
        """A run in this process; returns its id."""

    def ledger(self) -> Any:
        """The project's ledger, open."""


class KilledRuns:
    """Kills runs of a project, and loads after each whatever claims to be complete and was not loaded before.

    Attributes:
        killed, ended: how many runs were killed; how many ended before their moment had come.
        before_the_ledger: of those killed, how many had not written their start yet.
        after_the_end: of those killed, how many had written their end already.
        states: of each run in the ledger, the state that it must keep.
        whole: versions that claim to be complete and were loaded, as `<location>/<version>`.
        half: directories of versions that were never completed.
        broken: of the versions that claim to be complete, what is wrong with those that are not; each a sentence.
        wrong: what the ledger should show and does not, each a sentence.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.killed = self.ended = self.before_the_ledger = self.after_the_end = 0
        self.states: dict[str, str] = {}
        self.whole: set[str] = set()
        self.half: set[str] = set()
        self.broken: list[str] = []
        self.wrong: list[str] = []
        self._said = project.path.with_name(f"{project.path.name}.said")

    def kill_one(self, seconds: float) -> str | None:
        """Start a run, kill it after so many seconds, look at everything.

        Returns:
            the run's id where it ended before the kill came; None where it was interrupted.
        """
        pid = started(self.project.run, self._said)
        _wait(pid, seconds)
        os.kill(pid, signal.SIGKILL)
        return self._after(pid)

    def kill_itself(self, sync: int) -> str | None:
        """As `kill_one`, but killed in a save: before the run's sync to the disk of this number, counted from 0."""
        return self._after(started(lambda: killed_at(sync, self.project.run), self._said))

    def run_one(self) -> str:
        """A run that nobody kills; returns its id."""
        run = str(answer_of(self.project.run, self._said))
        found = self.look()
        self.states |= {one: state for one, (state, _) in found.items() if one not in self.states}
        return run

    def look(self) -> dict[str, tuple[str, int]]:
        """Load what is new; returns state and process of each run in the ledger."""
        found = answer_of(lambda: look(self.project, self.whole | self.half), self._said)
        self.whole |= set(found["whole"])
        self.half |= set(found["half"])
        self.broken = list(dict.fromkeys(self.broken + found["broken"]))
        runs = {run: (state, pid) for run, state, pid in found["runs"]}
        for run, state in self.states.items():
            if run not in runs or runs[run][0] != state:
                self.wrong.append(f"run {run} was {state}, the ledger shows {runs.get(run, ('nothing', 0))[0]}")
        return runs

    def counted(self) -> Counter[str]:
        """How many runs are in each state."""
        return Counter(self.states.values())

    def _after(self, pid: int) -> str | None:
        """Wait for the end of the process, then look."""
        _, status = os.waitpid(pid, 0)
        was_killed = os.WIFSIGNALED(status)
        if not was_killed and status:
            self.wrong.append(f"a run failed by itself:\n{_tail(self._said)}")
        self.killed, self.ended = self.killed + was_killed, self.ended + (not was_killed)
        return self._told(self.look(), pid, was_killed)

    def _told(self, runs: dict[str, tuple[str, int]], pid: int, was_killed: bool) -> str | None:
        """Compare what the ledger tells of the run with what became of it."""
        new = {run: told for run, told in runs.items() if run not in self.states}
        self.states |= {run: state for run, (state, _) in new.items()}
        if not new and was_killed:
            self.before_the_ledger += 1
            return None
        if len(new) != 1 or next(iter(new.values()))[1] != pid:
            self.wrong.append(f"one run was started (process {pid}), the ledger shows {new}")
            return None
        run, (state, _) = next(iter(new.items()))
        if state == "finished":
            self.after_the_end += was_killed
            return run
        if not was_killed or state != "interrupted":
            self.wrong.append(f"run {run} was {'killed' if was_killed else 'left alone'}, the ledger shows it {state}")
        return None


def look(project: Project, known: set[str]) -> dict[str, Any]:
    """What lies in the project beyond what is known, all that is whole loaded; and the runs of its ledger.

    Every new version is loaded by name and its bytes are hashed anew, and the latest of each dataset is loaded as a
    later run would load it.
    """
    from medo1.lineage.audit.known_runs import latest_runs
    from medo1.lineage.ledger import NoLedgerError
    from medo1.lineage.places import Places

    try:
        ledger = project.ledger()
    except NoLedgerError:  # the first run was killed before it began one
        return {"whole": [], "half": [], "broken": [], "runs": []}
    places = Places(ledger.settings)
    whole, half, broken = [], [], []
    for root in ledger.settings.roots:
        for location in sorted(places.locations(root)):
            new = [name for name in places.versions(location) if f"{location}/{name}" not in known]
            claiming = [name for name in new if places.exists(location, name)]
            whole += [f"{location}/{name}" for name in claiming]
            half += [f"{location}/{name}" for name in new if name not in claiming]
            broken += [fault for name in claiming if (fault := _fault(places, location, name))]
            complete = [name for name in places.versions(location) if places.exists(location, name)]
            latest = complete[-1] if new and complete else None
            if latest and (fault := _fault(places, location, latest, by_name=False)):
                broken.append(fault)
    with ledger.reading() as connection:
        runs = [(run["id"], run["state"], run["pid"]) for run in latest_runs(connection, ledger, 1_000_000)]
    ledger.close()
    return {"whole": whole, "half": half, "broken": broken, "runs": runs}


def damaged(project: Project) -> list[str]:
    """The kinds of problems that `kedro audit verify` finds."""
    from medo1.datasets.paid_answers import paid_answers
    from medo1.lineage.audit.verification import known_facts, unaccounted, verify, versions_to_verify
    from medo1.lineage.places import Places

    ledger = project.ledger()
    places = Places(ledger.settings)
    with ledger.reading() as connection:
        rows = versions_to_verify(connection, ledger)
        found = verify(rows, known_facts(connection, rows), places, paid_answers)
        found += unaccounted(connection, ledger, places, ledger.settings.roots)
    ledger.close()
    return sorted({one.problem for one in found})


def answer_of(call: Callable[[], Any], said: Path) -> Any:
    """What a call gives in a process of its own, as JSON values; what that process prints lands in the file `said`."""
    pid = started(call, said)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"a process ended with status {status}:\n{_tail(said)}")
    return json.loads(_answer(said).read_text())


def counting_syncs(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call gives, and how often it handed something to the disk (`os.fsync`), as a save does several times."""
    synced = 0
    sync = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        sync(descriptor)

    os.fsync = counted
    try:
        return call(), synced
    finally:
        os.fsync = sync


def killed_at(number: int, call: Callable[[], Any]) -> Any:
    """Make the call; this process is killed before its sync of that number, counted from 0."""
    left = number
    sync = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        sync(descriptor)

    os.fsync = counted
    return call()


def started(call: Callable[[], Any], said: Path) -> int:
    """Fork a process that makes the call and keeps its answer; returns the process's number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(1, 2)
        _answer(said).write_text(json.dumps(call()))
        status = 0
    except BaseException:  # the process ends here, whatever happened
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _answer(said: Path) -> Path:
    return said.with_suffix(".json")


def _tail(said: Path) -> str:
    return said.read_text(errors="replace")[-3000:]


def _wait(pid: int, seconds: float) -> None:
    """Until the time is over or the process has ended; it stays to be waited for."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.001)


def _fault(places: Any, location: str, version: str, *, by_name: bool = True) -> str | None:
    """What is wrong with a version that claims to be complete; None where it loads and is what was saved.

    Args:
        by_name: load it by its name; else as the latest, which it must be.
    """
    from kedro.io.core import Version

    import medo1.datasets
    from medo1.lineage.manifests import Manifest

    try:
        manifest = Manifest.from_json(places.manifest_text(location, version), location)
        kind = getattr(medo1.datasets, manifest.kind)
        path = str(Path(places.data_path(location, version)).parents[1])
        dataset = kind(filepath=path, version=Version(version if by_name else None, None))
        dataset.load()
        loaded, content = dataset.resolve_load_version(), places.content(location, version)
    except Exception as error:  # every way to fail is what is looked for
        return f"{location}/{version} does not load: {type(error).__name__}: {error}"
    if loaded != version:
        return f"{location}: the latest complete version is {version}, loaded was {loaded}"
    if (content.digest, content.size_bytes) != (manifest.digest, manifest.size_bytes):
        return f"{location}/{version} is not what its manifest says"
    return None
