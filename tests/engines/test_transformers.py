"""The transformers engine answers each request as if it were alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from medo1.engines import Adapter, Completion, EngineError, Message, Model, Request, Sampling
from medo1.engines.transformers import Transformers
from medo1.lineage.digests import seed_from

PROMPTS = ["A patient presents with rash.", "Fever.", "A much longer story of a patient with cough, pain and a murmur."]


def engine(tiny_model: Path, rows: int = 128) -> Transformers:
    return Transformers(rows=rows).with_model(Model("tiny", tiny_model, "r"))


def requests(sampling: Sampling, samples: int = 1, adapter: Adapter | None = None) -> list[Request]:
    return [
        Request(f"{prompt}/{n}", (Message("user", prompt),), sampling, n, seed_from(1, prompt, n), adapter)
        for prompt in PROMPTS
        for n in range(samples)
    ]


def texts(completions: list[Completion]) -> dict[str, str]:
    return {completion.key: completion.text for completion in completions}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_does_not_depend_on_what_it_is_batched_with(tiny_model: Path, temperature: float) -> None:
    sampling = Sampling(temperature=temperature, max_new_tokens=24)
    together = texts(list(engine(tiny_model).complete(requests(sampling, 3))))
    alone = texts(list(engine(tiny_model, rows=1).complete(reversed(requests(sampling, 3)))))
    assert together == alone


def test_samples_of_one_prompt_differ_and_come_again_with_their_seed(tiny_model: Path) -> None:
    sampling = Sampling(temperature=1.0, max_new_tokens=16)
    first = texts(list(engine(tiny_model).complete(requests(sampling, 4))))
    assert len(set(first.values())) == len(first)
    assert texts(list(engine(tiny_model).complete(requests(sampling, 4)))) == first


def test_greedy_equals_the_librarys_own_generation(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    completions = {c.key: c for c in engine(tiny_model).complete(requests(Sampling(max_new_tokens=20)))}
    for prompt in PROMPTS:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        out = model.generate(**ids, max_new_tokens=20, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        new = out[0, ids["input_ids"].shape[1] :]
        assert completions[f"{prompt}/0"].text == tokenizer.decode(new, skip_special_tokens=True)
        assert completions[f"{prompt}/0"].prompt_tokens == ids["input_ids"].shape[1]


def test_a_cut_answer_says_so(tiny_model: Path) -> None:
    completions = list(engine(tiny_model).complete(requests(Sampling(max_new_tokens=3))))
    assert {c.finish_reason for c in completions} == {"length"}
    assert {c.completion_tokens for c in completions} == {3}


def test_a_prompt_beyond_the_context_is_an_error_of_its_own_and_stops_nobody(tiny_model: Path) -> None:
    long = Request("long", (Message("user", "x" * 2000),), Sampling(max_new_tokens=4))
    completions = {c.key: c for c in engine(tiny_model).complete([long, *requests(Sampling(max_new_tokens=4))])}
    assert completions["long"].finish_reason == "error"
    assert "context" in (completions["long"].error or "")
    assert len(completions) == 1 + len(PROMPTS)


def test_log_probabilities_are_those_of_the_picked_tokens(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    [completion] = engine(tiny_model).complete(requests(Sampling(max_new_tokens=8))[:1])
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    head = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPTS[0]}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(head, return_tensors="pt", add_special_tokens=False)["input_ids"]
    logprobs = []
    for _ in range(8):
        step = torch.log_softmax(model(ids).logits[0, -1], dim=-1)
        logprobs.append(step.max().item())
        ids = torch.cat([ids, step.argmax()[None, None]], dim=1)
    assert completion.mean_logprob == pytest.approx(sum(logprobs) / 8, abs=1e-4)


def test_an_assistants_last_turn_is_continued(tiny_model: Path) -> None:
    whole = Request("whole", (Message("user", "Fever."),), Sampling(max_new_tokens=12))
    [first] = engine(tiny_model).complete([whole])
    half = Request(
        "half", (Message("user", "Fever."), Message("assistant", first.text[:0] + "ab")), Sampling(max_new_tokens=4)
    )
    [rest] = engine(tiny_model).complete([half])
    assert rest.prompt_tokens == first.prompt_tokens + 2  # type: ignore[operator]


def test_without_a_model_the_message_says_what_to_do() -> None:
    with pytest.raises(EngineError, match="has no model"):
        list(Transformers().complete(requests(Sampling())))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be loaded"):
        list(Transformers().with_model(Model("nothing", tmp_path, "r")).complete(requests(Sampling())))
