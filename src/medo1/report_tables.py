"""Schemas of the report's tables beyond results and comparisons: claims, votes, calibration, letters, costs.

As in `medo1.tables`, every rate is 0 to 1; `low` and `high` are the bounds of the interval whose level is
`reporting.confidence`.
"""

from __future__ import annotations

import pandera.pandas as pa

from medo1.tables import (
    COUNT,
    LETTER,
    MAYBE_COUNT,
    MAYBE_NUMBER,
    NAME,
    NUMBER,
    SHARE,
    TEXT,
    TRUTH,
    _table,
)

VERDICTS = ("holds", "does not hold", "cannot be told", "built in", "not measured")
SEEN = ("yes", "no", "cannot be told")
SCORES = ("vote_share", "confidence")
STRATEGIES = ("single", "majority", "adaptive", "budget", "selective")

# Every two arms on each benchmark, corrected for the number of pairs there.
ARM_PAIRS = _table(
    {
        "first": NAME,
        "second": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "difference": NUMBER,  # first minus second
        "low": NUMBER,  # simultaneous over the pairs of the benchmark, in agreement with p_adjusted
        "high": NUMBER,
        "correlation": MAYBE_NUMBER,
        "p_value": SHARE,
        "p_adjusted": SHARE,
    },
    unique=["first", "second", "benchmark"],
)
# Arms that share a letter cannot be told apart on this benchmark.
ARM_GROUPS = _table({"arm": NAME, "benchmark": NAME, "group": NAME}, unique=["arm", "benchmark"])
NON_INFERIORITY = _table(
    {
        "what": pa.Column(str, pa.Check.isin(("arm", "adaptive"))),  # an arm, or its votes with early stopping
        "arm": NAME,
        "against": NAME,  # the baseline; the vote of all samples
        "benchmark": NAME,
        "questions": COUNT,
        "difference": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "margin": SHARE,
        "p_value": SHARE,  # one-sided: of being worse by the margin or more
        "no_worse": TRUTH,
    },
    unique=["what", "arm", "benchmark"],
)

VOTE_LIMITS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "samples": COUNT,  # of each question
        "single": SHARE,  # expected accuracy of one sample
        "majority": SHARE,  # and of the vote of all
        "limit": SHARE,  # and of votes without end, as far as these samples tell
        "low": SHARE,
        "high": SHARE,
        "modal_wrong": SHARE,  # questions whose commonest answer is wrong: more votes can only hurt
        "undecided": SHARE,  # questions whose commonest answer may still change
        "tied": SHARE,  # questions whose commonest answers tie
        "unread": SHARE,  # samples that state no answer
        "pass_at_all": SHARE,  # questions that any sample has right
    },
    unique=["arm", "benchmark"],
)
PASS_CURVE = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "k": COUNT,
        "questions": COUNT,
        "pass_at_k": SHARE,
        "low": SHARE,
        "high": SHARE,
    },
    unique=["arm", "benchmark", "k"],
)
VARIANCES = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "samples": COUNT,
        "between": NUMBER,  # variance of the questions' own accuracies
        "within": NUMBER,  # mean variance of one question's samples
        "error_of_one": NUMBER,  # standard error of the mean accuracy, one sample a question
        "error_of_all": NUMBER,  # and with all samples
        "halving": MAYBE_NUMBER,  # samples a question that halve the variance of the mean; none where no number does
    },
    unique=["arm", "benchmark"],
)

CALIBRATION = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "score": pa.Column(str, pa.Check.isin(SCORES)),
        "bin_low": SHARE,
        "bin_high": SHARE,
        "n": COUNT,
        "mean_score": SHARE,
        "accuracy": SHARE,
        "low": SHARE,
        "high": SHARE,
    },
    unique=["arm", "benchmark", "score", "bin_low"],
)
CALIBRATION_SUMMARY = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "score": pa.Column(str, pa.Check.isin(SCORES)),
        "n": COUNT,
        "error": SHARE,  # the error rate: the AURC of a score that tells nothing
        "brier": SHARE,
        "ece": SHARE,
        "aurc": SHARE,
    },
    unique=["arm", "benchmark", "score"],
)
RISK_COVERAGE = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "score": pa.Column(str, pa.Check.isin(SCORES)),
        "coverage": SHARE,  # of the questions that it answers
        "accuracy": SHARE,  # on these
        "threshold": SHARE,  # lowest score that is answered
    },
    unique=["arm", "benchmark", "score", "threshold"],
)

LETTERS = _table(
    {"arm": NAME, "benchmark": NAME, "letter": LETTER, "answered": SHARE, "gold": SHARE},
    unique=["arm", "benchmark", "letter"],
)
LETTER_BASELINES = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "accuracy": SHARE,
        "chance": SHARE,  # of a letter drawn at random
        "commonest_letter": SHARE,  # of always giving the letter that is right most often
        "guesser": SHARE,  # of stating letters as often as the arm does, dealt at random
        "commonest": TEXT,  # the letter that the arm states most often; empty where it states none
        "commonest_share": SHARE,
        "p_value": SHARE,  # one-sided: of the arm doing no better than that guesser
        "muted": TRUTH,  # it cannot be told from that guesser, or hardly states another letter
        "why": TEXT,
    },
    unique=["arm", "benchmark"],
)

LENGTHS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "difficulty": MAYBE_COUNT,
        "correct": TRUTH,
        "n": COUNT,
        "mean_tokens": NUMBER,
        "low": MAYBE_NUMBER,
        "high": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark", "difficulty", "correct"],
)
MODEL_SIZES = _table({"arm": NAME, "model": TEXT, "weights": MAYBE_NUMBER, "source": TEXT}, unique=["arm"])
FRONTIER = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "strategy": pa.Column(str, pa.Check.isin(STRATEGIES)),
        "setting": TEXT,
        "accuracy": SHARE,
        "low": SHARE,
        "high": SHARE,
        "tokens": MAYBE_NUMBER,  # completion tokens a question, all samples together
        "seconds": MAYBE_NUMBER,  # of the machine as measured for the arm, a question
        "dollars": MAYBE_NUMBER,
        "flops": MAYBE_NUMBER,  # 2 x weights x tokens, the prompt counted once
        "on_frontier": TRUTH,  # no other point of the benchmark is as accurate for fewer FLOPs (tokens where not known)
        "tokens_per_point": MAYBE_NUMBER,  # extra tokens for each point of accuracy above the baseline's single answer
    },
    unique=["arm", "benchmark", "strategy", "setting"],
)

CLAIMS = _table(
    {
        "claim": NAME,
        "says": NAME,
        "paper": TEXT,
        "measured": TEXT,
        "value": MAYBE_NUMBER,
        "low": MAYBE_NUMBER,
        "high": MAYBE_NUMBER,
        "n": COUNT,
        "verdict": pa.Column(str, pa.Check.isin(VERDICTS)),
        "why": TEXT,
    },
    unique=["claim"],
)
PAPER_TABLE = _table(
    {
        "model": NAME,
        "method": NAME,
        "benchmark": NAME,
        "paper": SHARE,
        "paper_tokens": MAYBE_NUMBER,
        "arm": TEXT,
        "ours": SHARE,
        "low": SHARE,
        "high": SHARE,
        "n": COUNT,
    },
    unique=["model", "method", "benchmark"],
)
SIGNATURES = _table(
    {
        "signature": NAME,
        "says": NAME,
        "arm": NAME,
        "benchmark": NAME,
        "value": MAYBE_NUMBER,
        "low": MAYBE_NUMBER,
        "high": MAYBE_NUMBER,
        "n": COUNT,
        "seen": pa.Column(str, pa.Check.isin(SEEN)),
        "built_in": TRUTH,
    },
    unique=["signature", "arm", "benchmark"],
)
