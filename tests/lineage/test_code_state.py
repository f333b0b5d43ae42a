"""What counts as a change of the code that a run rests on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from medo1.lineage.environment import code_at


def test_kept_results_are_no_change_of_the_code_and_any_other_new_file_is(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=tmp_path, check=True)

    git("init", "-q")
    kept = tmp_path / "docs/results/study/cell.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    git("add", "-A")
    git("commit", "-qm", "first")
    kept.write_text('{"changed": 1}')
    (kept.parent / "new.json").write_text("{}")
    state = code_at(tmp_path)
    assert (state.dirty, state.diff) == (False, "")
    (tmp_path / "docs/other.md").write_text("new")
    state = code_at(tmp_path)
    assert state.dirty
    assert "other.md" in str(state.diff)
    assert "cell.json" not in str(state.diff)
