"""Nodes of reporting."""

from __future__ import annotations

from typing import Any

from medo1.engines.base import Model
from medo1.frames import Frame
from medo1.parameters import plain_values
from medo1.pipelines.reporting.params import ReportingParams
from medo1.pipelines.reporting.roles import asked_arms


def compare_arms(params: ReportingParams, answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Accuracy of each arm, each arm against the baseline, and accuracy by difficulty; of greedy generations.

    Args:
        params: baseline, confidence, the declared family.
        answers: of all arms, in the order in which the arms shall stand.

    Returns:
        `RESULTS`, `COMPARISONS`, `BY_DIFFICULTY`.
    """
    from medo1 import tables
    from medo1.pipelines.reporting.answer_groups import greedy_answers
    from medo1.pipelines.reporting.comparing import comparison_rows, difficulty_rows, result_rows

    greedy = greedy_answers(answers)
    return (
        tables.as_table(tables.RESULTS, result_rows(greedy, params)),
        tables.as_table(tables.COMPARISONS, comparison_rows(greedy, params)),
        tables.as_table(tables.BY_DIFFICULTY, difficulty_rows(greedy)),
    )


def compare_pairs(params: ReportingParams, adaptive: Frame, answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Every two arms, who cannot be told apart, and who is no worse by the margin.

    Args:
        params: baseline, confidence, margin.
        adaptive: where drawing stops, beside the vote of all samples.
        answers: of all arms.

    Returns:
        `ARM_PAIRS`, `ARM_GROUPS`, `NON_INFERIORITY`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.answer_groups import greedy_answers
    from medo1.pipelines.reporting.comparing import no_worse_rows, pair_rows
    from medo1.tables import as_table

    greedy = greedy_answers(answers)
    pairs, lettered = pair_rows(greedy, params)
    return (
        as_table(tables.ARM_PAIRS, pairs),
        as_table(tables.ARM_GROUPS, lettered),
        as_table(tables.NON_INFERIORITY, no_worse_rows(greedy, adaptive, params)),
    )


def count_clusters(params: ReportingParams, questions: Frame, answers: Frame) -> Frame:
    """Accuracy of each arm with near-copies counted as one observation, and without doubtful questions where any are.

    Args:
        params: confidence.
        questions: each with its cluster and its flags.
        answers: of all arms.

    Returns:
        `CLUSTERED_RESULTS`.
    """
    from medo1 import tables
    from medo1.pipelines.reporting.answer_groups import greedy_answers
    from medo1.pipelines.reporting.comparing import cluster_rows

    rows = cluster_rows(greedy_answers(answers), questions, params.confidence)
    return tables.as_table(tables.CLUSTERED_RESULTS, rows)


def summarise_votes(params: ReportingParams, answers: Frame) -> tuple[Frame, Frame, Frame]:
    """What votes can reach, pass@k, and how much of the error is sampling; empty where nothing was sampled.

    Returns:
        `VOTE_LIMITS`, `PASS_CURVE`, `VARIANCES`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.vote_summaries import limit_rows, pass_rows, variance_rows
    from medo1.tables import as_table

    return (
        as_table(tables.VOTE_LIMITS, limit_rows(answers, params)),
        as_table(tables.PASS_CURVE, pass_rows(answers, params)),
        as_table(tables.VARIANCES, variance_rows(answers)),
    )


def calibrate(params: ReportingParams, answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Whether the vote's share and the model's confidence tell right answers from wrong ones.

    Returns:
        `CALIBRATION`, `CALIBRATION_SUMMARY`, `RISK_COVERAGE`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.vote_summaries import calibration_rows
    from medo1.tables import as_table

    bins, summaries, curves = calibration_rows(answers, params)
    return (
        as_table(tables.CALIBRATION, bins),
        as_table(tables.CALIBRATION_SUMMARY, summaries),
        as_table(tables.RISK_COVERAGE, curves),
    )


def describe_answers(params: ReportingParams, answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Which letters arms state, beside guessing, and how long right and wrong answers are.

    Returns:
        `LETTERS`, `LETTER_BASELINES`, `LENGTHS`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.answer_groups import greedy_answers
    from medo1.pipelines.reporting.costs import length_rows
    from medo1.pipelines.reporting.letters import baseline_rows, letter_rows
    from medo1.tables import as_table

    greedy = greedy_answers(answers)
    return (
        as_table(tables.LETTERS, letter_rows(greedy)),
        as_table(tables.LETTER_BASELINES, baseline_rows(greedy)),
        as_table(tables.LENGTHS, length_rows(greedy, params.confidence)),
    )


def size_models(
    params: ReportingParams, arms: dict[str, Any], timing: Frame, *models: Model, names: tuple[str, ...]
) -> Frame:
    """How many weights answer in each arm.

    Args:
        params: sizes that cannot be counted.
        arms: how each arm differs, by name.
        timing: what each arm's engine calls its model.
        models: those that the arms name. names: their catalog entries.

    Returns:
        `MODEL_SIZES`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.costs import size_rows
    from medo1.tables import as_table

    entries = {name: str(arm["model"] or "") for name, arm in asked_arms(arms).items()}
    served = dict(zip(timing["arm"], timing["model"], strict=True))
    rows = size_rows(entries, dict(zip(names, models, strict=True)), served, params.sizes)
    return as_table(tables.MODEL_SIZES, rows)


def trace_frontier(
    params: ReportingParams,
    inference: dict[str, Any],
    vote_curve: Frame,
    budget_curve: Frame,
    selective_curve: Frame,
    timing: Frame,
    model_sizes: Frame,
    answers: Frame,
) -> Frame:
    """Accuracy against tokens, seconds, dollars and FLOPs of every way in which arms were asked.

    Args:
        params: baseline, confidence.
        inference: its prices.
        vote_curve, budget_curve, selective_curve: accuracy and tokens of votes, budgets and selective thought.
        timing: what the run took. model_sizes: `MODEL_SIZES`.
        answers: of all arms.

    Returns:
        `FRONTIER`.
    """
    from medo1 import report_tables as tables
    from medo1.engines.wrappers.money import Price
    from medo1.pipelines.reporting.costs import frontier_rows
    from medo1.tables import as_table

    named = plain_values(inference).get("prices") or {}
    prices = {name: Price.model_validate(price) for name, price in named.items()}
    rows = frontier_rows(answers, vote_curve, budget_curve, selective_curve, timing, model_sizes, prices, params)
    return as_table(tables.FRONTIER, rows)


def judge_claims(
    params: ReportingParams,
    arms: dict[str, Any],
    results: Frame,
    comparisons: Frame,
    model_sizes: Frame,
    questions: Frame,
    answers: Frame,
    generations: Frame,
) -> tuple[Frame, Frame, Frame]:
    """The paper's claims and its Table 1 beside this study, and signatures of a study that goes wrong.

    Args:
        params: roles of the arms, what was built in.
        arms: how each arm differs, by name.
        results, comparisons: of `compare_arms`. model_sizes: `MODEL_SIZES`.
        questions: all, with their splits and clusters.
        answers, generations: of all arms.

    Returns:
        `CLAIMS`, `PAPER_TABLE`, `SIGNATURES`.
    """
    from medo1 import report_tables as tables
    from medo1.pipelines.reporting.claims import claim_rows
    from medo1.pipelines.reporting.evidence import Evidence
    from medo1.pipelines.reporting.paper_table import paper_rows
    from medo1.pipelines.reporting.signatures import signature_rows
    from medo1.tables import as_table

    evidence = Evidence(params, asked_arms(arms), answers, results, comparisons, model_sizes, questions)
    return (
        as_table(tables.CLAIMS, claim_rows(evidence)),
        as_table(tables.PAPER_TABLE, paper_rows(evidence)),
        as_table(tables.SIGNATURES, signature_rows(evidence, generations)),
    )
