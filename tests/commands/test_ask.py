"""`kedro ask`: a case, an arm, its thought, the votes; and one message for whatever is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from medo1.commands.ask import ask
from medo1.pipelines.inference.one_case import CaseError, question_from
from tests.conftest import ROOT

CASE = "A patient with fever and rash. What is it?\nA. Measles\nB. Lupus\nC. Rubella"
SPOKEN = "student: {type: medo1.datasets.EngineDataset, engine: tests.commands.engines.Spoken}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this project's configuration, without any data."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/local").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    return tmp_path


def spoken(project: Path) -> Path:
    """Have `student` be an engine that knows its thought, of arms that need no files."""
    (project / "conf/local/catalog.yml").write_text(SPOKEN)
    (project / "conf/local/parameters.yml").write_text("arms: {talker: {prompt: cot, model: null}}\n")
    return project


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(ask, list(arguments), catch_exceptions=False)


def test_the_thought_comes_first_then_each_vote_and_what_they_come_to(project: Path) -> None:
    spoken(project)
    told = asked(CASE, "--arm", "talker", "--votes", "5")
    assert told.exit_code == 0, told.output
    thought, votes = told.stdout.split("5 samples vote")
    assert thought.startswith(
        "talker thinks\nFever and rash fit it. Let me check. It is B.\nFinal answer: B\n-> B. Lupus"
    )
    assert votes.count("sample ") == 5
    counted = [line.split() for line in votes.splitlines()[-3:-1]]
    assert counted == [["4", "#" * 19, "B.", "Lupus"], ["1", "#" * 5, "C.", "Rubella"]]
    assert "-> B. Lupus  (80% of 5 votes" in votes


def test_a_thought_whose_budget_ends_is_shown_with_the_answer_that_was_asked_for(project: Path) -> None:
    spoken(project)
    told = asked(CASE, "--arm", "talker", "--votes", "0", "--budget", "5")
    assert "Fever and rash fit it.\nFinal answer: B\n-> B. Lupus" in told.stdout
    assert "its budget ended and the answer was asked for" in told.stdout
    assert "vote" not in told.stdout


def test_adaptive_votes_stop_early_and_say_so(project: Path) -> None:
    spoken(project)
    told = asked(CASE, "--arm", "talker", "--votes", "30", "--adaptive")
    assert told.stdout.count("sample ") < 30
    assert "of 30: the leader would stay ahead" in told.stdout


def test_a_case_without_options_is_answered_with_a_ranked_list(project: Path) -> None:
    spoken(project)
    told = asked("A patient with fever and rash. Which of the following is it?", "--arm", "talker", "--votes", "3")
    assert "no options" in told.stderr
    assert "1. Lupus; 2. Measles; 3. Rubella" in told.stdout
    assert "1. systemic lupus erythematosus  (score 2.50, in 3 of 3 lists)" in told.stdout
    assert "-> systemic lupus erythematosus  (45% of the score of 3 lists, 30 tokens)" in told.stdout


def test_the_stored_student_answers_as_the_engine_alone_does(
    project: Path, tiny_model: Path, tiny_adapters: tuple[Path, Path]
) -> None:
    """The newest versions are taken, and a second asking sends nothing."""
    from medo1.datasets import AdapterDirectory, ModelDirectory

    for kind, name, source in (
        (ModelDirectory, "base_model", tiny_model),
        (AdapterDirectory, "longmonolog/adapter", tiny_adapters[0]),
    ):
        copied = shutil.copytree(source, project / "draft" / name)
        kind(filepath=str(project / "data/06_models" / name)).save(copied)
    told = asked(CASE, "--votes", "2", "--budget", "12")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("longmonolog_sft thinks\n")
    assert told.stdout.count("  sample ") == 2
    again = asked(CASE, "--votes", "2", "--budget", "12")
    assert sorted(again.stdout.splitlines()) == sorted(told.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CASE, "--arm", "nobody"), "There is no arm 'nobody'. There are vanilla, vanilla_cot, cot_sft"),
        ((CASE, "--arm", "cot_sft"), "The arm cot_sft needs the base model base_model, and no run has saved one"),
        (("  ",), "The case is empty"),
        (("What?\nA. this\nC. that",), "letters are A, C; they must run A, B, C"),
        (("What?\nA. this",), "The case has 1 option"),
    ],
)
def test_what_is_missing_is_one_message_that_says_what_to_do(
    project: Path, arguments: tuple[str, ...], message: str
) -> None:
    told = asked(*arguments)
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: ")
    assert message in told.stderr
    assert "Traceback" not in told.output


def test_a_missing_adapter_names_the_run_that_makes_it(project: Path, tiny_model: Path) -> None:
    from medo1.datasets import ModelDirectory

    copied = shutil.copytree(tiny_model, project / "draft")
    ModelDirectory(filepath=str(project / "data/06_models/base_model")).save(copied)
    told = asked(CASE, "--arm", "cot_sft")
    assert "The arm cot_sft needs the adapter cot.adapter" in told.stderr
    assert "kedro run --pipelines=clinic,ingest,synthesis,filtering,finetune" in told.stderr


def test_options_are_lines_of_the_text_or_given_apart() -> None:
    written = question_from("Case.\n  (A) one \nB) two\n\nC. three\n")
    assert (written.stem, written.options) == ("Case.", {"A": "one", "B": "two", "C": "three"})
    assert question_from("Case.", ["one", "two", "three"]).question_id == written.question_id
    assert question_from("A. M. came in.\nWhat is it?").options == {}
    with pytest.raises(CaseError):
        question_from("Case.", ["one"])


def test_help_loads_no_model_library() -> None:
    code = "import sys, medo1.cli, medo1.commands.ask; print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    told: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_tie_is_shown_as_a_tie(project: Path) -> None:
    spoken(project)
    (project / "conf/local/catalog.yml").write_text(SPOKEN.replace("Spoken", "Divided"))
    told = asked(CASE, "--arm", "talker", "--votes", "4")
    assert "-> a tie: B and C have 2 votes each" in told.stdout
    assert "% of 4 votes" not in told.stdout
    assert "-> B. Lupus  (67% of 3 votes" in asked(CASE, "--arm", "talker", "--votes", "3").stdout


def test_the_leader_is_certain_only_where_the_samples_left_cannot_change_it() -> None:
    from medo1.commands.ask import chance_text

    assert chance_text([5, 1], 3, 1.0) == "whatever the others say"
    assert chance_text([5, 1], 4, 1.0) == "with a probability of 99.9% or more"  # four for the other would be a tie
    assert chance_text([5, 1], 20, 0.97) == "with a probability of 97.0%"
    assert chance_text([8], 8, 0.99996) == "with a probability of 99.9% or more"


def test_the_arm_that_is_asked_where_none_is_named_is_no_control() -> None:
    from medo1.commands.ask import _usual
    from medo1.configuration import project_loader
    from medo1.study import Study

    assert _usual(Study.from_parameters(project_loader(ROOT, None)["parameters"])) == "longmonolog_sft"
