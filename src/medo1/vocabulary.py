"""The words that parameters, code and tables share, each declared once.

A leaf: it imports nothing of medo1. What an answer states (`medo1.answers.Status`) and how a completion ended
(`medo1.engines.FinishReason`) are declared where they are decided.
"""

from __future__ import annotations

from typing import Literal, get_args

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

# How a generation came about. `swept`: the greedy thought asked for its answer at a smaller budget, on its way.
Draw = Literal["greedy", "sampled", "swept"]
DRAWS: tuple[Draw, ...] = get_args(Draw)

# What became of a generation; `medo1.pipelines.inference.budget_forcing.Generation` says what each means.
Outcome = Literal["finished", "forced", "cut", "cut_by_context", "empty", "overlong_prompt", "filtered", "error"]
GENERATION_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

# How votes are weighted; `medo1.statistics.votes` says what each needs of a sample.
VoteMethod = Literal["majority", "logprob", "self_certainty", "confidence", "filtered", "scored"]
VOTE_METHODS: tuple[VoteMethod, ...] = (
    "majority",
    "logprob",
    "self_certainty",
    "confidence",
    "filtered",
)  # an engine's
SCORED_VOTE: VoteMethod = "scored"  # weighted by what a judge or any other scorer says of each sample
SELECTED_VOTE = "selected"  # the answer of the sample that a judge picks among k
JUDGED_VOTES = (SCORED_VOTE, SELECTED_VOTE)
RANKED_VOTE = "ranked"  # the vote of a free-form arm's lists
ADAPTIVE_VOTE = "adaptive"  # the majority of as many samples as the stopping rule draws

# When a question has votes enough; `medo1.statistics.stopping` says what each promises.
RuleName = Literal["dirichlet", "fitted", "beta", "distribution_free"]
RULES: tuple[RuleName, ...] = get_args(RuleName)

# How sure a first answer is, in selective thought; `medo1.pipelines.inference.selective_rows` says what each measures.
SelectionScore = Literal["agreement", "probability", "confidence"]
SELECTION_SCORES: tuple[SelectionScore, ...] = get_args(SelectionScore)

# The parts into which a generation's tokens are counted.
TokenPart = Literal["prompt", "thinking", "answer", "completion"]
TOKEN_PARTS: tuple[TokenPart, ...] = get_args(TokenPart)
