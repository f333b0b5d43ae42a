"""Nodes of clinic."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.clinic.knowledge import World, world_from
from medo1.frames import Frame, records
from medo1.lineage.digests import canonical_json, digest_of_value
from medo1.pipelines.clinic.params import ClinicParams

if TYPE_CHECKING:
    from medo1.clinic.textbook import Document
    from medo1.datasets.caches import DirectoryCache
else:
    DirectoryCache = Any

SPLITS = ("train", "dev", "test")


def make_world(params: ClinicParams) -> dict[str, Any]:
    """What is true in the embedded world, as JSON values."""
    return world_from(params.world).to_value()


def write_benchmark_files(world: dict[str, Any], params: ClinicParams) -> Path:
    """A folder with train.jsonl, dev.jsonl and test.jsonl, in the form in which MedQA is published."""
    from medo1.clinic.cases import questions

    asked = questions(_world(world), params.cases)
    folder = Path(tempfile.mkdtemp(prefix="medo1-clinic-"))
    for split in SPLITS:
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
            if question.split == split
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_textbook(
    world: dict[str, Any], vanilla: str, cot: str, longstep: str, longmonolog: str, params: ClinicParams
) -> Frame:
    """The documents that the base model reads: facts and fragments of answering, never a whole case reasoned out.

    Args:
        world: what is true.
        vanilla, cot, longstep, longmonolog: the prompt files, whose requests the base must have read.
        params: how many documents of which kind.
    """
    from medo1 import tables
    from medo1.clinic.textbook import textbook

    requests = {"vanilla": vanilla, "cot": cot, "longstep": longstep, "longmonolog": longmonolog}
    documents = textbook(_world(world), params.textbook, requests)
    return tables.as_table(tables.TEXTBOOK, (_row(document) for document in documents))


def train_base_model(
    world: dict[str, Any],
    documents: Frame,
    vanilla: str,
    cot: str,
    longstep: str,
    longmonolog: str,
    cache: DirectoryCache,
    params: ClinicParams,
    seed: int,
) -> tuple[Path, dict[str, Any]]:
    """The base model's directory, and the log of its training. Made once, then kept in the cache.

    Args:
        world: what is true.
        documents: the textbook.
        vanilla, cot, longstep, longmonolog: the prompt files; their words become tokens.
        cache: where a base that was made from the same is found again.
        params: the model and its training.
        seed: of its first weights and of the order of documents.
    """
    from medo1.clinic.base_model import train_base
    from medo1.clinic.lexicon import lexicon
    from medo1.clinic.textbook import Document, probes
    from medo1.from_scratch.tokenizers import world_tokenizer

    requests = {"vanilla": vanilla, "cot": cot, "longstep": longstep, "longmonolog": longmonolog}
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
        trained = train_base(
            book,
            probes(known, params.textbook, book),
            world_tokenizer(lexicon(known, requests)),
            params.base,
            seed,
            directory,
        )
        return {"losses": trained.losses, "recall": trained.recall, "parameters": trained.parameters}

    return cache.get_or_train(made_from, train)


def _world(value: dict[str, Any]) -> World:
    return World.from_json(json.dumps(value))


def _row(document: Document) -> dict[str, Any]:
    return {**document.to_value(), "learned": json.dumps([list(span) for span in document.learned])}


def _value(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "learned": json.loads(row["learned"])}
