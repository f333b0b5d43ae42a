"""Supervised fine-tuning of a causal language model on chains: LoRA, QLoRA or all weights. Kedro is not needed here."""
