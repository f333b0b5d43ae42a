"""A code digest follows what a function calls, however far, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from medo1.lineage.code import CodeReader

FILES = {
    "__init__.py": "",
    "nodes.py": "from . import near\nfrom .far import deep as low\n\n"
    "def node(x):\n    return near.helper(x) + low(x)\n",
    "near.py": "from .wide import STEP\n\nclass Tool:\n    def use(self, x):\n        return _inner(x)\n\n"
    "def helper(x):\n    return Tool().use(x)\n\ndef _inner(x):\n    return x + STEP\n\ndef other(x):\n    return x\n",
    "far.py": "def deep(x):\n    from .wide import scaled\n    return scaled(x)\n",
    "wide.py": "STEP = 1\nFACTOR = 2\n\ndef scaled(x):\n    return x * FACTOR\n\ndef idle():\n    return 0\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / f"followed_{tmp_path.name}"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


def digest(package: Path) -> str:
    reader = CodeReader([package.name])
    found = reader.reached_from(f"{package.name}.nodes:node")
    reader.close()
    assert found is not None
    return found.digest


@pytest.mark.parametrize(
    ("file", "old", "new", "follows"),
    [
        ("nodes.py", "near.helper(x) +", "near.helper(x) -", True),
        ("near.py", "Tool().use(x)", "Tool().use(-x)", True),
        ("near.py", "return _inner(x)", "return _inner(x + 1)", True),
        ("near.py", "x + STEP", "x - STEP", True),
        ("far.py", "return scaled(x)", "return scaled(x) + 1", True),
        ("wide.py", "x * FACTOR", "x / FACTOR", True),
        ("wide.py", "STEP = 1", "STEP = 3", True),
        ("wide.py", "FACTOR = 2", "FACTOR = 3", True),
        ("near.py", "def other(x):\n    return x", "def other(x):\n    return 0", False),
        ("wide.py", "return 0", "return 1", False),
    ],
)
def test_a_change_of_what_is_called_changes_the_digest(
    package: Path, file: str, old: str, new: str, follows: bool
) -> None:
    before = digest(package)
    text = (package / file).read_text(encoding="utf-8")
    assert old in text
    (package / file).write_text(text.replace(old, new), encoding="utf-8")
    assert (digest(package) != before) is follows
