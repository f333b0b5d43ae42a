"""TRL's trainer with its tokens counted, and one that scores the completion's tokens and no others.

On a CPU TRL's trainer runs the output layer over every position, prompts and padding included, and computes entropy and
top-1 accuracy of each: more than half of the time. Here logits are computed only at labelled positions. The
loss is the same sum over the same tokens, so the trained weights are the same but for the order of additions. On a GPU
TRL's fused head is the better one: it never holds all logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from medo1.training.templates import IGNORED


def filler_count(examples: int, at_once: int) -> int:
    """Rows without a loss that bring a number of examples up to a multiple of what all devices take at once.

    Without them the last batch of an epoch would be filled up with examples that were seen already.
    """
    return -examples % at_once


def fillers_last(examples: int, fillers: int, seed: int) -> Any:
    """A sampler: in every epoch the order of the examples that one device draws, and then the fillers."""
    from accelerate.data_loader import SeedableRandomSampler
    from torch.utils.data import Sampler

    class FillersLast(Sampler[int]):
        def __init__(self) -> None:
            self._shuffled = SeedableRandomSampler(range(examples), data_seed=seed)

        def set_epoch(self, epoch: int) -> None:
            self._shuffled.set_epoch(epoch)

        def __len__(self) -> int:
            return examples + fillers

        def __iter__(self) -> Iterator[int]:
            yield from self._shuffled
            yield from range(examples, examples + fillers)

    return FillersLast()


def trainer_class(positions: Literal["completion", "all"]) -> type[Any]:
    """A subclass of TRL's `SFTTrainer`; made here so that importing this module imports nothing heavy.

    Args:
        positions: where logits are computed: `completion`, for decoders that know `logits_to_keep`, or `all`.
    """
    from torch import Tensor
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class CountingTrainer(SFTTrainer):
        """`SFTTrainer` that knows how many tokens it has trained on: `seen_tokens`, of this process; and how many rows
        at the end of its data are `fillers`, which are drawn last in every epoch."""

        chat: Any = None
        seen_tokens = 0
        fillers = 0

        def training_step(self, model: Any, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Tensor:
            mask = inputs.get("attention_mask")
            real = (inputs["labels"] != IGNORED).any(dim=1, keepdim=True)
            self.seen_tokens += int(inputs["input_ids"].numel() if mask is None else (mask * real).sum())
            return super().training_step(model, inputs, *args, **kwargs)

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            if not self.fillers:
                return super()._get_train_sampler(train_dataset)
            rows = len(self.train_dataset if train_dataset is None else train_dataset)
            return fillers_last(rows - self.fillers, self.fillers, self.args.data_seed)

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
