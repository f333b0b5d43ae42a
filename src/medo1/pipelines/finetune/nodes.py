"""Nodes of finetune."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Model
from medo1.frames import Frame, records
from medo1.pipelines.finetune.params import FinetuneParams
from medo1.pipelines.finetune.small_student import SmallStudentSpec
from medo1.questions import prompt_text, questions_from

if TYPE_CHECKING:
    from medo1.datasets.caches import DirectoryCache
else:
    DirectoryCache = Any  # Kedro reads annotations at start, and should not import the datasets for it


def make_small_student(
    folder: Path,
    questions: Frame,
    cache: DirectoryCache,
    params: SmallStudentSpec,
    seed: int,
    *prompts_and_formats: Any,
    formats: tuple[str, ...],
) -> tuple[Path, dict[str, Any]]:
    """A tiny base model that has read the imported chains, and its training log. Made once, then kept in a cache.

    Args:
        folder: where the files of chains lie.
        questions: the training questions; chains of others are not read.
        cache: where a student that was made from the same is found again.
        params: sizes and loop.
        seed: of its first weights and of the order of texts.
        prompts_and_formats: the prompt of each of `formats`, then the paraprogresss of each.
        formats: names of the formats whose chains are imported.
    """
    from medo1.pipelines.finetune.small_student import exchanges, small_student

    prompts = dict(zip(formats, prompts_and_formats, strict=False))
    # Typed where the run holds synthesis, which says what a format is; plain values where it does not.
    plain = [spec if isinstance(spec, dict) else spec.model_dump() for spec in prompts_and_formats[len(formats) :]]
    specs = dict(zip(formats, plain, strict=True))
    return small_student(exchanges(folder, questions_from(questions), prompts, specs), cache, params, seed)


def make_training_examples(
    kept_chains: Frame, questions: Frame, prompt: str, base_model: Model, params: FinetuneParams
) -> tuple[Frame, Frame]:
    """Prompt and completion of each kept chain with their lengths, and the ones that are too long to train on whole.

    The prompt is the one that the arm will be asked with: what is learnt is what is measured.
    """
    from transformers import AutoTokenizer

    from medo1 import tables
    from medo1.pipelines.finetune.training_examples import measured

    by_id = {question.question_id: question for question in questions_from(questions)}
    source, revision = str(base_model.path or base_model.name), None if base_model.path else base_model.revision
    tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    pairs = [
        (row["question_id"], int(row["sample"]), prompt_text(by_id[row["question_id"]], prompt), row["text"])
        for row in records(kept_chains)
    ]
    fitting, rejected = [], []
    for example in measured(pairs, tokenizer):
        tokens = example.prompt_tokens + example.completion_tokens
        if tokens <= params.max_tokens:
            fitting.append(asdict(example))
            continue
        rejected.append(
            {
                "question_id": example.question_id,
                "sample": example.sample,
                "reason": f"{tokens} tokens, more than max_tokens {params.max_tokens}; cutting would remove the answer",
                "tokens": tokens,
            }
        )
    return tables.as_table(tables.TRAINING_EXAMPLES, fitting), tables.as_table(tables.TRAINING_REJECTED, rejected)


def train_adapter(
    training_examples: Frame, base_model: Model, params: FinetuneParams, seed: int, format: str
) -> tuple[Path, Frame]:
    """An adapter's directory, and the training log."""
    from medo1 import tables
    from medo1.pipelines.finetune.lora import train_lora
    from medo1.pipelines.finetune.training_examples import TrainingExample

    examples = [TrainingExample(**row) for row in records(training_examples)]
    output = Path(tempfile.mkdtemp(prefix="medo1-adapter-"))
    log = train_lora(examples, base_model, params, seed, output, format)
    return output, tables.as_table(tables.TRAINING_LOG, log)
