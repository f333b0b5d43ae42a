"""`kedro export adapter`: a directory that a colleague or a hub can use, and a card that says what it is."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from medo1 import tables
from medo1.commands.export import export
from medo1.datasets import AdapterDirectory, ModelDirectory, Table
from medo1.lineage.manifests import Provenance
from tests.conftest import ROOT

QUESTION = "Question 1?\nA. yes\nB. no"


@pytest.fixture
def project(
    tmp_path: Path, tiny_model: Path, tiny_adapters: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """This project's configuration, with a base model and an adapter of `longstep` as a run would have saved them."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/local").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    base = ModelDirectory(filepath="data/06_models/base_model")
    shutil.copytree(tiny_model, tmp_path / "made" / "base")
    base.save(tmp_path / "made" / "base")
    example = {
        "question_id": "a" * 16, "sample": 0, "prompt": QUESTION, "completion": "Final answer: A",
        "prompt_tokens": 9, "completion_tokens": 7, "part": "train",
    }  # fmt: skip
    examples = Table(filepath="data/05_model_input/longstep/training_examples.parquet")
    examples.save(tables.as_table(tables.TRAINING_EXAMPLES, [example]))
    trained = AdapterDirectory(filepath="data/06_models/longstep/adapter")
    shutil.copytree(tiny_adapters[0], tmp_path / "made" / "adapter")
    told = {name: {"version": one.manifest().version, "digest": one.manifest().digest} for name, one in
            {"base_model": base, "longstep.training_examples": examples}.items()}  # fmt: skip
    settings = {"params:finetune.longstep": {"digest": "0", "value": {"rank": 4, "learning_rate": 1e-4}}}
    trained.provenance = Provenance("longstep.adapter", run="R", made_from={**told, **settings})
    trained.save(tmp_path / "made" / "adapter")
    return tmp_path


def exported(*arguments: str) -> Result:
    return CliRunner().invoke(export, ["adapter", "longstep", "out", *arguments])


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model.eval()(torch.arange(40)[None]).logits


def test_the_adapter_loads_with_plain_peft_and_answers_unlike_its_base(
    project: Path, tiny_model: Path, tiny_adapters: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft import AutoPeftModelForCausalLM, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    done = exported("--with-base")
    assert done.exit_code == 0, done.output
    monkeypatch.chdir(project / "out")
    model, tokenizer = AutoPeftModelForCausalLM.from_pretrained("."), AutoTokenizer.from_pretrained(".")
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    plain = logits(base)
    assert (logits(model) - plain).abs().max() > 0.1
    assert logits(model).equal(logits(PeftModel.from_pretrained(base, tiny_adapters[0])))
    assert tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False).startswith("<|im_start|>")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_merged_model_gives_the_logits_of_base_and_adapter(
    project: Path, tiny_model: Path, tiny_adapters: tuple[Path, Path], dtype: str
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    done = exported("--merged", "--dtype", dtype)
    assert done.exit_code == 0, done.output
    merged = AutoModelForCausalLM.from_pretrained("out")
    assert merged.dtype == getattr(torch, dtype)
    assert merged.lm_head.weight.data_ptr() == merged.model.embed_tokens.weight.data_ptr()
    beside = logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), tiny_adapters[0]))
    close = 1e-4 if dtype == "float32" else 0.1 * float(beside.abs().max())
    assert (logits(merged.float()) - beside).abs().max() < close


def test_a_base_that_nobody_else_can_load_is_refused(project: Path) -> None:
    done = exported()
    assert done.exit_code == 1
    assert "--with-base" in done.output
    assert not (project / "out").exists()
    assert not list(project.glob(".tmp-*"))


def test_a_hub_id_is_written_where_loaders_look(project: Path) -> None:
    assert exported("--base", "somebody/base", "--licence", "apache-2.0").exit_code == 0
    config = json.loads((project / "out/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "somebody/base"
    front = yaml.safe_load((project / "out/README.md").read_text().split("---")[1])
    assert front["base_model"] == "somebody/base"
    assert front["license"] == "apache-2.0"
    assert front["library_name"] == "peft"


def test_the_card_says_what_it_was_made_from_and_what_it_is_not_for(project: Path) -> None:
    assert exported("--with-base").exit_code == 0
    card = (project / "out/README.md").read_text()
    assert "For research, not for clinical decisions" in card
    assert "| training examples | 1 |" in card
    assert "| rank | 4 |" in card
    assert "longstep.training_examples" in card
    assert "None yet" in card
    assert AdapterDirectory(filepath="data/06_models/longstep/adapter").manifest().digest in card
    assert str(project) not in card


def test_what_is_exported_can_be_read_by_the_group(project: Path) -> None:
    assert exported("--with-base").exit_code == 0
    saved = AdapterDirectory(filepath="data/06_models/longstep/adapter").load().path
    for path in (project / "out", project / "out/base", saved):
        assert stat.S_IMODE(path.stat().st_mode) & 0o050 == 0o050


def test_a_directory_with_files_in_it_is_not_written_to(project: Path) -> None:
    (project / "out").mkdir()
    (project / "out/mine.txt").write_text("x")
    assert "is not empty" in exported("--with-base").output
    assert [path.name for path in (project / "out").iterdir()] == ["mine.txt"]


def test_a_format_without_an_adapter_says_what_to_run(project: Path) -> None:
    done = CliRunner().invoke(export, ["adapter", "cot", "out"])
    assert done.exit_code == 1
    assert "kedro run --pipelines=finetune" in done.output
