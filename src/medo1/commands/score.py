"""`kedro score`: your model on your questions: a table, a comparison and a page."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from medo1.counting import counted
from medo1.errors import UserError

ENVIRONMENT = "evaluate"
ARMS = ("direct", "cot")
_ENDPOINT = "medo1.engines.OpenAI"
_DIRECTORY = "medo1.engines.Transformers"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--endpoint", metavar="URL", help="An OpenAI-compatible server, such as http://localhost:8000/v1.")
@click.option(
    "--model", required=True, help="The endpoint's name of the model; without --endpoint a directory or hub id."
)
@click.option(
    "--key-env", metavar="NAME", help="Environment variable with the endpoint's key.  [default: OPENAI_API_KEY]"
)
@click.option("--arms", default="direct,cot", show_default=True, help="Prompts: answer directly, think first, or both.")
@click.option("--questions", type=click.IntRange(1), help="At most this many questions per benchmark, by seed.")
@click.option("--max-new-tokens", type=click.IntRange(1), help="Room for thought and answer.  [default: 4096]")
@click.option("--samples", type=click.IntRange(0), default=0, show_default=True, help="Sampled answers for votes.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="How the files are read, as in ingest.files: gold_base=1, ignore=[notes], mapping={stem: case, ...}.",
)
@click.option("--params", default="", help="More parameters, as for `kedro run --params`.")
@click.option(
    "--env", "-e", default=ENVIRONMENT, show_default=True, help="Kedro environment, made after conf/evaluate."
)
@click.pass_context
def score(
    context: click.Context,
    files: tuple[Path, ...],
    endpoint: str | None,
    model: str,
    key_env: str | None,
    arms: str,
    env: str,
    **wishes: Any,
) -> None:
    """Score a model on FILES of questions: greedy, each question once for each arm.

    \b
    kedro score medqa_test.jsonl --endpoint http://localhost:8000/v1 --model Qwen/Qwen2.5-7B-Instruct
    kedro score exam.csv --model ./models/my-student --questions 100
    kedro score exam.csv --model ./student --set "mapping={stem: case, options: [a, b, c], gold: right}"
    """
    from medo1.commands.run import run

    try:
        chosen = _arms(arms)
        entries = [{"file": file.name, "split": "test", **_settings(wishes["settings"])} for file in files]
        folder = _folder_of(files, env)
        parameters = run_parameters(folder, entries, endpoint, model, key_env, chosen, wishes)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    context.invoke(run, env=env, params=_merged(parameters, _given(wishes["params"])))
    if len(chosen) > 1:
        _tell(env)


def run_parameters(
    folder: Path,
    entries: Sequence[Mapping[str, Any]],
    endpoint: str | None,
    model: str,
    key_env: str | None,
    arms: Sequence[str],
    wishes: Mapping[str, Any],
) -> dict[str, Any]:
    """The parameters of the run.

    Raises:
        UserError: for a model that is no directory, where it looks like the path of one.
    """
    inference = {
        "questions_per_benchmark": wishes.get("questions"),
        "max_new_tokens": wishes.get("max_new_tokens"),
        "samples": wishes.get("samples"),
        "votes": {"numbers": _numbers(wishes.get("samples") or 0)},
    }
    parameters: dict[str, Any] = {
        "benchmarks_dir": str(folder),
        "ingest": {"files": [dict(entry) for entry in entries]},
        "inference": {key: value for key, value in inference.items() if value is not None},
        "arms": {name: None for name in ARMS if name not in arms},
        "reporting": {"baseline": arms[0], "title": f"{_called(model)}: answered at once, and after thinking"},
    }
    if endpoint is not None:
        options = {"model": model, "base_url": endpoint, "key_env": key_env}
        parameters["_engine"] = _ENDPOINT
        parameters["_options"] = {key: value for key, value in options.items() if value is not None}
    else:
        if model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
            raise UserError(f"There is no model directory {model}: give its path, or a hub id, or --endpoint.")
        path = Path(model).expanduser()
        parameters["base_model"] = str(path.resolve()) if path.is_dir() else model
        parameters["_engine"] = _DIRECTORY
        parameters["arms"] |= {name: {"model": "base_model"} for name in arms}
    return parameters


def _called(model: str) -> str:
    """A model as a title names it: a directory by its last part."""
    return Path(model).resolve().name if Path(model).is_dir() else model


def _numbers(samples: int) -> list[int]:
    return [number for number in (1, 2, 4, 8, 16, 32) if number <= max(samples, 1)]


def _arms(written: str) -> list[str]:
    chosen = [name.strip() for name in written.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in ARMS]
    if unknown or not chosen:
        raise UserError(f"--arms is {written!r}, expected some of {', '.join(ARMS)}")
    return [name for name in ARMS if name in chosen]


def _settings(settings: Sequence[str]) -> dict[str, Any]:
    """What is said of the files.

    Raises:
        UserError: for anything that is no key and value.
    """
    import yaml

    found: dict[str, Any] = {}
    for one in settings:
        key, mark, value = one.partition("=")
        if not mark:
            raise UserError(f"--set {one}: write KEY=VALUE, such as gold_base=1")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UserError(f"--set {one}: the value is no YAML: {error}") from error
    return found


def _given(written: str) -> dict[str, Any]:
    from kedro.framework.cli.utils import _split_params

    return dict(_split_params(None, None, written)) if written else {}


def _merged(parameters: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with those that the user gives in their place, group by group."""
    merged = dict(parameters)
    for key, value in given.items():
        own = merged.get(key)
        merged[key] = _merged(own, value) if isinstance(own, dict) and isinstance(value, Mapping) else value
    return merged


def _folder_of(files: Sequence[Path], env: str) -> Path:
    """A folder of exactly these files: what the run reads is then known by its digest, whatever lies beside them.

    Raises:
        UserError: for two files of one name.
    """
    names = [file.name for file in files]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise UserError(f"Two files are called {doubled}: rename one, so that tables can tell them apart.")
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.name):
        digest.update(f"{file.name}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    folder = Path(_place(env)) / "01_raw" / "scored" / digest.hexdigest()[:12]
    for file in files:
        target = folder / file.name
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / f".{file.name}.part")
            (folder / f".{file.name}.part").replace(target)
    return folder


def _place(env: str) -> str:
    from medo1.configuration import project_loader

    return str(project_loader(Path.cwd(), env)["globals"]["shared"])


def _tell(env: str) -> None:
    """What the comparison of the arms says."""
    from kedro.io import DataCatalog

    from medo1.configuration import project_loader

    entry = project_loader(Path.cwd(), env)["catalog"]["comparisons"]
    for row in DataCatalog.from_config({"comparisons": entry})["comparisons"].load().to_dict("records"):
        click.secho(verdict(row), bold=True)


def verdict(row: Mapping[str, Any]) -> str:
    """What a paired comparison of thinking against answering at once says, in words."""
    low, high, points = row["difference_low"], row["difference_high"], row["difference"] * 100
    of = f"{row['benchmark']}: {counted(row['gained'], 'question')} gained and {row['lost']} lost of {row['questions']}"
    interval = f"{points:+.1f} points, 95 % from {low * 100:+.1f} to {high * 100:+.1f}"
    if low > 0:
        return f"{of}: thinking helps ({interval})"
    if high < 0:
        return f"{of}: thinking hurts ({interval})"
    return f"{of}: whether thinking helps or hurts cannot be told from these questions ({interval})"
