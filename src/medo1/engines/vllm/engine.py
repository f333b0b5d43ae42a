"""The `vllm` engine: the `openai` engine plus a local vLLM server that medo1 starts, watches and stops.

The server starts with the first request
that the completion store cannot answer, listens on loopback behind a key of its own, and is gone when the engine is
closed or this process ends, however it ends. vLLM may live in an environment of its own: `python` names its
interpreter.

What vLLM does by itself and must not do here, each with a test:

- On a CPU a seed together with a split prompt ends the server: a prefill is not split there.
- With `max_loras` as large as the number of adapters, the base can answer with an adapter's weights: it is one more.
- An adapter of a larger rank than the server was started with ends it: ranks are read from the adapters first.
- An adapter whose modules it does not know leaves the base's weights under the adapter's name: each adapter is probed
  once, and must answer unlike its base.
- `generation_config.json` changes sampling without a word: its sampling is not used; its stop tokens are.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event, RLock
from typing import Any, Literal

from medo1.engines.base import Adapter, Completion, Engine, EngineError, Message, Model, Request
from medo1.engines.base_mark import refuse_other_base
from medo1.engines.generation_config import SettingsCompared, own_settings
from medo1.engines.http.openai import OpenAI
from medo1.engines.identity import model_identity, named_model, pinned
from medo1.engines.names import current_options
from medo1.engines.rendering import ChatPrompts
from medo1.engines.trained_stop import refuse_endless, trained_stop
from medo1.engines.vllm.serving import LOOPBACK, LocalServer, environment_without, free_port, refuse_taken_port
from medo1.lineage.digests import digest_of_file

logger = logging.getLogger(__name__)

PYTHON = "MEDO1_VLLM_PYTHON"
MODULE = "vllm.entrypoints.openai.api_server"
PROBE, PROBED_TOKENS = "A patient has fever and a cough. What is the next step?", 8
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM can be started for
CPU_BATCH = 8192  # prompt tokens of one prefill, at least
# vLLM shortens an allowance to what the prompt leaves, but refuses one that is longer than the whole context.
TOO_LONG = re.compile(r"max_tokens=\d+ cannot be greater than max_model_len=(?P<context>\d+)")


class VLLM(Engine):
    """Starts `vllm`'s OpenAI server for a model and asks it.

    Args:
        model: path of a model directory or hub id; None until `with_model` names one.
        revision: commit of a hub id.
        python: interpreter of the environment that has vLLM; None: what MEDO1_VLLM_PYTHON names, else this one.
        port: on loopback; None takes a free one.
        context: tokens of prompt and answer together, at most; None for the model's own.
        dtype: `auto` takes the model's on a GPU and `float32` on a CPU.
        rows: requests that the server works on at once, at most; also how many are sent at once.
        tensor_parallel, data_parallel: GPUs that share one copy of the model; copies of it.
        max_rank: largest adapter rank to be ready for; None reads it from the first adapters that are asked for, and
            starts the server again when a larger one, or the first one at all, comes later.
        max_adapters: adapters that can answer at once.
        gpu_memory: share of a GPU's memory that vLLM takes.
        cache_gib: memory for keys and values on a CPU.
        arguments: further arguments of the server, as in `["--kv-cache-dtype", "fp8"]`.
        start_timeout_s: seconds until the server must be ready.
        log: file for what the server prints; None for one in the temporary folder.
        client: further options of the `openai` engine that asks it, such as `timeout_s` or `logprobs`.
    """

    streams = True
    answer_options = frozenset({"model", "revision", "context", "dtype", "arguments", "client"})
    other_options = frozenset(
        {"python", "port", "rows", "tensor_parallel", "data_parallel", "max_rank", "max_adapters", "gpu_memory",
         "cache_gib", "start_timeout_s", "log"}
    )  # fmt: skip

    def __init__(
        self,
        *,
        model: str | None = None,
        revision: str | None = None,
        python: str | None = None,
        port: int | None = None,
        context: int | None = None,
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        rows: int = 128,
        tensor_parallel: int = 1,
        data_parallel: int = 1,
        max_rank: int | None = None,
        max_adapters: int = 4,
        gpu_memory: float = 0.9,
        cache_gib: float = 1.0,
        arguments: Sequence[str] = (),
        start_timeout_s: float = 900.0,
        log: str | None = None,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        self._model = named_model(model, revision)
        self._python = python
        self._port = port
        self._context = context
        self._on_gpu = _has_gpu()
        self._dtype = dtype if dtype != "auto" or self._on_gpu else "float32"
        self._rows = rows
        self._parallel = tensor_parallel, data_parallel
        self._ready_rank = 0 if max_rank is None else served_rank(max_rank, "max_rank")
        self._max_adapters = max_adapters
        self._gpu_memory = gpu_memory
        self._cache_gib = cache_gib
        self._arguments = [str(argument) for argument in arguments]
        if forbidden := [one for one in self._arguments if one.startswith("--trust-remote-code")]:
            raise EngineError(f"vllm engine: {forbidden[0]} would run code that a model brings along; it is refused")
        self._start_timeout_s = start_timeout_s
        self._log = Path(log) if log else None
        self._client_options = dict(client or {})
        self._lock = RLock()
        self._server: LocalServer | None = None
        self._client: OpenAI | None = None
        self._served: dict[str, Adapter] = {}  # by digest, under the name that the server knows
        self._calls = 0
        self._prompts: ChatPrompts | None = None  # loaded with the first answer that was begun, or adapter
        self._compared = False
        self._settings = SettingsCompared(self._model)
        self._key = secrets.token_urlsafe(24)
        self._openai("model", f"http://{LOOPBACK}/v1")  # its options are looked at before a server is started for them

    @property
    def identity(self) -> dict[str, Any]:
        return {**self._identity(), **({"begun": "rendered here"} if self._renders else {})}

    def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
        """See `Engine.earlier_identity`: once, the server's template rewrote answers that were begun."""
        return None if continued or not self._renders else self._identity()

    def _identity(self) -> dict[str, Any]:
        asked = self._openai("model", f"http://{LOOPBACK}/v1").identity
        asked = {name: value for name, value in asked.items() if name not in {"kind", "endpoint", "model"}}
        # Options at their defaults are left out, so that addresses stay the same.
        continuation, logprobs = asked.pop("continuation", "refuse"), asked.pop("logprobs", False)
        return {
            "kind": "vllm",
            **model_identity(self._model),
            "dtype": self._dtype,
            "context": self._context,
            **({"arguments": [_identified(one) for one in self._arguments]} if self._arguments else {}),
            **({} if logprobs else {"logprobs": False}),
            **({} if continuation == "native" else {"continuation": continuation}),
            **asked,
        }

    def with_model(self, model: Model) -> VLLM:
        if self._model != model:
            self.close()
            self._model = model
            self._settings = SettingsCompared(model)
        return self

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`. The server starts with the first request."""
        source = iter(requests)
        first = next(source, None)
        if first is None:
            return
        ahead = [first] if not isinstance(requests, Sequence) else list(requests)
        client = self._ready_for([request.adapter for request in ahead if request.adapter is not None])
        self._calls += 1
        try:
            asked: dict[str, Request] = {}
            again: list[Request] = []
            for batch in client.batches(self._as_served(chain([first], source), asked), stop):
                yield [one for one in batch if not self._asked_too_much(one, asked, again)]
            if again:
                yield from client.batches(again, stop)
        finally:
            self._calls -= 1

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """See `Engine.stream`."""
        client = self._ready_for([request.adapter] if request.adapter is not None else [])
        asked: dict[str, Request] = {}
        [served] = self._as_served([request], asked)
        completion = client.stream(served, told)
        again: list[Request] = []
        return client.stream(again[0], told) if self._asked_too_much(completion, asked, again) else completion

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
            if self._server is not None:
                self._server.stop()
                self._server = None
            self._served = {}
            self._prompts = None
            self._compared = False

    # Requests

    def _as_served(self, requests: Iterable[Request], asked: dict[str, Request]) -> Iterator[Request]:
        """Requests with their adapters under the names that the server knows; `asked` remembers them by key."""
        for request in requests:
            served = request
            if request.adapter is not None:
                served = replace(request, adapter=self._loaded(request.adapter))
            if self._renders and request.messages[-1].role == "assistant":
                served = replace(served, prompt_ids=self._prompt_ids(request))
            self._settings.note(request.sampling)
            asked[request.key] = served
            yield served

    # Prompts of answers that were begun

    @property
    def _renders(self) -> bool:
        """Whether answers that were begun are rendered here. The server would have its template rewrite them: Qwen3's
        takes thoughts out of an assistant's turn and puts an empty one in."""
        return self._client_options.get("continuation", "native") == "native"

    def _prompt_ids(self, request: Request) -> tuple[int, ...] | None:
        """The tokens of a begun answer's prompt; None where the template refuses the conversation, which the server
        then says."""
        from jinja2 import TemplateError

        with self._lock:
            if self._prompts is None:
                self._prompts = self._chat_prompts()
            if not self._compared:
                self._compare_rendering(self._prompts)
                self._compared = True
            try:
                return tuple(self._prompts.prompt_ids(request.messages, self._template_arguments(request.adapter)))
            except TemplateError:
                return None

    def _ends(self) -> list[str]:
        """The tokens on which the server stops: the tokenizer's, and those of the model's generation_config.json."""
        assert self._model is not None
        if self._prompts is None:
            self._prompts = self._chat_prompts()
        tokenizer = self._prompts.tokenizer
        named = own_settings(self._model).get("eos_token_id")
        ids = [tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])]
        found = tokenizer.convert_ids_to_tokens(sorted({one for one in ids if isinstance(one, int)}))
        return [str(token) for token in found]

    def _chat_prompts(self) -> ChatPrompts:
        from transformers import AutoTokenizer

        assert self._model is not None
        source, revision = str(self._model.path or self._model.name), None if self._model.path else self._model.revision
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise EngineError(
                f"vllm: an answer that was begun is rendered with the tokenizer of {source}, which cannot be loaded: "
                f"{error}. Give a directory with tokenizer files, or set `client: {{continuation: refuse}}`."
            ) from error
        if (template := _argument(self._arguments, "--chat-template")) is not None:
            path = Path(template).expanduser()
            tokenizer.chat_template = path.read_text(encoding="utf-8") if path.is_file() else template
        return ChatPrompts(tokenizer)

    def _template_arguments(self, adapter: Adapter | None) -> dict[str, Any]:
        common = dict((self._client_options.get("extra_body") or {}).get("chat_template_kwargs") or {})
        return {**common, **(adapter.template_arguments if adapter is not None else {})}

    def _compare_rendering(self, prompts: ChatPrompts) -> None:
        """Once for each server: the tokens that it makes of a conversation are those that are made here.

        Raises:
            EngineError: they differ.
        """
        probe = (Message("user", "Fever, 3 days.\nA. Flu\nB. Gout"),)
        arguments = self._template_arguments(None)
        here = prompts.prompt_ids(probe, arguments)
        body = {
            "model": self._model.name if self._model else "",
            "messages": [{"role": "user", "content": probe[0].content}],
            "add_generation_prompt": True,
            **({"chat_template_kwargs": arguments} if arguments else {}),
        }
        status, text = self._post("/tokenize", body, "write a conversation as tokens")
        try:
            there = json.loads(text).get("tokens")
        except (ValueError, AttributeError):
            there = None
        if status != http.client.OK or not isinstance(there, list):
            logger.debug("vLLM does not say how it writes a conversation (status %d)", status)
            return
        if there != here:
            place = next((n for n, (one, other) in enumerate(zip(here, there, strict=False)) if one != other), None)
            where = "" if place is None else f"; they differ from token {place} on"
            raise EngineError(
                f"vllm: the server writes a conversation as {len(there)} tokens, and the model's own tokenizer as "
                f"{len(here)}{where}. Answers that were begun would not be continued where they stopped: name the "
                "template that is meant (`arguments: [--chat-template, FILE]`)."
            )

    @staticmethod
    def _asked_too_much(completion: Completion, asked: dict[str, Request], again: list[Request]) -> bool:
        """Whether only the allowance was longer than the context: then it is asked `again` with that, which the server
        shortens to what the prompt leaves."""
        request = asked.pop(completion.key, None)
        if request is None or completion.finish_reason != "error":
            return False
        match = TOO_LONG.search(completion.error or "")
        if match is None:
            return False
        again.append(replace(request, sampling=replace(request.sampling, max_new_tokens=int(match["context"]))))
        return True

    # The server

    def _ready_for(self, adapters: Sequence[Adapter]) -> OpenAI:
        """The client of a server that can answer as these adapters; started, or started again, where it must be."""
        with self._lock:
            rank = max((rank_of(adapter) for adapter in adapters), default=0)
            if self._server is not None and rank > self._ready_rank:
                if self._calls:
                    raise EngineError(
                        f"vllm: an adapter of rank {rank} is asked for while a server for rank {self._ready_rank} is "
                        f"at work: set `max_rank: {rank}` in the engine's options"
                    )
                logger.info("vLLM starts again, for adapters of rank %d", rank)
                self.close()
            self._ready_rank = max(rank, self._ready_rank)
            if self._server is None:
                self._start()
            for adapter in adapters:
                self._loaded(adapter)
            assert self._client is not None
            return self._client

    def _loaded(self, adapter: Adapter) -> Adapter:
        """The adapter under the name that the server knows it by, loaded into it first where it is new."""
        with self._lock:
            if (known := self._served.get(adapter.digest)) is not None:
                return known
            if (rank := rank_of(adapter)) > self._ready_rank:
                raise EngineError(
                    f"vllm: the adapter {adapter.name} has rank {rank}, the server was started for "
                    f"{self._ready_rank or 'none'}: set `max_rank: {rank}` in the engine's options"
                )
            if trained_stop(adapter) is not None:
                refuse_endless(adapter, self._ends(), self._model.name if self._model else "the model")
            refuse_other_base(adapter, self._model)
            served = replace(adapter, name=f"{adapter.name}@{adapter.digest[:12]}")
            self._load(served)
            self._served[adapter.digest] = served
            return served

    def _load(self, adapter: Adapter) -> None:
        told = {"lora_name": adapter.name, "lora_path": str(Path(adapter.path).absolute())}
        status, text = self._post("/v1/load_lora_adapter", told, f"load the adapter {adapter.name}")
        if status != http.client.OK:
            raise EngineError(f"vLLM refuses the adapter {adapter.name} ({adapter.path}): {text[:500]}")
        self._refuse_the_bases_answers(adapter)

    def _refuse_the_bases_answers(self, adapter: Adapter) -> None:
        """Raise an `EngineError` where a probe is answered under the adapter's name as the base answers it."""
        assert self._model is not None
        said = []
        for name in (self._model.name, adapter.name):
            body = {"model": name, "messages": [{"role": "user", "content": PROBE}], "temperature": 0, "logprobs": True}
            status, text = self._post(
                "/v1/chat/completions", {**body, "max_tokens": PROBED_TOKENS}, f"answer as {name}"
            )
            if status != http.client.OK:
                return  # what is wrong with such requests is told with the first that was asked for
            [choice] = json.loads(text)["choices"]
            said.append((choice["message"], choice.get("logprobs")))
        if said[0] == said[1]:
            raise EngineError(
                f"vLLM answers as the base model under the name of the adapter {adapter.name} ({adapter.path}): to a "
                "probe both gave the same text with the same probabilities. Either vLLM does not know the adapter's "
                "modules, or the adapter changes nothing. Use the transformers engine for it, or merge it into its "
                "base (`kedro export adapter ... --merged`)."
            )

    def _post(self, path: str, told: Mapping[str, Any], what: str) -> tuple[int, str]:
        """Ask the server itself; returns status and text."""
        assert self._server is not None
        connection = http.client.HTTPConnection(LOOPBACK, self._server.port, timeout=self._start_timeout_s)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        try:
            connection.request("POST", path, json.dumps(told), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"vLLM did not {what}: {error}; {self._server.reason()}") from error
        finally:
            connection.close()

    def _start(self) -> None:
        if self._model is None:
            raise EngineError("The vllm engine has no model. Name one in its options, or give it one.")
        python = _interpreter(self._python)
        self._model = pinned(self._model)
        if self._port is not None:
            refuse_taken_port(self._port, "vllm")
        port = self._port or free_port()
        self._key = secrets.token_urlsafe(24)
        name = f"vLLM serving {self._model.name}"
        environment = environment_without(
            ("PYTHONPATH", "PYTHONHOME"),
            {
                "VLLM_API_KEY": self._key,
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
                "VLLM_NO_USAGE_STATS": "1",
                "DO_NOT_TRACK": "1",
                "VLLM_CPU_KVCACHE_SPACE": f"{max(1, round(self._cache_gib))}",
                **({"HF_HUB_OFFLINE": "1"} if self._model.path else {}),
            },
        )
        logger.info("starting %s (%s)", name, python)
        server = LocalServer(name, [python, "-m", MODULE, *self.flags(port)], environment, port, self._log, self._died)
        try:
            server.wait_until_ready(self._start_timeout_s)
        except EngineError as error:
            raise EngineError(f"{error}{_hint(str(error), python)}") from error
        except BaseException:
            server.stop()
            raise
        self._server = server
        self._client = self._openai(self._model.name, f"http://{LOOPBACK}:{port}/v1")

    def _openai(self, model: str, url: str) -> OpenAI:
        return OpenAI(
            model,
            base_url=url,
            **{
                "credentials": {"api_key": self._key},
                "endpoint": "vllm",
                "concurrency": self._rows,
                "timeout_s": 3600.0,
                "logprobs": True,
                "continuation": "native",
                "trust_env": False,
                "give_up_after": 0,  # a context that is too short for what was allowed is asked again with less
                **current_options(OpenAI, self._client_options),
            },
        )

    def flags(self, port: int) -> list[str]:
        """The server's arguments."""
        assert self._model is not None
        tensor, data = self._parallel
        flags = [
            *("--model", str(self._model.path or self._model.name), "--served-model-name", self._model.name),
            *("--host", LOOPBACK, "--port", str(port), "--dtype", self._dtype, "--load-format", "safetensors"),
            *("--max-num-seqs", str(self._rows), "--enable-prefix-caching", "--generation-config", "vllm"),
            *("--tensor-parallel-size", str(tensor), "--data-parallel-size", str(data)),
            "--disable-uvicorn-access-log",
        ]
        if self._model.revision is not None and self._model.path is None:
            flags += ["--revision", self._model.revision]
        context = self._context or (None if self._on_gpu else self._own_context())
        if context is not None:
            flags += ["--max-model-len", str(context)]
        if self._on_gpu:
            flags += ["--gpu-memory-utilization", str(self._gpu_memory)]
        else:
            batch = max(CPU_BATCH, context or 0)
            flags += ["--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", str(batch)]
        if self._ready_rank:
            rank = served_rank(self._ready_rank, "the adapters' rank")
            flags += ["--enable-lora", "--max-lora-rank", str(rank), "--max-loras", str(self._max_adapters + 1)]
        return flags + self._arguments

    def _own_context(self) -> int | None:
        """What the model's configuration states; on a CPU the prefill of such a prompt is not split."""
        assert self._model is not None
        if self._model.path is None:
            return None
        try:
            config = json.loads((self._model.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EngineError(
                f"vllm: {self._model.path} is no model directory ({error}). Give a directory with config.json, "
                "safetensors and a tokenizer, or a hub id."
            ) from error
        length = config.get("max_position_embeddings")
        return int(length) if length else None

    def _died(self, reason: str) -> None:
        logger.error("%s", reason)
        if (client := self._client) is not None:
            client.give_up(f"{reason}. What was answered is kept; run again to go on from there")


def _argument(arguments: Sequence[str], name: str) -> str | None:
    """The value of an argument of the server, as `--name value` or `--name=value`; None where it is not there."""
    for place, one in enumerate(arguments):
        if one == name and place + 1 < len(arguments):
            return arguments[place + 1]
        if one.startswith(f"{name}="):
            return one.partition("=")[2]
    return None


def _identified(argument: str) -> str:
    """An argument of the server; one that names a file (a chat template) by the file's digest."""
    name, given, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    path = Path(value).expanduser()
    return f"{name}{given}{digest_of_file(path)}" if value and path.is_file() else argument


def served_rank(rank: int, what: str) -> int:
    """The smallest rank that vLLM can be started for and that holds this one.

    Raises:
        EngineError: when there is none.
    """
    for served in RANKS:
        if served >= rank:
            return served
    raise EngineError(
        f"vllm: {what} is {rank}; vLLM serves adapters up to rank {RANKS[-1]}. Train a smaller one (finetune.<format>."
        "rank), or merge it into its base"
    )


def rank_of(adapter: Adapter) -> int:
    """The largest rank in an adapter's files, in vLLM's steps.

    Raises:
        EngineError: when it is no LoRA adapter that vLLM can serve.
    """
    path = Path(adapter.path) / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"The adapter {adapter.name} cannot be read: {path}: {error}. Train it again.") from error
    beyond = [name for name in ("use_dora", "modules_to_save") if config.get(name)]
    if config.get("bias", "none") != "none":
        beyond.append("bias")
    if beyond:
        raise EngineError(
            f"vLLM serves plain LoRA; the adapter {adapter.name} has {', '.join(beyond)} ({path}). Use the "
            "transformers engine for it."
        )
    ranks = [config.get("r") or 0, *(config.get("rank_pattern") or {}).values()]
    return served_rank(max(int(rank) for rank in ranks), f"the rank of the adapter {adapter.name}")


def _interpreter(python: str | None) -> str:
    named = python or os.environ.get(PYTHON)
    if named is None:
        from importlib.util import find_spec

        if find_spec("vllm") is None:
            raise EngineError(
                "vLLM is not installed here. On a machine with a GPU: pip install 'medo1[vllm]'. Where it lives in an "
                f"environment of its own, name that one's interpreter in the engine's option `python`, or in {PYTHON}."
            )
        return sys.executable
    found = shutil.which(named)
    if found is None:
        where = "the engine's option `python`" if python else PYTHON
        raise EngineError(f"There is no interpreter {named!r}, which {where} names as the one that has vLLM.")
    return found


def _has_gpu() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/kfd").exists()


HINTS = (
    ("No module named '?vllm", "vLLM is not installed for {python}: pip install 'medo1[vllm]' there"),
    ("out of memory|No available memory|KV cache", "lower `context`, or change `gpu_memory` (CPU: `cache_gib`)"),
    ("max_position_embeddings|max_model_len", "lower `context`"),
    ("Address already in use", "name another `port`, or none to take a free one"),
    ("not a valid model identifier|Repository Not Found|does not appear to have", "correct the model's name"),
)


def _hint(text: str, python: str) -> str:
    for pattern, advice in HINTS:
        if re.search(pattern, text, re.IGNORECASE):
            return f". {advice.format(python=python)}"
    return ""
