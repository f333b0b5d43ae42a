"""Requests go out as the environment says: through its proxies, with its certificates, to where a server has moved."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from medo1.engines import EngineError, OpenAI
from tests.engines.conftest import KEY, ask, engine_for
from tests.engines.http.server import Server

FAR = "http://far.away.invalid/v1"


def test_requests_go_through_the_proxy_that_the_environment_names(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://someone:secret-word@127.0.0.1:{server.port}")
    monkeypatch.setenv("http_proxy", f"http://someone:secret-word@127.0.0.1:{server.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with OpenAI("teacher", base_url=FAR) as engine:
        (answer,) = engine.complete([ask("Well?")])
    assert answer.finish_reason == "stop", answer.error
    assert server.service.headers[-1]["host"] == "far.away.invalid"
    assert server.service.headers[-1]["proxy-authorization"].startswith("Basic ")
    monkeypatch.setenv("NO_PROXY", "far.away.invalid")
    monkeypatch.setenv("no_proxy", "far.away.invalid")
    with (
        OpenAI("teacher", base_url=FAR, connect_patience_s=0) as engine,
        pytest.raises(EngineError, match="nothing answers"),
    ):
        list(engine.complete([ask("Well?")]))


def test_a_local_server_can_be_asked_past_the_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with engine_for(server, trust_env=False) as engine:
        (answer,) = engine.complete([ask("Well?")])
        assert answer.finish_reason == "stop"
        assert engine.stream(ask("And streamed?"), lambda _: None).finish_reason == "stop"


def test_a_proxy_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    with OpenAI("t", base_url=FAR) as engine, pytest.raises(EngineError, match="socks"):
        list(engine.complete([ask("Well?")]))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_followed_as_what_it_was_and_remembered(server: Server, status: int) -> None:
    url = f"http://127.0.0.1:{server.port}/moved-{status}/v1"
    with OpenAI("teacher", base_url=url, credentials={"api_key": KEY}, concurrency=1) as engine:
        answers = list(engine.complete([ask("one"), ask("two"), ask("three")]))
    assert all(answer.finish_reason == "stop" for answer in answers)
    assert server.service.statuses[status] == 1
    assert {headers["authorization"] for headers in server.service.headers} == {f"Bearer {KEY}"}


def test_a_key_is_not_carried_to_another_host(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/elsewhere/v1"
    with OpenAI("t", base_url=url) as engine, pytest.raises(EngineError, match=r"127\.0\.0\.2"):
        list(engine.complete([ask("Well?")]))


def test_a_query_goes_with_every_request(server: Server) -> None:
    with OpenAI("t", base_url=f"{server.url}?api-version=2024-10-21") as engine:
        list(engine.complete([ask("Well?")]))
    assert server.service.paths == {"/v1/chat/completions?api-version=2024-10-21": 1}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate_raw"])
def test_a_compressed_answer_is_read(server: Server, encoding: str) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask(f"[faults: {encoding}]")])
    assert (answer.finish_reason, answer.attempts) == ("stop", 1)


@pytest.mark.parametrize("encoding", ["gzip_cut", "gzip_never", "br", "zstd"])
def test_an_answer_that_cannot_be_decoded_is_that_requests_error(server: Server, encoding: str) -> None:
    with engine_for(server, max_attempts=2) as engine:
        answers = {a.key: a for a in engine.complete([ask(f"[faults: {encoding}, {encoding}]", "bad"), ask("good")])}
    assert answers["good"].finish_reason == "stop"
    assert answers["bad"].finish_reason == "error"
    assert encoding.split("_", maxsplit=1)[0] in str(answers["bad"].error)
    assert answers["bad"].unread == 2


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program to make a certificate with")
def test_certificates_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = [
        *[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        *names,
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with Server(tls=context) as server:
        url = f"https://localhost:{server.port}/v1"
        with OpenAI("t", base_url=url, connect_patience_s=0) as engine, pytest.raises(EngineError, match="certificate"):
            list(engine.complete([ask("Well?")]))
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(tmp_path / "cert.pem"))
            with OpenAI("t", base_url=url) as engine:
                (answer,) = engine.complete([ask(f"Well? {name}")])
            assert answer.finish_reason == "stop", answer.error
            monkeypatch.delenv(name)


def test_no_thread_is_left_behind(server: Server) -> None:
    before = threading.active_count()
    for turn in range(3):
        with engine_for(server) as engine:
            list(engine.complete([ask(f"{turn}")]))
    assert threading.active_count() <= before + 1
