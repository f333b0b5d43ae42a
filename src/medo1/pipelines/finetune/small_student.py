"""A tiny student for real text, trained from scratch in about a minute on the imported chains.

Where there is no model to download, `conf/recorded` still takes real questions and real chains through every stage.
This student writes real words and knows no medicine; its scores are at chance, and are meant to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from medo1.chains.importing import ChainColumns, imported_chains
from medo1.errors import UserError
from medo1.from_scratch.scratch_training import (
    LoopSpec,
    ModelSpec,
    TokenText,
    deterministic,
    new_model,
    saved,
    train,
)
from medo1.from_scratch.tokenizers import PAD, chat_text, text_tokenizer
from medo1.parameters import Parameters
from medo1.questions import Question, prompt_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class SmallStudentSpec(Parameters):
    """The student, its vocabulary and its training."""

    vocabulary: int = Field(default=4096, ge=300, description="tokens: most words of 200 chains, and a small softmax")
    model: ModelSpec = ModelSpec(hidden=64, layers=2, heads=4, feed_forward=168, positions=4096)
    # Three passes over 170,000 tokens in small batches: many small steps reached a loss of 5.0, few large ones 5.6.
    loop: LoopSpec = LoopSpec(steps=1000, rows=4, width=128, learning_rate=5e-3, warmup_steps=20)


def train_small_student(
    texts: Sequence[str],
    spec: SmallStudentSpec,
    seed: int,
    directory: Path,
) -> dict[str, Any]:
    """Train tokenizer and model on texts, and save both as a model directory.

    Args:
        texts: what to learn from; exchanges rendered with `chat_text` teach turns too.
        spec: sizes and loop.
        seed: equal seeds give equal bytes on one machine.
        directory: where to; must not exist with files in it.

    Returns:
        The training's log, as JSON values: `losses` (step, nats a token), `parameters` (weights of the model), and
        `text_tokens`, tokens of the texts.

    Raises:
        ValueError: when there is no text.
        FileExistsError: when the directory holds something.
    """
    if not any(text.strip() for text in texts):
        raise ValueError("the small student was given no text to learn from")
    tokenizer = text_tokenizer(texts, spec.vocabulary)
    examples = _windows(texts, tokenizer, spec.loop.width)
    with deterministic(seed, spec.loop.threads):
        model = new_model(spec.model, tokenizer)
        losses = train(model, [(examples, spec.loop.steps)], spec.loop, seed, "small student")
    saved(model, tokenizer, directory)
    return {
        "losses": losses,
        "parameters": model.num_parameters(),
        "text_tokens": sum(len(example.ids) for example in examples),
    }


def _windows(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, width: int) -> list[TokenText]:
    """Each text as stretches of at most `width` tokens, every token of them learned, an end mark after each text."""
    encoded = tokenizer([f"{text}{PAD}" for text in texts], add_special_tokens=False)["input_ids"]
    return [
        TokenText(tuple(ids[start : start + width]), (True,) * len(ids[start : start + width]))
        for ids in encoded
        for start in range(0, len(ids), width)
    ]


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
        columns = ChainColumns(
            source.get("form"),
            source.get("reasoning"),
            source.get("answer"),
            source.get("mapping"),
            source.get("question"),
        )
        chains, _ = imported_chains(folder / source["file"], columns, questions, name)
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
