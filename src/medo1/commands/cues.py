"""`kedro cues`: how well each candidate cue elicits the answer of a thought that its budget ends, on dev questions."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from medo1.errors import UserError

WISHES = {"budget": None, "temperature": None, "votes": 0, "adaptive": False}


@click.command()
@click.option("--arm", "arms", multiple=True, help="Which arm; repeat for several. By default all of the study.")
@click.option("--cue", "cues", multiple=True, metavar="TEXT", help=r"A candidate; \n is a line break. Repeatable.")
@click.option("--questions", default=60, show_default=True, type=click.IntRange(1), help="Dev questions, by seed.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def cues(arms: tuple[str, ...], cues: tuple[str, ...], questions: int, env: str | None) -> None:
    """Measure cues on dev questions, and show which to name as an arm's `draws.answer_cue`.

    Candidates are those given, the arm's own, a few common ones, and how the chains close that its adapter was trained
    on. The best is read most often with the most varied answers. The table is saved as `answer_cues`.

    Example: kedro cues --arm longstep_sft --cue "\\nThe diagnosis is"
    """
    from kedro.io.core import DatasetError

    try:
        table = _measured(arms, [cue.replace("\\n", "\n") for cue in cues], questions, env)
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    _print(table)


def _measured(arms: tuple[str, ...], cues: list[str], count: int, env: str | None) -> Any:
    from medo1 import tables
    from medo1.commands.ask import asked_arm_of, opened_study
    from medo1.configuration import project_loader
    from medo1.lineage.manifests import Provenance
    from medo1.pipelines.inference.cue_rows import COMMON, cue_rows
    from medo1.pipelines.inference.params import InferenceParams

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    study, _, catalog = opened_study(loader, arms[0] if arms else None)
    params = InferenceParams.model_validate(loader["parameters"].get("inference") or {})
    questions = _dev_questions(catalog, params, count, study.seed)
    rows: list[dict[str, Any]] = []
    for name in arms or tuple(study.arms):
        opened_study(loader, name)  # or there is no such arm
        arm = study.arms[name]
        draws = arm.drawn_with(params)
        engine = catalog[arm.engine].load()
        try:
            asking = asked_arm_of(study, name, loader, catalog, engine, questions[0], WISHES)
            if arm.free or not draws.budgets or asking.engine.continues is False:
                click.echo(f"{name}: left out; {_why(arm, draws)}", err=True)
                continue
            candidates = [*cues, draws.answer_cue, *_of_chains(catalog, arm.adapter), *COMMON]
            rows += cue_rows(replace(asking, params=draws, first=None), name, questions, candidates)
        finally:
            catalog[arm.engine].release()
    table = tables.as_table(tables.ANSWER_CUES, rows)
    entry, asked = catalog["answer_cues"], catalog["questions"].manifest()
    made_from = {"questions": {"version": asked.version, "digest": asked.digest}}
    entry.provenance = Provenance("answer_cues", node="kedro cues", made_from=made_from)
    entry.save(table)
    return table


def _why(arm: Any, draws: Any) -> str:
    if arm.free:
        return "it answers without letters"
    return "its engine does not continue a begun answer" if draws.budgets else "it has no smaller budgets"


def _dev_questions(catalog: Any, params: Any, count: int, seed: int) -> list[Any]:
    from medo1.pipelines.inference.nodes import choose_questions
    from medo1.pipelines.inference.params import ArmParams
    from medo1.questions import questions_from

    changed = {"splits": ("dev",), "questions_per_benchmark": count, "transfer": None}
    chosen = choose_questions(
        catalog["questions"].load(), params.model_copy(update=changed), ArmParams(prompt="cues"), seed
    )
    if chosen.empty:
        raise UserError(
            "There are no dev questions: read a file with `split: dev` (ingest.files), and run ingest again."
        )
    return questions_from(chosen)


def _of_chains(catalog: Any, adapter: str | None) -> list[str]:
    from kedro.io.core import DatasetError

    from medo1.frames import records
    from medo1.pipelines.inference.cue_rows import closing_cues, trained_on
    from medo1.questions import questions_from

    if adapter is None:
        return []
    try:
        chains, known = catalog[f"{adapter}.kept_chains"].load(), catalog["questions"].load()
    except DatasetError:  # the adapter came from elsewhere
        return []
    pairs = list(trained_on(records(chains), questions_from(known)))
    return closing_cues([text for text, _ in pairs], [question for _, question in pairs])


def _print(table: Any) -> None:
    from rich.console import Console
    from rich.table import Table as Grid

    for arm, group in table.groupby("arm", sort=False):
        grid = Grid(title=f"{arm}: answers elicited from thoughts that were cut", title_justify="left")
        for column in ("cue", "answers", "unread", "commonest letter", "variety", "right"):
            grid.add_column(column, justify="left" if column == "cue" else "right")
        for cue, rows in group.groupby("cue", sort=False):
            weight = rows["elicited"] / rows["elicited"].sum()
            named = f"{rows['commonest'].mode().iloc[0]} " if rows["commonest"].notna().any() else ""
            grid.add_row(
                repr(cue), str(rows["elicited"].sum()), f"{(rows['unread'] * weight).sum():.0%}",
                f"{named}{(rows['commonest_share'] * weight).sum():.0%}", f"{(rows['variety'] * weight).sum():.2f}",
                f"{(rows['accuracy'] * weight).sum():.0%}", style="bold" if rows["chosen"].any() else None,
            )  # fmt: skip
        Console(width=None if Console().is_terminal else 120).print(grid)
        chosen = group.loc[group["chosen"], "cue"]
        if len(chosen):
            click.echo(f"arms:\n  {arm}:\n    draws: {{answer_cue: {json.dumps(chosen.iloc[0])}}}\n")
