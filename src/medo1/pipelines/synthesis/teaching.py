"""A lesson: the teachers write one format's chains, within a budget, and an account is kept.

Who calls it: the nodes of synthesis. What a chain is and how one comes about is `medo1.chains`; here are the tables.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from medo1.chains.estimating import estimate_chains, total
from medo1.chains.formats import FORMATS, Checks
from medo1.chains.lengths import length_figure, length_rows
from medo1.chains.making import Made, Rejected, Settings, make_chains
from medo1.chains.recipes import RECIPES
from medo1.engines.base import Completion, Engine
from medo1.engines.wrappers.money import Account, Budget, Price, budgeted
from medo1.engines.wrappers.progress import Tally
from medo1.errors import UserError
from medo1.frames import Frame, records
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams

logger = logging.getLogger(__name__)


class Lesson(NamedTuple):
    """What `taught` gives: tables `CHAINS`, `CHAINS_REJECTED`, `TEACHING_COSTS`, and the estimate by stage."""

    chains: Frame
    rejected: Frame
    costs: Frame
    estimate: dict[str, Any]


def taught(
    questions: Frame,
    engines: Mapping[str, Engine],
    prompts: Mapping[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    budget: Budget,
    name: str,
) -> Lesson:
    """See `nodes.write_chains`."""
    from medo1 import tables
    from medo1.questions import questions_from

    written = spec.writes or name
    if written not in FORMATS:
        raise UserError(
            f"formats.{name}: there is no format {name!r}; say with `writes` which of {', '.join(FORMATS)} it is"
        )
    recipe = RECIPES[spec.recipe]
    if missing := [role for role in recipe.engines if role not in engines]:
        raise UserError(f"formats.{name}: recipe {spec.recipe} asks {missing[0]}, which the catalog does not have")
    prices = {model: Price(**price.model_dump()) for model, price in params.prices.items()}
    paid = {role: budgeted(engines[role], prices, budget) for role in recipe.engines}
    asked_for = questions_from(questions)
    plan: dict[str, Any] = {
        "format": written,
        "recipe": recipe,
        "engines": paid,
        "prompts": prompts,
        "settings": _settings(params, spec),
        "seed": seed,
    }
    stages = None if params.expected_tokens is None else dict.fromkeys(recipe.placeholders(), params.expected_tokens)
    by_stage = estimate_chains(asked_for, **plan, prices=prices, completion_tokens=stages, where=_where(name))
    whole = total(by_stage.values())
    logger.info("%s: %s", name, whole)
    if params.estimate_only:
        raise UserError(f"{name}: {whole}. Nothing was sent (synthesis.estimate_only is set)")
    account = Account(prices)
    tally = Tally(whole.requests, name, account)

    def watch(completion: Completion, engine: Engine, stage: str) -> None:
        account.add(completion, engine, stage)
        tally.add(completion)

    chains: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    try:
        for outcome in make_chains(asked_for, **plan, where=_where(name), watch=watch):
            if isinstance(outcome, Made):
                chains.append(_chain_row(outcome, name))
            else:
                rejected.append(_rejected_row(outcome, name))
    finally:
        tally.close()
    if rejected:
        logger.warning("%s: %d of %d chains rejected; see %s.chains_rejected", name, len(rejected),
                       len(rejected) + len(chains), name)  # fmt: skip
    return Lesson(
        tables.as_table(tables.CHAINS, _ordered(chains)),
        tables.as_table(tables.CHAINS_REJECTED, _ordered(rejected)),
        tables.as_table(tables.TEACHING_COSTS, [{"format": name, **_stage(row)} for row in account.rows()]),
        {"total": whole.row(), "stages": {stage: one.row() for stage, one in by_stage.items()}},
    )


def _where(name: str) -> str:
    return f"prompts of {name}"


def _settings(params: SynthesisParams, spec: FormatParams) -> Settings:
    return Settings(
        samples=params.samples,
        temperature=params.temperature,
        max_new_tokens=params.max_new_tokens,
        tries=params.tries,
        when_cut=params.when_cut,
        cut_rounds=params.cut_rounds,
        cut_factor=params.cut_factor,
        answer_guided=spec.answer_guided,
        checks=Checks(min_steps=spec.min_steps, require_parts=spec.require_parts, min_turns=spec.min_turns),
    )


def _chain_row(made: Made, name: str) -> dict[str, Any]:
    completion = made.completion
    tokens = completion.completion_tokens
    if tokens is not None:  # the chain's own length: hidden thought is paid for, but nobody learns from it
        tokens = max(0, tokens - (completion.reasoning_tokens or 0))
    return {
        "question_id": made.question_id,
        "format": name,
        "sample": made.sample,
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "completion_tokens": tokens,
        "teacher": completion.model,
        "guided": made.guided,
        "request_id": completion.request_id,
        "request_ids": list(made.request_ids),
    }


def _rejected_row(rejected: Rejected, name: str) -> dict[str, Any]:
    return {
        "question_id": rejected.question_id,
        "format": name,
        "sample": rejected.sample,
        "reason": f"{rejected.code}: {rejected.reason}",
        "content": rejected.text,
    }


def _stage(row: dict[str, Any]) -> dict[str, Any]:
    return {"stage" if key == "label" else key: value for key, value in row.items()}


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By key, so that the order in which answers came back leaves no trace."""
    return sorted(rows, key=lambda row: (row["question_id"], row["sample"]))


def length_table(chains: Mapping[str, Frame]) -> tuple[Frame, Any]:
    """Lengths of each format's chains beside the paper's means: table `CHAIN_LENGTHS` and its figure."""
    from medo1 import tables

    counted = {name: table["completion_tokens"].dropna().astype(int).tolist() for name, table in chains.items()}
    unknown = {name: int(table["completion_tokens"].isna().sum()) for name, table in chains.items()}
    return tables.as_table(tables.CHAIN_LENGTHS, length_rows(counted, unknown)), length_figure(counted)


def cost_table(costs: Mapping[str, Frame]) -> Frame:
    """All formats' costs, and their sum as the last row (`format` is `total`)."""
    from medo1 import tables

    rows = [row for table in costs.values() for row in records(table)]
    if rows:
        sums = {
            key: sum(row[key] for row in rows) for key, value in rows[0].items() if not isinstance(value, str | bool)
        }
        rows.append({**sums, "format": "total", "stage": "", "model": "", "priced": all(row["priced"] for row in rows)})
    return tables.as_table(tables.TEACHING_COSTS, rows)
