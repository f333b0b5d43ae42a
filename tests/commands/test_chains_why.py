"""`kedro chains why` shows every verdict on a chain, finds it by the beginning of its id, and says what is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medo1 import tables
from medo1.commands.chains import chains
from medo1.pipelines.filtering.nodes import filter_chains
from medo1.pipelines.filtering.params import FilteringParams
from medo1.questions import question_rows
from tests.chains.filters.rows import RIGHT, chain, question
from tests.conftest import ROOT
from tests.questions.planted import vignettes

STEM = vignettes("en", 1, 1)[0][0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configuration, and the verdicts of a run of filters on `cot` and `longstep`."""
    from kedro.io import DataCatalog

    from medo1.settings import CONFIG_LOADER_ARGS, StudyConfigLoader

    path = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "conf/base", path / "conf/base")
    (path / "conf/local").mkdir()
    asked = tables.as_table(
        tables.QUESTIONS, question_rows([question(0xA1), question(0xA2, stem=STEM), question(0xB0, "test", STEM)])
    )
    params = FilteringParams.model_validate({"order": ["answer", "correct", "leak", "decontamination"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        loader = StudyConfigLoader("conf", **CONFIG_LOADER_ARGS)
        entries = {key: value for key, value in loader["catalog"].items() if key.endswith("}.filter_verdicts")}
        catalog = DataCatalog.from_config(entries)
        for name in ("cot", "longstep"):
            rows = [chain(0xA1, "[red]Fever[/red].\nFinal answer: A"), chain(0xA2, RIGHT), chain(0xA1, RIGHT, sample=1)]
            table = tables.as_table(tables.CHAINS, [{**row, "format": name} for row in rows])
            catalog[f"{name}.filter_verdicts"].save(filter_chains(table, asked, params, {}, 1, format=name))
    return path


def asked(project: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(chains, ["why", *arguments])


def test_every_verdict_is_shown_with_the_words_that_decided(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asked(project, f"cot/{0xA1:016x}/0", monkeypatch=monkeypatch)
    assert done.exit_code == 0, done.output
    assert f"cot/{0xA1:016x}/0: dropped by correct" in done.output
    for name in ("usable", "answer", "correct", "leak", "decontamination"):
        assert f" {name} " in done.output
    assert "states A (influenza), read by letter; gold is B (measles)" in done.output
    assert "Final answer: A" in done.output
    assert f"kedro completions show --id r{0xA1}" in done.output
    assert "/1:" not in done.output


def test_a_leak_of_a_test_question_is_shown_beside_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asked(project, f"{0xA2:016x}", "--format", "longstep", monkeypatch=monkeypatch)
    assert "dropped by decontamination" in done.output
    assert done.output.count(STEM[-60:].split()[0]) >= 2
    assert "decontamination, compared with:" in done.output
    assert "cot/" not in done.output


def test_the_beginning_of_an_id_finds_all_chains_of_all_formats(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asked(project, "0000", "--json", monkeypatch=monkeypatch)
    assert done.exit_code == 1  # longmonolog was never filtered
    done = asked(project, "cot/0000", "--json", monkeypatch=monkeypatch)
    rows = [json.loads(line) for line in done.output.splitlines()]
    assert len(rows) == 3 * 5
    assert {row["sample"] for row in rows} == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cot/ffff"], "No chain that was filtered belongs to a question whose id begins with 'ffff' (format cot)"),
        (["--format", "diary", "00"], "There is no format 'diary'; the study's formats are cot, longstep, longmonolog"),
        (["longmonolog/00"], "No filters have run here yet: `kedro run --pipelines=filtering`"),
        (["cot/00/1/2"], "write QUESTION_ID or FORMAT/QUESTION_ID/SAMPLE"),
    ],
)
def test_what_is_not_there_is_said(
    project: Path, arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asked(project, *arguments, monkeypatch=monkeypatch)
    assert done.exit_code != 0
    assert told in done.output
