"""Parameters of inference."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from medo1.engines.wrappers.money import Price
from medo1.parameters import Parameters
from medo1.pipelines.inference.budget_forcing import ThinkingSpec
from medo1.probes import ProbeSpec
from medo1.statistics.rules import CONFIDENCE, MARGIN, StoppingRule, Weighing
from medo1.vocabulary import VOTE_METHODS, SelectionScore, Split, VoteMethod


class DrawParams(ThinkingSpec):
    """How generations are drawn. Each can be set for all arms (`inference`) and for one (`arms.<name>.draws`)."""

    samples: int = Field(default=8, ge=0, description="sampled generations per question for votes; paper: up to 32")
    temperature: float = Field(default=0.7, gt=0, description="of the sampled generations; paper: not published")
    top_p: float = Field(default=1.0, gt=0, le=1, description="of the sampled generations; paper: not published")
    top_k: int = Field(default=0, ge=0, description="only so many of the likeliest tokens are sampled from; 0: all")
    min_p: float = Field(
        default=0.0, ge=0, lt=1, description="only tokens with this share of the likeliest one's probability; 0: all"
    )
    repetition_penalty: float = Field(
        default=1.0, gt=0, description="of all generations, greedy ones too; Qwen2.5's own default is 1.05; 1: none"
    )


class VoteParams(Weighing):
    """How samples vote."""

    numbers: tuple[int, ...] = Field(
        default=(1, 4, 8), min_length=1, description="numbers of votes; paper's figure: 1, 4, 8, 16, 32"
    )
    methods: tuple[VoteMethod, ...] = Field(
        default=VOTE_METHODS,
        min_length=1,
        description="how votes are weighted; paper: majority. A method "
        "whose numbers an engine does not report (log-probabilities, confidence) is left out",
    )


class AdaptiveParams(StoppingRule):
    """When a question has enough votes, and whether sampling stops there."""

    draw: bool = Field(
        default=False,
        description="sample in rounds and stop early; false draws all samples and reports where it would have stopped",
    )

    @model_validator(mode="after")
    def _what_is_read_is_used(self) -> Self:
        if self.agreement is not None and not self.draw:
            raise ValueError(
                "`agreement` is for drawing in rounds: set `draw: true`; the run that the rule learns from has neither"
            )
        return self


class TransferParams(Parameters):
    """A benchmark that is generated here and is not about medicine: does the habit of thinking transfer?"""

    questions: int = Field(default=200, gt=0, description="how many")
    steps: tuple[int, ...] = Field(
        default=(2, 4, 6, 8), min_length=1, description="numbers of sequential steps: the difficulties"
    )

    @field_validator("steps")
    @classmethod
    def _stories_of_that_length_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        from medo1.pipelines.inference.transfer import MOST_STEPS

        if min(value) < 2 or max(value) > MOST_STEPS or len(set(value)) < len(value):  # noqa: PLR2004
            raise ValueError(f"steps must be different numbers from 2 to {MOST_STEPS}; found {list(value)}")
        return value


class SelectiveParams(Parameters):
    """Answer at once, think when unsure: which arm's answer comes first. Evaluated on the answers that every arm gave;
    `arms.<name>.first` runs it."""

    first: str = Field(description="the arm that answers at once; every other arm is the thought that may follow")
    samples: int = Field(default=3, ge=2, description="samples of the first arm that must agree, for that score")
    margin: float = Field(
        default=MARGIN, gt=0, lt=1, description="the greatest loss of accuracy that does not matter, for the threshold"
    )
    confidence: float = Field(
        default=CONFIDENCE, gt=0.5, lt=1, description="that the chosen threshold loses less than `margin`"
    )


class JudgeParams(Parameters):
    """Who says whether a diagnosis under another name is the right one."""

    engine: str = Field(default="judge", description="catalog entry of the engine; its store keeps each reply")
    keys: tuple[str, ...] = Field(
        default=(), description="as `arms.<name>.keys`: without one of them lists are matched by text alone"
    )


class InferenceParams(DrawParams):
    """What every arm is asked, and how."""

    splits: tuple[Split, ...] = Field(default=("test",), description="which questions")
    questions_per_benchmark: int | None = Field(
        default=None, gt=0, description="at most this many, chosen by seed; None asks all, as the paper does"
    )
    votes: VoteParams = VoteParams()
    adaptive: AdaptiveParams = AdaptiveParams()
    selective: SelectiveParams | None = Field(
        default=None, description="answer at once and think when unsure, at every threshold; None leaves it out"
    )
    probes: ProbeSpec = Field(
        default=ProbeSpec(), description="questions derived from the asked ones, to see what carries the score: names"
    )
    judge: JudgeParams | None = Field(
        default=None, description="grades the lists of free-form arms where no name in them is the right one's own"
    )
    transfer: TransferParams | None = Field(default=None, description="also ask a benchmark that is generated here")
    prices: dict[str, Price] = Field(default={}, description="list price of each model by name, for the cost table")
    power_w: float | None = Field(
        default=None, gt=0, description="power draw of the machine during inference, in watts, for the cost table"
    )


class FirstAnswerParams(Parameters):
    """Answer at once as another arm does, and think only where that answer is unsure."""

    arm: str = Field(description="the arm that answers first; same engine and model as this one")
    score: SelectionScore = Field(
        default="probability",
        description="how sure a first answer is: probability (geometric mean over its tokens), confidence (DeepConf), "
        "or agreement (share of `samples` that say what their vote says)",
    )
    tau: float = Field(
        ge=0, description="think when the score is below; `selective_choice` of dev questions has one; 0: never"
    )
    samples: int = Field(default=3, ge=2, description="first answers that must agree, for the score agreement")


class JudgedParams(Parameters):
    """A judge over an arm's samples: it picks one of several, or scores each as the weight of its vote."""

    engine: str = Field(default="judge", description="catalog entry of the engine that judges")
    model: str | None = Field(default=None, description="catalog entry of the model that it serves; None: its own")
    candidates: tuple[int, ...] = Field(
        default=(4,), description="it picks one of the first k samples, for each k here; none: nothing is picked"
    )
    score: bool = Field(default=False, description="it also scores each sample from 0 to 10: method `scored`")
    tokens: int = Field(default=512, gt=0, description="of one reply, at most")
    select_prompt: str = Field(default="select", description="prompt file of a pick; ends with `Choice: <number>`")
    score_prompt: str = Field(default="score", description="prompt file of a score; ends with `Score: <0 to 10>`")

    @field_validator("candidates")
    @classmethod
    def _there_is_something_to_choose(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(count < 2 for count in value) or len(set(value)) < len(value):  # noqa: PLR2004
            raise ValueError(f"candidates must be different numbers of 2 or more; found {list(value)}")
        return value


class ArmParams(Parameters):
    """One column of the paper's table: a student state plus a prompt. An arm is data: a new one is an entry here."""

    prompt: str = Field(description="name of the prompt file, appended to the question")
    adapter: str | None = Field(default=None, description="format whose adapter answers; None asks the base model")
    engine: str = Field(default="student", description="catalog entry of the engine that answers")
    model: str | None = Field(
        default="base_model",
        description="catalog entry of the model that the engine serves; None: the engine has its own",
    )
    keys: tuple[str, ...] = Field(
        default=(),
        description="entries of conf/local/credentials.yml, or environment variables, of which it needs one; without, "
        "it is left out of the study, with a line that says so",
    )
    answers: Literal["options", "differential"] = Field(
        default="options",
        description="options: lettered options are shown and a letter is read; differential: none is shown, and a "
        "ranked list of diagnoses is read (the paper's free-form answers)",
    )
    first: FirstAnswerParams | None = Field(
        default=None, description="answer at once and think when unsure; such an arm draws no samples"
    )
    judged: JudgedParams | None = Field(
        default=None, description="a judge over its samples: generative selection, and scores as weights of votes"
    )
    draws: dict[str, Any] = Field(
        default={}, description="overrides of `inference`'s sampling parameters for this arm; null: none"
    )

    @field_validator("draws", mode="before")
    @classmethod
    def _null_takes_away_what_another_environment_has(cls, value: Any) -> Any:
        return {} if value is None else value

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
        """This arm's sampling parameters: its own overrides, and `inference`'s for the rest."""
        common = {name: getattr(params, name) for name in DrawParams.model_fields}
        alone = {} if self.first is None else {"samples": 0}  # its votes would be those of its thoughts
        return DrawParams.model_validate({**common, **self.draws, **alone})
