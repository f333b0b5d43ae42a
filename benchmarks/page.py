"""How fast the page of a large study opens, filters and shows a case, in Chromium from a disk.

    python benchmarks/page.py [--questions 1000] [--samples 7] [--characters 5000] [--repeats 15]

A study of two benchmarks and five arms, each question answered once greedily and by some samples, in random words:
40,000 generations of
5,000 characters by default. What is timed is what a person waits for: from the navigation to the list of cases, from a
filter's
change to the list that fits it, from the click on a case to its texts; and a search through all texts. Aims: 2 s to
open, 50 ms to filter,
100 ms a case. Beside it stands what the usual way takes, all texts as JSON in the page: bytes, and the time to parse
them alone.
Prints a table; the last line is JSON.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
SEARCHED_S = 20  # of a search that are waited for; the whole is told by the rate so far
AIMS = {"open_ms": 2000, "filter_ms": 50, "case_ms": 100}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=7, help="of each arm and question, beside the greedy answer")
    parser.add_argument("--characters", type=int, default=5000, help="of each generation")
    parser.add_argument("--repeats", type=int, default=15, help="of each measurement; medians and the slowest are told")
    arguments = parser.parse_args()
    from medo1.page.study_page import study_page

    study = made_study(arguments.questions, arguments.samples, arguments.characters)
    generations = arguments.questions * 5 * (1 + arguments.samples)
    began = time.perf_counter()
    page = study_page(study)
    build_s = time.perf_counter() - began
    texts = json.dumps([text for arm in study.arms for text in study.given[f"{arm}.generations"]["text"]])
    with tempfile.TemporaryDirectory() as folder:
        place = written(page, Path(folder))
        told = in_the_browser(place, arguments.repeats, texts)
        apart = sum(len(text) for text in page.files.values())
    told |= {"generations": generations, "build_s": build_s, "page_mb": len(page.html) / 1e6, "apart_mb": apart / 1e6}
    told["texts_mb"] = len(texts) / 1e6
    print(f"{generations:,} generations, {told['texts_mb']:.0f} MB of text; page {told['page_mb']:.2f} MB, "
          f"beside it {told['apart_mb']:.0f} MB; built in {build_s:.0f} s")  # fmt: skip
    for name in (
        "open_ms",
        "filter_ms",
        "filter_slowest_ms",
        "case_ms",
        "case_slowest_ms",
        "search_s",
        "usual_open_ms",
    ):
        aim = AIMS.get(name.replace("_slowest", ""))
        print(f"{name:<20}{told[name]:>10.1f}{f'   aim {aim}' if aim else ''}")
    told["open_of_usual"] = told["open_ms"] / told["usual_open_ms"]
    ratios = {f"{name}_of_aim": told[name] / aim for name, aim in AIMS.items()}
    print(json.dumps({name: round(value, 3) for name, value in {**told, **ratios}.items()}))


def made_study(questions: int, samples: int, characters: int) -> Any:
    """Five arms; every text is of other words."""
    import pandas as pd
    from tests.page.studies import generation, question

    from medo1.gathered import gather
    from medo1.page.material import Material
    from medo1.pipelines.reporting.nodes import compare_arms
    from medo1.pipelines.reporting.params import ReportingParams

    rng = random.Random(7)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 11))) for _ in range(20_000)]
    weights = [1 / (rank + 5) for rank in range(len(vocabulary))]
    asked = [question(n, benchmark=f"exam_{n % 2}") for n in range(questions)]
    given: dict[str, Any] = {}
    arms = ("vanilla", "vanilla_cot", "cot_sft", "longstep_sft", "longmonolog_sft")
    for arm in arms:
        said, read = [], []
        for one in asked:
            for sample in range(samples + 1):
                words = " ".join(rng.choices(vocabulary, weights, k=characters // 7))
                letter = rng.choice(("A", "B", "C", "D", None))
                draw, number = ("greedy", 0) if sample == 0 else ("sampled", sample - 1)
                text = f"{words} Final answer: {letter}" if letter else words
                pair = generation(arm, one, letter, text, draw, number, tokens=rng.randint(50, 2000))
                said.append(pair[0])
                read.append(pair[1])
        given |= {f"{arm}.generations": pd.DataFrame(said), f"{arm}.answers": pd.DataFrame(read)}
        given[f"{arm}.asked_questions"] = pd.DataFrame(asked)
    compared = compare_arms(ReportingParams(), gather(*(given[f"{arm}.answers"] for arm in arms)))
    given |= dict(zip(("results", "comparisons", "by_difficulty"), compared, strict=True))
    return Material(given, arms, (), "A large study", (), "vanilla")


def written(page: Any, folder: Path) -> Path:
    """The page and its folder as a run saves them."""
    file, beside = folder / "report.html/1/report.html", folder / "report_cases/1/report_cases"
    file.parent.mkdir(parents=True)
    beside.mkdir(parents=True)
    file.write_text(page.html.replace("<!--medo1:told id-->", "<!--medo1:told id-->1<!--/medo1:told-->"))
    for name, text in page.files.items():
        (beside / name).write_text(text)
    return file


def in_the_browser(file: Path, repeats: int, texts: str) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        opens = []
        for _ in range(max(3, repeats // 3)):
            page = browser.new_page()
            page.goto(file.as_uri(), wait_until="commit")
            page.wait_for_selector("#case-explorer[data-ready]", timeout=60_000)
            opens.append(float(page.get_attribute("#case-explorer", "data-ready") or "nan"))
            page.close()
        page = browser.new_page()
        page.goto(file.as_uri())
        page.wait_for_selector("#case-explorer[data-ready]", timeout=60_000)
        filters = []
        for number in range(repeats):
            field, value = [("#case-outcome", "wrong"), ("#case-arm", "2"), ("#case-outcome", "disagree"), ("#case-draw", "any"),
                            ("#case-status", "0"), ("#case-outcome", "right"), ("#case-arm", "")][number % 7]  # fmt: skip
            page.select_option(field, value)
            filters.append(float(page.get_attribute("#case-explorer", "data-filtered") or "nan"))
        page.click("#case-clear")
        cases, count = [], page.evaluate("document.querySelectorAll('#case-list a').length")
        for number in range(repeats):
            href = page.evaluate("place => { const a = document.querySelectorAll('#case-list a')[place]; a.click(); return a.hash; }",
                                 (number * 37) % count)  # fmt: skip
            page.wait_for_selector(f"#case-detail h3:text-is('Question {href.rpartition('.')[2]}')", timeout=60_000)
            cases.append(float(page.get_attribute("#case-explorer", "data-took") or "nan"))
        page.fill("#case-words", "no such words anywhere")
        began = time.perf_counter()
        page.press("#case-words", "Enter")
        page.wait_for_selector(r"text=/in \d+ of \d+ parts/", timeout=120_000)
        page.wait_for_timeout(SEARCHED_S * 1000)
        search_s = time.perf_counter() - began
        parts = re.search(r"in (\d+) of (\d+) parts", page.inner_text("#case-searched"))
        if parts is not None:  # it goes on: by its rate so far
            search_s *= int(parts[2]) / int(parts[1])
        usual = file.with_name("usual.html")
        usual.write_text(
            f'<script type="application/json" id="all">{texts}</script><script>JSON.parse(document.getElementById("all").textContent); document.title = performance.now();</script>'
        )
        page.goto(usual.as_uri(), timeout=300_000)
        parse = float(page.title())
        browser.close()
    return {
        "open_ms": statistics.median(opens), "filter_ms": statistics.median(filters), "filter_slowest_ms": max(filters),
        "case_ms": statistics.median(cases), "case_slowest_ms": max(cases), "search_s": search_s, "usual_open_ms": parse,
    }  # fmt: skip


if __name__ == "__main__":
    main()
