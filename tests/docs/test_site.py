"""The site builds without a warning, and says something of every parameter and every entry of the catalog."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "docs/site"))


@pytest.mark.slow
def test_the_site_builds_and_its_references_hold_what_the_code_has(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    for page, named in {
        "reference/parameters": "inference.votes.numbers",
        "reference/catalog": "training_rejected",
        "reference/commands": "kedro audit trace",
        "files/notebooks/the_study_flat.py": "train_base",
    }.items():
        assert named in (tmp_path / f"{page}.html").read_text(encoding="utf-8"), page
    results = (tmp_path / "results/index.html").read_text(encoding="utf-8")
    for study in (ROOT / "docs/results").glob("*/study.json"):
        name = study.parent.name
        assert f'href="{name}/index.html"' in results, name
        assert f"Study: {name}" in (tmp_path / f"results/{name}/index.html").read_text(encoding="utf-8")
    outside = "https://fonts", "https://unpkg", "https://cdn"
    front = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert [address for address in outside if address in front] == []


def test_every_parameter_says_what_it_means() -> None:
    import parameters_page

    silent = [
        key.name
        for under, model in parameters_page.groups().items()
        for key in parameters_page.keys(model, under, None)
        if not key.says
    ]
    assert silent == []


def test_parameters_of_the_reference_are_those_that_are_accepted() -> None:
    import parameters_page

    from medo1.study import GROUPS, Study

    tops = {under.partition(".")[0] for under in parameters_page.groups() if under}
    assert tops == set(GROUPS) | {"formats", "arms", "filtering"}
    named = {key.name for key in parameters_page.keys(Study, "", None)}
    assert named == set(Study.model_fields) - tops - set(parameters_page.COPIES)


def test_every_result_page_is_listed() -> None:
    folder = ROOT / "docs/results"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in folder.glob("2*.md") if f"]({page.name})" not in index] == []
