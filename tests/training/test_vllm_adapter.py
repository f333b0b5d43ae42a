"""An adapter that was trained here answers in vLLM as it does here, unlike its base, and stops where it was trained to:
on a token that only generation_config.json names, as Gemma has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from medo1.engines.base import Adapter, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.engines.vllm.engine import VLLM
from medo1.lineage.digests import digest_of_tree
from medo1.training import run
from tests.training.jobs import job

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


def ends_by_its_generation_config_alone(served_model: Path, folder: Path) -> Path:
    """The model with another end-of-text token, and the end of a turn named for generation only."""
    shutil.copytree(served_model, folder)
    for name, key, value in (
        ("tokenizer_config.json", "eos_token", "<|endoftext|>"),
        ("tokenizer_config.json", "pad_token", "<|im_start|>"),
        ("config.json", "eos_token_id", 256),
        ("generation_config.json", "eos_token_id", [256, 258]),
    ):
        told = json.loads((folder / name).read_text())
        told[key] = value
        (folder / name).write_text(json.dumps(told))
    return folder


def test_a_trained_adapter_says_in_vllm_what_it_says_here(
    served_model: Path, tmp_path: Path, vllm_python: str, one_vllm_at_a_time: None
) -> None:
    output = tmp_path / "adapter"
    output.mkdir()
    base = ends_by_its_generation_config_alone(served_model, tmp_path / "model")
    run.train(job(base, 8, rank=8, epochs=10, learning_rate=2e-2), output, tmp_path / "checkpoints")
    trained = Adapter("trained", output, digest_of_tree(output))
    turns = (Message("user", "Question 3?\nA. yes\nB. no"),)
    asked = [Request(name, turns, Sampling(max_new_tokens=120), adapter=one) for name, one in
             (("base", None), ("trained", trained))]  # fmt: skip
    told = {}
    with Transformers() as local:
        told["here"] = {
            one.key: (one.text, one.finish_reason) for one in local.with_model(Model("m", base, "r")).complete(asked)
        }
    with VLLM(python=vllm_python, context=512, rows=8, max_rank=8, start_timeout_s=900) as served:
        told["vllm"] = {
            one.key: (one.text, one.finish_reason) for one in served.with_model(Model("m", base, "r")).complete(asked)
        }
    assert told["vllm"] == told["here"]
    assert told["vllm"]["trained"] != told["vllm"]["base"]
    assert told["vllm"]["trained"][1] == "stop"
