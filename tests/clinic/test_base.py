"""The base is made whole and the same each time, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from medo1.clinic.base import BaseSpec, GateError, train_base
from medo1.clinic.lexicon import lexicon
from medo1.clinic.textbook import Document, TextbookSpec, probes, textbook
from medo1.clinic.world import World
from medo1.from_scratch.scratch_training import LoopSpec, ModelSpec
from medo1.from_scratch.tokenizers import world_tokenizer
from medo1.lineage.digests import digest_of_tree

TINY = BaseSpec(
    model=ModelSpec(hidden=16, layers=1, heads=2, feed_forward=16, positions=256),
    loop=LoopSpec(steps=4, rows=4, width=96, learning_rate=5e-3, warmup_steps=1),
    gates={},
    more_steps=2,
)


@pytest.fixture(scope="module")
def documents(small_world: World) -> list[Document]:
    return textbook(small_world, TextbookSpec(documents=200))


@pytest.fixture(scope="module")
def asked(small_world: World, documents: list[Document]) -> dict[str, list[Document]]:
    # Four diseases and four options: every pick there can be was told, so these probes are told ones.
    return {**probes(small_world, TextbookSpec(), [], 20)}


@pytest.fixture(scope="module")
def tokenizer(small_world: World) -> Any:
    return world_tokenizer(lexicon(small_world))


@pytest.mark.slow
def test_a_base_that_lacks_an_ability_is_trained_on_and_then_refused_and_leaves_nothing(
    documents: list[Document], asked: dict[str, list[Document]], tokenizer: Any, tmp_path: Path
) -> None:
    spec = TINY.model_copy(update={"gates": {"pick": 0.95, "update": 0.9}, "more_rounds": 2})
    with pytest.raises(
        GateError, match=r"pick \d+\.\d% of probes, at least 95% expected.* after 8 steps \(2 more rounds"
    ):
        train_base(documents, asked, tokenizer, spec, 1, tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_a_gate_on_an_ability_that_is_not_probed_is_refused(
    documents: list[Document], asked: dict[str, list[Document]], tokenizer: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"gates\.singing names no probe"):
        train_base(documents, asked, tokenizer, TINY.model_copy(update={"gates": {"singing": 1.0}}), 1, tmp_path / "b")


@pytest.mark.slow
def test_equal_seeds_write_equal_bytes_that_the_auto_classes_load(
    documents: list[Document], asked: dict[str, list[Document]], tokenizer: Any, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = [
        train_base(documents, asked, tokenizer, TINY, seed, tmp_path / name)
        for seed, name in ((1, "one"), (1, "same"), (2, "other"))
    ]
    one, same, other = (digest_of_tree(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one != other
    assert made[0]["losses"] == made[1]["losses"]
    assert set(made[0]["recall"]) == {"fact", "disputed", "pick", "map", "update", "change", "opening", "alone"}
    files = {path.suffix for path in (tmp_path / "one").iterdir()}
    assert files == {".json", ".safetensors", ".jinja"}
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "one", trust_remote_code=False)
    loaded = AutoTokenizer.from_pretrained(tmp_path / "one", trust_remote_code=False)
    assert model.config.model_type == "qwen2"
    assert model.num_parameters() == made[0]["parameters"]
    assert loaded.eos_token_id == model.config.eos_token_id == model.generation_config.eos_token_id
    with pytest.raises(FileExistsError, match="not empty"):
        train_base(documents, asked, tokenizer, TINY, 1, tmp_path / "one")


@pytest.mark.slow
def test_a_small_base_learns_its_facts_and_letters_and_passes_the_gate(
    small_world: World, tokenizer: Any, tmp_path: Path
) -> None:
    mix = {"fact": 2.0, "map": 3.0, "pick": 2.0}
    documents = textbook(small_world, TextbookSpec(documents=1500, first=mix, second=mix))
    loop = LoopSpec(steps=160, rows=8, width=96, learning_rate=5e-3, warmup_steps=20)
    asked = probes(small_world, TextbookSpec(), [], 50)
    training = train_base(documents, asked, tokenizer, BaseSpec(loop=loop, gates={"pick": 0.95}), 1, tmp_path / "base")
    assert training["losses"][-1][1] < training["losses"][0][1] / 10
    assert training["recall"]["pick"] >= 0.95
    assert training["recall"]["fact"] >= 0.95


def test_steps_without_documents_are_an_error_and_unknown_keys_are_refused(
    documents: list[Document], asked: dict[str, list[Document]], tokenizer: Any, tmp_path: Path
) -> None:
    only_first = [document for document in documents if document.part == 0]
    with pytest.raises(ValueError, match="no documents of part 1"):
        train_base(only_first, asked, tokenizer, TINY, 1, tmp_path / "base")
    with pytest.raises(ValidationError, match="dropout"):
        BaseSpec(dropout=0.1)  # type: ignore[call-arg]
