"""How long `kedro registry list` and `kedro --help` take here, beside an empty Kedro project made on the spot; and
`medo1 answers` on a file of one line, beside an interpreter that imports click and nothing else.

    python benchmarks/startup.py [--runs 9]

Both projects are asked in turn, so that a machine that slows down slows both. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {"registry_list": ["registry", "list"], "help": ["--help"]}
# The commands run from this process's own environment, whatever is on the path.
KEDRO = [sys.executable, "-m", "kedro"]


def made_empty_project(folder: Path) -> Path:
    """A project as `kedro new` makes it, without tools and example."""
    subprocess.run(
        [*KEDRO, "new", "--name=empty", "--tools=none", "--example=n", "--telemetry=no"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "empty"


def seconds(project: Path, arguments: list[str]) -> float:
    """Wall time of one command."""
    started = time.perf_counter()
    subprocess.run([*KEDRO, *arguments], cwd=project, check=True, capture_output=True, env=environment())
    return time.perf_counter() - started


def cpu_seconds(command: list[str], folder: str) -> float:
    """CPU time of one command and what it started."""
    before = os.times()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def environment() -> dict[str, str]:
    """Telemetry off on both sides: it would measure the network."""
    return {**os.environ, "KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="runs of each command in each project")
    runs = parser.parse_args().runs
    result: dict[str, object] = {}
    print(
        f"{'command':<15}{'medo1 s':>10}{'empty s':>10}{'ratio':>8}{'lowest':>8}{'highest':>9}   medians of {runs} runs"
    )
    with tempfile.TemporaryDirectory() as folder:
        empty = made_empty_project(Path(folder))
        for name, arguments in COMMANDS.items():
            for project in (ROOT, empty):  # a warm-up: byte code and disk cache
                seconds(project, arguments)
            pairs = [(seconds(ROOT, arguments), seconds(empty, arguments)) for _ in range(runs)]
            ratios = [own / other for own, other in pairs]
            own, other = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(ratios)
            print(f"{name:<15}{own:>10.3f}{other:>10.3f}{ratio:>8.2f}{min(ratios):>8.2f}{max(ratios):>9.2f}")
            result[f"{name}_vs_empty"] = round(ratio, 3)
            result[f"{name}_vs_empty_spread"] = [round(min(ratios), 3), round(max(ratios), 3)]
        (Path(folder) / "one.jsonl").write_text('{"text": "The answer is B.", "options": {"A": "one", "B": "two"}}\n')
        answers = [sys.executable, "-m", "medo1", "answers", "one.jsonl", "--json"]
        alone = [sys.executable, "-c", "import click"]
        for command in (answers, alone):
            cpu_seconds(command, folder)
        pairs = [(cpu_seconds(answers, folder), cpu_seconds(alone, folder)) for _ in range(runs)]
        ratios = [own / other for own, other in pairs]
        own, other = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"medo1 answers takes {own * 1000:.0f} ms of CPU time (limit 300), import click {other * 1000:.0f} ms")
        result["answers_cpu_s"] = round(own, 3)
        result["answers_vs_import_click"] = round(statistics.median(ratios), 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
