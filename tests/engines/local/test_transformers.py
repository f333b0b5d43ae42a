"""The transformers engine answers each request as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Adapter, Completion, EngineError, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.lineage.digests import digest_of_tree, seed_from

PROMPTS = ["A patient presents with rash.", "Fever.", "A much longer story of a patient with cough, pain and a murmur."]
GREEDY, DRAWN = Sampling(max_new_tokens=24), Sampling(temperature=1.0, max_new_tokens=24)
NUCLEUS = Sampling(temperature=1.3, top_p=0.7, max_new_tokens=40)


def engine(tiny_model: Path, **options: Any) -> Transformers:
    return Transformers(**options).with_model(Model("tiny", tiny_model, "r"))


def requests(sampling: Sampling, samples: int = 1, adapter: Adapter | None = None) -> list[Request]:
    return [
        Request(
            f"{prompt}/{n}/{sampling.temperature}/{adapter and adapter.digest}",
            (Message("user", prompt),),
            sampling,
            n,
            seed_from(1, prompt, n),
            adapter,
        )
        for prompt in PROMPTS
        for n in range(samples)
    ]


def adapters_of(paths: tuple[Path, Path]) -> list[Adapter]:
    # One name on purpose: what tells adapters apart is their digest.
    return [Adapter("arm", path, digest_of_tree(path)) for path in paths]


def texts(completions: list[Completion]) -> dict[str, str]:
    return {completion.key: completion.text for completion in completions}


def ask(tiny_model: Path, asked: list[Request], **options: Any) -> dict[str, str]:
    return texts(list(engine(tiny_model, **options).complete(asked)))


def library(tiny_model: Path, prompt: str, new: int, adapter: Path | None = None) -> str:
    """What the library's own generation says to one prompt."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    out = model.generate(**ids, max_new_tokens=new, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    return str(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))


# One row's answer is its own


def test_an_answer_does_not_depend_on_what_it_is_decoded_with(tiny_model: Path) -> None:
    asked = [*requests(GREEDY), *requests(DRAWN, 3), *requests(NUCLEUS, 3)]
    together = ask(tiny_model, asked)
    assert ask(tiny_model, asked[::-1], rows=1) == together
    assert ask(tiny_model, asked, rows=5, prefill_tokens=64) == together
    assert {key: text for request in asked for key, text in ask(tiny_model, [request]).items()} == together


def test_samples_of_one_prompt_differ_and_come_again_with_their_seed(tiny_model: Path) -> None:
    first = ask(tiny_model, requests(DRAWN, 4))
    assert len(set(first.values())) == len(first)
    assert ask(tiny_model, requests(DRAWN, 4)) == first


def test_a_draw_without_a_seed_is_a_new_one_each_time(tiny_model: Path) -> None:
    asked = Request("q", (Message("user", "Fever."),), DRAWN)
    assert ask(tiny_model, [asked]) != ask(tiny_model, [asked])


def test_greedy_equals_the_librarys_own_generation(tiny_model: Path, tiny_adapters: tuple[Path, Path]) -> None:
    for adapter in (None, *adapters_of(tiny_adapters)):
        said = ask(tiny_model, requests(Sampling(max_new_tokens=20), adapter=adapter))
        expected = [library(tiny_model, prompt, 20, adapter and adapter.path) for prompt in PROMPTS]
        assert [said[request.key] for request in requests(Sampling(max_new_tokens=20), adapter=adapter)] == expected


# Rows come and go


class Passes:
    """Counts the rows and columns of each forward pass of an engine's model."""

    def __init__(self, engine: Transformers, monkeypatch: pytest.MonkeyPatch, limit: int | None = None) -> None:
        import torch

        self.rows: list[int] = []
        self.read: list[int] = []
        loaded = engine._load()
        forward = loaded.model.forward

        def counted(**given: Any) -> Any:
            rows, columns = given["input_ids"].shape
            if limit is not None and rows > limit:
                raise torch.OutOfMemoryError(f"CUDA out of memory: {rows} rows")
            (self.rows if columns == 1 else self.read).append(rows)
            return forward(**given)

        monkeypatch.setattr(loaded.model, "forward", counted)


def test_rows_that_ended_are_computed_no_more(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        Request(str(n), (Message("user", PROMPTS[n % 3]),), Sampling(1.0, max_new_tokens=2 + 3 * n), n, n)
        for n in range(12)
    ]
    one = engine(tiny_model, rows=6)
    passes = Passes(one, monkeypatch)
    completions = list(one.complete(asked))
    tokens = sum(completion.completion_tokens or 0 for completion in completions)
    assert sum(passes.rows) == tokens - len(asked)  # the first token of each comes with reading its prompt
    assert max(passes.rows) == 6
    assert len(passes.rows) < tokens / 3  # and the places that became free were taken


def test_samples_of_a_prompt_share_its_reading(tiny_model: Path) -> None:
    one = engine(tiny_model)
    [alone] = one.complete(requests(DRAWN)[:1])
    one.work.prefill_tokens = 0
    samples = list(one.complete([*requests(DRAWN, 32)[:32], requests(GREEDY)[0]]))
    assert len(samples) == 33
    assert one.work.prefill_tokens == alone.prompt_tokens


def test_out_of_memory_halves_the_rows_and_the_run_goes_on(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = [*requests(GREEDY), *requests(DRAWN, 8)]
    expected = ask(tiny_model, asked)
    one = engine(tiny_model, rows=16)
    passes = Passes(one, monkeypatch, limit=5)
    assert texts(list(one.complete(asked))) == expected
    assert max(passes.rows) <= 5
    assert one.work.preemptions == 2
    assert "out of memory with 16 rows; going on with at most 8" in caplog.text
    before = len(caplog.records)
    assert texts(list(one.complete(asked))) == expected  # and it is remembered
    assert len(caplog.records) == before


def test_a_row_that_does_not_fit_on_its_own_is_an_error_of_its_own(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    one = engine(tiny_model, rows=4)
    loaded = one._load()
    forward = loaded.model.forward

    def short_of_memory(**given: Any) -> Any:
        if given["input_ids"].shape[1] > 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(**given)

    monkeypatch.setattr(loaded.model, "forward", short_of_memory)
    completions = {completion.key: completion for completion in one.complete(requests(GREEDY))}
    long = next(completion for key, completion in completions.items() if key.startswith("A much longer"))
    assert long.finish_reason == "error"
    assert "out of memory" in (long.error or "")
    assert sum(completion.finish_reason != "error" for completion in completions.values()) == 2


def test_rows_that_outgrow_the_memory_wait_and_go_on_where_they_were(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = requests(Sampling(temperature=1.0, max_new_tokens=300), 2)
    expected = ask(tiny_model, asked)
    # Room for 700 columns of keys and values in all, while the six rows end with some 2,000.
    one = engine(tiny_model, rows=6)
    from medo1.engines.local.batch_limits import BatchLimits

    one._limits = BatchLimits(rows=6, cells=700, prefill_tokens=512)
    passes = Passes(one, monkeypatch)
    assert texts(list(one.complete(asked))) == expected
    assert one.work.preemptions == 0
    assert len(passes.read) > 2  # some were read again
    assert max(passes.rows) > 1


def test_memory_that_is_short_gives_fewer_rows(tiny_model: Path) -> None:
    asked = requests(DRAWN, 8)
    one = engine(tiny_model, memory_gib=0.0015)
    assert texts(list(one.complete(asked))) == ask(tiny_model, asked)
    assert one.work.most_rows < len(asked)


# What a completion says


def test_a_cut_answer_says_so(tiny_model: Path) -> None:
    completions = list(engine(tiny_model).complete(requests(Sampling(max_new_tokens=3))))
    assert {c.finish_reason for c in completions} == {"length"}
    assert {c.completion_tokens for c in completions} == {3}


def test_a_prompt_beyond_the_context_is_an_error_of_its_own_and_stops_nobody(tiny_model: Path) -> None:
    long = Request("long", (Message("user", "x" * 2000),), Sampling(max_new_tokens=4))
    completions = {c.key: c for c in engine(tiny_model).complete([long, *requests(Sampling(max_new_tokens=4))])}
    assert completions["long"].finish_reason == "error"
    assert "tokens, the model's context 512" in (completions["long"].error or "")
    assert len(completions) == 1 + len(PROMPTS)


def test_a_limit_beyond_the_context_ends_where_the_context_ends(tiny_model: Path) -> None:
    near = Request("near", (Message("user", "x" * 460),), Sampling(max_new_tokens=100))
    [completion] = engine(tiny_model).complete([near])
    assert completion.finish_reason == "length"
    assert (completion.prompt_tokens or 0) + (completion.completion_tokens or 0) == 512


def test_a_conversation_that_the_template_refuses_is_an_error_of_its_own(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = engine(tiny_model)
    tokenizer = one._load().tokenizer
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    monkeypatch.setattr(tokenizer, "chat_template", refusing + tokenizer.chat_template)
    system = Request("s", (Message("system", "Be kind."), Message("user", "Fever.")), GREEDY)
    completions = {c.key: c for c in one.complete([system, *requests(GREEDY)])}
    assert "no system role" in (completions["s"].error or "")
    assert len(completions) == 4


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_stop_text_ends_the_answer_and_is_no_part_of_it(tiny_model: Path, temperature: float) -> None:
    sampling = Sampling(temperature=temperature, max_new_tokens=60)
    whole = ask(tiny_model, requests(sampling, 2))
    for request in requests(sampling, 2):
        text = whole[request.key]
        stop = text[5:7]
        stopped = Sampling(temperature=temperature, max_new_tokens=60, stop=("never said", stop))
        [completion] = engine(tiny_model).complete(
            [Request("q", request.messages, stopped, request.sample, request.seed)]
        )
        assert completion.text == text[: text.index(stop)]
        assert completion.finish_reason == "stop"
        assert (completion.completion_tokens or 0) < 60


def test_log_probabilities_and_confidence_are_those_of_the_picked_tokens(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    [asked] = requests(Sampling(temperature=0.8, max_new_tokens=30))[:1]
    [completion] = engine(tiny_model).complete([asked])
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    one = engine(tiny_model)
    loaded = one._load()
    [prompt] = loaded.token_ids([loaded.prompt_text(asked.messages)[0]])
    rows, _ = one._rows_of([asked], loaded)
    from medo1.engines.local.batch_limits import BatchLimits
    from medo1.engines.local.loop import Decoder

    [[row]] = Decoder(loaded, BatchLimits(1, 1000, 1000)).run(rows)
    assert tokenizer.decode(row.tokens, skip_special_tokens=True) == completion.text
    logits = model(torch.tensor([prompt + row.tokens[:-1]])).logits[0, len(prompt) - 1 :]
    logprobs = torch.log_softmax(logits, dim=-1)
    picked = logprobs.gather(1, torch.tensor(row.tokens)[:, None])[:, 0]
    assert completion.mean_logprob == pytest.approx(picked.mean().item(), abs=1e-4)
    uniform = -torch.log(torch.tensor(float(logprobs.shape[1])))
    certainty = torch.nn.functional.kl_div(logprobs, uniform.expand_as(logprobs), log_target=True, reduction="none")
    assert completion.self_certainty == pytest.approx(certainty.sum(dim=-1).mean().item(), abs=1e-3)
    top = -logprobs.topk(20, dim=-1).values.mean(dim=-1)
    assert completion.confidence == pytest.approx(top.mean().item(), abs=1e-3)
    lowest = min(top[place : place + 16].mean().item() for place in range(len(top) - 15))
    assert completion.lowest_confidence == pytest.approx(lowest, abs=1e-3)


# Going on with what is there


def test_greedy_text_that_was_cut_goes_on_as_it_would_have(tiny_model: Path) -> None:
    """The prefix property that sweeps over budgets rest on."""
    one = engine(tiny_model)
    for prompt in PROMPTS:
        user = Message("user", prompt)
        [whole] = one.complete([Request("w", (user,), Sampling(max_new_tokens=40))])
        for cut in (1, 7, 25):
            [head] = one.complete([Request("h", (user,), Sampling(max_new_tokens=cut))])
            [tail] = one.complete(
                [Request("t", (user, Message("assistant", head.text)), Sampling(max_new_tokens=40 - cut))]
            )
            assert tail.prompt_tokens == (head.prompt_tokens or 0) + (head.completion_tokens or 0)
            assert head.text + tail.text == whole.text


def test_an_assistants_last_turn_is_continued_as_it_stands(tiny_model: Path) -> None:
    """Also where the template would trim it: what is continued must be what was said."""
    one = engine(tiny_model)
    loaded = one._load()
    loaded.tokenizer.chat_template = loaded.tokenizer.chat_template.replace(
        "message['content']", "message['content'] | trim"
    )
    head, given = loaded.prompt_text((Message("user", "Fever."), Message("assistant", " so \n")))
    assert head.endswith("<|im_start|>assistant\n")
    assert given == " so \n"


def test_a_streamed_answer_is_the_same_answer_in_pieces(tiny_model: Path) -> None:
    for sampling in (GREEDY, DRAWN, Sampling(max_new_tokens=40, stop=("!",))):
        [request] = requests(sampling)[:1]
        pieces: list[str] = []
        completion = engine(tiny_model).stream(request, pieces.append)
        assert "".join(pieces) == completion.text
        assert completion.text == ask(tiny_model, [request])[request.key]
        if sampling is GREEDY:
            assert len(pieces) > 5


# Adapters


def test_adapters_and_base_do_not_mix(tiny_model: Path, tiny_adapters: tuple[Path, Path]) -> None:
    one, two = adapters_of(tiny_adapters)
    asked = [
        *requests(GREEDY),
        *requests(GREEDY, adapter=one),
        *requests(GREEDY, adapter=two),
        *requests(DRAWN, 2, adapter=one),
    ]
    mixed = [request for part in range(7) for request in asked[part::7]]
    single = engine(tiny_model)
    together = texts(list(single.complete(mixed)))
    alone: dict[str, str] = {}
    for adapter in (None, one, two):
        alone |= ask(tiny_model, [request for request in asked if request.adapter == adapter])
    assert together == alone
    greedy = [[together[request.key] for request in requests(GREEDY, adapter=adapter)] for adapter in (None, one, two)]
    assert greedy[0] != greedy[1] != greedy[2] != greedy[0]


def test_the_base_is_the_same_bit_for_bit_after_an_adapter(tiny_model: Path, tiny_adapters: tuple[Path, Path]) -> None:
    one, two = adapters_of(tiny_adapters)
    single = engine(tiny_model)
    before = {name: value.clone() for name, value in single._load().model.state_dict().items()}
    list(single.complete([*requests(GREEDY, adapter=one), *requests(GREEDY, adapter=two)]))
    after = single._load().model.state_dict()
    assert before.keys() == after.keys()
    assert all(bool((before[name] == after[name]).all()) for name in before)


def test_adapters_beside_the_weights_say_the_same_as_adapters_added_to_them(
    tiny_model: Path, tiny_adapters: tuple[Path, Path]
) -> None:
    """bf16 computes adapters beside the weights; here in fp32, where both ways must agree."""
    one, two = adapters_of(tiny_adapters)
    asked = [*requests(GREEDY), *requests(GREEDY, adapter=one), *requests(GREEDY, adapter=two), *requests(DRAWN)]
    beside = engine(tiny_model)
    beside._load()._adapters._exact = False
    said = texts(list(beside.complete(asked)))
    assert said == ask(tiny_model, asked)
    assert len(beside._load()._adapters._beside) == 2


def test_an_adapter_of_the_output_layer_leaves_a_shared_embedding_alone(tiny_model: Path, tmp_path: Path) -> None:
    """The output layer shares its weight with the embedding; adding to it must not change what is read."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    config = LoraConfig(r=4, target_modules=["lm_head", "q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(base, config).save_pretrained(tmp_path / "head")
    adapter = Adapter("head", tmp_path / "head", "a" * 64)
    [request] = requests(GREEDY, adapter=adapter)[:1]
    assert ask(tiny_model, [request])[request.key] == library(tiny_model, PROMPTS[0], 24, adapter.path)


def test_an_adapter_that_is_more_than_a_sum_is_computed_beside_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(4)
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, use_dora=True, task_type="CAUSAL_LM")
    get_peft_model(base, config).save_pretrained(tmp_path / "dora")
    adapter = Adapter("dora", tmp_path / "dora", "d" * 64)
    [request] = requests(GREEDY, adapter=adapter)[:1]
    one = engine(tiny_model)
    assert texts(list(one.complete([request])))[request.key] == library(tiny_model, PROMPTS[0], 24, adapter.path)
    assert texts(list(one.complete(requests(GREEDY)))) == ask(tiny_model, requests(GREEDY))


def test_an_adapter_of_another_model_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    other = Qwen2ForCausalLM(Qwen2Config(vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                                         num_attention_heads=2, num_key_value_heads=2))  # fmt: skip
    get_peft_model(other, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")).save_pretrained(
        tmp_path / "other"
    )
    adapter = Adapter("other", tmp_path / "other", "e" * 64)
    one = engine(tiny_model)
    with pytest.raises(EngineError, match=r"adapter other .* does not fit the model tiny"):
        list(one.complete(requests(GREEDY, adapter=adapter)))
    assert texts(list(one.complete(requests(GREEDY)))) == ask(tiny_model, requests(GREEDY))


def test_a_missing_adapter_is_named_with_its_path(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"adapter arm has no .*adapter_config\.json"):
        list(engine(tiny_model).complete(requests(GREEDY, adapter=Adapter("arm", tmp_path / "nowhere", "f" * 64))))


@pytest.mark.parametrize("change", ["renamed", "fewer"])
def test_an_adapter_whose_tensors_match_no_module_is_refused(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path, change: str
) -> None:
    """PEFT passes over them, and the base would answer in the adapter's name."""
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_adapters[0], tmp_path / "odd")
    file = tmp_path / "odd" / "adapter_model.safetensors"
    tensors = load_file(file)
    first = sorted(tensors)[0]
    if change == "renamed":
        tensors = {name.replace("layers.", "blocks."): tensor for name, tensor in tensors.items()}
    else:
        del tensors[first]
    save_file(tensors, file)
    one = engine(tiny_model)
    with pytest.raises(EngineError, match="does not fit the model tiny"):
        list(one.complete(requests(GREEDY, adapter=Adapter("odd", tmp_path / "odd", "d" * 64))))
    assert texts(list(one.complete(requests(GREEDY)))) == ask(tiny_model, requests(GREEDY))


def test_numbers_that_are_none_are_an_error_not_a_text(tiny_model: Path) -> None:
    one = engine(tiny_model)
    loaded = one._load()
    weight = next(iter(loaded.model.model.layers)).mlp.down_proj.weight
    weight.data[:] = float("nan")
    answers = list(one.complete(requests(GREEDY)))
    assert {answer.finish_reason for answer in answers} == {"error"}
    assert all("NaN" in str(answer.error) for answer in answers)


def test_a_model_without_a_chat_template_is_one_message(tiny_model: Path, tmp_path: Path) -> None:
    import json
    import shutil

    path = tmp_path / "base"
    shutil.copytree(tiny_model, path)
    (path / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((path / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError, match="no chat template"):
        list(engine(path).complete(requests(GREEDY)))


# Other models


def _family(name: str) -> Any:
    import transformers

    small: dict[str, Any] = {
        "vocab_size": 259, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.3,
        "bos_token_id": None, "eos_token_id": 258, "pad_token_id": 256,
    }  # fmt: skip
    more: dict[str, dict[str, Any]] = {
        "Llama": {},
        "Mistral": {"sliding_window": 12},
        "Qwen3": {"head_dim": 16},
        "Gemma3": {"head_dim": 16, "sliding_window": 12, "layer_types": ["sliding_attention", "full_attention"] * 2,
                   "num_hidden_layers": 4},
        "Phi3": {},
        "Bloom": {"n_head": 4, "n_layer": 2},
    }  # fmt: skip
    config = getattr(transformers, {"Gemma3": "Gemma3TextConfig"}.get(name, f"{name}Config"))(**(small | more[name]))
    return getattr(transformers, f"{name}ForCausalLM")(config)


@pytest.fixture
def family(tiny_model: Path, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a tiny model of another architecture with the tiny model's tokenizer."""
    import torch
    from transformers import AutoTokenizer

    def made(name: str) -> Path:
        torch.manual_seed(5)
        _family(name).save_pretrained(tmp_path / name)
        AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / name)
        return tmp_path / name

    yield made


@pytest.mark.parametrize("name", ["Llama", "Mistral", "Qwen3", "Gemma3", "Phi3"])
def test_other_architectures_say_what_the_library_says(family: Callable[[str], Path], name: str) -> None:
    path = family(name)
    said = ask(path, requests(Sampling(max_new_tokens=20)))
    assert list(said.values()) != ["", "", ""]
    for request, prompt in zip(requests(Sampling(max_new_tokens=20)), PROMPTS, strict=True):
        assert said[request.key] == library(path, prompt, 20)


def test_an_architecture_that_slots_cannot_hold_is_refused_not_answered_wrongly(
    family: Callable[[str], Path],
) -> None:
    with pytest.raises(EngineError, match=r"cannot decode .*BloomForCausalLM.*vllm engine"):
        ask(family("Bloom"), requests(GREEDY))


def test_every_token_that_the_models_files_name_as_an_end_ends_the_answer(tiny_model: Path, tmp_path: Path) -> None:
    """Llama's instruct models end turns with one token and texts with another; the tokenizer names one of them."""
    import json
    import shutil

    one = engine(tiny_model)
    whole = texts(list(one.complete(requests(GREEDY)[:1]))).popitem()[1]
    [tokens] = one._load().token_ids([whole])
    third = next(token for token in tokens[2:] if token not in tokens[:2])
    path = tmp_path / "more-ends"
    shutil.copytree(tiny_model, path)
    own = one._load().tokenizer.eos_token_id
    (path / "generation_config.json").write_text(json.dumps({"eos_token_id": [own, third]}))
    [completion] = engine(path).complete(requests(GREEDY)[:1])
    assert completion.finish_reason == "stop"
    assert completion.text == one._load().text(tokens[: tokens.index(third)])


# Errors


def test_without_a_model_the_message_says_what_to_do() -> None:
    with pytest.raises(EngineError, match="has no model"):
        list(Transformers().complete(requests(Sampling())))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be loaded"):
        list(Transformers().with_model(Model("nothing", tmp_path, "r")).complete(requests(Sampling())))


@pytest.mark.parametrize(("option", "value"), [("dtype", "int8"), ("rows", 0)])
def test_an_option_that_cannot_be_is_named(option: str, value: Any) -> None:
    with pytest.raises(EngineError, match=f"{option} is"):
        Transformers(**{option: value})
