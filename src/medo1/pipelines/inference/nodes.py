"""Nodes of inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Adapter, Engine, Model
from medo1.errors import UserError
from medo1.frames import Frame, of_arms, records
from medo1.lineage.digests import seed_from
from medo1.nearest import did_you_mean
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.questions import questions_from
from medo1.wiring import checked_first

if TYPE_CHECKING:
    from medo1.pipelines.inference.asked_arm import AskedArm


def choose_questions(questions: Frame, params: InferenceParams, arm: ArmParams, seed: int) -> Frame:
    """The questions that an arm is asked: of the chosen splits, with a limit per benchmark, chosen by content; and
    those of the generated benchmark, where it is asked for. Every arm is asked the same, but one without options is
    not asked what cannot be answered without them."""
    import pandas as pd

    from medo1 import tables
    from medo1.pipelines.inference.asked_arm import answerable
    from medo1.pipelines.inference.transfer import transfer_questions
    from medo1.questions import question_rows

    chosen = questions[questions["split"].isin(params.splits)]
    if params.questions_per_benchmark is not None:
        order = chosen["question_id"].map(lambda question_id: seed_from("asked questions", seed, question_id))
        shuffled = chosen.loc[order.sort_values(kind="stable").index]
        chosen = shuffled.groupby("benchmark", sort=False).head(params.questions_per_benchmark)
    if params.transfer is not None:
        made = transfer_questions(params.transfer.questions, params.transfer.steps, seed)
        generated = tables.as_table(tables.QUESTIONS, question_rows(made))
        chosen = pd.concat([chosen, generated], ignore_index=True) if len(chosen) else generated
    asked = answerable(chosen) if arm.free else chosen
    return asked.sort_values(["benchmark", "question_id"], kind="stable").reset_index(drop=True)


def generate(
    questions: Frame,
    prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    seed: int,
    *models: Model | Adapter,
    name: str,
) -> tuple[Frame, Frame]:
    """An arm's generations: one greedy and several sampled ones of each question.

    Args:
        questions: what is asked.
        prompt: what is asked after each question.
        engine: who answers.
        params: how all arms draw.
        arm: how this one differs.
        seed: the run's; each draw gets its own from it, the question and the sample's number.
        models: the base model that the engine serves, and the arm's adapter; none where the engine has its own.
        name: the arm's.

    Returns:
        `tables.GENERATIONS`; and `tables.TIMING`, apart because equal runs differ in it.
    """
    from medo1.pipelines.inference.asked_arm import AskedArm

    base = next((model for model in models if isinstance(model, Model)), None)
    adapter = next((model for model in models if isinstance(model, Adapter)), None)
    serving = engine if base is None else engine.with_model(base)
    draws, stopping = arm.drawn_with(params), params.adaptive if params.adaptive.draw else None
    asking = AskedArm(serving, adapter, prompt, draws, stopping, seed, free=arm.free)
    return _generated(asking, questions, params, name, len(questions) * (1 + draws.samples))


def generate_until_sure(
    questions: Frame,
    prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    seed: int,
    prior: Frame,
    calibration: Frame,
    *models: Model | Adapter,
    name: str,
) -> tuple[Frame, Frame]:
    """As `generate`, with the stopping rule that an earlier run's dev questions gave.

    Args:
        prior, calibration: `tables.STOPPING_PRIOR` and `tables.STOPPING_CALIBRATION` of that run.
        questions, prompt, engine, params, arm, seed, models, name: as in `generate`.
    """
    fitted = _as_fitted(params, name, arm.drawn_with(params).samples, prior, calibration)
    return generate(questions, prompt, engine, fitted, arm, seed, *models, name=name)


def _as_fitted(params: InferenceParams, arm: str, most: int, prior: Frame, calibration: Frame) -> InferenceParams:
    """The parameters with an arm's fitted rule; as they are where it draws no samples."""
    from medo1.pipelines.inference.stopping_rows import rule_of

    if not most:
        return params
    return params.model_copy(update={"adaptive": rule_of(params.adaptive, arm, most, prior, calibration)})


def think_when_unsure(
    questions: Frame,
    prompt: str,
    first_prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    first_arm: ArmParams,
    seed: int,
    model: Model | None = None,
    adapter: Adapter | None = None,
    first_adapter: Adapter | None = None,
    *,
    name: str,
) -> tuple[Frame, Frame]:
    """An arm's generations where another one answers first, and only unsure questions are thought about.

    Args:
        questions, engine, params, arm, seed, name: as in `generate`.
        prompt, adapter: of the thought. first_prompt, first_arm, first_adapter: of the answer before it.
        model: the base model of both.

    Returns:
        As `generate`.
    """
    from medo1.pipelines.inference.asked_arm import AskedArm, FirstAsked

    assert arm.first is not None
    serving = engine if model is None else engine.with_model(model)
    first = AskedArm(serving, first_adapter, first_prompt, first_arm.drawn_with(params), None, seed, free=arm.free)
    asking = AskedArm(
        serving, adapter, prompt, arm.drawn_with(params), None, seed, free=arm.free,
        first=FirstAsked(first, arm.first.score, arm.first.tau, arm.first.samples),
    )  # fmt: skip
    return _generated(asking, questions, params, name, 2 * len(questions))


def _generated(
    asking: AskedArm, questions: Frame, params: InferenceParams, name: str, expected: int
) -> tuple[Frame, Frame]:
    from medo1 import tables
    from medo1.pipelines.inference.account_tables import ArmMeter
    from medo1.pipelines.inference.answer_rows import KEYS

    asked = questions_from(questions)
    most = asking.params.max_new_tokens
    meter = ArmMeter(name, asking.engine, expected, params.prices, params.power_w, most)
    rows = [{**drawn.as_row(), "arm": name} for drawn in asking.counted_by(meter.passed).draws_of(asked)]
    rows.sort(key=lambda row: [row[key] for key in KEYS])  # the order in which answers came back leaves no trace
    return tables.as_table(tables.GENERATIONS, rows), tables.as_table(tables.TIMING, [meter.close()])


def read_answers(generations: Frame, questions: Frame, arm: ArmParams) -> Frame:
    """What each generation states, and whether that is right. An unread answer is wrong, never a default letter.

    A free-form answer is right when the first diagnosis of its list is the right option's.
    """
    from medo1 import tables
    from medo1.pipelines.inference.answer_rows import answer_rows

    return tables.as_table(tables.ANSWERS, answer_rows(generations, questions, free=arm.free))


def judge_samples(
    questions: Frame,
    generations: Frame,
    answers: Frame,
    select_prompt: str,
    score_prompt: str,
    judge: Engine,
    arm: ArmParams,
    *models: Model,
) -> Frame:
    """What a judge says of an arm's samples: which of k it picks, and how each scores where that is wanted.

    Args:
        questions: what was asked.
        generations: what was said. answers: what was read in it.
        select_prompt, score_prompt: what the judge is told after the candidates.
        judge: who judges.
        arm: with `judged`.
        models: the model that the judge's engine serves; none where it has its own.

    Returns:
        `tables.JUDGEMENTS`.
    """
    from medo1 import tables
    from medo1.pipelines.inference.judged_samples import judgement_rows

    assert arm.judged is not None
    texts = generations[generations["draw"] == "sampled"][["question_id", "benchmark", "sample", "text"]]
    read = answers[answers["draw"] == "sampled"][["question_id", "benchmark", "sample", "letter", "arm"]]
    joined = texts.merge(read, on=["question_id", "benchmark", "sample"], validate="one_to_one").sort_values("sample")
    samples: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(joined):
        samples.setdefault((row["question_id"], row["benchmark"]), []).append(row)
    serving = judge.with_model(models[0]) if models else judge
    name = "" if answers.empty else str(answers["arm"].iloc[0])
    rows = judgement_rows(
        questions_from(questions),
        samples,
        {"selection": select_prompt, "score": score_prompt},
        serving,
        arm.judged,
        name,
    )
    order = ["benchmark", "question_id", "kind", "k", "request_id"]
    return tables.as_table(tables.JUDGEMENTS, sorted(rows, key=lambda row: [row[key] for key in order]))


def vote(answers: Frame, params: InferenceParams, judgements: Frame | None = None) -> Frame:
    """Votes of each question's first k samples, by each method that the engine allows, and a judge's picks."""
    from medo1 import tables
    from medo1.pipelines.inference.vote_tables import polled, vote_rows

    return tables.as_table(tables.VOTES, vote_rows(polled(answers, judgements), params.votes))


def draw_curves(
    params: InferenceParams, arms: dict[str, Any], seed: int, answers: Frame, *judgements: Frame
) -> tuple[Frame, Frame, Frame]:
    """Accuracy of every arm over votes and over thinking budgets, and where adaptive sampling stops.

    Args:
        params: how all arms draw and vote.
        arms: how each differs, by name.
        seed: of the subsets of samples, where they are too many to take all.
        answers: of all arms, in the order in which the arms shall stand.
        judgements: what judges say of the samples of some, one table an arm.

    Returns:
        `tables.VOTE_CURVE` (expected over all subsets of k samples), `tables.ADAPTIVE` and `tables.BUDGET_CURVE`.
    """
    return _curves(dict.fromkeys(arms, params), arms, seed, answers, judgements)


def draw_curves_as_fitted(
    params: InferenceParams,
    arms: dict[str, Any],
    seed: int,
    answers: Frame,
    prior: Frame,
    calibration: Frame,
    *judgements: Frame,
) -> tuple[Frame, Frame, Frame]:
    """As `draw_curves`, where each arm stopped by the rule that an earlier run's dev questions gave.

    Args:
        prior, calibration: as in `generate_until_sure`.
        params, arms, seed, answers, judgements: as in `draw_curves`.
    """
    fitted = {
        arm: _as_fitted(params, arm, ArmParams.model_validate(spec).drawn_with(params).samples, prior, calibration)
        for arm, spec in arms.items()
        if spec is not None
    }
    return _curves(fitted, arms, seed, answers, judgements)


def _curves(
    of_each: dict[str, InferenceParams], arms: dict[str, Any], seed: int, answers: Frame, judgements: Sequence[Frame]
) -> tuple[Frame, Frame, Frame]:
    from medo1 import tables
    from medo1.pipelines.inference.vote_tables import adaptive_rows, budget_rows, curve_rows, polled

    votes: list[dict[str, Any]] = []
    stops: list[dict[str, Any]] = []
    budgets: list[dict[str, Any]] = []
    judged = {table["arm"].iloc[0]: table for table in judgements if len(table)}
    for arm, table in of_arms(answers).items():
        params = of_each[arm]
        draws = ArmParams.model_validate(arms[arm]).drawn_with(params)
        polls = polled(table, judged.get(arm))
        stopped = adaptive_rows(polls, params.adaptive, draws.samples)
        alike = min(params.adaptive.first, draws.samples) if params.adaptive.draw else draws.samples
        votes += curve_rows(polls, stopped, params.votes, alike, draws.samples, seed)
        stops += stopped
        budgets += budget_rows(table, draws.all_budgets)
    return (
        tables.as_table(tables.VOTE_CURVE, votes),
        tables.as_table(tables.ADAPTIVE, stops),
        tables.as_table(tables.BUDGET_CURVE, budgets),
    )


def compare_stopping(params: InferenceParams, arms: dict[str, Any], answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Each stopping rule at several thresholds: tokens, accuracy, and agreement with the vote of all samples.

    Args:
        params: how all arms draw.
        arms: how each differs, by name.
        answers: of all arms.

    Returns:
        `tables.STOPPING_RULES`; for the rule `fitted`, the prior that the samples show, `tables.STOPPING_PRIOR`, and
        the thresholds that hold its promise, `tables.STOPPING_CALIBRATION`. Nothing of an arm whose samples were not
        all drawn.
    """
    from medo1 import tables
    from medo1.pipelines.inference.stopping_rows import calibration_rows, prior_rows, stopping_rows
    from medo1.pipelines.inference.vote_tables import polled

    rows: list[dict[str, Any]] = []
    polls = {}
    for arm, table in of_arms(answers).items():
        if not params.adaptive.draw:
            draws = ArmParams.model_validate(arms[arm]).drawn_with(params)
            polls[arm] = polled(table)
            rows += stopping_rows(polls[arm], params.adaptive, draws.samples)
    return (
        tables.as_table(tables.STOPPING_RULES, rows),
        tables.as_table(tables.STOPPING_PRIOR, prior_rows(polls)),
        tables.as_table(tables.STOPPING_CALIBRATION, calibration_rows(polls, params.adaptive)),
    )


def compare_nothing(params: InferenceParams, arms: dict[str, Any], answers: Frame) -> Frame:
    """The empty `tables.STOPPING_RULES` of arms that stopped by themselves: the page must not show another run's.

    Args:
        params, arms, answers: as in `compare_stopping`.
    """
    return compare_stopping(params, arms, answers)[0]


def check_selective(params: InferenceParams, arms: dict[str, Any]) -> None:
    """Whether the arm that answers first is one of the study, before any arm is asked.

    Raises:
        UserError: naming it.
    """
    selective = InferenceParams.model_validate(params).selective
    there = [name for name, arm in arms.items() if arm is not None]  # null takes away what another environment has
    if selective is not None and selective.first not in there:
        raise UserError(
            f"inference.selective.first is {selective.first!r}, which is no arm of this study. "
            f"{did_you_mean(selective.first, there)} Name one of the study, or set inference.selective to null."
        )


@checked_first(check_selective)
def think_selectively(params: InferenceParams, arms: dict[str, Any], answers: Frame) -> tuple[Frame, Frame]:
    """What it comes to when a question is answered at once and thought about only where that answer is unsure.

    Args:
        params: which arm answers first.
        arms: how each differs, by name; one that has a first answer of its own is no thought.
        answers: of all arms.

    Returns:
        `tables.SELECTIVE_CURVE` and `tables.SELECTIVE_CHOICE`; empty where no first arm is named.
    """
    from medo1 import tables
    from medo1.pipelines.inference.selective_rows import choice_rows, selective_rows

    selecting = {name for name, arm in arms.items() if arm is not None and ArmParams.model_validate(arm).first}
    alone = [table for arm, table in of_arms(answers).items() if arm not in selecting]
    rows, choices = (
        ([], []) if (spec := params.selective) is None else (selective_rows(alone, spec), choice_rows(alone, spec))
    )
    return tables.as_table(tables.SELECTIVE_CURVE, rows), tables.as_table(tables.SELECTIVE_CHOICE, choices)


def account(answers: Frame, *timings: Frame) -> tuple[Frame, Frame, Frame]:
    """What thinking cost in every arm, and what became of each draw.

    Args:
        answers: of all arms, in the order in which the arms shall stand.
        timings: one table an arm.

    Returns:
        `tables.TOKENS`, `tables.OUTCOMES` and `tables.TIMING`.
    """
    from medo1 import tables
    from medo1.pipelines.inference.account_tables import outcome_rows, token_rows

    of_each = of_arms(answers).values()
    return (
        tables.as_table(tables.TOKENS, [row for table in of_each for row in token_rows(table)]),
        tables.as_table(tables.OUTCOMES, [row for table in of_each for row in outcome_rows(table)]),
        tables.as_table(tables.TIMING, [row for table in timings for row in records(table)]),
    )
