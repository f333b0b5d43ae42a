"""What a run of a recipe will send and cost, before it sends anything.

Who calls it: synthesis, before the first request. The recipe is walked with the answers that are in the store, exactly
as a run would; what is not there is counted, and stages behind it are guessed from the length that answers have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from medo1.chains.making import ChainState, Settings, check_prompts
from medo1.chains.recipes import Recipe
from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.engines.tokens import BYTES_PER_TOKEN, prompt_tokens_guess
from medo1.engines.wrappers.money import Estimate, Prices, cost_bound_usd, cost_usd, price_of
from medo1.engines.wrappers.store import engine_address, request_address
from medo1.engines.wrappers.stored import Stored
from medo1.questions import Question


def estimate_chains(
    questions: Iterable[Question],
    *,
    format: str,
    recipe: Recipe,
    engines: Mapping[str, Engine],
    prompts: Mapping[str, str],
    settings: Settings,
    seed: int,
    prices: Prices,
    completion_tokens: Mapping[str, float] | None = None,
    where: str = "the prompts",
) -> dict[str, Estimate]:
    """An estimate for each stage, by its name. Arguments as for `make_chains`.

    Args:
        completion_tokens: expected tokens of an answer, by stage; without it, the mean of the engine's earlier answers,
            and without those the whole `max_new_tokens`. Asking again after an invalid chain is not foreseen.
    """
    check_prompts(recipe, prompts, settings, where)
    counters = {
        stage.name: _Counter(engines[stage.engine], prices, settings, (completion_tokens or {}).get(stage.name))
        for stage in recipe.stages
    }
    for question in questions:
        for sample in range(settings.samples):
            maker = ChainState(format, recipe, dict(prompts), settings, seed)
            waiting = maker.begin(question, sample)
            reached: set[str] = set()
            while waiting:
                _, request = waiting.pop()
                stage = maker.stage_of(request.key)
                reached.add(stage)
                if (kept := counters[stage].look(request)) is not None:
                    waiting += maker.take(kept)[1]
            for later in recipe.stages:
                if later.name not in reached and any(not work.failed for work in maker.works.values()):
                    # Its prompt will hold the answers that it needs; they are guessed at their usual length.
                    needed = sum(counters[name].expected for name in later.needs)
                    text = prompts[later.name] + question.stem + " ".join(question.options.values())
                    stand_in = Message("user", text + "x" * round(needed * BYTES_PER_TOKEN))
                    counters[later.name].count(Request("", (stand_in,), counters[later.name].sampling))
    return {name: counter.estimate() for name, counter in counters.items()}


class _Counter:
    """Counts one stage's requests."""

    def __init__(self, engine: Engine, prices: Prices, settings: Settings, expected: float | None) -> None:
        self._engine = engine
        self._store = engine.store if isinstance(engine, Stored) else None
        self._engine_id = engine_address(engine.identity)
        self._price = price_of(prices, str(engine.identity.get("model", "")))
        if expected is None and self._store is not None:
            expected = self._store.typical_completion_tokens(self._engine_id)
        most = float(settings.max_new_tokens)
        self.expected = most if expected is None else min(expected, most)
        self.sampling = Sampling(settings.temperature, max_new_tokens=settings.max_new_tokens)
        self._requests = self._kept = self._prompt = self._likely = self._bound = 0
        self._money = self._most = 0.0

    def look(self, request: Request) -> Completion | None:
        """The kept answer to a request; without one it is counted as to be sent."""
        if self._store is not None:
            kept = self._store.get(request_address(request, self._engine_id), request.key)
            if kept is not None:
                self._requests += 1
                self._kept += 1
                return kept
        self.count(request)
        return None

    def count(self, request: Request) -> None:
        """One request that will be sent."""
        prompt = prompt_tokens_guess(request.messages)
        self._requests += 1
        self._prompt += prompt
        self._likely += round(self.expected)
        self._bound += request.sampling.max_new_tokens
        if self._price is not None:
            answer = Completion("", "", "stop", prompt_tokens=prompt, completion_tokens=round(self.expected))
            self._money += cost_usd(answer, self._price, self._engine.price_factor)
            self._most += cost_bound_usd(request, self._price, self._engine.price_factor)

    def estimate(self) -> Estimate:
        return Estimate(
            requests=self._requests,
            kept=self._kept,
            to_send=self._requests - self._kept,
            prompt_tokens=self._prompt,
            completion_tokens=self._likely,
            completion_tokens_bound=self._bound,
            cost_usd=None if self._price is None else self._money,
            cost_bound_usd=None if self._price is None else self._most,
        )


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Several estimates as one; without a price if one of them, with requests to send, has none."""
    whole = Estimate(0, 0, 0, 0, 0, 0, 0.0, 0.0)
    for one in estimates:
        priced = one.cost_usd is not None or not one.to_send
        whole = replace(
            whole,
            requests=whole.requests + one.requests,
            kept=whole.kept + one.kept,
            to_send=whole.to_send + one.to_send,
            prompt_tokens=whole.prompt_tokens + one.prompt_tokens,
            completion_tokens=whole.completion_tokens + one.completion_tokens,
            completion_tokens_bound=whole.completion_tokens_bound + one.completion_tokens_bound,
            cost_usd=_sum(whole.cost_usd, one.cost_usd, priced=priced),
            cost_bound_usd=_sum(whole.cost_bound_usd, one.cost_bound_usd, priced=priced),
        )
    return whole


def _sum(one: float | None, other: float | None, *, priced: bool) -> float | None:
    return None if one is None or not priced else one + (other or 0.0)
