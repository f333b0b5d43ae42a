"""The small student of `conf/recorded`: what it reads, and its place in the cache. Called by `nodes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.chains.importing import ChainColumns, imported_chains
from medo1.clinic.small_student import SmallStudentSpec, train_small_student
from medo1.clinic.tokenizer import chat_text
from medo1.errors import UserError
from medo1.lineage.digests import digest_of_value
from medo1.questions import Question, prompt_text

if TYPE_CHECKING:
    from medo1.datasets.caches import DirectoryCache


def exchanges(
    folder: Path, questions: Sequence[Question], prompts: Mapping[str, str], formats: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The imported chains of the training questions, each after its question as the chat template renders both.

    Args:
        folder: where the files lie.
        questions: the training questions.
        prompts: what is asked after a question, by format.
        formats: the formats' parameters.

    Raises:
        UserError: no chain is left to read.
    """
    by_id = {question.question_id: question for question in questions}
    texts: list[str] = []
    for name, spec in formats.items():
        source = spec["imported"]
        fields = ChainColumns(source.get("form"), source.get("reasoning"), source["answer"], source.get("mapping"))
        chains, _ = imported_chains(folder / source["file"], fields, set(by_id), name)
        texts.extend(
            chat_text(prompt_text(by_id[chain["question_id"]], prompts[name]), chain["text"])
            for chain in sorted(chains, key=lambda chain: chain["question_id"])
        )
    if not texts:
        raise UserError(
            "The small student has nothing to read: no imported chain belongs to a training question. Is the file of "
            "chains also among ingest.files, with split train?"
        )
    return texts


def small_student(
    texts: Sequence[str], cache: DirectoryCache, spec: SmallStudentSpec, seed: int
) -> tuple[Path, dict[str, Any]]:
    """The model's directory and the log of its training; trained only where the cache has none made from the same."""
    made_from = {"texts": digest_of_value(list(texts)), "spec": spec.model_dump(mode="json"), "seed": seed}

    def train(directory: Path) -> dict[str, Any]:
        trained = train_small_student(texts, spec, seed, directory)
        return {"losses": trained.losses, "parameters": trained.parameters, "text_tokens": trained.text_tokens}

    return cache.get_or_train(made_from, train)
