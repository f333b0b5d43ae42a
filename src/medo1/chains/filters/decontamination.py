"""Whether a chain or its question gives away a test question: the questions' own ids first, then near-copies."""

from __future__ import annotations

from collections.abc import Sequence

from medo1.chains.filters.candidate import PASSED, Candidate, Verdict, dropped
from medo1.chains.filters.specs import DecontaminationSpec
from medo1.questions import Question
from medo1.questions.grams import UnitReader, Units
from medo1.questions.near_copies import NearCopy, NearCopyIndex


class TestQuestions:
    """The questions that nothing may be learnt from, ready to hold chains against.

    Args:
        questions: of the test splits.
        spec: bands, and what is compared.
    """

    __test__ = False  # pytest: not a test

    def __init__(self, questions: Sequence[Question], spec: DecontaminationSpec) -> None:
        self._spec = spec
        self._by_id = {question.question_id: question for question in questions}
        self._questions = list(questions)
        self._index = (
            NearCopyIndex([question.stem for question in questions], leak=spec.leak, sibling=spec.sibling)
            if spec.near_copies
            else None
        )
        self._reader = UnitReader()

    def verdicts(self, candidates: Sequence[Candidate], texts: Units) -> list[Verdict]:
        """One verdict for each candidate.

        Args:
            candidates: with their questions.
            texts: the units of their texts.
        """
        found: list[tuple[NearCopy, str] | None] = [None] * len(candidates)
        if self._index is not None:
            stems = [one.question.stem if one.question else "" for one in candidates]
            for what in self._spec.texts:
                units = self._reader.units(stems) if what == "question" else texts
                for copy in self._index.found_in(units, excerpts=what == "question"):
                    best = found[copy.text]
                    if best is None or copy.score > best[0].score:
                        found[copy.text] = copy, what
        return [self._verdict(candidate, pair) for candidate, pair in zip(candidates, found, strict=True)]

    def _verdict(self, candidate: Candidate, found: tuple[NearCopy, str] | None) -> Verdict:
        assert candidate.question is not None
        same = self._by_id.get(candidate.question.question_id)
        if same is not None:
            return dropped(f"is the {same.benchmark} question {same.question_id}", 1.0, same.stem, same.stem)
        if found is None:
            return PASSED
        copy, what = found
        assert self._index is not None
        question = self._questions[copy.question]
        text = candidate.question.stem if what == "question" else candidate.text
        passages = self._index.passages(text, copy.question)
        named = f"{question.benchmark} question {question.question_id}"
        if copy.of_text > copy.of_question:
            reason = f"{copy.band}: {named} covers {copy.score:.0%} of its question's rare word runs"
        else:
            reason = f"{copy.band}: its {what} covers {copy.score:.0%} of the rare word runs of {named}"
        passed = copy.band == "sibling" and not self._spec.drop_siblings
        return Verdict(passed, reason, copy.score, passages.text, passages.question)
