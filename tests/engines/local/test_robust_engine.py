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
