"""`medo1` from a wheel: no project here, only the configuration that was packaged with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.journey.scratch import FEW_CASES

FEW = {"clinic": {"exam": FEW_CASES}}


def medo1(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    for name in ("KEDRO_ENV", "MEDO1_ROOT"):
        variables.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "medo1", *words],
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
    assert "tar xzf conf-medo1.tar.gz" in told.stderr


def test_the_wheel_holds_every_file_of_the_package() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["medo1"]
    package = ROOT / "src/medo1"
    held = {path for pattern in packaged for path in package.glob(pattern)}
    others = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert others <= held
