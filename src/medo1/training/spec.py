"""How a student is trained. Defaults are the paper's where it states one, or come with their reason."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from medo1.parameters import Parameters


class LaunchSpec(Parameters):
    """On how many devices, and how the model is spread over them."""

    processes: int = Field(default=1, ge=1, description="one per device; more than one are started with torchrun")
    strategy: Literal["ddp", "fsdp", "zero3"] = Field(
        default="ddp",
        description="`ddp` keeps the model on each device; `fsdp` (FSDP2) and `zero3` (DeepSpeed, as in the paper) "
        "shard it",
    )
    stall_s: float = Field(
        default=1800, gt=0, description="end training when no process completes a step for this many seconds"
    )


class DevSpec(Parameters):
    """What is held back from training to see how it goes."""

    share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the training questions held out; 0 trains on all and evaluates nothing",
    )
    evaluations: int = Field(default=5, ge=1, description="number during training, evenly spaced; the last at the end")
    answers: int = Field(default=50, ge=0, description="dev questions answered greedily at each evaluation; 0: none")
    max_new_tokens: int = Field(
        default=1024, gt=0, description="limit for such an answer; longer ones count as unfinished"
    )
    patience: int | None = Field(
        default=None, ge=1, description="stop after this many evaluations without improvement; None: never"
    )
    best_by: Literal["loss", "accuracy"] = Field(
        default="loss", description="criterion for the best evaluation, whose adapter is kept"
    )
    keep_best: bool = Field(default=True, description="keep the best evaluation's weights, not the last step's")

    def after(self, steps: int) -> set[int]:
        """The optimizer steps of a training of so many after which it is evaluated: evenly spaced, the last among
        them."""
        count = min(self.evaluations, steps)
        return {round(steps * (place + 1) / count) for place in range(count)}


class TrainingSpec(Parameters):
    """Fine-tuning on one format's kept chains."""

    method: Literal["lora", "qlora", "full"] = Field(
        default="lora",
        description="`qlora` is LoRA on 4-bit weights (needs a GPU and bitsandbytes); `full` trains all weights",
    )
    learning_rate: float = Field(default=1e-4, gt=0, description="paper: 1e-4")
    batch_size: int = Field(default=8, gt=0, description="examples per optimizer step, over all devices; paper: 8")
    micro_batch_size: Annotated[int, Field(gt=0)] | Literal["auto"] | None = Field(
        default=None,
        description="examples at a time on one device; None: 1, which pads nothing and needs the least memory; `auto`: "
        "as many as the estimate says a GPU holds (on a CPU 1, where padding costs more than batches gain)",
    )
    epochs: int = Field(default=3, gt=0, description="paper: 3")
    rank: int = Field(default=16, gt=0, description="paper: not published; 16 is PEFT's usual choice")
    alpha: int = Field(default=32, gt=0, description="paper: not published; twice the rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="paper: not published")
    target_modules: str | tuple[str, ...] = Field(
        default="all-linear", description="paper: not published; all linear layers, as QLoRA found best"
    )
    warmup_ratio: float = Field(default=0.05, ge=0, le=1, description="paper: not published")
    schedule: Literal["cosine", "linear", "constant"] = Field(default="cosine", description="paper: not published")
    max_tokens: int = Field(default=8192, gt=0, description="most tokens of an example; see `overlong`")
    overlong: Literal["error", "drop", "raise_max_length"] = Field(
        default="error",
        description="what happens to an example above max_tokens; it is never truncated, as the answer is at the end: "
        "an error, a row of training_rejected, or a larger max_tokens, up to the model's context",
    )
    chat_template_kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="arguments of the chat template, such as {enable_thinking: false}; kept with the adapter",
    )
    train_after_stop: bool = Field(
        default=False,
        description="also train on what the template writes after the stop token, which no engine lets models write",
    )
    gradient_checkpointing: bool = Field(default=False, description="trades time for memory; needed at 32B and above")
    loss_positions: Literal["auto", "completion", "all"] = Field(
        default="auto",
        description="where logits are computed: `completion` on a CPU (two to ten times faster, the same loss), `all` "
        "on a GPU (TRL's own fused head, which never holds all logits); `auto` chooses by device",
    )
    packing: bool = Field(
        default=False,
        description="pack examples into rows of max_tokens, none truncated (bfd_split); needs GPU and flash attention, "
        "and batch_size then counts rows",
    )
    threads: int | None = Field(
        default=None,
        gt=0,
        description="torch threads; None: torch's default. 1 is best for a tiny model on a busy machine",
    )
    bf16: bool = Field(default=False, description="fp32 on a CPU, bf16 on GPUs that have it")
    checkpoint_minutes: float = Field(
        default=5.0,
        ge=0,
        description="minutes between checkpoints, from which a killed training resumes; 0 saves every step",
    )
    dev: DevSpec = DevSpec()
    launch: LaunchSpec = LaunchSpec()

    @model_validator(mode="after")
    def _batch_is_met(self) -> TrainingSpec:
        at_once = self.micro_batch * self.launch.processes
        if self.batch_size % at_once:
            advice = (
                f"micro_batch_size can be {', '.join(map(str, self.micro_batches))}"
                if self.micro_batches
                else f"no micro_batch_size divides it: batch_size must be a multiple of {self.launch.processes}"
            )
            raise ValueError(
                f"batch_size {self.batch_size} cannot be met with micro_batch_size {self.micro_batch} on "
                f"{self.launch.processes} device(s), which take {at_once} examples at once; {advice}"
            )
        return self

    @model_validator(mode="after")
    def _adapters_leave_the_head(self) -> TrainingSpec:
        named = (self.target_modules,) if isinstance(self.target_modules, str) else self.target_modules
        tied = sorted({"lm_head", "embed_tokens", "embed_out", "wte"} & set(named))
        if tied and self.method != "full":
            raise ValueError(
                f"target_modules names {', '.join(tied)}: an adapter there is not trained by TRL's fused head, is "
                "lost where the output layer shares its weights with the embedding, and is not served by vLLM. Use "
                "all-linear"
            )
        return self

    @property
    def micro_batch(self) -> int:
        """Examples at a time on one device; 1 while `auto` has not been chosen (`estimate.with_micro_batch`)."""
        return self.micro_batch_size if isinstance(self.micro_batch_size, int) else 1

    @property
    def micro_batches(self) -> list[int]:
        """The values of `micro_batch_size` that meet `batch_size` on these devices."""
        sizes = range(1, self.batch_size + 1)
        return [size for size in sizes if self.batch_size % (size * self.launch.processes) == 0]

    @property
    def sharded(self) -> bool:
        """Whether each device holds a part of the model."""
        return self.launch.processes > 1 and self.launch.strategy != "ddp"

    @property
    def accumulation(self) -> int:
        """Micro-batches per optimizer step on each device."""
        return self.batch_size // (self.micro_batch * self.launch.processes)

    def steps(self, examples: int) -> int:
        """Optimizer steps of a whole training."""
        return -(-examples // self.batch_size) * self.epochs
