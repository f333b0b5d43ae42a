"""Nodes of synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Engine
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams

if TYPE_CHECKING:
    from medo1.engines.wrappers.money import Budget
else:
    Budget = Any  # Kedro reads annotations at start, and should not import the engines for it


def choose_training_questions(questions: Frame, params: SynthesisParams, seed: int) -> Frame:
    """The training questions that chains are written for: a sample by content and seed, not by place in a file."""
    train = questions[questions["split"] == "train"]
    order = train["question_id"].map(lambda question_id: seed_from("training questions", seed, question_id))
    drawn = train.loc[order.sort_values(kind="stable").index]
    if params.questions_of:
        place = drawn.groupby("benchmark").cumcount()
        drawn = drawn[place < drawn["benchmark"].map(params.questions_of).fillna(0)]
    return drawn.head(params.questions).reset_index(drop=True)


def open_budget(params: SynthesisParams) -> Budget:
    """The money of this run, which all formats share."""
    from medo1.engines.wrappers.money import Budget

    return Budget(params.budget_usd)


def write_chains(
    questions: Frame,
    prompts: dict[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    budget: Budget,
    teacher: Engine,
    plain_teacher: Engine | None = None,
    *,
    format: str,
) -> tuple[Frame, Frame, Frame, dict[str, Any]]:
    """One chain per question and sample, written by the teachers after the format's recipe.

    Args:
        questions: what to write chains for.
        prompts: the format's prompt files, one a stage.
        params: sampling, tries, money.
        spec: recipe and checks of the format.
        seed: the run's seed; each request gets its own from it.
        budget: what may be spent.
        teacher: the strong one.
        plain_teacher: the other one, for recipes that ask two.
        format: name of the format, or of a variant of one.

    Returns:
        The chains; what could not be made into one, with the reason; what it cost; and what was expected beforehand.

    Raises:
        UserError: a prompt or an engine is missing; or `estimate_only` is set, with the estimate.
        BudgetError: the budget is spent; every answer is in the completion store.
    """
    from medo1.pipelines.synthesis.teaching import taught

    engines = {"teacher": teacher} | ({"plain_teacher": plain_teacher} if plain_teacher is not None else {})
    lesson = taught(questions, engines, prompts, params, spec, seed, budget, format)
    return lesson.chains, lesson.rejected, lesson.costs, lesson.estimate


def summarise_teaching(*tables_: Frame, formats: tuple[str, ...], taught: tuple[str, ...]) -> tuple[Frame, Any, Frame]:
    """How long the chains are, beside the paper's, as table and figure; and what all teaching cost.

    Args:
        tables_: the chains of each of `formats`, then the costs of each of `taught`.
        formats: all formats.
        taught: those that a teacher wrote.
    """
    from medo1.pipelines.synthesis.teaching import cost_table, length_table

    chains = dict(zip(formats, tables_, strict=False))
    costs = dict(zip(taught, tables_[len(formats) :], strict=True))
    table, figure = length_table(chains)
    return table, figure, cost_table(costs)


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By key, so that the order in which answers came back leaves no trace."""
    return sorted(rows, key=lambda row: (row["question_id"], row["sample"]))


def import_chains(folder: Path, questions: Frame, params: FormatParams, format: str) -> tuple[Frame, Frame]:
    """Chains from a file in place of a teacher, for the training questions that they belong to.

    A row's chain is its reasoning, then its answer, then the line `Final answer: X` where the row's own answer field
    states a letter that the text does not. A chain is never given a letter that its author did not state.
    """
    from medo1 import tables
    from medo1.chains.importing import ChainColumns, imported_chains

    assert params.imported is not None
    imported = params.imported
    fields = ChainColumns(imported.form, imported.reasoning, imported.answer, imported.mapping)
    wanted = set(questions["question_id"])
    chains, rejected = imported_chains(folder / imported.file, fields, wanted, format)
    return tables.as_table(tables.CHAINS, _ordered(chains)), tables.as_table(tables.CHAINS_REJECTED, rejected)
