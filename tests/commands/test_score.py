"""`kedro score`: a model behind an endpoint or in a directory, files of one's own; the docs page as pasted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from medo1.commands.score import run_parameters, verdict
from medo1.errors import UserError
from tests.conftest import ROOT
from tests.engines.http.server import Server, prompt_of
from tests.journey.scratch import Scratch

PAGE = (ROOT / "docs/score_a_model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)


def arguments(block: str, **names: str) -> list[str]:
    """A command of the page as `kedro`'s arguments, with addresses of the test in place of the page's."""
    command = block.replace("\\\n", " ")
    for name, value in names.items():
        assert name in command
        command = command.replace(name, value)
    program, *words = shlex.split(command)
    assert program == "kedro"
    return words


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    scratch = Scratch(tmp_path_factory.mktemp("score") / "project")
    made = re.fullmatch(r"cat > exam\.csv <<'CSV'\n(.*)CSV\n", BLOCKS[0], re.DOTALL)
    assert made is not None
    (scratch.path / "exam.csv").write_text(made[1], encoding="utf-8")
    return scratch


def thoughtful(body: dict[str, Any]) -> str:
    """A model that is right when it may think and answers A when it may not."""
    right = {"58-year": "B", "19-year": "A", "30-year": "C", "65-year": "B"}
    prompt = prompt_of(body)
    letter = next(letter for case, letter in right.items() if case in prompt)
    return f"Hmm.\nFinal answer: {letter}" if "step by step" in prompt else "Final answer: A"


def test_an_endpoint_is_scored_as_the_page_says_with_one_call_a_question_and_arm(project: Scratch) -> None:
    with Server(answer=thoughtful) as server:
        words = arguments(BLOCKS[1], **{"http://localhost:8000/v1": server.url})
        run = project.kedro(*words, OPENAI_API_KEY="not-shown-anywhere")
        assert run.returncode == 0, run.stderr[-2000:]
        calls = sum(server.service.answered.values())
    assert calls == 8
    assert "exam: 3 questions gained and 0 lost of 4" in run.stdout
    assert "25.0%" in run.stdout
    assert "100.0%" in run.stdout
    page = next((project.path / "data").rglob("report.html/*/report.html")).read_text(encoding="utf-8")
    assert "answered at once, and after thinking" in page
    assert "not-shown-anywhere" not in run.stdout + run.stderr + page


@pytest.mark.slow
def test_a_directory_is_scored_as_the_page_says(project: Scratch, tiny_model: Path) -> None:
    run = project.kedro(*arguments(BLOCKS[2], **{"./my-model": str(tiny_model)}))
    assert run.returncode == 0, run.stderr[-2000:]
    assert "direct" in run.stdout
    assert "gained" not in run.stdout  # one arm is compared with nothing


def test_what_is_wrong_is_told_before_anything_is_asked() -> None:
    with pytest.raises(UserError, match=r"There is no model directory \./nowhere"):
        run_parameters(Path("x"), [], None, "./nowhere", None, ["direct"], {})


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.1, 0.3, "helps"), (-0.3, -0.1, "hurts"), (-0.1, 0.2, "cannot be told")]
)
def test_the_comparison_is_said_in_words(low: float, high: float, said: str) -> None:
    row = {"benchmark": "x", "gained": 3, "lost": 1, "questions": 9, "difference": (low + high) / 2,
           "difference_low": low, "difference_high": high}  # fmt: skip
    assert said in verdict(row)
