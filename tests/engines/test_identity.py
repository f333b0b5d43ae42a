"""Two engines that could answer differently have different identities, so one model's answer is never another's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medo1.clinic.expert import Expert
from medo1.engines import VLLM, Engine, EngineError, Message, Model, OpenAI, RayData, Request, Transformers
from medo1.engines.base import Around
from medo1.engines.identity import model_identity, named_model
from medo1.engines.wrappers.money import Budget, Budgeted, Price
from medo1.engines.wrappers.store import CompletionStore, engine_address
from medo1.engines.wrappers.stored import Stored

PRICE = Price(prompt_usd_per_million=1, completion_usd_per_million=1)
COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40
HUB = "someone/some-model"


@pytest.fixture
def directories(tmp_path: Path) -> tuple[Path, Path]:
    """Two model directories that differ in one byte."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_text(name)
    return tmp_path / "one", tmp_path / "other"


# An engine with its options, and for each option that can change an answer another value of it.
CASES: dict[type[Engine], tuple[dict[str, Any], dict[str, Any]]] = {
    OpenAI: (
        {"model": "teacher"},
        {
            "model": "other",
            "base_url": "http://127.0.0.1:9/v1",
            "endpoint": "fleet",
            "revision": "r2",
            "n_per_request": 4,
            "reasoning": True,
            "reasoning_effort": "low",
            "logprobs": True,
            "send_seed": False,
            "continuation": "native",
            "extra_body": {"top_k": 5},
        },
    ),
    VLLM: (
        {"model": HUB, "revision": COMMIT},
        {
            "model": "someone/other-model",
            "revision": OTHER_COMMIT,
            "context": 512,
            "dtype": "bfloat16",
            "arguments": ["--kv-cache-dtype", "fp8"],
            "client": {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
        },
    ),
    Transformers: (
        {"model": HUB, "revision": COMMIT},
        {"model": "someone/other-model", "revision": OTHER_COMMIT, "dtype": "bfloat16"},
    ),
    RayData: (
        {"engine": "medo1.engines.OpenAI", "options": {"model": "teacher"}},
        {
            "engine": "medo1.engines.VLLM",
            "options": {"model": "teacher", "extra_body": {"top_k": 5}},
        },
    ),
    Expert: (
        {},
        {"world": {"seed": 3}, "error_rate": 0.5, "wrong_steps": 2, "seed": 9, "requests": {"cot": "Think about it."}},
    ),
}
WRAPPERS: list[Callable[[Engine, Path], Around]] = [
    lambda engine, folder: Stored(engine, CompletionStore(folder / "c.sqlite")),
    lambda engine, _: Budgeted(engine, dict.fromkeys(["teacher", "teacher-2"], PRICE), Budget(1)),
    lambda engine, _: Around(engine),
]


def engines(kind: type[Engine] = Engine) -> list[type[Engine]]:
    """All engines of medo1 itself that answer, wherever they are defined."""
    found = [below for one in kind.__subclasses__() for below in [one, *engines(one)]]
    return [one for one in found if one.__module__.startswith("medo1.") and not issubclass(one, Around)]


@pytest.mark.parametrize("kind", engines(), ids=lambda kind: kind.__name__)
def test_every_option_says_whether_answers_depend_on_it(kind: type[Engine]) -> None:
    options = set(inspect.signature(kind.__init__).parameters) - {"self"}
    assert not kind.answer_options & kind.other_options
    assert options == kind.answer_options | kind.other_options
    assert set(CASES[kind][1]) == kind.answer_options


@pytest.mark.parametrize(("kind", "option"), [(kind, name) for kind, (_, values) in CASES.items() for name in values])
def test_an_option_that_can_change_an_answer_gives_another_address(kind: type[Engine], option: str) -> None:
    options, others = CASES[kind]
    varied = {**options, option: others[option]}
    if (kind, option) == (RayData, "engine"):
        varied["options"] = {}
    one, other = kind(**options), kind(**varied)
    assert engine_address(one.identity) == engine_address(kind(**options).identity)
    assert engine_address(one.identity) != engine_address(other.identity)


@pytest.mark.parametrize(
    "client",
    [{"reasoning": True}, {"reasoning_effort": "low"}, {"logprobs": False}, {"send_seed": False}, {"n_per_request": 2},
     {"continuation": "ask"}, {"extra_body": {"top_k": 3}}, {"extra_body": {"guided_choice": ["A"]}},
     {"revision": "x"}],
    ids=str,
)  # fmt: skip
def test_what_vllm_is_asked_with_is_part_of_its_identity(client: dict[str, Any]) -> None:
    plain, other = (VLLM(model=HUB, revision=COMMIT, client=one).identity for one in ({}, client))
    assert engine_address(plain) != engine_address(other)


@pytest.mark.parametrize("kind", [VLLM, Transformers])
@pytest.mark.parametrize("given", ["option", "model"])
@pytest.mark.parametrize("revision", [None, "main"])
def test_a_directory_is_known_by_its_files(
    kind: Any, given: str, revision: str | None, directories: tuple[Path, Path], tmp_path: Path
) -> None:
    def identity(path: Path) -> dict[str, Any]:
        if given == "option":
            return kind(model=str(path)).identity  # type: ignore[no-any-return]
        return kind().with_model(Model("student", path, revision)).identity  # type: ignore[no-any-return]

    one, other = map(identity, directories)
    assert one != other
    directories[0].rename(tmp_path / "elsewhere")
    assert identity(tmp_path / "elsewhere") == one
    (tmp_path / "elsewhere" / "generation_config.json").write_text("{}")
    assert identity(tmp_path / "elsewhere") != one


@pytest.mark.parametrize("kind", [VLLM, Transformers])
def test_what_cannot_be_identified_is_refused(
    kind: Any, tmp_path: Path, directories: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="holds no files"):
        _ = kind(model=str(tmp_path / "empty")).identity
    with pytest.raises(EngineError, match="cannot be identified"):
        _ = kind().with_model(Model("gone", tmp_path / "gone")).identity
    with pytest.raises(EngineError, match="no model directory"):
        kind(model=str(tmp_path / "gone"))
    with pytest.raises(EngineError, match="leave `revision` out"):
        kind(model=str(directories[0]), revision="main")
    with pytest.raises(EngineError, match="no `model` is named"):
        kind(revision=COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", _no_network)
    with pytest.raises(EngineError, match=r"commit is not known \(no network\)"):
        _ = kind(model=HUB).identity


def _no_network(*_: Any, **__: Any) -> None:
    raise ConnectionError("no network")


def test_a_hub_id_goes_by_the_commit_that_the_cache_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = tmp_path / "models--someone--some-model" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", _no_network)
    assert model_identity(named_model(HUB)) == {"model": HUB, "revision": COMMIT}


def test_a_large_directory_is_hashed_once(directories: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for file in directories[0].iterdir():
        os.utime(file, (1e9, 1e9))
    monkeypatch.setattr("medo1.lineage.known_digests.GRAIN_NS", -(10**18))  # files of this moment are old enough
    first = Transformers(model=str(directories[0])).identity
    monkeypatch.setattr("medo1.lineage.known_digests.content_of_file", _no_network)
    assert Transformers(model=str(directories[0])).identity == first


def test_a_file_among_vllms_arguments_goes_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "chat.jinja"
    identities = []
    for text in ("{{ one }}", "{{ other }}"):
        file.write_text(text)
        for arguments in (["--chat-template", str(file)], [f"--chat-template={file}"]):
            identities += [VLLM(model=HUB, revision=COMMIT, arguments=arguments).identity]
    assert len({engine_address(identity) for identity in identities}) == 4
    assert str(tmp_path) not in str(identities)


@pytest.mark.parametrize("outer", WRAPPERS)
@pytest.mark.parametrize("inner", WRAPPERS)
def test_a_wrapper_of_a_wrapper_hands_everything_on(outer: Any, inner: Any, tmp_path: Path) -> None:
    class Reader(Engine):
        streams = True
        price_factor = 0.25
        closed = 0

        def __init__(self, model: str = "teacher") -> None:
            self.model = model

        @property
        def identity(self) -> dict[str, Any]:
            return {"kind": "reader", "model": self.model}

        def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
            return {"continued": continued}

        def batches(self, requests: Any, stop: Any = None) -> Any:
            from medo1.engines import Completion

            yield [Completion(request.key, f"by {self.model}", "stop", 1, 1) for request in requests]

        def stream(self, request: Request, told: Any) -> Any:
            told(f"by {self.model}")
            return next(self.complete([request]))

        def with_model(self, model: Model) -> Reader:
            return self if model.name == self.model else Reader(model.name)

        def close(self) -> None:
            Reader.closed += 1

    wrapped = outer(inner(Reader(), tmp_path), tmp_path)
    assert wrapped.with_model(Model("teacher")) is wrapped
    other = wrapped.with_model(Model("teacher-2"))
    assert type(other) is type(wrapped)
    assert type(other.engine) is type(wrapped.engine)
    assert (wrapped.identity["model"], other.identity["model"]) == ("teacher", "teacher-2")
    assert other.price_factor == 0.25
    assert other.earlier_identity(continued=True) == {"continued": True}
    request = Request("k", (Message("user", "who?"),))
    assert [one.text for one in other.complete([request])] == ["by teacher-2"]
    told: list[str] = []
    assert other.stream(request, told.append).text == "by teacher-2"
    assert told == ["by teacher-2"]
    other.close()
    assert Reader.closed == 1


def test_secrets_stay_out_of_identities() -> None:
    marked = "tok-marked-0123456789"
    with_secret = OpenAI(
        "teacher",
        base_url=f"https://user:{marked}@host/v1?api-version=2&subscription-key={marked}&code={marked}",
        extra_body={"user_token": marked, "metadata": {"names": [marked]}, "top_k": 5},
    )
    assert marked not in str(with_secret.identity)
    assert with_secret.identity["extra_body"]["top_k"] == 5
    other = OpenAI("teacher", base_url="https://host/v1?api-version=3", extra_body=dict(with_secret._extras.body))
    assert with_secret.identity != other.identity
    assert (
        OpenAI("t", base_url="https://h/v1?key=one1").identity == OpenAI("t", base_url="https://h/v1?key=two2").identity
    )
