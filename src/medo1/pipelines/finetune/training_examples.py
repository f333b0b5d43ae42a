"""Training examples: a question's prompt and a chain as the assistant's completion, with their true lengths.

Lengths are measured before training and nothing is ever cut: a trainer that truncates on the right removes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from medo1.errors import UserError


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One training example; tokens as the model's own chat template and tokenizer count them."""

    question_id: str
    sample: int
    prompt: str
    completion: str
    prompt_tokens: int
    completion_tokens: int


def measured(pairs: Iterable[tuple[str, int, str, str]], tokenizer: Any) -> list[TrainingExample]:
    """Examples with their lengths.

    Args:
        pairs: question id, sample, prompt and completion of each.
        tokenizer: a Hugging Face tokenizer with a chat template.

    Raises:
        UserError: when the template does not render the conversation as its prompt with something after it, in which
            case a loss on the completion alone would fall on the wrong tokens.
    """
    examples = []
    for question_id, sample, prompt, completion in pairs:
        turns = [{"role": "user", "content": prompt}]
        head = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template([*turns, {"role": "assistant", "content": completion}], tokenize=False)
        if not whole.startswith(head):
            raise UserError(
                f"The chat template of {tokenizer.name_or_path or 'this model'} does not render a conversation as its "
                "prompt followed by the assistant's turn, so the loss cannot be kept to the assistant's tokens. "
                "Use a template without text that only the generation prompt has."
            )
        head_tokens = len(tokenizer(head, add_special_tokens=False)["input_ids"])
        all_tokens = len(tokenizer(whole, add_special_tokens=False)["input_ids"])
        examples.append(TrainingExample(question_id, sample, prompt, completion, head_tokens, all_tokens - head_tokens))
    return examples
