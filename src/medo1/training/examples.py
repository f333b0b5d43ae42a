"""Which chains are trained on, and the ledger of their lengths. Nothing is ever truncated: the answer is at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medo1.answers import read_answer
from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.lineage.digests import seed_from
from medo1.training.spec import TrainingSpec
from medo1.training.templates import ChainTextError, ChatTemplate, TokenizedChain, config_of

_NAMED = 3  # of many examples in an error


@dataclass(frozen=True, slots=True)
class ChainText:
    """A kept chain and the prompt that it answers; `options` (letter to text) are the question's."""

    question_id: str
    sample: int
    prompt: str
    chain: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One training example; tokens as the model's own chat template and tokenizer count them."""

    question_id: str
    sample: int
    prompt: str
    completion: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class PreparedExamples:
    """What training gets, and what became of each chain.

    Attributes:
        examples: what is trained on.
        lengths: a row a chain: its tokens, what a cut at `max_tokens` would leave, what became of it.
        rejected: chains that are not trained on, with the reason.
        max_tokens: the longest example that is allowed, which `raise_max_length` may have raised.
    """

    examples: list[TrainingExample]
    lengths: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    max_tokens: int


def prepared(
    chains: Iterable[ChainText], template: ChatTemplate, spec: TrainingSpec, context: int | None = None
) -> PreparedExamples:
    """Examples with their lengths.

    Args:
        chains: the kept chains with their prompts.
        template: of the model that learns.
        spec: `max_tokens` and `overlong`.
        context: the model's, in tokens; None where it names none.

    Raises:
        UserError: an example is longer than `max_tokens` (`overlong: error`) or than the context (`raise_max_length`);
            the text names the length that is needed.
    """
    examples: list[TrainingExample] = []
    lengths: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    limit = spec.max_tokens
    for one in chains:
        try:
            tokens = template.tokenized(one.prompt, one.chain)
        except ChainTextError as error:
            rejected.append({"question_id": one.question_id, "sample": one.sample, "reason": str(error), "tokens": 0})
            continue
        size = len(tokens.ids)
        row = _length_row(one, tokens, limit, template)
        lengths.append(row)
        if size > limit and spec.overlong == "drop":
            row["outcome"] = "dropped"
            reason = f"{size} tokens, more than max_tokens {limit}; cutting would remove the answer"
            rejected.append({"question_id": one.question_id, "sample": one.sample, "reason": reason, "tokens": size})
            continue
        prompt_tokens = len(tokens.prompt)
        examples.append(
            TrainingExample(one.question_id, one.sample, one.prompt, one.chain, prompt_tokens, size - prompt_tokens)
        )
    longest = max((row["tokens"] for row in lengths if row["outcome"] == "kept"), default=0)
    if longest > limit and spec.overlong == "error":
        raise UserError(_too_long(lengths, limit, longest, context))
    if longest > (context or longest):
        raise UserError(
            f"The longest example has {longest:,} tokens, and the model's context is {context:,}: it cannot be "
            "trained on whole. Set overlong: drop, filter the chains by length, or take a model with a longer context."
        )
    return PreparedExamples(examples, lengths, rejected, max(limit, longest))


def with_dev_split(examples: Iterable[TrainingExample], share: float, seed: int) -> list[dict[str, Any]]:
    """Rows of the examples, each with its `part`, `train` or `dev`: all chains of a question lie in one of them."""
    rows = list(examples)
    ids = sorted({example.question_id for example in rows})
    order = sorted(ids, key=lambda question_id: seed_from("dev questions", seed, question_id))
    held = set(order[: max(1, round(share * len(order)))] if share and len(order) > 1 else ())
    return [{**asdict(example), "part": "dev" if example.question_id in held else "train"} for example in rows]


def context_of(model: Model) -> int | None:
    """How many tokens the model reads at most; None where its configuration does not say."""
    found = getattr(config_of(model).get_text_config(), "max_position_embeddings", None)
    return None if found is None else int(found)


def _length_row(one: ChainText, tokens: TokenizedChain, limit: int, template: ChatTemplate) -> dict[str, Any]:
    """What a cut on the right at `limit` would do to an example."""
    size = len(tokens.ids)
    left = min(max(limit - len(tokens.prompt), 0), len(tokens.answer))
    survives = left == len(tokens.answer)
    if not survives and left:
        cut = template.text_of(tokens.answer[:left])
        whole = read_answer(one.chain, one.options)
        survives = whole.letter is not None and read_answer(cut, one.options, "length").letter == whole.letter
    return {
        "question_id": one.question_id,
        "sample": one.sample,
        "prompt_tokens": len(tokens.prompt),
        "target_tokens": len(tokens.answer),
        "tokens": size,
        "max_tokens": limit,
        "over": max(size - limit, 0),
        "targets_left": left,
        "answer_survives": survives,
        "outcome": "kept",
    }


def _too_long(lengths: Sequence[Mapping[str, Any]], limit: int, longest: int, context: int | None) -> str:
    over = [row for row in lengths if row["over"]]
    lost = sum(not row["answer_survives"] for row in over)
    named = ", ".join(f"{row['question_id']} ({row['tokens']:,})" for row in over[:_NAMED])
    more = f" and {len(over) - _NAMED} more" if len(over) > _NAMED else ""
    room = "" if context is None else f" (the model's context is {context:,})"
    return (
        f"{len(over)} of {len(lengths)} examples have more than max_tokens {limit:,}: {named}{more}. The longest needs "
        f"{longest:,}{room}; cut there, {lost} of them would lose their answer. Set max_tokens: {longest}, or "
        "overlong: raise_max_length, which does that, or overlong: drop, which leaves them out by name."
    )
