"""`medo1` from a wheel: no project here, only the configuration that was packaged with it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.journey.scratch import FEW_CASES

FEW = {"clinic": {"exam": FEW_CASES}}


def medo1(folder: Path, *words: str, source: Path = ROOT / "src", code: str = "") -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    for name in ("KEDRO_ENV", "MEDO1_ROOT", "KEDRO_LOGGING_CONFIG"):
        variables.pop(name, None)
    return subprocess.run(
        [sys.executable, *(["-c", code] if code else ["-m", "medo1", *words])],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_a_folder_that_holds_only_the_configuration_is_enough_to_run_and_to_audit(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/local").mkdir()
    (tmp_path / "conf/local/parameters.yml").write_text(yaml.safe_dump(FEW))
    ran = medo1(tmp_path, "run", "--conf-source=conf", "--pipelines=clinic,ingest", "--to-outputs=benchmark_files")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "finished" in medo1(tmp_path, "audit", "runs").stdout
    told = json.loads(medo1(tmp_path, "audit", "runs", "latest", "--json").stdout)
    assert told["git_commit"] is None  # no repository here: the code is known by its digest
    assert all(node["code"] for node in told["nodes"])
    for command in (["verify"], ["verify", "--root", told["root"]], ["stale"], ["lineage", "benchmark_files"]):
        audited = medo1(tmp_path, "audit", *command)
        assert audited.returncode == 0, (command, audited.stdout + audited.stderr)
    assert "outside a git repository" in medo1(tmp_path, "audit", "reproduce", "latest").stderr


def test_without_a_configuration_it_says_where_one_comes_from(tmp_path: Path) -> None:
    told = medo1(tmp_path, "run")
    assert told.returncode == 1
    assert "There is no project here" in told.stderr
    assert "medo1 new" in told.stderr
    assert "Traceback" not in told.stderr
    assert "Did you mean run?" in medo1(tmp_path, "rnu").stderr


def test_answers_are_read_without_kedro_and_torch(tmp_path: Path) -> None:
    """Nor anything else that takes long to import: it is used on files that are not medo1's, again and again."""
    (tmp_path / "outputs.jsonl").write_text('{"text": "The answer is B.", "options": {"A": "one", "B": "two"}}\n')
    code = (
        "import sys; from medo1.__main__ import main; sys.argv = ['medo1', 'answers', 'outputs.jsonl', '--json']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    heavy = ("torch", "kedro", "pandas", "numpy", "pyarrow", "transformers", "omegaconf", "pydantic", "sqlalchemy")
    assert "'medo1'" in done.stdout
    assert [name for name in heavy if f"'{name}'" in done.stdout.splitlines()[-1]] == []


def test_a_new_project_is_not_written_over_anything(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study/mine.txt").write_text("mine")
    told = medo1(tmp_path, "new", "study")
    assert told.returncode == 1
    assert "study is not empty" in told.stderr
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["mine.txt"]


def test_a_shell_completes_commands_and_options(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = medo1(tmp_path, "completion", shell).stdout
        assert "_MEDO1_COMPLETE" in script
        assert "_KEDRO_COMPLETE" in script
    variables = {"_MEDO1_COMPLETE": "bash_complete", "COMP_CWORD": "2", "COMP_WORDS": "medo1 answers --fin"}
    found = subprocess.run(
        [sys.executable, "-m", "medo1"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables},
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    assert "--finish-reason" in found


@pytest.mark.slow
def test_the_wheel_alone_writes_a_project_runs_it_and_answers_from_a_folder_below(tmp_path: Path) -> None:
    site = unpacked_wheel(tmp_path)
    assert medo1(tmp_path, "--version", source=site).stdout.startswith("medo1, version ")
    written = medo1(tmp_path, "new", "study", source=site)
    assert written.returncode == 0, written.stderr
    study = tmp_path / "study"
    assert not list(study.rglob("credentials*"))
    for name in ("conf/base/parameters.yml", "notebooks", "Makefile", "README.md", "data/01_raw", ".gitignore"):
        assert (study / name).exists(), name
    (study / "conf/local/parameters.yml").write_text(yaml.safe_dump(FEW))
    ran = medo1(study, "run", "--pipelines=clinic,ingest", "--to-outputs=questions", source=site)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "questions" in ran.stderr
    below = study / "data/03_primary"
    assert "finished" in medo1(below, "audit", "runs", source=site).stdout
    shown = medo1(below, "run", "--dry-run", "--pipelines=ingest", source=site)
    assert "reused from" in shown.stdout, shown.stderr
    assert not (below / "data").exists()
    assert str(site) in medo1(study, "where", source=site, code="import medo1; print(medo1.__file__)").stdout


def unpacked_wheel(folder: Path) -> Path:
    """A wheel is built from a copy of what git has, and unpacked."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    copy = folder / "copy"
    for name in files.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / "conf/local").mkdir(exist_ok=True)
    (copy / "conf/local/credentials.yml").write_text("openai: {api_key: secret}\n")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)],
        capture_output=True, check=True,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert not [name for name in packed.namelist() if "credentials" in name]
        packed.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_of_the_package() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["medo1"]
    package = ROOT / "src/medo1"
    held = {path for pattern in packaged for path in package.glob(pattern)}
    others = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert others <= held


def test_setup_copies_what_a_new_project_is_made_of() -> None:
    from medo1.commands.project_folder import COPIED

    written = re.search(r"^COPIED = (\(.*\))", (ROOT / "setup.py").read_text(), re.MULTILINE)
    assert written is not None
    assert ast.literal_eval(written[1]) == COPIED
