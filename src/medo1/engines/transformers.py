"""The embedded engine: a model on this machine through Hugging Face transformers, base and adapters alike.

Prompts are padded on the left in fp32 (bf16 with left padding answers differently from the same prompt alone), sorted
by length and batched by tokens. Every draw has its own stream of random numbers from its request's seed and picks
tokens by the inverse of the cumulative distribution, so that what a question gets does not depend on its batch.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Adapter, Completion, Engine, EngineError, Model, Request, Sampling

if TYPE_CHECKING:
    import torch


class Transformers(Engine):
    """Generates with `transformers` on CPU or GPU.

    Args:
        model: path of a model directory or hub id; None until `with_model` names one.
        revision: commit of a hub id.
        batch_tokens: prompt and new tokens in one batch at most, padding included.
        dtype: `float32`, or `bfloat16` on a GPU.
        threads: threads of torch; None leaves them as they are.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        revision: str | None = None,
        batch_tokens: int = 32_768,
        dtype: str = "float32",
        threads: int | None = None,
    ) -> None:
        self._model = Model(model, Path(model) if Path(model).is_dir() else None, revision) if model else None
        self._batch_tokens = batch_tokens
        self._dtype = dtype
        self._threads = threads
        self._loaded: _Loaded | None = None

    @property
    def identity(self) -> dict[str, Any]:
        model = self._model
        return {
            "engine": "transformers",
            "model": model.revision if model and model.path else model and model.name,
            "revision": model and model.revision,
            "dtype": self._dtype,
        }

    def with_model(self, model: Model) -> Transformers:
        if self._model != model:
            self.close()
            self._model = model
        return self

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        loaded = self._load()
        groups: dict[tuple[Adapter | None, Sampling], list[Request]] = defaultdict(list)
        for request in requests:
            groups[request.adapter, request.sampling].append(request)
        for (adapter, sampling), members in groups.items():
            with loaded.answering_as(adapter):
                yield from self._complete_group(loaded, members, sampling)

    def _complete_group(self, loaded: _Loaded, requests: list[Request], sampling: Sampling) -> Iterator[Completion]:
        prompts = [loaded.prompt_ids(request) for request in requests]
        fitting = []
        for request, prompt in zip(requests, prompts, strict=True):
            room = loaded.context - len(prompt)
            if room < 1:
                yield Completion(
                    request.key,
                    "",
                    "error",
                    prompt_tokens=len(prompt),
                    model=loaded.name,
                    error=f"the prompt has {len(prompt)} tokens, the model's context {loaded.context}",
                )
            else:
                fitting.append((request, prompt))
        fitting.sort(key=lambda pair: len(pair[1]))
        for batch in _batches(fitting, sampling.max_new_tokens, self._batch_tokens):
            yield from loaded.generate(batch, sampling)

    def _load(self) -> _Loaded:
        if self._loaded is None:
            if self._model is None:
                raise EngineError("The transformers engine has no model. Name one in its options, or give it one.")
            self._loaded = _Loaded(self._model, self._dtype, self._threads)
        return self._loaded

    def close(self) -> None:
        self._loaded = None


def _batches(
    pairs: Sequence[tuple[Request, list[int]]], new_tokens: int, batch_tokens: int
) -> Iterator[list[tuple[Request, list[int]]]]:
    """Runs of pairs (sorted by length) whose padded size stays within `batch_tokens`; never an empty one."""
    batch: list[tuple[Request, list[int]]] = []
    for pair in pairs:
        if batch and (len(batch) + 1) * (len(pair[1]) + new_tokens) > batch_tokens:
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


class _Loaded:
    """A model in memory with the adapters that were asked for so far."""

    def __init__(self, model: Model, dtype: str, threads: int | None) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if threads is not None:
            torch.set_num_threads(threads)
        source, revision = str(model.path or model.name), None if model.path else model.revision
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
            self._base = AutoModelForCausalLM.from_pretrained(
                source, revision=revision, trust_remote_code=False, use_safetensors=True, dtype=getattr(torch, dtype)
            )
        except (OSError, ValueError) as error:
            raise EngineError(
                f"The model {source} cannot be loaded: {error}. Give a directory with config.json, safetensors and a "
                "tokenizer, or a hub id that is in the cache or can be downloaded."
            ) from error
        self.name = model.name
        self.context = int(getattr(self._base.config, "max_position_embeddings", 1 << 30))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._base.to(self._device).eval()
        self._peft: Any = None
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token

    def answering_as(self, adapter: Adapter | None) -> Any:
        """A context in which the model answers as `adapter`, or as its base."""
        from contextlib import nullcontext

        from peft import PeftModel

        if adapter is None:
            return self._peft.disable_adapter() if self._peft is not None else nullcontext()
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self._base, str(adapter.path), adapter_name=adapter.name)
            self._peft.eval()
        elif adapter.name not in self._peft.peft_config:
            self._peft.load_adapter(str(adapter.path), adapter_name=adapter.name)
        self._peft.set_adapter(adapter.name)
        return nullcontext()

    def prompt_ids(self, request: Request) -> list[int]:
        turns = [{"role": message.role, "content": message.content} for message in request.messages]
        continued = turns[-1]["role"] == "assistant"
        text = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=not continued, continue_final_message=continued
        )
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(self, batch: list[tuple[Request, list[int]]], sampling: Sampling) -> list[Completion]:
        import torch

        started = time.monotonic()
        width = max(len(prompt) for _, prompt in batch)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for _, prompt in batch], device=self._device)
        mask = torch.tensor(
            [[0] * (width - len(prompt)) + [1] * len(prompt) for _, prompt in batch], device=self._device
        )
        new_tokens = min(sampling.max_new_tokens, self.context - width)
        picker = _Picker([request.seed for request, _ in batch], sampling, width)
        model = self._peft if self._peft is not None else self._base
        with torch.inference_mode():
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=new_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=pad,
                eos_token_id=self.tokenizer.eos_token_id,
                logits_processor=[picker],
                stop_strings=list(sampling.stop) or None,
                tokenizer=self.tokenizer if sampling.stop else None,
            )
        took = (time.monotonic() - started) / len(batch)
        logprobs = picker.logprobs()
        return [
            self._completion(request, prompt, output[row, width:].tolist(), logprobs[row], sampling, took)
            for row, (request, prompt) in enumerate(batch)
        ]

    def _completion(
        self,
        request: Request,
        prompt: list[int],
        new: list[int],
        logprobs: list[float],
        sampling: Sampling,
        took: float,
    ) -> Completion:
        ended = self.tokenizer.eos_token_id in new
        kept = new[: new.index(self.tokenizer.eos_token_id)] if ended else new
        counted = len(kept) + ended
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        for stop in sampling.stop:
            if stop in text:
                text, ended = text[: text.index(stop)], True
        return Completion(
            key=request.key,
            text=text,
            finish_reason="stop" if ended else "length",
            prompt_tokens=len(prompt),
            completion_tokens=counted,
            mean_logprob=sum(logprobs[:counted]) / counted if counted else None,
            latency_s=took,
            model=self.name,
        )


class _Picker:
    """Picks each row's next token itself, greedily or from its own random stream, and keeps the log-probabilities.

    It is given to `generate` as a logits processor that leaves one token possible.
    """

    def __init__(self, seeds: list[int | None], sampling: Sampling, prompt_width: int) -> None:
        import torch

        self._temperature, self._top_p, self._width = sampling.temperature, sampling.top_p, prompt_width
        self._picked: list[torch.Tensor] = []
        self._uniform = None
        if sampling.temperature > 0:
            streams = []
            for seed in seeds:
                generator = torch.Generator()
                if seed is None:
                    generator.seed()
                else:
                    generator.manual_seed(seed)
                streams.append(torch.rand(sampling.max_new_tokens, generator=generator, dtype=torch.float64))
            self._uniform = torch.stack(streams)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        logprobs = torch.log_softmax(scores.float(), dim=-1)
        if self._uniform is None:
            picked = scores.argmax(dim=-1)
        else:
            step = input_ids.shape[1] - self._width
            picked = _inverse_cdf(scores / self._temperature, self._uniform[:, step].to(scores.device), self._top_p)
        self._picked.append(logprobs.gather(1, picked[:, None])[:, 0].cpu())
        only = torch.full_like(scores, float("-inf"))
        return only.scatter(1, picked[:, None], 0.0)

    def logprobs(self) -> list[list[float]]:
        import torch

        return torch.stack(self._picked, dim=1).tolist() if self._picked else []


def _inverse_cdf(logits: torch.Tensor, uniform: torch.Tensor, top_p: float) -> torch.Tensor:
    """The token at which each row's cumulative probability passes its uniform number, likeliest tokens first."""
    import torch

    probabilities, tokens = torch.softmax(logits.double(), dim=-1).sort(dim=-1, descending=True, stable=True)
    cumulative = probabilities.cumsum(dim=-1)
    if top_p < 1:
        kept = (cumulative - probabilities) < top_p  # always the first
        total = (probabilities * kept).sum(dim=-1)
    else:
        total = cumulative[:, -1]
    place = torch.searchsorted(cumulative, (uniform * total)[:, None], right=True).clamp(max=logits.shape[1] - 1)
    return tokens.gather(1, place)[:, 0]
