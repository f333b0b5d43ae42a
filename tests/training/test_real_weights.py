"""Weights that somebody really trained: the template is served as it is trained, a LoRA learns, plain peft loads it.

MEDO1_REAL_MODELS names a folder of model directories, small ones (a step of each is made). Nothing is downloaded;
without the folder the test is skipped, in CI too: there is no hub there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from medo1.engines.base import Adapter, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.lineage.digests import digest_of_tree
from medo1.training import run
from medo1.training.examples import ChainText, prepared
from medo1.training.job import TrainingJob
from medo1.training.spec import TrainingSpec
from medo1.training.templates import PLAIN_TEMPLATE, chat_template_of

pytestmark = pytest.mark.slow
FOLDER = os.environ.get("MEDO1_REAL_MODELS")
MODELS = sorted(path.parent for path in Path(FOLDER).glob("*/config.json")) if FOLDER else []
OPTIONS = {"A": "aspirin", "B": "heparin"}
QUESTION = "A man has chest pain. What is given first?\nA. aspirin\nB. heparin"


@pytest.fixture(params=MODELS or [None], ids=lambda path: "none" if path is None else path.name)
def real_model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """The model; a base model without a chat template gets the one of docs/fine_tune.md."""
    if request.param is None:
        pytest.skip("MEDO1_REAL_MODELS names no folder of model directories")
    folder = tmp_path / request.param.name
    folder.mkdir()
    for file in request.param.iterdir():
        (folder / file.name).symlink_to(file)
    if not (folder / "chat_template.jinja").exists():
        (folder / "chat_template.jinja").write_text(PLAIN_TEMPLATE)
    return Model(request.param.name, folder, "real")


def test_a_model_that_somebody_trained_goes_the_whole_path(real_model: Model, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    spec = TrainingSpec(batch_size=2, epochs=1, rank=4, alpha=8, learning_rate=1e-3, threads=1, bf16=True)
    template = chat_template_of(real_model, {})
    chains = [
        ChainText(f"{n:016x}", 0, QUESTION, f"Aspirin comes first ({n}).\nFinal answer: A", OPTIONS) for n in range(2)
    ]
    examples = prepared(chains, template, spec).examples
    output = tmp_path / "adapter"
    output.mkdir()
    done = run.train(TrainingJob(tuple(examples), real_model, spec, 11), output, tmp_path / "checkpoints")
    assert 0 < done.log[0]["loss"] < 8
    trained = Adapter("trained", output, digest_of_tree(output))
    asked = [Request(name, (Message("user", QUESTION),), Sampling(max_new_tokens=4), adapter=one)
             for name, one in (("base", None), ("trained", trained))]  # fmt: skip
    with Transformers(dtype="bfloat16") as engine:
        said = {one.key: one for one in engine.with_model(real_model).complete(asked)}
    tokens = template.tokenized(QUESTION, "Final answer: A")
    assert [said[name].prompt_tokens for name in ("base", "trained")] == [len(tokens.prompt)] * 2
    assert all(one.error is None for one in said.values())
    config = (output / "adapter_config.json").read_text()
    (output / "adapter_config.json").write_text(config.replace(f'"{real_model.name}"', f'"{real_model.path}"'))
    assert AutoPeftModelForCausalLM.from_pretrained(output).peft_config["default"].r == 4
