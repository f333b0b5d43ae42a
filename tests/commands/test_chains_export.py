"""The page "Bring real data" as pasted: chains of one's own in, and out again in the forms of other trainers."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from medo1.chains.exporting import SHAPES, card_of, exported, write_dataset, write_lines
from medo1.questions import Question, question_id
from tests.conftest import ROOT
from tests.journey.scratch import Scratch

BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/bring_real_data.md").read_text(encoding="utf-8"), re.DOTALL)
OPTIONS = {"A": "Lupus", "B": "Gout"}
QUESTION = Question(
    question_id("Which?", OPTIONS), "mine", "train", "Which?", OPTIONS, "B", extra={"link": "https://x.org/1"}
)
LICENSED = replace(QUESTION, question_id="f" * 16, stem="A secret case.", benchmark="jama", shareable=False)


def chain(question: Question) -> dict[str, str]:
    return {
        "question_id": question.question_id,
        "format": "cot",
        "text": f"{question.stem} Gout. | <b>",
        "teacher": "t|x",
    }


@pytest.mark.slow
def test_chains_come_in_and_go_out_as_the_page_says(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    scratch = Scratch(tmp_path / "project")
    setup, run = BLOCKS[0].rstrip().rsplit("\n", 1)
    subprocess.run(["bash", "-euc", setup], cwd=scratch.path, check=True)
    for line in (run, *BLOCKS[1].strip().splitlines()):
        done = scratch.kedro(*line.removeprefix("kedro ").split())
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    rejected = pd.read_parquet(next((scratch.path / "data").rglob("chains_rejected.parquet/*/chains_rejected.parquet")))
    assert sorted(reason.partition(": ")[2] or reason for reason in rejected["reason"]) == [
        "its question is none of the training questions", "my_chains.jsonl has no chain for this question",
    ]  # fmt: skip
    rows = [json.loads(line) for line in (scratch.path / "kept.jsonl").read_text().splitlines()]
    assert len(rows) == 2
    assert rows[0]["messages"][0]["content"].startswith("A 58-year-old man") or rows[0]["messages"][0][
        "content"
    ].startswith("A 19")
    assert "<think>" not in json.dumps(rows)
    assert rows[0]["messages"][1]["content"].rstrip().endswith(("B", "A"))
    loaded = datasets.load_dataset(str(scratch.path / "my-chains"), split="train")
    assert loaded[0]["messages"][0]["role"] == "user"
    assert sorted(loaded["question_id"]) == sorted(row["question_id"] for row in rows)
    card = (scratch.path / "my-chains/README.md").read_text()
    assert "| longmonolog | mine | imported:my_chains.jsonl | 2 |" in card
    assert re.search(r"\| longmonolog \| 20\S+ \| `[0-9a-f]{64}` \| 20\S+ \| ", card)
    assert "- longmonolog: 2 of 2 chains kept; dropped: none" in card


def test_a_text_that_may_not_be_passed_on_never_is(tmp_path: Path) -> None:
    found = exported([chain(QUESTION), chain(LICENSED)], [QUESTION, LICENSED], {"cot": "Answer."})
    for shape in SHAPES:
        written = write_lines(found, shape, tmp_path / f"{shape}.jsonl")
        assert len(written) == 2
        assert "secret" not in "".join(path.read_text() for path in written)
    card = card_of(found, [], {})
    assert "1 of jama" in card
    assert "secret" not in card
    write_dataset(found, tmp_path / "set", card)
    assert json.loads((tmp_path / "set/withheld.jsonl").read_text())["link"] == "https://x.org/1"


def test_a_card_holds_no_markup_of_others() -> None:
    card = card_of(exported([chain(QUESTION)], [QUESTION], {"cot": "Answer."}), [], {})
    assert "t\\|x" in card


def test_each_shape_holds_question_and_chain() -> None:
    (one,) = exported([chain(QUESTION)], [QUESTION], {"cot": "Answer."}).chains
    assert SHAPES["messages"](one)["messages"][1] == {"role": "assistant", "content": one.text}
    assert SHAPES["sharegpt"](one)["conversations"][0] == {"from": "human", "value": one.prompt}
    assert SHAPES["prompt_completion"](one)["completion"] == one.text
    assert one.prompt == "Which?\nA. Lupus\nB. Gout\nAnswer."
