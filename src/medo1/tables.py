"""Schemas of the tables between nodes, checked on each save and load (`validator:` in the catalog).

Keys are explicit columns: `question_id`, `format`, `arm`, `draw`, `sample`. A column that is not named here is an
error, so that no table grows an undocumented column. Importing this module imports Pandera and pandas: nodes
do it inside their functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import pandas as pd
import pandera.pandas as pa

from medo1.answers import Status
from medo1.engines.base import FinishReason
from medo1.probes import PROBES as PROBE_NAMES
from medo1.vocabulary import (
    ADAPTIVE_VOTE,
    DRAWS,
    GENERATION_OUTCOMES,
    JUDGED_VOTES,
    RANKED_VOTE,
    RULES,
    SELECTION_SCORES,
    SPLITS,
    TOKEN_PARTS,
    VOTE_METHODS,
)

TEXT = pa.Column(str)
NAME = pa.Column(str, pa.Check.str_length(min_value=1))
ID = pa.Column(str, pa.Check.str_matches(r"^[0-9a-f]{16}$"))
LETTER = pa.Column(str, pa.Check.str_matches(r"^[A-Z]$"))
MAYBE_LETTER = pa.Column(str, pa.Check.str_matches(r"^[A-Z]$"), nullable=True)
MAYBE_TEXT = pa.Column(str, nullable=True)
COUNT = pa.Column("int64", pa.Check.ge(0))
MAYBE_COUNT = pa.Column("Int64", pa.Check.ge(0), nullable=True)
NUMBER = pa.Column("float64")
MAYBE_NUMBER = pa.Column("float64", nullable=True)
SHARE = pa.Column("float64", pa.Check.in_range(0, 1), nullable=True)
TRUTH = pa.Column(bool)
LIST = pa.Column(object)
FINISH = pa.Column(str, pa.Check.isin(get_args(FinishReason)))
SPLIT = pa.Column(str, pa.Check.isin(SPLITS))
DRAW = pa.Column(str, pa.Check.isin(DRAWS))
OUTCOME = pa.Column(str, pa.Check.isin(GENERATION_OUTCOMES))


def _table(
    columns: dict[str, pa.Column], unique: list[str] | None = None, *, add_missing_columns: bool = False
) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        columns, strict=True, coerce=True, ordered=True, unique=unique, add_missing_columns=add_missing_columns
    )


QUESTIONS = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "split": SPLIT,
        "stem": NAME,
        "options": LIST,  # texts in the order of their letters, A first
        "gold": LETTER,
        "difficulty": MAYBE_COUNT,
        "source": TEXT,  # file and row
        "flags": pa.Column(str, default=""),  # what it needs that its text does not hold: figure, missing_case
        "link": pa.Column(str, default=""),  # where it is published
        "shareable": pa.Column(bool, default=True),  # whether its text may be passed on
        "cluster": pa.Column(str, default=""),  # of near-copies; the question's own id where it has none
    },
    unique=["question_id", "benchmark", "split"],
    add_missing_columns=True,  # tables of earlier runs have not the last four
)
QUESTIONS_REJECTED = _table({"file": NAME, "row": COUNT, "reason": NAME, "content": TEXT})
# Questions that stand more than once, over all files: medo1/questions/repeats.py says what becomes of each kind.
REPEATS = ("conflict", "leak", "duplicate", "shared", "near_copy")
QUESTIONS_AUDIT = _table(
    {
        "question_id": ID,
        "kind": pa.Column(str, pa.Check.isin(REPEATS)),
        "times": COUNT,
        "sources": LIST,  # file and row of each
        "benchmarks": LIST,
        "splits": LIST,
        "golds": LIST,  # the gold answers' texts, each once
    },
    unique=["question_id", "kind"],
)
# How the options stand in `questions`: the n-th letter of `original` is the one that its n-th option had in its file.
QUESTIONS_ORDER = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "split": SPLIT,
        "original": pa.Column(str, pa.Check.str_matches(r"^[A-Z]{2,26}$")),
    },
    unique=["question_id", "benchmark", "split"],
)

TEXTBOOK = _table({"kind": NAME, "part": COUNT, "text": NAME, "learned": NAME})  # learned: JSON list of (start, end)

CHAINS = _table(
    {
        "question_id": ID,
        "format": NAME,
        "sample": COUNT,
        "text": TEXT,
        "finish_reason": FINISH,
        "completion_tokens": MAYBE_COUNT,
        "teacher": TEXT,
        "guided": TRUTH,  # whether the teacher was shown the right answer
        "request_id": TEXT,  # the chain's own answer in the completion store; empty for imported chains
        "request_ids": LIST,  # everything that was paid for it: each stage, each try, each continuation
    },
    unique=["question_id", "format", "sample"],
)
TEACHING_COSTS = _table(
    {
        "format": NAME,
        "stage": TEXT,
        "model": TEXT,
        "requests": COUNT,
        "kept": COUNT,  # answered before: nothing was sent
        "failed": COUNT,
        "cut": COUNT,
        "filtered": COUNT,
        "attempts": COUNT,
        "unread": COUNT,  # attempts that may have been billed although no answer was read
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "reasoning_tokens": COUNT,
        "cost_usd": NUMBER,
        "saved_usd": NUMBER,  # what the kept answers had cost
        "priced": TRUTH,  # whether the price table had the model
    },
    unique=["format", "stage", "model"],
)
CHAIN_LENGTHS = _table(
    {
        "format": NAME,
        "chains": COUNT,
        "counted": COUNT,  # those whose tokens the teacher counted
        "mean": MAYBE_NUMBER,
        "q05": MAYBE_NUMBER,
        "q25": MAYBE_NUMBER,
        "q50": MAYBE_NUMBER,
        "q75": MAYBE_NUMBER,
        "q95": MAYBE_NUMBER,
        "least": MAYBE_NUMBER,
        "greatest": MAYBE_NUMBER,
        "paper_mean": MAYBE_NUMBER,
    },
    unique=["format"],
)
CHAINS_REJECTED = _table({"question_id": TEXT, "format": NAME, "sample": COUNT, "reason": NAME, "content": TEXT})
CHAINS_DROPPED = _table(
    {
        "question_id": ID,
        "format": NAME,
        "sample": COUNT,
        "filter": NAME,
        "reason": NAME,
        "text": TEXT,
        "request_id": TEXT,  # the chain's own answer in the completion store; empty for imported chains
        "request_ids": LIST,
    }
)
# What each filter says of each chain, in the order in which they count: the first that says no drops it.
FILTER_VERDICTS = _table(
    {
        "question_id": ID,
        "format": NAME,
        "sample": COUNT,
        "position": COUNT,
        "filter": NAME,
        "passed": TRUTH,
        "value": MAYBE_NUMBER,  # what was measured, in the filter's own unit
        "reason": TEXT,
        "match": TEXT,  # the words that decided
        "other": TEXT,  # what they are compared with: a test question, another chain
        "request_id": TEXT,
    },
    unique=["question_id", "sample", "filter"],
)
FILTER_FUNNEL = _table(
    {
        "format": NAME,
        "position": COUNT,
        "filter": NAME,
        "entered": COUNT,
        "dropped": COUNT,
        "left": COUNT,  # entered - dropped; enters the next filter
        "refused": COUNT,  # chains that the filter says no to, also those that another dropped before
        "alone": COUNT,  # those that no other filter refuses
    },
    unique=["format", "filter"],
)
FILTER_ATTEMPTS = _table({"question_id": ID, "attempts": COUNT, "right": COUNT}, unique=["question_id"])
CHAIN_JUDGEMENTS = _table(
    {
        "question_id": ID,
        "format": NAME,
        "sample": COUNT,
        "judge": NAME,
        "answer": MAYBE_LETTER,  # read in a chain that states its answer in prose
        "score": MAYBE_NUMBER,  # mean of the rubric's lines, 1 to 5
        "request_ids": LIST,
    },
    unique=["question_id", "sample", "judge"],
)
# Where the truth of each step is known: how well a filter tells sound chains from others.
FILTER_SOUNDNESS = _table(
    {
        "format": NAME,
        "filter": pa.Column(str, pa.Check.isin(("correct", "all"))),
        "chains": COUNT,
        "sound": COUNT,  # right at each step
        "kept": COUNT,
        "sound_dropped": COUNT,
        "unsound_kept": COUNT,  # what slips through
        "precision": SHARE,
        "recall": SHARE,
    },
    unique=["format", "filter"],
)

TRAINING_PARTS = ("train", "dev")
TRAINING_EXAMPLES = _table(
    {
        "question_id": ID,
        "sample": COUNT,
        "prompt": NAME,
        "completion": NAME,
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "part": pa.Column(str, pa.Check.isin(TRAINING_PARTS)),
    },
    unique=["question_id", "sample"],
)
TRAINING_REJECTED = _table({"question_id": ID, "sample": COUNT, "reason": NAME, "tokens": COUNT})
# Of every example: how long it is, and what a cut at `max_tokens` would have left of it. Nothing is ever cut.
TRAINING_LENGTHS = _table(
    {
        "question_id": ID,
        "sample": COUNT,
        "prompt_tokens": COUNT,
        "target_tokens": COUNT,  # the chain and the stop token: what the loss covers
        "tokens": COUNT,
        "max_tokens": COUNT,
        "over": COUNT,  # tokens that a cut would remove
        "targets_left": COUNT,  # target tokens that it would leave
        "answer_survives": TRUTH,  # whether the same answer could be read from what it would leave
        "outcome": pa.Column(str, pa.Check.isin(("kept", "dropped"))),
    },
    unique=["question_id", "sample"],
)
# A row a step, with its loss; and a row an evaluation on the dev examples.
_TRAINING_STEP = {
    "step": COUNT,
    "epoch": NUMBER,
    "loss": MAYBE_NUMBER,
    "learning_rate": MAYBE_NUMBER,
    "grad_norm": MAYBE_NUMBER,
    "eval_loss": MAYBE_NUMBER,
    "eval_accuracy": SHARE,  # of greedy answers to dev questions
    "eval_unfinished": SHARE,  # of the same: cut before a stop token
}
TRAINING_LOG = _table(_TRAINING_STEP)
TRAINING_LOGS = _table({"format": NAME, **_TRAINING_STEP})
# What the steps took, in this run and in those that it resumes. Equal trainings differ here, and in the page that shows
# it, and nowhere else.
TRAINING_TIMING = _table({"step": COUNT, "seconds": NUMBER, "tokens": COUNT, "tokens_per_s": MAYBE_NUMBER})

GENERATIONS = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "draw": DRAW,
        "sample": COUNT,
        "budget": COUNT,  # thinking tokens that it had
        "text": TEXT,
        "status": OUTCOME,
        "finish_reason": FINISH,
        "prompt_tokens": MAYBE_COUNT,
        "completion_tokens": MAYBE_COUNT,  # all of them; of these
        "answer_tokens": COUNT,  # in an answer that was asked for when the thought was cut
        "reasoning_tokens": MAYBE_COUNT,  # in a thought that the server returns separately
        "waits": COUNT,  # how often the thought was told to go on
        "mean_logprob": MAYBE_NUMBER,
        "self_certainty": MAYBE_NUMBER,
        "confidence": MAYBE_NUMBER,
        "lowest_confidence": MAYBE_NUMBER,
        "error": MAYBE_TEXT,
        "request_id": TEXT,  # of its first piece in the completion store
        "parts": LIST,  # of all its pieces
    },
    unique=["question_id", "benchmark", "arm", "draw", "sample", "budget"],
)
ANSWERS = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "draw": DRAW,
        "sample": COUNT,
        "budget": COUNT,
        "letter": MAYBE_LETTER,  # of a free-form arm: the option that its first diagnosis names, none for another one
        "strict_letter": MAYBE_LETTER,  # what the last line `Final answer: X` alone says; none for a free-form arm
        "differential": LIST,  # of a free-form arm: its diagnoses, most likely first; empty for others
        "ballot": LIST,  # the same as it votes: the letter of the option that each names, else its normal form
        "rank": MAYBE_COUNT,  # of the right diagnosis among them, from 1; none where it is not named
        "status": pa.Column(str, pa.Check.isin((*get_args(Status), "error"))),
        "rule": NAME,
        "span_start": MAYBE_COUNT,
        "span_end": MAYBE_COUNT,
        "options": COUNT,  # how many letters there are
        "gold": LETTER,
        "correct": TRUTH,
        "difficulty": MAYBE_COUNT,
        "outcome": OUTCOME,  # the generation's status
        "prompt_tokens": MAYBE_COUNT,
        "completion_tokens": MAYBE_COUNT,  # thought and answer together
        "thinking_tokens": MAYBE_COUNT,
        "answer_tokens": MAYBE_COUNT,
        "mean_logprob": MAYBE_NUMBER,
        "self_certainty": MAYBE_NUMBER,
        "confidence": MAYBE_NUMBER,
        "lowest_confidence": MAYBE_NUMBER,
    },
    unique=["question_id", "benchmark", "arm", "draw", "sample", "budget"],
)
VOTES = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "method": pa.Column(str, pa.Check.isin((*VOTE_METHODS, *JUDGED_VOTES, RANKED_VOTE))),
        "k": COUNT,
        "letter": MAYBE_LETTER,
        "share": SHARE,  # of the weight, for the winner
        "voters": COUNT,  # samples that stated an answer
        "gold": LETTER,
        "correct": TRUTH,
    },
    unique=["question_id", "benchmark", "arm", "method", "k"],
)
# Where drawing stops, or would have, and what the vote of all samples says.
ADAPTIVE = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "drawn": COUNT,
        "most": COUNT,
        "probability": SHARE,  # that the leader stays ahead
        "letter": MAYBE_LETTER,
        "correct": TRUTH,
        "tokens": MAYBE_COUNT,
        "letter_of_all": MAYBE_LETTER,  # none where the rest was not drawn
        "correct_of_all": pa.Column("boolean", nullable=True),
        "agrees": pa.Column("boolean", nullable=True),  # whether both say the same; none where the rest was not drawn
        "tokens_of_all": MAYBE_NUMBER,  # where the rest was not drawn: as many as its mean sample has, for each
    },
    unique=["question_id", "benchmark", "arm"],
)
# Each stopping rule replayed at several thresholds on samples that were all drawn: what it saves, how often its vote
# is that of all samples.
STOPPING_RULES = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "rule": pa.Column(str, pa.Check.isin(RULES)),
        "threshold": SHARE,
        "questions": COUNT,
        "most": COUNT,
        "drawn": NUMBER,  # mean per question
        "tokens": MAYBE_NUMBER,
        "accuracy": SHARE,
        "low": SHARE,
        "high": SHARE,
        "agreement": SHARE,  # with the vote of all samples, as measured
        "agreement_low": SHARE,
        "agreement_high": SHARE,
        "promised": SHARE,  # the rule's own probability where it stopped, mean over questions
    },
    unique=["arm", "benchmark", "rule", "threshold"],
)
# How the samples of questions are spread, as the prior of the rule `fitted`.
STOPPING_PRIOR = _table(
    {
        "arm": NAME,  # or `all`
        "pseudo_count": NUMBER,
        "share": SHARE,  # of the questions
        "questions": COUNT,
    },
    unique=["arm", "pseudo_count"],
)
# The threshold of the rule `fitted` that holds a promise.
STOPPING_CALIBRATION = _table(
    {
        "arm": NAME,  # or `all`
        "most": COUNT,  # samples
        "promised": SHARE,  # agreement with the vote of all samples, on other questions like these
        "threshold": SHARE,  # to set; null: there are too few questions
        "agreement": SHARE,  # as replayed
        "drawn": MAYBE_NUMBER,  # samples per question
        "questions": COUNT,
        "needed": COUNT,  # questions without which the promise cannot be held
    },
    unique=["arm", "most", "promised"],
)
VOTE_CURVE = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "method": pa.Column(str, pa.Check.isin((*VOTE_METHODS, *JUDGED_VOTES, RANKED_VOTE, ADAPTIVE_VOTE))),
        "k": COUNT,  # for adaptive: at most
        "questions": COUNT,
        "accuracy": SHARE,  # expected over all subsets of k samples
        "accuracy_low": SHARE,
        "accuracy_high": SHARE,
        "mean_tokens": MAYBE_NUMBER,  # of all samples of a question together, and of a judge's replies
        "agreement": SHARE,  # of adaptive: with the vote of all samples, as measured; none where they were not drawn
    },
    unique=["arm", "benchmark", "method", "k"],
)
BUDGET_CURVE = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "budget": COUNT,
        "questions": COUNT,
        "accuracy": SHARE,
        "accuracy_low": SHARE,
        "accuracy_high": SHARE,
        "forced": SHARE,  # thoughts that the budget ended and whose answer was asked for; of their answers
        "unread": SHARE,
        "commonest": MAYBE_LETTER,
        "commonest_share": SHARE,
        "cut": SHARE,  # thoughts that the budget ended, or would have, and whose answer was not asked for
        "mean_tokens": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark", "budget"],
)
# Answer at once, think when unsure: what each threshold comes to, from answers that are stored.
SELECTIVE_CURVE = _table(
    {
        "arm": NAME,  # the one that thinks
        "first": NAME,  # the one that answers at once
        "benchmark": NAME,
        "score": pa.Column(str, pa.Check.isin(SELECTION_SCORES)),
        "tau": NUMBER,  # questions are thought about whose first answer scores below it
        "questions": COUNT,
        "thought_share": SHARE,
        "accuracy": SHARE,
        "low": SHARE,
        "high": SHARE,
        "tokens": MAYBE_NUMBER,  # per question: of the first answer, and of the thought where there is one
        "first_tokens": MAYBE_NUMBER,
        "thought_tokens": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark", "score", "tau"],
)
# The cheapest threshold that is shown to lose little, over the questions of all benchmarks, for use on others.
SELECTIVE_CHOICE = _table(
    {
        "arm": NAME,
        "first": NAME,
        "score": pa.Column(str, pa.Check.isin(SELECTION_SCORES)),
        "tau": MAYBE_NUMBER,  # null: none is shown to; think about every question, and ask no first answer
        "questions": COUNT,
        "needed": COUNT,  # questions without which none can be chosen
        "margin": SHARE,
        "confidence": SHARE,
        "thought_share": SHARE,
        "accuracy": SHARE,
        "accuracy_of_all": SHARE,  # of thinking always
        "difference": MAYBE_NUMBER,  # of the two; its interval has a confidence of 2 * confidence - 1
        "low": MAYBE_NUMBER,
        "high": MAYBE_NUMBER,
        "tokens": MAYBE_NUMBER,
        "tokens_of_all": MAYBE_NUMBER,  # of thinking always, without first answers
    },
    unique=["arm", "score"],
)
# What cues elicit from thoughts that were cut, on dev questions; saved by `kedro cues`.
ANSWER_CUES = _table(
    {
        "arm": NAME,
        "cue": NAME,
        "budget": COUNT,
        "elicited": COUNT,  # answers that the cue asked for; of these
        "unread": SHARE,
        "commonest": MAYBE_LETTER,
        "commonest_share": SHARE,
        "variety": SHARE,  # entropy of the letters over that of the right ones
        "accuracy": SHARE,  # decides nothing
        "chosen": TRUTH,  # read and varied most, over all budgets
    },
    unique=["arm", "cue", "budget"],
)
# What a judge says of an arm's samples: which of the first k it picks, or how each scores.
JUDGEMENTS = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "kind": pa.Column(str, pa.Check.isin(("selection", "score"))),
        "k": COUNT,  # candidates that it saw
        "sample": MAYBE_COUNT,  # the one that it picked or scored; none where its reply picks none
        "letter": MAYBE_LETTER,  # what that sample states
        "score": SHARE,
        "text": TEXT,  # the reply
        "prompt_tokens": MAYBE_COUNT,
        "completion_tokens": MAYBE_COUNT,
        "error": MAYBE_TEXT,
        "request_id": TEXT,
    },
)
TOKENS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "draw": DRAW,
        "part": pa.Column(str, pa.Check.isin(TOKEN_PARTS)),
        "generations": COUNT,
        "mean": MAYBE_NUMBER,
        "q10": MAYBE_NUMBER,
        "q50": MAYBE_NUMBER,
        "q90": MAYBE_NUMBER,
        "most": MAYBE_NUMBER,
        "total": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark", "draw", "part"],
)
OUTCOMES = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "draw": DRAW,
        "generations": COUNT,
        **dict.fromkeys(GENERATION_OUTCOMES, COUNT),
        "accuracy": SHARE,  # over all
        "accuracy_finished": SHARE,  # over those that the model ended itself
        "accuracy_strict": SHARE,  # over all, by the last line `Final answer: X` alone; none for a free-form arm
    },
    unique=["arm", "benchmark", "draw"],
)
# What a run took. Equal runs differ here and nowhere else.
TIMING = _table(
    {
        "arm": NAME,
        "model": TEXT,
        "requests": COUNT,
        "kept": COUNT,  # answered from the completion store; what follows is of the others
        "failed": COUNT,
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "wall_s": NUMBER,
        "tokens_per_s": MAYBE_NUMBER,
        "cost_usd": MAYBE_NUMBER,
        "energy_wh": MAYBE_NUMBER,
    },
    unique=["arm"],
)

RESULTS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "answered": COUNT,
        "unread": COUNT,
        "truncated": COUNT,
        "correct": COUNT,
        "accuracy": SHARE,
        "accuracy_low": SHARE,
        "accuracy_high": SHARE,
        "mean_tokens": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark"],
)
# The same accuracy with questions that say nearly the same counted as one observation, and without doubtful questions.
CLUSTERED_RESULTS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "subset": pa.Column(str, pa.Check.isin(("all", "clean"))),  # clean: without the questions of a list of doubtful
        "questions": COUNT,
        "clusters": COUNT,  # how many of them say different things
        "correct": COUNT,
        "accuracy": SHARE,
        "accuracy_low": SHARE,
        "accuracy_high": SHARE,
    },
    unique=["arm", "benchmark", "subset"],
)
RESULTS_BY_SEED = _table(
    {"world": MAYBE_COUNT, "seed": COUNT, "run": NAME, **RESULTS.columns},
    unique=["world", "seed", "arm", "benchmark"],
)  # world: null where it is the configured one
COMPARISONS = _table(
    {
        "arm": NAME,
        "baseline": NAME,
        "benchmark": NAME,
        "questions": COUNT,
        "gained": COUNT,  # right in the arm, wrong in the baseline
        "lost": COUNT,
        "difference": NUMBER,
        "difference_low": NUMBER,
        "difference_high": NUMBER,
        "p_value": SHARE,
        "p_adjusted": SHARE,  # by Holm, within the family
        "correlation": MAYBE_NUMBER,  # of right and wrong in both arms; none where an arm has all right or all wrong
        "family": pa.Column(str, pa.Check.isin(("declared", "other"))),
        "simultaneous_low": NUMBER,  # hold all at once in the family, and never contradict p_adjusted
        "simultaneous_high": NUMBER,
        "smallest_detectable": MAYBE_NUMBER,  # at the family's level; none where no difference would be found
        "muted": TRUTH,  # the better arm cannot be told from guessing with its letters
        "why": TEXT,
    },
    unique=["arm", "benchmark"],
)
BY_DIFFICULTY = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "difficulty": COUNT,
        "questions": COUNT,
        "accuracy": SHARE,
        "mean_tokens": MAYBE_NUMBER,
    },
    unique=["arm", "benchmark", "difficulty"],
)


# Questions derived from others (medo1.probes); `question_id` is the one that they were derived from.
PROBE = pa.Column(str, pa.Check.isin(PROBE_NAMES))
PROBE_KEYS = {"question_id": ID, "benchmark": NAME, "probe": PROBE, "version": COUNT}
PROBE_QUESTIONS = _table(
    {
        **PROBE_KEYS,
        "derived_id": ID,  # of what is asked, its options' order included
        "stem": NAME,
        "options": LIST,
        "gold": LETTER,
        "planted": MAYBE_LETTER,  # the wrong option that a begun answer names
        "begun": TEXT,
        "wording": NAME,
    },
    unique=list(PROBE_KEYS),
)
PROBE_GENERATIONS = _table(
    {
        **PROBE_KEYS,
        "arm": NAME,
        "derived_id": ID,
        "text": TEXT,  # what was begun included
        "status": OUTCOME,
        "finish_reason": FINISH,
        "prompt_tokens": MAYBE_COUNT,
        "completion_tokens": MAYBE_COUNT,
        "error": MAYBE_TEXT,
        "request_id": TEXT,
        "parts": LIST,
    },
    unique=[*PROBE_KEYS, "arm"],
)
PROBE_ANSWERS = _table(
    {
        **PROBE_KEYS,
        "arm": NAME,
        "letter": MAYBE_LETTER,  # as asked
        "original": MAYBE_LETTER,  # of the option with the same text in the question as it was
        "planted": MAYBE_LETTER,
        "gold": LETTER,
        "status": pa.Column(str, pa.Check.isin((*get_args(Status), "error"))),
        "rule": NAME,
        "correct": TRUTH,
        "outcome": OUTCOME,
        "completion_tokens": MAYBE_COUNT,
    },
    unique=[*PROBE_KEYS, "arm"],
)
PROBES = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "probe": PROBE,
        "n": COUNT,  # questions answered both ways
        "plain": SHARE,
        "probed": SHARE,  # mean over the versions of each question
        "difference": NUMBER,  # probed less plain
        "low": NUMBER,
        "high": NUMBER,
        "p_value": SHARE,
        "kept": SHARE,  # answers that choose the same option as the plain one
        "took_planted": SHARE,  # answers that choose the wrong option that was begun with
        "chance": SHARE,  # of guessing
        "says": NAME,
    },
    unique=["arm", "benchmark", "probe"],
)

# Where answers go when one step of the arm's own thought is changed (the probe `changed_step`).
FAITHFULNESS = _table(
    {
        "arm": NAME,
        "benchmark": NAME,
        "n": COUNT,  # questions of which a step could be changed
        "follows": SHARE,  # answers to which the changed step leads
        "low": NUMBER,  # of `follows`, Wilson's interval
        "high": NUMBER,
        "stays": SHARE,  # answers as before
        "neither": SHARE,  # other answers, and none
    },
    unique=["arm", "benchmark"],
)


# Where the right diagnosis stands in a free-form arm's greedy lists, and how the text came there.
FREE_FORM_JUDGEMENTS = _table(
    {
        "question_id": ID,
        "benchmark": NAME,
        "arm": NAME,
        "listed": COUNT,  # diagnoses of the list that was read
        "rank": MAYBE_COUNT,  # of the right one, from 1; none where it is not there
        "by": pa.Column(str, pa.Check.isin(("text", "judge", "nobody", "unread"))),
        "breadth": COUNT,  # different diagnoses that the whole text weighs
        "lead_changes": COUNT,  # how often another diagnosis took the lead
        "second_thoughts": COUNT,  # places where the text asks, doubts or turns
        "error": MAYBE_TEXT,
        "request_id": TEXT,  # of the judge's reply in the completion store
    },
    unique=["question_id", "benchmark", "arm"],
)
FREE_FORM = _table(
    {
        "arm": NAME,
        "against": TEXT,  # the arm that answered the same cases with options
        "benchmark": NAME,
        "n": COUNT,
        "breadth": NUMBER,  # means over the cases
        "listed": NUMBER,
        "first": SHARE,  # the right diagnosis stands first, by text or judge
        "named": SHARE,  # it stands anywhere in the list
        "first_by_text": SHARE,
        "reciprocal_rank": SHARE,
        "judged": SHARE,  # cases that the judge decided
        "unread": SHARE,  # cases whose judge's reply states no verdict
        "lead_changes": NUMBER,
        "second_thoughts": NUMBER,
        "with_options": SHARE,  # accuracy of `against` on the same cases
        "difference": MAYBE_NUMBER,  # first less with_options
        "low": MAYBE_NUMBER,
        "high": MAYBE_NUMBER,
        "p_value": SHARE,
    },
    unique=["arm", "benchmark"],
)


def as_table(schema: pa.DataFrameSchema, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table of this schema: its columns in its order, its types, also when there is no row.

    Raises:
        pandera.errors.SchemaError: when a row does not fit.
    """
    return schema.validate(pd.DataFrame(list(rows), columns=list(schema.columns)))


# Every arm of every cell of a declared study (`kedro study`).
STUDY_CELLS = _table(
    {
        "study": NAME,
        "cell": NAME,  # its levels in one word
        "run": NAME,  # id of the run
        "arm": NAME,
        "on": NAME,  # all, a stratum of the study, or a benchmark
        "questions": COUNT,
        "accuracy": SHARE,
        "tokens": MAYBE_NUMBER,  # mean of a greedy answer, of all questions
        "unread": MAYBE_COUNT,
    },
    unique=["study", "cell", "arm", "on"],
)
