"""Nodes of synthesis."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams


def choose_training_questions(questions: Frame, params: SynthesisParams, seed: int) -> Frame:
    """The training questions that chains are written for: a sample by content and seed, not by place in a file."""
    train = questions[questions["split"] == "train"]
    order = train["question_id"].map(lambda question_id: seed_from("training questions", seed, question_id))
    return train.loc[order.sort_values(kind="stable").index].head(params.questions).reset_index(drop=True)


def write_chains(
    questions: Frame, teacher: Engine, prompts: dict[str, str], params: SynthesisParams, seed: int, format: str
) -> tuple[Frame, Frame]:
    """One chain per question and sample, written by the teacher.

    Args:
        questions: what to write chains for.
        teacher: who writes them.
        prompts: prompt files of the format; `request` is what is asked after the question.
        params: sampling.
        seed: the run's seed; each request gets its own from it.
        format: name of the format.

    Returns:
        The chains, and what could not be made into one, with the reason.
    """
    from medo1.questions import prompt_text, questions_from

    sampling = Sampling(temperature=params.temperature, max_new_tokens=params.max_new_tokens)
    requests = [
        Request(
            key=f"{question.question_id}/{sample}",
            messages=(Message("user", prompt_text(question, prompts["request"])),),
            sampling=sampling,
            sample=sample,
            seed=seed_from(seed, "teacher", format, question.question_id, sample),
        )
        for question in questions_from(questions)
        for sample in range(params.samples)
    ]
    return _chain_tables(teacher.complete(requests), format)


def _chain_tables(completions: Iterable[Completion], format: str) -> tuple[Frame, Frame]:
    from medo1 import tables

    chains, rejected = [], []
    for completion in completions:
        question_id, _, sample = completion.key.rpartition("/")
        keys = {"question_id": question_id, "format": format, "sample": int(sample)}
        if completion.finish_reason == "error" or not completion.text.strip():
            reason = completion.error or "the teacher's answer is empty"
            rejected.append({**keys, "reason": reason, "content": completion.text})
            continue
        chains.append(
            {
                **keys,
                "text": completion.text,
                "finish_reason": completion.finish_reason,
                "completion_tokens": completion.completion_tokens,
                "teacher": completion.model,
                "request_id": completion.request_id,
            }
        )
    return (
        tables.as_table(tables.CHAINS, _ordered(chains)),
        tables.as_table(tables.CHAINS_REJECTED, _ordered(rejected)),
    )


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By key, so that the order in which answers came back leaves no trace."""
    return sorted(rows, key=lambda row: (row["question_id"], row["sample"]))


def import_chains(folder: Path, questions: Frame, params: FormatParams, format: str) -> tuple[Frame, Frame]:
    """Chains from a file in place of a teacher, for the training questions that they belong to.

    A row's chain is its reasoning, then its answer, then the line `Final answer: X` where the row's own answer field
    states a letter that the text does not. A chain is never given a letter that its author did not state.
    """
    from medo1 import tables
    from medo1.pipelines.synthesis.importing import imported_chains

    assert params.imported is not None
    wanted = set(questions["question_id"])
    chains, rejected = imported_chains(folder / params.imported.file, params.imported, wanted, format)
    return tables.as_table(tables.CHAINS, _ordered(chains)), tables.as_table(tables.CHAINS_REJECTED, rejected)
