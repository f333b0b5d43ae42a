"""Realistic replies of many models in each format: which are chains, and why the others are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from medo1.chains.formats import FORMATS, Checks, parsed

OPTIONS = {"A": "gout", "B": "sepsis", "C": "Lyme disease", "D": "lupus"}
CHECKS = {"longstep": Checks(require_parts=True, min_steps=3), "longmonolog": Checks(min_turns=3)}


def replies(format: str) -> list[tuple[str, str, str]]:
    """Verdict, why, and text of each reply on file; `@@@ verdict | why` stands before each."""
    content = (Path(__file__).parent / "replies" / f"{format}.txt").read_text(encoding="utf-8")
    found = []
    for part in content.split("\n@@@ ")[1:]:
        head, _, text = part.partition("\n")
        verdict, _, why = head.partition(" | ")
        found.append((verdict, why, text.rstrip("\n")))
    return found


@pytest.mark.parametrize(
    ("format", "verdict", "why", "text"), [(format, *reply) for format in FORMATS for reply in replies(format)]
)
def test_a_reply_is_accepted_or_refused_for_the_reason_that_we_stand_by(
    format: str, verdict: str, why: str, text: str
) -> None:
    _, problems = parsed(format, text, OPTIONS, checks=CHECKS.get(format, Checks()))
    codes = [problem.code for problem in problems]
    assert sorted(codes) == ([] if verdict == "accepted" else sorted(verdict.split("+"))), why


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_has_replies_of_both_kinds(format: str) -> None:
    verdicts = [verdict for verdict, *_ in replies(format)]
    assert len(verdicts) >= 60
    assert min(verdicts.count("accepted"), len(verdicts) - verdicts.count("accepted")) >= 20
    assert len(set(verdicts)) >= 6
