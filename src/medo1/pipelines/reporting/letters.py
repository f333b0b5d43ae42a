"""Rows about letters: which an arm states beside which are right, and whether it does better than guessing so."""

from __future__ import annotations

from typing import Any

from medo1.frames import Frame
from medo1.pipelines.reporting.answer_groups import groups, is_free
from medo1.statistics.guessing import Guesser, guesser
from medo1.statistics.intervals import share_interval

Row = dict[str, Any]
SURE = 0.05  # an arm whose p-value against its own guesser is above this is muted
MOSTLY = 0.75  # one letter in so many of the answers is hardly an answer


def letter_rows(greedy: Frame) -> list[Row]:
    """Rows of `LETTERS`: shares over all questions, so that unread answers are what is left to 1."""
    rows: list[Row] = []
    for benchmark, arm, group in groups(greedy):
        if is_free(group):
            continue
        rows += [
            {
                "arm": arm,
                "benchmark": benchmark,
                "letter": letter,
                "answered": float((group["letter"] == letter).mean()),
                "gold": float((group["gold"] == letter).mean()),
            }
            for letter in sorted({*group["gold"], *group["letter"].dropna()})
        ]
    return rows


def baseline_rows(greedy: Frame) -> list[Row]:
    """Rows of `LETTER_BASELINES`; free-form arms state no letters and have none.

    Muted is an arm that cannot be told from who states its letters without reading the questions; one that is not
    surely above chance, as where most of its answers cannot be read; and one that hardly states another letter and is
    not surely above always giving the commonest.
    """
    rows = []
    for benchmark, arm, group in groups(greedy):
        if is_free(group):
            continue
        stated = [one if isinstance(one, str) else None for one in group["letter"]]
        found = guesser(stated, group["gold"].tolist())
        least = share_interval(round(found.accuracy * len(group)), len(group)).low
        chance = float((1 / group["options"].where(group["options"] > 0)).mean())
        alike = found.p_value > SURE or (found.commonest_share >= MOSTLY and least <= found.always)
        muted = alike or least <= chance
        rows.append(
            {
                "arm": arm,
                "benchmark": benchmark,
                "questions": len(group),
                "accuracy": found.accuracy,
                "chance": chance,
                "commonest_letter": found.always,
                "guesser": found.guessed,
                "commonest": found.commonest or "",
                "commonest_share": found.commonest_share,
                "p_value": found.p_value,
                "muted": muted,
                "why": _why(arm, found, len(group))
                if alike
                else _at_chance(arm, found, least, chance)
                if muted
                else "",
            }
        )
    return rows


def _at_chance(arm: str, found: Guesser, least: float, chance: float) -> str:
    return (
        f"{arm} is right in {found.accuracy:.1%}, by its interval perhaps only in {least:.1%}; who guesses among the "
        f"options is in {chance:.1%}"
    ).replace("%", " %")


def _why(arm: str, found: Guesser, questions: int) -> str:
    if found.commonest is None:
        return f"{arm} states no letter that can be read"
    said = round(found.commonest_share * questions)
    return (
        f"{arm} states {found.commonest} in {said} of {questions} answers and is right in {found.accuracy:.1%}; who "
        f"states its letters without reading the questions is in {found.guessed:.1%}, always the commonest letter in "
        f"{found.always:.1%}"
    ).replace("%", " %")
