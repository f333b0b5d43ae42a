"""Every chain of a task taken as far as stored answers allow: what is finished, what is left to send, what that will
cost and how long it will take.

A run continues from its survey, so that the recipe is walked once. Stages after an answer that is still missing are
estimated from the length of the engine's earlier answers. Retries after an unusable reply are not included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from medo1.chains.state import ChainState, MadeChain, RejectedChain
from medo1.chains.task import ChainTask
from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.engines.tokens import BYTES_PER_TOKEN, prompt_tokens_guess
from medo1.engines.wrappers.money import Estimate, Prices, cost_bound_usd, cost_usd, price_of
from medo1.engines.wrappers.store import engine_address
from medo1.engines.wrappers.stored import Stored
from medo1.questions import Question

Watch = Callable[[Completion, Engine, str], None]


@dataclass(slots=True)
class Survey:
    """Where a task stands.

    Attributes:
        task: what is asked for.
        state: the chains under way.
        finished: those that kept answers finished.
        calls: the next calls of chains that kept answers began, by the engine's role.
        unbegun: questions and samples of which nothing was kept.
        stages: the estimate of each stage, by its name.
    """

    task: ChainTask
    state: ChainState
    finished: list[MadeChain | RejectedChain] = field(default_factory=list)
    calls: list[tuple[str, Request]] = field(default_factory=list)
    unbegun: list[tuple[Question, int]] = field(default_factory=list)
    stages: dict[str, Estimate] = field(default_factory=dict)

    @property
    def whole(self) -> Estimate:
        """The estimate of all stages."""
        return total(self.stages.values())


def survey_chains(
    questions: Iterable[Question],
    task: ChainTask,
    engines: Mapping[str, Engine],
    prices: Prices,
    expected_tokens: float | None = None,
    watch: Watch | None = None,
) -> Survey:
    """Where a task stands. Sends nothing.

    Args:
        questions: what chains are written for.
        task: what is asked for.
        engines: by role, as the recipe names them.
        prices: the price table.
        expected_tokens: of an answer, hidden thought included; None: the mean of the engine's earlier answers, and
            without those the whole `max_new_tokens`.
        watch: called with each kept answer, its engine and its stage, for accounts.
    """
    stages = task.recipe.stages
    counts = {stage.name: _StageCount(engines[stage.engine], prices, task, expected_tokens) for stage in stages}
    survey = Survey(task, ChainState(task))
    for question in questions:
        for sample in range(task.teaching.samples):
            _look(survey, question, sample, counts, engines, watch)
    survey.stages = {name: count.estimate() for name, count in counts.items()}
    return survey


def _look(
    survey: Survey,
    question: Question,
    sample: int,
    counts: Mapping[str, _StageCount],
    engines: Mapping[str, Engine],
    watch: Watch | None,
) -> None:
    """One chain, as far as kept answers reach."""
    state, stages = survey.state, survey.task.recipe.stages
    waiting = state.begin(question, sample)
    reached: set[str] = set()
    missing: list[tuple[str, Request]] = []
    kept_any = False
    while waiting:
        role, request = waiting.pop(0)
        stage = state.stage_of(request.key)
        reached.add(stage)
        if (kept := counts[stage].look(request)) is None:
            missing.append((role, request))
            continue
        kept_any = True
        if watch is not None:
            watch(kept, engines[role], stage)
        outcome, further = state.take(kept)
        waiting += further
        if outcome is not None:
            survey.finished.append(outcome)
    if state.goes_on(question, sample):
        for later in stages:
            if later.name not in reached:  # its prompt will hold answers, which are guessed at their usual length
                needed = sum(counts[name].expected for name in later.needs)
                text = survey.task.prompts[later.name] + question.stem + " ".join(question.options.values())
                stand_in = Message("user", text + "x" * round(needed * BYTES_PER_TOKEN))
                counts[later.name].count(Request("", (stand_in,), counts[later.name].sampling))
    if kept_any:
        survey.calls += missing
    else:
        state.forget(question, sample)
        survey.unbegun.append((question, sample))


class _StageCount:
    """Counts one stage's requests."""

    def __init__(self, engine: Engine, prices: Prices, task: ChainTask, expected: float | None) -> None:
        self._engine = engine
        self._kept_answer = engine.lookup() if isinstance(engine, Stored) else None
        self._price = price_of(prices, str(engine.identity.get("model", "")))
        most = task.teaching.max_new_tokens
        if expected is None and isinstance(engine, Stored):
            expected = engine.store.typical_completion_tokens(engine_address(engine.identity))
        self.expected = float(most) if expected is None else min(expected, float(most))
        self.sampling = Sampling(task.teaching.temperature, max_new_tokens=most)
        self._requests = self._kept = self._prompt = self._likely = self._bound = 0
        self._money = self._most = 0.0

    def look(self, request: Request) -> Completion | None:
        """The kept answer to a request; without one it is counted as to be sent."""
        kept = self._kept_answer(request) if self._kept_answer is not None else None
        if kept is None:
            self.count(request)
            return None
        self._requests += 1
        self._kept += 1
        return kept

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
