"""`kedro export samples`: each arm's answers as lm-evaluation-harness logs them, for the tools that read its logs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.errors import UserError
from medo1.frames import records

if TYPE_CHECKING:
    from medo1.frames import Frame
    from medo1.lineage.manifests import Manifest

Record = dict[str, Any]
TABLES = ("answers", "generations", "asked_questions")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--version", default=None, help="Which version of the results; the newest if none is named.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def samples(directory: Path, version: str | None, env: str | None) -> None:
    """Write the greedy answers behind the results to DIRECTORY, in a folder for each arm, as lm-eval's --log_samples
    does: `samples_<benchmark>_<time>.jsonl` and `results_<time>.json`.

    Texts of questions that may not be passed on are left out.

    Example: kedro export samples logs && errorbars compare logs --model-a longstep_sft --model-b vanilla
    """
    from kedro.io.core import DatasetError

    try:
        told = _exported(directory, version, env)
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(told)


def _exported(directory: Path, version: str | None, env: str | None) -> str:
    if directory.exists() and any(directory.iterdir()):
        raise UserError(f"{directory} is not empty. Name another directory, or empty it.")
    stamp, tables = _tables(version, env)
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".tmp-samples-", dir=directory.parent))
    try:
        write_samples(staging, tables, stamp)
        staging.chmod(0o755)
        if directory.exists():
            directory.rmdir()
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return f"{directory}: the greedy answers of {', '.join(tables)}, as lm-eval logs them."


def write_samples(folder: Path, tables: Mapping[str, tuple[Frame, Frame, Frame]], stamp: str) -> None:
    """A folder for each arm, with a file of samples for each benchmark and one of results.

    Args:
        folder: where. tables: answers, generations and asked questions of each arm.
        stamp: time in the files' names, as lm-eval writes it: 2026-11-28T21-59-55.159
    """
    places = _places([answers for answers, _, _ in tables.values()])
    for arm, (answers, generations, asked) in tables.items():
        own = folder / arm
        own.mkdir()
        rows = sample_records(answers, generations, asked, places)
        for benchmark, mine in rows.items():
            lines = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in mine)
            (own / f"samples_{benchmark}_{stamp}.jsonl").write_text(lines, encoding="utf-8")
        told = json.dumps(_results(arm, rows), indent=2, sort_keys=True) + "\n"
        (own / f"results_{stamp}.json").write_text(told, encoding="utf-8")


def sample_records(
    answers: Frame, generations: Frame, asked: Frame, places: Mapping[tuple[str, str], int]
) -> dict[str, list[Record]]:
    """One arm's greedy answers as lm-eval's records, by benchmark.

    Args:
        answers, generations, asked: its tables.
        places: the number of each question in its benchmark, the same for all arms.
    """
    keys = ["benchmark", "question_id"]
    texts = {
        tuple(row[key] for key in keys): row["text"] for row in records(generations[generations["draw"] == "greedy"])
    }
    questions = {tuple(row[key] for key in keys): row for row in records(asked)}
    found: dict[str, list[Record]] = {}
    for row in records(answers[answers["draw"] == "greedy"]):
        key = (row["benchmark"], row["question_id"])
        found.setdefault(row["benchmark"], []).append(_record(row, questions[key], texts[key], places[key]))
    return {name: sorted(mine, key=lambda record: record["doc_id"]) for name, mine in sorted(found.items())}


def _record(row: Record, question: Record, text: str, place: int) -> Record:
    doc: Record = {
        "question_id": row["question_id"],
        "cluster": question.get("cluster") or row["question_id"],
        "gold": row["gold"],
        "difficulty": int(row["difficulty"]) if isinstance(row["difficulty"], int) else None,
    }
    shareable = bool(question.get("shareable", True))
    if shareable:
        doc |= {"question": question["stem"], "options": [str(option) for option in question["options"]]}
    letter = row["letter"] if isinstance(row["letter"], str) else None
    return {
        "doc_id": place,
        "doc": doc,
        "target": row["gold"],
        "arguments": {},
        "resps": [[text if shareable else letter or ""]],
        "filtered_resps": [letter or "[invalid]"],
        "filter": "none",
        "metrics": ["acc"],
        "acc": 1.0 if row["correct"] else 0.0,
        "doc_hash": _hash(json.dumps(doc, sort_keys=True)),
        "target_hash": _hash(str(row["gold"])),
    }


def _results(arm: str, rows: Mapping[str, Sequence[Record]]) -> Record:
    scores = {name: [record["acc"] for record in mine] for name, mine in rows.items()}
    return {
        "model_name": arm,
        "results": {name: {"alias": name, "acc,none": sum(mine) / len(mine)} for name, mine in scores.items()},
        "n-samples": {name: {"original": len(mine), "effective": len(mine)} for name, mine in scores.items()},
    }


def _places(answers: Sequence[Frame]) -> dict[tuple[str, str], int]:
    """The number of each question in its benchmark, from 0, by its id: lm-eval's `doc_id`."""
    asked: dict[str, set[str]] = {}
    for table in answers:
        for benchmark, question_id in zip(table["benchmark"], table["question_id"], strict=True):
            asked.setdefault(str(benchmark), set()).add(str(question_id))
    return {(name, one): place for name, ids in asked.items() for place, one in enumerate(sorted(ids))}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _tables(version: str | None, env: str | None) -> tuple[str, dict[str, tuple[Frame, Frame, Frame]]]:
    """When the results were saved, and the very tables behind them, by arm."""
    from kedro.io import DataCatalog
    from kedro.io.core import VersionNotFoundError

    from medo1.configuration import project_loader

    entries = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))["catalog"]
    catalog = DataCatalog.from_config({name: _unvalidated(entry) for name, entry in entries.items()})
    try:
        manifest = catalog["results"].manifest(version)
    except VersionNotFoundError as error:
        raise UserError(f"There are no results to export: {error} Make them with `kedro run`.") from error
    made_from = answers_behind(catalog, manifest)
    arms = [name.removesuffix(".answers") for name in made_from]
    found = {}
    for arm in arms:
        answers = catalog[f"{arm}.answers"]
        answers.pin(made_from[f"{arm}.answers"]["version"])
        behind = answers.manifest(made_from[f"{arm}.answers"]["version"]).made_from
        others = []
        for name in TABLES[1:]:
            dataset = catalog[f"{arm}.{name}"]
            dataset.pin(behind[f"{arm}.{name}"]["version"])
            others.append(dataset.load())
        found[arm] = (answers.load(), others[0], others[1])
    day, _, time = manifest.version.removesuffix("Z").partition("T")
    hours, minutes, rest = time.split(".", 2)
    return f"{day}T{hours}-{minutes}-{rest}", found


def answers_behind(catalog: Any, results: Manifest) -> dict[str, dict[str, Any]]:
    """The answers of each arm that results were made from: by dataset, its version and digest.

    Results of an earlier release were made from the arms' tables themselves.
    """
    made_from = results.made_from
    if "answers" in made_from:
        made_from = catalog["answers"].manifest(made_from["answers"]["version"]).made_from
    return {name: told for name, told in made_from.items() if name.endswith(".answers")}


def _unvalidated(entry: Any) -> Any:
    """A catalog entry without its schema: a table of an earlier release is exported as it is."""
    return {key: value for key, value in entry.items() if key != "validator"} if isinstance(entry, dict) else entry
