"""Nodes of clinic."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.clinic.wording import REQUESTS
from medo1.clinic.world import World, world_from
from medo1.frames import Frame, records
from medo1.lineage.digests import canonical_json, digest_of_value
from medo1.pipelines.clinic.params import ClinicParams

if TYPE_CHECKING:
    from medo1.clinic.textbook import Document
    from medo1.datasets.caches import DirectoryCache
else:
    DirectoryCache = Any


def make_world(params: ClinicParams) -> dict[str, Any]:
    """What is true in the embedded world, as JSON values."""
    return world_from(params.world).to_value()


def write_benchmark_files(world: dict[str, Any], params: ClinicParams) -> Path:
    """A folder with `<benchmark>_<split>.jsonl` for each, in the form in which MedQA is published."""
    from medo1.clinic.exam import questions

    asked = questions(_world(world), params.exam)
    folder = Path(tempfile.mkdtemp(prefix="medo1-clinic-"))
    for benchmark, split in dict.fromkeys((question.benchmark, question.split) for question in asked):
        lines = [
            canonical_json(
                {
                    "question": question.stem,
                    "options": question.options,
                    "answer": question.gold_text,
                    "answer_idx": question.gold,
                    "difficulty": question.difficulty,
                }
            )
            for question in asked
            if (question.benchmark, question.split) == (benchmark, split)
        ]
        (folder / f"{benchmark}_{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_textbook(world: dict[str, Any], params: ClinicParams, *prompts: str) -> Frame:
    """The documents that the base model reads: facts and fragments of answering, never a whole case reasoned out.

    Args:
        world: what is true.
        params: how many documents of which kind.
        prompts: the prompt file of each of `REQUESTS`, whose requests the base must have read.
    """
    from medo1 import tables
    from medo1.clinic.textbook import textbook

    documents = textbook(_world(world), params.textbook, dict(zip(REQUESTS, prompts, strict=True)))
    return tables.as_table(tables.TEXTBOOK, (_row(document) for document in documents))


def train_base_model(
    world: dict[str, Any],
    documents: Frame,
    cache: DirectoryCache,
    params: ClinicParams,
    seed: int,
    *prompts: str,
) -> tuple[Path, dict[str, Any]]:
    """The base model's directory, and the log of its training. Made once, then kept in the cache.

    Args:
        world: what is true.
        documents: the textbook.
        cache: where a base that was made from the same is found again.
        params: the model and its training.
        seed: of its first weights and of the order of documents.
        prompts: the prompt file of each of `REQUESTS`; their words become tokens.
    """
    from medo1.clinic.base import train_base
    from medo1.clinic.lexicon import lexicon
    from medo1.clinic.textbook import Document, probes
    from medo1.from_scratch.tokenizers import world_tokenizer

    requests = dict(zip(REQUESTS, prompts, strict=True))
    known = _world(world)
    book = [Document.from_value(_value(row)) for row in records(documents)]
    made_from = {
        "world": world,
        "textbook": digest_of_value([document.to_value() for document in book]),
        "requests": requests,
        "base": params.base.model_dump(mode="json"),
        "seed": seed,
    }

    def train(directory: Path) -> dict[str, Any]:
        tokenizer = world_tokenizer(lexicon(known, requests))
        return train_base(book, probes(known, params.textbook, book), tokenizer, params.base, seed, directory)

    return cache.get_or_train(made_from, train)


def _world(value: dict[str, Any]) -> World:
    return World.from_json(json.dumps(value))


def _row(document: Document) -> dict[str, Any]:
    return {**document.to_value(), "learned": json.dumps([list(span) for span in document.learned])}


def _value(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "learned": json.loads(row["learned"])}
