"""Parameters of inference."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medo1.parameters import Parameters


class InferenceParams(Parameters):
    """What every arm is asked, and how."""

    splits: tuple[Literal["train", "dev", "test"], ...] = Field(default=("test",), description="which questions")
    questions_per_benchmark: int | None = Field(
        default=None, gt=0, description="at most this many, chosen by seed; None asks all, as the paper does"
    )
    max_new_tokens: int = Field(default=8192, gt=0, description="paper: not published; m1 finds its best near 4,000")
    samples: int = Field(default=8, ge=0, description="sampled generations per question for votes; paper: up to 32")
    temperature: float = Field(default=0.7, gt=0, description="of the sampled generations; paper: not published")
    top_p: float = Field(default=1.0, gt=0, le=1, description="of the sampled generations; paper: not published")
    votes: tuple[int, ...] = Field(default=(1, 4, 8), description="numbers of votes; paper's figure: 1, 4, 8, 16, 32")


class ArmParams(Parameters):
    """One column of the paper's table: a student state plus a prompt."""

    prompt: str = Field(description="name of the prompt file that is asked after the question")
    adapter: str | None = Field(default=None, description="format whose adapter answers; None asks the base model")
