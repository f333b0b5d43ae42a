"""What users may import keeps its name and its signature until that is changed on purpose."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT
from tests.public_api import described


def test_public_names_and_signatures_are_those_that_were_written_down() -> None:
    kept = (ROOT / "tests/public_api.txt").read_text(encoding="utf-8").splitlines()
    now = list(described())
    gone = [line for line in kept if line not in now]
    new = [line for line in now if line not in kept]
    assert (gone, new) == ([], []), "see tests/public_api.py"


def test_importing_medo1_imports_nothing_heavy() -> None:
    code = "import sys, medo1; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [
        name for name in ("torch", "kedro", "pandas", "numpy", "transformers", "pydantic") if f"'{name}'" in told
    ]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src/medo1/py.typed").is_file()
