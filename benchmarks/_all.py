"""All benchmarks in turn, and what became of each: `make bench`.

    python benchmarks/_all.py [--quick] [NAME ...]

One that lacks something here (a GPU, a file of your own) is left out with its reason; one that fails does not keep the
others from being run. Exit status 1 where one failed. `--quick`: fewer repetitions, a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from _absent import NOT_HERE

FOLDER = Path(__file__).resolve().parent
QUICK: dict[str, tuple[str, ...]] = {
    "answers": ("--repeats", "3", "--pairs", "100"),
    "filtering": ("--chains", "10000"),
    "finetune": ("--rounds", "2"),
    "gpu": ("--minutes", "4"),
    "inference": ("--quick",),
    "intervals": ("--quick",),
    "kills": ("--kills", "10"),
    "lineage": ("--runs", "1000", "--repeats", "3", "--kills", "10"),
    "lora_sweep": ("--only", "rank", "--questions", "30"),
    "page": ("--repeats", "5"),
    "startup": ("--runs", "3"),
    "teachers": ("--quick",),
}


def scripts() -> list[str]:
    """The benchmarks' names."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def outcome(name: str, options: tuple[str, ...]) -> tuple[str, float]:
    """Run one and say what became of it, in words, and how many seconds it took. Its output is shown as it comes."""
    began = time.monotonic()
    command = [sys.executable, str(FOLDER / f"{name}.py"), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        last = ""
        for line in running.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            last = line.strip() or last
    status = running.returncode
    told = "measured" if status == 0 else f"not measured here: {last}" if status == NOT_HERE else f"FAILED: {last}"
    return told, time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of benchmarks; all without one")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(scripts())):
        parser.error(f"no benchmark {', '.join(unknown)}; there is {', '.join(scripts())}")
    told = {}
    for name in chosen.names or scripts():
        options = QUICK[name] if chosen.quick else ()
        print(f"\n== benchmarks/{name}.py {' '.join(options)}", flush=True)
        told[name] = outcome(name, options)
    print("\n== what became of them")
    for name, (what, seconds) in told.items():
        print(f"{name:<12}{seconds:>7.0f} s  {what}")
    raise SystemExit(any(what.startswith("FAILED") for what, _ in told.values()))


if __name__ == "__main__":
    main()
