"""Answers that were begun go on where they stopped, whatever the chat template makes of an assistant's turn.

On the real vLLM server, with tiny models that have templates as Qwen3's and Llama 3.1's.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Completion, EngineError, Message, Model, Request, Sampling
from medo1.engines.http.chat import Extras, chat_body, first_dialect, path_of
from medo1.engines.http.responses import completions_from
from medo1.engines.local.transformers import Transformers
from medo1.engines.rendering import ChatPrompts
from medo1.engines.vllm.engine import VLLM
from tests.engines.chat_templates import LLAMA31, QWEN3

GREEDY = Sampling(max_new_tokens=24)
BEGUN = (
    "<think>\nFever, so", "<think>\nFever.\n</think>\n\nIt is", "Hmm, ", "So.\nFinal answer:", " x y\n", "",
    "<think>\n\n</think>\n\nThe answer",
)  # fmt: skip
PROMPTS = ("A patient presents with rash.", "  Fever. \nA. Flu\nB. Gout ")


def models_of(served_model: Path, folder: Path) -> dict[str, Path]:
    """The served model with each of the two templates, and a Llama with the second."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    made = {}
    for name, template in (("qwen3", QWEN3), ("llama31", LLAMA31)):
        path = folder / name
        shutil.copytree(served_model, path)
        (path / "chat_template.jinja").unlink(missing_ok=True)
        tokenizer: Any = AutoTokenizer.from_pretrained(served_model)
        tokenizer.chat_template = template
        if name == "llama31":
            tokenizer.add_special_tokens(
                {"bos_token": "<|endoftext|>", "additional_special_tokens": ["<|eot_id|>", "<|start_header_id|>"]}
            )
            torch.manual_seed(3)
            model = LlamaForCausalLM(
                LlamaConfig(
                    vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2,
                    num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=1024, initializer_range=0.3,
                    bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=None,
                )
            )  # fmt: skip
            with torch.no_grad():  # as in `served_model`: greedy texts are readable
                for token, place in tokenizer.get_vocab().items():
                    if place != tokenizer.eos_token_id and not _shown(token):
                        model.lm_head.weight[place] = 0.0
            model.save_pretrained(path)
        tokenizer.save_pretrained(path)
        made[name] = path
    return made


def _shown(token: str) -> bool:
    return len(token) == 1 and token.isascii() and token.isprintable()


def begun_requests(sampling: Sampling = GREEDY) -> list[Request]:
    return [
        Request(f"{prompt}/{text}", (Message("user", prompt), Message("assistant", text)), sampling, seed=3)
        for prompt in PROMPTS
        for text in BEGUN
    ]


def prompts_of(path: Path) -> ChatPrompts:
    from transformers import AutoTokenizer

    return ChatPrompts(AutoTokenizer.from_pretrained(path))


# Without a server


@pytest.mark.parametrize("name", ["qwen3", "llama31"])
def test_what_is_continued_stands_behind_the_templates_head_as_it_was_said(
    served_model: Path, tmp_path: Path, name: str
) -> None:
    prompts = prompts_of(models_of(served_model, tmp_path)[name])
    for request in begun_requests():
        head = prompts.token_ids([prompts.prompt_text(request.messages[:1])[0]])[0]
        ids = prompts.prompt_ids(request.messages)
        assert ids[: len(head)] == head
        assert prompts.tokenizer.decode(ids[len(head) :]) == request.messages[1].content
    with_thought = prompts.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Fever."}, {"role": "assistant", "content": "Hmm, "}],
        tokenize=False, continue_final_message=False,
    )  # fmt: skip
    if name == "qwen3":  # what the template would have made of it
        assert "<think>\n\n</think>" in with_thought


def test_a_prompt_of_tokens_goes_to_the_completions_endpoint_with_every_setting() -> None:
    sampling = Sampling(0.7, 0.9, 12, ("END",), top_k=5, min_p=0.1, repetition_penalty=1.2)
    [request, *_] = begun_requests(sampling)
    rendered = replace(request, prompt_ids=(5, 6, 7))
    extras = Extras(logprobs=True, continuation="native", body=(("chat_template_kwargs", {"a": 1}), ("priority", 2)))
    body = chat_body([rendered, rendered], "m", first_dialect("m", None), extras)
    assert path_of(body) == "/completions"
    assert body == {
        "model": "m", "prompt": [5, 6, 7], "max_tokens": 12, "temperature": 0.7, "top_p": 0.9, "top_k": 5, "min_p": 0.1,
        "repetition_penalty": 1.2, "stop": ["END"], "n": 2, "seed": 3, "logprobs": 20,
        "return_tokens_as_token_ids": True, "priority": 2,
    }  # fmt: skip
    assert path_of(chat_body([request], "m", first_dialect("m", None), extras)) == "/chat/completions"
    assert rendered == request  # what was rendered is no part of what is asked


def test_log_probabilities_of_the_completions_form_are_read_as_those_of_the_chat_form() -> None:
    top = {f"token_id:{n}": -0.1 - n for n in range(20)}
    payload = {
        "choices": [
            {"text": " so", "finish_reason": "stop",
             "logprobs": {"token_logprobs": [-0.5, -1.5], "top_logprobs": [top, top], "tokens": ["a", "b"]}}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2},
    }  # fmt: skip
    import json

    [request, *_] = begun_requests()
    [found] = completions_from([request], json.dumps(payload).encode(), 0.1)
    assert found.text == " so"
    assert found.mean_logprob == -1.0
    assert found.confidence == pytest.approx(0.1 + 9.5)
    chat = {"logprob": -0.5, "top_logprobs": [{"logprob": value} for value in top.values()]}
    payload["choices"] = [
        {
            "message": {"content": " so"},
            "finish_reason": "stop",
            "logprobs": {"content": [chat, {**chat, "logprob": -1.5}]},
        }
    ]
    [same] = completions_from([request], json.dumps(payload).encode(), 0.1)
    assert (same.confidence, same.self_certainty) == (found.confidence, found.self_certainty)


def test_answers_that_were_begun_have_another_identity_than_when_the_server_rewrote_them() -> None:
    engine = VLLM()
    assert engine.earlier_identity(continued=True) is None
    earlier = engine.earlier_identity(continued=False)
    assert earlier is not None
    assert {**earlier, "begun": "rendered here"} == engine.identity
    asking = VLLM(client={"continuation": "ask"})
    assert asking.earlier_identity(continued=False) is None
    assert "begun" not in asking.identity


# On a server


@pytest.mark.vllm
@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen3", "llama31"])
def test_a_begun_answer_goes_on_from_the_same_tokens_as_in_the_transformers_engine(
    vllm_python: str, served_model: Path, tmp_path: Path, one_vllm_at_a_time: None, name: str
) -> None:
    path = models_of(served_model, tmp_path)[name]
    asked = [*begun_requests(), *(Request(p, (Message("user", p),), GREEDY) for p in PROMPTS)]
    with Transformers().with_model(Model("tiny", path, "r")) as local:
        expected = {one.key: one for one in local.complete(asked)}
    with VLLM(python=vllm_python, context=512, rows=16, start_timeout_s=400).with_model(
        Model("tiny", path, "r")
    ) as engine:
        told: dict[str, Completion] = {one.key: one for one in engine.complete(asked)}
        drawn = list(engine.complete(begun_requests(Sampling(temperature=1.0, max_new_tokens=24))))
        rendered = prompts_of(path)
        for request in begun_requests():
            assert told[request.key].prompt_tokens == len(rendered.prompt_ids(request.messages))
    assert {key: one.text for key, one in told.items()} == {key: one.text for key, one in expected.items()}
    for key, one in told.items():
        assert one.error is None
        assert one.prompt_tokens == expected[key].prompt_tokens
        assert one.mean_logprob == pytest.approx(expected[key].mean_logprob, abs=1e-3)
    assert all(one.confidence is not None for one in drawn if (one.completion_tokens or 0) > 1)


@pytest.mark.vllm
@pytest.mark.slow
def test_a_server_that_writes_conversations_otherwise_is_refused(
    vllm_python: str, served_model: Path, tmp_path: Path, one_vllm_at_a_time: None
) -> None:
    path = models_of(served_model, tmp_path)["qwen3"]
    engine = VLLM(python=vllm_python, context=512, rows=4, start_timeout_s=400).with_model(Model("tiny", path, "r"))
    with engine:
        list(engine.complete([Request("q", (Message("user", "Fever."),), GREEDY)]))
        engine._prompts = None
        engine._client_options["extra_body"] = {"chat_template_kwargs": {"enable_thinking": False}}
        engine._compare_rendering(engine._chat_prompts())  # both are told
        prompts = engine._chat_prompts()
        prompts.tokenizer.chat_template = LLAMA31
        with pytest.raises(EngineError, match=r"the server writes a conversation as .* they differ from token"):
            engine._compare_rendering(prompts)
