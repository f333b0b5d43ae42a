"""TRL's trainer with its tokens counted, and one that scores the completion's tokens and no others.

On a CPU TRL's trainer runs the output layer over every position, prompts and padding included, and computes entropy and
top-1 accuracy of each: more than half of the time. Here logits are computed only at labelled positions. The
loss is the same sum over the same tokens, so the trained weights are the same but for the order of additions. On a GPU
TRL's fused head is the better one: it never holds all logits.
"""

from __future__ import annotations

from typing import Any, Literal

from medo1.training.templates import IGNORED


def trainer_class(positions: Literal["completion", "all"]) -> type[Any]:
    """A subclass of TRL's `SFTTrainer`; made here so that importing this module imports nothing heavy.

    Args:
        positions: where logits are computed: `completion`, for decoders that know `logits_to_keep`, or `all`.
    """
    from torch import Tensor
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class CountingTrainer(SFTTrainer):
        """`SFTTrainer` that knows how many tokens it has trained on: `seen_tokens`, of this process."""

        chat: Any = None
        seen_tokens = 0

        def training_step(self, model: Any, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Tensor:
            mask = inputs.get("attention_mask")
            self.seen_tokens += int(inputs["input_ids"].numel() if mask is None else mask.sum())
            return super().training_step(model, inputs, *args, **kwargs)

    class CompletionTrainer(CountingTrainer):
        """Its loss looks at labelled positions only."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Tensor],
            return_outputs: bool = False,
            num_items_in_batch: Tensor | int | None = None,
        ) -> Any:
            labels = inputs["labels"]
            # A label at column c is predicted at column c - 1; labels never stand in column 0, which is prompt.
            columns = (labels != IGNORED).any(dim=0).nonzero()[:, 0]
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                logits_to_keep=columns - 1,
                use_cache=False,
            )
            targets = labels[:, columns]
            kept = targets != IGNORED
            total = cross_entropy(outputs.logits[kept].float(), targets[kept], reduction="sum")
            loss = total / (kept.sum() if num_items_in_batch is None else num_items_in_batch)
            if self.args.average_tokens_across_devices and num_items_in_batch is not None:
                loss = (
                    loss * self.accelerator.num_processes
                )  # the count is over all ranks, whose gradients are averaged
            return (loss, outputs) if return_outputs else loss

    return CompletionTrainer if positions == "completion" else CountingTrainer
