"""Adapters are trained on whole chains, on the assistant's tokens alone, and equal runs give equal bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.lineage.digests import digest_of_tree
from medo1.pipelines.finetune.lora import sft_trainer, train_lora
from medo1.pipelines.finetune.params import FinetuneParams
from medo1.pipelines.finetune.training_examples import TrainingExample, measured

PARAMS = FinetuneParams(epochs=2, batch_size=2, micro_batch_size=2, rank=4, alpha=8, learning_rate=1e-2, max_tokens=512)


def model(tiny_model: Path) -> Model:
    return Model("tiny", tiny_model, "revision")


def examples(tiny_model: Path) -> list[TrainingExample]:
    from transformers import AutoTokenizer

    pairs = [
        (f"{n:016x}", 0, f"Question {n}?\nA. yes\nB. no", f"Step 1: {'think ' * n}\nFinal answer: A") for n in range(4)
    ]
    return measured(pairs, AutoTokenizer.from_pretrained(tiny_model))


def test_lengths_are_those_of_the_rendered_conversation(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    [first, *_] = examples(tiny_model)
    whole = tokenizer.apply_chat_template(
        [{"role": "user", "content": first.prompt}, {"role": "assistant", "content": first.completion}], tokenize=True
    )["input_ids"]
    assert first.prompt_tokens + first.completion_tokens == len(whole)


def test_the_loss_covers_the_assistants_tokens_and_nothing_else(tiny_model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    given = examples(tiny_model)
    trainer = sft_trainer(given, model(tiny_model), PARAMS, 1, tmp_path)
    learnt = set()
    for batch in trainer.get_train_dataloader():
        for labels in batch["labels"].tolist():
            learnt.add(tokenizer.decode([label for label in labels if label != -100]))
    assert learnt == {f"{example.completion}<|im_end|>\n" for example in given}


def test_equal_runs_give_equal_bytes_and_name_no_path_of_this_machine(tiny_model: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("first", "second"):
        output = tmp_path / name
        output.mkdir()
        log = train_lora(examples(tiny_model), model(tiny_model), PARAMS, 1, output)
        assert log
        assert {"step", "epoch", "loss", "learning_rate"} == set(log[0])
        digests.append(digest_of_tree(output))
    assert digests[0] == digests[1]
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["adapter_config.json", "adapter_model.safetensors"]
    config = json.loads((tmp_path / "first" / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert str(tiny_model) not in (tmp_path / "first" / "adapter_config.json").read_text()


def test_scoring_completions_only_trains_the_same_adapter_as_trls_own_trainer(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    weights = []
    for positions in ("completion", "all"):
        output = tmp_path / positions
        output.mkdir()
        params = PARAMS.model_copy(update={"loss_positions": positions})
        train_lora(examples(tiny_model), model(tiny_model), params, 1, output)
        weights.append(load_file(output / "adapter_model.safetensors"))
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() < 1e-4, name


@pytest.mark.parametrize("micro", [3, 5, 16])
def test_a_batch_that_micro_batches_cannot_make_up_is_refused(micro: int) -> None:
    with pytest.raises(ValidationError, match=rf"batch_size \(8\) must be a multiple of micro_batch_size \({micro}\)"):
        FinetuneParams(batch_size=8, micro_batch_size=micro)


@pytest.mark.parametrize(("micro", "devices", "accumulation"), [(8, 1, 1), (2, 1, 4), (2, 4, 1), (1, 2, 4)])
def test_all_devices_together_take_the_batch_that_was_asked_for(micro: int, devices: int, accumulation: int) -> None:
    params = FinetuneParams(batch_size=8, micro_batch_size=micro)
    assert params.accumulation(devices) == accumulation
    assert params.accumulation(devices) * micro * devices == 8


def test_devices_that_cannot_share_the_batch_are_named() -> None:
    with pytest.raises(UserError, match="8 cannot be shared by 3 devices"):
        FinetuneParams(batch_size=8, micro_batch_size=2).accumulation(3)


def test_an_optimizer_step_takes_batch_size_examples(tiny_model: Path, tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"batch_size": 4, "micro_batch_size": 1, "epochs": 3})
    given = examples(tiny_model) * 2
    log = train_lora(given, model(tiny_model), params, 1, tmp_path)
    assert max(row["step"] for row in log) == 3 * 8 // 4


def test_without_examples_the_message_says_where_to_look(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="filter_summary"):
        train_lora([], model(tiny_model), PARAMS, 1, tmp_path)


def test_a_template_that_adds_text_to_the_generation_prompt_alone_is_refused(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\n<think>{% endif %}"
    )
    with pytest.raises(UserError, match="chat template"):
        measured([("0" * 16, 0, "Question?", "Answer.")], tokenizer)
