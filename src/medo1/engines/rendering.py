"""Conversations as a model's own tokenizer and chat template write them, as text and as tokens.

Needs transformers, and no weights: the transformers engine and the client of a vLLM server render with the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.engines.base import Message


class ChatPrompts:
    """Renders conversations, and writes tokens back as text.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._anchor = _anchor(tokenizer)

    def prompt_text(
        self, messages: Sequence[Message], template_arguments: Mapping[str, Any] | None = None
    ) -> tuple[str, str]:
        """A conversation as the chat template renders it up to the answer, and what of the answer is given.

        A last turn by the assistant is continued: its text follows what the template puts before an answer. (Templates
        may trim or rewrite an assistant's turn; a continued one must stay as it is.)
        """
        given = messages[-1].role == "assistant"
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self.tokenizer.apply_chat_template(
            turns[:-1] if given else turns, tokenize=False, add_generation_prompt=True, **(template_arguments or {})
        )
        return str(text), messages[-1].content if given else ""

    def prompt_ids(self, messages: Sequence[Message], template_arguments: Mapping[str, Any] | None = None) -> list[int]:
        """A conversation's tokens, what is given of the answer included."""
        head, given = self.prompt_text(messages, template_arguments)
        return self.token_ids([head])[0] + (self.continuation_ids([given])[0] if given else [])

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, without any that the tokenizer would add."""
        return [list(ids) for ids in self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def continuation_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts that continue another, each by itself: that is where the model stood when it had written
        it. A space is not put in front of them."""
        if self._anchor is None:
            return self.token_ids(texts)
        text, ids = self._anchor
        return [one[len(ids) :] for one in self.token_ids([text + one for one in texts])]

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens of an answer as text, special ones left out and the space at its beginning kept."""
        return self.texts([tokens])[0]

    def texts(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Several rows of tokens as texts."""
        before, ids = self._anchor or ("", [])
        rows = [[*ids, *row] for row in rows] if ids else rows
        found = self.tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return [text[len(before) :] for text in found] if before else list(found)


def _anchor(tokenizer: Any) -> tuple[str, list[int]] | None:
    """A text and its tokens to put before what continues a text; None where a tokenizer needs none.

    Tokenizers of Llama 2's kind put a space before a text and take it away again. What continues a text must neither
    gain one nor lose its own.
    """

    def back(ids: list[int]) -> str:
        return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def ids_of(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    if back(ids_of(" a")[-1:]) + back(ids_of("a")[-1:]) == back([*ids_of(" a")[-1:], *ids_of("a")[-1:]]):
        return None
    for text in ("\n", ".", "a"):
        ids = ids_of(text)
        if ids_of(f"{text} a")[: len(ids)] == ids and back(ids) == text:
            return text, ids
    return None
