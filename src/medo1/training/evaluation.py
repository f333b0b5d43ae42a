"""Evaluation on dev questions during training: right answers, unfinished ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.answers import read_answer
from medo1.training.examples import TrainingExample
from medo1.training.job import DevQuestion
from medo1.training.templates import ChatTemplate

_AT_ONCE = 8


def dev_answers(
    model: Any,
    template: ChatTemplate,
    examples: Sequence[TrainingExample],
    questions: Mapping[str, DevQuestion],
    max_new_tokens: int,
    together: int = 0,
) -> dict[str, int]:
    """Greedy answers to the prompts of dev examples.

    A model whose weights are sharded over processes writes only while all of them do: each then answers `together`
    prompts, those that it lacks being one of its own again, which is not counted.

    Args:
        model: as it is now, whatever mode it is in; left as it was.
        template: that prompts are rendered with.
        examples: one a question.
        questions: their options and right letters.
        max_new_tokens: of an answer.
        together: how many prompts every process answers, where the model is sharded; 0 where it is whole.

    Returns:
        `answered`, `correct`, `unfinished` (cut before a stop token), each a count.
    """
    import torch

    device = next(model.parameters()).device
    counts = {"answered": len(examples), "correct": 0, "unfinished": 0}
    training, cache = model.training, getattr(model.config, "use_cache", None)
    model.eval()
    try:
        rows = sorted(
            (
                (template.tokenized(one.prompt, one.completion).prompt, one, place < len(examples))
                for place, one in enumerate(_filled(examples, together))
            ),
            key=lambda row: len(row[0]),
        )
        for start in range(0, len(rows), _AT_ONCE):
            batch = rows[start : start + _AT_ONCE]
            width = max(len(ids) for ids, *_ in batch)
            pad = template.pad_id
            ids = torch.tensor([[*(pad,) * (width - len(row)), *row] for row, *_ in batch], device=device)
            mask = torch.tensor([[*(0,) * (width - len(row)), *(1,) * len(row)] for row, *_ in batch], device=device)
            with torch.no_grad():  # not inference_mode, whose tensors FSDP cannot gather
                out = model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    do_sample=False,
                    max_new_tokens=max_new_tokens,
                    eos_token_id=sorted(template.stop_tokens),
                    pad_token_id=pad,
                    use_cache=True,
                    synced_gpus=bool(together),
                )
            for row, (_, example, counted) in zip(out[:, width:].tolist(), batch, strict=True):
                if not counted:
                    continue
                end = next((place for place, token in enumerate(row) if token in template.stop_tokens), None)
                question = questions[example.question_id]
                text = template.text_of(row if end is None else row[:end])
                answer = read_answer(text, question.options, "length" if end is None else "stop")
                counts["unfinished"] += end is None
                counts["correct"] += answer.letter == question.gold
    finally:
        model.train(training)
        if cache is not None:
            model.config.use_cache = cache
    return counts


def _filled(examples: Sequence[TrainingExample], count: int) -> list[TrainingExample]:
    return [*examples, *list(examples[:1]) * max(count - len(examples), 0)]
