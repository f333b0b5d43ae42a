"""A lesson: tables of chains, of rejected ones, of costs, against a real local endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1 import tables
from medo1.engines.wrappers.money import Budget, BudgetError
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.pipelines.synthesis.nodes import summarise_teaching, write_chains
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams
from medo1.questions.question_table import question_rows
from tests.chains.test_formats import MONOLOGUE, STEPS
from tests.chains.test_making import questions
from tests.engines.conftest import engine_for
from tests.engines.http.server import Server

PRICES = {"teacher": {"prompt_usd_per_million": 1000, "completion_usd_per_million": 1000}}
ROOT = Path(__file__).resolve().parents[3]


def says(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    if "inner monologue" in text:
        return "It is so.\nFinal answer: C" if "Case 3:" in text and "earlier attempt" not in text else MONOLOGUE
    if "Case 4:" in text:
        return "No answer is stated here."
    return STEPS if "a short title" in text else "The ring decides.\nFinal answer: C"


def prompts(format: str) -> dict[str, str]:
    """The prompts for real models."""
    return {file.stem: file.read_text() for file in (ROOT / "conf/paper/prompts/teacher" / format).glob("*.md")}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answer=says) as running:
        yield running


@pytest.fixture
def asked() -> Frame:
    return tables.as_table(tables.QUESTIONS, question_rows(questions(6)))


def lesson(asked: Frame, server: Server, path: Path, name: str, budget: float | None = None, **params: Any) -> Any:
    store = CompletionStore(path / "c.sqlite")
    recipe = "single" if name == "cot" else name
    with (
        Stored(engine_for(server, endpoint="here"), store) as teacher,
        Stored(engine_for(server, model="plain", endpoint="here"), store) as plain,
    ):
        return write_chains(
            asked,
            prompts(name),
            SynthesisParams(**({"tries": 2, "prices": PRICES | {"plain": PRICES["teacher"]}} | params)),
            FormatParams(recipe=recipe),
            7,
            Budget(budget),
            teacher,
            plain,
            format=name,
        )


def test_the_prompts_for_real_models_make_chains_of_every_format(asked: Frame, server: Server, tmp_path: Path) -> None:
    for name in ("cot", "longstep", "longmonolog"):
        chains, rejected, costs, estimate = lesson(asked, server, tmp_path, name)
        assert len(chains) + len(rejected) == 6
        assert set(costs["stage"]) == set(estimate["stages"])
        assert costs["cost_usd"].sum() > 0
    assert server.service.received


def test_rows_that_became_no_chain_keep_their_reason_and_text(asked: Frame, server: Server, tmp_path: Path) -> None:
    chains, rejected, costs, _ = lesson(asked, server, tmp_path, "cot")
    (row,) = rejected.to_dict("records")
    assert row["reason"].startswith("no_answer: it does not end with the line 'Final answer: X'")
    assert row["content"] == "No answer is stated here."
    assert len(chains) == 5
    assert costs["requests"].sum() == 7  # one was asked twice
    retried = lesson(asked, server, tmp_path, "longmonolog")[0]
    assert sorted(len(ids) for ids in retried["request_ids"]) == [2, 2, 2, 2, 2, 3]


def test_a_second_lesson_sends_nothing_and_gives_the_same_table(asked: Frame, server: Server, tmp_path: Path) -> None:
    first = lesson(asked, server, tmp_path, "longstep")
    sent = sum(server.service.received.values())
    second = lesson(asked, server, tmp_path, "longstep")
    assert sum(server.service.received.values()) == sent
    assert first[0].equals(second[0])
    assert second[2]["cost_usd"].sum() == 0
    assert second[2]["saved_usd"].sum() == pytest.approx(first[2]["cost_usd"].sum())
    assert second[3]["total"]["to_send"] == 0


def test_a_spent_budget_stops_the_lesson_and_the_next_goes_on(asked: Frame, server: Server, tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="raise budget_usd"):
        lesson(asked, server, tmp_path, "cot", budget=0.5, max_new_tokens=100)
    sent = sum(server.service.received.values())
    assert 0 < sent < 6
    lesson(asked, server, tmp_path, "cot", budget=None, max_new_tokens=100)
    assert sum(server.service.received.values()) == 7


def test_an_estimate_alone_sends_nothing(asked: Frame, server: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"longmonolog: 12 requests: 0 answered before, 12 to send.*about \$"):
        lesson(asked, server, tmp_path, "longmonolog", estimate_only=True)
    assert not server.service.received


def test_a_name_that_is_no_format_must_say_what_it_writes(asked: Frame, server: Server, tmp_path: Path) -> None:
    with engine_for(server) as teacher, pytest.raises(UserError, match=r"formats\.terse: .*`writes`"):
        write_chains(asked, {}, SynthesisParams(), FormatParams(), 7, Budget(None), teacher, format="terse")


def test_lengths_and_costs_of_all_formats_stand_together(asked: Frame, server: Server, tmp_path: Path) -> None:
    lessons = {name: lesson(asked, server, tmp_path, name) for name in ("cot", "longstep")}
    table, figure, costs = summarise_teaching(
        *(one[0] for one in lessons.values()),
        *(one[2] for one in lessons.values()),
        formats=("cot", "longstep"),
        taught=("cot", "longstep"),
    )
    assert list(table["format"]) == ["cot", "longstep"]
    assert table.set_index("format").loc["longstep", "paper_mean"] == 729
    assert costs.iloc[-1]["format"] == "total"
    assert costs.iloc[-1]["cost_usd"] == pytest.approx(costs.iloc[:-1]["cost_usd"].sum())
    assert "mean in the paper" in figure.to_json()
