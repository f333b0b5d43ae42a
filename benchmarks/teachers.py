"""How close the `openai` engine with its completion store comes to what a server allows, and beside curator.

    python benchmarks/teachers.py [--quick] [--curator PYTHON]

A server on loopback answers after 200 ms; 200 requests are in flight; ideal is 1,000 answers a second. Measured, each
several times, medians with the least and the greatest:

- the rate with the store on, and with a tenth of the answers 429 (without `Retry-After`), as a share of the ideal;
- resuming a finished run of 10,000 requests: seconds, and requests sent (must be 0);
- 100,000 requests: peak memory against that of 10,000 (a server without latency);
- kill -9 at 200 random moments: no committed answer is paid again;
- curator (bespokelabs-curator) on the same server, alternating with medo1, in its own environment:
  `--curator` or MEDO1_CURATOR_PYTHON names its interpreter, because its pins do not fit medo1's. Without it the
  ratio is null.

A bare client (one connection a worker, nothing parsed or kept) runs too: the share of the ideal that this machine lets
any client have. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"

from tests.engines.http.server import ServerProcess  # noqa: E402

from medo1.engines import Message, Request, Sampling  # noqa: E402
from medo1.engines.http.openai import OpenAI  # noqa: E402
from medo1.engines.wrappers.store import CompletionStore  # noqa: E402
from medo1.engines.wrappers.stored import Stored  # noqa: E402

LATENCY_S = 0.2
CONCURRENCY = 200
COUNT = 2000
IDEAL = CONCURRENCY / LATENCY_S
CASE = "A 63-year-old patient presents with fever, a rash and joint pain after a walk in the woods. " * 4
REPORT: list[tuple[str, str]] = []

BARE = """
import asyncio, json, sys, time
port, count, workers = map(int, sys.argv[1:4])
async def main():
    left = list(range(count))
    async def work():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left:
            turn = {"role": "user", "content": "bare %d" % left.pop()}
            body = json.dumps({"model": "m", "messages": [turn]}).encode()
            writer.write(b"POST /v1/chat/completions HTTP/1.1\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body)
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\\r")[0]))
        writer.close()
    started = time.perf_counter()
    tasks = []
    for _ in range(workers):
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    print(time.perf_counter() - started)
asyncio.run(main())
"""

CURATOR = """
import json, logging, os, sys, tempfile, time
url, count, workers, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ.update(CURATOR_CACHE_DIR=tempfile.mkdtemp(), CURATOR_DISABLE_CACHE="1", TELEMETRY_ENABLED="0",
                  OPENAI_API_KEY="none", HF_HUB_OFFLINE="1", CURATOR_DISABLE_RICH_DISPLAY="1")
import tiktoken
class Words:  # its tokenizer would be fetched from the network; this stand-in costs curator less time than the real one
    def encode(self, text, **_): return text.split()
tiktoken.get_encoding = tiktoken.encoding_for_model = lambda *_: Words()
from bespokelabs import curator
class Ask(curator.LLM):
    def prompt(self, row): return row["text"]
    def parse(self, row, response): return {"text": row["text"], "answer": response}
ask = Ask(model_name="gpt-4o-mini", backend="openai", backend_params={
    "base_url": url, "max_concurrent_requests": workers, "max_requests_per_minute": 10_000_000,
    "max_tokens_per_minute": 10_000_000_000, "require_all_responses": True, "max_retries": 20,
    "seconds_to_pause_on_rate_limit": 1})
rows = [{"text": f"{name} {place} " + "A patient presents with fever. " * 8} for place in range(count)]
started = time.perf_counter()
answers = ask(rows)
seconds = time.perf_counter() - started
got = len(answers.dataset if hasattr(answers, "dataset") else answers)
assert got == count, got
print("SECONDS", seconds)
"""


def requests(label: str, count: int) -> Iterator[Request]:
    for place in range(count):
        yield Request(str(place), (Message("user", f"{label} {place}. {CASE}"),), Sampling(max_new_tokens=200))


def engine(url: str, store: Path | None, **options: Any) -> Any:
    made = OpenAI("teacher", base_url=url, endpoint="server", concurrency=CONCURRENCY, **options)
    return made if store is None else Stored(made, CompletionStore(store))


def rate(server: ServerProcess, label: str, store: Path | None, count: int = COUNT) -> float:
    """Answers a second of one run, from the call to the last answer; the interpreter is warm, connections are not."""
    with engine(server.url, store) as asked:
        asked_for = list(requests(label, count))
        list(asked.complete(requests(f"{label} warm", 1)))
        started = time.perf_counter()
        answers = list(asked.complete(asked_for))
        seconds = time.perf_counter() - started
    assert len(answers) == count
    assert all(answer.finish_reason == "stop" for answer in answers)
    return count / seconds


def spread(values: list[float], digits: int = 0, unit: str = "") -> str:
    return f"{statistics.median(values):,.{digits}f}{unit} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def tell(what: str, figure: str) -> None:
    REPORT.append((what, figure))
    print(f"{what:<58} {figure}", flush=True)


def bare(server: ServerProcess) -> float:
    told = subprocess.run(
        [sys.executable, "-c", BARE, str(server.port), str(COUNT), str(CONCURRENCY)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return COUNT / float(told.stdout)


def curator_rate(python: str, server: ServerProcess, name: str, limit_s: float) -> float | None:
    """Curator's answers a second, None when it did not finish within `limit_s` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"HOME": folder}
        try:
            told = subprocess.run(
                [python, "-c", CURATOR, server.url, str(COUNT), str(CONCURRENCY), name],
                capture_output=True, text=True, check=False, env=environment, timeout=limit_s, cwd=folder,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    if told.returncode:
        raise SystemExit(f"curator failed:\n{told.stdout[-2000:]}\n{told.stderr[-3000:]}")
    return COUNT / float(told.stdout.rsplit("SECONDS", 1)[1])


def rates(folder: Path, python: str | None, times: int) -> dict[str, Any]:
    """Alternating, so that a busy machine is busy for all."""
    plain: dict[str, list[float]] = {"bare": [], "engine": [], "stored": []}
    busy: list[float] = []
    curator: list[float] = []
    curator_busy: float | None = None
    with ServerProcess(latency_s=LATENCY_S) as server:
        for turn in range(times):
            plain["bare"].append(bare(server))
            plain["engine"].append(rate(server, f"engine {turn}", None))
            plain["stored"].append(rate(server, f"stored {turn}", folder / f"rate{turn}.sqlite"))
            if python is not None and turn < max(3, times // 2):
                measured = curator_rate(python, server, f"curator {turn}", 300)
                assert measured is not None, "curator did not finish 2,000 requests in 300 s"
                curator.append(measured)
    with ServerProcess(latency_s=LATENCY_S, share_429=0.1) as server:
        busy += [rate(server, f"busy {turn}", folder / f"busy{turn}.sqlite") for turn in range(times)]
        if python is not None:
            curator_busy = curator_rate(python, server, "curator busy", 120)
    tell("ideal (200 concurrent, 200 ms)", f"{IDEAL:,.0f}/s")
    tell("bare client, nothing kept", spread(plain["bare"], unit="/s"))
    tell("medo1, no store", spread(plain["engine"], unit="/s"))
    tell("medo1, store on", spread(plain["stored"], unit="/s"))
    tell("medo1, store on, 10 % 429", spread(busy, unit="/s"))
    if python is None:
        tell("curator", "not installed: name its interpreter with --curator")
    else:
        tell("curator", spread(curator, unit="/s"))
        late = "not finished in 120 s"
        tell("curator, 10 % 429 (once)", late if curator_busy is None else f"{curator_busy:,.0f}/s")
    ratios = [ours / theirs for ours, theirs in zip(plain["stored"], curator, strict=False)]
    if ratios:
        tell("medo1 against curator", spread(ratios, digits=2, unit=" times"))
    return {
        "rate_of_ideal": round(statistics.median(plain["stored"]) / IDEAL, 3),
        "rate_of_ideal_spread": [round(min(plain["stored"]) / IDEAL, 3), round(max(plain["stored"]) / IDEAL, 3)],
        "rate_of_ideal_429": round(statistics.median(busy) / IDEAL, 3),
        "rate_of_ideal_429_spread": [round(min(busy) / IDEAL, 3), round(max(busy) / IDEAL, 3)],
        "rate_of_bare_client": round(statistics.median(plain["stored"]) / statistics.median(plain["bare"]), 3),
        "vs_curator": round(statistics.median(ratios), 2) if ratios else None,
        "vs_curator_spread": [round(min(ratios), 2), round(max(ratios), 2)] if ratios else None,
        "curator_429_per_s": None if curator_busy is None else round(curator_busy),
    }


def resume(folder: Path, times: int) -> dict[str, Any]:
    """A finished run of 10,000, asked again: opening the store, addressing, reading; engine never started."""
    count, path = 10_000, folder / "resume.sqlite"
    with ServerProcess() as server:
        with engine(server.url, path) as asked:
            list(asked.complete(requests("resume", count)))
        before = server.totals()["requests"]
        seconds = []
        for _ in range(times):
            started = time.perf_counter()
            with engine(server.url, path) as asked:
                answers = list(asked.complete(requests("resume", count)))
            seconds.append(time.perf_counter() - started)
            assert len(answers) == count
            assert all(answer.cached for answer in answers)
        sent = server.totals()["requests"] - before
    tell("resuming 10,000 finished requests", spread(seconds, digits=2, unit=" s") + f", {sent} sent")
    return {"resume_s": round(statistics.median(seconds), 2), "resume_requests": sent}


MEMORY = """
import json, resource, sys
sys.path[:0] = json.loads(sys.argv[1])
from benchmarks.teachers import engine, requests
from pathlib import Path
with engine(sys.argv[2], Path(sys.argv[3])) as asked:
    done = sum(1 for _ in asked.complete(requests("memory", int(sys.argv[4]))))
print(done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(folder: Path) -> dict[str, Any]:
    """Peak resident memory of a process that asks 10,000 and one that asks 100,000, all new."""
    peaks = {}
    with ServerProcess() as server:
        for count in (10_000, 100_000):
            started = time.perf_counter()
            told = subprocess.run(
                [sys.executable, "-c", MEMORY, json.dumps([str(ROOT / "src"), str(ROOT)]), server.url,
                 str(folder / f"memory{count}.sqlite"), str(count)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            done, peak = told.stdout.split()
            assert int(done) == count
            peaks[count] = float(peak)
            seconds = time.perf_counter() - started
            tell(
                f"{count:,} requests, server without latency", f"{float(peak):,.0f} MiB peak, {count / seconds:,.0f}/s"
            )
    return {"memory_mib_10k": round(peaks[10_000]), "memory_mib_100k": round(peaks[100_000])}


def kills(folder: Path, times: int) -> dict[str, Any]:
    from tests.engines.wrappers.test_stored import killed_at_random

    with ServerProcess(latency_s=0.01) as server:
        killed_at_random(
            server.url, folder / "kills.sqlite", server.stats,
            kills=times, count=times * 40, concurrency=4, chance=random.Random(11),
        )  # fmt: skip
        told = server.totals()
    tell(f"kill -9 at {times} random moments, {times * 40:,} requests", f"{told['answers']:,} answers sent, none twice "
         "but those in flight")  # fmt: skip
    return {"kills": times, "answers_beyond_one_each": told["answers"] - times * 40}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, 30 kills")
    parser.add_argument("--curator", default=os.environ.get("MEDO1_CURATOR_PYTHON"), help="curator's interpreter")
    arguments = parser.parse_args()
    times = 3 if arguments.quick else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = rates(folder, arguments.curator, times)
        figures |= resume(folder, times)
        figures |= memory(folder)
        figures |= kills(folder, 30 if arguments.quick else 200)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
