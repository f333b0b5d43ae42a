"""What thinking cost: tokens by part, what became of each draw, and what a run took in time, money and energy.

Called by the nodes of inference. A generation's tokens are split into thought and answer where the server says so, or
where the answer was asked for by itself; else where the statement begins that was read as the answer, by its share of
the characters.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from medo1.engines.base import Completion, Engine
from medo1.engines.wrappers.money import Account, Price
from medo1.engines.wrappers.progress import Tally
from medo1.frames import Frame, records
from medo1.pipelines.inference.thinking import GenerationStatus

KEYS = ["question_id", "benchmark", "arm", "draw", "sample"]
QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9, "most": 1.0}


class Meter:
    """Counts the completions of an arm as they pass, shows how far they are, and says in the end what it took.

    Args:
        arm: its name. engine: whose completions. total: how many to expect.
        prices: the price table. power_w: what the machine draws, watts; None where not known.
    """

    def __init__(
        self, arm: str, engine: Engine, total: int, prices: Mapping[str, Price], power_w: float | None
    ) -> None:
        self._arm = arm
        self._engine = engine
        self._prices = prices
        self._power_w = power_w
        self._account = Account(prices)
        self._tally = Tally(total, f"{arm} generations", self._account)
        self._asking_s = 0.0

    def passed(self, completions: Iterable[Completion]) -> Iterator[Completion]:
        """The completions, counted."""
        began = time.monotonic()
        try:
            for completion in completions:
                self._account.add(completion, self._engine, self._arm)
                self._tally.add(completion)
                yield completion
        finally:
            self._asking_s += time.monotonic() - began

    def close(self) -> dict[str, Any]:
        """The row of `tables.TIMING`; the last state stays on the screen."""
        self._tally.close()
        counts: dict[str, Any] = next(iter(self._account.rows()), {})
        tokens = counts.get("completion_tokens", 0)
        wall_s = self._asking_s
        sent = counts.get("requests", 0) - counts.get("kept", 0)
        return {
            "arm": self._arm,
            "model": counts.get("model", ""),
            "requests": counts.get("requests", 0),
            "kept": counts.get("kept", 0),
            "failed": counts.get("failed", 0),
            "prompt_tokens": counts.get("prompt_tokens", 0),
            "completion_tokens": tokens,
            "wall_s": wall_s,
            "tokens_per_s": tokens / wall_s if sent and wall_s > 0 else None,
            "cost_usd": counts["cost_usd"] if counts.get("priced") else None,
            "energy_wh": self._power_w * wall_s / 3600 if self._power_w is not None and sent else None,
        }


def tokens_and_outcomes(generations: Frame, answers: Frame) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `tables.TOKENS` and of `tables.OUTCOMES`."""
    both = generations.merge(
        answers[[*KEYS, "span_start", "correct"]], on=KEYS, how="left", validate="one_to_one", sort=False
    )
    for part, values in _parts(both).items():
        both[part] = values
    tokens: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for (arm, benchmark, draw), group in both.groupby(["arm", "benchmark", "draw"], sort=True):
        keys = {"arm": arm, "benchmark": benchmark, "draw": draw}
        tokens += [{**keys, "part": part, "generations": len(group), **_spread(group[part])} for part in PARTS]
        finished = group[group["status"] == "finished"]
        counts = group["status"].value_counts()
        outcomes.append(
            {
                **keys,
                "generations": len(group),
                **{status: int(counts.get(status, 0)) for status in STATUSES},
                "accuracy": float(group["correct"].mean()),
                "accuracy_finished": float(finished["correct"].mean()) if len(finished) else None,
            }
        )
    return tokens, outcomes


PARTS = ("prompt", "thinking", "answer", "completion")
STATUSES = get_args(GenerationStatus)


def _parts(generations: Frame) -> dict[str, list[float | None]]:
    """Tokens of each part of each generation; None where the engine did not count."""
    parts: dict[str, list[float | None]] = {part: [] for part in PARTS}
    for row in records(generations):
        total, prompt = _number(row["completion_tokens"]), _number(row["prompt_tokens"])
        answer = None if total is None else _answer_tokens(row, total)
        parts["prompt"].append(prompt)
        parts["completion"].append(total)
        parts["answer"].append(answer)
        parts["thinking"].append(None if total is None or answer is None else total - answer)
    return parts


def _answer_tokens(row: Mapping[str, Any], total: float) -> float:
    thought = _number(row["reasoning_tokens"])
    if thought is not None:
        return max(0.0, total - thought)
    if row["answer_tokens"]:
        return float(row["answer_tokens"])
    start = _number(row["span_start"])
    if start is None or not row["text"]:
        return 0.0
    return float(round(total * (len(row["text"]) - start) / len(row["text"])))


def _number(value: Any) -> float | None:
    import pandas as pd

    return None if pd.isna(value) else float(value)


def _spread(values: Any) -> dict[str, float | None]:
    known = values.astype("float64").dropna()
    if known.empty:
        return dict.fromkeys(("mean", *QUANTILES, "total"))
    return {
        "mean": float(known.mean()),
        **{name: float(known.quantile(share)) for name, share in QUANTILES.items()},
        "total": float(known.sum()),
    }
