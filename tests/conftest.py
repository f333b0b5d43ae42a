"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# One thread a process: tests run side by side, and tiny models gain nothing from more.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties are searched with other examples on each run, but in CI with the same ones: a red build is repeated.
settings.register_profile("ci", derandomize=True)
if os.environ.get("MEDO1_CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]
# Those that name what differs from base; tests go through all, so that none is forgotten when base grows.
ENVIRONMENTS = sorted(place.name for place in (ROOT / "conf").iterdir() if place.is_dir() and place.name != "base")
BENCHMARKS = ROOT.parent / "shared" / "benchmarks"


@pytest.fixture(scope="session")
def benchmark_files() -> Path:
    """The folder of real benchmark files; tests that need it are skipped where it is absent, but never in CI."""
    if not BENCHMARKS.is_dir():
        if os.environ.get("MEDO1_CI"):
            pytest.fail(f"the benchmark files must be at {BENCHMARKS} in CI")
        pytest.skip(f"the benchmark files are not at {BENCHMARKS} (docs/bring_real_data.md)")
    return BENCHMARKS


CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}{% if not (loop.last and continue_final_message) %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a Qwen2 of 30,000 random weights, a byte-level tokenizer and a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE({token: place for place, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE
    )
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():  # greedy texts are readable: no byte that is part of a character is ever the likeliest
        for token, place in fast.get_vocab().items():
            if place != fast.eos_token_id and not (token.isascii() and token.isprintable() and len(token) == 1):
                model.model.embed_tokens.weight[place] = 0.0
    path = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(path)
    fast.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def tiny_adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two LoRA adapters of the tiny model with random weights, of rank 4 and 8: each answers unlike the base."""
    return _random_adapters(tiny_model, tmp_path_factory, (4, 8))


@pytest.fixture(scope="session")
def vllm_python() -> str:
    """The interpreter that has vLLM; tests that need it are skipped where there is none, but never in CI."""
    import importlib.util
    import sys

    named = os.environ.get("MEDO1_VLLM_PYTHON")
    if named is not None:
        return named
    if importlib.util.find_spec("vllm") is not None:
        return sys.executable
    if os.environ.get("MEDO1_CI"):
        pytest.fail("vLLM must be tested in CI: .ci/run installs it and names its interpreter in MEDO1_VLLM_PYTHON")
    pytest.skip("no vLLM here: install it, or name its interpreter in MEDO1_VLLM_PYTHON")


@pytest.fixture(scope="module")
def one_vllm_at_a_time() -> Iterator[None]:
    """Held by a module whose server runs: vLLM binds itself to processors, and two servers choose the same ones."""
    import fcntl
    import tempfile

    with (Path(tempfile.gettempdir()) / "medo1-tests-vllm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def served_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's tokenizer with weights of 32 dimensions a head, the fewest that vLLM's CPU attention takes."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=1024, tie_word_embeddings=True, initializer_range=0.3,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():  # as in `tiny_model`: greedy texts are readable
        for token, place in tokenizer.get_vocab().items():
            if place != tokenizer.eos_token_id and not (token.isascii() and token.isprintable() and len(token) == 1):
                model.model.embed_tokens.weight[place] = 0.0
    folder = tmp_path_factory.mktemp("served") / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def served_adapters(served_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two LoRA adapters of the served model, of rank 4 and 8."""
    return _random_adapters(served_model, tmp_path_factory, (4, 8))


def _random_adapters(
    base_model: Path, tmp_path_factory: pytest.TempPathFactory, ranks: tuple[int, int]
) -> tuple[Path, Path]:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    paths = []
    for seed, rank in enumerate(ranks, start=1):
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32)
        config = LoraConfig(
            r=rank, lora_alpha=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
        )
        path = tmp_path_factory.mktemp("adapters") / f"rank{rank}"
        get_peft_model(base, config).save_pretrained(path)
        paths.append(path)
    return paths[0], paths[1]


@pytest.fixture(scope="session")
def chromium():  # type: ignore[no-untyped-def]
    """A headless Chromium that reaches nothing but what a test gives it."""
    import shutil

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("MEDO1_CI"):
            pytest.fail("Chromium must be installed in CI")
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()
