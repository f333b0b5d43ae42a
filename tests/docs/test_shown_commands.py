"""Every command that the docs show is one that exists, with options that it has, and parameters that the study has."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args

import click
import pytest

from tests.conftest import ROOT
from tests.docs.shown_commands import Shown, shown

sys.path.insert(0, str(ROOT / "docs/site"))

COMMANDS = [one for one in shown() if one.words[0] != "make"]
NAMED = {f"{one.page.stem}: {one.text}": one for one in COMMANDS}


def faults(one: Shown) -> list[str]:
    """What would keep a reader's shell from running it, apart from files and runs that only the reader has."""
    from medo1.cli import cli
    from medo1.commands.project_commands import COMMANDS as OWN

    words = one.words[1:]
    if words[:1] and words[0] in OWN:
        return _parsed(cli, words, one.whole)
    if one.words[0] == "medo1":
        from medo1.commands.program import program

        return _parsed(program, words, one.whole)
    from kedro.framework.cli.cli import KedroCLI

    return _parsed(KedroCLI(project_path=ROOT), words, one.whole)


def _parsed(group: click.Command, words: list[str], whole: bool) -> list[str]:
    try:
        command: click.Command = group
        context = click.Context(group, info_name="kedro")
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            if found is None:
                return [f"no command {words[0]!r}"]
            command, words = found, words[1:]
        with command.make_context("kedro", [word for word in words if word != "..."]):
            return []
    except click.exceptions.Exit:
        return []  # --help, --version
    except click.NoSuchOption as error:
        return [error.format_message()]
    except click.BadParameter as error:
        said = error.format_message()
        of_the_reader = "does not exist" in said or isinstance(error, click.MissingParameter)
        return [said] if whole and not (of_the_reader and not isinstance(error, click.MissingParameter)) else []
    except click.UsageError as error:
        return [error.format_message()] if whole else []


@pytest.mark.parametrize("name", NAMED)
def test_a_shown_command_can_be_pasted(name: str) -> None:
    assert faults(NAMED[name]) == []


def test_shown_parameters_pipelines_and_environments_exist() -> None:
    import parameters_page

    from medo1.study import PipelineName

    keys = {
        key.name
        for under, model in parameters_page.groups().items()
        for key in parameters_page.keys(model, under, None)
    }
    pattern = re.compile("|".join(re.sub(r"<\\?\w+>|<\w+>", r"\\w+", re.escape(key)) for key in sorted(keys)))
    environments = {folder.name for folder in (ROOT / "conf").iterdir()} | {"mine", "X", "NAME"}
    wrong = []
    for one in COMMANDS:
        text = one.text.partition(" #")[0]
        for given in re.findall(r"--params[ =]\"?([\w.]+)=", text):
            misspelt_on_purpose = given == "inference.sampels"
            top = given.split(".")[0]
            if not (pattern.fullmatch(given) or misspelt_on_purpose or top in ("seed", "benchmarks_dir")):
                wrong.append(f"{one.page.name}: parameter {given}")
        for given in re.findall(r"--pipelines?[ =]([\w,]+)", text):
            wrong += [
                f"{one.page.name}: pipeline {name}" for name in given.split(",") if name not in get_args(PipelineName)
            ]
        for given in re.findall(r"--env[ =](\w+)", text):
            wrong += [] if given in environments else [f"{one.page.name}: environment {given}"]
    assert wrong == []


def test_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    named = {
        word for one in shown() if one.words[0] == "make" for word in one.words[1:] if re.fullmatch(r"[a-z]+", word)
    }
    assert named - targets == set()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kedro audit rnus", "no command 'rnus'"),
        ("kedro ask CASE --amr vanilla", "--amr"),
        ("kedro run --pipline=finetune", "--pipline"),
        ("kedro audit trace", "Missing"),
    ],
)
def test_a_command_that_does_not_exist_would_be_found(text: str, fault: str) -> None:
    assert fault in " ".join(faults(Shown(Path("page.md"), text, whole=True)))
