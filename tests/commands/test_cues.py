"""`kedro cues`: which cue elicits answers that can be read and differ, measured on dev questions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from medo1 import tables
from medo1.commands.ask import ask
from medo1.commands.cues import cues
from medo1.datasets import Table
from tests.commands.test_ask import CASE, SPOKEN, project  # noqa: F401  (a fixture)
from tests.pipelines.inference.test_nodes import questions

ARMS = """
arms:
  talker: {prompt: cot, model: null}
  careful: {prompt: cot, model: null, first: {arm: talker, score: confidence, tau: %s}}
"""


@pytest.fixture
def study(project: Path) -> Path:  # noqa: F811
    (project / "conf/local/catalog.yml").write_text(SPOKEN)
    (project / "conf/local/parameters.yml").write_text(ARMS % 1.0 + "inference: {budgets: [3]}\n")
    return project


def dev_questions(study: Path) -> None:
    asked = questions(12)
    asked["split"] = "dev"
    place = study / "data/03_primary/questions.parquet"
    Table(filepath=str(place)).save(tables.QUESTIONS.validate(asked))


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(cues, list(arguments), catch_exceptions=False)


def test_cues_are_measured_shown_and_saved(study: Path) -> None:
    dev_questions(study)
    told = ran("--arm", "talker", "--cue", r"\nErgo:", "--questions", "10")
    assert told.exit_code == 0, told.output
    assert "talker: answers elicited from thoughts that were cut" in told.output
    assert r"'\nErgo:'" in told.output
    assert 'talker:\n    draws: {answer_cue: "' in told.output
    [saved] = (study / "data/08_reporting/answer_cues.parquet").glob("*/answer_cues.parquet")
    table = pd.read_parquet(saved)
    assert set(table["budget"]) == {3}
    assert table.groupby("cue")["chosen"].first().sum() == 1
    assert set(table["elicited"]) == {10}
    assert (saved.parent / "_manifest.json").exists()


def test_what_is_missing_is_one_message(study: Path) -> None:
    told = ran("--arm", "nobody")
    assert "There is no arm 'nobody'" in told.output
    questions_of_test = tables.QUESTIONS.validate(questions(3))
    place = study / "data/03_primary/questions.parquet"
    Table(filepath=str(place)).save(questions_of_test)
    told = ran("--arm", "talker")
    assert told.exit_code == 1
    assert "There are no dev questions" in told.output


@pytest.mark.parametrize(("tau", "thinks"), [(1.0, False), (3.0, True)])
def test_an_arm_with_a_first_answer_is_asked_in_the_same_way(study: Path, tau: float, thinks: bool) -> None:
    """The engine's confidence is 2."""
    (study / "conf/local/parameters.yml").write_text(ARMS % tau)
    told = CliRunner().invoke(ask, [CASE, "--arm", "careful"], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert told.stdout.count("Let me check.") == 1 + thinks
    assert "-> B. Lupus" in told.stdout
    assert "vote" not in told.stdout
