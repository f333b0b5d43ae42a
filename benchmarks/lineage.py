"""How fast lineage is: the audit on a ledger of 10,000 runs, the hooks on a run, hashing, and 200 interrupted runs.

    python benchmarks/lineage.py [--runs 10000] [--repeats 7] [--kills 200]

The audit's commands are timed as a person waits for them, each as a process of its own, beside `kedro --version` in the
same project, which is what Kedro itself takes. The hooks are timed as what
they add to runs of one small study, with and without them in turn, hashing and the datasets' own work being on both
sides. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
DATASETS = 60
NODES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="runs in the ledger, of 20 versions each")
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement; medians are told")
    parser.add_argument("--kills", type=int, default=200, help="killed runs that the ledger must show as interrupted")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    os.environ.update(KEDRO_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", PYTHONPATH=os.pathsep.join(sys.path[:2]))
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDO1_CACHE"] = f"{folder}/cache"
        result |= hashing(Path(folder), arguments.repeats)
        result |= hook_overhead(Path(folder), arguments.repeats)
        result |= audit_of_many(Path(folder), arguments.runs, arguments.repeats)
        if arguments.kills:
            result |= kills(Path(folder), arguments.kills)
    print(json.dumps(result))


def timed(call: Callable[[], Any], repeats: int) -> list[float]:
    """Seconds of each of `repeats` calls."""
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return found


def told(name: str, values: list[float], unit: str) -> float:
    """Print the median and the spread; return the median."""
    median = statistics.median(values)
    print(f"{name:<44}{median:>10.3f} {unit:<6}{min(values):>10.3f} to {max(values):.3f}")
    return round(median, 4)


def hashing(folder: Path, repeats: int) -> dict[str, Any]:
    """A file of 1 GB, eight files of 256 MB, and writing through the hash."""
    from medo1.lineage.digests import HashingFile, content_of_file, content_of_tree

    block = os.urandom(16 << 20)
    large = folder / "large"
    with large.open("wb") as file:
        for _ in range(64):
            file.write(block)
    size = large.stat().st_size / 1e9
    one = [size / s for s in timed(lambda: content_of_file(large), repeats)]
    tree = folder / "tree"
    tree.mkdir()
    for number in range(8):
        with (tree / f"{number}.safetensors").open("wb") as file:
            for _ in range(8):
                file.write(block)
    several = [size / s for s in timed(lambda: content_of_tree(tree), repeats)]
    result = {
        "hash_gb_per_s": told("hash one file, from the page cache", one, "GB/s"),
        "hash_tree_gb_per_s": told("hash eight files of a directory", several, "GB/s"),
    }

    def write(kind: Any) -> None:
        target = folder / "written"
        target.unlink(missing_ok=True)
        with kind(target) as file:
            for _ in range(16):
                file.write(block)

    through = [size / 4 / s for s in timed(lambda: write(HashingFile), repeats)]
    plain = [size / 4 / s for s in timed(lambda: write(lambda path: path.open("wb")), repeats)]
    told("write a file and hash it while writing", through, "GB/s")
    told("write a file", plain, "GB/s")
    shutil.rmtree(tree)
    large.unlink()
    return result


def hook_overhead(folder: Path, repeats: int) -> dict[str, Any]:
    """What the hooks add to a run of eight nodes and nine versions, in milliseconds and as a share of a run."""
    from kedro.framework.project import settings
    from tests.lineage.tiny_project import TinyProject

    project = TinyProject(folder / "hooks")
    project.commit()
    project.run()
    without = folder / "without"
    project.copy_to(without)
    settings_file = without / "src" / project.package / "settings.py"
    text = settings_file.read_text().replace("HOOKS = (LineageHooks(paid_answers, paid_since),)", "HOOKS = ()")
    settings_file.write_text(text.replace("SESSION_CLASS = LineageSession", ""))
    script = (
        "import sys, time, json, logging\nfrom pathlib import Path\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "logging.disable(logging.CRITICAL)\nbootstrap_project(Path.cwd())\n"
        "from kedro.framework.project import settings\nfound = []\n"
        "for _ in range(int(sys.argv[1])):\n"
        "    with settings.SESSION_CLASS.create(Path.cwd()) as session:\n"
        "        start = time.perf_counter(); session.run(); found.append(time.perf_counter() - start)\n"
        "print(json.dumps(found))"
    )

    def runs(where: Path, count: int) -> list[float]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(where / "src")])}
        command = [sys.executable, "-c", script, str(count)]
        done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return list(json.loads(done.stdout.splitlines()[-1]))

    assert settings is not None
    pairs = [(runs(project.path, 4), runs(without, 4)) for _ in range(repeats)]
    first = told("added to the first run of a process", [1000 * (a[0] - b[0]) for a, b in pairs], "ms")
    later = told(
        "added to a later run", [1000 * (statistics.median(a[1:]) - statistics.median(b[1:])) for a, b in pairs], "ms"
    )
    print(f"{'':<6}of which a node of two versions: {later / 8:.1f} ms; the embedded study has 38 nodes")
    study = 0.001 * (first + later * 30 / 8) / EMBEDDED_STUDY_S
    print(f"{'share of the embedded study (' + str(EMBEDDED_STUDY_S) + ' s)':<44}{study:>10.4f}")
    return {"hook_overhead": round(study, 5), "hook_first_run_ms": first, "hook_later_run_ms": later}


# What the embedded study takes at the least, on an idle core (clinic recipe): the share would be smaller on a busy one.
EMBEDDED_STUDY_S = 127


def audit_of_many(folder: Path, runs: int, repeats: int) -> dict[str, Any]:
    """`lineage`, `versions` and `stale` on a large ledger, whose latest versions lie on disk."""
    from tests.lineage.tiny_project import TinyProject

    project = TinyProject(folder / "many")
    project.run()
    filled = timed(lambda: fill(project, runs), 1)[0]
    size = project.settings().file.stat().st_size / 1e6
    print(f"a ledger of {runs:,} runs and {runs * NODES:,} versions: {size:.0f} MB, written in {filled:.0f} s")
    # From here on a project of this package: its command line, its settings and its config loader are what is timed.
    project.edit("pyproject.toml", f'package_name = "{project.package}"', 'package_name = "medo1"')
    for file in sorted((project.path / "conf/base").glob("parameters*.yml")):
        file.unlink()  # they are the other package's
    for file in sorted((ROOT / "conf/base").glob("*.yml")):
        if file.stem.startswith(("parameters", "globals")):
            shutil.copy(file, project.path / "conf/base")
    env = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(project.path / "src")]),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),  # compiled once, as a person's second command finds it
        "KEDRO_LOGGING_CONFIG": str(ROOT / "conf" / "logging.yml"),
    }

    def called(program: str, *arguments: str) -> None:
        command = [sys.executable, "-m", program, *arguments]
        done = subprocess.run(command, cwd=project.path, env=env, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr + done.stdout)

    questions = {
        "lineage": ("lineage", "set07"),
        "versions": ("versions", "set07"),
        "stale": ("stale",),
        "runs": ("runs",),
        "trace": ("trace", "results", "accuracy", "--where", "arm=taught"),
        "diff": ("diff", "results", "latest", "latest"),
        "verify": ("verify", "results"),
        "prune": ("prune",),
        "export": ("export", "latest"),
    }
    commands = {"kedro --version": ("kedro", "--version")}
    for question in questions.values():
        commands[" ".join(["kedro", "audit", *question])] = ("kedro", "audit", *question)
    for command in commands.values():
        called(*command)
    # In turn, so that a machine that slows down slows all of them.
    rounds = [{name: timed(lambda c=command: called(*c), 1)[0] for name, command in commands.items()}
              for _ in range(repeats)]  # fmt: skip
    medians = {name: told(name, [one[name] for one in rounds], "s") for name in commands}
    base = medians["kedro --version"]
    result: dict[str, Any] = {"kedro_alone_s": base}
    for name, question in questions.items():
        by_kedro = medians[" ".join(["kedro", "audit", *question])]
        result[f"{name}_10k_s"] = by_kedro
        result[f"{name}_10k_beyond_kedro_s"] = round(by_kedro - base, 4)
    return result


def fill(project: Any, runs: int) -> None:
    """Runs of twenty nodes over sixty datasets: each node reads three earlier versions, files and parameters."""
    from medo1.lineage import schema
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.manifests import MANIFEST_NAME, Manifest

    ledger = Ledger(project.settings())
    with ledger.reading() as reader:
        template = reader.first("SELECT * FROM run")
    stamp, code = "2026-01-01T00:00:00.000+00:00", template["effective_parameters"]
    latest: dict[int, int] = {}
    number = 10_000
    for start in range(0, runs, 500):
        rows: dict[str, list[dict[str, Any]]] = {"run": [], "node": [], "version": [], "input": []}
        for index in range(start, min(start + 500, runs)):
            day, milliseconds = divmod(index, 1000)
            run_id = f"2026-01-{1 + day:02d}T00.00.00.{milliseconds:03d}Z"
            rows["run"].append({**template, "id": run_id})
            for node in range(NODES):
                number += 1
                dataset = (index * NODES + node) % DATASETS
                done = {"duration_s": 1.0, "ended_at": stamp, "outcome": "finished"}
                own = {"run_id": run_id, "node": f"node{node}", "function": None, "code": code, "started_at": stamp}
                rows["node"].append({"id": number, **own, **done})
                digest = f"{number:064x}"
                manifest = Manifest(f"set{dataset:02d}", run_id, run_id, f"node{node}", "Table", digest, 1, 1, stamp)
                location = f"data/set{dataset:02d}.parquet"
                where = {"site": "", "location": location, "version": run_id, "dataset": manifest.dataset}
                made = {"node_run_id": number, "run_id": run_id, "kind": "Table", "key": [], "rows_from": {}}
                what = {"digest": digest, "size_bytes": 1, "rows": 1, "saved_at": stamp, "manifest": digest}
                rows["version"].append({"id": number, **where, **made, **what})
                for step in (1, 7, 13):
                    source = latest.get((dataset - step) % DATASETS)
                    if source is not None and step <= dataset:
                        rows["input"].append({"node_run_id": number, "name": f"in{step}", "kind": "version",
                                              "version_id": source, "digest": digest, "detail": None})  # fmt: skip
                rows["input"].append({"node_run_id": number, "name": "params:train", "kind": "parameters",
                                      "version_id": None, "digest": digest, "detail": {"rate": 0.1}})  # fmt: skip
                latest[dataset] = number
                if index >= runs - 3:
                    place = project.path / location / run_id
                    place.mkdir(parents=True, exist_ok=True)
                    (place / MANIFEST_NAME).write_text(manifest.to_json())
        with ledger.writing() as connection:
            connection.execute(schema.run.insert(), rows["run"])
            connection.execute(schema.node_run.insert(), rows["node"])
            connection.execute(schema.version.insert(), rows["version"])
            connection.execute(schema.input.insert(), rows["input"])
    ledger.close()


def kills(folder: Path, count: int) -> dict[str, Any]:
    """Runs killed at random moments: everything that claims to be complete must load."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.lineage.killed_runs", str(folder / "killed"), str(count), "7"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"killed {found['killed']} runs: {found['states']}, half-written directories seen {found['half_versions']}, "
          f"problems at the end: {', '.join(found['damaged']) or 'none'}")  # fmt: skip
    return {"kills": found["killed"], "kills_interrupted": found["states"].get("interrupted", 0)}


if __name__ == "__main__":
    main()
