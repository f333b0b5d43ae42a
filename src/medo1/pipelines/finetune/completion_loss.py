"""A trainer that scores the completion's tokens and no others.

TRL's trainer runs the output layer over every position, prompts and padding included, and computes entropy and top-1
accuracy of each: on a CPU more than half of the time. Here the model is asked for logits only where a label stands.
The loss is the same sum over the same tokens, so the trained weights are the same but for the order of additions.
"""

from __future__ import annotations

from typing import Any


def completion_trainer_class() -> type[Any]:
    """A subclass of TRL's `SFTTrainer`; made here so that importing this module imports nothing heavy."""
    from torch import Tensor
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class CompletionTrainer(SFTTrainer):
        """`SFTTrainer` whose loss looks at labelled positions only. For decoders that know `logits_to_keep`."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Tensor],
            return_outputs: bool = False,
            num_items_in_batch: Tensor | int | None = None,
        ) -> Any:
            labels = inputs["labels"]
            # A label at column c is predicted at column c - 1; labels never stand in column 0, which is prompt.
            columns = (labels != -100).any(dim=0).nonzero()[:, 0]  # noqa: PLR2004
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                logits_to_keep=columns - 1,
                use_cache=False,
            )
            targets = labels[:, columns]
            kept = targets != -100  # noqa: PLR2004
            total = cross_entropy(outputs.logits[kept].float(), targets[kept], reduction="sum")
            loss = total / (kept.sum() if num_items_in_batch is None else num_items_in_batch)
            if self.args.average_tokens_across_devices and num_items_in_batch is not None:
                loss = (
                    loss * self.accelerator.num_processes
                )  # the count is over all ranks, whose gradients are averaged
            return (loss, outputs) if return_outputs else loss

    return CompletionTrainer
