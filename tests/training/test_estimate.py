"""The estimate comes from the configuration alone, agrees with what small models hold, and says what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from medo1.commands.estimate import estimate
from medo1.engines.base import Model
from medo1.training.estimate import GIB, ModelSizes, estimated, memory_parts
from medo1.training.spec import TrainingSpec
from tests.conftest import ROOT

# The shapes of the paper's students, from their configurations.
STUDENTS: dict[str, dict[str, Any]] = {
    "32B": {"hidden_size": 5120, "intermediate_size": 27648, "num_hidden_layers": 64, "num_attention_heads": 40},
    "72B": {"hidden_size": 8192, "intermediate_size": 29568, "num_hidden_layers": 80, "num_attention_heads": 64},
}
PAPER = {"rank": 16, "bf16": True, "gradient_checkpointing": True, "max_tokens": 8192}
TOKENS = [1500] * 499 + [8192]


def student(folder: Path, name: str) -> Model:
    from transformers import Qwen2Config

    config = Qwen2Config(**STUDENTS[name], num_key_value_heads=8, vocab_size=152064, tie_word_embeddings=False)
    config.architectures = ["Qwen2ForCausalLM"]
    config.save_pretrained(folder / name)
    return Model(name, folder / name, "revision")


def spec(processes: int, strategy: str, **changes: Any) -> TrainingSpec:
    return TrainingSpec.model_validate({**PAPER, **changes, "launch": {"processes": processes, "strategy": strategy}})


@pytest.mark.parametrize(("name", "weights"), [("32B", 32.8e9), ("72B", 72.7e9)])
def test_the_papers_students_are_counted_without_loading_them(tmp_path: Path, name: str, weights: float) -> None:
    assert ModelSizes.of(student(tmp_path, name)).weights == pytest.approx(weights, rel=0.01)


@pytest.mark.parametrize(
    ("name", "processes", "strategy", "fits"),
    [
        ("32B", 4, "ddp", False),  # 61 GiB of weights, and the activations
        ("32B", 4, "fsdp", True),
        ("32B", 8, "zero3", True),
        ("72B", 8, "ddp", False),
        ("72B", 4, "fsdp", True),
        ("72B", 8, "zero3", True),
    ],
)
def test_the_papers_students_on_gpus_of_80_gb(
    tmp_path: Path, name: str, processes: int, strategy: str, fits: bool
) -> None:
    found = estimated(student(tmp_path, name), spec(processes, strategy), TOKENS, free_gib=79, device="NVIDIA A100")
    assert found.fits is fits, found
    assert found.steps == 189
    assert found.seconds is not None
    if not fits:
        assert any("launch.strategy: fsdp" in line and "which fits" in line for line in found.advice)


def test_without_checkpointing_the_paper_does_not_fit_and_the_advice_says_so(tmp_path: Path) -> None:
    given = spec(8, "fsdp", gradient_checkpointing=False)
    found = estimated(student(tmp_path, "32B"), given, TOKENS, free_gib=79, device="NVIDIA A100")
    assert found.fits is False
    assert any("gradient_checkpointing: true" in line and "which fits" in line for line in found.advice)


@pytest.mark.parametrize(
    ("hidden", "inner", "layers", "heads", "keys", "length"),
    [(256, 704, 4, 8, 2, 256), (128, 512, 2, 4, 4, 512), (512, 1408, 3, 8, 8, 128)],
)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_activations_and_trained_weights_are_those_that_a_small_model_holds(
    tmp_path: Path, hidden: int, inner: int, layers: int, heads: int, keys: int, length: int, checkpointing: bool
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=512, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=keys, max_position_embeddings=2048,
    )  # fmt: skip
    base = Qwen2ForCausalLM(config)
    base.save_pretrained(tmp_path)
    count = base.num_parameters()
    model = get_peft_model(base, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")).train()
    given = TrainingSpec(rank=8, gradient_checkpointing=checkpointing)
    sizes = ModelSizes.of(Model("small", tmp_path, "1"))
    parts = memory_parts(sizes, given, length, on_gpu=False)
    assert sizes.trained(given) == sum(one.numel() for one in model.parameters() if one.requires_grad)
    assert parts["weights"] * GIB == 4 * count
    expected = parts["activations"] * GIB
    if checkpointing:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
        expected -= length * sizes.saved_per_token() * 4  # one layer's, which live while it is computed again
    found = held_for_backward(model, torch.randint(0, 512, (1, length)))
    assert expected == pytest.approx(found, rel=0.2)


def held_for_backward(model: Any, ids: Any) -> int:
    """Bytes of the tensors that a forward pass keeps, weights left out."""
    import torch

    weights = {one.untyped_storage().data_ptr() for one in model.parameters()}
    held: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, logits_to_keep=1)
    kept = sum(held.values())
    out.logits.sum().backward()
    return kept


@pytest.mark.parametrize(
    ("memory", "processes", "strategy", "chosen"),
    [(79, 8, "fsdp", 1), (79, 4, "fsdp", 2), (24, 4, "fsdp", 1), (None, 4, "fsdp", 1)],
)
def test_the_micro_batch_is_chosen_by_what_a_device_holds_and_meets_the_batch(
    tmp_path: Path, memory: float | None, processes: int, strategy: str, chosen: int
) -> None:
    given = spec(processes, strategy, micro_batch_size="auto", max_tokens=4096)
    model = student(tmp_path, "32B")
    found = estimated(model, given, [1500] * 99 + [4096], free_gib=memory, device="A100")
    assert found.micro_batch_size == chosen
    busy = estimated(model, given, [1500] * 99 + [4096], free_gib=1.0, device="A100", total_gib=memory)
    assert busy.micro_batch_size == chosen  # what else runs on the device changes no result
    assert given.batch_size % (chosen * processes) == 0


def test_on_a_cpu_the_chosen_micro_batch_pads_nothing(tiny_model: Path) -> None:
    given = TrainingSpec(micro_batch_size="auto")
    assert estimated(Model("tiny", tiny_model, "1"), given, [10], 100.0, "cpu").micro_batch_size == 1


def test_more_devices_never_need_more_memory_each(tmp_path: Path) -> None:
    model = student(tmp_path, "32B")
    needed = [estimated(model, spec(count, "fsdp"), TOKENS, device="A100").needed_gib for count in (2, 4, 8)]
    assert needed == sorted(needed, reverse=True)


def test_the_time_of_an_unknown_device_is_not_invented(tiny_model: Path) -> None:
    assert estimated(Model("tiny", tiny_model, "1"), TrainingSpec(), [10], device="mps").seconds is None


def test_the_command_estimates_the_paper_for_devices_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    folder = student(tmp_path, "72B").path
    options = ["--env", "paper", "--model", str(folder), "--device", "A100", "--memory", "79"]
    done = CliRunner().invoke(estimate, [*options, "--devices", "8"])
    assert done.exit_code == 0, done.output
    assert "which fits" in done.output
    odd = CliRunner().invoke(estimate, [*options, "--devices", "3"])
    assert odd.exit_code == 1
    assert "batch_size must be a multiple of 3" in odd.output


def test_a_rank_that_vllm_refuses_is_told_before_training(tmp_path: Path) -> None:
    found = estimated(student(tmp_path, "32B"), spec(8, "fsdp", rank=1024), TOKENS, free_gib=79, device="A100")
    assert any("up to rank 512, and rank is 1024" in line for line in found.advice)
