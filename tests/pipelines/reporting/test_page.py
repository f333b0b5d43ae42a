"""The page says what was measured, to people who open it without a network."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from medo1 import tables
from medo1.chains.filters.funnel import funnel_figure
from medo1.chains.lengths import length_figure
from medo1.errors import UserError
from medo1.pipelines.reporting.nodes import compare_arms, draw_figures, write_page
from medo1.pipelines.reporting.params import ReportingParams
from medo1.terminal import print_results
from medo1.vocabulary import GENERATION_OUTCOMES, TOKEN_PARTS

ARMS = {"vanilla": 0.4, "longstep_sft": 0.9}
NOTE = "This shows the mechanism <b>and nothing else</b>."
PARAMS = ReportingParams(notes=(NOTE,))
INGEST = {
    "files": [
        {
            "file": "<script>alert(1)</script>.jsonl",
            "form": "medqa",
            "benchmark": "clinic",
            "split": "test",
            "rows": 12,
            "questions": 10,
            "rejected": 2,
            "reasons": {"duplicate": 2},
        }
    ]
}
CLUSTERED = tables.as_table(
    tables.CLUSTERED_RESULTS,
    [{"arm": "<b>x</b>", "benchmark": "clinic", "subset": subset, "questions": 60, "clusters": 55, "correct": 30,
      "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6} for subset in ("all", "clean")],
)  # fmt: skip
LENGTHS = length_figure({"longstep": [40, 60, 90]})
FUNNEL = funnel_figure(
    [{"format": "longstep", "position": 0, "filter": "correct", "entered": 500, "dropped": 40, "left": 460}]
)  # fmt: skip
SOUNDNESS = tables.as_table(
    tables.FILTER_SOUNDNESS,
    [{"format": "longstep", "filter": "correct", "chains": 500, "sound": 452, "kept": 460, "sound_dropped": 3,
      "unsound_kept": 11, "precision": 0.976, "recall": 0.993}],
)  # fmt: skip
FILTERS = {"chains": 500, "kept": 460, "dropped": {"cut": 0, "wrong": 40}}


def answers(arm: str, share: float, benchmarks: tuple[str, ...] = ("clinic",), difficulty: bool = True) -> Any:
    rng = random.Random(arm)
    rows = []
    for benchmark in benchmarks:
        for n in range(60):
            for draw, samples in (("greedy", 1), ("sampled", 4)):
                for sample in range(samples):
                    right = rng.random() < share
                    unread = n % 20 == 0
                    rows.append(
                        {
                            "question_id": f"{n:016x}",
                            "benchmark": benchmark,
                            "arm": arm,
                            "draw": draw,
                            "sample": sample,
                            "letter": None if unread else ("A" if right else "B"),
                            "strict_letter": None,
                            "differential": [],
                            "ballot": [],
                            "options": 4,
                            "rank": None,
                            "status": "truncated" if unread else "answer",
                            "rule": "final_line",
                            "span_start": None,
                            "span_end": None,
                            "gold": "A",
                            "correct": right and not unread,
                            "difficulty": 2 + n % 3 if difficulty else None,
                            "completion_tokens": 10 + n,
                            "thinking_tokens": 8 + n,
                            "answer_tokens": 2,
                            "prompt_tokens": 30,
                            "budget": 64,
                            "outcome": "finished",
                            **dict.fromkeys(("mean_logprob", "self_certainty", "confidence", "lowest_confidence")),
                        }
                    )
    return tables.as_table(tables.ANSWERS, rows)


def curves(table: Any) -> dict[str, Any]:
    """An arm's rows of the tables that inference makes of all arms."""
    keys = {"arm": table["arm"][0]}
    interval = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "mean_tokens": 30.0}
    forced = {"unread": 0.9, "commonest": "D", "commonest_share": 0.1}
    benchmarks = list(dict.fromkeys(table["benchmark"]))
    made: dict[str, list[dict[str, Any]]] = {"vote_curve": [], "budget_curve": [], "tokens": [], "outcomes": []}
    for benchmark in benchmarks:
        keys["benchmark"] = benchmark
        for method, k in (("majority", 1), ("majority", 4), ("confidence", 4), ("adaptive", 4)):
            made["vote_curve"].append(
                {**keys, "method": method, "k": k, "questions": 60, **interval, "agreement": None}
            )
        for budget in (8, 64):
            made["budget_curve"].append(
                {**keys, "budget": budget, "questions": 60, "forced": 0.5, **interval, **forced}
            )
        for draw in ("greedy", "sampled"):
            for part in TOKEN_PARTS:
                numbers = dict.fromkeys(("mean", "q10", "q50", "q90", "most", "total"), 12.0)
                made["tokens"].append({**keys, "draw": draw, "part": part, "generations": 60, **numbers})
            counts = dict.fromkeys(GENERATION_OUTCOMES, 0) | {"finished": 57, "forced": 3}
            shares = {"accuracy": 0.5, "accuracy_finished": 0.52, "accuracy_strict": 0.43}
            made["outcomes"].append({**keys, "draw": draw, "generations": 60, **counts, **shares})
    return made


def page(difficulty: bool = True, benchmarks: tuple[str, ...] = ("clinic",)) -> tuple[str, tuple[Any, Any, Any]]:
    of_arms = [answers(arm, share, benchmarks, difficulty) for arm, share in ARMS.items()]
    compared = compare_arms(PARAMS, *of_arms)
    made = [curves(table) for table in of_arms]
    every = {
        name: tables.as_table(getattr(tables, name.upper()), [row for rows in made for row in rows[name]])
        for name in made[0]
    }
    figures = draw_figures(compared[0], compared[2], every["vote_curve"], every["budget_curve"])
    html = write_page(
        *compared[:2], *(every[name] for name in ("vote_curve", "budget_curve", "tokens", "outcomes")), INGEST, CLUSTERED,
        *figures, PARAMS, LENGTHS, FUNNEL, FILTERS, SOUNDNESS, formats=("longstep",), checked=True,
    )  # fmt: skip
    return html, compared


def test_counts_add_up_and_an_unread_answer_is_wrong() -> None:
    _, (results, comparisons, by_difficulty) = page()
    for row in results.to_dict(orient="records"):
        assert row["answered"] + row["unread"] == row["questions"] == 60
        assert row["unread"] == row["truncated"] == 3
        assert row["accuracy"] == pytest.approx(row["correct"] / 60)
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert list(comparisons["arm"]) == ["longstep_sft"]
    assert by_difficulty.groupby("arm")["questions"].sum().tolist() == [60, 60]


def test_the_page_shows_what_filters_kept_what_slipped_through_and_the_strict_readers_score() -> None:
    html, _ = page()
    assert "What the filters kept" in html
    assert "<td>11</td><td>3</td>" in html
    assert "97.6 %" in html
    assert "<td>43.0 %</td>" in html


def test_intervals_are_those_of_the_confidence_that_was_asked_for() -> None:
    of_arms = [answers(arm, share) for arm, share in ARMS.items()]
    narrow, wide = (compare_arms(ReportingParams(confidence=confidence), *of_arms) for confidence in (0.8, 0.99))
    for place, value in enumerate(("accuracy", "difference")):
        widths = [tables_[place][f"{value}_high"] - tables_[place][f"{value}_low"] for tables_ in (narrow, wide)]
        assert (widths[0] < 0.6 * widths[1]).all(), value  # of normal quantiles: 1.28 against 2.58


def test_the_terminal_names_the_confidence_of_its_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    of_arms = [answers(arm, share) for arm, share in ARMS.items()]
    results, comparisons, _ = compare_arms(ReportingParams(confidence=0.8), *of_arms)
    print_results(results, comparisons, Path("report.html"), 0.8)
    told = capsys.readouterr().out
    assert "80 % interval" in told
    assert "longstep_sft" in told


def test_several_benchmarks_are_also_shown_together() -> None:
    _, (results, comparisons, _) = page(benchmarks=("medbullets", "medqa"))
    assert list(results["benchmark"]) == ["medbullets", "medbullets", "medqa", "medqa", "all", "all"]
    assert results[results["benchmark"] == "all"]["questions"].tolist() == [120, 120]
    assert (comparisons["p_adjusted"] >= comparisons["p_value"]).all()


def test_an_unknown_baseline_is_named_with_the_arms_that_there_are() -> None:
    with pytest.raises(UserError, match=r"'vanila'.*vanilla"):
        compare_arms(ReportingParams(baseline="vanila"), answers("vanilla", 0.5))


def test_equal_inputs_give_the_same_bytes() -> None:
    assert page()[0] == page()[0]


def test_a_study_without_difficulty_has_a_page_too() -> None:
    html, (_, _, by_difficulty) = page(difficulty=False)
    assert by_difficulty.empty
    assert "Accuracy and length by difficulty" not in html


@pytest.mark.browser
def test_the_page_opens_without_a_network_and_draws_everything(chromium: Any, tmp_path: Path) -> None:
    html, (results, _, _) = page()
    file = tmp_path / "report.html"
    file.write_text(html)
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    asked, errors = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda dialog: errors.append(dialog.message))
    opened.goto(file.as_uri())
    opened.wait_for_selector(".js-plotly-plot .main-svg")
    assert opened.locator(".js-plotly-plot").count() == 6
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    first = opened.locator("table").first
    assert first.locator("tbody tr").count() == len(results)
    assert f"{results['accuracy'][1]:.1%}".replace("%", " %") in first.inner_text()
    assert opened.locator(".note").inner_text() == NOTE
    assert "<script>alert(1)</script>.jsonl" in opened.inner_text("body")
    context.close()
