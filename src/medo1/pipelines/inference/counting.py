"""Rows of the tables about votes and budgets, from generations and the answers read in them.

Called by the nodes of inference; what votes, curves and stopping are lies in voting.py, curves.py and stopping.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medo1.frames import Frame, records
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.accounting import KEYS
from medo1.pipelines.inference.choices import Rule
from medo1.pipelines.inference.curves import expected_accuracy, point, subsets
from medo1.pipelines.inference.params import VoteParams
from medo1.pipelines.inference.stopping import stopping_point
from medo1.pipelines.inference.voting import (
    Method,
    Sample,
    Vote,
    ballot,
    can_vote,
    ranked_vote,
    vote,
    vote_of_ranks,
)
from medo1.questions.question import LETTERS

logger = logging.getLogger(__name__)

RANKED = "ranked"
RANKED_SUBSETS = 200  # of one question and size
CONFIDENCES = ("mean_logprob", "self_certainty", "confidence", "lowest_confidence")


@dataclass(frozen=True, slots=True)
class Poll:
    """The samples of one question by one arm, in the order of their numbers, and the tokens of each.

    The samples of a free-form arm vote with their first diagnosis; `ballots` are their whole lists, see `ballot`.
    """

    question_id: str
    benchmark: str
    arm: str
    gold: str
    options: int
    samples: tuple[Sample, ...]
    tokens: tuple[int | None, ...]
    ballots: tuple[tuple[str, ...], ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        return {"question_id": self.question_id, "benchmark": self.benchmark, "arm": self.arm}


def polled(generations: Frame, answers: Frame, questions: Frame) -> list[Poll]:
    """Each question's samples, by benchmark and question."""
    options = {
        (row["question_id"], row["benchmark"]): dict(zip(LETTERS, row["options"], strict=False))
        for row in records(questions[["question_id", "benchmark", "options"]])
    }
    both = answers[[*KEYS, "letter", "differential", "gold"]].merge(
        generations[[*KEYS, *CONFIDENCES, "completion_tokens"]], on=KEYS, validate="one_to_one"
    )
    sampled = both[both["draw"] == "sampled"].sort_values(KEYS, kind="stable")
    polls = []
    for (benchmark, question_id, arm), group in sampled.groupby(["benchmark", "question_id", "arm"], sort=True):
        rows = records(group)
        offered = options[str(question_id), str(benchmark)]
        ballots = [tuple(ballot(list(row["differential"]), offered)) for row in rows]
        free = any(ballots)
        stated = [one[0] if one else None for one in ballots] if free else [_known(row["letter"]) for row in rows]
        polls.append(
            Poll(
                question_id=str(question_id),
                benchmark=str(benchmark),
                arm=str(arm),
                gold=rows[0]["gold"],
                options=len({*offered, *(answer for answer in stated if answer is not None)}),
                samples=tuple(
                    Sample(answer, *(_known(row[name]) for name in CONFIDENCES))
                    for answer, row in zip(stated, rows, strict=True)
                ),
                tokens=tuple(_known(row["completion_tokens"]) for row in rows),
                ballots=tuple(ballots) if free else (),
            )
        )
    return polls


def vote_rows(polls: Sequence[Poll], params: VoteParams) -> list[dict[str, Any]]:
    """Rows of `tables.VOTES`: the vote of each question's first k samples, by each method that its engine allows, and
    of the lists of a free-form arm."""
    rows = []
    possible = _possible(polls, params.methods)
    for poll in polls:
        for k in (number for number in params.numbers if number <= len(poll.samples)):
            rows += [_vote_row(poll, method, k, vote(poll.samples[:k], method, params.weighing)) for method in possible]
            if poll.ballots:
                rows.append(_vote_row(poll, RANKED, k, _by_ranks(poll.ballots[:k])))
    return sorted(rows, key=lambda row: (row["benchmark"], row["question_id"], row["method"], row["k"]))


def _vote_row(poll: Poll, method: str, k: int, outcome: Vote) -> dict[str, Any]:
    return {
        **poll.keys,
        "method": method,
        "k": k,
        "letter": _letter(outcome.letter),
        "share": outcome.share,
        "voters": outcome.voters,
        "gold": poll.gold,
        "correct": outcome.letter == poll.gold,
    }


def curve_rows(
    polls: Sequence[Poll], stopped: Sequence[dict[str, Any]], params: VoteParams, most: int, seed: int
) -> list[dict[str, Any]]:
    """Rows of `tables.VOTE_CURVE`: expected accuracy over subsets of k samples; and where drawing stops by itself.

    A k enters where every question has so many samples: an average over some of the questions would be one over the
    easy or the hard ones.
    """
    rows = []
    for benchmark in sorted({poll.benchmark for poll in polls}):
        own = [poll for poll in polls if poll.benchmark == benchmark]
        fewest = min(len(poll.samples) for poll in own)
        per_sample = _mean([_mean(poll.tokens) for poll in own])
        for method in _possible(own, params.methods):
            for k in (number for number in params.numbers if number <= fewest):
                shares = [
                    expected_accuracy(
                        poll.samples, poll.gold, k, method, params.weighing, seed_from(seed, poll.question_id, k)
                    )
                    for poll in own
                ]
                rows.append(_curve_row(own[0].arm, benchmark, method, k, shares, per_sample and k * per_sample))
        if any(poll.ballots for poll in own):
            for k in (number for number in params.numbers if number <= fewest):
                shares = [_expected_by_ranks(poll, k, seed_from(seed, poll.question_id, k)) for poll in own]
                rows.append(_curve_row(own[0].arm, benchmark, RANKED, k, shares, per_sample and k * per_sample))
        mine = [row for row in stopped if row["benchmark"] == benchmark]
        spent = _mean([row["tokens"] for row in mine])
        shares = [float(row["correct"]) for row in mine]
        if mine:
            rows.append(_curve_row(own[0].arm, benchmark, "adaptive", most, shares, spent))
    return rows


def _by_ranks(ballots: Sequence[Sequence[str]]) -> Vote:
    return vote_of_ranks(ranked_vote(ballots), sum(map(bool, ballots)))


def _expected_by_ranks(poll: Poll, size: int, seed: int) -> float:
    """The share of subsets of the lists whose ranked vote is right; some at random where they are many."""
    if not poll.ballots:
        return 0.0
    chosen = subsets(len(poll.ballots), size, seed)[:RANKED_SUBSETS]
    won = [_by_ranks([poll.ballots[place] for place in places]).letter == poll.gold for places in chosen]
    return sum(won) / len(won)


def _letter(answer: str | None) -> str | None:
    """A vote's winner as a table has it: none where it is a diagnosis that no option names."""
    return answer if answer in set(LETTERS) else None


def _curve_row(
    arm: str, benchmark: str, method: str, k: int, shares: Sequence[float], tokens: float | None
) -> dict[str, Any]:
    found = point(shares)
    return {
        "arm": arm,
        "benchmark": benchmark,
        "method": method,
        "k": k,
        "questions": found.questions,
        "accuracy": found.accuracy,
        "accuracy_low": found.low,
        "accuracy_high": found.high,
        "mean_tokens": tokens,
    }


def adaptive_rows(polls: Sequence[Poll], rule: Rule, most: int) -> list[dict[str, Any]]:
    """Rows of `tables.ADAPTIVE`: where drawing stops on each question's samples, beside the vote of all of them."""
    rows = []
    for poll in polls:
        letters = [sample.letter for sample in poll.samples]
        stop = stopping_point(letters, poll.options, rule, most)
        if stop is None:
            raise ValueError(
                f"question {poll.question_id} of {poll.benchmark} has {len(letters)} of at most {most} samples of "
                f"{poll.arm} and is not decided: its generations are not complete"
            )
        part = vote(poll.samples[: stop.drawn])
        complete = len(letters) == most
        whole = vote(poll.samples)
        spent = [tokens for tokens in poll.tokens[: stop.drawn] if tokens is not None]
        mean = _mean(poll.tokens)
        rows.append(
            {
                **poll.keys,
                "drawn": stop.drawn,
                "most": most,
                "probability": stop.probability,
                "letter": _letter(part.letter),
                "correct": part.letter == poll.gold,
                "tokens": sum(spent) if spent else None,
                "letter_of_all": _letter(whole.letter) if complete else None,
                "correct_of_all": whole.letter == poll.gold if complete else None,
                "tokens_of_all": None if mean is None else mean * most,
            }
        )
    return rows


def budget_rows(
    generations: Frame,
    answers: Frame,
    cut_generations: Frame,
    cut_correct: Sequence[bool],
    budgets: Sequence[int],
) -> list[dict[str, Any]]:
    """Rows of `tables.BUDGET_CURVE`: greedy accuracy at each thinking budget.

    At a budget that its thought did not reach the end of, a question counts with the answer that was asked for there.

    Args:
        generations, answers: of the arm.
        cut_generations: its greedy ones at smaller budgets, and `cut_correct`: whether each of their answers is right.
        budgets: the points of the curve.
    """
    import pandas as pd

    columns = ["benchmark", "arm", "question_id", "budget", "status", "completion_tokens"]
    greedy = generations["draw"] == "greedy"
    whole = generations[greedy][columns].assign(correct=_correct(generations[greedy], answers))
    cut = cut_generations[columns].assign(correct=list(cut_correct))
    rows = []
    for (arm, benchmark), group in whole.groupby(["arm", "benchmark"], sort=True):
        early = cut[(cut["arm"] == arm) & (cut["benchmark"] == benchmark)]
        for budget in budgets:
            here = early[early["budget"] == budget]
            ended = group[(group["budget"] <= budget) & ~group["question_id"].isin(here["question_id"])]
            known = pd.concat([here, ended]) if len(here) else ended
            found = point(known["correct"].astype(float).tolist())
            rows.append(
                {
                    "arm": arm,
                    "benchmark": benchmark,
                    "budget": budget,
                    "questions": found.questions,
                    "accuracy": found.accuracy,
                    "accuracy_low": found.low,
                    "accuracy_high": found.high,
                    "forced": float((known["status"] == "forced").mean()),
                    "mean_tokens": _mean([_known(value) for value in known["completion_tokens"]]),
                }
            )
    return rows


def _correct(generations: Frame, answers: Frame) -> Any:
    return generations[KEYS].merge(answers[[*KEYS, "correct"]], on=KEYS, validate="one_to_one")["correct"].to_numpy()


def _possible(polls: Sequence[Poll], methods: Sequence[Method]) -> list[Method]:
    """The methods whose numbers every voter has."""
    possible = [method for method in methods if all(can_vote(poll.samples, method) for poll in polls)]
    if missing := [method for method in methods if method not in possible]:
        logger.info("the engine does not give what votes by %s weigh; they are left out", ", ".join(missing))
    return possible


def _known(value: Any) -> Any:
    import pandas as pd

    return None if pd.isna(value) else value


def _mean(values: Sequence[float | int | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None
