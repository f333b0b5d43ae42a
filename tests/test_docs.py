"""The docs: links lead somewhere, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md" and page.name not in index
    ] == []


def test_pages_that_messages_name_exist() -> None:
    named = set()
    for source in (ROOT / "src").rglob("*.py"):
        named |= set(re.findall(r"docs/\w+\.md", source.read_text(encoding="utf-8")))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_commands_that_the_readme_names_exist() -> None:
    from medo1.commands.project_commands import COMMANDS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    own = set(re.findall(r"kedro (\w+)", readme)) - {"run", "viz", "registry"}
    assert own <= set(COMMANDS), own - set(COMMANDS)


def test_layers_of_the_catalog_are_named_as_the_folders_of_data() -> None:
    """So Kedro-Viz has them in this order also where nothing ties two of them: `layer: 05_model_input`."""
    folders = {path.name for path in (ROOT / "data").iterdir() if path.is_dir()}
    named = {
        (layer, str(file.relative_to(ROOT)))
        for file in (ROOT / "conf").rglob("*.yml")
        for layer in re.findall(r"layer: (\w+)", file.read_text(encoding="utf-8"))
    }
    assert sorted(place for place in named if place[0] not in folders) == []


def test_decisions_are_numbered_without_gaps_one_a_page_and_listed() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    headings = [re.findall(r"^# (\d+)\. ", page.read_text(encoding="utf-8"), re.MULTILINE) for page in pages]
    assert headings == [[str(number)] for number in range(1, len(pages) + 1)]
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [page.name for page in pages if f"]({page.name})" not in index] == []
    titles = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    assert len(titles) == len(pages)
