"""Kills the whole journey in small at random moments. Called by test_killed.py and by benchmarks/kills.py.

    python -m tests.journey.killed_runs FOLDER COUNT SEED

All seven pipelines of the embedded world, one format and two arms. One warm process forks a run after another. A third
of the runs start with nothing kept; the others find the base model and the completions that killed ones left, and must
make the same of them. Few moments of a run's time fall into a save, so a tenth as many more runs are killed in one.
Prints JSON; how it goes on is told on standard error.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.lineage.page_marks import without_told
from tests.journey.scratch import FEW_CASES, SMALL, Scratch
from tests.lineage.killing import MOST_RUNS_EACH, KilledRuns, answer_of, counting_syncs

SMALLER: dict[str, Any] = SMALL | {
    "formats": SMALL["formats"] | {"cot": None, "longmonolog": None},
    "arms": SMALL["arms"] | {"vanilla_cot": None, "cot_sft": None, "longmonolog_sft": None},
    "clinic": {
        "exam": FEW_CASES,
        "textbook": {"documents": 200},
        "base": {
            "gates": SMALL["clinic"]["base"]["gates"],
            "model": {"hidden": 16, "layers": 1, "heads": 2, "feed_forward": 32, "positions": 1024},
            "loop": SMALL["clinic"]["base"]["loop"] | {"steps": 5},
        },
    },
    "synthesis": {"questions": 30},
    "inference": SMALL["inference"] | {"max_new_tokens": 24},
}
MOST_SAVES_EACH = 6  # runs that are killed in saves, of each that is asked for
NEW_EACH = 3  # every so many runs start with nothing kept
KEPT = ("06_models/.cache", "04_feature/completions.sqlite*", "07_model_output/completions.sqlite*")


class Journey(Scratch):
    """The embedded study in small, run in this process."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.configure("local/parameters.yml", SMALLER)

    def run(self) -> str:
        """All seven pipelines; returns the run's id."""
        from kedro.framework.project import settings
        from kedro.framework.startup import bootstrap_project

        os.chdir(self.path)
        bootstrap_project(self.path)
        with settings.SESSION_CLASS.create(self.path) as session:
            session.run()
            return str(session.session_id)

    def run_and_modules(self) -> list[str]:
        """A run; returns the names of all modules that are imported after it."""
        self.run()
        return sorted(sys.modules)

    def ledger(self) -> Any:
        """The ledger, open."""
        from medo1.configuration import project_loader
        from medo1.lineage.ledger import Ledger
        from medo1.lineage.ledger_settings import ledger_settings

        return Ledger(ledger_settings(project_loader(self.path, None), self.path))

    def forget_kept(self) -> None:
        """Delete what runs keep for later ones beside their versions: the base model, the completions."""
        for pattern in KEPT:
            for path in (self.path / "data").glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def digests(self, run: str) -> dict[str, str]:
        """Digest of each dataset that a run saved, but of those that measure the run itself; a page's without the parts
        that do."""
        manifests = (self.path / "data").glob(f"**/{run}/_manifest.json")
        told = {path: json.loads(path.read_text()) for path in manifests}
        return {
            one["dataset"]: _digest_of_page(path) if one["kind"] == "Page" else one["digest"]
            for path, one in told.items()
            if not one.get("measures")
        }

    def audit(self, *arguments: str) -> Any:
        """`kedro audit ...` in this process; returns the JSON that it prints."""
        from click.testing import CliRunner
        from kedro.framework.startup import bootstrap_project

        from medo1.commands.audit import audit

        os.chdir(self.path)
        bootstrap_project(self.path)
        return json.loads(CliRunner().invoke(audit, [*arguments, "--json"]).stdout)

    def findings(self) -> dict[str, int]:
        """How many problems of each kind `kedro audit verify` tells."""
        return dict(Counter(one["problem"] for one in self.audit("verify")["findings"]))


class Killing:
    """Kills one journey after another, and compares those that end with one that nobody disturbed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.undisturbed = _undisturbed(folder)
        self.seconds, self.rng = self.undisturbed.seconds, random.Random(seed)
        self.project = Journey(folder / "killed")
        self.runs = KilledRuns(self.project)
        self.differing: set[str] = set()

    def at_random_moments(self, count: int) -> None:
        """Until so many runs stand in the ledger as interrupted, at moments that are uniform over a run's time.

        The bound on the runs started is wide, so that the machine's speed does not decide.
        """
        while self.runs.counted()["interrupted"] < count:
            started = self._refuse_too_many(count)
            new = started % NEW_EACH == 0
            if new:
                self.project.forget_kept()
            at = time.perf_counter()
            ended = self._compared(self.runs.kill_one(self.rng.uniform(0, self.seconds)))
            if ended and new:  # it was faster than thought: the moments are drawn from a shorter time
                self.seconds = min(self.seconds, time.perf_counter() - at)

    def in_a_save(self, count: int) -> None:
        """So many runs, each at one of the moments when files are handed to the disk; and some more until one of them
        left a version half written, because checkpoints and records are handed to it too."""
        for done in range(MOST_SAVES_EACH * count):
            if done >= count and self.runs.half:
                return
            self._compared(self.runs.kill_itself(self.rng.randrange(self.undisturbed.syncs)))

    def last(self) -> bool:
        """A run that nobody kills; whether it completes."""
        run = self.runs.run_one()
        self._compared(run)
        return self.runs.states[run] == "finished"

    def _compared(self, ended: str | None) -> str | None:
        _new_folder(Path(tempfile.gettempdir()))
        if ended is not None:
            found, wanted = self.project.digests(ended), self.undisturbed.digests
            self.differing |= {name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}
        return ended

    def _refuse_too_many(self, count: int) -> int:
        runs = self.runs
        started = runs.killed + runs.ended
        if started >= MOST_RUNS_EACH * count:
            raise SystemExit(f"{runs.killed} kills and {runs.ended} whole runs, the ledger shows {runs.counted()}")
        if started % 10 == 0:
            print(f"{started} runs, {dict(runs.counted())}, {len(runs.half)} half-written, {len(runs.whole)} loaded, "
                  f"{len(runs.broken) + len(runs.wrong)} wrong", file=sys.stderr, flush=True)  # fmt: skip
        return started


def kill_journeys(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Kill runs at random moments until `count` of them stand in the ledger as interrupted, and some more in saves."""
    tempfile.tempdir = str(folder / "temporary")
    killing = Killing(folder, seed)
    runs, project = killing.runs, killing.project
    killing.at_random_moments(count)
    at_random = {"killed": runs.killed, "interrupted": runs.counted()["interrupted"], "half": len(runs.half)}
    killing.in_a_save(max(2, count // 10))
    completes = killing.last()
    said = folder / "audit.said"
    hit, found = answer_of(lambda: (nodes_hit(project), project.findings()), said)
    answer_of(lambda: project.audit("rebuild"), said)
    return {
        "at_random": at_random,
        "kills": runs.killed,
        "interrupted": runs.counted()["interrupted"],
        "before_the_ledger": runs.before_the_ledger,
        "after_the_end": runs.after_the_end,
        "ended": runs.ended,
        "nodes_hit": hit,
        "half_versions": len(runs.half),
        "loaded": len(runs.whole),
        "broken": runs.broken,
        "wrong": runs.wrong,
        "next_run_completes": completes,
        "compared": len(killing.undisturbed.digests),
        "differing": sorted(killing.differing),
        "found": found,
        "found_after_rebuild": answer_of(project.findings, said),
        "seconds_of_a_run": round(killing.seconds, 1),
    }


def nodes_hit(project: Journey) -> int:
    """In how many different nodes runs were killed, or just after them."""
    from sqlalchemy import func, select

    from medo1.lineage.schema import node_run, run

    ledger = project.ledger()
    last = select(func.max(node_run.c.id)).join(run, run.c.id == node_run.c.run_id).where(run.c.outcome.is_(None))
    with ledger.reading() as connection:
        numbers = [row[0] for row in connection.execute(last.group_by(run.c.id))]
        nodes = connection.execute(select(node_run.c.node).where(node_run.c.id.in_(numbers)).distinct())
        found = len(nodes.all())
    ledger.close()
    return found


def _digest_of_page(manifest: Path) -> str:
    page = manifest.with_name(manifest.parents[1].name).read_text(encoding="utf-8")
    return hashlib.sha256(without_told(page).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run that nobody kills: what it makes, its seconds in a warm process, how often its saves sync to the disk."""

    digests: dict[str, str]
    seconds: float
    syncs: int


def _undisturbed(folder: Path) -> Undisturbed:
    """Run twice: the first run tells which modules this process must have imported to be warm."""
    project = Journey(folder / "undisturbed")
    said = folder / "undisturbed.said"
    _new_folder(Path(tempfile.gettempdir()))
    sys.path.insert(0, str(project.path / "src"))
    importlib.import_module("trl.trainer.sft_trainer")  # the bulk of them, which so is not imported twice
    for name in answer_of(project.run_and_modules, said):
        with suppress(Exception):  # some are made by others, and cannot be imported by their name
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is imported need not be looked at again in each process
    project.forget_kept()
    started = time.perf_counter()
    run, syncs = answer_of(lambda: counting_syncs(project.run), said)
    return Undisturbed(project.digests(run), time.perf_counter() - started, syncs)


def _new_folder(path: Path) -> None:
    """An empty folder for temporary files: a killed run leaves its own."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)


def in_a_process(folder: Path, count: int, seed: int) -> subprocess.CompletedProcess[str]:
    """`kill_journeys` in a process that has not imported anything yet; the last line that it prints is JSON."""
    from tests.conftest import ROOT

    environment = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "KEDRO_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "MEDO1_CACHE": str(folder / "cache"),
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.journey.killed_runs", str(folder), str(count), str(seed)],
        cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(kill_journeys(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
