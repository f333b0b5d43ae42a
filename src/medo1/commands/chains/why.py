"""`kedro chains why`: each filter's verdict on a chain."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from medo1.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from medo1.frames import Frame

LONGEST = 600  # characters that are shown of a passage


@click.command()
@click.argument("chain_id")
@click.option("--format", "-f", "format_", help="Only chains of this format.")
@click.option("--sample", "-s", type=int, help="Only this sample of the question.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON lines and nothing else.")
def why(chain_id: str, format_: str | None, sample: int | None, env: str | None, as_json: bool) -> None:
    """Say why a chain was kept or dropped: the verdict of every filter, with the words that decided.

    CHAIN_ID is the question's id, or the beginning of one; `longstep/QUESTION_ID/0` names format and sample too.
    """
    from kedro.io.core import DatasetError, VersionNotFoundError

    from medo1.frames import records

    format_, question_id, sample = _parts(chain_id, format_, sample)
    found = 0
    try:
        for name, verdicts in _verdicts(format_, env):
            mine = verdicts[verdicts["question_id"].str.startswith(question_id)]
            if sample is not None:
                mine = mine[mine["sample"] == sample]
            found += len(mine)
            for key, rows in mine.groupby(["question_id", "sample"], sort=False):
                _show(name, key, records(rows), as_json)
    except VersionNotFoundError as error:
        raise click.ClickException(
            f"{error}\nNo filters have run here yet: `kedro run --pipelines=filtering` after the chains are made."
        ) from error
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    if not found:
        raise click.ClickException(
            f"No chain that was filtered belongs to a question whose id begins with {question_id!r}"
            + (f" (format {format_})" if format_ else "")
        )


def _parts(chain_id: str, format_: str | None, sample: int | None) -> tuple[str | None, str, int | None]:
    """Format, beginning of a question id, and sample, as far as they are named."""
    pieces = chain_id.strip("/").split("/")
    if len(pieces) > 1 and not set(pieces[0]) <= set("0123456789abcdef"):
        format_, pieces = pieces[0], pieces[1:]
    if len(pieces) == 2 and pieces[1].isdigit():  # noqa: PLR2004
        sample, pieces = int(pieces[1]), pieces[:1]
    if len(pieces) != 1:
        raise click.BadParameter(f"{chain_id!r}: write QUESTION_ID or FORMAT/QUESTION_ID/SAMPLE", param_hint="CHAIN_ID")
    return format_, pieces[0], sample


def _verdicts(format_: str | None, env: str | None) -> Iterator[tuple[str, Frame]]:
    from kedro.io import DataCatalog

    from medo1.settings import CONFIG_LOADER_ARGS, StudyConfigLoader
    from medo1.study import Study

    loader = StudyConfigLoader("conf", env=env or os.environ.get("KEDRO_ENV"), **CONFIG_LOADER_ARGS)
    study = Study.from_parameters(loader["parameters"])
    if format_ is not None and format_ not in study.formats:
        raise UserError(f"There is no format {format_!r}; the study's formats are {', '.join(study.formats)}.")
    entries = {key: value for key, value in loader["catalog"].items() if key.endswith("}.filter_verdicts")}
    catalog = DataCatalog.from_config(entries)
    for name in [format_] if format_ else study.formats:
        yield name, catalog[f"{name}.filter_verdicts"].load()


def _show(format_: str, key: Any, rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    from rich.text import Text

    from medo1.commands.audit.common import console, grid

    out: Console = console()
    refused = next((row for row in rows if not row["passed"]), None)
    outcome = "kept" if refused is None else f"dropped by {refused['filter']}"
    out.print(Text(f"{format_}/{key[0]}/{key[1]}: {outcome}", style="bold"))
    table = grid("filter", "verdict", "value", "reason", right=("value",))
    for row in rows:
        value = "" if row["value"] is None or row["value"] != row["value"] else f"{row['value']:.3g}"
        verdict = Text("passed", style="green") if row["passed"] else Text("refused", style="red")
        table.add_row(row["filter"], verdict, value, Text(row["reason"]))
    out.print(table)
    for row in rows:
        shows = not row["passed"] or row["filter"] in ("correct", "decontamination")
        for title, words in (("its words", row["match"]), ("compared with", row["other"])):
            if shows and words:
                out.print(Text(f"{row['filter']}, {title}:", style="dim"))
                out.print(Text(f"  {words[:LONGEST]}"))
    if rows[0]["request_id"]:
        out.print(Text(f"Its completion: kedro completions show --id {rows[0]['request_id'][:16]}", style="dim"))
    out.print()
