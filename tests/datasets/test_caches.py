"""The cache of directories: complete or absent, and nothing left behind by who was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from medo1.datasets.caches import DirectoryCache

MAKES = """
import sys, time
from pathlib import Path
from medo1.datasets.caches import DirectoryCache

def make(directory):
    (directory / "half").write_text("half")
    print("making", flush=True)
    time.sleep(60)

DirectoryCache(Path(sys.argv[1])).get_or_make("model", make)
"""


def make(directory: Path) -> None:
    (directory / "weights").write_text("all")


def hidden(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name.startswith("."))


def test_what_is_kept_is_copied_and_made_once(tmp_path: Path) -> None:
    made = []

    def counted(directory: Path) -> None:
        made.append(directory)
        make(directory)

    first = DirectoryCache(tmp_path).get_or_make("model", counted)
    second = DirectoryCache(tmp_path).get_or_make("model", counted)
    assert first != second
    assert (first / "weights").read_text() == (second / "weights").read_text() == "all"
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_fails_in_the_making_leaves_nothing(tmp_path: Path) -> None:
    def fails(directory: Path) -> None:
        make(directory)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        DirectoryCache(tmp_path).get_or_make("model", fails)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_was_making_is_removed_but_not_what_a_living_one_makes(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", MAKES, str(tmp_path)], stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "making\n"
        DirectoryCache(tmp_path).get_or_make("another", make)
        assert len(hidden(tmp_path)) == 2  # the directory in the making, and whose it is
        maker.kill()
        maker.wait()
    DirectoryCache(tmp_path).get_or_make("model", make)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "model"]
