"""Nodes of filtering."""

from __future__ import annotations

from collections import Counter
from typing import Any

from medo1.frames import Frame, records
from medo1.pipelines.filtering.decontamination import contaminated
from medo1.pipelines.filtering.filters import FILTERS, Candidate, first_reason_to_drop
from medo1.pipelines.filtering.params import FilteringParams
from medo1.questions import Question, questions_from


def filter_chains(chains: Frame, questions: Frame, params: FilteringParams) -> tuple[Frame, Frame, dict[str, Any]]:
    """The chains worth learning from, the others with filter and reason, and the counts, which add up.

    Args:
        chains: all chains of one format.
        questions: all questions, of which the test questions guard against contamination.
        params: which chains are kept.
    """
    from medo1 import tables

    everything = questions_from(questions)
    tests = [question for question in everything if question.split == "test"]
    by_id = {question.question_id: question for question in everything}
    overlaps = _overlaps({question_id: by_id[question_id].stem for question_id in chains["question_id"]}, tests, params)
    kept, dropped = [], []
    for chain in records(chains):
        question_id = chain["question_id"]
        candidate = Candidate(by_id[question_id], chain["text"], chain["finish_reason"], overlaps.get(question_id))
        verdict = first_reason_to_drop(candidate, params)
        if verdict is None:
            kept.append(chain)
        else:
            row = {name: chain[name] for name in ("question_id", "format", "sample", "text")}
            dropped.append({**row, "filter": verdict[0], "reason": verdict[1]})
    counts = Counter(row["filter"] for row in dropped)
    summary = {"chains": len(chains), "kept": len(kept), "dropped": {name: counts[name] for name in FILTERS}}
    return tables.as_table(tables.CHAINS, kept), tables.as_table(tables.CHAINS_DROPPED, dropped), summary


def _overlaps(training: dict[str, str], tests: list[Question], params: FilteringParams) -> dict[str, str]:
    """What each training question shares with the test questions, for those that share something."""
    same = {question.question_id: "the whole question" for question in tests if question.question_id in training}
    if params.ngram_words is None:
        return same
    stems = [question.stem for question in tests]
    return contaminated(training, stems, params.ngram_words, params.ngram_boilerplate_questions) | same
