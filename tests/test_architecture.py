"""docs/architecture.md: its words lead to code, its rooms are those of the house, its picture is of this code."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src/medo1"
WORDS = re.findall(r"^\| ([^|`]+) \| `([\w/.]+)` \| `(\w+)` \|$", PAGE, re.MULTILINE)


def test_there_are_thirty_words_and_more() -> None:
    assert len(WORDS) >= 30


@pytest.mark.parametrize(("word", "file", "name"), WORDS, ids=[word for word, _, _ in WORDS])
def test_a_word_leads_to_its_code(word: str, file: str, name: str) -> None:
    text = (SOURCE / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:class {name}\b|(?:async )?def {name}\b|{name}\b[^=\n]* = )", text, re.MULTILINE), (
        f"{word}: {file} defines no {name}"
    )


def test_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+\.py)`", PAGE))
    places = (SOURCE, SOURCE / "pipelines", ROOT, SOURCE / "statistics", SOURCE / "questions/readers")
    generic = {"pipeline.py", "nodes.py", "params.py", "__init__.py"}
    rooms = {f"{kind}/" for kind in ("http", "vllm", "local", "wrappers")}
    missing = {name for name in named - generic - rooms if not any((place / name).exists() for place in places)}
    assert sorted(name for name in missing if not (SOURCE / "engines" / name).exists()) == []


def test_every_room_stands_in_the_table() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert sorted(room for room in rooms if f"`{room}`" not in PAGE) == []


def test_the_picture_is_of_this_code() -> None:
    drawn = subprocess.run(
        [sys.executable, ROOT / "docs/pictures/draw_house.py", "--check"], capture_output=True, text=True, check=False
    )
    assert drawn.returncode == 0, drawn.stderr
