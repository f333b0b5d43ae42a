"""All filters over all chains: a verdict of each filter for each chain, in the order of the specs.

Two passes. `ChainFilters` takes chains one partition at a time: its verdict on a chain depends only on that chain, its
question and the test questions, so partitions may be on several machines. `settled` then chooses among
the remaining chains: duplicates and selection, which compare chains with each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medo1.chains.filters.asking import hard_enough
from medo1.chains.filters.candidate import Candidate, Verdict, dropped
from medo1.chains.filters.decontamination import TestQuestions
from medo1.chains.filters.duplicates import PERMUTATIONS, near_duplicates, signatures
from medo1.chains.filters.selection import selected
from medo1.chains.filters.specs import FilterSpecs
from medo1.chains.filters.texts import (
    Stated,
    answered,
    correct,
    finished,
    in_language,
    long_enough,
    no_leak,
    not_repeating,
    of_format,
    stated_answer,
)
from medo1.chains.formats import USUAL_CHECKS, Checks
from medo1.errors import UserError
from medo1.questions import Question
from medo1.questions.grams import UnitReader

USABLE = "usable"  # before all others, for every chain: its question is known and it holds a text
AMONG = ("duplicates", "selection")


@dataclass(frozen=True, slots=True)
class Beside:
    """What filters know beside chains and questions, where a model was asked.

    Attributes:
        failures: share of a solver's attempts that failed, by question.
        read: the letter that judges read in a chain's prose.
        quality: the judges' verdict on a chain's reasoning.
    """

    failures: Mapping[str, float] = field(default_factory=dict)
    read: Mapping[tuple[str, int], str] = field(default_factory=dict)
    quality: Mapping[tuple[str, int], Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one pass over a chain gives.

    Attributes:
        candidate: the chain.
        verdicts: by filter, those that look at one chain alone.
        signature: for near-duplicates, (128,) uint32; None where they are not asked for.
    """

    candidate: Candidate
    verdicts: dict[str, Verdict]
    signature: Any = None


class ChainFilters:
    """The filters that look at one chain at a time.

    Args:
        specs: which, and their parameters.
        questions: all questions; those of the split `test` are what nothing may be learnt from.
        writes: the format that the chains must have, a key of `medo1.chains.formats.FORMATS`.
        checks: how strict the format is.
        beside: what models were asked beforehand.

    Attributes:
        made_with: the arguments, to make the same filters elsewhere.

    Raises:
        UserError: decontamination is in the order and there is no test question.
    """

    def __init__(
        self,
        specs: FilterSpecs,
        questions: Sequence[Question],
        writes: str,
        checks: Checks = USUAL_CHECKS,
        beside: Beside | None = None,
    ) -> None:
        self.made_with = {
            "specs": specs, "questions": list(questions), "writes": writes, "checks": checks, "beside": beside,
        }  # fmt: skip
        self.specs, self._writes, self._checks, self._beside = specs, writes, checks, beside or Beside()
        # Where a question is in several splits, its training copy is the one that a chain was written for.
        ordered = sorted(questions, key=lambda question: question.split != "train", reverse=True)
        self._by_id = {question.question_id: question for question in ordered}
        tests = [question for question in questions if question.split == "test"]
        if "decontamination" in specs.order and not tests:
            raise UserError(
                "filtering: there is no test question to hold chains against, so decontamination would pass them all. "
                "See that ingest reads a benchmark with split test, or take decontamination out of filtering.order"
            )
        self._tests = TestQuestions(tests, specs.decontamination) if "decontamination" in specs.order else None
        self._reader = UnitReader()

    def candidates(self, chains: Sequence[Mapping[str, Any]], tokens: Sequence[int | None]) -> list[Candidate]:
        """Chains with their questions.

        Args:
            chains: rows of a chains table.
            tokens: the length of each, as `LengthSpec.tokens_of` counts.
        """
        return [
            Candidate(dict(chain), self._by_id.get(chain["question_id"]), self._writes, length)
            for chain, length in zip(chains, tokens, strict=True)
        ]

    def looked(self, candidates: Sequence[Candidate]) -> list[Looked]:
        """The verdicts on each, and its signature where duplicates are asked for."""
        usable = [_usable(one) for one in candidates]
        good = [one for one, verdict in zip(candidates, usable, strict=True) if verdict.passed]
        wants_units = self._tests is not None or self._wants_signatures
        units = self._reader.units([one.text for one in good] if wants_units else [])
        contaminated = iter(self._tests.verdicts(good, units) if self._tests is not None else [])
        rows = iter(signatures(units) if self._wants_signatures else [])
        found = []
        for one, first in zip(candidates, usable, strict=True):
            verdicts = {USABLE: first}
            if not first.passed:
                verdicts |= {name: dropped(f"not looked at: {first.reason}") for name in self._alone}
                found.append(Looked(one, verdicts))
                continue
            stated = stated_answer(one, self._beside.read.get(one.key)) if self._reads_answers else None
            tested = next(contaminated) if self._tests is not None else None
            verdicts |= {name: self._verdict(name, one, stated, tested) for name in self._alone}
            found.append(Looked(one, verdicts, next(rows) if self._wants_signatures else None))
        return found

    @property
    def _alone(self) -> list[str]:
        return [name for name in self.specs.order if name not in AMONG]

    @property
    def _wants_signatures(self) -> bool:
        return "duplicates" in self.specs.order

    @property
    def _reads_answers(self) -> bool:
        return not {"answer", "correct"}.isdisjoint(self.specs.order)

    def _verdict(self, name: str, one: Candidate, stated: Stated | None, tested: Verdict | None) -> Verdict:
        specs = self.specs
        checks = {
            "finished": lambda: finished(one),
            "format": lambda: of_format(one, self._checks),
            "answer": lambda: answered(one, stated),  # type: ignore[arg-type]
            "correct": lambda: correct(one, stated),  # type: ignore[arg-type]
            "leak": lambda: no_leak(one),
            "length": lambda: long_enough(one, specs.length),
            "repetition": lambda: not_repeating(one, specs.repetition),
            "language": lambda: in_language(one, specs.language),
            "decontamination": lambda: tested,
            "difficulty": lambda: hard_enough(one, self._beside.failures, specs.difficulty),
            "judge": lambda: self._beside.quality.get(one.key, Verdict(True, "no judge is configured")),
        }
        verdict = checks[name]()
        assert verdict is not None
        return verdict


def _usable(candidate: Candidate) -> Verdict:
    if candidate.question is None:
        return dropped(f"no question has the id {candidate.key[0]!r}")
    if not candidate.text.strip():
        return dropped("the chain holds no text")
    return Verdict(True)


def settled(
    looked: Sequence[Looked], specs: FilterSpecs, seed: int, failures: Mapping[str, float] | None = None
) -> list[dict[str, Verdict]]:
    """All verdicts on each chain, in the order in which they count, once chains are compared with each other.

    Args:
        looked: of every partition, in the order of the chains table: of duplicates the first that is left stays.
        specs: as for `ChainFilters`.
        seed: of the selection.
        failures: for the selection's `hard_first`.
    """
    import numpy as np

    verdicts = [dict(one.verdicts) for one in looked]
    candidates = [one.candidate for one in looked]
    for name in (name for name in specs.order if name in AMONG):
        alive = [all(verdict.passed for verdict in told.values()) for told in verdicts]
        if name == "selection":
            for told, verdict in zip(
                verdicts, selected(candidates, alive, specs.selection, seed, failures), strict=True
            ):
                told[name] = verdict
            continue
        places = [place for place, one in enumerate(looked) if one.signature is not None]
        rows = np.array([looked[place].signature for place in places], dtype=np.uint32).reshape(
            len(places), PERMUTATIONS
        )
        found = near_duplicates(rows, specs.duplicates.similarity, [alive[place] for place in places])
        for told in verdicts:
            told[name] = Verdict(True) if told[USABLE].passed else dropped(f"not looked at: {told[USABLE].reason}")
        for place, duplicate in zip(places, found, strict=True):
            if duplicate is None:
                continue
            other = candidates[places[duplicate.of]]
            reason = f"{duplicate.similarity:.0%} the same as the chain of {other.key[0]}, sample {other.key[1]}"
            text, others = candidates[place].text, other.text
            verdicts[place][name] = dropped(reason, duplicate.similarity, text[:240], others[:240])
    return verdicts
