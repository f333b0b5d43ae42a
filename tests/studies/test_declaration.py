"""A study's file says everything beforehand, and a mistake in it is named with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from medo1.configuration import project_loader
from medo1.studies.cells import Cell, cells_of, chosen_cells, merged
from medo1.studies.declaration import Declaration, DeclarationError, declared, names
from tests.conftest import ROOT
from tests.studies.declared import DECLARED, declaration

STUDIES = ROOT / "conf/studies"


def comparison(**changes: Any) -> dict[str, Any]:
    return {"comparisons": {"gain": {**DECLARED["comparisons"]["gain"], **changes}}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grid": {"size": {}, "seed": [1]}}, "grid.size has no levels"),
        ({"scale": {"size": {"s1": 1}}}, "scale.size has no number for s2, s4"),
        ({"scale": {"sise": {"s1": 1}}}, "no factor 'sise'"),
        ({"without": [{"size": "s9"}]}, "size has no level 's9'"),
        (comparison(by=["sise"]), "no factor 'sise'"),
        (comparison(by=[]), "nothing says which size"),
        (comparison(of={"arm": "a"}), "compares a side with itself"),
        (comparison(predicted={}), "predicted needs `low`, `high` or both"),
        (comparison(predicted={"low": 0.2, "high": 0.1}), "low 0.2 is above high 0.1"),
        (comparison(of={"arm": "b", "at": {"size": "s1"}}), "over which it repeats or differs"),
        (comparison(on="chains"), "Extra inputs"),
        ({"trends": {"t": {**DECLARED["trends"]["gain"], "over": "seed"}}}, "seed has no `scale`"),
        ({"smallest": {"grid": {"size": ["s7"]}}}, "size has no level 's7'"),
        ({"question": ""}, "at least 1 character"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        declaration(**changes)


def test_a_study_has_a_cell_for_each_combination_and_whole_repetitions_first() -> None:
    cells = cells_of(declaration(without=[{"size": "s2", "seed": "3"}]))
    assert [cell.name for cell in cells[:4]] == ["size-s1_seed-1", "size-s2_seed-1", "size-s4_seed-1", "size-s1_seed-2"]
    assert len(cells) == 8
    assert cells[0].parameters == {**DECLARED["parameters"], "clinic": {"hidden": 8}, "seed": 1}


def test_the_study_in_small_has_its_own_cells_and_parameters() -> None:
    (cell,) = cells_of(declaration(), small=True)
    assert (cell.name, cell.parameters["world"]) == ("size-s1_seed-1", 1)


def test_cells_are_chosen_by_their_levels_and_unknown_ones_are_told() -> None:
    cells = cells_of(declaration())
    assert len(chosen_cells(cells, {"size": ["s1", "s2"], "seed": ["2"]})) == 2
    with pytest.raises(Exception, match="size: s1, s2, s4; seed: 1, 2, 3"):
        chosen_cells(cells, {"size": ["s3"]})


def test_a_cell_is_known_by_what_makes_it() -> None:
    first, other = cells_of(declaration())[0], cells_of(declaration(parameters={"world": 10}))[0]
    assert first.name == other.name
    assert first.digest != other.digest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("question: a: b", "is not YAML"),
        ("- a", "holds list"),
        ("question: why", "hypothesis"),
        ("qestion: a", "qestion"),
    ],
)
def test_a_file_that_is_no_study_is_told_with_its_name(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "odd.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=told) as error:
        declared(tmp_path, "odd")
    assert "odd.yml" in str(error.value)


def test_a_misspelt_study_is_told_its_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "threshold.yml").write_text(yaml.safe_dump(DECLARED), encoding="utf-8")
    (tmp_path / "parameters.yml").write_text("seed: 1", encoding="utf-8")
    assert names(tmp_path) == ["threshold"]
    with pytest.raises(DeclarationError, match="threshold"):
        declared(tmp_path, "treshold")


@pytest.mark.parametrize("name", names(STUDIES))
def test_every_study_of_the_project_is_predicted_and_has_cells_in_small(name: str) -> None:
    study = declared(STUDIES, name)
    assert any(
        one.predicted for part in (study.comparisons, study.trends, study.best, study.followed) for one in part.values()
    )
    if study.env == "studies":  # runs everywhere, so in small too
        assert 0 < len(cells_of(study, small=True)) <= 4
    known = set(merged([project_loader(ROOT, study.env)["parameters"]["arms"], study.parameters.get("arms", {})]))
    used = {side.arm for one in study.comparisons.values() for side in (one.of, one.against)}
    used |= {arm for one in study.best.values() for arm in one.arms}
    used |= {arm for one in study.trends.values() for arm in (one.of, one.against)}
    assert used <= known


def first_cells(study: Declaration) -> list[Cell]:
    """For each level of what is not repeated, the first cell that has it."""
    found: dict[tuple[str, str], Cell] = {}
    for cell in cells_of(study):
        for factor, level in cell.levels.items():
            if factor != "seed":
                found.setdefault((factor, level), cell)
    return list({cell.name: cell for cell in found.values()}.values())


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        pytest.param(name, cell, id=f"{name}-{cell.name}")
        for name in names(STUDIES)
        for cell in first_cells(declared(STUDIES, name))
    ],
)
def test_every_cell_starts_from_outside_files_alone(
    name: str, cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a cell trains or asks for is made in it: it needs no earlier run, and its parameters describe a study."""
    from kedro.framework.project import pipelines
    from kedro.framework.startup import bootstrap_project

    from medo1.datasets.artifacts import VersionedArtifact
    from medo1.lineage.session import LineageSession

    study = declared(STUDIES, name)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    bootstrap_project(ROOT)
    with LineageSession.create(ROOT, env=study.env, runtime_params=dict(cell.parameters)) as session:
        catalog = session.load_context().catalog
        whole = sum((pipelines[one] for one in study.pipelines), start=pipelines[study.pipelines[0]])
        needed = [one for one in sorted(whole.inputs()) if not one.startswith("params:")]
        assert [one for one in needed if isinstance(catalog.get(one), VersionedArtifact)] == []
