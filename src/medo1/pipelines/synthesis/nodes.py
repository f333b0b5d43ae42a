"""Nodes of synthesis."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Adapter, Engine, Model
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams
from medo1.wiring import checked_first

if TYPE_CHECKING:
    from medo1.chains import ChainTask

logger = logging.getLogger(__name__)


def choose_training_questions(questions: Frame, params: SynthesisParams, seed: int) -> Frame:
    """The training questions that chains are written for: a sample by content and seed, not by place in a file.

    Raises:
        UserError: none fits.
    """
    train = questions[questions["split"] == "train"]
    order = train["question_id"].map(lambda question_id: seed_from("training questions", seed, question_id))
    drawn = train.loc[order.sort_values(kind="stable").index]
    if params.questions_of:
        place = drawn.groupby("benchmark").cumcount()
        drawn = drawn[place < drawn["benchmark"].map(params.questions_of).fillna(0)]
        short = {
            name: (int((drawn["benchmark"] == name).sum()), most)
            for name, most in params.questions_of.items()
            if (drawn["benchmark"] == name).sum() < most
        }
        if short and len(drawn):
            told = ", ".join(f"{found} of {wanted} of {name}" for name, (found, wanted) in short.items())
            logger.warning("synthesis.questions_of: there are only %s", told)
    if not len(drawn):
        found = Counter(zip(questions["benchmark"], questions["split"], strict=True))
        there = ", ".join(f"{count} of {benchmark} ({split})" for (benchmark, split), count in sorted(found.items()))
        wanted = f" of {', '.join(params.questions_of)}" if params.questions_of else ""
        raise UserError(
            f"There is no training question{wanted} to write chains for; the table `questions` has {there or 'none'}. "
            "Bring training questions (ingest.files, with split: train), or change synthesis.questions_of"
        )
    return drawn.head(params.questions).reset_index(drop=True)


def taught_questions(questions: Frame, spec: FormatParams) -> Frame:
    """Those of the training questions that a format's chains are written for."""
    return questions if spec.questions is None else questions.head(spec.questions)


def check_teaching(
    prompts: dict[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    teacher: Engine,
    plain_teacher: Engine | None = None,
    *,
    format: str,
) -> None:
    """What can be known to be wrong before anything is paid: prompts, recipe, prices, engines.

    Raises:
        UserError: naming it.
    """
    from medo1.pipelines.synthesis.asking_teachers import chain_task, paid_engines, teachers

    chain_task(format, prompts, params, spec, seed)
    engines = teachers(format, spec, teacher, plain_teacher)
    paid_engines(engines, params)
    if params.estimate_only:
        return
    for engine in engines.values():
        if not _has_answered(engine):
            engine.check()


def _has_answered(engine: Engine) -> bool:
    """Whether answers of it are kept: then a run may need none of it, and asks for it when it does."""
    from medo1.engines.wrappers.store import engine_address
    from medo1.engines.wrappers.stored import Stored

    if not isinstance(engine, Stored):
        return False
    return engine.store.typical_completion_tokens(engine_address(engine.identity)) is not None


@checked_first(check_teaching)
def write_chains(
    questions: Frame,
    prompts: dict[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
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
        teacher: the strong one.
        plain_teacher: the other one, for recipes that ask two.
        format: name of the format, or of a variant of one.

    Returns:
        The chains; what could not be made into one, with the reason; what it cost; and what was expected beforehand.

    Raises:
        UserError: a prompt or an engine is missing.
        TeachingError: most replies are refused for the same reason, or no chain came of any question.
        BudgetError: the budget is spent; every answer is in the completion store.
    """
    from medo1.pipelines.synthesis.asking_teachers import chain_task, paid_engines, teachers

    engines = teachers(format, spec, teacher, plain_teacher)
    task = chain_task(format, prompts, params, spec, seed)
    return _written(questions, task, params, spec, engines, paid_engines(engines, params), format)


def check_student_teaching(
    prompts: dict[str, str], params: SynthesisParams, spec: FormatParams, seed: int, student: Engine, *, format: str
) -> None:
    """The same of a format whose chains a student writes.

    Raises:
        UserError: naming it.
    """
    from medo1.pipelines.synthesis.asking_teachers import chain_task, student_teacher

    chain_task(format, prompts, params, spec, seed)
    student_teacher(format, spec, student, params.budget_usd)


@checked_first(check_student_teaching)
def write_student_chains(
    questions: Frame,
    prompts: dict[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    student: Engine,
    base_model: Model,
    taught: Adapter | Model | None = None,
    *,
    format: str,
) -> tuple[Frame, Frame, Frame, dict[str, Any]]:
    """As `write_chains`, with a student as the teacher: of an earlier round, or the base model itself.

    Args:
        questions, prompts, params, spec, seed, format: as there.
        student: the engine of students.
        base_model: whom it serves.
        taught: who writes: the base with this adapter, or the model of a full fine-tuning; None for the base itself.
    """
    from medo1.pipelines.synthesis.asking_teachers import chain_task, student_teacher

    model, adapter = (taught, None) if isinstance(taught, Model) else (base_model, taught)
    engines = student_teacher(format, spec, student.with_model(model), params.budget_usd)
    task = chain_task(format, prompts, params, spec, seed, adapter)
    return _written(questions, task, params, spec, engines, engines, format)


def _written(
    questions: Frame,
    task: ChainTask,
    params: SynthesisParams,
    spec: FormatParams,
    engines: dict[str, Engine],
    paid: dict[str, Engine],
    format: str,
) -> tuple[Frame, Frame, Frame, dict[str, Any]]:
    from medo1 import tables
    from medo1.chains import MadeChain, RejectedChain, TeachingError, make_chains, survey_chains
    from medo1.engines.wrappers.money import Account
    from medo1.engines.wrappers.progress import Tally
    from medo1.pipelines.synthesis.asking_teachers import estimate_of, told_estimate
    from medo1.pipelines.synthesis.teaching_tables import chain_row, counts_by_reason, ordered, rejected_row
    from medo1.questions import questions_from

    account = Account(params.prices)
    survey = survey_chains(
        questions_from(taught_questions(questions, spec)),
        task,
        engines,
        params.prices,
        params.expected_tokens,
        watch=account.add,
    )
    estimate = estimate_of(survey, engines)
    logger.info("%s: %s", format, told_estimate(estimate))
    if survey.whole.to_send:
        for engine in engines.values():
            engine.check()
    tally = Tally(survey.whole.to_send, format, account)

    def watch(completion: Any, engine: Engine, stage: str) -> None:
        account.add(completion, engine, stage)
        tally.add(completion)

    chains: list[MadeChain] = []
    rejected: list[RejectedChain] = []
    try:
        for outcome in make_chains(survey, paid, watch):
            if isinstance(outcome, MadeChain):
                chains.append(outcome)
            else:
                rejected.append(outcome)
    finally:
        tally.close()
    if rejected:
        told = f"{len(rejected)} of {len(rejected) + len(chains)} chains rejected: {counts_by_reason(rejected)}"
        if not chains:
            raise TeachingError(
                f"{format}: all {told}. Every reply is kept (`kedro completions show`); change the prompts "
                f"({task.where}), the teacher, or the format's checks, and run again"
            )
        logger.warning("%s: %s; see %s.chains_rejected", format, told, format)
    costs = [{"format": format, **{"stage" if key == "label" else key: value for key, value in row.items()}}
             for row in account.rows()]  # fmt: skip
    return (
        tables.as_table(tables.CHAINS, ordered([chain_row(made, format) for made in chains])),
        tables.as_table(tables.CHAINS_REJECTED, ordered([rejected_row(one, format) for one in rejected])),
        tables.as_table(tables.TEACHING_COSTS, costs),
        estimate,
    )


@checked_first(check_teaching)
def estimate_teaching(
    questions: Frame,
    prompts: dict[str, str],
    params: SynthesisParams,
    spec: FormatParams,
    seed: int,
    teacher: Engine,
    plain_teacher: Engine | None = None,
    *,
    format: str,
) -> dict[str, Any]:
    """What `write_chains` would send, cost and take, with the same arguments. Sends nothing."""
    from medo1.chains import survey_chains
    from medo1.pipelines.synthesis.asking_teachers import chain_task, estimate_of, teachers
    from medo1.questions import questions_from

    engines = teachers(format, spec, teacher, plain_teacher)
    task = chain_task(format, prompts, params, spec, seed)
    asked = questions_from(taught_questions(questions, spec))
    survey = survey_chains(asked, task, engines, params.prices, params.expected_tokens)
    return estimate_of(survey, engines)


def add_up_estimates(params: SynthesisParams, *estimates: dict[str, Any], formats: tuple[str, ...]) -> dict[str, Any]:
    """All formats' estimates and their sum, told as they are returned."""
    from medo1.pipelines.synthesis.asking_teachers import told_estimates

    whole = dict(zip(formats, estimates, strict=True))
    for line in told_estimates(whole, params.budget_usd):
        logger.info("%s", line)
    return whole


def summarise_teaching(*tables_: Frame, formats: tuple[str, ...], taught: tuple[str, ...]) -> tuple[Frame, Any, Frame]:
    """How long the chains are, beside the paper's, as table and figure; and what all teaching cost.

    Args:
        tables_: the chains of each of `formats`, then the costs of each of `taught`.
        formats: all formats.
        taught: those that a teacher wrote.
    """
    from medo1.pipelines.synthesis.teaching_tables import cost_table, length_table

    chains = dict(zip(formats, tables_, strict=False))
    costs = dict(zip(taught, tables_[len(formats) :], strict=True))
    table, figure = length_table(chains)
    return table, figure, cost_table(costs)


def import_chains(folder: Path, questions: Frame, params: FormatParams, format: str) -> tuple[Frame, Frame]:
    """Chains from a file in place of a teacher, for the training questions that they belong to.

    A row's chain is its reasoning, then its answer, then the line `Final answer: X` where the row's own answer field
    states a letter that the text does not. A chain is never given a letter that its author did not state.
    """
    from medo1 import tables
    from medo1.chains.formats import FORMATS
    from medo1.chains.importing import ChainColumns, imported_chains
    from medo1.pipelines.synthesis.teaching_tables import ordered
    from medo1.questions import questions_from

    assert params.imported is not None
    imported = params.imported
    columns = ChainColumns(imported.form, imported.reasoning, imported.answer, imported.mapping, imported.question)
    written_as = params.writes or (format if format in FORMATS else None)
    chains, rejected = imported_chains(
        folder / imported.file, columns, questions_from(questions), format, written_as=written_as
    )
    return tables.as_table(tables.CHAINS, ordered(chains)), tables.as_table(tables.CHAINS_REJECTED, rejected)
