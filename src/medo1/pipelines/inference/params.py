"""Parameters of inference."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from medo1.engines.wrappers.money import Price
from medo1.parameters import Parameters
from medo1.pipelines.inference.choices import METHODS, Method, Rule, Weighing


class DrawParams(Parameters):
    """How generations are drawn. Each can be set for all arms (`inference`) and for one (`arms.<name>.draws`)."""

    max_new_tokens: int = Field(
        default=8192, gt=0, description="the thinking budget; paper: not published; m1 finds its best near 4,000"
    )
    answer_tokens: int = Field(
        default=32, ge=0, description="when the budget ends a thought, the answer is asked for in so many more; 0: not"
    )
    answer_cue: str = Field(
        default="\nFinal answer:", min_length=1, description="what asks for the answer of a thought that was cut"
    )
    min_thinking_tokens: int = Field(
        default=0, ge=0, description="a thought that ends before so many tokens is told to go on; paper: none, as 0"
    )
    continue_word: str = Field(
        default="\nWait,",
        min_length=1,
        description="what tells a thought to go on, as in s1; m1 found it does not help",
    )
    most_waits: int = Field(default=2, ge=0, description="how often a thought is told to go on, at most")
    samples: int = Field(default=8, ge=0, description="sampled generations per question for votes; paper: up to 32")
    temperature: float = Field(default=0.7, gt=0, description="of the sampled generations; paper: not published")
    top_p: float = Field(default=1.0, gt=0, le=1, description="of the sampled generations; paper: not published")
    budgets: tuple[int, ...] = Field(
        default=(),
        description="smaller thinking budgets, at which the greedy thought is asked for its answer too; m1: 128 up",
    )

    @model_validator(mode="after")
    def _budgets_are_smaller_and_rise(self) -> Self:
        if list(self.budgets) != sorted(set(self.budgets)) or any(budget < 1 for budget in self.budgets):
            raise ValueError(f"budgets must rise and be 1 or more; found {list(self.budgets)}")
        if self.budgets and self.budgets[-1] >= self.max_new_tokens:
            raise ValueError(
                f"budgets must be smaller than max_new_tokens ({self.max_new_tokens}), which is the last budget by "
                f"itself; found {self.budgets[-1]}"
            )
        if self.budgets and not self.answer_tokens:
            raise ValueError("budgets need answer_tokens: at each budget the answer is asked for")
        if self.min_thinking_tokens >= self.max_new_tokens:
            raise ValueError(
                f"min_thinking_tokens ({self.min_thinking_tokens}) must be smaller than max_new_tokens "
                f"({self.max_new_tokens})"
            )
        return self


class VoteParams(Parameters):
    """How samples vote."""

    numbers: tuple[int, ...] = Field(
        default=(1, 4, 8), min_length=1, description="numbers of votes; paper's figure: 1, 4, 8, 16, 32"
    )
    methods: tuple[Method, ...] = Field(
        default=METHODS,
        min_length=1,
        description="how votes are weighted; paper: majority. What an engine does not "
        "see (log-probabilities, confidence) cannot weigh and is left out",
    )
    borda_power: float = Field(default=0.5, ge=0, description="of ranks by self-certainty; Kang et al.: small for few")
    keep_share: float = Field(default=0.5, gt=0, le=1, description="of samples that vote when filtered, surest first")

    @property
    def weighing(self) -> Weighing:
        return Weighing(self.borda_power, self.keep_share)


class AdaptiveParams(Parameters):
    """When a question has votes enough."""

    draw: bool = Field(
        default=False,
        description="draw samples in rounds and stop; false draws all and reports where it would have stopped",
    )
    threshold: float = Field(default=0.95, gt=0, le=1, description="of the probability that the leader stays ahead")
    first: int = Field(default=3, gt=0, description="samples before the first look")
    step: int = Field(default=1, gt=0, description="samples between two looks")
    rule: Literal["dirichlet", "beta"] = Field(
        default="dirichlet", description="dirichlet: up to `samples` draws; beta: adaptive consistency's, without end"
    )
    prior: float = Field(default=0.25, gt=0, description="pseudo-count of each letter and of silence, in dirichlet")

    @property
    def stopping(self) -> Rule:
        return Rule(self.threshold, self.first, self.step, self.rule, self.prior)


class TransferParams(Parameters):
    """A benchmark that is generated here and is not about medicine: does the habit of thinking carry over?"""

    questions: int = Field(default=200, gt=0, description="how many")
    steps: tuple[int, ...] = Field(
        default=(2, 4, 6, 8), min_length=1, description="steps that must be taken one after the other; the difficulty"
    )

    @field_validator("steps")
    @classmethod
    def _stories_of_that_length_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        from medo1.pipelines.inference.transfer import MOST_STEPS

        if min(value) < 2 or max(value) > MOST_STEPS or len(set(value)) < len(value):  # noqa: PLR2004
            raise ValueError(f"steps must be different numbers from 2 to {MOST_STEPS}; found {list(value)}")
        return value


class InferenceParams(DrawParams):
    """What every arm is asked, and how."""

    splits: tuple[Literal["train", "dev", "test"], ...] = Field(default=("test",), description="which questions")
    questions_per_benchmark: int | None = Field(
        default=None, gt=0, description="at most this many, chosen by seed; None asks all, as the paper does"
    )
    votes: VoteParams = VoteParams()
    adaptive: AdaptiveParams = AdaptiveParams()
    transfer: TransferParams | None = Field(default=None, description="also ask a benchmark that is generated here")
    prices: dict[str, Price] = Field(default={}, description="list price of each model by name, for the account")
    power_w: float | None = Field(
        default=None, gt=0, description="power that the machine draws while it answers, in watts, for the account"
    )


class ArmParams(Parameters):
    """One column of the paper's table: a student state plus a prompt. An arm is data: a new one is an entry here."""

    prompt: str = Field(description="name of the prompt file that is asked after the question")
    adapter: str | None = Field(default=None, description="format whose adapter answers; None asks the base model")
    engine: str = Field(default="student", description="catalog entry of the engine that answers")
    model: str | None = Field(
        default="base_model", description="catalog entry of the model that the engine serves; None: the engine has one"
    )
    answers: Literal["options", "differential"] = Field(
        default="options",
        description="options: lettered options are shown and a letter is read; differential: none is shown, and a "
        "ranked list of diagnoses is read (the paper's free-form answers)",
    )
    draws: dict[str, Any] = Field(default={}, description="what this arm draws otherwise than `inference` says")

    @model_validator(mode="after")
    def _an_adapter_needs_its_base(self) -> Self:
        if self.adapter is not None and self.model is None:
            raise ValueError("an adapter answers with its base model: give `model`, or leave `adapter` out")
        unknown = sorted(set(self.draws) - set(DrawParams.model_fields))
        if unknown:
            raise ValueError(
                f"draws has no {', '.join(unknown)}; there is {', '.join(sorted(DrawParams.model_fields))}"
            )
        return self

    @property
    def free(self) -> bool:
        """Whether it answers without options."""
        return self.answers == "differential"

    def drawn_with(self, params: InferenceParams) -> DrawParams:
        """How this arm draws: what it says itself, and for the rest what `inference` says."""
        common = {name: getattr(params, name) for name in DrawParams.model_fields}
        return DrawParams.model_validate({**common, **self.draws})
