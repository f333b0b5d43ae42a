"""What answering costs: medo1's engines beside their peers, and what votes that stop by themselves save.

    python benchmarks/inference.py [--quick] [--lm-eval PYTHON] [--vllm PYTHON]

On the embedded world's student (made by `kedro run`, or here, in a folder of its own, where there is none), one thread:

- `vs_lm_eval`: generations a second of the `transformers` engine over those of lm-evaluation-harness's `hf` model, at
  the best of its batch sizes; same weights, prompts and limits, greedy, and the same texts came out. Alternating, in
  its own environment: `--lm-eval` or MEDO1_LM_EVAL_PYTHON names its interpreter.
- `vs_plain_client`: generations a second of the `vllm` engine with its completion store over those of the openai
  client on the same server, alternating, both with the log-probability of each token; `vs_plain_client_top20`: both
  with those of the 20 likeliest others too, which votes by confidence need. `--vllm` or MEDO1_VLLM_PYTHON names the
  interpreter that has vLLM.
- `prefill_share`: seconds that reading prompts takes for 32 samples of each question at once, over 32 calls of one
  sample each.
- `adaptive_token_share`, `adaptive_accuracy_gap`: tokens of votes that stop by themselves over those of 32 samples, and
  the accuracy of 32 samples less theirs, in points; the worst of the arms that are asked. `adaptive_agreement`: how
  often the vote that stopped is that of all samples. They are of the rule `fitted`, with the prior and the threshold
  that dev questions gave for an agreement of 98 %; `plain_...`: of the rule `dirichlet`, which needs no dev questions;
  `free_...`: of the rule that needs no prior. All are means over eight random orders of each question's samples.
- `vs_adaptive_consistency`: tokens of the cheapest of AdaptiveConsistency's six criteria over those of the cheapest of
  six thresholds of `fitted`, both among those whose accuracy is at most half a point below that of 32 samples, on the
  same samples; `vs_deepconf`: the same of DeepConf. `vs_their_beta`: tokens of the criterion that the library uses by
  default over those of the cheapest threshold that agrees with the vote of 32 samples as often. The worst of the arms.
- `selective_token_share`, `selective_accuracy_gap`: tokens of answering at once and thinking when unsure over those of
  thinking always, and the accuracy of thinking always less its own, in points. Score and threshold are chosen on dev
  questions, to lose less than 3 points with 95 % confidence, and the figures are of test questions.

A figure whose peer is not installed is null, with the reason under `reasons`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from medo1.engines import Adapter, Message, Model, Request, Sampling  # noqa: E402
from medo1.engines.local.transformers import Transformers  # noqa: E402
from medo1.lineage.digests import digest_of_tree, seed_from  # noqa: E402
from medo1.questions import Question, prompt_text  # noqa: E402

STUDENT, ASKED, LIMIT = "longmonolog", "longmonolog", 192
FIRST, FIRST_PROMPT = "vanilla", "vanilla"  # answers at once, as the base model does
BATCHES = (16, 64, 200)
ARMS = (("longmonolog_sft", "longmonolog", "longmonolog"), ("cot_sft", "cot", "cot"))
SAMPLES = 32
THRESHOLDS = (0.8, 0.9, 0.95, 0.98, 0.995, 0.999)  # of the rule `fitted`, as many as the library has criteria
LEAST = 2  # samples, as the library's criteria look from the second on
PROMISE = 0.98  # of agreement, for the rule that dev questions calibrate
ORDERS = 8
MARGIN = 0.005  # of accuracy: what counts as no worse

LM_EVAL = """
import json, sys, time, logging, os
os.environ["TQDM_DISABLE"] = "1"
logging.disable(logging.WARNING)
import torch
torch.set_num_threads(1)
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
told = json.loads(sys.stdin.readline())
model = HFLM(pretrained=told["model"], dtype="float32", device="cpu", batch_size=1, max_length=told["context"])
def run(batch, limit):
    model.batch_size_per_gpu = batch
    asked = [Instance("generate_until", {}, (text, {"until": [], "max_gen_toks": limit, "do_sample": False}), place)
             for place, text in enumerate(told["prompts"])]
    began = time.perf_counter()
    texts = model.generate_until(asked, disable_tqdm=True)
    return time.perf_counter() - began, texts
print("READY", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print("DONE " + json.dumps(run(asked["batch"], asked["limit"])), flush=True)
"""


def tell(what: str, figure: str) -> None:
    print(f"{what:<72} {figure}", flush=True)


def spread(values: Sequence[float], digits: int = 2, unit: str = "") -> str:
    return f"{statistics.median(values):,.{digits}f}{unit} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def middle(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)


# The embedded student


class World:
    """The embedded world's artifacts: the newest of this project, or of a run made for this benchmark.

    Attributes:
        base: the base model. adapters: format to adapter. prompts: arm's prompt by name. questions: the test questions.
    """

    def __init__(self, scratch: Path) -> None:
        home = ROOT
        if not all(self._newest(ROOT, f"06_models/{name}/adapter") for _, _, name in ARMS):
            home = self._made(scratch)
        path = self._path(home, "06_models/base_model")
        self.base = Model("base", path, digest_of_tree(path))
        self.adapters = {}
        for _, _, name in ARMS:
            path = self._path(home, f"06_models/{name}/adapter")
            self.adapters[name] = Adapter(name, path, digest_of_tree(path))
        folder = ROOT / "conf/base/prompts/student"
        self.prompts = {file.stem: file.read_text(encoding="utf-8").strip() for file in folder.glob("*.md")}
        self.questions, self.dev = (self._questions(home, split) for split in ("test", "dev"))

    @staticmethod
    def _newest(home: Path, name: str) -> Path | None:
        found = sorted((home / "data" / name).glob("*/_manifest.json"))
        return found[-1].parent / Path(name).name if found else None

    def _path(self, home: Path, name: str) -> Path:
        path = self._newest(home, name)
        assert path is not None, f"no {name} in {home / 'data'}"
        return path

    @staticmethod
    def _made(scratch: Path) -> Path:
        home = scratch / "project"
        for name in ("conf", "pyproject.toml"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, home / name if source.is_dir() else home)
        (home / "src").mkdir()  # Kedro wants the sources inside the project; the package itself may be linked
        (home / "src/medo1").symlink_to(ROOT / "src/medo1")
        tell("making the embedded world and its adapters", "some minutes; `kedro run` would have left them")
        names = "clinic,ingest,synthesis,filtering,finetune"
        command = [sys.executable, "-m", "kedro", "run", f"--pipelines={names}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"making the embedded world failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return home

    def _questions(self, home: Path, split: str) -> list[Question]:
        import pandas as pd

        from medo1.questions.question_table import questions_from

        table = pd.read_parquet(self._path(home, "03_primary/questions.parquet"))
        return [question for question in questions_from(table) if question.split == split]

    def messages(self, question: Question, prompt: str = ASKED) -> tuple[Message, ...]:
        return (Message("user", prompt_text(question, self.prompts[prompt])),)


def merged(base: Path, adapter: Path, folder: Path) -> Path:
    """The student as one model directory, which every peer can load."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def larger(base: Path, folder: Path, heads: int = 4, positions: int = 1024) -> Path:
    """A Qwen2 of 5 million random weights with the world's tokenizer: speed where the passes themselves take time."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(base)
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=256, intermediate_size=768, num_hidden_layers=6,
        num_attention_heads=heads, num_key_value_heads=heads // 2, max_position_embeddings=positions,
        tie_word_embeddings=True, initializer_range=0.2, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def engine_of(model: Path, **options: Any) -> Transformers:
    return Transformers(threads=1, **options).with_model(Model("student", model, "r"))


# Beside lm-evaluation-harness


def against_lm_eval(
    python: str, model: Path, conversations: Sequence[tuple[Message, ...]], *, limit: int, times: int, what: str
) -> list[float]:
    """The ratio of each pair of runs, medo1's speed over lm-eval's."""
    engine = engine_of(model)
    loaded = engine._load()
    prompts = [loaded.prompt_text(messages)[0] for messages in conversations]
    requests = [
        Request(str(place), messages, Sampling(max_new_tokens=limit)) for place, messages in enumerate(conversations)
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    peer = subprocess.Popen(
        [python, "-c", LM_EVAL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    assert peer.stdin is not None
    assert peer.stdout is not None

    def told(text: str, mark: str) -> str:
        assert peer.stdin is not None
        assert peer.stdout is not None
        peer.stdin.write(text + "\n")
        peer.stdin.flush()
        for line in peer.stdout:
            if line.startswith(mark):
                return line.removeprefix(mark)
        assert peer.stderr is not None
        raise SystemExit(f"lm-eval failed:\n{peer.stderr.read()[-3000:]}")

    def theirs(batch: int) -> tuple[float, list[str]]:
        seconds, texts = json.loads(told(json.dumps({"batch": batch, "limit": limit}), "DONE "))
        return seconds, texts

    def ours() -> tuple[float, list[str], int]:
        began = time.perf_counter()
        said = {completion.key: completion for completion in engine.complete(requests)}
        seconds = time.perf_counter() - began
        tokens = sum(completion.completion_tokens or 0 for completion in said.values())
        return seconds, [said[request.key].text for request in requests], tokens

    try:
        told(json.dumps({"model": str(model), "prompts": prompts, "context": loaded.context}), "READY")
        scanned = {batch: theirs(batch)[0] for batch in BATCHES}
        best = min(scanned, key=lambda batch: scanned[batch])
        ours()
        ratios, mine, other = [], [], []
        for _ in range(times):
            seconds, texts, tokens = ours()
            their_seconds, their_texts = theirs(best)
            same = sum(one.strip() == two.strip() for one, two in zip(texts, their_texts, strict=True))
            ratios.append(their_seconds / seconds)
            mine.append(tokens / seconds)
            other.append(tokens / their_seconds)
    finally:
        peer.kill()
        peer.wait()
    tell(f"{what}: transformers engine", spread(mine, 0, " tokens/s"))
    tell(f"{what}: lm-eval hf, batch {best}, the best of {', '.join(map(str, BATCHES))}", spread(other, 0, " tokens/s"))
    tell(f"{what}: ratio; equal texts", f"{spread(ratios)}; {same} of {len(texts)}")
    if same < len(texts):
        raise SystemExit(f"{what}: {len(texts) - same} of {len(texts)} texts differ: the runs cannot be compared")
    return ratios


# Reading prompts once


def prefill(model: Path, conversations: Sequence[tuple[Message, ...]], *, times: int, what: str) -> list[float]:
    """Seconds of reading for 32 samples of each question at once over those of 32 calls with one sample each."""
    engine = engine_of(model)

    def draws(samples: Sequence[int]) -> list[Request]:
        return [
            Request(f"{place}/{sample}", messages, Sampling(0.7, max_new_tokens=2), sample, seed_from(1, place, sample))
            for place, messages in enumerate(conversations)
            for sample in samples
        ]

    def reading(do: Callable[[], Any]) -> tuple[float, int]:
        before = engine.work.prefill_s, engine.work.prefill_tokens
        do()
        return engine.work.prefill_s - before[0], engine.work.prefill_tokens - before[1]

    def separate() -> None:
        for sample in range(SAMPLES):
            list(engine.complete(draws([sample])))

    separate()
    ratios = []
    for _ in range(times):
        together, tokens = reading(lambda: list(engine.complete(draws(range(SAMPLES)))))
        apart, apart_tokens = reading(separate)
        ratios.append(together / apart)
    tell(f"{what}: prompt tokens read, together and apart", f"{tokens:,} and {apart_tokens:,}")
    tell(f"{what}: share of the reading time", spread(ratios, 3))
    return ratios


# Beside the plain client


def against_plain_client(
    python: str, world: World, student: Path, folder: Path, *, samples: int, times: int, top: int
) -> list[float]:
    """The ratio of each pair of runs on one server, the engine's speed with its store over the openai client's.

    Both ask for the log-probabilities of each token and of the `top` likeliest others there. The client gets all that a
    hand-written script would give it: as many requests in flight, one shared session. Each run asks with seeds of its
    own, so that nothing is answered from the store, and both fill the server's prefix cache.
    """
    import asyncio

    from openai import AsyncOpenAI

    from medo1.engines.vllm.engine import VLLM
    from medo1.engines.wrappers.store import CompletionStore
    from medo1.engines.wrappers.stored import Stored

    rows = 64
    conversations = [world.messages(question) for question in world.questions]

    def requests(run: int) -> list[Request]:
        return [
            Request(
                f"{place}/{sample}", messages, Sampling(0.7, max_new_tokens=96), sample,
                seed_from(run, place, sample),
            )
            for place, messages in enumerate(conversations)
            for sample in range(samples)
        ]  # fmt: skip

    async def by_hand(url: str, key: str, asked: Sequence[Request]) -> int:
        gate = asyncio.Semaphore(rows)
        async with AsyncOpenAI(base_url=url, api_key=key, timeout=3600, max_retries=2) as client:

            async def one(request: Request) -> int:
                async with gate:
                    answer = await client.chat.completions.create(
                        model="student", seed=request.seed, temperature=0.7, max_tokens=96, logprobs=True,
                        top_logprobs=top or None,
                        messages=[{"role": "user", "content": request.messages[0].content}],
                    )  # fmt: skip
                return answer.usage.completion_tokens if answer.usage else 0

            return sum(await asyncio.gather(*(one(request) for request in asked)))

    ratios, mine, other = [], [], []
    client = {"top_logprobs": top}
    with VLLM(python=python, context=512, rows=rows, client=client).with_model(
        Model("student", student, "r")
    ) as engine:
        list(engine.complete(requests(0)[:rows]))
        server = engine._server
        assert server is not None
        url = f"http://127.0.0.1:{server.port}/v1"
        asyncio.run(by_hand(url, engine._key, requests(0)[:rows]))
        for turn in range(times):

            def ours(run: int) -> float:
                with_store = Stored(engine, CompletionStore(folder / f"client{top}-{run}.sqlite"))
                began = time.perf_counter()
                done = list(with_store.complete(requests(run)))
                seconds = time.perf_counter() - began
                assert not any(completion.error or completion.cached for completion in done)
                with_store.store.close()
                return sum(completion.completion_tokens or 0 for completion in done) / seconds

            def theirs(run: int) -> float:
                began = time.perf_counter()
                tokens = asyncio.run(by_hand(url, engine._key, requests(run)))
                return tokens / (time.perf_counter() - began)

            # Who comes first changes, and both draw with the same seeds: equal tokens for either.
            first, second = (ours, theirs) if turn % 2 == 0 else (theirs, ours)
            one, two = first(turn + 1), second(turn + 1)
            mine.append(one if turn % 2 == 0 else two)
            other.append(two if turn % 2 == 0 else one)
            ratios.append(mine[-1] / other[-1])
    tell(f"vllm engine with its store, {top} log-probabilities of others", spread(mine, 0, " tokens/s"))
    tell("openai client on the same server", spread(other, 0, " tokens/s"))
    tell("ratio", spread(ratios))
    return ratios


# Votes that stop by themselves, and thought only where it is needed


def answered(world: World, engine: Any, questions: Sequence[Question], name: str, spec: Any, samples: int) -> Any:
    """An arm's answers, as the pipeline would have them."""
    from medo1 import tables
    from medo1.pipelines.inference.nodes import generate, read_answers
    from medo1.pipelines.inference.params import InferenceParams
    from medo1.questions.question_table import question_rows

    table = tables.as_table(tables.QUESTIONS, question_rows(questions))
    params = InferenceParams(max_new_tokens=256, answer_tokens=8, samples=samples)
    models = [world.base, *([world.adapters[spec.adapter]] if spec.adapter else [])]
    made = generate(table, world.prompts[spec.prompt], engine, params, spec, 11, *models, name=name)
    return read_answers(made[0], table, spec)


def adaptive(world: World, questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Each arm's votes of 32 samples and of as many as each rule draws: accuracy and tokens."""
    from medo1.pipelines.inference.params import ArmParams
    from medo1.pipelines.inference.vote_tables import polled
    from medo1.statistics.fitted_prior import fitted_prior
    from medo1.statistics.fitted_stopping import calibrated
    from medo1.statistics.rules import StoppingRule

    told = []
    with Transformers(threads=1).with_model(world.base) as engine:
        for arm, prompt, adapter in ARMS:
            spec = ArmParams(prompt=prompt, adapter=adapter)
            polls, dev = (
                polled(answered(world, engine, asked, arm, spec, SAMPLES)) for asked in (questions, world.dev)
            )
            drawn = [([sample.letter for sample in poll.samples], poll.options) for poll in dev]
            prior, [found] = fitted_prior(drawn), calibrated(drawn, StoppingRule(first=LEAST), [PROMISE])
            assert found.threshold is not None
            rules = {
                "calibrated": StoppingRule(rule="fitted", first=LEAST, mixture=prior, threshold=found.threshold),
                "dirichlet": StoppingRule(),
                "distribution_free": StoppingRule(rule="distribution_free"),
                **{
                    f"fitted {one}": StoppingRule(rule="fitted", first=LEAST, mixture=prior, threshold=one)
                    for one in THRESHOLDS
                },
            }
            outcomes = {f"their {name}": one for name, one in peers_on(polls).items()}
            outcomes |= {name: replayed(polls, ours(rule)) for name, rule in rules.items()}
            whole = outcomes["their never"]
            for name, one in outcomes.items():
                what = f"{arm}: {name}, {one['drawn']:.1f} of {SAMPLES} drawn"
                tell(what, f"{one['accuracy']:.1%} on {one['tokens'] / whole['tokens']:.1%} of the tokens; "
                           f"agrees {one['agreement']:.1%}")  # fmt: skip
            told.append(outcomes)
    return told


def ours(rule: Any) -> Callable[[Any], tuple[int, str | None]]:
    """When and with what answer the rule ends the drawing of a poll."""
    from medo1.statistics.stopping import stopping_point
    from medo1.statistics.votes import vote

    def stop(poll: Any) -> tuple[int, str | None]:
        found = stopping_point([sample.letter for sample in poll.samples], poll.options, rule, SAMPLES)
        assert found is not None
        return found.drawn, vote(poll.samples[: found.drawn]).letter

    return stop


def peers_on(polls: Sequence[Any]) -> dict[str, dict[str, float]]:
    """The same of the public libraries' criteria."""
    import _stopping_peers as peers
    from medo1.statistics.votes import vote

    def by(criterion: Callable[[Sequence[str]], bool]) -> Callable[[Any], tuple[int, str | None]]:
        def stop(poll: Any) -> tuple[int, str | None]:
            count = peers.adaptive_consistency([sample.letter for sample in poll.samples], criterion)
            return count, vote(poll.samples[:count]).letter

        return stop

    def sure(poll: Any) -> tuple[int, str | None]:
        columns = zip(*((one.letter, one.confidence or 0.0, one.lowest_confidence or 0.0) for one in poll.samples),
                      strict=True)  # fmt: skip
        return peers.deepconf(*columns)

    named = {name: by(criterion) for name, criterion in peers.CRITERIA.items()}
    return {name: replayed(polls, stop) for name, stop in {**named, "deepconf": sure}.items()}


def replayed(polls: Sequence[Any], stop: Callable[[Any], tuple[int, str | None]]) -> dict[str, float]:
    from medo1.statistics.votes import vote

    shuffled = [one for poll in polls for one in orders_of(poll)]
    ended = [stop(poll) for poll in shuffled]
    return {
        "accuracy": statistics.mean(letter == poll.gold for poll, (_, letter) in zip(shuffled, ended, strict=True)),
        "tokens": statistics.mean(sum(poll.tokens[:count]) for poll, (count, _) in zip(shuffled, ended, strict=True)),
        "drawn": statistics.mean(count for count, _ in ended),
        "agreement": statistics.mean(
            letter == vote(poll.samples).letter for poll, (_, letter) in zip(shuffled, ended, strict=True)
        ),
    }


def orders_of(poll: Any) -> list[Any]:
    """A question's samples in random orders, the same on each call: what stopping costs depends on the order."""
    import random
    from dataclasses import replace

    draw = random.Random(f"{poll.arm} {poll.question_id}")
    orders = [draw.sample(range(len(poll.samples)), len(poll.samples)) for _ in range(ORDERS)]
    return [
        replace(
            poll,
            samples=tuple(poll.samples[one] for one in order),
            tokens=tuple(poll.tokens[one] for one in order),
        )
        for order in orders
    ]


def votes_figures(told: Sequence[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """The worst of the arms. A rule that loses more accuracy than the margin counts as drawing all samples."""

    def fewest(outcomes: dict[str, dict[str, float]], names: Sequence[str]) -> float:
        whole = outcomes["their never"]
        good = [outcomes[name]["tokens"] for name in names if outcomes[name]["accuracy"] >= whole["accuracy"] - MARGIN]
        return min([*good, whole["tokens"]])

    figures: dict[str, Any] = {}
    for prefix, rule in (("adaptive", "calibrated"), ("plain", "dirichlet"), ("free", "distribution_free")):
        whole = [one["their never"] for one in told]
        shares = [one[rule]["tokens"] / all_of["tokens"] for one, all_of in zip(told, whole, strict=True)]
        gaps = [100 * (all_of["accuracy"] - one[rule]["accuracy"]) for one, all_of in zip(told, whole, strict=True)]
        figures |= {
            f"{prefix}_token_share": round(max(shares), 3),
            f"{prefix}_accuracy_gap": round(max(gaps), 2),
            f"{prefix}_agreement": round(min(one[rule]["agreement"] for one in told), 3),
        }
    criteria = [name for name in told[0] if name.startswith("their ") and name != "their deepconf"]
    own = [f"fitted {threshold}" for threshold in THRESHOLDS]
    for name, theirs in {"vs_adaptive_consistency": criteria, "vs_deepconf": ["their deepconf"]}.items():
        figures[name] = round(min(fewest(one, theirs) / fewest(one, own) for one in told), 3)
    figures["vs_their_beta"] = round(
        min(
            one["their beta"]["tokens"]
            / min(
                *(one[name]["tokens"] for name in own if one[name]["agreement"] >= one["their beta"]["agreement"]),
                one["their never"]["tokens"],
            )
            for one in told
        ),
        3,
    )
    return figures


def selective(world: World, questions: Sequence[Question]) -> dict[str, float]:
    """Answering at once and thinking when unsure, with score and threshold chosen on dev questions."""
    from medo1.pipelines.inference.params import ArmParams, SelectiveParams
    from medo1.pipelines.inference.selective_rows import pairs_of
    from medo1.statistics.selective import chosen_tau, point_at

    arm, prompt, adapter = ARMS[0]
    specs = {FIRST: ArmParams(prompt=FIRST_PROMPT), arm: ArmParams(prompt=prompt, adapter=adapter)}
    params = SelectiveParams(first=FIRST)
    pairs: list[dict[str, Any]] = []
    with Transformers(threads=1).with_model(world.base) as engine:
        for asked in (world.dev, questions):
            tables = {
                name: answered(world, engine, asked, name, spec, params.samples if name == FIRST else 0)
                for name, spec in specs.items()
            }
            pairs.append(pairs_of(tables[FIRST], tables[arm], params))
    dev, test = pairs
    chosen = {score: chosen_tau(of_score, params.margin, params.confidence).point for score, of_score in dev.items()}
    cheapest = {score: point.tokens or 0.0 for score, point in chosen.items() if point is not None}
    always = point_at(next(iter(test.values())), float("inf"))
    assert always.thought_tokens
    score = min(cheapest, key=lambda name: cheapest[name], default=None)
    if score is None or cheapest[score] >= (point_at(dev[score], float("inf")).thought_tokens or 0.0):
        tell(f"{arm}: no threshold saves tokens on {len(next(iter(dev.values())))} dev questions", "always thinks")
        return {"selective_token_share": 1.0, "selective_accuracy_gap": 0.0, "selective_thought_share": 1.0}
    tau = chosen[score].tau  # type: ignore[union-attr]
    point = point_at(test[score], tau)
    assert point.tokens
    gap = 100 * (always.accuracy.value - point.accuracy.value)
    tell(f"{arm}: thought about {point.thought_share:.0%}, {score} below {tau:.3g}",
         f"{always.accuracy.value:.1%} -> {point.accuracy.value:.1%} on {point.tokens / always.thought_tokens:.1%} "
         "of the tokens")  # fmt: skip
    return {
        "selective_token_share": round(point.tokens / always.thought_tokens, 3),
        "selective_accuracy_gap": round(gap, 2),
        "selective_thought_share": round(point.thought_share, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and questions")
    parser.add_argument("--lm-eval", default=os.environ.get("MEDO1_LM_EVAL_PYTHON"), help="lm-eval's interpreter")
    parser.add_argument("--vllm", default=os.environ.get("MEDO1_VLLM_PYTHON"), help="the interpreter that has vLLM")
    arguments = parser.parse_args()
    times = 3 if arguments.quick else 5
    lm_eval = arguments.lm_eval or (sys.executable if importlib.util.find_spec("lm_eval") else None)
    vllm = arguments.vllm or (sys.executable if importlib.util.find_spec("vllm") else None)
    silence()
    figures: dict[str, Any] = dict.fromkeys(
        (
            "vs_plain_client",
            "vs_lm_eval",
            "prefill_share",
            "adaptive_token_share",
            "adaptive_accuracy_gap",
            "vs_adaptive_consistency",
            "selective_token_share",
        )
    )
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        world = World(scratch)
        student = merged(world.base.path or scratch, world.adapters[STUDENT].path, scratch / "student")
        big = larger(world.base.path or scratch, scratch / "larger")
        conversations = [world.messages(question) for question in world.questions]
        ratios = prefill(student, conversations[:40], times=times, what="student")
        prefill(big, conversations[:20], times=times, what="5M weights")
        figures |= {
            "prefill_share": middle(ratios),
            "prefill_share_spread": [middle([min(ratios)]), middle([max(ratios)])],
        }
        if lm_eval is None:
            reasons["vs_lm_eval"] = "lm-eval is not installed: name its interpreter with --lm-eval"
        else:
            ratios = against_lm_eval(lm_eval, student, conversations, limit=LIMIT, times=times, what="student")
            small = against_lm_eval(lm_eval, big, conversations[:64], limit=64, times=times, what="5M weights")
            figures |= {
                "vs_lm_eval": middle(ratios),
                "vs_lm_eval_spread": [middle([min(ratios)]), middle([max(ratios)])],
                "vs_lm_eval_5m": middle(small),
                "vs_lm_eval_5m_spread": [middle([min(small)]), middle([max(small)])],
            }
        if vllm is None:
            reasons["vs_plain_client"] = "vLLM is not installed: name its interpreter with --vllm"
        else:
            # The server's passes must take the time: with the tiny student a request costs more than its answer.
            served = larger(world.base.path or scratch, scratch / "served", positions=512)
            for key, top in (("vs_plain_client", 0), ("vs_plain_client_top20", 20)):
                ratios = against_plain_client(vllm, world, served, scratch, samples=2, times=times, top=top)
                figures |= {key: middle(ratios), f"{key}_spread": [middle([min(ratios)]), middle([max(ratios)])]}
        every = max(1, len(world.questions) // 60) if arguments.quick else 1  # of each benchmark alike
        some = world.questions[::every]
        figures |= votes_figures(adaptive(world, some)) | selective(world, some)
    print(json.dumps(figures | {"reasons": reasons}))


def silence() -> None:
    import logging

    from medo1.progress_bars import silence_library_bars

    silence_library_bars()
    logging.disable(logging.WARNING)


if __name__ == "__main__":
    main()
