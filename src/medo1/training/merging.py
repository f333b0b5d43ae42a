"""An adapter merged into its base. The sum is computed in float32 and checked; the cast comes last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.training.templates import source_of, tokenizer_of

TOLERANCE = 1e-3  # of the largest logit: what the order of additions in float32 may change
_PROBE = 64  # tokens


def merge_adapter(model: Model, adapter: Path, output: Path, dtype: str = "float32") -> float:
    """Write base and adapter as one model directory.

    Args:
        model: the base that the adapter was trained on.
        adapter: its directory.
        output: a directory that is empty or absent.
        dtype: of the weights that are written: `float32`, `bfloat16` or `float16`.

    Returns:
        The largest difference between the logits of the merged model and of base with adapter, in float32.

    Raises:
        UserError: the two differ by more than rounding, the merged model answers as its base, or the base shares the
            weights of its output layer and the merge would part them.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    source, revision = source_of(model)
    base = AutoModelForCausalLM.from_pretrained(
        source, revision=revision, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    ).eval()
    tied = _is_tied(base)
    count = base.get_input_embeddings().weight.shape[0]
    probe = torch.arange(_PROBE)[None] * 7919 % count  # some tokens; a prime spreads them over the vocabulary
    with torch.inference_mode():
        before = base(probe).logits
    student = PeftModel.from_pretrained(base, str(adapter)).eval()
    with torch.inference_mode():
        beside = student(probe).logits
    merged = student.merge_and_unload(safe_merge=True)
    with torch.inference_mode():
        after = merged(probe).logits
    difference, scale = float((after - beside).abs().max()), float(beside.abs().max())
    if difference > TOLERANCE * max(scale, 1.0):
        raise UserError(
            f"The merged model's logits differ by {difference:.4g} from those of base and adapter (largest logit "
            f"{scale:.4g}): the adapter is more than a sum of matrices. Serve it beside its base instead."
        )
    if bool((beside == before).all()):
        raise UserError(f"The adapter {adapter} changes nothing: base and adapter give the same logits.")
    if tied and not _is_tied(merged):
        raise UserError(
            "The base shares the weights of its embedding and its output layer, and the merge has parted them: a "
            "loader would throw one of the two away. Train an adapter without embed_tokens and lm_head."
        )
    merged.to(getattr(torch, dtype)).save_pretrained(str(output), safe_serialization=True)
    tokenizer_of(model).save_pretrained(str(output))
    return difference


def _is_tied(model: Any) -> bool:
    head = model.get_output_embeddings()
    return head is not None and head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
