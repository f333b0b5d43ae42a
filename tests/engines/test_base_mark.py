"""An adapter knows the base that it was trained on, also where another base has modules of the same shapes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from medo1.engines.base import SERVED_WITH, Adapter, EngineError, Message, Model, Request, Sampling
from medo1.engines.base_mark import KEY, mark_of, refuse_other_base
from medo1.engines.local.transformers import Transformers


def changed(source: Path, target: Path, change: Any) -> Path:
    """A copy of a model whose tensors went through `change`."""
    shutil.copytree(source, target)
    file = next(target.glob("*.safetensors"))
    tensors = {name: change(name, tensor).contiguous() for name, tensor in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    return target


def with_mark(adapter: Path, target: Path, mark: Any) -> Adapter:
    """A copy of an adapter whose record has the mark."""
    shutil.copytree(adapter, target)
    (target / SERVED_WITH).write_text(json.dumps({KEY: mark}), encoding="utf-8")
    return Adapter("cot", target, "a" * 64)


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("itself", lambda name, tensor: tensor, True),
        ("in bf16", lambda name, tensor: tensor.to(torch.bfloat16), True),
        ("in fp16", lambda name, tensor: tensor.half(), True),
        ("another one", lambda name, tensor: torch.randn(tensor.shape, generator=torch.manual_seed(9)), False),
        ("another one in bf16", lambda name, tensor: torch.randn(tensor.shape).to(torch.bfloat16), False),
        ("one that was trained on", lambda name, tensor: tensor + 1e-3 * torch.randn(tensor.shape), False),
        ("one of other layers", lambda name, tensor: tensor if "embed" in name else tensor + 1, True),  # not looked at
    ],
)
def test_a_base_is_known_in_every_type_and_another_one_is_refused(
    name: str, change: Any, same: bool, tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    adapter = with_mark(tiny_adapters[0], tmp_path / "adapter", mark_of(Model("trained", tiny_model)))
    other = Model(name, changed(tiny_model, tmp_path / "other", change))
    if same:
        refuse_other_base(adapter, other)
        return
    with pytest.raises(EngineError, match=f"adapter cot was trained on another base model than {name}"):
        refuse_other_base(adapter, other)


@pytest.mark.parametrize("mark", [None, {}, [], "x", {"dtype": "F32"}, {"dtype": "F32", "numbers": 3}])
def test_an_adapter_without_a_mark_is_taken(
    mark: Any, tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    refuse_other_base(with_mark(tiny_adapters[0], tmp_path / "adapter", mark), Model("tiny", tiny_model))
    refuse_other_base(Adapter("plain", tiny_adapters[0], "b" * 64), Model("tiny", tiny_model))


def test_a_model_whose_files_are_not_here_has_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert mark_of(Model("nobody/nothing", None, "0" * 40)) is None
    assert mark_of(Model("empty", tmp_path)) is None


def test_the_engine_refuses_an_adapter_of_another_base(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    adapter = with_mark(tiny_adapters[0], tmp_path / "adapter", mark_of(Model("trained", tiny_model)))
    other = changed(tiny_model, tmp_path / "other", lambda name, tensor: tensor * 1.5)
    asked = [Request("q", (Message("user", "Fever."),), Sampling(max_new_tokens=4), adapter=adapter)]
    with pytest.raises(EngineError, match="adapter cot was trained on another base model than other"):
        list(Transformers().with_model(Model("other", other)).complete(asked))
    assert list(Transformers().with_model(Model("tiny", tiny_model)).complete(asked))
