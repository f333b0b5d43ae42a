"""Leaks that were planted on purpose: found by which method; and the speed of decontamination and near-duplicates.

    python benchmarks/filtering.py [FOLDER] [--plants 300] [--chains 10000 100000] [--decon PYTHON]

FOLDER holds medqa_test.jsonl, medbullets_op4.csv and long_chains_sample.json (docs/bring_real_data.md). Each method is
given the same planted texts; a leak counts as found when the right question is named. `decontaminate` (AI2's decon) has
wheels for Python 3.12 alone: --decon names an interpreter that has it, else it is skipped with the reason.

Speed: chains of about 1,200 tokens (900 words) are put together from the sentences of real ones, questions from the
sentences of real ones, in a process of its own on one thread. Seconds are that process' CPU time, since the machine may
do other things. The last line is JSON: `seconds_100k` (of 100,000 chains against 20,000 questions, near-duplicates and
decontamination together; scaled where fewer chains were run), `peak_gb`, `false_positive` (share of the innocent
chains), `recall` by kind, `vs_13gram` and `vs_decon` (mean recall over all kinds, as a ratio to theirs).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tests.questions.planted import PLANTERS, Planter, inside, joined_with, sentences, vignettes  # noqa: E402

from _absent import not_here  # noqa: E402
from medo1.questions import Question, read_questions  # noqa: E402
from medo1.questions.near_copies import NearCopyIndex  # noqa: E402

Found = list[set[int]]  # for each text the questions that it is said to leak
Method = Callable[[Sequence[str], Sequence[str], bool], Found]
WORDS_OF_A_CHAIN = 900
QUESTIONS = 20_000
TARGET_CHAINS = 100_000


def ours(questions: Sequence[str], texts: Sequence[str], stems: bool) -> Found:
    found: Found = [set() for _ in texts]
    for one in NearCopyIndex(questions).found(texts, excerpts=stems):
        if one.band == "leak":
            found[one.text].add(one.question)
    return found


def shared_ngram(length: int) -> Method:
    """Any run of so many words in common, as most open pipelines do it."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[place : place + length]) for place in range(max(1, len(words) - length + 1))}

    def method(questions: Sequence[str], texts: Sequence[str], stems: bool) -> Found:
        index: dict[tuple[str, ...], set[int]] = {}
        for place, stem in enumerate(questions):
            for run in runs(stem):
                index.setdefault(run, set()).add(place)
        return [set().union(*(index[run] for run in runs(text) if run in index)) for text in texts]

    return method


DECON = """
import json, sys, decon
told = json.load(open(sys.argv[1]))
config = decon.Config(training_dir=told["train"], evals_dir=told["evals"], report_output_dir=told["out"],
    contamination_score_threshold=told["threshold"], sample_every_m_tokens=1, index_answers=False, index_passages=False,
    eval_dedup=False, worker_threads=1)
decon.detect(config)
"""


def decon(python: str, threshold: float = 0.2) -> Method:
    """AI2's decon in its best setting that was tried: every token, low threshold, no answers."""

    def method(questions: Sequence[str], texts: Sequence[str], stems: bool) -> Found:
        found: Found = [set() for _ in texts]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("train", "evals", "out"):
                (folder / part).mkdir()
            lines = [json.dumps({"text": text, "id": place}) for place, text in enumerate(texts)]
            (folder / "train/texts.jsonl").write_text("\n".join(lines) + "\n")
            lines = [
                json.dumps(
                    {"eval_key": "bench", "eval_instance_index": place, "split": "test", "question": stem, "answer": "",
                     "passage": "", "doc_id": place, "is_correct": True, "fingerprint": str(place)}
                )
                for place, stem in enumerate(questions)
            ]  # fmt: skip
            (folder / "evals/bench.jsonl").write_text("\n".join(lines) + "\n")
            told = {part: str(folder / part) for part in ("train", "evals", "out")} | {"threshold": threshold}
            (folder / "told.json").write_text(json.dumps(told))
            done = subprocess.run(
                [python, "-c", DECON, str(folder / "told.json")], check=False, capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            for report in (folder / "out").rglob("*.jsonl"):
                for line in report.read_text().splitlines():
                    row = json.loads(line)
                    found[int(row["training_line"])].add(int(row["eval_instance_index"]))
        return found

    return method


def has_decon(python: str | None) -> str | None:
    """Why decon cannot be compared with; None where it can."""
    if python is None:
        return "it has wheels for Python 3.12 alone; name an interpreter that has `decontaminate` with --decon"
    done = subprocess.run([python, "-c", "import decon"], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


def recall_of(
    method: Method, questions: Sequence[str], options: Sequence[Mapping[str, str]], planters: Mapping[str, Planter],
    chosen: Sequence[int],
) -> dict[str, float]:  # fmt: skip
    """Share of the planted leaks that are found, by kind; all kinds are given to the method in one go."""
    recall = {}
    for kind, planter in planters.items():
        rng = random.Random(f"{kind} 1")
        texts = [planter(questions[place], options[place], rng) for place in chosen]
        found = method(questions, texts, kind != "inside a chain")
        hits = sum(place in told for place, told in zip(chosen, found, strict=True))
        recall[kind] = round(hits / len(chosen), 3)
    return recall


def planted(folder: Path, plants: int, python: str | None) -> dict[str, Any]:
    """The table of recall and false positives, printed."""
    asked: list[Question] = []
    for file, form in (("medqa_test.jsonl", "medqa"), ("medbullets_op4.csv", "medbullets")):
        asked += read_questions(folder / file, form, benchmark=file, split="test")[0]
    chains, _ = read_questions(folder / "long_chains_sample.json", "huatuo", benchmark="chains", split="train")
    told = [f"{one.extra['complex_cot']} {one.extra['response']}" for one in chains]
    innocent = [one.stem for one in chains]
    stems, options = [one.stem for one in asked], [one.options for one in asked]
    planters = PLANTERS | {"two joined": joined_with(innocent), "inside a chain": inside(told)}
    chosen = sorted(random.Random(7).sample(range(len(stems)), plants))

    methods: dict[str, Method] = {"8-gram": shared_ngram(8), "13-gram": shared_ngram(13)}
    why_not = has_decon(python)
    if why_not is None:
        methods["decon"] = decon(str(python))
    methods["medo1"] = ours
    rows: dict[str, dict[str, float]] = {}
    for name, method in methods.items():
        rows[name] = recall_of(method, stems, options, planters, chosen)
        whole = [f"{stem} {text}" for stem, text in zip(innocent, told, strict=True)]
        rows[name]["false of innocent questions"] = round(
            sum(map(bool, method(stems, innocent, True))) / len(chains), 3
        )
        rows[name]["false of innocent chains"] = round(sum(map(bool, method(stems, whole, False))) / len(chains), 3)
        among = method(stems, stems, True)
        others = sum(bool(said - {place}) for place, said in enumerate(among))
        rows[name]["flags between benchmarks"] = round(others / len(stems), 3)
    print(f"{plants} planted leaks of each kind in {len(stems)} questions; {len(chains)} innocent chains")
    _print(rows)
    if why_not:
        print(f"decon: skipped, {why_not}")
    for language, title in (("zh", "Chinese"), ("ja", "Japanese")):
        made, other = vignettes(language, 300, 1), [stem for stem, _ in vignettes(language, 200, 2)]
        questions, opts = [stem for stem, _ in made], [one for _, one in made]
        own = PLANTERS | {"two joined": joined_with(other), "inside a chain": inside(["".join(other[:8])])}
        table = {}
        for name, method in methods.items():
            try:
                table[name] = recall_of(method, questions, opts, own, range(0, 300, 3))
            except RuntimeError as error:
                print(f"\n{name} on {title}: {error}")
                continue
            table[name]["false of innocent questions"] = round(
                sum(map(bool, method(questions, other, True))) / len(other), 3
            )
        print(f"\n{title}: 100 planted leaks of each kind in 300 made-up vignettes; 200 innocent ones")
        _print(table)
        rows["medo1"] |= {f"{title}: {kind}": value for kind, value in table["medo1"].items() if "innocent" not in kind}
    kinds = list(planters)
    mean = {name: statistics.mean(rows[name][kind] for kind in kinds) for name in methods}
    return {
        "false_positive": rows["medo1"]["false of innocent chains"],
        "recall": {kind: value for kind, value in rows["medo1"].items() if not kind.startswith(("false", "flags"))},
        "vs_13gram": round(mean["medo1"] / mean["13-gram"], 3),
        "vs_decon": round(mean["medo1"] / mean["decon"], 3) if "decon" in mean else None,
    }


def _print(rows: Mapping[str, Mapping[str, float]]) -> None:
    names = list(rows)
    print(f"{'':<28}" + "".join(f"{name:>9}" for name in names))
    for kind in rows[names[0]]:
        print(f"{kind:<28}" + "".join(f"{rows[name][kind]:>9.3f}" for name in names))


def made_chains(pool: Sequence[str], count: int) -> Iterator[str]:
    """Chains of real sentences in ever other combinations; every hundredth is the one before, 1 % of words changed."""
    rng = random.Random(2)
    before = ""
    for place in range(count):
        if place % 100 == 99:
            words = before.split()
            for _ in range(len(words) // 100):
                words[rng.randrange(len(words))] = "otherwise"
            yield " ".join(words)
            continue
        told, length = [], 0
        while length < WORDS_OF_A_CHAIN:
            told.append(rng.choice(pool))
            length += told[-1].count(" ") + 1
        before = " ".join(told)
        yield before


def _flagged(index: NearCopyIndex, units: Any, excerpts: bool) -> int:
    return len({one.text for one in index.found_in(units, excerpts=excerpts)})


def speed(folder: Path, count: int) -> None:
    """In a process of its own: CPU seconds by step, and the peak of memory, as JSON."""
    import numpy as np
    import pyarrow as pa

    from medo1.chains.filters.duplicates import near_duplicates, signatures
    from medo1.questions.grams import UnitReader, batched

    pa.set_cpu_count(1)
    asked, _ = read_questions(folder / "medqa_test.jsonl", "medqa", benchmark="m", split="test")
    chains, _ = read_questions(folder / "long_chains_sample.json", "huatuo", benchmark="c", split="train")
    rng = random.Random(1)
    of_questions = [piece for one in asked for piece in sentences(one.stem)]
    questions = [" ".join(rng.sample(of_questions, 8)) for _ in range(QUESTIONS)]
    of_training = [piece for one in chains for piece in sentences(one.stem)]
    training = [" ".join(rng.sample(of_training, 8)) for _ in range(QUESTIONS)]
    training[::100] = questions[::100]  # one in a hundred is a leak
    pool = [piece for one in chains for piece in sentences(f"{one.extra['complex_cot']} {one.extra['response']}")]
    spent = dict.fromkeys(("index", "reading", "decontamination", "signatures", "duplicates"), 0.0)

    def timed(step: str, function: Callable[[], Any]) -> Any:
        started = time.process_time()
        result = function()
        spent[step] += time.process_time() - started
        return result

    started = time.perf_counter()
    making = 0.0
    index = timed("index", lambda: NearCopyIndex(questions))
    reader, rows, flagged, words = UnitReader(), [], 0, 0
    stream = batched(made_chains(pool, count))
    while True:
        began = time.perf_counter()
        texts = next(stream, None)
        making += time.perf_counter() - began
        if texts is None:
            break
        words += sum(text.count(" ") + 1 for text in texts)
        units = timed("reading", partial(reader.units, texts))
        stems = timed("reading", partial(reader.units, training[: len(texts)]))  # each chain's own question
        for told, excerpts in ((units, False), (stems, True)):
            flagged += timed("decontamination", partial(_flagged, index, told, excerpts))
        rows.append(timed("signatures", partial(signatures, units)))
    found = timed("duplicates", lambda: near_duplicates(np.concatenate(rows), 0.8))
    print(
        json.dumps(
            {
                "chains": count,
                "words": words / count,
                "cpu_s": sum(spent.values()),
                "wall_s": time.perf_counter() - started - making,
                "steps": spent,
                "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
                "flagged": flagged,
                "duplicates": sum(one is not None for one in found),
                "planted_duplicates": count // 100,
            }
        )
    )


def measured(folder: Path, counts: Sequence[int]) -> dict[str, Any]:
    """The table of speed, printed."""
    told = []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    print(f"\nchains of {WORDS_OF_A_CHAIN} words against {QUESTIONS:,} questions, CPU seconds on one thread")
    steps = ("index", "reading", "decontamination", "signatures", "duplicates")
    print(
        f"{'chains':>9}" + "".join(f"{step:>17}" for step in steps) + f"{'all':>8}{'wall':>8}{'peak GB':>9}  duplicates"
    )
    for count in counts:
        done = subprocess.run(
            [sys.executable, __file__, str(folder), "--speed", str(count)],
            env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        row = json.loads(done.stdout.splitlines()[-1])
        told.append(row)
        print(
            f"{count:>9,}" + "".join(f"{row['steps'][step]:>17.2f}" for step in steps) + f"{row['cpu_s']:>8.1f}"
            f"{row['wall_s']:>8.1f}{row['peak_gb']:>9.2f}  {row['duplicates']} of {row['planted_duplicates']} planted"
        )
    largest = told[-1]
    growing = largest["cpu_s"] - largest["steps"]["index"]
    scaled = largest["steps"]["index"] + growing * TARGET_CHAINS / largest["chains"]
    return {
        "seconds_100k": round(scaled, 1),
        "measured_chains": largest["chains"],
        "peak_gb": round(largest["peak_gb"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared/benchmarks")
    parser.add_argument("--plants", type=int, default=300, help="planted leaks of each kind")
    parser.add_argument("--chains", type=int, nargs="+", default=[10_000, 100_000], help="sizes of the speed table")
    parser.add_argument("--decon", default=shutil.which("python3.12"), help="an interpreter that has `decontaminate`")
    parser.add_argument("--speed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.folder.is_dir():
        not_here(f"{options.folder} is no folder: see docs/bring_real_data.md for the files and where to get them")
    if options.speed:
        speed(options.folder, options.speed)
        return
    result = planted(options.folder, options.plants, options.decon)
    print(json.dumps(measured(options.folder, options.chains) | result, ensure_ascii=False))


if __name__ == "__main__":
    main()
