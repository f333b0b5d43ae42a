"""`kedro ask`: one case, one arm; its thought streamed, then the votes.

Uses what earlier runs saved: the newest base model and adapters, the catalog's engine, the arm's prompt. Repeated
requests are answered from the completion store.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.counting import counted
from medo1.errors import UserError
from medo1.nearest import did_you_mean

if TYPE_CHECKING:
    from medo1.engines.base import Engine
    from medo1.pipelines.inference.asked_arm import AskedArm, Drawn
    from medo1.pipelines.inference.one_case import Voted
    from medo1.questions import Question
    from medo1.statistics.rules import StoppingRule
    from medo1.study import Study

ALMOST = 0.9995  # from where one decimal would round to 100 %
CONTROL = "control_"  # with which the names of arms begin that differ from a trained one in one thing only
ORIGINS = {"model": "the base model", "adapter": "the adapter"}


@click.command()
@click.argument("case")
@click.option("--arm", default=None, help="Which arm answers; by default the last trained one.")
@click.option("--votes", default=8, show_default=True, type=click.IntRange(0), help="Samples that vote; 0: none.")
@click.option("--option", "options", multiple=True, metavar="TEXT", help="An answer option; repeat for each.")
@click.option("--adaptive", is_flag=True, help="Stop when more votes are unlikely to change the outcome.")
@click.option("--budget", type=click.IntRange(1), help="Thinking tokens, after which an answer is forced.")
@click.option("--temperature", type=click.FloatRange(0, min_open=True), help="Of the samples.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def ask(case: str, arm: str | None, env: str | None, **wishes: Any) -> None:
    """Ask CASE of an arm, show its thought as it comes, then let samples vote.

    Lines `A. ...`, `B. ...` at the end of CASE are its options. A case without options is answered freely, with a
    ranked list of diagnoses. CASE may be - for standard input.

    Example: kedro ask "case text" --arm longmonolog_sft --votes 8
    """
    try:
        _ask(sys.stdin.read() if case == "-" else case, arm, env, wishes)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except _catalog_errors() as error:
        raise click.ClickException(str(error)) from error


def _catalog_errors() -> tuple[type[Exception], ...]:
    from kedro.config import MissingConfigException
    from kedro.io.core import DatasetError
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    return DatasetError, MissingConfigException, OmegaConfBaseException, YAMLError


def _ask(case: str, arm: str | None, env: str | None, wishes: dict[str, Any]) -> None:
    from medo1.pipelines.inference.one_case import question_from, statement_of, thought_of, votes_of

    question = question_from(case, wishes["options"])
    loader = _loader(env)
    study, name, catalog = opened_study(loader, arm)
    engine: Engine = catalog[study.arms[name].engine].load()
    try:
        asked_arm = asked_arm_of(study, name, loader, catalog, engine, question, wishes)
        if asked_arm.free:
            click.secho("The case has no options: a ranked list of diagnoses is read.", fg="yellow", err=True)
        click.secho(f"{name} thinks", bold=True)
        first = thought_of(asked_arm, question, lambda text: click.echo(text, nl=False))
        _state(first, statement_of(first, free=asked_arm.free))
        if asked_arm.params.samples:
            click.secho(f"\n{asked_arm.params.samples} samples vote", bold=True)
            voted = votes_of(
                asked_arm, question, lambda drawn, answer: _sample(drawn, statement_of(drawn, free=asked_arm.free))
            )
            _outcome(voted, question, asked_arm)
    finally:
        catalog[study.arms[name].engine].release()


def _loader(env: str | None) -> Any:
    from medo1.configuration import project_loader

    return project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))


def opened_study(loader: Any, arm: str | None) -> tuple[Study, str, Any]:
    """The study, the arm's name, and the catalog, none of whose entries is made yet."""
    from kedro.config import MissingConfigException
    from kedro.io import DataCatalog

    from medo1.study import Study

    study = Study.from_parameters(loader["parameters"])
    name = arm or _usual(study)
    if name not in study.arms:
        raise UserError(f"There is no arm {name!r}. {did_you_mean(name, study.arms)}")
    try:
        credentials = loader["credentials"]
    except MissingConfigException:
        credentials = {}
    return study, name, DataCatalog.from_config(loader["catalog"], credentials=credentials)


def _usual(study: Study) -> str:
    """The arm that is asked where none is named: the last that is no control, trained if there is such a one."""
    names = [name for name in study.arms if not name.startswith(CONTROL)] or list(study.arms)
    trained = [name for name in names if study.arms[name].adapter is not None]
    return (trained or names)[-1]


def asked_arm_of(
    study: Study, name: str, loader: Any, catalog: Any, engine: Engine, question: Question, wishes: dict[str, Any]
) -> AskedArm:
    """An arm of the study as it is asked one question, with the newest models and what the command line wishes; it has
    no smaller budgets."""
    from medo1.pipelines.inference.asked_arm import AskedArm, FirstAsked
    from medo1.pipelines.inference.params import DrawParams, InferenceParams

    arm = study.arms[name]
    params = InferenceParams.model_validate(loader["parameters"].get("inference") or {})
    changed = {"max_new_tokens": wishes["budget"], "temperature": wishes["temperature"], "samples": wishes["votes"]}
    changed = {key: value for key, value in changed.items() if value is not None}
    first = None
    if arm.first is not None:  # it answers once: at once, or after thought
        changed["samples"] = 0
        answers_first = asked_arm_of(
            study, arm.first.arm, loader, catalog, engine, question, {**wishes, "budget": None}
        )
        first = FirstAsked(answers_first, arm.first.score, arm.first.tau, arm.first.samples)
    draws = DrawParams.model_validate({**arm.drawn_with(params).model_dump(), **changed, "budgets": ()})
    if arm.model is not None:
        engine = engine.with_model(_saved(catalog, arm.model, name, "model", study))
    adapter = None if arm.adapter is None else _saved(catalog, f"{arm.adapter}.adapter", name, "adapter", study)
    return AskedArm(
        engine=engine,
        adapter=adapter,
        prompt=catalog[f"prompt_{arm.prompt}"].load(),
        params=draws,
        stopping=_stopping(params.adaptive, name, draws.samples, catalog) if wishes["adaptive"] else None,
        seed=study.seed,
        free=not question.options or arm.free,
        first=first,
    )


def _stopping(rule: StoppingRule, arm: str, most: int, catalog: Any) -> StoppingRule:
    """The study's rule; where it is learned, as the newest tables have it."""
    from kedro.io.core import VersionNotFoundError

    from medo1.pipelines.inference.stopping_rows import rule_of

    if rule.agreement is None or not most:
        return rule
    try:
        prior, calibration = (catalog[name].load() for name in ("stopping_prior", "stopping_calibration"))
    except VersionNotFoundError as error:
        raise UserError(
            "inference.adaptive.agreement reads `stopping_prior` and `stopping_calibration`, and no run has saved "
            "them: kedro run --pipelines=inference with inference.splits [dev] and adaptive.draw false."
        ) from error
    return rule_of(rule, arm, most, prior, calibration)


def _saved(catalog: Any, entry: str, arm: str, what: str, study: Study) -> Any:
    """The newest version of a model or adapter.

    Raises:
        UserError: when no run has saved one.
    """
    from kedro.io.core import VersionNotFoundError

    try:
        return catalog[entry].load()
    except VersionNotFoundError as error:
        needed = ",".join(name for name in study.journey if name not in ("inference", "reporting"))
        raise UserError(
            f"The arm {arm} needs {ORIGINS[what]} {entry}, and no run has saved one. Make it with `kedro run` (all of "
            f"the study), or with `kedro run --pipelines={needed}`."
        ) from error


def _state(drawn: Drawn, statement: str) -> None:
    generation = drawn.generation
    tokens = "" if generation.completion_tokens is None else f"  ({counted(generation.completion_tokens, 'token')}"
    how = {"forced": ", its budget ended and the answer was asked for", "cut": ", cut"}.get(generation.status, "")
    click.echo(f"\n-> {statement}{tokens + how + ')' if tokens else ''}")


def _sample(drawn: Drawn, statement: str) -> None:
    generation = drawn.generation
    tokens = "" if generation.completion_tokens is None else f"{counted(generation.completion_tokens, 'token'):>13}"
    sure = "" if generation.confidence is None else f"   confidence {generation.confidence:.1f}"
    click.echo(f"  sample {drawn.sample + 1:<3} {statement:<32}{tokens}{sure}")


def _outcome(voted: Voted, question: Question, asked_arm: AskedArm) -> None:
    outcome, drawn, most = voted.outcome, len(voted.samples), asked_arm.params.samples
    click.echo()
    for answer, count in [] if voted.differential else list(voted.counts.items()):
        named = f"{answer}. {question.options[answer]}" if answer in question.options else answer
        click.echo(f"  {count:>3} {'#' * round(24 * count / drawn):<24} {named}")
    silent = drawn - outcome.voters
    if silent:
        click.echo(f"  {silent:>3} {'.' * round(24 * silent / drawn):<24} state nothing and do not vote")
    if asked_arm.stopping is not None and drawn < most:
        chance = chance_text(list(voted.counts.values()), most - drawn, voted.probability)
        click.echo(f"  stopped after {drawn} of {most}: the leader would stay ahead {chance}")
    if outcome.letter is None:
        click.secho("-> no vote: no sample states an answer", bold=True)
        return
    if voted.differential:
        for rank, one in enumerate(voted.differential[:5], 1):
            click.echo(f"  {rank}. {one.name}  (score {one.score:.2f}, in {one.lists} of {drawn} lists)")
    winner = question.options.get(outcome.letter)
    named = f"{outcome.letter}. {winner}" if winner else outcome.letter
    tokens = "" if voted.tokens is None else f", {counted(voted.tokens, 'token')}"
    level = tied(voted.counts) if not voted.differential else []
    if len(level) > 1:
        share = f"{voted.counts[level[0]]} vote{'s' * (voted.counts[level[0]] != 1)} each"
        click.secho(
            f"-> a tie: {' and '.join(level)} have {share}{tokens}; the report counts {outcome.letter}, stated first",
            bold=True,
        )
        return
    of_what = f"the score of {outcome.voters} lists" if voted.differential else f"{counted(outcome.voters, 'vote')}"
    click.secho(f"-> {named}  ({outcome.share:.0%} of {of_what}{tokens})", bold=True)
    other = voted.by_confidence
    if other is not None and not voted.differential and other.letter != outcome.letter:
        click.echo(f"   weighted by confidence: {other.letter} ({other.share:.0%})")


def tied(counts: Mapping[str, int]) -> list[str]:
    """The answers that have the most votes: more than one where it is a tie."""
    return [answer for answer, count in counts.items() if count == max(counts.values())]


def chance_text(counts: Sequence[int], remaining: int, probability: float) -> str:
    """How sure it is that the leader stays ahead, in words: certain only where the samples left cannot change it.

    Args:
        counts: votes of each answer. remaining: samples that were not drawn.
        probability: by the stopping rule.
    """
    first, second = sorted([*counts, 0, 0], reverse=True)[:2]
    if first - second > remaining:
        return "whatever the others say"
    return f"with a probability of {min(probability, 0.999):.1%}" + (" or more" if probability >= ALMOST else "")
