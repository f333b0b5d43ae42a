"""What is trained is what is served: the prompt's tokens, the chain, a token that engines stop on; or it is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.engines.base import Message
from medo1.engines.base import Model as BaseModel
from medo1.engines.local.loading import Loaded
from medo1.errors import UserError
from medo1.training.adapters import empty_model
from medo1.training.examples import context_of
from medo1.training.templates import (
    IGNORED,
    PLAIN_TEMPLATE,
    ChainTextError,
    ChatTemplate,
    TemplateError,
    config_of,
)
from tests.conftest import CHAT_TEMPLATE, ROOT
from tests.training.jobs import template

CHAIN = "Step 1: look.\nFinal answer: A"
STOP = "<|im_end|>"
ASSISTANT = "<|im_start|>assistant\n"

# A template as each family has it: what it does to an assistant's turn, and to the prompt of an answer.
HEAD = (
    "{% for message in messages %}{% if message['role'] == 'user' %}<|im_start|>user\n"
    "{{ message['content'] }}<|im_end|>\n"
    "{% elif message['role'] == 'system' %}{{ raise_exception('no system role') }}{% else %}"
)
FOOT = "{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TURN = "<|im_start|>assistant\n"
CONTENT = "{{ message['content'] }}<|im_end|>\n"
TRAINED = {
    "ChatML": CHAT_TEMPLATE,
    "no system role": HEAD + TURN + CONTENT + FOOT,
    "wraps every answer in an empty thought": HEAD + TURN + "<think>\n\n</think>\n\n" + CONTENT + FOOT,
    "strips thoughts": HEAD + TURN + "{{ message['content'].split('</think>')[-1] }}<|im_end|>\n" + FOOT,
    "trims answers": HEAD + TURN + "{{ message['content'] | trim }}<|im_end|>\n" + FOOT,
    "closes an empty thought before an answer": HEAD
    + TURN
    + CONTENT
    + FOOT.replace(ASSISTANT, ASSISTANT + "<think>\n\n</think>\n\n"),
    "writes nothing after an answer": HEAD + TURN + "{{ message['content'] }}" + FOOT,
    "a line end after the turn, no stop token": HEAD + TURN + "{{ message['content'] }}\n" + FOOT,
    "plain": PLAIN_TEMPLATE,
}
REFUSED = {
    "": "no chat template",
    HEAD + TURN + "{{ message['content'] }}<|endoftext|>\n" + FOOT: "none of the tokens that engines stop on",
    HEAD + TURN + CONTENT + "{% endif %}{% endfor %}": "leaves it out of the prompt",
    HEAD + "{% endif %}{% endfor %}" + ASSISTANT: "does not write what the assistant says",
    "{{ raise_exception('only tools') }}": "refuses a conversation of the turns user",
}


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def chat(tokenizer: Any, text: str, **kwargs: Any) -> ChatTemplate:
    tokenizer.chat_template = text
    return ChatTemplate(tokenizer, frozenset({tokenizer.eos_token_id}), kwargs, "tiny")


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("chain", [CHAIN, f"<think>\nhm\n</think>\n{CHAIN}", f"  {CHAIN} \n"])
def test_the_training_text_is_the_served_prompt_the_chain_and_a_stop_token(
    tokenizer: Any, name: str, chain: str
) -> None:
    made = chat(tokenizer, TRAINED[name])
    tokens = made.tokenized("Question?", chain)
    served = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Question?"}], add_generation_prompt=True, tokenize=True
    )["input_ids"]
    assert list(tokens.prompt) == list(served)
    assert tokenizer.decode(tokens.answer) == chain + STOP
    assert tokens.answer[-1] in made.stop_tokens
    learnt = [label for label in tokens.labels(train_after_stop=False) if label != IGNORED]
    assert learnt == list(tokens.answer)
    assert tokenizer.convert_tokens_to_ids(made.pad_token) not in made.stop_tokens


def test_the_template_for_base_models_is_that_of_the_docs_and_keeps_turns_apart(tokenizer: Any) -> None:
    shown = (ROOT / "docs" / "fine_tune.md").read_text().partition("```jinja\n")[2].partition("\n```")[0]
    assert shown == PLAIN_TEMPLATE
    made = chat(tokenizer, shown)
    prompt = tokenizer.decode(made.tokenized("Question?", CHAIN).prompt)
    assert prompt.endswith("user:\nQuestion?\n\nassistant:\n")


@pytest.mark.parametrize(("text", "told"), REFUSED.items())
def test_a_template_that_cannot_be_trained_on_is_refused_by_name(tokenizer: Any, text: str, told: str) -> None:
    with pytest.raises(TemplateError, match=told) as raised:
        chat(tokenizer, text)
    assert "tiny" in str(raised.value)


def test_a_begin_token_that_stands_twice_is_refused(tokenizer: Any) -> None:
    before = tokenizer.bos_token
    tokenizer.bos_token = "<|endoftext|>"
    try:
        with pytest.raises(TemplateError, match="twice"):
            chat(tokenizer, "{{ bos_token }}{{ bos_token }}" + CHAT_TEMPLATE)
        once = chat(tokenizer, "{{ bos_token }}" + CHAT_TEMPLATE)
        assert once.described()["prompt_starts_with"] == ["<|endoftext|>"]
    finally:
        tokenizer.bos_token = before


def test_a_thought_that_the_prompt_opens_and_the_chain_leaves_open_is_refused(tokenizer: Any) -> None:
    opens = chat(tokenizer, HEAD + TURN + CONTENT + FOOT.replace(ASSISTANT, ASSISTANT + "<think>\n"))
    with pytest.raises(ChainTextError, match="enable_thinking"):
        opens.tokenized("Question?", CHAIN)
    closed = opens.tokenized("Question?", f"hm\n</think>\n\n{CHAIN}")
    assert tokenizer.decode(closed.prompt).endswith("<think>\n")


@pytest.mark.parametrize("chain", ["", " \n", f"half{STOP}other half", "<|im_start|>user\nand now?"])
def test_a_chain_without_a_target_or_with_a_control_token_is_refused(tokenizer: Any, chain: str) -> None:
    with pytest.raises(ChainTextError, match=r"empty|control token"):
        chat(tokenizer, CHAT_TEMPLATE).tokenized("Question?", chain)


@settings(deadline=None)
@given(chain=st.text(min_size=1).filter(str.strip))
def test_any_text_is_trained_on_as_it_stands_or_refused(tiny_model: Path, chain: str) -> None:
    made = _CHAT.setdefault(str(tiny_model), template(tiny_model))
    try:
        tokens = made.tokenized("Question?", chain)
    except ChainTextError:
        return
    assert made._tokenizer.decode(tokens.answer[:-1]) == made._tokenizer.decode(made._ids(chain))


_CHAT: dict[str, ChatTemplate] = {}


def test_padding_that_is_the_stop_token_is_replaced(tokenizer: Any) -> None:
    before = tokenizer.pad_token
    tokenizer.pad_token = tokenizer.eos_token
    try:
        assert chat(tokenizer, CHAT_TEMPLATE).pad_token != tokenizer.eos_token
    finally:
        tokenizer.pad_token = before


def test_arguments_of_the_template_reach_prompt_and_training_text(tokenizer: Any) -> None:
    thinks = FOOT.replace(ASSISTANT, ASSISTANT + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}")
    made = chat(tokenizer, HEAD + TURN + CONTENT + thinks, enable_thinking=False)
    assert tokenizer.decode(made.tokenized("Question?", CHAIN).prompt).endswith("</think>\n\n")
    assert made.described()["chat_template_kwargs"] == {"enable_thinking": False}


def test_the_local_engine_serves_the_prompt_that_was_trained_on(tiny_model: Path) -> None:
    loaded = Loaded(BaseModel("tiny", tiny_model, "1"), "float32")
    text, _ = loaded.prompt_text([Message("user", "Question?")])
    made = template(tiny_model)
    assert loaded.token_ids([text])[0] == list(made.tokenized("Question?", CHAIN).prompt)
    assert loaded.end_tokens == made.stop_tokens


def test_a_model_that_names_no_stop_token_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    for name, key in (("config.json", "eos_token_id"), ("generation_config.json", "eos_token_id")):
        told = json.loads((folder / name).read_text())
        told[key] = None
        (folder / name).write_text(json.dumps(told))
    told = json.loads((folder / "tokenizer_config.json").read_text())
    told.pop("eos_token", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    with pytest.raises(TemplateError, match="never stop"):
        template(folder)


@pytest.mark.parametrize("read", [config_of, context_of, empty_model])
def test_a_model_without_a_configuration_is_named_with_what_to_give(read: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be loaded: .*[^.]\. Give a directory with config\.json, or a hub id"):
        read(BaseModel("none", tmp_path, None))
