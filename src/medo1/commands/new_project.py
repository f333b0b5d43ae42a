"""`medo1 new` and `medo1 demo`: a project of one's own that runs against the installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from string import Template

import click

from medo1 import __version__
from medo1.commands.project_folder import COPIED, project_files
from medo1.errors import UserError

TEMPLATES = Path(__file__).with_name("project_templates")
WRITTEN = {
    "pyproject.toml.in": "pyproject.toml",
    "Makefile.in": "Makefile",
    "README.md.in": "README.md",
    "own_code.md.in": "src/README.md",
}
LAYERS = (
    *("01_raw", "02_intermediate", "03_primary", "04_feature"),
    *("05_model_input", "06_models", "07_model_output", "08_reporting"),
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def new(folder: Path) -> None:
    """Write a project of your own into FOLDER: configuration, prompts, notebooks, a Makefile.

    It runs against the installed package, so that nothing has to be forked: `cd FOLDER && kedro run`.
    """
    write_project(folder)
    click.echo(f"{folder} is written: the embedded study, to be run as it is and changed as you like.")
    click.echo(f"  cd {folder}\n  kedro run --dry-run    the plan\n  kedro run              the study")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("medo1-demo"))
def demo(folder: Path) -> None:
    """Run the embedded study in FOLDER (medo1-demo if none is named): four to six minutes on two cores.

    Needs no network, no key and no GPU. A demo that was stopped goes on when it is called again.
    """
    if is_project(folder):
        click.echo(f"{folder} is there already: its study runs again, and takes the answers that are kept.")
    else:
        write_project(folder)
        click.echo(f"{folder} is written; the study runs in it now.")
    ended = subprocess.run([sys.executable, "-m", "kedro", "run"], cwd=folder, check=False)
    if ended.returncode:
        raise click.exceptions.Exit(ended.returncode)
    click.echo(f"To go on: cd {folder}")


def is_project(folder: Path) -> bool:
    """Whether a folder holds a project of medo1 as `write_project` leaves it."""
    file = folder / "pyproject.toml"
    return file.is_file() and 'package_name = "medo1"' in file.read_text(encoding="utf-8")


def write_project(folder: Path) -> None:
    """Write a new project.

    Raises:
        UserError: the folder is there and holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: name a folder that is not there yet.")
    folder.mkdir(parents=True, exist_ok=True)
    source = project_files()
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("local", "__pycache__"))
        else:
            shutil.copy(source / name, folder / name)
    for empty in ("conf/local", *(f"data/{layer}" for layer in LAYERS)):
        (folder / empty).mkdir(parents=True)
        (folder / empty / ".gitkeep").touch()
    name = "".join(letter if letter.isalnum() else "-" for letter in folder.resolve().name).strip("-") or "study"
    values = {"name": name, "version": __version__, "kedro": _kedro_version()}
    for template, target in WRITTEN.items():
        text = Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)
        (folder / target).parent.mkdir(exist_ok=True)
        (folder / target).write_text(text, encoding="utf-8")


def _kedro_version() -> str:
    from importlib.metadata import version

    return version("kedro")
