"""Adapters learn the assistant's tokens and a stop token of whole chains; equal trainings give equal bytes."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medo1.engines.base import Model
from medo1.engines.base_mark import KEY, mark_of
from medo1.errors import UserError
from medo1.lineage.digests import digest_of_tree
from medo1.training import callbacks, run
from medo1.training.adapters import AdapterError, check_adapter, linear_shapes
from medo1.training.checkpoints import CONTENTS, TIMES, Checkpoints
from medo1.training.job import DevQuestion, TrainingJob
from medo1.training.trainer import sft_trainer
from tests.training.jobs import OPTIONS, job, model


def trained(one: TrainingJob, folder: Path) -> run.Trained:
    output = folder / "adapter"
    output.mkdir(parents=True)
    return run.train(one, output, folder / "checkpoints")


@pytest.mark.parametrize("after", [False, True])
def test_the_loss_covers_the_assistants_tokens_and_the_stop_token(
    tiny_model: Path, tmp_path: Path, after: bool
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    given = job(tiny_model, train_after_stop=after)
    learnt = set()
    for batch in sft_trainer(given, tmp_path).get_train_dataloader():
        assert not ((batch["labels"] != -100) & (batch["attention_mask"] == 0)).any()
        for labels in batch["labels"].tolist():
            learnt.add(tokenizer.decode([label for label in labels if label != -100]))
    end = "<|im_end|>\n" if after else "<|im_end|>"
    assert learnt == {f"{example.completion}{end}" for example in given.examples}


def test_equal_trainings_give_equal_bytes_and_name_no_path_of_this_machine(tiny_model: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        done = trained(job(tiny_model), tmp_path / name)
        assert [row["step"] for row in done.log] == [1, 2, 3, 4]
        assert all(row["loss"] > 0 and row["grad_norm"] > 0 for row in done.log)
        assert [row["step"] for row in done.timing] == [1, 2, 3, 4]
    first, second = tmp_path / "first" / "adapter", tmp_path / "second" / "adapter"
    assert digest_of_tree(first) == digest_of_tree(second)
    files = sorted(path.name for path in first.iterdir())
    assert files == ["adapter_config.json", "adapter_model.safetensors", "medo1_adapter.json"]
    config = json.loads((first / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert not any(str(tiny_model) in path.read_text(errors="ignore") for path in first.iterdir())
    asked = json.loads((first / "medo1_adapter.json").read_text())
    assert asked["chat_template_kwargs"] == {}
    assert asked["stop_tokens"] == ["<|im_end|>"]
    assert asked[KEY] == mark_of(Model("tiny", tiny_model)) is not None


def test_scoring_completions_only_trains_the_same_adapter_as_trls_own_trainer(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    weights = []
    for positions in ("completion", "all"):
        trained(job(tiny_model, loss_positions=positions), tmp_path / positions)
        weights.append(load_file(tmp_path / positions / "adapter" / "adapter_model.safetensors"))
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() < 1e-4, name


def test_the_same_batch_in_other_pieces_trains_the_same_adapter(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    weights = []
    for micro in (1, 2, 4):
        trained(job(tiny_model, 8, batch_size=4, micro_batch_size=micro), tmp_path / str(micro))
        weights.append(load_file(tmp_path / str(micro) / "adapter" / "adapter_model.safetensors"))
    for other in weights[1:]:
        assert max((tensor - other[name]).abs().max() for name, tensor in weights[0].items()) < 1e-3


def test_without_examples_the_message_says_where_to_look(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="filter_summary"):
        trained(job(tiny_model, 0), tmp_path)


# Killed and run again

KILLED = """
import os, signal, sys
from pathlib import Path
from medo1.training import callbacks, run
from medo1.training.job import TrainingJob
folder, step, number = Path(sys.argv[1]), int(sys.argv[2]), getattr(signal, sys.argv[3])
class Kill(callbacks.Progress):
    def on_step_end(self, args, state, control, **_):
        if state.global_step == step:
            os.kill(os.getpid(), number)
callbacks.Progress = Kill
run.train(TrainingJob.from_json((folder / "job.json").read_text()), folder / "adapter", folder / "checkpoints")
"""


def killed(given: TrainingJob, folder: Path, step: int, number: str) -> int:
    (folder / "adapter").mkdir(parents=True)
    (folder / "job.json").write_text(given.to_json())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(step), number], capture_output=True, text=True, check=False
    )
    shutil.rmtree(folder / "adapter")
    return done.returncode


def kept_in(given: TrainingJob, folder: Path) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", given.key)


@pytest.mark.slow
def test_a_training_killed_at_any_step_goes_on_to_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    given = job(tiny_model, 6, dropout=0.2, checkpoint_minutes=0, held=2, dev={"answers": 0})
    whole = trained(given, tmp_path / "whole")
    for step in range(1, 5):
        folder = tmp_path / str(step)
        assert killed(given, folder, step, "SIGKILL") == -signal.SIGKILL
        again = trained(given, folder)
        assert digest_of_tree(folder / "adapter") == digest_of_tree(tmp_path / "whole" / "adapter"), step
        assert again.log == whole.log


def test_told_to_leave_it_saves_leaves_and_goes_on_to_the_same_bytes(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given = job(tiny_model, dropout=0.2)
    trained(given, tmp_path / "whole")

    class Told(callbacks.Progress):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr(callbacks, "Progress", Told)
        trained(given, tmp_path / "left")
    assert left.value.code == run.TERMINATED
    assert list((tmp_path / "left" / "adapter").iterdir()) == []
    shutil.rmtree(tmp_path / "left" / "adapter")
    latest = kept_in(given, tmp_path / "left").latest()
    assert latest is not None
    assert latest.name == "checkpoint-3"
    before = (latest / TIMES).read_text()
    with caplog.at_level("INFO"):
        done = trained(given, tmp_path / "left")
    [said] = [record for record in caplog.records if "training resumes from step 3" in record.getMessage()]
    assert said.on_screen, "whoever started it again sees that nothing is lost"
    assert [row["step"] for row in done.timing] == [1, 2, 3, 4]
    assert done.timing[:3] == json.loads(before)
    assert [row["step"] for row in done.log] == [1, 2, 3, 4]
    assert digest_of_tree(tmp_path / "left" / "adapter") == digest_of_tree(tmp_path / "whole" / "adapter")


@pytest.fixture
def left(tiny_model: Path, tmp_path: Path) -> Checkpoints:
    """Two whole checkpoints, of the steps 3 and 4."""
    given = job(tiny_model, checkpoint_minutes=0)
    trained(given, tmp_path)
    kept = kept_in(given, tmp_path)
    assert sorted(path.name for path in kept.folder.glob("checkpoint-*")) == ["checkpoint-3", "checkpoint-4"]
    return kept


@pytest.mark.parametrize(
    "fault", ["truncated", "no optimizer", "no random state", "no list", "half a list", "another byte"]
)
def test_a_checkpoint_that_is_not_whole_is_passed_over_for_the_one_before(left: Checkpoints, fault: str) -> None:
    last = left.folder / "checkpoint-4"
    match fault:
        case "truncated":
            os.truncate(last / "optimizer.pt", 100)
        case "no optimizer":
            (last / "optimizer.pt").unlink()
        case "no random state":
            (last / "rng_state.pth").unlink()
        case "no list":
            (last / CONTENTS).unlink()
        case "half a list":
            os.truncate(last / CONTENTS, 20)
        case "another byte":
            data = bytearray((last / "adapter_model.safetensors").read_bytes())
            data[-1] ^= 1
            (last / "adapter_model.safetensors").write_bytes(bytes(data))
    found = left.latest()
    assert found is not None
    assert found.name == "checkpoint-3"


def test_a_checkpoint_of_another_number_of_processes_is_not_used(left: Checkpoints) -> None:
    assert left.latest(processes=2) is None


def test_other_inputs_have_other_checkpoints(tiny_model: Path) -> None:
    base = job(tiny_model)
    others = [job(tiny_model, 3), job(tiny_model, seed=2), job(tiny_model, rank=8), job(tiny_model, held=1)]
    assert len({base.key, *(other.key for other in others)}) == 5
    assert job(tiny_model, checkpoint_minutes=1).key == base.key
    assert TrainingJob.from_json(base.to_json()).key == base.key


def test_two_runs_do_not_train_the_same_adapter_at_once(tiny_model: Path, tmp_path: Path) -> None:
    given = job(tiny_model)
    with kept_in(given, tmp_path).held(), pytest.raises(UserError, match="Another run is training"):
        trained(given, tmp_path)


# What comes out is checked


def test_a_loss_that_is_no_number_stops_and_says_where(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    given = job(tiny_model, 8, epochs=20, learning_rate=1e30, checkpoint_minutes=0, warmup_ratio=0)
    with pytest.raises(UserError, match=r"at step \d+ .*learning_rate") as raised:
        trained(given, tmp_path)
    last = kept_in(given, tmp_path).latest()
    assert last is not None
    assert f"the last good checkpoint is {last}" in str(raised.value)
    state = json.loads((last / "trainer_state.json").read_text())
    assert all(math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"]) for row in state["log_history"])
    assert load_file(last / "adapter_model.safetensors")
    assert list((tmp_path / "adapter").iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("nan", "not finite"),
        ("zero", "answers as its base"),
        ("empty", "gathered"),
        ("shape", "gathered"),
        ("none", "no tensor"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_refused(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path, fault: str, told: str
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "adapter"
    shutil.copytree(tiny_adapters[0], folder)
    shapes = linear_shapes(model(tiny_model))
    check_adapter(folder, shapes)
    tensors = load_file(folder / "adapter_model.safetensors")
    name = next(name for name in tensors if "lora_B" in name)
    match fault:
        case "nan":
            tensors[name][0, 0] = float("nan")
        case "zero":
            tensors = {key: torch.zeros_like(value) if "lora_B" in key else value for key, value in tensors.items()}
        case "empty":
            tensors = {key: torch.empty(0) for key in tensors}
        case "shape":
            tensors[name] = tensors[name][:, :1].contiguous()
        case "none":
            tensors = {}
    save_file(tensors, folder / "adapter_model.safetensors")
    with pytest.raises(AdapterError, match=told):
        check_adapter(folder, shapes)


def test_a_module_that_is_not_there_is_named(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'nowhere_proj'.* it has .*q_proj"):
        trained(job(tiny_model, target_modules=("q_proj", "nowhere_proj")), tmp_path)


def test_a_pattern_that_reaches_the_tied_head_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="also names lm_head, the output layer"):
        trained(job(tiny_model, target_modules=".*(proj|head)"), tmp_path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "qlora"}, "method: lora"),
        ({"packing": True}, "packing: false"),
        ({"launch": {"processes": 2, "strategy": "zero3"}}, "strategy: fsdp"),
    ],
)
def test_what_this_machine_cannot_do_is_refused_by_name(
    tiny_model: Path, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    from medo1.training.trainer import refuse_unfit

    with pytest.raises(UserError, match=told):
        refuse_unfit(job(tiny_model, micro_batch_size=1, **changes).spec, "cpu")


def test_a_training_that_the_memory_does_not_hold_says_what_to_change(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("transformers.Trainer.train", full)
    with pytest.raises(UserError, match="micro_batch_size: 1; gradient_checkpointing: true"):
        trained(job(tiny_model), tmp_path)


def test_all_weights_can_be_trained(tiny_model: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    trained(job(tiny_model, method="full", learning_rate=1e-3), tmp_path)
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "adapter")
    moved = [name for name, weight in base.state_dict().items() if not weight.equal(after.state_dict()[name])]
    assert "model.layers.0.self_attn.q_proj.weight" in moved
    assert after.lm_head.weight.data_ptr() == after.model.embed_tokens.weight.data_ptr()
    assert (tmp_path / "adapter" / "tokenizer.json").is_file()


# Dev questions


WILD: dict[str, Any] = {
    "held": 2,
    "learning_rate": 3.0,
    "epochs": 6,
    "schedule": "constant",
    "warmup_ratio": 0,
}  # it gets worse again


def test_evaluations_stand_in_the_log_and_the_best_weights_are_kept(tiny_model: Path, tmp_path: Path) -> None:
    dev = {"evaluations": 4, "max_new_tokens": 8}
    done = trained(job(tiny_model, 6, dev=dev, **WILD), tmp_path / "best")
    seen = {row["step"]: row for row in done.log if row["eval_loss"] is not None}
    assert len(seen) == 4
    assert all(0 <= row["eval_accuracy"] <= 1 and 0 <= row["eval_unfinished"] <= 1 for row in seen.values())
    assert done.best_step == min(seen, key=lambda step: seen[step]["eval_loss"])
    assert done.best_step != max(seen)
    last = trained(job(tiny_model, 6, dev={**dev, "keep_best": False}, **WILD), tmp_path / "last")
    assert last.best_step is None
    assert digest_of_tree(tmp_path / "best" / "adapter") != digest_of_tree(tmp_path / "last" / "adapter")
    early = job(tiny_model, 6, dev=dev, **WILD)
    assert evaluated(tmp_path / "best" / "adapter", early) == pytest.approx(
        min(row["eval_loss"] for row in seen.values()), rel=1e-3
    )


def evaluated(adapter: Path, given: TrainingJob) -> float:
    """The loss of a saved adapter on the dev examples, computed here."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from tests.training.jobs import template

    assert given.model.path is not None
    base = AutoModelForCausalLM.from_pretrained(given.model.path)
    student = PeftModel.from_pretrained(base, adapter).eval()
    total, count = 0.0, 0
    for one in given.dev:
        tokens = template(given.model.path).tokenized(one.prompt, one.completion)
        ids = torch.tensor([[*tokens.prompt, *tokens.answer]])
        with torch.no_grad():
            scores = student(ids).logits[0, len(tokens.prompt) - 1 : -1].log_softmax(-1)
        total -= float(scores.gather(1, torch.tensor(tokens.answer)[:, None]).sum())
        count += len(tokens.answer)
    return total / count


def test_a_training_that_gets_no_better_is_stopped(tiny_model: Path, tmp_path: Path) -> None:
    dev = {"evaluations": 12, "answers": 0, "patience": 2}
    done = trained(job(tiny_model, 6, dev=dev, **WILD), tmp_path)
    assert max(row["step"] for row in done.log) < job(tiny_model, 6, dev=dev, **WILD).spec.steps(4)
    assert done.best_step is not None
    assert max(row["step"] for row in done.log) == done.best_step + 2


def test_a_student_that_has_learnt_answers_the_dev_questions(tiny_model: Path, tmp_path: Path) -> None:
    given = job(
        tiny_model, 3, method="full", epochs=60, learning_rate=1e-2, dev={"evaluations": 1, "max_new_tokens": 80}
    )
    known = {one.question_id: DevQuestion(OPTIONS, "A") for one in given.examples}
    given = replace(given, dev=given.examples, questions=known)
    [seen] = [row for row in trained(given, tmp_path).log if row["eval_loss"] is not None]
    assert seen["eval_accuracy"] == 1.0
    assert seen["eval_unfinished"] == 0.0
