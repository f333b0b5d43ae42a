"""Parameters of fine-tuning. Defaults are the paper's where it states one."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medo1.errors import UserError
from medo1.parameters import Parameters


class FinetuneParams(Parameters):
    """LoRA on one format's kept chains."""

    learning_rate: float = Field(default=1e-4, gt=0, description="paper: 1e-4")
    batch_size: int = Field(default=8, gt=0, description="examples per optimizer step; paper: 8")
    micro_batch_size: int = Field(default=1, gt=0, description="examples at a time; 1 pads nothing")
    epochs: int = Field(default=3, gt=0, description="paper: 3")
    rank: int = Field(default=16, gt=0, description="paper: not published; 16 is PEFT's usual choice")
    alpha: int = Field(default=32, gt=0, description="paper: not published; twice the rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="paper: not published")
    target_modules: str | tuple[str, ...] = Field(
        default="all-linear", description="paper: not published; all linear layers, as QLoRA found best"
    )
    warmup_ratio: float = Field(default=0.05, ge=0, le=1, description="paper: not published")
    schedule: Literal["cosine", "linear", "constant"] = Field(default="cosine", description="paper: not published")
    max_tokens: int = Field(
        default=8192,
        gt=0,
        description="an example longer than this is rejected with a reason; never cut, for the cut end is the answer",
    )
    gradient_checkpointing: bool = Field(default=False, description="trades time for memory; needed at 32B and above")
    loss_positions: Literal["completion", "all"] = Field(
        default="completion",
        description="where logits are computed: `completion` is two to ten times faster on a CPU with the same loss; "
        "`all` is TRL's own trainer, for models that do not know logits_to_keep",
    )
    threads: int | None = Field(
        default=None, gt=0, description="threads of torch; None leaves them. A tiny model on a busy machine wants 1"
    )
    bf16: bool = Field(default=False, description="fp32 on a CPU, bf16 on GPUs that have it")

    @model_validator(mode="after")
    def _batches_come_out_even(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size ({self.batch_size}) must be a multiple of micro_batch_size ({self.micro_batch_size}): "
                "an optimizer step is made of whole micro-batches"
            )
        return self

    def accumulation(self, devices: int = 1) -> int:
        """Micro-batches that each device takes in one optimizer step, so that all together take `batch_size` examples.

        Raises:
            UserError: when the devices cannot share the batch evenly.
        """
        at_once = self.micro_batch_size * devices
        if self.batch_size % at_once:
            raise UserError(
                f"batch_size {self.batch_size} cannot be shared by {devices} devices that take {self.micro_batch_size} "
                f"examples each: they take {at_once} at once. Set finetune.<format>.batch_size to a multiple of "
                f"{at_once}, or micro_batch_size or the number of processes to less."
            )
        return self.batch_size // at_once
