"""docs/answers.md holds the tables of rules as the code has them.

`MEDO1_WRITE_DOCS=1 pytest tests/answers/test_answer_docs.py` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from medo1.answers import RULES, STATUSES
from medo1.answers.rules import CUES
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "answers.md"
SHOWN = 8  # words of a row


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "⏎")


def code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{cell(text)}{fence}"


def table_of_cues() -> Iterable[str]:
    yield "| tier | form | words | states C | does not |"
    yield "|---|---|---|---|---|"
    for cue in CUES:
        fixed = cue.form not in ("open", "close", "colon", "sentence", "verdict")
        words = [code(word) if fixed else word for word in cue.words[:SHOWN]]
        more = f", {len(cue.words) - SHOWN} more" if len(cue.words) > SHOWN else ""
        yield f"| {cue.tier} | {cue.form} | {', '.join(words)}{more} | {code(cue.example)} | {code(cue.counter)} |"


def table_of_rules() -> Iterable[str]:
    yield "| status | rule | what it is |"
    yield "|---|---|---|"
    starts = dict(zip(("boxed", "empty", "two_statements", "cut_in_thinking"), STATUSES, strict=True))
    status = ""
    for rule, what in RULES.items():
        status = starts.get(rule, status)
        yield f"| {status} | `{rule}` | {cell(what)} |"


@pytest.mark.parametrize(("name", "table"), [("cues", table_of_cues), ("rules", table_of_rules)])
def test_the_page_holds_the_tables_as_the_code_has_them(name, table):
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index("\n", text.index(f"<!-- {name}:")) + 1
    end = text.index(f"<!-- end of {name} -->")
    wanted = "\n".join(["", *table(), "", ""])
    if os.environ.get("MEDO1_WRITE_DOCS"):
        PAGE.write_text(text[:begin] + wanted + text[end:], encoding="utf-8")
    else:
        assert text[begin:end] == wanted, "write it anew: MEDO1_WRITE_DOCS=1 pytest tests/answers/test_answer_docs.py"
