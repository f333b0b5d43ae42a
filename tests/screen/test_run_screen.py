"""A run opens with its plan, shows how far it is, and ends with what was made; a dry run shows the plan alone."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kedro.pipeline import Node

from medo1.engines.base import Completion
from medo1.engines.wrappers.money import Account, Estimate
from medo1.engines.wrappers.progress import Tally
from medo1.progress_bars import GENERATED, ON_SCREEN, Pace, clock, use_screen
from medo1.screen.changed_parameters import changed_parameters
from medo1.screen.ending import NothingMadeError, SavedDataset, ending_lines, made_by_stage, refuse_empty
from medo1.screen.run_log import RunLog
from medo1.screen.run_plan import RunPlan, StagePlan, time_text
from medo1.screen.run_screen import RunScreen
from medo1.screen.work_to_come import teaching_costs
from tests.conftest import ROOT
from tests.journey.scratch import FEW_CASES, SMALL, Scratch

FEW = {"clinic": {"exam": FEW_CASES}}
RUN = ("run", "--pipelines=clinic,ingest", "--to-outputs=questions")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same run with and without a terminal, then the plan of a third with other parameters."""
    project = Scratch(tmp_path_factory.mktemp("shown"))
    project.configure("local/parameters.yml", FEW)
    first = project.kedro(*RUN)
    assert first.returncode == 0, first.stderr
    runs = sorted((project.path / "data/logs").glob("*.log"))
    dry = project.kedro(*RUN, "--dry-run", "--params=seed=4,ingest.near_copies=false,arms.cot_stf.prompt=cot")
    assert dry.returncode == 0, dry.stderr
    assert sorted((project.path / "data/logs").glob("*.log")) == runs
    return {"path": project.path, "plain": first.stderr, "drawn": in_a_terminal(project, *RUN),
            "dry": dry.stdout, "log": runs[0].read_text()}  # fmt: skip


def in_a_terminal(project: Scratch, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "TERM": "xterm"}
    done = subprocess.Popen(
        [sys.executable, "-m", "kedro", *arguments], cwd=project.path, env=variables, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    assert done.wait() == 0, b"".join(parts)
    return b"".join(parts).decode()


def test_a_run_opens_with_its_plan_and_ends_with_what_it_made(told: dict[str, Any]) -> None:
    plain = told["plain"]
    assert "Environment base: 3 nodes in 2 stages; how long it takes is not known" in plain
    assert re.search(r"^  clinic +2 nodes$", plain, re.MULTILINE)
    assert re.search(r"^ingest +\S.* s   \d+ questions$", plain, re.MULTILINE), plain
    assert re.search(r"^Run \S+ took .* and saved \d+ datasets?; its log is data/logs/\S+\.log$", plain, re.MULTILINE)
    where = re.search(r"^  questions +(\S+)  \(\d+ rows\)$", plain, re.MULTILINE)
    assert where and (told["path"] / where[1]).exists()
    assert "kedro run --pipelines=synthesis" in plain


def test_lines_of_single_nodes_go_into_the_log_file(told: dict[str, Any]) -> None:
    for line in ("Running node", "Completed node"):
        assert line in told["log"]
        assert line not in told["plain"]
        assert line not in told["drawn"]


def test_in_a_terminal_a_line_is_drawn_and_taken_away_again(told: dict[str, Any]) -> None:
    assert re.search(r"(clinic|ingest) \d/\d \| \S+ \| 0:\d\d", told["drawn"])
    assert "last time" in told["drawn"]
    assert told["drawn"].count("\x1b[?25l") == told["drawn"].count("\x1b[?25h") > 0  # the cursor is back


def test_a_dry_run_shows_the_plan_and_what_differs_from_the_files(told: dict[str, Any]) -> None:
    dry = told["dry"]
    assert re.search(r"3 nodes in 2 stages, about .* by the last runs on this machine", dry)
    assert "! seed = 4 (the files: 11)" in dry
    assert "near_copies" not in dry  # as the files have it
    assert "! arms.cot_stf is new" in dry
    assert "Was arms.cot_sft meant?" in dry
    assert "adapter=none" in dry
    assert "Nothing was sent or saved" in dry


@pytest.mark.parametrize(
    ("known", "charges", "said"),
    [
        (False, False, ["teachers cost nothing"]),
        (False, True, ["cannot be told before there are questions"]),
        (True, False, ["cot: 3 requests", "all formats: 3 requests", "teachers cost nothing"]),
        (True, True, ["cot: 3 requests", "all formats: 3 requests"]),
    ],
)
def test_a_teacher_that_nobody_is_paid_for_costs_nothing(known: bool, charges: bool, said: list[str]) -> None:
    def write_chains(questions: Any, teacher: Any) -> None: ...

    node = Node(write_chains, inputs=["training_questions", "teacher"], outputs="chains", namespace="cot")
    whole = Estimate(3, 0, 3, 10, 10, 10, None, None)
    estimated = {"total": whole.row(), "seconds": 0.0, "seconds_bound": 0.0}
    work = SimpleNamespace(teaching_estimate=lambda node: estimated if known else None)
    loaded = {"params:synthesis": SimpleNamespace(budget_usd=None), "teacher": SimpleNamespace(charges=charges)}
    told = teaching_costs(SimpleNamespace(nodes=[node]), work, loaded.get)  # type: ignore[arg-type]
    assert len(told) == len(said)
    assert all(words in line for words, line in zip(said, told, strict=True)), told


def test_a_dry_run_tells_what_a_teacher_would_be_paid_and_sends_nothing(tmp_path: Path) -> None:
    project = Scratch(tmp_path)
    (tmp_path / "mine").mkdir()
    row = {"question": "What is it?", "options": {"A": "One", "B": "Two"}, "answer": "One", "answer_idx": "A"}
    lines = [json.dumps(row | {"question": f"What is number {number}?"}) for number in range(3)]
    (tmp_path / "mine/mine.jsonl").write_text("\n".join(lines))
    path = tmp_path / "conf/paper/parameters.yml"
    parameters = yaml.safe_load(path.read_text())
    parameters["ingest"]["files"] = [{"benchmark": "medqa", "file": "mine.jsonl", "form": "medqa", "split": "train"}]
    path.write_text(yaml.safe_dump(parameters))
    told = project.kedro(
        "run", "--env=paper", "--pipelines=ingest,synthesis", "--params=benchmarks_dir=mine", "--dry-run",
        OPENAI_API_KEY="not-a-key", OPENAI_BASE_URL="http://127.0.0.1:9/v1",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert re.search(r"longstep: \d+ requests: 0 answered before, \d+ to send; .* about \$\d", told.stdout), told.stdout
    assert re.search(r"all formats: .* at most \$\d", told.stdout)
    assert not list((tmp_path / "data").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"seed": 11}, []),
        ({"seed": 12}, ["seed = 12 (the files: 11)"]),
        ({"inference": {"top_p": 0.9}}, ["inference.top_p = 0.9 (the files do not set it)"]),
        ({"inference": {"votes": {"numbers": [1]}}}, ["inference.votes.numbers = [1] (the files: [1, 2])"]),
        ({"arms": {"plain": None}}, ["arms.plain = none (the files: {'prompt': 'x'})"]),
        ({"arms": {"plain": {"prompt": "x"}}}, []),
    ],
)
def test_a_value_that_differs_from_the_files_is_announced(given: dict[str, Any], lines: list[str]) -> None:
    files = {"seed": 11, "inference": {"votes": {"numbers": [1, 2]}}, "arms": {"plain": {"prompt": "x"}}}
    assert changed_parameters(given, files) == lines


def test_what_was_picked_up_again_is_on_the_screen_and_what_concerns_nobody_is_in_the_file_alone(
    tmp_path: Path,
) -> None:
    screen, log = io.StringIO(), RunLog(tmp_path / "run.log", lambda text: text, live=True)
    handler = logging.StreamHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    log.open(screen)
    try:
        ours = logging.getLogger("medo1.training.run")
        ours.info("cot: training resumes from step 40", extra=ON_SCREEN)
        ours.info("cot: forty chains")
    finally:
        log.close()
        root.removeHandler(handler)
    assert "cot: training resumes from step 40" in screen.getvalue()
    assert "forty chains" not in screen.getvalue()
    assert (tmp_path / "run.log").read_text().count("cot:") == 2


def test_tokens_move_before_the_first_answer_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = RunScreen(RunPlan("base", (StagePlan("inference", ("one.generate",)),)), live=False)
    use_screen(screen)
    try:
        tally = Tally(10, "one generations", Account({}), tokens_each=100.0, at_most=True)
        screen.node_begins("one.generate")
        assert "one generations: 0 of 10, 0 tokens" in screen.live_line()
        GENERATED.tokens += 200
        line = screen.live_line()
        assert re.search(r"0 of 10, 200 tokens, [\d,]+/s, at most \d+:\d\d left", line), line
        for number in range(10):
            tally.add(Completion(key=str(number), text="x", finish_reason="stop"))
        assert "10 of 10" in screen.live_line()
        assert "left" not in screen.live_line()
        tally.close()
        assert "one.generate" in screen.live_line()
    finally:
        use_screen(None)


def test_a_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.per_second(0, now=0.0) == 0
    assert pace.per_second(100, now=10.0) == 10
    assert pace.per_second(100, now=100.0) < 2
    assert [clock(seconds) for seconds in (9, 75, 7500)] == ["0:09", "1:15", "2:05:00"]
    assert [time_text(seconds) for seconds in (0.2, 42, 80, 1200, 7500)] == [
        "under 1 s", "42 s", "1 min 20 s", "20 min", "2 h 5 min",
    ]  # fmt: skip


def test_a_run_that_made_nothing_of_something_has_not_completed_successfully() -> None:
    with pytest.raises(NothingMadeError, match=r"cot\.chains has no row; 40 were refused, with reasons in there"):
        refuse_empty([SavedDataset("cot.chains", "here", 0), SavedDataset("cot.chains_rejected", "there", 40)])
    refuse_empty([SavedDataset("cot.chains", "here", 1), SavedDataset("cot.chains_rejected", "there", 0)])


def test_rows_of_all_arms_are_counted_once() -> None:
    arms = [
        SavedDataset(f"{arm}.answers", f"data/{arm}/answers.parquet/1", 20, "inference") for arm in ("direct", "cot")
    ]
    whole = SavedDataset("answers", "data/answers.parquet/1", 40, "inference")
    assert made_by_stage("inference", [*arms, whole]) == {"answers": 40}
    assert made_by_stage("inference", [whole]) == {"answers": 40}, "a run of what gathers them alone"
    [line] = [line for line in ending_lines("1", "1 s", [*arms, whole], [], [], "log") if "answers" in line]
    assert "answers, 2 of them" in line
    assert "(40 rows)" in line


@pytest.mark.slow
def test_what_a_plan_says_is_to_come_is_what_a_run_does(tmp_path: Path) -> None:
    project = Scratch(tmp_path)
    project.configure("local/parameters.yml", SMALL)
    first = project.kedro("run", "--pipelines=clinic,ingest,synthesis,filtering,finetune,inference")
    assert first.returncode == 0, first.stderr
    plan = project.kedro("run", "--dry-run", "--pipelines=synthesis,filtering,finetune,inference").stdout
    import pandas as pd

    generations = [
        pd.read_parquet(path) for path in project.path.glob("data/07_model_output/*/generations.parquet/*/*.parquet")
    ]
    asked = sum(int((table["draw"] != "swept").sum()) for table in generations)
    assert f"{asked} generations" in plan
    chains = [pd.read_parquet(path) for path in project.path.glob("data/04_feature/*/chains.parquet/*/*.parquet")]
    assert f"{sum(map(len, chains))} chains" in plan
    logs = [pd.read_parquet(path) for path in project.path.glob("data/06_models/*/training_log.parquet/*/*.parquet")]
    assert f"{sum(int(log['step'].max()) for log in logs)} training steps as last time" in plan


def test_one_of_what_a_stage_makes_is_told_in_the_singular() -> None:
    from medo1.counting import counted
    from medo1.screen.ending import MADE, ONE

    words = {word for stage in MADE.values() for word in stage.values()}
    assert set(ONE) <= words
    assert [word for word in words if word not in ONE and word.split()[0].endswith("s")] == []
    assert counted(1, ONE["adapters"], "adapters") == "1 adapter"
