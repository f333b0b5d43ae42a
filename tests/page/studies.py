"""Small studies with generations, for the explorer of cases."""

# ruff: noqa: E501, RUF001  (tables of cases)

from __future__ import annotations

from typing import Any

import pandas as pd

from medo1 import tables
from medo1.gathered import gather
from medo1.page.material import Material
from medo1.pipelines.reporting.nodes import compare_arms
from medo1.pipelines.reporting.params import ReportingParams

LETTERS = "ABCD"


def question_id(number: int) -> str:
    return f"{number:016x}"


def question(number: int, benchmark: str = "exam", **changed: Any) -> dict[str, Any]:
    return {
        "question_id": question_id(number), "benchmark": benchmark, "split": "test", "stem": f"Stem number {number}?",
        "options": ["one", "two", "three", "four"], "gold": LETTERS[number % 4], "difficulty": number % 5 + 1,
        "source": "exam.jsonl:1", "flags": "", "link": "", "shareable": True, "cluster": question_id(number), **changed,
    }  # fmt: skip


def generation(arm: str, asked: dict[str, Any], letter: str | None, text: str, draw: str = "greedy", sample: int = 0,
               tokens: int = 20) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """A generation and what was read in it; the answer stands where `text` says `Final answer`."""
    key = {"question_id": asked["question_id"], "benchmark": asked["benchmark"], "arm": arm, "draw": draw,
           "sample": sample, "budget": 64}  # fmt: skip
    start = text.find("Final answer")
    scores = dict.fromkeys(("mean_logprob", "self_certainty", "confidence", "lowest_confidence"))
    said = {**key, "text": text, "status": "finished", "finish_reason": "stop", "prompt_tokens": 9, "waits": 0,
            "completion_tokens": tokens, "answer_tokens": 0, "reasoning_tokens": None, **scores, "error": None,
            "request_id": "r", "parts": []}  # fmt: skip
    read = {**key, "letter": letter, "strict_letter": letter, "differential": [], "ballot": [], "rank": None,
            "status": "answer" if letter else "abstain", "rule": "final_line" if letter else "none",
            "span_start": start if letter and start >= 0 else None, "span_end": len(text) if letter and start >= 0 else None,
            "options": 4, "gold": asked["gold"], "correct": letter == asked["gold"], "difficulty": asked["difficulty"],
            "outcome": "finished", "prompt_tokens": 9, "completion_tokens": tokens, "thinking_tokens": tokens,
            "answer_tokens": 0, **scores}  # fmt: skip
    return said, read


def material(
    asked: list[dict[str, Any]], pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]], **changed: Any
) -> Material:
    """A study of these questions and generations with their answers, by arm; the first arm is the baseline."""
    given: dict[str, Any] = {}
    for arm, of_arm in pairs.items():
        given[f"{arm}.asked_questions"] = tables.as_table(tables.QUESTIONS, asked)
        given[f"{arm}.generations"] = tables.as_table(tables.GENERATIONS, [said for said, _ in of_arm])
        given[f"{arm}.answers"] = tables.as_table(tables.ANSWERS, [read for _, read in of_arm])
    arms = tuple(pairs)
    compared = compare_arms(ReportingParams(baseline=arms[0]), gather(*(given[f"{arm}.answers"] for arm in arms)))
    given |= dict(zip(("results", "comparisons", "by_difficulty"), compared, strict=True))
    given |= changed.pop("given", {})
    return Material(**{"given": given, "arms": arms, "title": "Cases", "baseline": arms[0], **changed})


def two_arms(questions: int = 100) -> Material:
    """`vanilla` says A to everything, `longstep_sft` is right but on each tenth question, where nothing can be read."""
    asked = [question(number) for number in range(questions)]
    plain = [generation("vanilla", one, "A", f"I say so. Final answer: A {one['stem'][:0]}") for one in asked]
    long = []
    for number, one in enumerate(asked):
        letter = None if number % 10 == 0 else one["gold"]
        text = f"Thought 𝛼 of {number}: {'rare-word' if number == 73 else 'plain'}. " + (
            f"Final answer: {letter}" if letter else "Who knows"
        )
        long.append(generation("longstep_sft", one, letter, text, tokens=100 + number))
        long += [
            generation("longstep_sft", one, one["gold"], f"Sample {n}. Final answer: {one['gold']}", "sampled", n)
            for n in range(2)
        ]
    votes = [{"question_id": one["question_id"], "benchmark": "exam", "arm": "longstep_sft", "method": "majority", "k": 2,
              "letter": one["gold"], "share": 1.0, "voters": 2, "gold": one["gold"], "correct": True} for one in asked]  # fmt: skip
    chains = pd.DataFrame([{"question_id": question_id(900), "format": "longstep", "text": "The chain that was learnt."},
                           {"question_id": question_id(901), "format": "longstep", "text": "Another chain."}])  # fmt: skip
    taught = pd.DataFrame([question(900, stem="Stem number 7, as it was taught?"), question(901, stem="Quite unlike.")])
    more = {
        "longstep_sft.votes": tables.as_table(tables.VOTES, votes),
        "kept_chains": chains,
        "training_questions": taught,
    }
    return material(asked, {"vanilla": plain, "longstep_sft": long}, given=more, formats=("longstep",),
                    learnt={"longstep_sft": "longstep"})  # fmt: skip
