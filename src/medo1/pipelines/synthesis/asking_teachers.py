"""A format's parameters as a task for teachers; which engines, within which budget; and the
estimate of money and time, as data and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from medo1.chains import ChainTask
from medo1.chains.survey import Survey, total
from medo1.engines.base import Adapter, Engine
from medo1.engines.wrappers.money import Estimate, budget_of, budgeted
from medo1.errors import UserError
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams


def chain_task(
    name: str,
    prompts: Mapping[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    adapter: Adapter | None = None,
) -> ChainTask:
    """What is asked for under the name of a format.

    Args:
        name: the format's. prompts: its prompt files, one a stage. params, spec: how all, and how it, is asked for.
        seed: the run's.
        adapter: of the student that writes; None where the engines answer as they are.

    Raises:
        UserError: see `ChainTask`; or the name is no format's and `writes` does not say which.
    """
    try:
        format = spec.written(name)
    except ValueError as error:
        raise UserError(str(error)) from None
    return ChainTask(
        format=format,
        recipe=spec.calls,
        prompts=prompts,
        teaching=spec.asked_with(params),
        checks=spec,
        answer_guided=spec.answer_guided,
        seed=seed,
        seeded_as=spec.seeded_as,
        adapter=adapter,
        where=f"prompts of {name}",
    )


def teachers(name: str, spec: FormatParams, teacher: Engine, plain_teacher: Engine | None) -> dict[str, Engine]:
    """The engines that the recipe asks, by role.

    Raises:
        UserError: one of them is not there.
    """
    given = {"teacher": teacher, "plain_teacher": plain_teacher}
    engines: dict[str, Engine] = {role: engine for role in spec.calls.engines if (engine := given[role]) is not None}
    if missing := [role for role in spec.calls.engines if role not in engines]:
        raise UserError(f"formats.{name}: recipe {spec.recipe} asks {missing[0]}, which the catalog does not have")
    return engines


def student_teacher(name: str, spec: FormatParams, student: Engine, budget_usd: float | None) -> dict[str, Engine]:
    """A student in every role of the recipe.

    Raises:
        UserError: it may cost money, and the run has a budget: that one is the teacher's.
    """
    if student.charges and budget_usd is not None:
        raise UserError(
            f"formats.{name}: source: student, and the engine `student` may cost money, as it is asked over a network; "
            "synthesis.budget_usd holds for teachers alone. Give `student` an engine of this machine "
            "(medo1.engines.Transformers, medo1.engines.Vllm), or set budget_usd: null"
        )
    return dict.fromkeys(spec.calls.engines, student)


def paid_engines(engines: Mapping[str, Engine], params: SynthesisParams) -> dict[str, Engine]:
    """The engines within the run's budget, which all formats share: it goes with the teacher, whom every recipe asks.

    Raises:
        EngineError: a budget without the price of a model.
    """
    budget = budget_of(engines["teacher"], params.budget_usd)
    return {role: budgeted(engine, params.prices, budget) for role, engine in engines.items()}


def estimate_of(survey: Survey, engines: Mapping[str, Engine]) -> dict[str, Any]:
    """A survey's estimate as data: each stage's and the whole, with the seconds that the engines' limits make of it.

    `seconds` counts the answers at their expected length; `seconds_bound` as if each used the whole `max_new_tokens`,
    which is what a limit of tokens per minute sets aside when a request goes out. Engines work side by side.
    """
    stages = survey.stages
    by_role: dict[str, Estimate] = {
        role: total(stages[stage.name] for stage in survey.task.recipe.stages if stage.engine == role)
        for role in survey.task.recipe.engines
    }
    paces = {role: engines[role].pace for role in by_role}
    seconds = [
        (
            paces[role].seconds(one.to_send, one.prompt_tokens + one.completion_tokens),
            paces[role].seconds(one.to_send, one.prompt_tokens + one.completion_tokens_bound),
        )
        for role, one in by_role.items()
    ]
    return {
        "total": survey.whole.row(),
        "stages": {stage: one.row() for stage, one in stages.items()},
        "seconds": max(likely for likely, _ in seconds),
        "seconds_bound": max(bound for _, bound in seconds),
    }


def told_estimate(estimate: Mapping[str, Any]) -> str:
    """One format's estimate in words."""
    names = [field.name for field in fields(Estimate)]
    whole = Estimate(**{key: estimate["total"][key] for key in names})
    return f"{whole}{_time(whole, estimate['seconds'], estimate['seconds_bound'])}"


def told_estimates(estimates: Mapping[str, Mapping[str, Any]], budget_usd: float | None) -> list[str]:
    """One line a format, the sum, and whether the budget is enough."""
    names = [field.name for field in fields(Estimate)]
    whole = total(Estimate(**{key: one["total"][key] for key in names}) for one in estimates.values())
    together = {
        "total": whole.row(),
        "seconds": sum(one["seconds"] for one in estimates.values()),
        "seconds_bound": sum(one["seconds_bound"] for one in estimates.values()),
    }
    lines = [f"{name}: {told_estimate(one)}" for name, one in estimates.items()]
    lines.append(f"all formats: {told_estimate(together)}")
    if budget_usd is not None and whole.cost_usd is not None:
        enough = (
            "is enough" if whole.cost_usd <= budget_usd else "is NOT enough: the run would stop there, and go on later"
        )
        lines.append(f"the budget of ${budget_usd:,.2f} {enough}")
    lines.append("nothing was sent (synthesis.estimate_only)")
    return lines


def _time(estimate: Estimate, likely_s: float, bound_s: float) -> str:
    if not estimate.to_send:
        return ""
    if not bound_s:
        return "; no limit of requests or tokens per minute is configured"
    if likely_s == bound_s:
        return f"; at least {_duration(likely_s)} under the engines' limits"
    bound = f"{_duration(bound_s)} if answers use their whole length"
    return f"; at least {_duration(likely_s)} under the engines' limits, {bound}"


def _duration(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004
