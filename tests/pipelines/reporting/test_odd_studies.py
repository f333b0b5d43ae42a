"""Studies at the edge: every table is made, the page opens, and nothing is claimed that was not shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from medo1 import tables
from medo1.gathered import gather
from medo1.page.material import Material
from medo1.page.sections.answer import sentence
from medo1.page.study_page import study_page
from medo1.pipelines.reporting.nodes import (
    calibrate,
    compare_arms,
    compare_pairs,
    count_clusters,
    describe_answers,
    judge_claims,
    size_models,
    summarise_votes,
)
from medo1.pipelines.reporting.params import ReportingParams
from tests.page.studies import generation, question
from tests.pipelines.reporting.test_report_tables import ARMS, NO_CURVE, timing

TABLES = {
    compare_arms: ("results", "comparisons", "by_difficulty"),
    describe_answers: ("letters", "letter_baselines", "lengths"),
    summarise_votes: ("vote_limits", "pass_curve", "variances"),
    calibrate: ("calibration", "calibration_summary", "risk_coverage"),
}


def right(asked: dict[str, Any], _: int) -> str:
    return str(asked["gold"])


def wrong(asked: dict[str, Any], _: int) -> str:
    return "ABCD"[("ABCD".index(asked["gold"]) + 1) % 4]


def unread(_: dict[str, Any], __: int) -> None:
    return None


def always_c(_: dict[str, Any], __: int) -> str:
    return "C"


def ties(asked: dict[str, Any], sample: int) -> str:
    return right(asked, 0) if sample % 2 else wrong(asked, 0)


# name: number of questions, options of each, what each arm answers to a question's sample
ODD: dict[str, tuple[int, int, tuple[Any, Any, Any]]] = {
    "one question": (1, 4, (right, wrong, right)),
    "two questions": (2, 4, (right, wrong, right)),
    "all right": (40, 4, (right, right, right)),
    "all wrong": (40, 4, (wrong, wrong, wrong)),
    "nothing can be read": (40, 4, (unread, unread, unread)),
    "always one letter": (40, 4, (unread, always_c, always_c)),
    "ties everywhere": (40, 4, (ties, ties, ties)),
    "no options": (40, 0, (right, wrong, right)),
    "no two agree": (40, 4, (wrong, right, unread)),
}


def made(name: str, samples: int = 2) -> Material:
    size, options, says = ODD[name]
    asked = [question(number) for number in range(size)]
    given: dict[str, Any] = {"questions": tables.as_table(tables.QUESTIONS, asked)}
    answers, generations = [], []
    for arm, letter in zip(ARMS, says, strict=True):
        pairs = []
        for one in asked:
            for sample in range(-1, samples):
                draw, number = ("greedy", 0) if sample < 0 else ("sampled", sample)
                found = letter(one, number)
                text = f"Final answer: {found}" if found else ""
                said, read = generation(arm, one, found, text, draw, number)
                pairs.append((said, {**read, "options": options}))
        generations.append(tables.as_table(tables.GENERATIONS, [said for said, _ in pairs]))
        answers.append(tables.as_table(tables.ANSWERS, [read for _, read in pairs]))
        given |= {f"{arm}.answers": answers[-1], f"{arm}.generations": generations[-1]}
        given[f"{arm}.asked_questions"] = given["questions"]
    params = ReportingParams()
    for node, names in TABLES.items():
        given |= dict(zip(names, node(params, gather(*answers)), strict=True))
    names = ("arm_pairs", "arm_groups", "non_inferiority")
    given |= dict(zip(names, compare_pairs(params, NO_CURVE["ADAPTIVE"], gather(*answers)), strict=True))
    given["clustered_results"] = count_clusters(params, given["questions"], gather(*answers))
    sizes = size_models(params, ARMS, timing(ARMS), names=())
    claims = judge_claims(
        params,
        ARMS,
        given["results"],
        given["comparisons"],
        sizes,
        given["questions"],
        gather(*answers),
        gather(*generations),
    )
    given |= dict(zip(("claims", "paper_table", "signatures"), claims, strict=True))
    return Material(given, tuple(ARMS), (), "Odd", (), "vanilla", learnt={"longmonolog_sft": "longmonolog"})


@pytest.mark.parametrize("name", ODD)
def test_every_table_is_made_and_the_page_shows_no_number_that_is_none(name: str) -> None:
    html = study_page(made(name)).html
    body = re.sub(r"<(script|style)[^>]*>.*?</\\1>", "", html, flags=re.S)
    assert not re.findall(r"[>( ](?:nan|inf|None|-?inf %)[<), %]", body)
    assert "<h2" in body


@pytest.mark.parametrize("name", ODD)
def test_every_table_is_made_without_samples_too(name: str) -> None:
    assert "<h2" in study_page(made(name, samples=0)).html


@pytest.mark.parametrize("name", ["one question", "all wrong", "nothing can be read", "always one letter"])
def test_where_nothing_was_shown_no_arm_is_the_answer(name: str) -> None:
    assert "No arm can be told from one who guesses" in sentence(made(name))


@pytest.mark.parametrize("name", ODD)
def test_no_claim_holds_where_the_arms_do_not_differ_or_only_guess(name: str) -> None:
    claims = made(name).given["claims"]
    held = set(claims.loc[claims["verdict"] == "holds", "claim"])
    assert not held & {"long_chains_pay", "steps_pay", "votes_add_little"}
