"""The page says what was measured, to people who open it without a network."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import dataclasses
import random
import re
from math import nan
from pathlib import Path
from typing import Any

import pytest

from medo1 import tables
from medo1.chains.lengths import length_rows
from medo1.errors import UserError
from medo1.gathered import gather
from medo1.lineage.page_marks import filled, without_told
from medo1.page.charts.intervals import Interval, intervals_panel
from medo1.page.markup import Column, table
from medo1.page.material import Material
from medo1.page.numbers_text import percent, prefixed, short_time
from medo1.page.report_page import rendered
from medo1.page.sections.answer import reading, sentence
from medo1.pipelines.reporting.nodes import compare_arms
from medo1.pipelines.reporting.params import ReportingParams
from medo1.terminal import print_results
from medo1.vocabulary import GENERATION_OUTCOMES, TOKEN_PARTS
from tests.conftest import ROOT

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
FUNNEL = tables.as_table(
    tables.FILTER_FUNNEL,
    [{"format": "longstep", "position": 0, "filter": "correct", "entered": 500, "dropped": 40, "left": 460, "refused": 40,
      "alone": 40}],
)  # fmt: skip
LENGTHS = tables.as_table(tables.CHAIN_LENGTHS, length_rows({"longstep": [40, 60, 90]}))
LOG = tables.as_table(
    tables.TRAINING_LOG,
    [{"step": step, "epoch": 1.0, "loss": 1 / step, "learning_rate": 0.01, "grad_norm": 1.0, "eval_loss": None,
      "eval_accuracy": None, "eval_unfinished": None} for step in range(1, 9)],
)  # fmt: skip
SOUNDNESS = tables.as_table(
    tables.FILTER_SOUNDNESS,
    [{"format": "longstep", "filter": "correct", "chains": 500, "sound": 452, "kept": 460, "sound_dropped": 3,
      "unsound_kept": 11, "precision": 0.976, "recall": 0.993}],
)  # fmt: skip


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


def study(difficulty: bool = True, benchmarks: tuple[str, ...] = ("clinic",)) -> Material:
    """Two arms on some benchmarks, and one format that was trained on."""
    of_arms = [answers(arm, share, benchmarks, difficulty) for arm, share in ARMS.items()]
    compared = compare_arms(PARAMS, gather(*of_arms))
    made = [curves(table) for table in of_arms]
    every = {
        name: tables.as_table(getattr(tables, name.upper()), [row for rows in made for row in rows[name]])
        for name in made[0]
    }
    given = {
        **dict(zip(("results", "comparisons", "by_difficulty"), compared, strict=True)),
        **every,
        **{f"{arm}.answers": table for arm, table in zip(ARMS, of_arms, strict=True)},
        "ingest_summary": INGEST,
        "clustered_results": CLUSTERED,
        "filter_funnel": FUNNEL,
        "chain_lengths": LENGTHS,
        "filter_soundness": SOUNDNESS,
        "training_log": LOG.assign(format="longstep"),
    }
    return Material(given, tuple(ARMS), ("longstep",), "A study", (NOTE,), "vanilla")


def compared_arms(benchmarks: tuple[str, ...] = ("clinic",)) -> tuple[Any, Any, Any]:
    return compare_arms(PARAMS, gather(*(answers(arm, share, benchmarks) for arm, share in ARMS.items())))


def test_counts_add_up_and_an_unread_answer_is_wrong() -> None:
    results, comparisons, by_difficulty = compared_arms()
    for row in results.to_dict(orient="records"):
        assert row["answered"] + row["unread"] == row["questions"] == 60
        assert row["unread"] == row["truncated"] == 3
        assert row["accuracy"] == pytest.approx(row["correct"] / 60)
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert list(comparisons["arm"]) == ["longstep_sft"]
    assert by_difficulty.groupby("arm")["questions"].sum().tolist() == [60, 60]


def test_the_page_shows_what_filters_kept_what_slipped_through_and_the_strict_readers_score() -> None:
    html = rendered(study())
    assert "What was learnt from" in html
    assert "<td>11</td><td>3</td>" in html
    assert "97.6 %" in html
    assert "<td>43.0 %</td>" in html


def test_intervals_are_those_of_the_confidence_that_was_asked_for() -> None:
    of_arms = [answers(arm, share) for arm, share in ARMS.items()]
    narrow, wide = (
        compare_arms(ReportingParams(confidence=confidence), gather(*of_arms)) for confidence in (0.8, 0.99)
    )
    for place, value in enumerate(("accuracy", "difference")):
        widths = [tables_[place][f"{value}_high"] - tables_[place][f"{value}_low"] for tables_ in (narrow, wide)]
        assert (widths[0] < 0.6 * widths[1]).all(), value  # of normal quantiles: 1.28 against 2.58


def test_the_terminal_names_the_confidence_of_its_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    of_arms = [answers(arm, share) for arm, share in ARMS.items()]
    results, comparisons, _ = compare_arms(ReportingParams(confidence=0.8), gather(*of_arms))
    print_results(results, comparisons, Path("report.html"), 0.8)
    told = capsys.readouterr().out
    assert "80 % interval" in told
    assert "longstep_sft" in told


def test_the_terminal_and_the_page_claim_nothing_of_an_arm_that_may_be_guessing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = study()
    results, compared = whole.given["results"], whole.given["comparisons"]
    told = {}
    for muted in (False, True):
        comparisons = compared.assign(muted=muted, why="it answers C always", p_adjusted=0.0123)
        print_results(results, comparisons, Path("report.html"), 0.95)
        page = rendered(dataclasses.replace(whole, given={**whole.given, "comparisons": comparisons}))
        told[muted] = (capsys.readouterr().out, page[page.index('id="results"') : page.index('id="near-copies"')])
    for place in (0, 1):
        assert "0.012" in told[False][place]
        assert "guesses" in told[True][place]
        assert "0.012" not in told[True][place]
    assert "guesses" not in told[False][0]


def lengths(graded: bool, benchmarks: tuple[str, ...] = ("clinic",)) -> Any:
    import pandas as pd

    return pd.DataFrame(
        [
            {"arm": arm, "benchmark": benchmark, "difficulty": grade, "correct": right, "n": 9, "mean_tokens": 40.0}
            | ({"low": 31.0, "high": 49.0} if grade != 2 else {"low": nan, "high": nan})
            for arm in ARMS
            for benchmark in benchmarks
            for grade in ((1, 2, 3) if graded else (None,))
            for right in (True, False)
        ]
    )


@pytest.mark.parametrize(
    ("graded", "benchmarks", "said"),
    [
        (True, ("clinic",), "difficulty 3, 9 wrong answers, 40 tokens"),
        (False, ("clinic",), "wrong: 40 (9 answers)"),
        (False, ("medqa", "medbullets"), "medqa, wrong: 40 (9 answers)"),
    ],
)
def test_lengths_of_right_and_wrong_answers_are_drawn_for_each_arm(
    graded: bool, benchmarks: tuple[str, ...], said: str
) -> None:
    whole = study()
    page = rendered(dataclasses.replace(whole, given={**whole.given, "lengths": lengths(graded, benchmarks)}))
    drawn = page[page.index('id="figure-lengths"') :].split("</figure>")[0]
    assert drawn.count("<svg") == len(ARMS)
    assert said in drawn
    assert said.replace("wrong", "right") in drawn
    assert 'class="hollow"' in drawn
    assert "nan" not in drawn


def test_a_score_that_few_answers_have_draws_no_empty_figure() -> None:
    whole = study()
    row = {
        "arm": "vanilla",
        "benchmark": "clinic",
        "score": "vote_share",
        "bin_low": 0.9,
        "bin_high": 1.0,
        "mean_score": 0.9,
    }
    for n, drawn in ((4, 0), (5, 1)):
        page = rendered(
            dataclasses.replace(whole, given={**whole.given, "calibration": [{**row, "n": n, "accuracy": 0.5}]})
        )
        assert page.count('id="figure-calibration-vote_share"') == drawn


def test_several_benchmarks_are_also_shown_together() -> None:
    results, comparisons, _ = compared_arms(("medbullets", "medqa"))
    assert list(results["benchmark"]) == ["medbullets", "medbullets", "medqa", "medqa", "all", "all"]
    assert results[results["benchmark"] == "all"]["questions"].tolist() == [120, 120]
    assert (comparisons["p_adjusted"] >= comparisons["p_value"]).all()


def test_an_unknown_baseline_is_named_with_the_arms_that_there_are() -> None:
    with pytest.raises(UserError, match=r"'vanila'.*vanilla"):
        compare_arms(ReportingParams(baseline="vanila"), answers("vanilla", 0.5))


def test_equal_inputs_give_the_same_bytes() -> None:
    assert rendered(study()) == rendered(study())


def test_a_section_without_its_table_is_left_out_and_the_rest_is_complete() -> None:
    whole = study(difficulty=False)
    assert "Accuracy and length by difficulty" not in rendered(whole)
    kept = ("results", "comparisons", "ingest_summary", "vanilla.answers", "longstep_sft.answers")
    bare = Material({name: whole.given[name] for name in kept}, tuple(ARMS), (), "Scored", (), "vanilla")
    headings = re.findall(r"<h2 id[^>]*>([^<]*)</h2>", rendered(bare))
    assert headings == ["The answer", "Results", "Paired tests", "What went in", "Limits", "How this was made"]


def test_the_page_opens_with_the_answer_and_how_sure_it_is() -> None:
    material = study()
    told = re.sub("<[^>]*>", "", sentence(material))
    results = {row["arm"]: row for row in material.rows("results")}
    (compared,) = material.rows("comparisons")
    assert told.startswith(
        f"longstep_sft answers {results['longstep_sft']['accuracy'] * 100:.1f} % of 60 questions right"
    )
    assert f"{compared['difference'] * 100:+.1f} points" in told
    assert "cannot be told" not in told


def test_what_cannot_be_told_is_not_claimed() -> None:
    whole = study()
    given = dict(whole.given)
    alike = compare_arms(PARAMS, gather(answers("vanilla", 0.5), answers("longstep_sft", 0.52)))
    given |= dict(zip(("results", "comparisons", "by_difficulty"), alike, strict=True))
    told = sentence(Material(given, tuple(ARMS), (), "", (), "vanilla"))
    assert "cannot be told" in told or "no other arm does better" in told


def test_an_arm_that_only_guesses_letters_is_not_the_answer() -> None:
    whole = study()
    muted = [{"arm": "longstep_sft", "benchmark": "clinic", "accuracy": 0.9, "chance": 0.25, "commonest_letter": 0.9,
              "muted": True, "why": "It answers A to everything."}]  # fmt: skip
    html = rendered(Material({**whole.given, "letter_baselines": muted}, tuple(ARMS), (), "", (), "vanilla"))
    assert "Cannot be told from one who guesses" in html
    assert "longstep_sft on clinic" in html
    told = html.partition('<p class="answer">')[2].partition("</p>")[0]
    assert "longstep_sft" not in told


@pytest.mark.browser
def test_the_page_opens_without_a_network_under_a_policy_that_lets_nothing_in(chromium: Any, tmp_path: Path) -> None:
    material = study(benchmarks=("medbullets", "medqa"))
    file = tmp_path / "report.html"
    file.write_text(rendered(material))
    assert file.stat().st_size < 300_000
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    asked, errors = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("dialog", lambda dialog: errors.append(dialog.message))
    opened.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert errors == []
    results = material.rows("results")
    table = opened.locator("#results table")
    assert table.locator("tbody tr").count() == len(results)
    assert f"{results[1]['accuracy'] * 100:.1f} %" in table.inner_text()
    assert opened.locator("#answer .note").inner_text() == NOTE
    assert "<script>alert(1)</script>.jsonl" in opened.inner_text("body")
    assert opened.locator("#answer svg.panel:visible").count() == 1  # both benchmarks together
    assert opened.locator("#results svg.panel").count() == 2  # and each
    opened.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    opened.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'alert(2)'}))")
    opened.wait_for_timeout(100)
    assert [error for error in errors if error in ("1", "2")] == []  # a handler and a script from outside never run
    assert any("Content Security Policy" in error for error in errors)
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 820, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window(chromium: Any, tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "report.html"
    whole = study(benchmarks=("medbullets", "medqa"))
    guessed = whole.given["comparisons"].assign(
        muted=True, why="states D in 81 of 90 answers and is right in 23.3 %. " * 3
    )
    file.write_text(rendered(dataclasses.replace(whole, given={**whole.given, "comparisons": guessed})))
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.goto(file.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    scrolled = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"
    assert width < 1400 or opened.evaluate(scrolled) == []
    cells = opened.locator("#results tbody tr:first-child > *")
    box = cells.nth(2 if width > 390 else 1).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width  # accuracy is seen without scrolling
    smallest = "Math.min(...[...document.querySelectorAll('svg.panel')].filter(one => one.clientWidth).map(one => one.clientWidth / 340))"
    assert opened.evaluate(smallest) * 11.5 >= 9  # labels of figures, in pixels
    dark = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(20, 24, 29)") == (scheme == "dark")
    context.close()


@pytest.mark.browser
def test_on_paper_everything_is_open_and_light_and_nothing_is_cut(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(rendered(study(benchmarks=("medbullets", "medqa"))))
    context = chromium.new_context(
        viewport={"width": 718, "height": 1000}, color_scheme="dark", java_script_enabled=False
    )
    opened = context.new_page()
    opened.goto(file.as_uri())
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate(
        "[...document.querySelectorAll('main table')].every(one => one.getBoundingClientRect().height > 0)"
    )
    too_wide = opened.evaluate(
        "[...document.querySelectorAll('main table, main svg')].filter(one => one.getBoundingClientRect().right > 719).map(one => one.outerHTML.slice(0, 90))"
    )
    assert too_wide == []
    context.close()


def test_what_measures_a_run_is_left_out_when_pages_are_compared() -> None:
    whole = study()
    timing = {
        "arm": "vanilla", "model": "m", "requests": 9, "kept": 0, "failed": 0, "prompt_tokens": 1, "completion_tokens": 1,
        "tokens_per_s": 1.0, "cost_usd": None, "energy_wh": None,
    }  # fmt: skip
    pages = [
        rendered(
            Material({**whole.given, "timing": [{**timing, "wall_s": seconds}]}, tuple(ARMS), (), "", (), "vanilla")
        )
        for seconds in (0.0777, 99.5)
    ]
    assert "0.0777" in pages[0]
    assert pages[0] != pages[1]
    first, second = (without_told(filled(page, lambda kind, _, n=n: f"{kind} {n}")) for n, page in enumerate(pages))
    assert first == second
    assert "0.0777" not in first
    assert "The answer" in first


def test_a_column_that_holds_nothing_is_left_out_and_a_long_table_shows_first_what_counts() -> None:
    rows = [{"arm": f"arm {n}", "benchmark": "all" if n < 3 else "exam", "dev": None} for n in range(50)]
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("on dev", lambda row: percent(row["dev"])),
    ]
    html = table("Results", columns, rows, "results", first=lambda row: bool(row["benchmark"] == "all"))
    assert "on dev" not in html
    open_part, _, folded = html.partition("<details")
    assert open_part.count("<tr>") == 1 + 3
    assert folded.count("<tr>") == 1 + 50
    assert 'class="fold long"' in html  # more than paper holds


def test_the_page_says_who_the_best_arm_is_and_which_arms_it_cannot_be_told_from() -> None:
    whole = study()
    pairs = [
        {"first": "vanilla", "second": "longstep_sft", "benchmark": "clinic", "p_adjusted": 0.001},
        {"first": "longstep_sft", "second": "vanilla_cot", "benchmark": "clinic", "p_adjusted": 0.4},
    ]
    given = {**whole.given, "arm_pairs": pairs}
    learnt = {"longstep_sft": "longstep"}
    told = " ".join(reading(Material(given, tuple(ARMS), ("longstep",), "", (), "vanilla", learnt=learnt)))
    assert "longstep_sft is the model after training on longstep chains" in told
    assert "vanilla is the model as it was before training" in told
    assert "Of the 2 other arms it cannot be told from vanilla_cot" in told


def test_a_page_of_no_one_study_has_no_commands_that_would_not_work() -> None:
    whole = study()
    assert "kedro audit trace results" in rendered(whole)
    assert "kedro audit trace results" not in rendered(dataclasses.replace(whole, traced=False))
    assert "How this was made" in rendered(whole)
    assert "How this was made" not in rendered(dataclasses.replace(whole, traced=False))


def test_claims_that_nothing_measures_are_left_out() -> None:
    row = {"claim": "steps_pay", "says": "Steps pay.", "paper": "+5", "measured": "", "n": 0, "why": "No arm."}
    whole = study()
    claims = [{**row, "verdict": "not measured"}]
    assert "claims-heading" not in rendered(dataclasses.replace(whole, given={**whole.given, "claims": claims}))
    measured = {**row, "claim": "votes", "says": "Votes add.", "verdict": "holds", "measured": "+1", "n": 9}
    html = rendered(dataclasses.replace(whole, given={**whole.given, "claims": [*claims, measured]}))
    assert "Votes add." in html
    assert "Steps pay." not in html
    assert "steps_pay" in html  # named as not measured


def test_no_line_or_label_of_intervals_meets_a_word() -> None:
    """Lines of the grid stand beside the marks alone, and names and numbers above them."""
    rows = [Interval(f"arm {n}", n, 0.5, 0.4, 0.6, "50.0 % (40.0 to 60.0)") for n in range(3)]
    svg = intervals_panel("exam", rows, x_title="accuracy, %", chance=0.25)
    words = [float(one) for one in re.findall(r'class="name" x="12" y="([0-9.]+)"', svg)]
    lanes = [
        (float(top), float(top) + float(length))
        for path in re.findall(r'class="(?:grid|chance)" d="([^"]+)"', svg)
        for top, length in re.findall(r"M[0-9.]+,([0-9.]+)v([0-9.]+)", path)
    ]
    assert lanes
    assert not [1 for word in words for top, end in lanes if top < word - 1 and word - 9 < end]


@pytest.mark.parametrize("shares", [(0.9, 0.5), (0.25, 0.2)])
def test_each_number_of_the_opening_sentence_stands_in_a_row_that_its_commands_trace(
    shares: tuple[float, float],
) -> None:
    whole = study()
    results, comparisons, _ = compare_arms(
        PARAMS, gather(answers("vanilla", shares[1]), answers("longstep_sft", shares[0]))
    )
    given = {**whole.given, "results": results, "comparisons": comparisons}
    if shares[0] < 0.5:
        given["letter_baselines"] = [
            {"arm": arm, "benchmark": "clinic", "muted": True, "why": "guesses"} for arm in ("vanilla", "longstep_sft")
        ]
    html = rendered(dataclasses.replace(whole, given=given, arms=("vanilla", "longstep_sft")))
    said = re.sub("<[^>]*>", " ", re.search(r'<p class="answer">(.*?)</p>', html, re.DOTALL)[1])  # type: ignore[index]
    opening = html[html.index('<p class="answer">') : html.index("</section>")]
    shown = {"95"}
    for name, arm, benchmark in re.findall(r"audit trace (\w+).*? --where arm=(\w+) --where benchmark=(\w+)", opening):
        rows = given[name]
        [row] = rows[(rows["arm"] == arm) & (rows["benchmark"] == benchmark)].to_dict("records")
        numbers = [value for value in row.values() if isinstance(value, int | float)]
        shown |= {f"{value * 100:.1f}" for value in numbers} | {f"{value:.3f}" for value in numbers}
        shown |= {f"{abs(value) * 100:.1f}" for value in numbers} | {str(value) for value in numbers} | {"0.001"}
    assert len(re.findall(r"\d+", said)) > 1
    assert set(re.findall(r"\d+(?:\.\d+)?", said)) <= shown


@pytest.mark.parametrize(
    ("value", "written"),
    [(25_400_000.0, "25.4 M"), (6.4e13, "64 T"), (999.0, "999"), (0, "0"), (2e21, "2e+03 E"), (None, "·"), (nan, "·")],
)
def test_a_large_number_is_written_with_its_prefix(value: Any, written: str) -> None:
    assert prefixed(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.00385, "3.85 ms"), (0.5, "500 ms"), (0.99999, "1 s"), (21.3, "21.3 s"), (None, "·")]
)
def test_a_short_time_is_in_milliseconds(seconds: Any, written: str) -> None:
    assert short_time(seconds) == written


def test_a_wide_table_says_early_which_benchmark_a_row_is_of() -> None:
    """What stands beyond the window's edge is seen only by who scrolls sideways."""
    import ast

    for file in sorted((ROOT / "src/medo1/page/sections").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List):
                calls = [one for one in node.elts if isinstance(one, ast.Call) and ast.unparse(one.func) == "Column"]
                headings = [ast.unparse(one.args[0]).strip("'") for one in calls]
                if len(headings) > 10 and "benchmark" in headings:
                    assert headings.index("benchmark") < 4, f"{file.name}:{node.lineno}: {headings}"
