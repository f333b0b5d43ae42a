"""What claims and signatures are measured from, gathered once: comparisons, gains of votes, lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medo1.frames import Frame, records
from medo1.pipelines.reporting.answer_groups import ALL, QuestionTally, greedy_answers, groups, tallies
from medo1.pipelines.reporting.letters import baseline_rows
from medo1.pipelines.reporting.params import ReportingParams, Role
from medo1.pipelines.reporting.roles import arms_by_role
from medo1.statistics.intervals import Interval
from medo1.statistics.resampling import bootstrap_mean

Row = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """Everything that was measured, by arm and benchmark.

    Attributes:
        arms: the study's, as in the parameters. answers: of all.
        results, comparisons: `tables.RESULTS`, `tables.COMPARISONS`.
        model_sizes: `MODEL_SIZES`. questions: all, with their splits and clusters.
    """

    params: ReportingParams
    arms: Mapping[str, Mapping[str, Any]]
    answers: Frame
    results: Frame
    comparisons: Frame
    model_sizes: Frame
    questions: Frame

    @cached_property
    def roles(self) -> dict[Role, str]:
        return arms_by_role(self.arms, self.params)

    @cached_property
    def greedy(self) -> Frame:
        return greedy_answers(self.answers)

    @cached_property
    def overall(self) -> str:
        """The benchmark of rows over all: `all`, or the only one."""
        names = sorted(set(self.greedy["benchmark"]))
        return ALL if len(names) > 1 else names[0]

    def accuracy(self, arm: str) -> Row | None:
        """An arm's row of the results over all benchmarks."""
        return self._results.get((arm, self.overall))

    def comparison(self, arm: str, benchmark: str | None = None) -> Row | None:
        """An arm's row against the baseline; over all benchmarks where none is named."""
        return self._comparisons.get((arm, benchmark or self.overall))

    @cached_property
    def _results(self) -> dict[tuple[str, str], Row]:
        return {(row["arm"], row["benchmark"]): row for row in records(self.results)}

    @cached_property
    def _comparisons(self) -> dict[tuple[str, str], Row]:
        return {(row["arm"], row["benchmark"]): row for row in records(self.comparisons)}

    @cached_property
    def polls(self) -> dict[str, dict[str, list[QuestionTally]]]:
        """The samples of each question, by arm and benchmark."""
        found: dict[str, dict[str, list[QuestionTally]]] = {}
        for benchmark, arm, mine in tallies(self.answers):
            found.setdefault(arm, {})[benchmark] = mine
        return found

    @cached_property
    def clusters(self) -> dict[str, str]:
        """The cluster of near-copies that a question stands in, by its id."""
        return {
            str(row["question_id"]): str(row["cluster"] or row["question_id"])
            for row in records(self.questions[["question_id", "cluster"]])
        }

    def vote_gain(self, arm: str) -> tuple[Interval, int, int] | None:
        """What the majority of all samples has right beyond one sample: the gain, votes, questions; None where the
        arm was not sampled twice."""
        polls = [(benchmark, poll) for benchmark, mine in self.polls.get(arm, {}).items() for poll in mine]
        most = max((poll.samples for _, poll in polls), default=0)
        if most < 2:  # noqa: PLR2004
            return None
        gains = [poll.majority() - poll.right / poll.samples for _, poll in polls]
        clusters = [self.clusters.get(poll.question_id, poll.question_id) for _, poll in polls]
        return bootstrap_mean(gains, self.params.confidence, clusters=clusters), most, len(gains)

    @cached_property
    def guessing(self) -> dict[str, str]:
        """Arms that cannot be told from one who guesses with their letters, over all benchmarks, and why."""
        rows = baseline_rows(self.greedy)
        return {row["arm"]: row["why"] for row in rows if row["muted"] and row["benchmark"] == self.overall}

    def lengths(self, arm: str, benchmark: str | None = None) -> Frame:
        """The greedy answers of an arm whose tokens were counted; of one benchmark where it is named."""
        mine = self.greedy[self.greedy["arm"] == arm].dropna(subset=["completion_tokens"])
        return mine if benchmark is None or benchmark == ALL else mine[mine["benchmark"] == benchmark]

    @cached_property
    def benchmarks(self) -> list[str]:
        """Names, the easiest for the baseline first."""
        of_base = [(float(-row["accuracy"]), name) for (arm, name), row in self._results.items()
                   if arm == self.params.baseline and name != ALL]  # fmt: skip
        return [name for _, name in sorted(of_base)]

    @cached_property
    def trained_on(self) -> set[str]:
        """Benchmarks of which some questions are for training."""
        return set(self.questions.loc[self.questions["split"] == "train", "benchmark"])

    def of_each(self) -> list[tuple[str, str, Frame]]:
        """Benchmark, arm and greedy answers; over all benchmarks too."""
        return groups(self.greedy)
