"""What the docs show is what the commands print: the demo is run as it stands, and every marked example in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.journey.scratch import Scratch

sys.path.insert(0, str(ROOT / "docs/site"))


@pytest.mark.slow
def test_examples_print_what_the_pages_show(tmp_path: Path) -> None:
    import examples

    marked = [page for page in examples.PAGES if list(examples.examples(page))]
    assert marked
    project = Scratch(tmp_path)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    who = ("-c", "user.name=reader", "-c", "user.email=reader@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "A study")):  # as a clone is one
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    ran = project.kedro("run", wait=1800)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    stale = [line for page in marked for line in examples.checked(page, tmp_path, write=False)]
    assert not stale, "\n\n".join(stale)


@pytest.mark.parametrize(
    ("shown", "printed", "how", "same"),
    [
        ("2 of 3 rows\n", "5 of 17 rows\n", "text", True),
        ("2 of 3 rows\n", "2 of 3 lines\n", "text", False),
        ("run 2026-11-24T01.54.38.906Z\n", "run 2026-12-01T11.04.00.001Z\n", "text", True),
        ("clinic  4 nodes  53 s last time\n", "clinic  4 nodes  1 min 16 s last time\n", "text", True),
        ("ingest  under 1 s   3 questions\n", "ingest  2.5 s   5 questions\n", "text", True),
        ("finished  4m 31s  local\n", "finished  42.5s  local\n", "text", True),
        ("p 0.025\n", "p < 0.001\n", "text", True),
        ("first\n...\nlast\n", "first\na\nb\nlast\n", "text", True),
        ("first\n...\nlast\n", "first\na\nb\nend\n", "text", False),
        ("first\n...\nlast\n", "other\na\nlast\n", "text", False),
        ("first\n...\n", "first\na\nb\n", "text", True),
        ("one\n", "one\ntwo\n", "text", False),
        ("one\ntwo\n", "one\n", "text", False),
        ("The cough suggests luthemia.\n", "The cough suggests drexis.\n", "words", True),
        ("-> B. drexis  (33 tokens)\n", "-> A. luthemia  (41 tokens)\n", "words", True),
        ("-> B. drexis  (33 tokens)\n", "-> a tie: A and B have 4 votes each\n", "words", False),
        ("sample 1 drexis\nsample 2 luthemia\nend\n", "sample 1 drexis\nend\n", "words", True),
        (f"{'Wait, so drexis. ' * 9}\nend\n", f"{'Hmm, so luthemia. ' * 7}\nend\n", "words", True),
        (f"{'Wait, so drexis. ' * 9}\nend\n", "end\n", "words", False),
        ("Error: no arm\n", "nothing of it\n", "words", False),
        ("anything\n", "else\n", "runs", True),
    ],
)
def test_pages_are_compared_without_their_numbers(shown: str, printed: str, how: str, same: bool) -> None:
    import examples

    assert (examples.difference(shown, printed, how) == []) is same


def test_a_page_is_filled_in_and_then_fresh(tmp_path: Path) -> None:
    import examples

    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n<!-- example -->\n\n    $ printf 'one\\ntwo 2\\nthree\\nfour\\n'\n"
        "    one\n    ...\n    four\n\nAfter it.\n"
        "\n<!-- example -->\n\n    $ echo stale  # every time\n    fresh\n\n"
        "<!-- example -->\n\n    $ true\n\nThe end.\n"
    )
    assert any("echo stale" in line for line in examples.checked(page, tmp_path, write=False))
    assert examples.checked(page, tmp_path, write=True) == []
    assert "    one\n    ...\n    four\n\nAfter it." in page.read_text()
    assert "    $ echo stale  # every time\n    stale\n\n<!-- " in page.read_text()
    assert "    $ true\n\nThe end." in page.read_text()
    assert examples.checked(page, tmp_path, write=False) == []


def test_a_command_that_fails_is_not_shown_as_one_that_works(tmp_path: Path) -> None:
    import examples

    page = tmp_path / "page.md"
    page.write_text("<!-- example: runs -->\n\n    $ false\n    fine\n\n")
    assert "ended with 1" in examples.checked(page, tmp_path, write=False)[0]
