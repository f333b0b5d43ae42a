"""Tokenizers for models trained from scratch: one for the embedded world, one for real text, with one chat template.

Both are real `Qwen2Tokenizer`s, because `AutoTokenizer` loads every directory whose model is a Qwen2 as one and puts
that class's own way of splitting in place of whatever the directory holds (transformers 5.19). Below them are single
bytes, so that any text (in Unicode's composed form, NFC) is encoded and decoded without loss.

The world's tokenizer holds its words as added tokens, and each option line whole (`\\nB. okaritis`): with letter, full
stop and name apart a network of two layers never learned to give back the letter that stands before a name, and every
arm stayed at chance although the chain named the right disease.

A saved directory is loaded with `AutoTokenizer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TURN_START, TURN_END, PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
SPECIAL_TOKENS = (PAD, TURN_START, TURN_END)

# Nothing stands after the last turn's end token, so that nothing but the answer and its end is learned or generated.
# The generation markers let a trainer put its loss on the assistant's turns alone.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- ('' if loop.first else '\\n') + '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}"
    "{%- else -%}"
    "{{- message['content'] + '<|im_end|>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '\\n<|im_start|>assistant\\n' -}}{%- endif -%}"
)

# What becomes one token of the world: the head of a turn, an option line, a letter in brackets, a word or number with
# the space before it. Signs and line ends are bytes, which are tokens anyway.
WORLD_PIECES = re.compile(
    r"(?:system|user|assistant)\n"
    r"|\n[A-Z]\. [a-z]+(?=\n)"
    r"| \([A-Z]\)"
    r"| ?[A-Za-z]+"
    r"| ?[0-9]"
)


def chat_text(user: str, assistant: str | None = None) -> str:
    """One exchange as the chat template renders it; without an answer, the prompt up to where one starts."""
    prompt = f"{TURN_START}user\n{user}{TURN_END}\n{TURN_START}assistant\n"
    return prompt if assistant is None else f"{prompt}{assistant}{TURN_END}"


def world_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer that holds each piece of these texts as one token, and single bytes for everything else.

    Args:
        texts: texts that between them hold every word of the world in every form in which it is used.
    """
    from tokenizers import AddedToken

    pieces = {piece for text in texts for part in _between_specials(text) for piece in WORLD_PIECES.findall(part)}
    tokenizer = _qwen2_tokenizer({}, [])
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=False) for piece in sorted(pieces) if piece[1:]])
    return tokenizer


def text_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on real texts.

    Args:
        texts: what to learn the merges from.
        vocabulary: tokens in all, special tokens and the 256 bytes included.
    """
    import json

    from tokenizers import pre_tokenizers, trainers

    backend = _qwen2_tokenizer({}, []).backend_tokenizer
    backend.train_from_iterator(
        (part for text in texts for part in _between_specials(text)),
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    trained = json.loads(backend.to_str())["model"]
    return _qwen2_tokenizer(trained["vocab"], [tuple(merge) for merge in trained["merges"]])


def _between_specials(text: str) -> list[str]:
    for special in SPECIAL_TOKENS:
        text = text.replace(special, PAD)
    return [part for part in text.split(PAD) if part]


def _qwen2_tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    """A tokenizer of these tokens; of the special tokens and the bytes alone where there are none."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    if not vocabulary:
        tokens = [*SPECIAL_TOKENS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
        vocabulary = {token: place for place, token in enumerate(tokens)}
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        unk_token=PAD,
        eos_token=TURN_END,
        pad_token=PAD,
        additional_special_tokens=[TURN_START],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
