"""One setting says where everything lies, and every environment has a place of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1.configuration import ROOT_VARIABLE, project_loader
from medo1.lineage.ledger_settings import ledger_settings
from tests.conftest import ENVIRONMENTS, ROOT

EVERY = (None, "base", *ENVIRONMENTS)


def places(env: str | None, project: Path = ROOT) -> dict[str, str]:
    """Every path of an environment's catalog, its ledger and its stores, by what it is for."""
    loader = project_loader(project, env)
    found = {"ledger": ledger_settings(loader, project).url.removeprefix("sqlite:///")}
    for name, entry in loader["catalog"].items():
        for key in ("filepath", "store"):
            if isinstance(entry, dict) and isinstance(entry.get(key), str):
                found[f"{name} {key}"] = entry[key]
    return found


def of_runs(env: str | None) -> Iterator[tuple[str, str]]:
    """What runs of an environment save."""
    for name, entry in project_loader(ROOT, env)["catalog"].items():
        if isinstance(entry, dict) and str(entry.get("type", "")).rpartition(".")[2] in (
            *("Table", "Json", "Page", "Figure", "Directory", "ModelDirectory", "AdapterDirectory"),
        ):
            yield name, entry["filepath"]


@pytest.mark.parametrize("env", EVERY)
@pytest.mark.parametrize("root", ["data", "elsewhere/study", "/mnt/study"])
def test_one_root_moves_every_path(env: str | None, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, root)
    for what, path in places(env).items():
        assert path.startswith((f"{root}/", "conf/")), f"{what} lies at {path}"


@pytest.mark.parametrize("env", EVERY)
def test_a_root_in_a_bucket_keeps_on_disk_what_cannot_lie_in_one(
    env: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, "s3://bucket/study")
    assert all(path.startswith("s3://bucket/study/") for _, path in of_runs(env))
    on_disk = {what: path for what, path in places(env).items() if what.endswith(" store") or what == "ledger"}
    assert on_disk
    assert all(path.startswith("data/") for path in on_disk.values()), on_disk


def test_two_environments_save_nothing_to_the_same_place() -> None:
    saved = {env: dict(of_runs(env)) for env in ENVIRONMENTS}
    for env, own in saved.items():
        for other, theirs in saved.items():
            if env != other:
                assert not set(own.values()) & set(theirs.values())
    assert dict(of_runs("local")) == dict(of_runs("base")) == dict(of_runs(None))


def test_base_keeps_its_layers_and_an_environment_of_ones_own_gets_a_folder(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    for env in ("base", "local"):
        (tmp_path / "conf" / env).symlink_to(ROOT / "conf" / env)
    (tmp_path / "conf" / "mine").mkdir()
    assert places(None, tmp_path)["questions filepath"] == "data/03_primary/questions.parquet"
    assert places("mine", tmp_path)["questions filepath"] == "data/mine/03_primary/questions.parquet"
    (tmp_path / "conf" / "mine" / "globals.yml").write_text("place: ${root}/shared_by_hand\n", encoding="utf-8")
    assert places("mine", tmp_path)["questions filepath"] == "data/shared_by_hand/03_primary/questions.parquet"


def test_no_path_of_the_catalogs_is_written_out() -> None:
    for file in sorted((ROOT / "conf").rglob("*.yml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            assert not re.search(r"^\s*(filepath|store|url|\w*dir): .*\bdata/", line), f"{file}:{number}: {line}"


@pytest.mark.parametrize("root", ["data", "elsewhere", "/mnt/archive/study"])
def test_a_place_is_written_down_the_same_wherever_the_root_is(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, root)
    settings: Any = ledger_settings(project_loader(ROOT, None), tmp_path)
    path = tmp_path / root / "08_reporting" / "results.parquet"
    assert settings.location_of(str(path)) == "data/08_reporting/results.parquet"
    assert Path(settings.path_of("data/08_reporting/results.parquet")) == path
    assert settings.location_of(str(tmp_path / "conf" / "prompt.md")) == "conf/prompt.md"
    assert Path(settings.path_of(settings.location_of("/elsewhere/x"))) == Path("/elsewhere/x")
    assert settings.location_of("s3://b/x") == settings.path_of("s3://b/x") == "s3://b/x"


@pytest.mark.parametrize("env", EVERY)
def test_no_two_patterns_of_the_catalog_match_the_same_name(env: str) -> None:
    """Kedro would take one of them, by the letters of their placeholders."""
    names = [name for name in project_loader(ROOT, env)["catalog"] if "{" in name]
    same = Counter(re.sub(r"\{[^}]*\}", "{}", name) for name in names)
    assert [name for name, count in same.items() if count > 1] == []


def test_every_schema_has_a_name_of_its_own() -> None:
    """A second table under a name would take the place of the first."""
    import ast

    module = ast.parse((ROOT / "src/medo1/tables.py").read_text(encoding="utf-8"))
    targets = [node.targets[0] for node in module.body if isinstance(node, ast.Assign)]
    names = Counter(target.id for target in targets if isinstance(target, ast.Name))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("env", EVERY)
def test_only_questions_of_the_embedded_world_show_what_it_was_made_to_show(env: str | None) -> None:
    """`built in` on real questions would hide what came out."""
    parameters = project_loader(ROOT, env)["parameters"]
    assert bool(parameters["reporting"].get("built_in")) == (parameters["base_model"] == "clinic")
