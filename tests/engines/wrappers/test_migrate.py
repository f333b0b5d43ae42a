"""Answers that an earlier medo1 kept: found where nothing distinguishes them, moved where somebody says what they are.

`earlier_store.sql` was written by the code of November 2026, before engines were identified by the files of their model
and by all of their options.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from medo1.commands.completions import completions
from medo1.engines import Message, OpenAI, Request, Sampling, Transformers
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.engines.http.server import Server

SECRET = "tok-marked-0123456789"
CHOICE = {"guided_choice": ["A", "B"], "user_token": SECRET}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    path = tmp_path / "completions.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "earlier_store.sql").read_text())
    connection.close()
    return path


def asked(*, continued: bool = False) -> list[Request]:
    def request(text: str, **sampling: Any) -> Request:
        return Request(text, (Message("user", text),), Sampling(**sampling), seed=7)

    if continued:
        messages = (Message("user", "first question"), Message("assistant", "It may be"))
        return [Request("continued", messages, seed=7)]
    return [request("first question"), request("second question", max_new_tokens=50)]


def sent(server: Server, path: Path, requests: list[Request], **options: Any) -> int:
    """How many requests had to be sent."""
    before = sum(server.service.received.values())
    with Stored(OpenAI("teacher", base_url=server.url, endpoint="server", **options), CompletionStore(path)) as engine:
        answers = list(engine.complete(requests))
    assert all(answer.finish_reason == "stop" for answer in answers)
    return sum(server.service.received.values()) - before


@pytest.mark.parametrize(
    "options",
    [{}, {"continuation": "native"}, {"extra_body": {"top_k": 5}}, {"extra_body": CHOICE}, {"logprobs": True}],
    ids=str,
)
def test_what_nothing_distinguishes_is_found(server: Server, earlier: Path, options: dict[str, Any]) -> None:
    assert sent(server, earlier, asked(), **options) == 0


@pytest.mark.parametrize(
    "options", [{"reasoning": True}, {"n_per_request": 2}, {"extra_body": {"top_k": 6}}, {"revision": "r"}], ids=str
)
def test_what_may_have_answered_otherwise_is_asked(server: Server, earlier: Path, options: dict[str, Any]) -> None:
    assert sent(server, earlier, asked(), **options) > 0


def test_a_continued_answer_is_moved_where_its_owner_says_how_it_was_continued(server: Server, earlier: Path) -> None:
    requests = asked(continued=True)
    kept = CompletionStore(earlier)
    (engine_id,) = [name for name, identity in kept.engines().items() if set(identity) == {"kind", "endpoint", "model"}]
    kept.close()
    told = migrate(earlier, "--engine", engine_id[:12], "--set", 'continuation="native"')
    assert "3 answers found as" in told
    assert sent(server, earlier, requests, continuation="native") == 0
    assert sent(server, earlier, requests, continuation="ask") == 1


def test_answers_of_a_directory_are_moved_where_their_owner_names_it(earlier: Path, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "config.json").write_text("{}")
    engine = Transformers(model=str(directory))
    request = asked()[0]
    told = migrate(earlier)
    (line,) = [line for line in told.splitlines() if "whose model is not known" in line]
    engine_id = line.split()[0]
    before = migrate(earlier, "--engine", engine_id, "--model", str(directory), "--dry-run")
    assert "1 answer would be found" in before
    migrate(earlier, "--engine", engine_id, "--model", str(directory))
    with Stored(engine, CompletionStore(earlier)) as stored:
        (answer,) = stored.complete([request])
        assert (answer.text, answer.cached) == ("from an unnamed directory", True)
        kept = stored.store.get(answer.request_id, "k")
        assert kept is not None
        assert kept.text == answer.text


def test_a_secret_that_stood_in_an_identity_is_gone_after_migrate(server: Server, earlier: Path) -> None:
    assert SECRET in "".join(map(str, CompletionStore(earlier).engines().values()))
    migrate(earlier)
    with sqlite3.connect(earlier) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
    assert SECRET.encode() not in earlier.read_bytes()
    assert sent(server, earlier, asked(), extra_body=CHOICE) == 0
    assert "nothing to do" in migrate(earlier, "--dry-run") or "whose model is not known" in migrate(earlier)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--model", "x/y"], "say whose answers"), (["--engine", "zz"], "beginning of 0 engines"),
     (["--engine", "05", "--set", "x"], "NAME=JSON"), (["--engine", "0c", "--model", "./none"], "no model directory")],
)  # fmt: skip
def test_what_migrate_cannot_do_it_says(earlier: Path, arguments: list[str], words: str) -> None:
    told = CliRunner().invoke(completions, ["--store", str(earlier), "migrate", *arguments])
    assert told.exit_code
    assert words in told.output


def migrate(path: Path, *arguments: str) -> str:
    told = CliRunner().invoke(completions, ["--store", str(path), "migrate", *arguments])
    assert told.exit_code == 0, told.output
    return told.output
