"""What thinking cost: tokens by part, the outcome of each draw, and a run's time, money and energy."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from medo1.engines.base import Completion, Engine
from medo1.engines.wrappers.money import Account, Price
from medo1.engines.wrappers.progress import Tally
from medo1.frames import Frame
from medo1.vocabulary import GENERATION_OUTCOMES, TOKEN_PARTS

QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9, "most": 1.0}


class ArmMeter:
    """Counts the completions of an arm as they pass, shows how far they are, and says in the end what it took.

    Args:
        arm: its name. engine: whose completions. total: how many to expect.
        prices: the price table. power_w: what the machine draws, watts; None where not known.
        most_tokens: that an answer may have.
    """

    def __init__(
        self,
        arm: str,
        engine: Engine,
        total: int,
        prices: Mapping[str, Price],
        power_w: float | None,
        most_tokens: int | None = None,
    ) -> None:
        self._arm = arm
        self._engine = engine
        self._prices = prices
        self._power_w = power_w
        self._account = Account(prices)
        self._tally = Tally(
            total, f"{arm} generations", self._account, tokens_each=most_tokens, at_most=most_tokens is not None
        )
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


def token_rows(answers: Frame) -> list[dict[str, Any]]:
    """Rows of `tables.TOKENS`: how the tokens of each part are spread, by arm, benchmark and draw."""
    return [
        {**keys, "part": part, "generations": len(group), **_spread(group[f"{part}_tokens"])}
        for keys, group in _draws(answers)
        for part in TOKEN_PARTS
    ]


def outcome_rows(answers: Frame) -> list[dict[str, Any]]:
    """Rows of `tables.OUTCOMES`: what became of the draws, and accuracy over all, over the finished ones, and as a
    strict reader gives it."""
    rows = []
    for keys, group in _draws(answers):
        finished = group[group["outcome"] == "finished"]
        counts = group["outcome"].value_counts()
        rows.append(
            {
                **keys,
                "generations": len(group),
                **{str(outcome): int(counts.get(outcome, 0)) for outcome in GENERATION_OUTCOMES},
                "accuracy": float(group["correct"].mean()),
                "accuracy_finished": float(finished["correct"].mean()) if len(finished) else None,
                "accuracy_strict": None if _free(group) else float((group["strict_letter"] == group["gold"]).mean()),
            }
        )
    return rows


def _free(answers: Frame) -> bool:
    """Whether these answers are lists of diagnoses; a list may be empty, but not all of them."""
    return any(len(names) for names in answers["differential"])


def _draws(answers: Frame) -> Iterator[tuple[dict[str, Any], Frame]]:
    """The answers of each arm, benchmark and draw; those at smaller budgets are another table's."""
    drawn = answers[answers["draw"] != "swept"]
    for (arm, benchmark, draw), group in drawn.groupby(["arm", "benchmark", "draw"], sort=True):
        yield {"arm": arm, "benchmark": benchmark, "draw": draw}, group


def _spread(values: Any) -> dict[str, float | None]:
    counted = values.astype("float64").dropna()
    if counted.empty:
        return dict.fromkeys(("mean", *QUANTILES, "total"))
    return {
        "mean": float(counted.mean()),
        **{name: float(counted.quantile(share)) for name, share in QUANTILES.items()},
        "total": float(counted.sum()),
    }
