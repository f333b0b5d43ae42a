"""What is kept of a study is found again, belongs to one recipe, and is never run by two at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from medo1.studies.cell_results import CellResultError, differences
from medo1.studies.cells import cells_of
from medo1.studies.kept_cells import ChangedRecipeError, KeptCells
from tests.conftest import ROOT
from tests.studies.declared import DECLARED, declaration, result


@pytest.fixture
def kept(tmp_path: Path) -> KeptCells:
    return KeptCells(tmp_path / "tried", "tried", declaration())


def test_done_cells_are_found_and_the_same_result_gives_the_same_bytes(kept: KeptCells) -> None:
    kept.check_recipe(keep=True)
    cells = cells_of(kept.study)
    file = kept.keep(cells[0], result(cells[0]))
    before = file.read_bytes()
    assert list(kept.done(cells)) == [cells[0].name]
    assert kept.keep(cells[0], kept.done(cells)[cells[0].name]).read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"hypothesis": "It did."}, "hypothesis"),
        ({"grid": {**DECLARED["grid"], "seed": [1, 2, 3, 4]}}, "grid.seed.4"),
        ({"confidence": 0.9}, "confidence"),
        ({"parameters": {**DECLARED["parameters"], "world": 10}}, "parameters.world"),
    ],
)
def test_a_changed_recipe_is_refused_under_the_old_name(kept: KeptCells, changes: dict[str, object], keys: str) -> None:
    kept.check_recipe(keep=True)
    cell = cells_of(kept.study)[0]
    kept.keep(cell, result(cell))
    with pytest.raises(ChangedRecipeError, match=keys):
        KeptCells(kept.folder, "tried", declaration(**changes)).check_recipe()


def test_a_declaration_whose_cells_only_failed_can_be_mended(kept: KeptCells) -> None:
    """Nothing has come out: there is nothing that a prediction could have been moved to."""
    kept.check_recipe(keep=True)
    cells = cells_of(kept.study)
    kept.keep_failure(cells[0], "no such format", None)
    mended = KeptCells(kept.folder, "tried", declaration(parameters={**DECLARED["parameters"], "world": 10}))
    mended.check_recipe(keep=True)
    assert mended.failures(cells_of(mended.study)) == {}  # what failed was another cell
    kept.check_recipe(keep=True)
    with kept.claim(cells[1]), pytest.raises(ChangedRecipeError):
        mended.check_recipe()


def test_what_was_mended_is_what_stays(kept: KeptCells) -> None:
    kept.check_recipe(keep=True)
    mended = KeptCells(kept.folder, "tried", declaration(hypothesis="It did."))
    mended.check_recipe(keep=True)
    cell = cells_of(mended.study)[0]
    mended.keep(cell, result(cell))
    with pytest.raises(ChangedRecipeError, match="hypothesis"):
        kept.check_recipe()


def test_the_study_in_small_may_change(kept: KeptCells) -> None:
    kept.check_recipe(keep=True)
    KeptCells(kept.folder, "tried", declaration(smallest={})).check_recipe()


def test_a_result_of_another_cell_is_refused(kept: KeptCells) -> None:
    cells = cells_of(kept.study)
    kept.check_recipe(keep=True)
    kept.keep(cells[0], result(cells[1]))
    with pytest.raises(CellResultError, match=r"size-s1_seed-1\.json is the result of another cell"):
        kept.done(cells)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"study": "tried"}'])
def test_a_damaged_result_is_named_with_what_to_do(kept: KeptCells, text: str) -> None:
    cells = cells_of(kept.study)
    kept.check_recipe(keep=True)
    (kept.folder / f"{cells[0].name}.json").write_text(text, encoding="utf-8")
    with pytest.raises(CellResultError, match="Take it away"):
        kept.done(cells)


def test_a_claimed_cell_is_nobody_elses_and_is_free_afterwards(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    with kept.claim(cell) as mine, KeptCells(kept.folder, "tried", kept.study).claim(cell) as others:
        assert (mine, others) == (True, False)
        assert str(os.getpid()) in kept.claimed([cell])[cell.name]
    with kept.claim(cell) as mine:
        assert mine


def test_what_a_killed_process_had_claimed_is_free_again(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    code = (
        "import os, sys; from pathlib import Path; from tests.studies.declared import declaration\n"
        "from medo1.studies.kept_cells import KeptCells; from medo1.studies.cells import cells_of\n"
        "study = declaration(); kept = KeptCells(Path(sys.argv[1]), 'tried', study)\n"
        "claim = kept.claim(cells_of(study)[0]); claim.__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(kept.folder)], check=False, timeout=60, cwd=ROOT)
    assert list(kept.folder.glob("*.claim"))
    assert kept.claimed([cell]) == {}
    with kept.claim(cell) as mine:
        assert mine


def test_a_cell_is_claimed_while_its_run_goes_on_though_the_study_was_killed(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    code = (
        "import os, sys; from pathlib import Path; from tests.studies.declared import declaration\n"
        "from medo1.studies.kept_cells import KeptCells; from medo1.studies.cells import cells_of\n"
        "study = declaration(); cell = cells_of(study)[0]; kept = KeptCells(Path(sys.argv[1]), 'tried', study)\n"
        "claim = kept.claim(cell); claim.__enter__(); kept.claim_for_run(cell, int(sys.argv[2]))\n"
        "os.kill(os.getpid(), 9)"
    )
    try:
        subprocess.run([sys.executable, "-c", code, str(kept.folder), str(run.pid)], check=False, timeout=60, cwd=ROOT)
        with kept.claim(cell) as mine:
            assert not mine
    finally:
        run.kill()
        run.wait()
    with kept.claim(cell) as mine:
        assert mine


def test_a_claim_in_its_earlier_form_is_read(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    kept.folder.mkdir(parents=True)
    earlier = {"host": socket.gethostname(), "since": 0}
    for pid, free in ((os.getpid(), False), (2**22 - 3, True)):
        (kept.folder / f"{cell.name}.claim").write_text(json.dumps({**earlier, "pid": pid}), encoding="utf-8")
        with kept.claim(cell) as mine:
            assert mine == free


def test_a_failure_is_kept_until_the_cell_is_done(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    kept.check_recipe(keep=True)
    kept.keep_failure(cell, "no memory", None)
    assert kept.failures([cell])[cell.name]["why"] == "no memory"
    kept.keep(cell, result(cell))
    assert kept.failures([cell]) == {}


def test_two_results_of_a_cell_are_held_against_each_other_question_by_question(kept: KeptCells) -> None:
    cell = cells_of(kept.study)[0]
    one = result(cell)
    assert differences(one, one) == []
    changed = json.loads(one.to_json())
    right = changed["arms"]["a"]["exam"]["right"]
    changed["arms"]["a"]["exam"]["right"] = ("0" if right[0] == "1" else "1") + right[1:]
    del changed["arms"]["b"]
    changed["abilities"] = {"fact": 0.6}
    told = "\n".join(differences(one, type(one)(**changed)))
    assert "a on exam: 1 of 120 questions" in told
    assert "b: only in the earlier run" in told
    assert "abilities: differs" in told
