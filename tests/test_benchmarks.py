"""`make bench` runs every benchmark, gives a reason for what cannot be measured here, and fails where one fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


def called(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "_all.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)


def test_what_cannot_be_measured_here_is_told_and_what_fails_stops_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name in ("_all.py", "_absent.py"):
        shutil.copy(FOLDER / name, folder)
    (folder / "absent.py").write_text('from _absent import not_here\nnot_here("There is no GPU here.")\n')
    (folder / "broken.py").write_text('raise ValueError("no such figure")\n')
    (folder / "good.py").write_text('print("{}")\n')
    done = called(folder)
    assert done.returncode == 1
    told = done.stdout.split("what became of them")[1]
    assert "not measured here: There is no GPU here." in told
    assert "FAILED: ValueError: no such figure" in told
    assert told.count("measured") == 2
    assert called(folder, "absent", "good").returncode == 0
    assert "there is absent, broken, good" in called(folder, "god").stderr


@pytest.mark.parametrize("name", ["answers", "filtering", "gpu", "lora_sweep"])
def test_a_benchmark_that_lacks_something_here_says_so_and_is_no_failure(name: str, tmp_path: Path) -> None:
    """As in a fresh clone: no files of one's own, no earlier run, no GPU."""
    options = {"answers": [str(tmp_path / "none.jsonl")], "filtering": [str(tmp_path / "none")]}.get(name, [])
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *options],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": "", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_benchmark_has_a_quick_form_that_it_takes() -> None:
    import ast

    tree = ast.parse((FOLDER / "_all.py").read_text())
    [quick] = [ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.AnnAssign) and node.value]
    assert sorted(quick) == sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    for name, options in quick.items():
        text = (FOLDER / f"{name}.py").read_text()
        assert all(f'add_argument("{option}"' in text for option in options if option.startswith("--")), name
