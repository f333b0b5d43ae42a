"""Rows of the tables about votes and budgets, from answers: votes, their curves, where sampling would have stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from medo1.frames import Frame, records
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.answer_rows import CONFIDENCES, known
from medo1.pipelines.inference.params import VoteParams
from medo1.questions.question import LETTERS
from medo1.statistics.intervals import mean_interval
from medo1.statistics.rules import StoppingRule
from medo1.statistics.stopping import stopping_point
from medo1.statistics.vote_curves import expected_accuracy, expected_ranked_accuracy
from medo1.statistics.votes import Vote, Voter, can_vote, ranked_winner, vote
from medo1.vocabulary import ADAPTIVE_VOTE, RANKED_VOTE, SCORED_VOTE, SELECTED_VOTE, VoteMethod

logger = logging.getLogger(__name__)

MAY_LACK = ("letter", "completion_tokens", *CONFIDENCES)
POLLED = ("sample", "ballot", "options", "gold", *MAY_LACK)  # what a poll takes of an answer
CUT = ("cut", "cut_by_context")  # thoughts that ended without an answer being asked for
ENOUGH_TO_TELL, MUCH = 20, 0.8  # forced answers; the share of them that are unread, or alike


class Picked(NamedTuple):
    """What a judge picked among the first k samples: the answer, None for no pick, and the tokens of its reply."""

    k: int
    letter: str | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Poll:
    """The samples of one question by one arm, in the order of their numbers, and the tokens of each.

    The samples of a free-form arm vote with their first diagnosis; `ballots` are their whole lists.
    """

    question_id: str
    benchmark: str
    arm: str
    gold: str
    options: int
    samples: tuple[Voter, ...]
    tokens: tuple[int | None, ...]
    ballots: tuple[tuple[str, ...], ...] = ()
    picked: tuple[Picked, ...] = ()
    scoring_tokens: float | None = None  # of one score

    def first(self, count: int) -> Poll:
        """The poll of the first samples alone."""
        return replace(self, samples=self.samples[:count], tokens=self.tokens[:count], ballots=self.ballots[:count])

    @property
    def keys(self) -> dict[str, str]:
        return {"question_id": self.question_id, "benchmark": self.benchmark, "arm": self.arm}


def polled(answers: Frame, judgements: Frame | None = None) -> list[Poll]:
    """Each question's samples, by benchmark and question, with what a judge says of them."""
    said: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in [] if judgements is None else records(judgements):
        said.setdefault((row["benchmark"], row["question_id"]), []).append(row)
    keys = ["benchmark", "question_id", "arm"]
    sampled = answers[answers["draw"] == "sampled"].sort_values([*keys, "sample"], kind="stable")[[*keys, *POLLED]]
    polls = []
    for (benchmark, question_id, arm), group in groupby(records(sampled), lambda row: tuple(row[key] for key in keys)):
        rows = [{name: known(value) if name in MAY_LACK else value for name, value in row.items()} for row in group]
        ballots = tuple(tuple(row["ballot"]) for row in rows)
        free = any(ballots)
        stated = [one[0] if one else None for one in ballots] if free else [row["letter"] for row in rows]
        offered = LETTERS[: rows[0]["options"]]
        told = said.get((str(benchmark), str(question_id)), [])
        scores = {row["sample"]: known(row["score"]) for row in told if row["kind"] == "score"}
        scoring = [known(row["completion_tokens"]) for row in told if row["kind"] == "score"]
        polls.append(
            Poll(
                question_id=str(question_id),
                benchmark=str(benchmark),
                arm=str(arm),
                gold=rows[0]["gold"],
                options=len({*offered, *(answer for answer in stated if answer is not None)}),
                samples=tuple(
                    Voter(answer, **{name: row[name] for name in CONFIDENCES}, score=scores.get(row["sample"]))
                    for answer, row in zip(stated, rows, strict=True)
                ),
                tokens=tuple(row["completion_tokens"] for row in rows),
                ballots=ballots if free else (),
                picked=tuple(
                    Picked(row["k"], known(row["letter"]), known(row["completion_tokens"]))
                    for row in told
                    if row["kind"] == "selection"
                ),
                scoring_tokens=_mean(scoring),
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
            rows += [_vote_row(poll, method, k, vote(poll.samples[:k], method, params)) for method in possible]
            if poll.ballots:
                rows.append(_vote_row(poll, RANKED_VOTE, k, ranked_winner(poll.ballots[:k])))
        for one in poll.picked:
            outcome = Vote(one.letter, float(one.letter is not None), int(one.letter is not None))
            rows.append(_vote_row(poll, SELECTED_VOTE, one.k, outcome))
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
    polls: Sequence[Poll], stopped: Sequence[dict[str, Any]], params: VoteParams, alike: int, most: int, seed: int
) -> list[dict[str, Any]]:
    """Rows of `tables.VOTE_CURVE`: expected accuracy over subsets of k samples; and where adaptive sampling stops.

    A point is read from the samples that every question was given whatever they said. Where drawing stopped by itself
    those are the ones before the first look: later ones were drawn because the earlier ones disagreed, and an average
    over them would lean to one side.

    Args:
        polls: of one arm. stopped: its `adaptive_rows`.
        params: which k, which methods.
        alike: samples that every question was given. most: samples that one may get.
        seed: of the subsets, where they are too many to take all.
    """
    polls = [poll.first(alike) for poll in polls]
    rows = []
    for benchmark in sorted({poll.benchmark for poll in polls}):
        own = [poll for poll in polls if poll.benchmark == benchmark]
        if larger := [number for number in params.numbers if alike < number]:
            logger.info("%s: no curve at %s votes: every question has %d samples", own[0].arm, larger, alike)
        per_sample = _mean([_mean(poll.tokens) for poll in own])
        for method in _possible(own, params.methods):
            for k in (number for number in params.numbers if number <= alike):
                shares = [
                    expected_accuracy(poll.samples, poll.gold, k, method, params, seed_from(seed, poll.question_id, k))
                    for poll in own
                ]
                each = per_sample
                if method == SCORED_VOTE and per_sample is not None:
                    judging = [poll.scoring_tokens for poll in own if poll.scoring_tokens is not None]
                    each = per_sample + judging_tokens if (judging_tokens := _mean(judging)) is not None else None
                rows.append(_curve_row(own[0].arm, benchmark, method, k, shares, each and k * each))
        rows += _selected_rows(own, benchmark, alike)
        if any(poll.ballots for poll in own):
            for k in (number for number in params.numbers if number <= alike):
                shares = [
                    expected_ranked_accuracy(poll.ballots, poll.gold, k, seed_from(seed, poll.question_id, k))
                    for poll in own
                ]
                rows.append(_curve_row(own[0].arm, benchmark, RANKED_VOTE, k, shares, per_sample and k * per_sample))
        mine = [row for row in stopped if row["benchmark"] == benchmark]
        spent = _mean([row["tokens"] for row in mine])
        shares = [float(row["correct"]) for row in mine]
        if mine:
            agreed = [row["agrees"] for row in mine]
            agreement = None if None in agreed else _mean(agreed)
            rows.append(_curve_row(own[0].arm, benchmark, ADAPTIVE_VOTE, most, shares, spent, agreement))
    return rows


def _selected_rows(polls: Sequence[Poll], benchmark: str, alike: int) -> list[dict[str, Any]]:
    """Points of generative selection: of the first k samples, with the tokens of the judge's replies."""
    rows = []
    for k in sorted({one.k for poll in polls for one in poll.picked if one.k <= alike}):
        picks = [next((one for one in poll.picked if one.k == k), Picked(k, None, None)) for poll in polls]
        spent = [
            sum(counts) if None not in (counts := [*poll.tokens[:k], pick.tokens]) else None  # type: ignore[arg-type]
            for poll, pick in zip(polls, picks, strict=True)
        ]
        shares = [float(pick.letter == poll.gold) for poll, pick in zip(polls, picks, strict=True)]
        rows.append(_curve_row(polls[0].arm, benchmark, SELECTED_VOTE, k, shares, _mean(spent)))
    return rows


def _letter(answer: str | None) -> str | None:
    """A vote's winner as a table has it: none where it is a diagnosis that no option names."""
    return answer if answer in set(LETTERS) else None


def _curve_row(
    arm: str,
    benchmark: str,
    method: str,
    k: int,
    shares: Sequence[float],
    tokens: float | None,
    agreement: float | None = None,
) -> dict[str, Any]:
    keys = {"arm": arm, "benchmark": benchmark, "method": method, "k": k}
    return {**keys, **_point(shares), "mean_tokens": tokens, "agreement": agreement}


def _point(shares: Sequence[float]) -> dict[str, Any]:
    """A point of a curve: expected accuracy with its interval, and over how many questions."""
    found = mean_interval(shares)
    return {
        "questions": len(shares),
        "accuracy": found.value,
        "accuracy_low": found.low,
        "accuracy_high": found.high,
    }


def adaptive_rows(polls: Sequence[Poll], rule: StoppingRule, most: int) -> list[dict[str, Any]]:
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
                "agrees": part.letter == whole.letter if complete else None,
                "tokens_of_all": None if mean is None else mean * most,
            }
        )
    return rows


def budget_rows(answers: Frame, budgets: Sequence[int]) -> list[dict[str, Any]]:
    """Rows of `tables.BUDGET_CURVE`: an arm's greedy accuracy at each thinking budget.

    At a budget that its thought did not reach the end of, a question counts with the answer that was asked for there.
    A thought that could not be continued was asked once, with the largest budget: it counts with its answer at the
    budgets within which it had ended, and as cut, with none, at the others. Where its tokens are not counted nobody
    knows, and there is no point at the smaller budgets.
    """
    rows = []
    thought = answers[answers["draw"] != "sampled"]
    for (arm, benchmark), group in thought.groupby(["arm", "benchmark"], sort=True):
        greedy, swept = group[group["draw"] == "greedy"], group[group["draw"] == "swept"]
        for budget in budgets:
            at_budget = _at_budget(greedy, swept[swept["budget"] == budget], budget)
            if at_budget is None:
                logger.info("%s: no point at a budget of %d: the server does not count tokens", arm, budget)
                continue
            rows.append(
                {
                    "arm": arm,
                    "benchmark": benchmark,
                    "budget": budget,
                    **_point(at_budget["correct"].astype(float).tolist()),
                    **_forced(at_budget, str(arm), budget),
                    "cut": float(at_budget["outcome"].isin(CUT).mean()),
                    "mean_tokens": _mean([known(value) for value in at_budget["completion_tokens"]]),
                }
            )
    return rows


def _at_budget(greedy: Frame, swept: Frame, budget: int) -> Frame | None:
    """The answer to each question within a budget; None where that is not known.

    Args:
        greedy: the answers of whole thoughts. swept: those asked for at this budget.
    """
    import pandas as pd

    rest = greedy[~greedy["question_id"].isin(swept["question_id"])]
    ended, once = rest[rest["budget"] <= budget], rest[rest["budget"] > budget]
    asked = once[~once["outcome"].isin(("error", "overlong_prompt", "filtered"))]
    if asked["completion_tokens"].isna().any():
        return None
    over = asked[asked["completion_tokens"] > budget]
    cut = over.assign(
        letter=None, correct=False, status="truncated", outcome="cut",
        completion_tokens=over["completion_tokens"].clip(upper=budget),
    )  # fmt: skip
    parts = [part for part in (swept, ended, once.drop(over.index), cut) if len(part)]
    return pd.concat(parts) if parts else greedy


def _forced(answers: Frame, arm: str, budget: int) -> dict[str, Any]:
    """The share of thoughts that the budget ended, and what their answers look like: how many cannot be read, and which
    letter is commonest. A cue that a model does not answer, or always answers alike, measures the cue."""
    forced = answers[answers["outcome"] == "forced"]
    letters = forced["letter"].value_counts()
    unread = float(forced["letter"].isna().mean()) if len(forced) else None
    commonest = float(letters.iloc[0] / len(forced)) if len(letters) else None
    if len(forced) >= ENOUGH_TO_TELL and ((unread or 0) > MUCH or (commonest or 0) > MUCH):
        logger.warning(
            "%s at %d tokens: of %d answers that were asked for, %.0f %% cannot be read and %.0f %% say %s; try "
            "another answer_cue or more answer_tokens (arms.%s.draws)",
            *(arm, budget, len(forced), 100 * (unread or 0), 100 * (commonest or 0)),
            *(letters.index[0] if len(letters) else "anything", arm),
        )
    return {
        "forced": len(forced) / len(answers),
        "unread": unread,
        "commonest": str(letters.index[0]) if len(letters) else None,
        "commonest_share": commonest,
    }


def _possible(polls: Sequence[Poll], methods: Sequence[VoteMethod]) -> list[VoteMethod]:
    """The methods whose numbers every voter has; and votes by score where samples have one."""
    possible = [method for method in methods if all(can_vote(poll.samples, method) for poll in polls)]
    if missing := [method for method in methods if method not in possible]:
        logger.info("the engine does not give what votes by %s weigh; they are left out", ", ".join(missing))
    scored = any(sample.score is not None for poll in polls for sample in poll.samples)
    if scored and SCORED_VOTE not in possible:
        if all(can_vote(poll.samples, SCORED_VOTE) for poll in polls):
            possible.append(SCORED_VOTE)
        else:
            logger.warning("%s: some samples have no score, so none votes by it", polls[0].arm)
    return possible


def _mean(values: Sequence[float | int | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None
