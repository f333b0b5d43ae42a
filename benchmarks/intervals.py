"""Statistics of arms beside four packages: the same numbers on the same table, coverage in simulation, and time.

    python benchmarks/intervals.py [--peers PYTHON] [--runs N]

`--peers` names an interpreter that has `errorbars`, `evalsig`, `evalstats` and `inspect_ai` (all on PyPI, under these
names; `inspect_ai` is `inspect-ai` there). Each runs there, on tables that are drawn here. Prints tables and, as the
last line, one JSON object:

- `same`: greatest distance of a number that two packages both give: difference, correlation, McNemar's p-value,
  clustered standard error. Nothing where a package is not installed.
- `coverage`: how often the 95 % interval held the truth, by case and method; right: 0.95.
- `width`: mean width beside medo1's.
- `us`: microseconds for an interval, medians of this run; `vs`: a peer's time divided by medo1's.

Cases: two arms that differ on few of 60 questions, and of 308 (Medbullets); one arm, nearly always right; and one on
200 questions that are 100 twice.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Answers = list[int]
CASES: dict[str, dict[str, Any]] = {
    "two arms, 60 questions": {"gained": 0.10, "lost": 0.04, "both": 0.6, "n": 60},
    "two arms, 308 questions": {"gained": 0.06, "lost": 0.03, "both": 0.7, "n": 308},
    "two arms, nearly alike, 60": {"gained": 0.03, "lost": 0.0, "both": 0.9, "n": 60},
    "one arm, 60 questions at .95": {"share": 0.95, "n": 60},
    "one arm, 100 questions twice": {"share": 0.7, "n": 100, "twice": True},
}


def main() -> None:
    arguments = _arguments()
    if arguments.worker:
        json.dump(_answered(json.load(sys.stdin), _peers()), sys.stdout)
        return
    rng = np.random.default_rng(1)
    drawn = {name: [_drawn(case, rng) for _ in range(arguments.runs)] for name, case in CASES.items()}
    own = _answered(drawn, _own())
    peers = _asked(arguments.peers, drawn) if arguments.peers else {}
    reasons = {} if arguments.peers else {"peers": "name an interpreter that has them with --peers"}
    told: dict[str, Any] = {"same": _same(own, peers), "coverage": {}, "width": {}, "us": {}, "vs": {}}
    for name, case in CASES.items():
        truth = case.get("share", case.get("gained", 0) - case.get("lost", 0))
        print(f"\n{name}: the 95 % interval of {truth:.3f}, {arguments.runs} runs")
        mine = own[name]["medo1"]
        for method, found in {**own[name], **peers.get(name, {})}.items():
            low, high = np.array(found["low"]), np.array(found["high"])
            held = float(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())
            width = float((high - low).mean() / (np.array(mine["high"]) - np.array(mine["low"])).mean())
            ratio = found["us"] / mine["us"]
            print(f"  {method:28} held {held:.3f}  width {width:.2f}  {found['us']:9.0f} us")
            told["coverage"].setdefault(name, {})[method] = round(held, 3)
            told["width"].setdefault(name, {})[method] = round(width, 3)
            told["us"].setdefault(name, {})[method] = round(found["us"])
            told["vs"].setdefault(name, {})[method] = round(ratio, 2)
    print(json.dumps(told | {"reasons": reasons}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="interpreter that has the packages")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs = min(arguments.runs, 100)
    return arguments


def _drawn(case: dict[str, Any], rng: np.random.Generator) -> dict[str, Answers]:
    if "share" in case:
        right = (rng.random(case["n"]) < case["share"]).astype(int).tolist()
        times = 2 if case.get("twice") else 1
        return {"first": right * times, "clusters": [*range(case["n"])] * times}
    neither = 1 - case["gained"] - case["lost"] - case["both"]
    kinds = rng.choice(4, case["n"], p=[case["gained"], case["lost"], case["both"], neither])
    return {"first": np.isin(kinds, [0, 2]).astype(int).tolist(), "second": np.isin(kinds, [1, 2]).astype(int).tolist()}


Method = Callable[[dict[str, Answers]], dict[str, float]]


def _answered(drawn: dict[str, list[dict[str, Answers]]], methods: dict[str, dict[str, Method]]) -> dict[str, Any]:
    """What each method says of each table, and how long it took."""
    found: dict[str, Any] = {}
    for name, tables in drawn.items():
        kind = _kind(tables[0])
        for method, of_kind in methods.items():
            if kind not in of_kind:
                continue
            of_kind[kind](tables[0])  # imports
            answers, times = [], []
            for table in tables:
                began = time.perf_counter()
                answers.append(of_kind[kind](table))
                times.append(time.perf_counter() - began)
            told: dict[str, Any] = {key: [one[key] for one in answers] for key in answers[0]}
            found.setdefault(name, {})[method] = {**told, "us": float(np.median(times)) * 1e6}
    return found


def _kind(table: dict[str, Answers]) -> str:
    if "second" in table:
        return "paired"
    return "twice" if len(set(table["clusters"])) < len(table["first"]) else "one"


def _own() -> dict[str, dict[str, Method]]:
    from medo1.statistics.clusters import clustered_error, clustered_interval
    from medo1.statistics.intervals import share_interval
    from medo1.statistics.paired import paired
    from medo1.statistics.resampling import bootstrap_mean

    def of_pair(table: dict[str, Answers]) -> dict[str, float]:
        found = paired([bool(one) for one in table["first"]], [bool(one) for one in table["second"]])
        return {
            "low": found.difference.low,
            "high": found.difference.high,
            "difference": found.difference.value,
            "p": found.p_value,
            "correlation": found.correlation or 0.0,
        }

    def bootstrapped(table: dict[str, Answers]) -> dict[str, float]:
        found = bootstrap_mean([a - b for a, b in zip(table["first"], table["second"], strict=True)])
        return {"low": found.low, "high": found.high}

    def alone(table: dict[str, Answers]) -> dict[str, float]:
        found = share_interval(sum(table["first"]), len(table["first"]))
        return {"low": found.low, "high": found.high}

    def twice(table: dict[str, Answers]) -> dict[str, float]:
        right = [bool(one) for one in table["first"]]
        found = clustered_interval(right, table["clusters"], 0.95)
        return {"low": found.low, "high": found.high, "error": clustered_error(right, table["clusters"])}

    return {"medo1": {"paired": of_pair, "one": alone, "twice": twice}, "medo1 bootstrap": {"paired": bootstrapped}}


def _peers() -> dict[str, dict[str, Method]]:
    """Each package's own way, as far as it is installed; nothing of medo1 is imported."""
    found: dict[str, dict[str, Method]] = {}
    for name, methods in (
        ("errorbars", _errorbars),
        ("evalsig", _evalsig),
        ("evalstats", _evalstats),
        ("inspect_ai", _inspect),
    ):
        try:
            found |= methods()
        except ImportError as error:
            print(f"{name} is not installed: {error}", file=sys.stderr)
    return found


def _errorbars() -> dict[str, dict[str, Method]]:
    from errorbars.compare import paired_compare
    from errorbars.stats import cluster_robust_se, wilson_ci

    def of_pair(table: dict[str, Answers]) -> dict[str, float]:
        one = paired_compare(table["first"], table["second"])
        return {
            "low": one.ci_low,
            "high": one.ci_high,
            "difference": one.mean_diff,
            "p": one.mcnemar.p_value,
            "correlation": one.correlation,
        }

    def alone(table: dict[str, Answers]) -> dict[str, float]:
        one = wilson_ci(sum(table["first"]), len(table["first"]))
        return {"low": one.ci_low, "high": one.ci_high}

    def twice(table: dict[str, Answers]) -> dict[str, float]:
        error = float(cluster_robust_se(table["first"], table["clusters"]))
        mean = sum(table["first"]) / len(table["first"])
        return {"low": mean - 1.96 * error, "high": mean + 1.96 * error, "error": error}

    return {"errorbars": {"paired": of_pair, "one": alone, "twice": twice}}


def _evalsig() -> dict[str, dict[str, Method]]:
    from evalsig.inference.mcnemar import mcnemar_test
    from evalsig.inference.paired import paired_bootstrap_ci

    def of_pair(table: dict[str, Answers]) -> dict[str, float]:
        first, second = np.array(table["second"], float), np.array(table["first"], float)  # it gives second - first
        one, test = paired_bootstrap_ci(first, second, n_resamples=2000), mcnemar_test(first, second)
        return {**_bounds(one), "difference": float(second.mean() - first.mean()), "p": float(test.p_value)}

    return {"evalsig": {"paired": of_pair}}


def _bounds(one: Any) -> dict[str, float]:
    """The bounds of an outcome, whatever they are called."""
    for names in (("ci_low", "ci_high"), ("low", "high"), ("lower", "upper")):
        if all(hasattr(one, name) for name in names):
            return {"low": float(getattr(one, names[0])), "high": float(getattr(one, names[1]))}
    bounds = one.ci if hasattr(one, "ci") else one[-2:]
    return {"low": float(bounds[0]), "high": float(bounds[1])}


def _evalstats() -> dict[str, dict[str, Method]]:
    from evalstats import bayes_paired_diff_ci, mean_ci

    def of_pair(table: dict[str, Answers]) -> dict[str, float]:
        first, second = np.array(table["first"], float), np.array(table["second"], float)
        low, high, _ = bayes_paired_diff_ci(first, second, 0.05, rng=np.random.default_rng(0))
        return {"low": float(low), "high": float(high), "difference": float(first.mean() - second.mean())}

    def alone(table: dict[str, Answers]) -> dict[str, float]:
        return _bounds(mean_ci(np.array(table["first"], float), rng=np.random.default_rng(0)))

    return {"evalstats": {"paired": of_pair, "one": alone}}


def _inspect() -> dict[str, dict[str, Method]]:
    from inspect_ai.scorer import SampleScore, Score, stderr
    from inspect_ai.scorer._metrics.std import ci_wilson

    def scores(table: dict[str, Answers]) -> list[SampleScore]:
        clusters = table["clusters"]
        return [
            SampleScore(score=Score(value=one), sample_metadata={"cluster": place})
            for one, place in zip(table["first"], clusters, strict=True)
        ]

    def alone(table: dict[str, Answers]) -> dict[str, float]:
        found = ci_wilson()(scores(table))
        return {"low": found["lower"], "high": found["upper"]}

    def twice(table: dict[str, Answers]) -> dict[str, float]:
        given = scores(table)
        found = ci_wilson(cluster="cluster")(given)
        return {"low": found["lower"], "high": found["upper"], "error": float(stderr(cluster="cluster")(given))}

    return {"inspect_ai": {"one": alone, "twice": twice}}


def _asked(python: str, drawn: dict[str, Any]) -> dict[str, Any]:
    ran = subprocess.run(
        [python, __file__, "--worker"], input=json.dumps(drawn), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _same(own: dict[str, Any], peers: dict[str, Any]) -> dict[str, float]:
    """The greatest distance of each number that a peer gives too, over all cases and runs."""
    worst: dict[str, float] = {}
    for name, methods in peers.items():
        for method, found in methods.items():
            mine = own[name]["medo1"]
            for key in ("difference", "correlation", "p", "error"):
                if key in found and key in mine:
                    away = float(np.abs(np.array(found[key]) - np.array(mine[key])).max())
                    label = f"{method}: {key}"
                    worst[label] = max(worst.get(label, 0.0), away)
    return {label: float(f"{away:.2g}") for label, away in worst.items()}


if __name__ == "__main__":
    main()
