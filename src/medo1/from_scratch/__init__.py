"""Tiny models that are trained from scratch in a minute or two: the loop, and tokenizers with one chat template."""
