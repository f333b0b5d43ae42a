"""The explorer shows every case, finds the ones that are wished for, and never runs what a model wrote."""

# ruff: noqa: E501, RUF001  (tables of cases)

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from medo1.page.explorer.case_texts import cases_of
from medo1.page.explorer.pieces import packed
from medo1.page.material import Material
from medo1.page.study_page import study_page
from tests.page.studies import generation, material, question, question_id, two_arms


@contextmanager
def opened(chromium: Any, folder: Path, study: Material, *, inside: int = 10**8) -> Iterator[Any]:
    """The page of a study in a browser; `page.problems` is what went wrong or left the disk."""
    made = study_page(study, inside=inside)
    place = folder / "report.html" / "1"
    place.mkdir(parents=True)
    file = place / "report.html"
    file.write_text(made.html.replace("<!--medo1:told id-->", "<!--medo1:told id-->1<!--/medo1:told-->"))
    beside = folder / "report_cases" / "1" / "report_cases"
    beside.mkdir(parents=True)
    for name, text in made.files.items():
        (beside / name).write_text(text)
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith("file:") else page.problems.append(asked.url))
    page.goto(file.as_uri())
    page.wait_for_selector("#case-explorer[data-ready]")
    yield page
    context.close()


def shown(page: Any) -> list[int]:
    return [
        int(one) for one in page.eval_on_selector_all("#case-list tr", "rows => rows.map(row => row.dataset.question)")
    ]


@pytest.mark.browser
def test_cases_are_filtered_by_what_came_of_them(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, tmp_path, two_arms()) as page:
        assert shown(page) == list(range(60))  # a window of them
        assert "1 to 60 of 100 questions" in page.inner_text("#case-count")
        page.click("#case-on")
        assert shown(page) == list(range(60, 100))
        page.select_option("#case-arm", label="longstep_sft")
        page.select_option("#case-outcome", "wrong")
        assert shown(page) == list(range(0, 100, 10))
        page.select_option("#case-status", label="answer")
        assert shown(page) == []
        page.select_option("#case-draw", "any")  # a sample of these was right
        page.select_option("#case-outcome", "right")
        assert len(shown(page)) == 60
        page.click("#case-clear")
        page.select_option("#case-outcome", "disagree")
        assert shown(page)[:3] == [0, 1, 2]
        assert 4 not in shown(page)  # both say A
        page.click("#case-clear")
        page.fill("#case-easiest", "5")
        assert shown(page) == list(range(4, 100, 5))
        page.click("#case-clear")
        page.select_option("#case-arm", label="longstep_sft")
        page.fill("#case-shortest", "150")
        page.fill("#case-longest", "155")
        assert shown(page) == [50, 51, 52, 53, 54, 55]
        assert page.problems == []


@pytest.mark.browser
def test_a_case_shows_question_thoughts_the_answer_where_it_stands_votes_and_the_chain(
    chromium: Any, tmp_path: Path
) -> None:
    with opened(chromium, tmp_path, two_arms()) as page:
        page.click("#case-list tr:nth-child(8) a")
        page.wait_for_selector("#case-detail h3")
        assert page.url.endswith(f"#case=0.{question_id(7)}")
        assert page.inner_text("#case-detail h3") == f"Question {question_id(7)}"
        assert page.evaluate("document.activeElement.tagName") == "H3"
        assert page.inner_text("#case-detail .stem") == "Stem number 7?"
        assert page.inner_text("#case-detail .gold") == "D. four (right)"
        assert page.locator("#case-detail mark").all_inner_texts() == ["Final answer: A ", "Final answer: D"]
        assert "Thought 𝛼 of 7" in page.inner_text("#case-detail article:nth-child(2) .said")
        assert "Votes: D 2. The majority of 2 says D, right." in page.inner_text("#case-detail")
        page.click("text=2 samples")
        page.wait_for_selector("text=Sample 1.")
        page.click("text=a chain that it learnt from")
        assert page.locator("text=The chain that was learnt.").is_visible()
        page.keyboard.press("j")
        page.wait_for_selector(f"text=Question {question_id(8)}")
        page.keyboard.press("k")
        page.wait_for_selector(f"text=Question {question_id(7)}")
        assert page.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("inside", [10**8, 0], ids=["in the page", "beside it"])
def test_words_are_searched_in_every_text_and_links_lead_to_a_case(chromium: Any, tmp_path: Path, inside: int) -> None:
    with opened(chromium, tmp_path, two_arms(), inside=inside) as page:
        page.fill("#case-words", "RARE-word")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=1 questions hold these words")
        assert shown(page) == [73]
        page.click("#case-clear")
        page.evaluate(f"location.hash = 'case=0.{question_id(99)}'")
        page.wait_for_selector(f"text=Question {question_id(99)}")
        assert page.get_attribute("#case-list tr[aria-current]", "data-question") == "99"
        assert page.problems == []


@pytest.mark.browser
def test_a_missing_folder_of_cases_is_named(chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, tmp_path, two_arms(), inside=0) as page:
        for file in (tmp_path / "report_cases").rglob("*.js"):
            file.unlink()
        page.click("#case-list tr:nth-child(1) a")
        page.wait_for_selector("text=keep the folder of cases beside the page")


PAYLOADS = (
    "<script>alert('p')</script>", "</script><script>alert('p')</script>", "<!--<script>alert('p')</script>-->",
    "<img src=x onerror=alert('p')>", "<svg onload=alert('p')>", "<svg><script>alert('p')</script></svg>",
    "<iframe src=javascript:alert('p')>", "<body onload=alert('p')>", "<a href=javascript:alert('p')>x</a>",
    "javascript:alert('p')", "'\"><script>alert('p')</script>", "\" onmouseover=\"alert('p')", "' onfocus='alert(1)' autofocus='",
    "<details open ontoggle=alert('p')>", "<video><source onerror=alert('p')></video>", "<audio src=x onerror=alert('p')>",
    "<math><mtext></table><img src=x onerror=alert('p')>", "<style>@import 'http://evil.example/x.css';</style>",
    "<style>*{background:url(http://evil.example/x.png)}</style>", "<link rel=stylesheet href=http://evil.example/x.css>",
    "<base href=http://evil.example/>", "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<form action=http://evil.example><button autofocus>x</button></form>", "<object data=javascript:alert('p')>",
    "<embed src=javascript:alert('p')>", "<input autofocus onfocus=alert('p')>", "<marquee onstart=alert('p')>",
    "<template><script>alert('p')</script></template>", "</textarea><script>alert('p')</script>", "</title><script>alert('p')</script>",
    "</style><script>alert('p')</script>", "{{ 7*7 }}{% print 1 %}", "${alert('p')}", "]]><script>alert('p')</script>",
    "<!--medo1:evidence-->", "<!--medo1:told run-->", "\u202ealert('p')\u202c", "\u2028 line", "\x00<b>nul</b>", "=HYPERLINK(\"http://evil.example\")",
)  # fmt: skip


def hostile() -> Material:
    """A study in which every text is a payload: stems, options, generations, names of arms, benchmarks, rules."""
    assert len(PAYLOADS) == 40
    safe = [text.replace("\x00", "") for text in PAYLOADS]
    asked = [
        question(
            number, benchmark=safe[number % 7], stem=safe[number] or "?", options=[safe[number]] * 4, link=safe[number]
        )
        for number in range(len(PAYLOADS))
    ]
    arms = (safe[0], safe[3])
    pairs = {
        arm: [
            generation(arm, one, "A", f"{text} Final answer: A {text}")
            for one, text in zip(asked, PAYLOADS, strict=True)
        ]
        for arm in arms
    }
    summary = {"files": [{"file": text, "form": text, "benchmark": text, "split": text, "rows": 1, "questions": 1,
                          "rejected": 0, "reasons": {text: 1}} for text in safe]}  # fmt: skip
    return material(
        asked,
        pairs,
        title=" ".join(safe),
        notes=tuple(safe),
        facts={text: text for text in safe},
        given={"ingest_summary": summary},
    )


@pytest.mark.browser
def test_whatever_a_model_wrote_stays_text(chromium: Any, tmp_path: Path) -> None:
    seen: set[str] = set()
    with opened(chromium, tmp_path, hostile()) as page:
        for payload in range(len(PAYLOADS)):
            link = page.locator("#case-list a").nth(payload)
            page.evaluate("place => document.querySelectorAll('#case-list a')[place].click()", payload)
            identity = (link.get_attribute("href") or "").rpartition(".")[2]
            page.wait_for_selector(f"#case-detail h3:text-is('Question {identity}')")
            seen |= set(page.locator("#case-detail .said").all_text_contents())
        page.wait_for_timeout(200)
        assert page.problems == []
        foreign = "main img, main iframe, main object, main embed, main base, main meta, main link, main style, main script, main video, main audio, main math, main form[action], main marquee, main template"
        assert page.locator(foreign).count() == 0
        assert page.evaluate(
            "[...document.querySelectorAll('*')].every(one => [...one.attributes].every(a => !a.name.startsWith('on')))"
        )
        assert page.evaluate("document.querySelectorAll('a[href]:not([href^=\"#\"])').length") == 0
        assert page.evaluate("document.title").startswith("<script>alert('p')</script>")
    assert {f"{text} Final answer: A {text}" for text in PAYLOADS} <= seen  # as it was written, each character of it


def test_texts_that_may_not_be_passed_on_stay_out_but_their_letters_do_not() -> None:
    asked = [question(0, shareable=False, stem="A closed stem", link="https://doi.example/1"), question(1)]
    study = material(
        asked, {"vanilla": [generation("vanilla", one, "A", "A closed thought. Final answer: A") for one in asked]}
    )
    kept = cases_of(study)
    assert kept is not None
    assert "A closed stem" not in json.dumps([kept.index, kept.texts[0]])
    assert "A closed thought" not in json.dumps(kept.texts[0])
    assert kept.texts[0]["link"] == "https://doi.example/1"
    assert kept.index["rows"]["letter"] == ["A", "A"]
    whole = cases_of(study, shareable_only=False)
    assert whole is not None
    assert whole.texts[0]["stem"] == "A closed stem"


def test_equal_cases_give_equal_bytes_and_nothing_is_lost() -> None:
    cases = cases_of(two_arms())
    again = cases_of(two_arms())
    assert cases is not None
    assert again is not None
    pieces = packed(cases)
    assert pieces == packed(again)
    unpacked = [one for chunk in pieces.chunks for one in json.loads(gzip.decompress(base64.b64decode(chunk)))]
    assert unpacked == cases.texts
    assert len(cases.index["rows"]["question"]) == sum(len(one["said"]) for one in cases.texts) == 400


def test_a_study_that_keeps_no_generations_has_no_explorer() -> None:
    study = two_arms()
    bare = Material(
        {name: table for name, table in study.given.items() if "generations" not in name},
        study.arms,
        (),
        "",
        (),
        "vanilla",
    )
    assert "case-explorer" not in study_page(bare).html


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_a_reader_would_stumble_over(chromium: Any, tmp_path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, tmp_path, two_arms()) as page:
        page.emulate_media(color_scheme=scheme)
        page.click("#case-list tr:nth-child(8) a")
        page.wait_for_selector("#case-detail h3")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_timeout(100)
        found = Axe().run(page).response["violations"]
        assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found] == []
