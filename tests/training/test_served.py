"""An adapter is asked as it was trained: the template's arguments that lie beside it reach every engine's prompt."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from medo1.datasets import AdapterDirectory
from medo1.engines.base import Adapter, Message, Model, Request, Sampling
from medo1.engines.http.chat import Dialect, Extras, chat_body
from medo1.engines.local.transformers import Transformers
from medo1.training import run
from tests.training.jobs import job

THINKS = "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"


@pytest.fixture(scope="module")
def thinker(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, with a template that knows `enable_thinking`."""
    folder = tmp_path_factory.mktemp("thinker") / "model"
    shutil.copytree(tiny_model, folder)
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text().replace("assistant\n{% endif %}", "assistant\n" + THINKS + "{% endif %}"))
    return folder


@pytest.fixture
def adapter(thinker: Path, tmp_path: Path) -> Adapter:
    """Trained without thoughts, saved and loaded as a catalog does."""
    (tmp_path / "made").mkdir()
    run.train(job(thinker, chat_template_kwargs={"enable_thinking": False}), tmp_path / "made", tmp_path / "kept")
    saved = AdapterDirectory(filepath=str(tmp_path / "adapter"))
    saved.save(tmp_path / "made")
    found: Any = saved.load()
    return found


def request(adapter: Adapter | None) -> Request:
    return Request("1", (Message("user", "Question 1?"),), Sampling(max_new_tokens=4), adapter=adapter)


def test_an_adapter_carries_the_templates_arguments_and_can_be_read_by_the_group(adapter: Adapter) -> None:
    mask = os.umask(0)
    os.umask(mask)
    for path in (Path(adapter.path), *Path(adapter.path).iterdir()):
        assert path.stat().st_mode & 0o040 == 0o040 & ~mask
    assert json.loads(adapter.chat_template_kwargs) == {"enable_thinking": False}


def test_the_local_engine_renders_an_adapters_prompts_with_them_and_the_bases_without(
    thinker: Path, adapter: Adapter
) -> None:
    with Transformers() as engine:
        served = engine.with_model(Model("tiny", thinker, "1"))
        [plain] = served.complete([request(None)])
        [asked] = served.complete([request(adapter)])
    assert asked.prompt_tokens is not None
    assert plain.prompt_tokens is not None
    assert asked.prompt_tokens == plain.prompt_tokens + len("<think>\n\n</think>\n\n")


def test_a_server_is_told_of_them(adapter: Adapter) -> None:
    body = chat_body([request(adapter)], "base", Dialect(), Extras())
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "chat_template_kwargs" not in chat_body([request(None)], "base", Dialect(), Extras())
