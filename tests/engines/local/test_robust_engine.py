"""What the transformers engine cannot do is refused by name, and what it does is what the model's own code does.

Each kind of fault has a table of cases: architectures, adapters, ways of drawing.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Adapter, EngineError, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.lineage.digests import digest_of_tree

GREEDY = Sampling(max_new_tokens=16)
PROMPT = "A patient presents with rash."


def asked(adapter: Adapter | None = None, sampling: Sampling = GREEDY, text: str = PROMPT) -> list[Request]:
    return [Request("q", (Message("user", text),), sampling, seed=5, adapter=adapter)]


def said(engine: Transformers, adapter: Adapter | None = None, sampling: Sampling = GREEDY) -> str:
    [completion] = engine.complete(asked(adapter, sampling))
    assert completion.error is None, completion.error
    return completion.text


def engine(path: Path) -> Transformers:
    return Transformers().with_model(Model("tiny", path, "r"))


# Attention

SMALL: dict[str, Any] = {
    "vocab_size": 259, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.3, "bos_token_id": None,
    "eos_token_id": 258, "pad_token_id": 256,
}  # fmt: skip
ALTERNATING = {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention"] * 2}
REFUSED = {
    # attention sinks
    "GptOss": ({"head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2, **ALTERNATING}, "s_aux"),
    # soft caps of the attention's scores
    "Gemma2": ({"head_dim": 16, "sliding_window": 6, "initializer_range": 0.5}, "softcap"),
    # windows that stand in no `layer_types`
    "GPTNeo": ({"num_layers": 4, "hidden_size": 32, "num_heads": 4, "window_size": 6,
                "attention_types": [[["global", "local"], 2]]}, "differ"),
    # positions added to the scores
    "Bloom": ({"n_head": 4, "n_layer": 2}, ""),
    # the same of a model that hardly prefers any token, so that being wrong costs it little
    "Mpt": ({"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256, "initializer_range": 0.002}, "differ"),
    # layers that share the keys of others
    "Gemma4": ({"head_dim": 16, "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 8,
                "vocab_size_per_layer_input": 259, **ALTERNATING}, "keys and values for 2 of its 4 layers"),
    # a bias of the output that other attention leaves out; a state instead of keys and values
    "GPTNeoXJapanese": ({}, "differ"),
    "Rwkv": ({"attention_hidden_size": 32}, ""),
    "Qwen3Next": ({"num_experts": 4, "moe_intermediate_size": 32, "head_dim": 16}, "linear_attention"),
}  # fmt: skip
DECODED = {
    "Llama": {}, "Mistral": {"sliding_window": 6}, "Qwen2": {}, "Phi3": {"sliding_window": 6}, "Granite": {},
    "Olmo2": {}, "Exaone4": ALTERNATING, "Cohere2": ALTERNATING, "Starcoder2": {"sliding_window": 6}, "GPTNeoX": {},
    "Mixtral": {"num_local_experts": 4, "sliding_window": 6}, "Olmo3": ALTERNATING, "SmolLM3": {},
}  # fmt: skip


@pytest.fixture
def architecture(tiny_model: Path, tmp_path: Path) -> Callable[[str, dict[str, Any]], Path]:
    import torch
    import transformers

    def made(name: str, more: dict[str, Any]) -> Path:
        torch.manual_seed(5)
        kind = getattr(transformers, f"{name}ForCausalLM" if name != "Rwkv" else "RwkvForCausalLM")
        model = kind(kind.config_class(**(SMALL | more)))
        with torch.no_grad():  # what begins at zero must count too: biases, sinks
            for parameter in model.parameters():
                if not parameter.any():
                    parameter.normal_(std=0.5)
        model.save_pretrained(tmp_path / name)
        transformers.AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / name)
        return tmp_path / name

    return made


@pytest.mark.parametrize("name", REFUSED)
def test_attention_that_is_not_implemented_is_refused(
    architecture: Callable[[str, dict[str, Any]], Path], name: str
) -> None:
    more, reason = REFUSED[name]
    with pytest.raises(EngineError, match=rf"{reason}.*vllm engine") as raised:
        said(engine(architecture(name, more)))
    assert "tiny" in str(raised.value)


@pytest.mark.parametrize("name", DECODED)
def test_attention_that_is_implemented_says_what_the_model_says(
    architecture: Callable[[str, dict[str, Any]], Path], name: str
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    one = engine(architecture(name, DECODED[name]))
    loaded = one._load()
    [prompt] = loaded.token_ids([loaded.prompt_text(asked()[0].messages)[0]])
    model: Any = AutoModelForCausalLM.from_pretrained(
        loaded.model.config._name_or_path, attn_implementation="eager", dtype=torch.float32
    )
    out = model.generate(
        torch.tensor([prompt]), max_new_tokens=16, do_sample=False, pad_token_id=256,
        attention_mask=torch.ones(1, len(prompt)),
    )[0, len(prompt) :].tolist()  # fmt: skip
    ids = out[: out.index(258)] if 258 in out else out
    assert said(one) == loaded.text(ids)


def test_a_layer_whose_window_is_not_the_configurations_is_refused(
    architecture: Callable[[str, dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a class would that decides by its own rule, beyond what the check of log-probabilities can reach."""
    import torch

    one = engine(architecture("Mistral", {"sliding_window": 6}))
    from medo1.engines.local import kv_cache

    attention = torch.nn.Module()
    attention.layer_idx, attention.masked_window = 1, None
    tensors = [torch.zeros(1, 1, 2, 4)] * 3
    with pytest.raises(EngineError, match="looks back over 4096 tokens, and by the model's configuration over all"):
        kv_cache.grouped_attention(attention, *tensors, None, sliding_window=4096)
    assert said(one)


# Adapters


def changed(source: Path, target: Path, change: Callable[[Path, dict[str, Any], dict[str, Any]], None]) -> Adapter:
    """A copy of an adapter, with its configuration and its tensors changed."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, target)
    config = json.loads((target / "adapter_config.json").read_text())
    tensors = load_file(target / "adapter_model.safetensors")
    change(target, config, tensors)
    if config:
        (target / "adapter_config.json").write_text(json.dumps(config))
    if tensors:
        save_file(tensors, target / "adapter_model.safetensors")
    return Adapter("odd", target, digest_of_tree(target))


def lack(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    del tensors[min(tensors)]


def have_another_shape(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors[min(tensors)] = tensors[min(tensors)][:, :-1].contiguous()


def have_no_size(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    for name in list(tensors):
        tensors[name] = tensors[name][:0].contiguous()


def be_cut(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    file = path / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    tensors.clear()


def be_empty(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    (path / "adapter_model.safetensors").write_bytes(b"")
    tensors.clear()


def be_pickled(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    (path / "adapter_model.safetensors").rename(path / "adapter_model.bin")
    tensors.clear()


def match_nothing(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["target_modules"] = ["c_attn"]


def hold_the_base(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    import torch

    tensors["base_model.model.model.norm.weight"] = torch.full((32,), 3.0)


def have_biases(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["bias"] = "all"


def be_of_another_kind(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["peft_type"] = "IA3"


def end_otherwise(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    (path / "medo1_adapter.json").write_text(json.dumps({"trained_stop_token": "<|eot_id|>"}))


def begin_elsewhere(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["init_lora_weights"] = "olora"


def replicate_layers(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["layer_replication"] = [[0, 2], [1, 2]]


def wait_for_tokens(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["alora_invocation_tokens"] = [65, 32]


def set_what_nobody_knows(path: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    config["use_turbo"] = True


FAULTS: dict[Callable[[Path, dict[str, Any], dict[str, Any]], None], str] = {
    lack: r"lacks 1 tensors, such as base_model\.model\.model\.layers\.0\.\S+\.lora_A",
    have_another_shape: r"size mismatch for base_model\.model\.model\.layers\.0\.\S+lora_A",
    have_no_size: r"size mismatch for base_model\.model\.model\.layers\.\d+\.\S+lora_",
    be_cut: r"is cut or damaged: .*adapter_model\.safetensors",
    be_empty: r"is cut or damaged: .*adapter_model\.safetensors \(0 bytes\)",
    be_pickled: r"only adapter_model\.bin, which can run code",
    match_nothing: r"does not fit .*c_attn",
    hold_the_base: r"holds model\.norm\.weight, a weight of the base itself",
    have_biases: r"has bias 'all'",
    begin_elsewhere: r"init_lora_weights 'olora': loading it changes the weights of the base.*a plain adapter",
    replicate_layers: r"sets layer_replication\. Merge it",
    wait_for_tokens: r"sets alora_invocation_tokens\. Merge it",
    set_what_nobody_knows: r"sets use_turbo\. Merge it",
    be_of_another_kind: r"of kind IA3; expected LORA",
    end_otherwise: r"learned to end its answers with '<\|eot_id\|>', and tiny stops on .*<\|im_end\|>",
}


@pytest.mark.parametrize("beside", [False, True], ids=["added", "beside"])
@pytest.mark.parametrize("change", FAULTS, ids=lambda change: change.__name__)
def test_adapters_that_are_not_whole_are_errors_that_name_what_is_wrong_and_leave_the_base_alone(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path,
    change: Callable[[Path, dict[str, Any], dict[str, Any]], None], beside: bool,
) -> None:  # fmt: skip
    odd = changed(tiny_adapters[0], tmp_path / "odd", change)
    good = Adapter("good", tiny_adapters[1], digest_of_tree(tiny_adapters[1]))
    one = engine(tiny_model)
    one._load()._adapters._exact = not beside
    base, adapted = said(one), said(engine(tiny_model), good)
    for _ in range(2):  # the second time it must not be taken for loaded
        with pytest.raises(EngineError, match=FAULTS[change]):
            said(one, odd)
    assert said(one) == base
    assert said(one, good) == adapted
    with pytest.raises(EngineError, match=FAULTS[change]):
        said(one, odd)
    assert (said(one), said(one, good)) == (base, adapted)


KINDS: dict[str, dict[str, Any]] = {
    "rank-stabilised": {"use_rslora": True, "r": 16}, "DoRA": {"use_dora": True}, "bias": {"lora_bias": True},
    "ranks by module": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 3}},
    "some layers": {"layers_to_transform": [1]}, "embedding": {"target_modules": ["embed_tokens", "q_proj"]},
    "output layer": {"target_modules": ["lm_head"]}, "tokens": {"trainable_token_indices": [65, 66]},
    "parameters": {"target_modules": [], "target_parameters": ["q_proj.weight"]},
    "all but": {"target_modules": "all-linear", "exclude_modules": ["k_proj"]},
    "orthogonal": {"init_lora_weights": "orthogonal"},
}  # fmt: skip


@pytest.mark.parametrize("beside", [False, True], ids=["added", "beside"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_of_any_kind_says_what_peft_says_and_leaves_the_base_alone(
    tiny_model: Path, tmp_path: Path, kind: str, beside: bool
) -> None:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    settings = {"r": 4, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj", "down_proj"], **KINDS[kind]}
    own = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    trained = get_peft_model(own, LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for parameter in trained.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    trained.save_pretrained(tmp_path / "saved")
    one = engine(tiny_model)
    loaded = one._load()
    loaded._adapters._exact = not beside
    base = said(one)
    [prompt] = loaded.token_ids([loaded.prompt_text(asked()[0].messages)[0]])
    again: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    model = PeftModel.from_pretrained(again, str(tmp_path / "saved")).eval()
    out = model.generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=16,
        do_sample=False, pad_token_id=loaded.pad_token,
    )[0, len(prompt) :].tolist()  # fmt: skip
    ends = [place for place, token in enumerate(out) if token in loaded.end_tokens]
    adapter = Adapter(kind, tmp_path / "saved", digest_of_tree(tmp_path / "saved"))
    assert said(one, adapter) == loaded.text(out[: ends[0]] if ends else out) != base
    assert said(one) == base


@pytest.mark.parametrize("module", ["lm_head", "embed_tokens", "norm", "mlp"])
@pytest.mark.parametrize("beside", [False, True], ids=["added", "beside"])
def test_modules_that_an_adapter_replaces_are_the_bases_own_for_everyone_else(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path, module: str, beside: bool
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    config = LoraConfig(
        r=4, target_modules=["q_proj"], modules_to_save=[module], init_lora_weights=False, task_type="CAUSAL_LM"
    )
    peft_model = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in peft_model.named_parameters():
            if "modules_to_save" in name:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    peft_model.save_pretrained(tmp_path / "saved")
    replacing = Adapter("replacing", tmp_path / "saved", digest_of_tree(tmp_path / "saved"))
    plain = Adapter("plain", tiny_adapters[0], digest_of_tree(tiny_adapters[0]))
    alone = {adapter: said(engine(tiny_model), adapter) for adapter in (None, plain)}
    one = engine(tiny_model)
    one._load()._adapters._exact = not beside
    own = said(one, replacing)
    assert own != alone[None]
    for adapter in (None, plain, None):
        assert said(one, adapter) == alone[adapter]
        assert said(one, replacing) == own


# Directories of models


def _with_tensors(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(path / "model.safetensors")
    change(tensors)
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})


def lack_a_tensor(path: Path) -> None:
    _with_tensors(path, lambda tensors: tensors.pop("model.layers.1.mlp.down_proj.weight"))


def name_them_otherwise(path: Path) -> None:
    def renamed(tensors: dict[str, Any]) -> None:
        for name in list(tensors):
            tensors[f"module.{name}"] = tensors.pop(name)

    _with_tensors(path, renamed)


def have_one_of_another_shape(path: Path) -> None:
    _with_tensors(path, lambda tensors: tensors.update({"model.norm.weight": tensors["model.norm.weight"][:-1]}))


def hold_a_nan(path: Path) -> None:
    _with_tensors(path, lambda tensors: tensors["model.norm.weight"].fill_(float("nan")))


def be_cut_short(path: Path) -> None:
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def be_of_no_bytes(path: Path) -> None:
    (path / "model.safetensors").write_bytes(b"")


def have_a_damaged_tokenizer(path: Path) -> None:
    (path / "tokenizer.json").write_text("{}")


def have_no_tokenizer(path: Path) -> None:
    (path / "tokenizer.json").unlink()
    (path / "tokenizer_config.json").unlink()


def be_quantised_for_a_library_that_is_not_here(path: Path) -> None:
    config = json.loads((path / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (path / "config.json").write_text(json.dumps(config))


def end_with_an_unknown_token(path: Path) -> None:
    _tokenizer(path, lambda tokenizer: tokenizer.add_special_tokens({"eos_token": "[END]"}))
    (path / "generation_config.json").write_text("{}")


def write_turns_with_an_unknown_token(path: Path) -> None:
    def changed(tokenizer: Any) -> None:
        tokenizer.add_tokens(["<turn>"], special_tokens=True)
        tokenizer.chat_template = "{% for m in messages %}<turn>{{ m['content'] }}{% endfor %}<turn>"

    _tokenizer(path, changed)


def _tokenizer(path: Path, change: Callable[[Any], Any]) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    change(tokenizer)
    tokenizer.save_pretrained(path)


DAMAGES: dict[Callable[[Path], Any], str] = {
    lack_a_tensor: r"lack 1 tensors .*model\.layers\.1\.mlp\.down_proj\.weight: these would be random",
    name_them_otherwise: r"lack \d+ tensors .*these would be random",
    have_one_of_another_shape: r"cannot be loaded: .*mismatched_sizes",
    hold_a_nan: r"NaN.*Copy its files again",
    be_cut_short: r"cannot be loaded: SafetensorError",
    be_of_no_bytes: r"cannot be loaded: SafetensorError",
    have_a_damaged_tokenizer: r"cannot be loaded: ",
    have_no_tokenizer: r"makes no tokens of a text",
    be_quantised_for_a_library_that_is_not_here: r"bitsandbytes.*Install that, or serve it with the vllm engine",
    end_with_an_unknown_token: r"ends answers with token 259 \('\[END\]'\), and knows 259 tokens: no answer would end",
    write_turns_with_an_unknown_token: r"makes '<turn>' token 259, and the model knows 259 tokens: take the tokenizer",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_directory_that_is_not_whole_or_does_not_fit_together_is_one_message(
    tiny_model: Path, tmp_path: Path, damage: Callable[[Path], Any]
) -> None:
    shutil.copytree(tiny_model, tmp_path / "odd")
    damage(tmp_path / "odd")
    with pytest.raises(EngineError, match=DAMAGES[damage]):
        said(engine(tmp_path / "odd"))


def test_a_word_that_the_model_does_not_know_is_an_error_of_its_own_and_a_surplus_padding_token_none(
    tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "larger"
    shutil.copytree(tiny_model, path)
    _tokenizer(
        path, lambda tokenizer: (tokenizer.add_special_tokens({"pad_token": "[PAD]"}), tokenizer.add_tokens("zebra"))
    )
    texts = (PROMPT, "A zebra.", "Fever.")
    one = engine(path)
    found = {text: next(iter(one.complete(asked(text=text)))) for text in texts}
    assert "'zebra' token 260, and the model knows 259 tokens" in str(found["A zebra."].error)
    plain = engine(tiny_model)
    for text in (PROMPT, "Fever."):
        assert found[text].text == next(iter(plain.complete(asked(text=text)))).text
    together = [Request(text, (Message("user", text),), GREEDY) for text in texts]
    assert {one.key: one.text for one in one.complete(together)} == {text: found[text].text for text in texts}


def test_positions_that_turn_with_the_longest_row_end_the_context_before_they_do(
    architecture: Callable[[str, dict[str, Any]], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """LongRoPE: what a question is answered must not depend on how long another one in its batch is."""
    long = {"rope_type": "longrope", "original_max_position_embeddings": 96, "rope_theta": 10000.0, "factor": 4.0,
            "short_factor": [1.0] * 4, "long_factor": [4.0, 3.0, 2.0, 5.0]}  # fmt: skip
    one = engine(architecture("Llama", {"rope_parameters": long}))
    with caplog.at_level(logging.WARNING):
        alone = said(one)
    assert "96 tokens together here, and not 256" in caplog.text
    texts = (PROMPT, "x" * 60, "x" * 100)
    requests = [Request(text, (Message("user", text),), Sampling(max_new_tokens=100)) for text in texts]
    found = {completion.key: completion for completion in one.complete(requests)}
    assert found[PROMPT].text.startswith(alone)
    assert found[PROMPT].finish_reason == "length"
    assert "the model's context 96" in str(found["x" * 100].error)


# Texts


@pytest.fixture
def spaced_model(tmp_path: Path) -> Path:
    """A tiny Llama with a tokenizer of Llama 2's kind: a space before each text, taken away when it is decoded."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,!?<|_>[]/"
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, **{f"<0x{byte:02X}>": byte + 3 for byte in range(128)}}
    for token in ("▁", *plain):
        vocabulary[token] = len(vocabulary)
    merges = [("▁", letter) for letter in plain[: 259 - len(vocabulary)]]
    vocabulary |= {"".join(pair): len(vocabulary) + place for place, pair in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<s>", "</s>"])
    template = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}[/]"
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=template
    )
    torch.manual_seed(2)
    path = tmp_path / "spaced"
    LlamaForCausalLM(LlamaConfig(**{**SMALL, "eos_token_id": 2, "pad_token_id": 2})).save_pretrained(path)
    fast.save_pretrained(path)
    return path


def test_the_space_at_the_beginning_of_what_is_continued_is_neither_lost_nor_doubled(spaced_model: Path) -> None:
    loaded = engine(spaced_model)._load()
    words = ["The", " answer", " is", " B", ".", "\n", "Wait", ",", "  two"]
    text = "".join(words)
    [whole] = loaded.continuation_ids([text])
    for cut in range(1, len(whole)):
        head, tail = loaded.texts([whole[:cut], whole[cut:]])
        assert head + tail == text
    [ids] = loaded.continuation_ids([" answer"])
    assert loaded.text(ids) == " answer"
    assert loaded.token_ids(["answer"])[0] == ids  # a text by itself gets its space, as the tokenizer has it


# Drawing


def test_a_greedy_answer_with_a_penalty_is_the_librarys(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    one = engine(tiny_model)
    loaded = one._load()
    [prompt] = loaded.token_ids([loaded.prompt_text(asked()[0].messages)[0]])
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    out = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=16, do_sample=False,
        repetition_penalty=1.4, pad_token_id=loaded.pad_token,
    )[0, len(prompt) :].tolist()  # fmt: skip
    penalised = said(one, sampling=Sampling(max_new_tokens=16, repetition_penalty=1.4))
    assert penalised == loaded.text([token for token in out if token not in loaded.end_tokens])
    assert penalised != said(one)


def test_every_setting_of_drawing_is_part_of_a_requests_address_and_the_old_ones_stay() -> None:
    from medo1.engines.wrappers.store import request_address

    settings = [
        Sampling(),
        Sampling(top_k=5),
        Sampling(min_p=0.1),
        Sampling(repetition_penalty=1.1),
        Sampling(top_p=0.5),
    ]
    addresses = {request_address(asked(sampling=sampling)[0], "engine") for sampling in settings}
    assert len(addresses) == len(settings)
    assert request_address(Request("k", (Message("user", "?"),), Sampling(), 0, 1), "e") == (
        "2dff38c33116ccd5964d0a4e1f319c0ff5c204e6826f4c3d48af1471bfc5999d"
    )


def test_a_generation_config_that_says_otherwise_is_announced_once(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own"
    shutil.copytree(tiny_model, path)
    own = {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
    (path / "generation_config.json").write_text(json.dumps({**own, "eos_token_id": 258}))
    one = engine(path)
    with caplog.at_level(logging.WARNING):
        for sampling in (
            GREEDY,
            Sampling(temperature=0.7, max_new_tokens=4),
            Sampling(temperature=0.7, max_new_tokens=9),
        ):
            said(one, sampling=sampling)
        agreeing = Sampling(0.7, 0.8, 4, top_k=20, repetition_penalty=1.05)
        said(one, sampling=agreeing)
    told = [record.getMessage() for record in caplog.records if "generation_config.json" in record.getMessage()]
    assert len(told) == 2
    assert "repetition_penalty 1.05; greedy answers are drawn with repetition_penalty 1," in told[0]
    assert "top_p 0.8, top_k 20, repetition_penalty 1.05; sampled answers" in told[1]


def test_what_the_models_own_generation_would_do_besides_is_announced(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own"
    shutil.copytree(tiny_model, path)
    own = {
        "suppress_tokens": [7],
        "no_repeat_ngram_size": 3,
        "num_beams": 1,
        "min_length": 0,
        "forced_bos_token_id": None,
    }
    (path / "generation_config.json").write_text(json.dumps({**own, "eos_token_id": 258}))
    one = engine(path)
    with caplog.at_level(logging.WARNING):
        said(one)
        said(one, sampling=Sampling(0.5, max_new_tokens=4))
    told = [record.getMessage() for record in caplog.records if "generation_config.json" in record.getMessage()]
    assert len(told) == 1
    assert "no_repeat_ngram_size 3, suppress_tokens [7], which is not applied" in told[0]


# Memory


def test_a_closed_engine_holds_no_weights_and_answers_again_when_it_is_asked_again(
    tiny_model: Path, tiny_adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    """So the student makes room for a training between two uses, in one run."""
    import gc
    import weakref

    from medo1.engines.wrappers.store import CompletionStore
    from medo1.engines.wrappers.stored import Stored

    inner = Transformers()
    one = Stored(inner, CompletionStore(tmp_path / "kept.sqlite")).with_model(Model("tiny", tiny_model, "r"))
    adapter = Adapter("good", tiny_adapters[1], digest_of_tree(tiny_adapters[1]))
    [first] = one.complete(asked(adapter))
    assert inner._loaded is not None
    weights = weakref.ref(inner._loaded.model)
    for _ in range(2):
        one.close()
        gc.collect()
        assert weights() is None
    [again] = one.complete(asked(adapter))
    assert (again.cached, again.text) == (True, first.text)
    assert inner._loaded is None  # what is kept needs no weights
    [other] = one.complete(asked(adapter, text="Fever."))
    assert other.error is None
    one.close()
