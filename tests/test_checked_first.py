"""What can be known to be wrong is found before the first node of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import DatasetError
from kedro.pipeline import Node, Pipeline

from medo1.datasets import EngineDataset, FileFolder, HubModel, Prompt, PromptFolder
from medo1.memory_hooks import MemoryHooks
from medo1.settings import CheckHooks
from medo1.wiring import bound, checked_first, takes_the_memory

seen: list[tuple[int, str]] = []


def check(size: int, *, format: str) -> None:
    seen.append((size, format))
    if size > 3:
        raise ValueError(f"{format} is too large")


@checked_first(check)
def work(made: str, size: int, *, format: str) -> str:
    return f"{made}{size}{format}"


def a_run(catalog: dict[str, Any]) -> None:
    nodes = [
        Node(lambda prompt: prompt, inputs="prompt_cot", outputs="made", name="make"),
        Node(bound(work, format="cot"), inputs=["made", "params:size"], outputs="done", name="work"),
    ]
    CheckHooks().before_pipeline_run(Pipeline(nodes), DataCatalog(catalog))


def test_a_check_is_given_what_exists_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "cot.md").write_text("Think.")
    prompt = Prompt(filepath=str(tmp_path / "cot.md"))
    seen.clear()
    a_run({"prompt_cot": prompt, "params:size": MemoryDataset(2)})
    assert seen == [(2, "cot")]
    with pytest.raises(ValueError, match="cot is too large"):
        a_run({"prompt_cot": prompt, "params:size": MemoryDataset(5)})


def test_a_prompt_that_is_missing_ends_a_run_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no prompt file"):
        a_run({"prompt_cot": Prompt(filepath=str(tmp_path / "none.md")), "params:size": MemoryDataset(2)})


def test_engines_give_their_memory_back_before_a_training(tmp_path: Path) -> None:
    asked = EngineDataset(engine="medo1.engines.Transformers")
    catalog = DataCatalog({"student": asked})

    def ask(student: Any) -> str:
        return "answers"

    @takes_the_memory
    def train(name: str, *, format: str) -> str:
        return name

    nodes = [
        Node(ask, inputs="student", outputs="answers", name="ask"),
        Node(bound(train, format="cot"), inputs="answers", outputs="adapter", name="train"),
    ]
    hooks = MemoryHooks()
    hooks.before_pipeline_run(Pipeline(nodes), catalog)
    held = catalog.load("student")
    hooks.before_node_run(nodes[0], catalog)
    assert catalog.load("student") is held
    hooks.before_node_run(nodes[1], catalog)
    assert catalog.load("student") is not held


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda path: EngineDataset(engine="medo1.engines.Transfomers"), "Transfomers"),
        (lambda path: EngineDataset(engine="medo1.engines.OpenAI", options={"modell": "m"}), "modell"),
        (lambda path: HubModel(name=str(path / "none")), "none"),
        (lambda path: FileFolder(filepath=str(path / "none")), "There is no folder"),
        (lambda path: PromptFolder(filepath=str(path / "none")), r"no prompt file"),
    ],
    ids=["engine", "option of an engine", "model", "benchmarks", "prompts"],
)
def test_what_comes_from_outside_is_looked_at_before_the_first_node(made: Any, told: str, tmp_path: Path) -> None:
    node = Node(lambda outside: outside, inputs="outside", outputs="made", name="make")
    with pytest.raises(DatasetError, match=told):
        CheckHooks().before_pipeline_run(Pipeline([node]), DataCatalog({"outside": made(tmp_path)}))
