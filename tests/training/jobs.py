"""Small trainings on the tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medo1.engines.base import Model
from medo1.training.examples import ChainText, TrainingExample, prepared
from medo1.training.job import DevQuestion, TrainingJob
from medo1.training.spec import TrainingSpec
from medo1.training.templates import ChatTemplate, chat_template_of

OPTIONS = {"A": "yes", "B": "no"}
SPEC: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 2,
    "micro_batch_size": 2,
    "rank": 4,
    "alpha": 8,
    "learning_rate": 1e-2,
    "max_tokens": 512,
}


def model(path: Path) -> Model:
    return Model("tiny", path, "revision")


def template(path: Path, **kwargs: Any) -> ChatTemplate:
    return chat_template_of(model(path), kwargs)


def chains(count: int) -> list[ChainText]:
    return [
        ChainText(f"{n:016x}", 0, f"Question {n}?\nA. yes\nB. no", f"Step 1: {'think ' * n}\nFinal answer: A", OPTIONS)
        for n in range(count)
    ]


def examples(path: Path, count: int = 4) -> tuple[TrainingExample, ...]:
    return tuple(prepared(chains(count), template(path), TrainingSpec(max_tokens=512)).examples)


def job(path: Path, count: int = 4, held: int = 0, seed: int = 1, **changes: Any) -> TrainingJob:
    """A job on `count` examples, the last `held` of them held back."""
    every = examples(path, count)
    spec = TrainingSpec.model_validate({**SPEC, **changes})
    dev = every[len(every) - held :]
    questions = {one.question_id: DevQuestion(OPTIONS, "A") for one in dev}
    return TrainingJob(every[: len(every) - held], model(path), spec, seed, "tiny", dev, questions)
