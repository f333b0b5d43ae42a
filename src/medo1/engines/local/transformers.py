"""The embedded engine: a model on this machine through Hugging Face transformers, base and adapters alike.

Decoding itself is in
`medo1.engines.local`; this module turns requests into rows and rows into completions.

Every draw has its own stream of random numbers from its request's seed, so that a question's output does not depend on
what else is in the batch. In fp32 that holds to the last token in all but ties of a millionth; in bf16 a batch's shape
can move a log-probability by a hundredth, and with it a close choice.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from medo1.engines.base import Adapter, Completion, Engine, EngineError, Message, Model, Request
from medo1.engines.confidence import lowest_group
from medo1.engines.identity import model_identity, named_model, pinned
from medo1.engines.local.work import Work
from medo1.engines.thought import apart

if TYPE_CHECKING:
    from medo1.engines.local.active_rows import DecodingRow
    from medo1.engines.local.batch_limits import BatchLimits
    from medo1.engines.local.loading import Loaded

WINDOW = 2048  # requests that are sorted and decoded together: enough to keep the rows full, few enough to hold
FEW_WEIGHTS = 50_000_000  # a pass of so few takes less time than threads take to meet
REPLACEMENT = "\ufffd"  # what a tokenizer writes for bytes that are no character yet


class Transformers(Engine):
    """Generates with `transformers` on CPU or GPU.

    Args:
        model: path of a model directory or hub id; None until `with_model` names one.
        revision: commit of a hub id.
        dtype: `float32`, or `bfloat16` on a GPU.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU where there is one.
        rows: rows decoded together, at most; fewer where the memory does not hold more.
        prefill_tokens: prompt tokens of one prefill, at most, padding included.
        memory_gib: memory for keys, values and activations; None takes what is free on a GPU, and half of it on a CPU.
        threads: threads of torch while the model is loaded; None takes one for a model of less than 50 million weights
            on a CPU (two made 12,600 tokens/s of the embedded student's into 400 on a busy machine of two cores), and
            leaves them as they are for a larger one.
    """

    earlier_options: ClassVar = {"reading": "prefill_tokens"}
    answer_options = frozenset({"model", "revision", "dtype"})
    other_options = frozenset({"device", "rows", "prefill_tokens", "memory_gib", "threads"})

    def __init__(
        self,
        *,
        model: str | None = None,
        revision: str | None = None,
        dtype: str = "float32",
        device: str | None = None,
        rows: int = 128,
        prefill_tokens: int = 8192,
        memory_gib: float | None = None,
        threads: int | None = None,
    ) -> None:
        if dtype not in ("float32", "bfloat16", "float16"):
            raise EngineError(f"The transformers engine's dtype is {dtype!r}; expected float32, bfloat16 or float16.")
        if rows < 1:
            raise EngineError(f"The transformers engine's rows is {rows}; expected 1 or more.")
        self._model = named_model(model, revision)
        self._dtype = dtype
        self._device = device
        self._rows = rows
        self._prefill_tokens = prefill_tokens
        self._memory_gib = memory_gib
        self._threads = threads
        self._threads_before: int | None = None
        self._loaded: Loaded | None = None
        self._limits: BatchLimits | None = None
        self.work = Work()  # since the model was named; for benchmarks

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "transformers", **model_identity(self._model), "dtype": self._dtype}

    def with_model(self, model: Model) -> Transformers:
        if self._model != model:
            self.close()
            self._model = model
            self.work = Work()
        return self

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`: completions that ended in the same pass. Requests are taken some thousand at a time,
        sorted by adapter and length."""
        source = iter(requests)
        while window := list(islice(source, WINDOW)):
            yield from self._batches(window, stop=stop)

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """See `Engine.stream`."""
        shown = ""

        def watch(rows: Sequence[DecodingRow]) -> None:
            nonlocal shown
            for row in rows:
                text = self._text(row).rstrip(REPLACEMENT)
                if len(text) > len(shown) and not any(_may_begin(text, stop) for stop in row.stops):
                    told(text[len(shown) :])
                    shown = text

        [completion] = [one for batch in self._batches([request], watch=watch) for one in batch]
        if len(completion.whole_text) > len(shown):
            told(completion.whole_text[len(shown) :])
        return completion

    def close(self) -> None:
        """See `Engine.close`: the weights go at once, and their memory back to the device. The next request loads them
        again."""
        if self._threads_before is not None:
            import torch

            torch.set_num_threads(self._threads_before)
            self._threads_before = None
        if self._loaded is None:
            return
        on_gpu = self._loaded.device.type == "cuda"
        self._loaded = None
        self._limits = None
        if on_gpu:
            import gc

            import torch

            gc.collect()  # what refers to itself would hold the weights until later
            torch.cuda.empty_cache()

    def _batches(
        self,
        requests: Iterable[Request],
        *,
        stop: Event | None = None,
        watch: Callable[[Sequence[DecodingRow]], None] | None = None,
    ) -> Iterator[list[Completion]]:
        from medo1.engines.local.loop import Decoder

        loaded = self._load()
        by_adapter: dict[Adapter | None, list[Request]] = defaultdict(list)
        for request in requests:
            by_adapter[request.adapter].append(request)
        for adapter, members in by_adapter.items():
            rows, refused = self._rows_of(members, loaded)
            if refused:
                yield refused
            if not rows:
                continue
            limits = self._limits_for(loaded, max(len(row.prompt) for row in rows))
            decoder = Decoder(loaded, limits, self.work, watch)
            with loaded.answering_as(adapter):
                for ended in decoder.run(rows, stop):
                    yield [self._completion(row) for row in ended]
            self._limits = decoder.limits

    def _rows_of(self, requests: Sequence[Request], loaded: Loaded) -> tuple[list[DecodingRow], list[Completion]]:
        """Requests as rows, and those whose prompt leaves no tokens for an answer."""
        from medo1.engines.local.active_rows import DecodingRow

        rows: list[DecodingRow] = []
        refused: list[Completion] = []
        prompts = _prompts({_conversation(request) for request in requests}, loaded)
        for request in requests:
            prompt = prompts[_conversation(request)]
            if isinstance(prompt, str):
                refused.append(_refusal(request, loaded.name, None, prompt))
                continue
            if (wrong := loaded.beyond(prompt)) is not None:
                refused.append(_refusal(request, loaded.name, len(prompt), wrong))
                continue
            left = loaded.context - len(prompt)
            if left < 1:
                text = f"the prompt has {len(prompt)} tokens, the model's context {loaded.context}"
                refused.append(_refusal(request, loaded.name, len(prompt), text))
                continue
            sampling = request.sampling
            loaded.settings.note(sampling)
            rows.append(
                DecodingRow(
                    prompt=prompt,
                    limit=min(sampling.max_new_tokens, left),
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    seed=request.seed if request.seed is not None else secrets.randbits(63),
                    stops=sampling.stop,
                    top_k=sampling.top_k,
                    min_p=sampling.min_p,
                    repetition_penalty=sampling.repetition_penalty,
                    tag=request,
                )
            )
        return rows, refused

    def _completion(self, row: DecodingRow) -> Completion:
        assert self._loaded is not None
        request: Request = row.tag
        if row.error is not None:
            return _refusal(request, self._loaded.name, len(row.prompt), row.error)
        count = len(row.tokens)
        return apart(
            Completion(
                key=request.key,
                text=self._text(row),
                finish_reason="stop" if row.ended == "stop" else "length",
                prompt_tokens=len(row.prompt),
                completion_tokens=count,
                mean_logprob=sum(row.logprobs) / count,
                self_certainty=sum(row.certainty) / count,
                confidence=sum(row.confidence) / count if row.temperature > 0 else None,
                lowest_confidence=lowest_group(row.confidence) if row.temperature > 0 else None,
                latency_s=time.monotonic() - row.started,
                model=self._loaded.name,
            )
        )

    def _text(self, row: DecodingRow) -> str:
        """What the row says so far, up to a stop text."""
        assert self._loaded is not None
        ended = row.tokens[-1] in self._loaded.end_tokens
        text = self._loaded.text(row.tokens[:-1] if ended else row.tokens)
        places = [place for stop in row.stops if (place := text.find(stop)) >= 0]
        return text[: min(places)] if places else text

    def _load(self) -> Loaded:
        if self._loaded is None:
            if self._model is None:
                raise EngineError("The transformers engine has no model. Name one in its options, or give it one.")
            import torch

            from medo1.engines.local.loading import Loaded
            from medo1.engines.local.loop import verify

            loaded = Loaded(pinned(self._model), self._dtype, self._device)
            few = loaded.device.type == "cpu" and loaded.weights < FEW_WEIGHTS
            threads = self._threads if self._threads is not None else 1 if few else None
            if threads is not None:
                self._threads_before = torch.get_num_threads()
                torch.set_num_threads(threads)
            verify(loaded)
            self._loaded = loaded
        return self._loaded

    def _limits_for(self, loaded: Loaded, longest_prompt: int) -> BatchLimits:
        from medo1.engines.local.batch_limits import ModelSizes, batch_limits

        if self._limits is None or self._limits.prefill_tokens < longest_prompt:
            sizes = ModelSizes.of(loaded.config, loaded.dtype.itemsize)
            rows = self._rows if self._limits is None else self._limits.rows
            self._limits = batch_limits(
                sizes,
                self._free_bytes(loaded),
                rows=rows,
                prefill_tokens=self._prefill_tokens,
                longest_prompt=longest_prompt,
            )
        return self._limits

    def _free_bytes(self, loaded: Loaded) -> int:
        if self._memory_gib is not None:
            return int(self._memory_gib * (1 << 30))
        if loaded.device.type == "cuda":
            import torch

            return int(torch.cuda.mem_get_info(loaded.device)[0])
        import psutil

        return int(psutil.virtual_memory().available // 2)


Conversation: TypeAlias = tuple[tuple[Message, ...], str]  # turns, and the chat template's arguments as JSON


def _conversation(request: Request) -> Conversation:
    """What decides a request's prompt: its turns, and the template's arguments that its adapter was trained with."""
    return request.messages, "{}" if request.adapter is None else request.adapter.chat_template_kwargs


def _prompts(conversations: Iterable[Conversation], loaded: Loaded) -> dict[Conversation, list[int] | str]:
    """The tokens of each conversation, or why the chat template refuses it.

    A given beginning of the answer is tokenised on its own: that is where the model stood when it had written it.
    """
    from jinja2 import TemplateError

    prompts: dict[Conversation, list[int] | str] = {}
    heads: list[tuple[Conversation, str, str]] = []
    for conversation in conversations:
        messages, arguments = conversation
        try:
            heads.append((conversation, *loaded.prompt_text(messages, json.loads(arguments))))
        except (TemplateError, ValueError) as error:
            prompts[conversation] = f"the chat template refuses the conversation: {error}"
    if not heads:
        return prompts
    begun = loaded.token_ids([head for _, head, _ in heads])
    continued = loaded.continuation_ids([given for _, _, given in heads])
    for (conversation, _, _), before, after in zip(heads, begun, continued, strict=True):
        prompts[conversation] = before + after
    return prompts


def _refusal(request: Request, model: str, prompt_tokens: int | None, error: str) -> Completion:
    return Completion(request.key, "", "error", prompt_tokens=prompt_tokens, model=model, error=error)


def _may_begin(text: str, stop: str) -> bool:
    """Whether `text` ends with what may become `stop`: it is not shown before that is known."""
    return any(text.endswith(stop[:size]) for size in range(1, len(stop)))
