"""JAMA Clinical Challenge: CSV or JSON as ChallengeClinicalQA's scraper writes it, and its index of links.

The text is under JAMA's licence and is never distributed with the links: users bring their own copy. The paper tests on
646 of the 1,524 cases, listed by URL; all others are a pool to train on. Where an index of links with gold letters is
at hand, the file's letters are checked against it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.questions.question import normalised
from medo1.questions.question_errors import MissingTextError, QuestionsError, RowError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    Prepared,
    RawQuestion,
    RowsSample,
    optional_text,
    prepared,
    text_of,
)
from medo1.questions.readers.medbullets import has_option_columns
from medo1.questions.readers.medqa import layout_with

HOW_TO_GET_THE_TEXT = (
    "The text of JAMA Clinical Challenge is under JAMA's licence and is not spread with the links. With access to "
    "jamanetwork.com (your library's will do), run the scraper of ChallengeClinicalQA (github.com/HanjieChen/"
    "ChallengeClinicalQA): it writes a CSV with the columns link, question, opa, opb, opc, opd, diagnosis, answer_idx, "
    "answer, explanation, field. Give that file here."
)
_EXTRA = {"link": "link", "diagnosis": "diagnosis", "field": "field", "explanation": "explanation"}
_ARTICLE = re.compile(r"jamanetwork\.com/journals/(?P<journal>[\w-]+)/(?:article-abstract|fullarticle)/(?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class JamaIndex:
    """What is known of the cases without their text.

    Attributes:
        gold: article to gold letter and the right option's text; empty where no list of links is given.
        test: the articles of the test split; None where no list is given.
    """

    gold: Mapping[str, tuple[str, str]]
    test: frozenset[str] | None

    def counts(self) -> dict[str, int]:
        """How many cases are known, how many of them are for testing and how many for training."""
        test = self.test if self.test is not None else frozenset()
        return {"cases": len(self.gold), "test": len(test & self.gold.keys()), "train": len(self.gold.keys() - test)}


def article(link: str) -> str:
    """The article that a link leads to: journal and number, whatever else the link holds.

    Raises:
        RowError: for a link that leads nowhere in JAMA's journals.
    """
    match = _ARTICLE.search(link)
    if match is None:
        raise RowError(f"'link' is {link[:80]!r}, expected one to jamanetwork.com/journals/.../fullarticle/...")
    return f"{match['journal']}/{match['number']}"


def read_index(links: Path | None, test_urls: Path | None) -> JamaIndex:
    """The index out of `jama_links.json` and the list of test URLs.

    Raises:
        QuestionsError: for a file that is missing, not such a list, or at odds with itself or with the other.
    """
    gold: dict[str, tuple[str, str]] = {}
    for number, record in enumerate(_list(links, dict), 1):
        try:
            key = article(str(record.get("link", "")))
        except RowError as error:
            raise QuestionsError(f"{links.name if links else ''}, record {number}: {error}") from None
        found = (str(record.get("answer_idx", "")).strip().upper(), str(record.get("answer", "")))
        if gold.setdefault(key, found) != found:
            raise QuestionsError(
                f"{links.name if links else ''}: two different answers for {key}: {gold[key]}, {found}"
            )
    if test_urls is None:
        return JamaIndex(gold, None)
    try:
        test = frozenset(article(str(url)) for url in _list(test_urls, str))
    except RowError as error:
        raise QuestionsError(f"{test_urls.name}: {error}") from None
    unknown = sorted(test - gold.keys()) if gold else []
    if unknown:
        raise QuestionsError(
            f"{test_urls.name}: {len(unknown)} of {len(test)} URLs are not in the links: {unknown[:3]}"
        )
    return JamaIndex(gold, test)


def _list(path: Path | None, kind: type) -> list[Any]:
    if path is None:
        return []
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise QuestionsError(f"{path}: cannot be read as a list in JSON: {error}") from error
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise QuestionsError(f"{path.name}: expected a list of {'records' if kind is dict else 'URLs'} in JSON")
    return value


def _recognise(sample: RowsSample) -> str | None:
    links = any("jamanetwork.com" in str(row.get("link", "")) for row in sample.rows)
    if links and "question" not in sample.columns:
        return "links to jamanetwork.com, and no text"
    if not has_option_columns(sample):
        return None
    if links:
        return "columns question, opa to opd, answer_idx; links to jamanetwork.com"
    if sample.columns & {"diagnosis", "field"}:
        return "columns question, opa to opd, answer_idx and diagnosis or field"
    return None if any("medbullets" in str(row.get("link", "")) for row in sample.rows) else _plain(sample)


def _plain(sample: RowsSample) -> str | None:
    """The columns alone are Medbullets' as well: named too, so that the caller is asked."""
    return "columns question, opa to opd, answer_idx" if "ope" not in sample.columns else None


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    if rows and all(not optional_text(row, "question") for row in rows):
        raise MissingTextError(f"{len(rows)} links and gold letters, and no text. {HOW_TO_GET_THE_TEXT}")
    index = read_index(hints.links, hints.test_urls)
    notes = []
    if index.test is None:
        notes.append("no list of test URLs was given: all questions are in one split")
    if not index.gold:
        notes.append("no list of links was given: gold letters are not checked")
    found = prepared(rows, hints, layout_with(rows, FORM.columns, hints), extra=_EXTRA, required=True)

    def read(values: dict[str, Any]) -> RawQuestion:
        question = found.read(values)
        if not index.gold and index.test is None:
            return question
        key = article(text_of(values, "link"))
        known = index.gold.get(key)
        if index.gold and known is None:
            raise RowError(f"{key} is not in the list of links")
        own = question.options[question.gold]
        if known is not None and (known[0] != question.gold or normalised(known[1]) != normalised(own)):
            raise RowError(
                f"the gold answer is {question.gold} {own[:60]!r}, in the list of links it is {known[0]} "
                f"{known[1][:60]!r}"
            )
        if index.test is None:
            return question
        return question._replace(split="test" if key in index.test else "train")

    return found._replace(read=read, notes=(*found.notes, *notes))


FORM = Form(
    "jama",
    "test",
    "link, question, opa to opd, answer_idx, diagnosis, field",
    _recognise,
    _prepare,
    shareable=False,  # JAMA's licence: link and gold letter only
)
