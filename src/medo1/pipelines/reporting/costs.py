"""Rows about what an answer costs: sizes of the models, accuracy against tokens, time, money and work, and lengths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from medo1.engines.base import Model
from medo1.engines.wrappers.money import Price, price_of
from medo1.frames import Frame, records
from medo1.pipelines.reporting.answer_groups import greedy_answers, groups, mean_of
from medo1.pipelines.reporting.params import ReportingParams
from medo1.statistics.frontier import on_frontier, price_of_a_point
from medo1.statistics.intervals import share_interval
from medo1.statistics.means import mean_with_t
from medo1.vocabulary import ADAPTIVE_VOTE, JUDGED_VOTES

Row = dict[str, Any]
BILLION = 1e9
CURVE = ("accuracy", "accuracy_low", "accuracy_high", "mean_tokens")
NAMED_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?[bB](?![a-zA-Z0-9])")


def size_rows(
    arms: Mapping[str, str], models: Mapping[str, Model], served: Mapping[str, str], sizes: Mapping[str, float]
) -> list[Row]:
    """Rows of `MODEL_SIZES`: how many weights answer in each arm, and how that is known.

    Args:
        arms: the catalog entry of each arm's model; empty where its engine has its own.
        models: those models, by entry.
        served: what each arm's engine calls its model.
        sizes: weights as the parameters give them, by a model's or an arm's name.
    """
    rows = []
    for arm, entry in arms.items():
        model = models.get(entry)
        name = model.name if model is not None else served.get(arm, "")
        given = sizes.get(arm, sizes.get(name))
        if given is not None:
            weights, source = given, "parameters"
        elif model is not None and model.path is not None and (counted := counted_weights(model)):
            weights, source = float(counted), "counted"
        elif found := NAMED_SIZE.search(name.replace("-", " ").replace("_", " ")):
            weights, source = float(found[1]) * BILLION, "name"
        else:
            weights, source = None, ""
        rows.append({"arm": arm, "model": name, "weights": weights, "source": source})
    return rows


def counted_weights(model: Model) -> int:
    """The numbers in a model directory's safetensors, read from their headers alone."""
    from safetensors import safe_open

    assert model.path is not None
    total = 0
    for file in sorted(model.path.glob("*.safetensors")):
        with safe_open(str(file), framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118  (no mapping)
                numbers = 1
                for length in tensors.get_slice(name).get_shape():
                    numbers *= length
                total += numbers
    return total


def frontier_rows(
    answers: Frame,
    vote_curve: Frame,
    budget_curve: Frame,
    selective_curve: Frame,
    timing: Frame,
    model_sizes: Frame,
    prices: Mapping[str, Price],
    params: ReportingParams,
) -> list[Row]:
    """Rows of `FRONTIER`: every way in which an arm was asked, with what a question cost in it."""
    greedy = greedy_answers(answers)
    prompts = {(arm, benchmark): mean_of(group["prompt_tokens"]) for benchmark, arm, group in groups(greedy)}
    speeds = {row["arm"]: row["tokens_per_s"] for row in records(timing)}
    served = {row["arm"]: row["model"] for row in records(timing)}
    weights = {row["arm"]: row["weights"] for row in records(model_sizes)}
    points = [*_single(greedy, params), *_voted(vote_curve), *_budgeted(budget_curve), *_selected(selective_curve)]
    for point in points:
        arm, tokens = point["arm"], _known(point["tokens"])
        prompt = prompts.get((arm, point["benchmark"]))
        speed, size = _known(speeds.get(arm)), _known(weights.get(arm))
        price = price_of(prices, served.get(arm, ""))
        point |= {"tokens": tokens, "seconds": None, "dollars": None, "flops": None}
        if tokens is None:
            continue
        if speed:
            point["seconds"] = tokens / speed
        if price and prompt is not None:
            point["dollars"] = _dollars(price, prompt, tokens)
        if size:
            point["flops"] = 2 * size * ((prompt or 0) + tokens)
    return _judged(points, params.baseline)


def _dollars(price: Price, prompt: float, tokens: float) -> float:
    return (prompt * price.prompt_usd_per_million + tokens * price.completion_usd_per_million) / 1e6


def _judged(points: list[Row], baseline: str) -> list[Row]:
    for benchmark in dict.fromkeys(point["benchmark"] for point in points):
        mine = [point for point in points if point["benchmark"] == benchmark]
        cost = "flops" if all(point["flops"] is not None for point in mine) else "tokens"
        best = on_frontier([point[cost] for point in mine], [point["accuracy"] for point in mine])
        base = next((point for point in mine if point["arm"] == baseline and point["strategy"] == "single"), None)
        for point, good in zip(mine, best, strict=True):
            point["on_frontier"] = good
            point["tokens_per_point"] = (
                price_of_a_point(point["tokens"], point["accuracy"], base["tokens"], base["accuracy"]) if base else None
            )
    return points


def _single(greedy: Frame, params: ReportingParams) -> list[Row]:
    rows = []
    for benchmark, arm, group in groups(greedy, overall=False):
        found = share_interval(int(group["correct"].sum()), len(group), params.confidence)
        keys = {"arm": arm, "benchmark": benchmark, "strategy": "single", "setting": "greedy"}
        rows.append(_point(keys, found.value, found.low, found.high, mean_of(group["completion_tokens"])))
    return rows


def _voted(vote_curve: Frame) -> list[Row]:
    names = {"majority": "majority", ADAPTIVE_VOTE: "adaptive", **{name: name for name in JUDGED_VOTES}}
    return [
        _point(
            {**_keys(row), "strategy": names[row["method"]], "setting": f"k={row['k']}"},
            *(row[name] for name in CURVE),
        )
        for row in records(vote_curve)
        if row["method"] in names
    ]  # fmt: skip


def _budgeted(budget_curve: Frame) -> list[Row]:
    return [
        _point(
            {**_keys(row), "strategy": "budget", "setting": str(row["budget"])},
            *(row[name] for name in CURVE),
        )
        for row in records(budget_curve)
    ]


def _selected(selective_curve: Frame) -> list[Row]:
    return [
        _point(
            {**_keys(row), "strategy": "selective", "setting": f"{row['score']} below {float(row['tau'])!r}"},
            *(row[name] for name in ("accuracy", "low", "high", "tokens")),
        )
        for row in records(selective_curve)
    ]


def _keys(row: Row) -> Row:
    return {"arm": row["arm"], "benchmark": row["benchmark"]}


def _point(keys: Row, accuracy: float, low: float, high: float, tokens: float | None) -> Row:
    return {**keys, "accuracy": accuracy, "low": low, "high": high, "tokens": tokens}


def _known(value: Any) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124  (NaN)


def length_rows(greedy: Frame, confidence: float) -> list[Row]:
    """Rows of `LENGTHS`: tokens of right and of wrong greedy answers, by difficulty where it is known."""
    import pandas as pd

    counted = greedy.dropna(subset=["completion_tokens"])
    rows = []
    for benchmark, arm, group in groups(counted) if len(counted) else []:
        keys: Any
        for keys, part in group.groupby(["difficulty", "correct"], sort=True, dropna=False):
            difficulty, correct = keys
            found = mean_with_t(part["completion_tokens"].astype(float).tolist(), confidence)
            rows.append(
                {
                    "arm": arm,
                    "benchmark": benchmark,
                    "difficulty": None if pd.isna(difficulty) else int(difficulty),
                    "correct": bool(correct),
                    "n": len(part),
                    "mean_tokens": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return rows
