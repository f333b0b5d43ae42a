"""Which probes there are, and their parameters.

Sources: the right option replaced (Bedi et al. 2025, JAMA Netw Open: 68 questions of MedQA; DeepSeek-R1 fell by 8.8
points, GPT-4o by 36.8, Llama 3.3 by 38.2); a wrong start (Disentangling reasoning and knowledge in medical models,
arXiv 2505.11462: MedReason fell from 50.4 to 24.4 %); shuffled options (Medmarks, arXiv 2605.01417); several wordings
(NeMo-Skills' robust evaluation).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from medo1.nearest import did_you_mean
from medo1.parameters import Parameters

QuestionProbe = Literal["none_of_the_others", "shuffled_options", "options_only", "wrong_start", "reworded"]
Probe = Literal[QuestionProbe, "changed_step"]  # the latter changes the arm's own thought, the others the question
PROBES: tuple[Probe, ...] = get_args(Probe)
QUESTION_PROBES: tuple[QuestionProbe, ...] = get_args(QuestionProbe)
ALL = "all"


class ProbeSpec(Parameters):
    """`inference.probes`: names alone, in a list or as text with commas, or `all`; or these parameters."""

    names: tuple[Probe, ...] = Field(default=(), description="which probes; empty: none, and the graph has none")
    questions: int | None = Field(
        default=100, gt=0, description="of each benchmark, at most, chosen by seed; null: all that are asked"
    )
    orders: int = Field(default=3, gt=0, description="shuffled_options: other orders of each question's options")
    nothing_right: str = Field(
        default="None of the other answers",
        min_length=1,
        description="none_of_the_others: the text in the place of the right option's",
    )
    bare_question: str = Field(
        default="Which of these answers is right?",
        min_length=1,
        description="options_only: what stands in the place of the stem",
    )
    start: str = Field(
        default="At first glance, {option} seems possible.",
        description="wrong_start: how the answer is begun; {option} is a wrong option's text",
    )
    wordings: tuple[str, ...] = Field(
        default=(
            "{request} Choose one of the options.",
            "Read the question carefully. {request}",
            "This is a question of an examination. {request} State your final answer at the end.",
        ),
        min_length=1,
        description="reworded: what is asked after each question; {request} is the arm's own prompt",
    )

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        if value is None:  # an environment takes away what another has
            return {}
        return {"names": value} if isinstance(value, str | list | tuple) else value

    @field_validator("names", mode="before")
    @classmethod
    def _names_are_known(cls, value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else list(value or ())
        names = [str(name).strip() for name in names if str(name).strip()]
        if names == [ALL]:
            return PROBES
        for name in names:
            if name not in PROBES:
                raise ValueError(f"there is no probe {name!r}. {did_you_mean(str(name), [*PROBES, ALL])}")
        return tuple(dict.fromkeys(names))

    @field_validator("start")
    @classmethod
    def _start_names_the_option(cls, value: str) -> str:
        if value.count("{option}") != 1:
            raise ValueError(f"must hold {{option}} once, which becomes a wrong option's text; found {value!r}")
        return value

    @field_validator("wordings")
    @classmethod
    def _wordings_hold_the_request(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if bad := [one for one in value if one.count("{request}") != 1]:
            raise ValueError(f"each must hold {{request}} once, which becomes the arm's own prompt; found {bad[0]!r}")
        return value
