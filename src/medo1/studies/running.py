"""Runs the cells of a study: each a `kedro run` of its own, and reads what it came to."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.studies.cell_results import (
    ABILITIES,
    ANSWERS,
    CHAINS,
    FAITHFULNESS,
    CellResult,
    followed,
    questions_and_arms,
)
from medo1.studies.cells import Cell
from medo1.studies.kept_cells import KeptCells

if TYPE_CHECKING:
    from medo1.lineage.audit.run_tables import SavedValue
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.places import Places

LAST_LINES = 12  # of a failed run's screen that are kept
TOLD_TO_END = {1, 2, 15}  # SIGHUP, SIGINT, SIGTERM


class RunStoppedError(UserError):
    """A cell's run was told to end, so nothing is known of the cell."""


class RunProcesses:
    """The runs of this process, so that none goes on when it leaves."""

    def __init__(self) -> None:
        self._going: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.ending = False

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a run; its exit status."""
        with self._lock:
            self._going.add(process)
            if self.ending:
                process.terminate()
        try:
            return process.wait()
        finally:
            with self._lock:
                self._going.discard(process)

    def end(self) -> None:
        """Tell all runs to end; they keep what was paid for."""
        with self._lock:
            if self._going:
                self.ending = True
            for process in self._going:
                process.terminate()


RUNS = RunProcesses()


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What became of a cell: its result, why it failed, or neither: it was told to end (`stopped`), or another process
    is at it."""

    cell: Cell
    result: CellResult | None = None
    failure: str | None = None
    stopped: bool = False


@dataclass(frozen=True)
class CellRunner:
    """Runs one cell in a project.

    Attributes:
        project: its folder.
        kept: where results go.
        logs: where the screens of runs go.
        threads: that a run may compute with.
    """

    project: Path
    kept: KeptCells
    logs: Path
    threads: int = 1

    def __call__(self, cell: Cell) -> CellOutcome:
        """Run the cell, unless another process is at it, and keep what it came to.

        A run that fails is kept as a failure, and stops no other. One told to end is none: its cell is missing.
        """
        with self.kept.claim(cell) as mine:
            if not mine:
                return CellOutcome(cell)
            try:
                result = self._ran(cell)
            except RunStoppedError:
                return CellOutcome(cell, stopped=True)
            except UserError as error:
                self.kept.keep_failure(cell, str(error), None)
                return CellOutcome(cell, failure=str(error))
            self.kept.keep(cell, result)
            return CellOutcome(cell, result)

    def _ran(self, cell: Cell) -> CellResult:
        from medo1.lineage.audit.known_runs import seconds_between

        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{cell.name}.log"
        pid, status = self._kedro_run(cell, log)
        if status:
            raise UserError(_last_words(log, status))
        with self._ledger() as (ledger, places), ledger.reading() as connection:
            query = "SELECT * FROM run WHERE pid = :pid ORDER BY started_at DESC LIMIT 1"
            run = connection.first(query, pid=pid)
            if run is None or run["outcome"] != "finished":
                raise UserError(_last_words(log, status))
            from medo1.lineage.audit.run_tables import saved_values

            saved = saved_values(
                connection, places, run["id"], lambda name: name.endswith((ANSWERS, ABILITIES, CHAINS, FAITHFULNESS))
            )
        record = {
            "id": run["id"], "root": run["root"], "commit": run["git_commit"], "dirty": bool(run["git_dirty"]),
            "seconds": round(seconds_between(run["started_at"], run["ended_at"]) or 0.0, 1),
            "hardware": run["hardware"],
        }  # fmt: skip
        return cell_result(self.kept.name, cell, record, saved)

    def _kedro_run(self, cell: Cell, log: Path) -> tuple[int, int]:
        """The process and its exit status."""
        import yaml

        study = self.kept.study
        given = {"env": study.env, "pipelines": ",".join(study.pipelines), "params": dict(cell.parameters)}
        with tempfile.TemporaryDirectory(prefix="medo1-cell-") as folder, log.open("w", encoding="utf-8") as screen:
            config = Path(folder) / "cell.yml"
            config.write_text(yaml.safe_dump({"run": given}, sort_keys=False), encoding="utf-8")
            variables = {"OMP_NUM_THREADS": str(self.threads), **os.environ}
            command = [sys.executable, "-m", "kedro", "run", "--config", str(config)]
            process = subprocess.Popen(
                command, cwd=self.project, stdout=screen, stderr=subprocess.STDOUT, env=variables
            )
            self.kept.claim_for_run(cell, process.pid)
            status = RUNS.wait(process)
            if RUNS.ending or -status in TOLD_TO_END:
                raise RunStoppedError(f"The run of {cell.name} was told to end.")
            return process.pid, status

    def _ledger(self) -> Any:
        from medo1.configuration import project_loader
        from medo1.lineage.ledger import Ledger
        from medo1.lineage.ledger_settings import ledger_settings
        from medo1.lineage.places import Places

        @contextmanager
        def opened() -> Iterator[tuple[Ledger, Places]]:
            settings = ledger_settings(project_loader(self.project, self.kept.study.env), self.project)
            ledger = Ledger(settings)
            try:
                yield ledger, Places(settings)
            finally:
                ledger.close()

        return opened()


def _last_words(log: Path, status: int) -> str:
    told = "\n".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:])
    return f"The run ended with status {status}. Its last words ({log}):\n{told}"


def cell_result(name: str, cell: Cell, record: Mapping[str, Any], saved: Mapping[str, SavedValue]) -> CellResult:
    """A cell's result from what its run saved.

    Raises:
        UserError: no arm answered.
    """
    answers = {name.removesuffix(ANSWERS): one.value for name, one in saved.items() if name.endswith(ANSWERS)}
    questions, arms = questions_and_arms(answers)
    if not arms:
        raise UserError("No arm answered a question: do the study's `pipelines` end with inference?")
    trained: dict[str, Any] = next((one.value for name, one in saved.items() if name.endswith(ABILITIES)), {})
    return CellResult(
        study=name,
        cell=cell.digest,
        levels=dict(cell.levels),
        run=dict(record),
        questions=questions,
        arms=arms,
        abilities={kind: round(share, 4) for kind, share in trained.get("recall", {}).items()},
        weights=trained.get("parameters"),
        chains={name.removesuffix(CHAINS): len(one.value) for name, one in saved.items() if name.endswith(CHAINS)},
        faithfulness=followed(next((one.value for name, one in saved.items() if name == FAITHFULNESS), None)),
        made_from={
            name: {"version": one.row["version"], "digest": one.row["digest"]} for name, one in sorted(saved.items())
        },
    )


def outcomes(run: Callable[[Cell], CellOutcome], cells: Sequence[Cell], jobs: int) -> Generator[CellOutcome]:
    """What becomes of cells, as they end, so many at a time.

    Closing the iterator starts no more; the runs that go on are ended.
    """
    left = iter(cells)
    pool = ThreadPoolExecutor(max_workers=jobs)
    going: set[Future[CellOutcome]] = set()
    try:
        for cell in left:
            going.add(pool.submit(run, cell))
            if len(going) >= jobs:
                ended, going = wait(going, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in ended)
        while going:
            ended, going = wait(going, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in ended)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        RUNS.end()


def outcomes_on_ray(
    run: Callable[[Cell], CellOutcome], cells: Sequence[Cell], address: str, threads: int
) -> Generator[CellOutcome]:
    """The same on the machines of a Ray cluster, which share the project's folder.

    Raises:
        UserError: Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError("--ray needs Ray: pip install 'medo1[ray]'") from error
    ray.init(address=None if address == "local" else address, log_to_driver=False)
    try:
        remote = ray.remote(num_cpus=threads)(_on_a_worker)
        going = [remote.remote(run, cell) for cell in cells]
        while going:
            ended, going = ray.wait(going)
            yield from ray.get(ended)
    finally:
        ray.shutdown()


def _on_a_worker(run: Callable[[Cell], CellOutcome], cell: Cell) -> CellOutcome:
    return run(cell)
