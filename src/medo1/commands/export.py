"""`kedro export`: a study's adapter as a directory for a hub or a colleague; its answers as lm-eval's samples."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from medo1.commands.samples import samples
from medo1.errors import UserError


@click.group()
def export() -> None:
    """What a study made, as a directory for a hub or a colleague."""


export.add_command(samples)


@export.command()
@click.argument("format")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--version", default=None, help="Which version of the adapter; the newest if none is named.")
@click.option("--base", default=None, help="What others load the base model by, such as a hub id.")
@click.option("--with-base", is_flag=True, help="Put a copy of the base model beside the adapter.")
@click.option("--merged", is_flag=True, help="Write base and adapter as one model.")
@click.option("--dtype", default="float32", show_default=True, type=click.Choice(["float32", "bfloat16", "float16"]))
@click.option("--licence", default="other", show_default=True, help="For the card, as a hub writes it: apache-2.0 ...")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def adapter(format: str, directory: Path, env: str | None, **wishes: Any) -> None:
    """Write the adapter of FORMAT to DIRECTORY, with its tokenizer and a card from the lineage.

    The directory loads with `AutoPeftModelForCausalLM.from_pretrained`; with --merged, as any transformers model.

    Example: kedro export adapter longstep exported --with-base
    """
    from kedro.io.core import DatasetError

    try:
        told = _exported(format, directory, env, wishes)
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(told)


def _exported(name: str, directory: Path, env: str | None, wishes: dict[str, Any]) -> str:
    from medo1.progress_bars import silence_library_bars
    from medo1.training.adapters import CONFIG
    from medo1.training.merging import merge_adapter
    from medo1.training.templates import tokenizer_of

    silence_library_bars()
    if directory.exists() and any(directory.iterdir()):
        raise UserError(f"{directory} is not empty. Name another directory, or empty it.")
    catalog = _catalog(env)
    dataset, manifest = _adapter_version(catalog, name, wishes["version"])
    model = _base_of(catalog, manifest)
    base = _base_name(model, name, wishes)
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".tmp-export-", dir=directory.parent))
    try:
        trained = dataset.load()
        told = ""
        if wishes["merged"]:
            difference = merge_adapter(model, trained.path, staging, wishes["dtype"])
            told = f" Its logits differ from those of base and adapter by {difference:.2g} at most."
        else:
            shutil.copytree(trained.path, staging, dirs_exist_ok=True)
            config = json.loads((staging / CONFIG).read_text(encoding="utf-8"))
            config["base_model_name_or_path"] = base
            config["revision"] = model.revision if model.path is None and wishes["base"] is None else None
            (staging / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            tokenizer_of(model).save_pretrained(str(staging))
            if wishes["with_base"]:
                assert model.path is not None
                shutil.copytree(model.path, staging / "base")
        _write_card(catalog, name, manifest, base, model, wishes, staging)
        _open(staging)
        if directory.exists():
            directory.rmdir()
        staging.rename(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    what = "model" if wishes["merged"] else "adapter"
    return f"{directory}: the {what} of {name}, version {manifest.version}, with its card (README.md).{told}"


def _catalog(env: str | None) -> Any:
    from kedro.io import DataCatalog

    from medo1.configuration import project_loader

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    entries = {
        name: {key: value for key, value in entry.items() if key != "validator"} if isinstance(entry, dict) else entry
        for name, entry in loader["catalog"].items()
    }
    return DataCatalog.from_config(entries)


def _adapter_version(catalog: Any, name: str, version: str | None) -> tuple[Any, Any]:
    from kedro.io.core import VersionNotFoundError

    from medo1.datasets import AdapterDirectory

    try:
        dataset = catalog[f"{name}.adapter"]
        if not isinstance(dataset, AdapterDirectory):
            raise UserError(f"{name}.adapter is no adapter in this environment's catalog ({type(dataset).__name__}).")
        if version is not None:
            dataset.pin(version)
        return dataset, dataset.manifest()
    except (VersionNotFoundError, KeyError) as error:
        raise UserError(
            f"There is no adapter of {name} to export: {error} Train it with `kedro run --pipelines=finetune`, or "
            "name a format of this study and its environment (--env)."
        ) from error


def _base_of(catalog: Any, manifest: Any) -> Any:
    """The very base model that the adapter was trained on."""
    from kedro.io.core import VersionNotFoundError

    told = manifest.made_from.get("base_model", {})
    dataset = catalog["base_model"]
    if told.get("version"):
        try:
            dataset.pin(told["version"])
            return dataset.load()
        except VersionNotFoundError as error:
            raise UserError(f"The base model of this adapter (version {told['version']}) is gone: {error}") from error
    model = dataset.load()
    if told and dataset.digest() != told.get("digest"):
        raise UserError(
            f"The catalog's base_model is now {model.name}, another one than the adapter was trained on. Name that one "
            "again, with its revision."
        )
    return model


def _base_name(model: Any, name: str, wishes: dict[str, Any]) -> str:
    """What others resolve the base by."""
    if wishes["base"] is not None:
        return str(wishes["base"])
    if wishes["with_base"]:
        if model.path is None:
            raise UserError(f"{model.name} is a hub id, which everybody can load: leave out --with-base.")
        return "./base"
    if model.path is None or wishes["merged"]:
        return str(model.name)
    raise UserError(
        f"The base model of {name} is a directory on this machine, which nobody else can load. Give --with-base to "
        "put a copy beside the adapter, --base HUB_ID where it is published, or --merged for one model."
    )


def _write_card(
    catalog: Any, name: str, manifest: Any, base: str, model: Any, wishes: dict[str, Any], folder: Path
) -> None:
    from medo1.training.card import CardFacts, model_card

    made = manifest.made_from
    params = dict((made.get("params:finetune") or made.get(f"params:finetune.{name}") or {}).get("value") or {})
    facts = CardFacts(
        name=name,
        base=base,
        revision=model.revision if wishes["base"] is None else None,
        licence=wishes["licence"],
        settings=params,
        counts={**_counts(catalog, name, made), **_modules(catalog, name, manifest.version)},
        last=_last(catalog, name, manifest.run),
        results=_results(catalog, name, manifest.digest),
        lineage=[
            {"name": key, "version": str(value.get("version", "")), "digest": str(value.get("digest", ""))[:16]}
            for key, value in sorted(made.items())
            if "digest" in value and not key.startswith("params:")
        ],
        run={
            "run": manifest.run,
            "command": manifest.run_record.get("command"),
            "git commit": manifest.run_record.get("commit"),
            "digest of the adapter": manifest.digest,
        },
        merged=wishes["merged"],
        on_hub=wishes["base"] is not None or model.path is None,
    )
    (folder / "README.md").write_text(model_card(facts), encoding="utf-8")


def _counts(catalog: Any, name: str, made: dict[str, Any]) -> dict[str, Any]:
    examples = _loaded(catalog, f"{name}.training_examples", made.get(f"{name}.training_examples", {}).get("version"))
    if examples is None:
        return {}
    train = examples[examples["part"] == "train"]
    return {
        "training examples": len(train),
        "questions": train["question_id"].nunique(),
        "held back for dev": len(examples) - len(train),
        "tokens of prompts": int(train["prompt_tokens"].sum()),
        "tokens of chains": int(train["completion_tokens"].sum()),
    }


def _modules(catalog: Any, name: str, version: str) -> dict[str, str]:
    """What the adapter changes, as its own files say."""
    from medo1.training.adapters import CONFIG

    path = Path(_loaded(catalog, f"{name}.adapter", version).path) / CONFIG
    return {"modules trained": ", ".join(json.loads(path.read_text(encoding="utf-8"))["target_modules"])}


def _last(catalog: Any, name: str, version: str) -> dict[str, Any]:
    log = _loaded(catalog, f"{name}.training_log", version)
    if log is None or not len(log):
        return {}
    last = log[log["loss"].notna()].iloc[-1]
    found = {"step": int(last["step"]), "epoch": float(last["epoch"]), "loss": float(last["loss"])}
    seen = log[log["eval_loss"].notna()]
    if len(seen):
        names = [column for column in ("eval_loss", "eval_accuracy", "eval_unfinished") if seen[column].notna().any()]
        found |= {column: float(seen.iloc[-1][column]) for column in names}
    return found


def _results(catalog: Any, name: str, digest: str) -> list[dict[str, Any]]:
    """The latest results, of the arms that were asked with this very adapter."""
    from kedro.io.core import DatasetError

    from medo1.commands.samples import answers_behind

    try:
        manifest = catalog["results"].manifest()
        arms = [
            key.partition(".")[0]
            for key, told in answers_behind(catalog, manifest).items()
            if _asked_with(catalog, key, told.get("version"), f"{name}.adapter", digest)
        ]
        table = _loaded(catalog, "results", manifest.version)
    except (DatasetError, KeyError):
        return []
    return [] if table is None else table[table["arm"].isin(arms)].to_dict(orient="records")


def _asked_with(catalog: Any, answers: str, version: str | None, adapter_name: str, digest: str) -> bool:
    made = catalog[answers].manifest(version).made_from
    generations = answers.replace(".answers", ".generations")
    asked = catalog[generations].manifest(made.get(generations, {}).get("version")).made_from
    return bool(asked.get(adapter_name, {}).get("digest") == digest)


def _loaded(catalog: Any, entry: str, version: str | None) -> Any:
    from kedro.io.core import DatasetError

    try:
        dataset = catalog[entry]
        if version is not None:
            dataset.pin(version)
        return dataset.load()
    except (DatasetError, KeyError):
        return None


def _open(folder: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
