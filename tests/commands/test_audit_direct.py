"""`medo1 audit` answers as `kedro audit` does, without what Kedro reads before it calls a command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lineage.tiny_project import TinyProject

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A small project that ran once and then is one of the package medo1."""
    found = TinyProject(tmp_path_factory.mktemp("direct") / "project")
    found.run()
    found.edit("pyproject.toml", f'package_name = "{found.package}"', 'package_name = "medo1"')
    return found


def called(project: TinyProject, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=project.path,
        capture_output=True,
        text=True,
        env=project.environment() | {"KEDRO_LOGGING_CONFIG": str(ROOT / "conf" / "logging.yml")},
        check=False,
    )


@pytest.mark.parametrize("arguments", [("versions", "results"), ("lineage", "results"), ("stale",), ("runs",)])
def test_both_ways_answer_the_same(project: TinyProject, arguments: tuple[str, ...]) -> None:
    project.edit("conf/base/parameters.yml", "rate: 0.1", "rate: 0.3")
    try:
        direct, kedro = (called(project, "-m", name, "audit", *arguments, "--json") for name in ("medo1", "kedro"))
    finally:
        project.edit("conf/base/parameters.yml", "rate: 0.3", "rate: 0.1")
    assert direct.returncode == kedro.returncode == (arguments == ("stale",)), direct.stderr + kedro.stderr
    told = json.loads(direct.stdout)
    assert told
    assert told == json.loads(kedro.stdout)


@pytest.mark.parametrize("arguments", [("versions", "results"), ("lineage", "results"), ("stale",), ("runs",)])
def test_the_direct_way_imports_neither_the_framework_nor_its_plugins(
    project: TinyProject, arguments: tuple[str, ...]
) -> None:
    script = (
        "import sys\nfrom medo1.__main__ import main\n"
        f"sys.argv = ['medo1', 'audit', *{arguments!r}]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "print('loaded', sorted({*sys.modules} & {'kedro.framework', 'kedro.io', 'dynaconf', 'kedro_viz', 'requests',"
        " 'kedro_telemetry', 'pluggy', 'pydantic', 'medo1.settings'}))"
    )
    done = called(project, "-c", script)
    assert "loaded []" in done.stdout, done.stdout + done.stderr


def test_the_project_of_another_package_is_read_by_its_own_settings(tmp_path: Path) -> None:
    from medo1.commands.audit.direct import own_sources

    assert own_sources(TinyProject(tmp_path / "other").path) is None
    assert own_sources(ROOT) == ROOT / "src"


def test_the_settings_say_what_the_direct_way_takes_for_granted() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pathlib import Path\nfrom kedro.framework.startup import bootstrap_project\n"
            "bootstrap_project(Path.cwd())\n"
            "from kedro.framework.project import settings\nfrom medo1 import configuration\n"
            "assert settings.CONFIG_LOADER_CLASS is configuration.StudyConfigLoader\n"
            "assert dict(settings.CONFIG_LOADER_ARGS) == configuration.LOADER_ARGS\n"
            "assert settings.CONF_SOURCE == configuration.CONF_SOURCE\n",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
