"""Prompts of the stages: files with placeholders, filled once.

A prompt is a text with `{{question}}`, the name of an earlier stage (`{{strong}}`, its answer), `{{strong.thought}}`
(its thought and its answer, where the server returns the thought; else its answer), `{{tree.walk}}` (a tree walked
depth-first), `{{reason}}` (why a chain is retried) or `{{gold}}` (the right option; only where answer-guided
rewriting is allowed). A prompt without `{{question}}` is put after the question. Inserted text is never
searched for placeholders: a model's text is not trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from medo1.errors import UserError
from medo1.questions import Question, prompt_text, question_text

PLACE = re.compile(r"\{\{\s*([a-z_][a-z0-9_.]*)\s*\}\}")


def places(prompt: str) -> set[str]:
    """The names of a prompt's placeholders."""
    return set(PLACE.findall(prompt))


def filled(prompt: str, question: Question, values: Mapping[str, str]) -> str:
    """A prompt for one question; `values` by placeholder."""
    known = {"question": question_text(question), **values}
    if "question" not in places(prompt):
        return prompt_text(question, substituted(prompt, known))
    return substituted(prompt, known)


def substituted(prompt: str, values: Mapping[str, str]) -> str:
    """A prompt with its placeholders replaced, in one pass."""
    return PLACE.sub(lambda place: values[place[1]], prompt).strip()


def checked_prompts(prompts: Mapping[str, str], needed: Mapping[str, set[str]], where: str, *, gold: bool) -> None:
    """Refuse prompts that are missing, or ask for what they cannot have.

    Args:
        prompts: by name.
        needed: prompt name to the placeholders that it may use.
        where: the folder, for the message.
        gold: whether the right answer may be shown.

    Raises:
        UserError: naming the file and the placeholder.
    """
    for name, allowed in needed.items():
        if name not in prompts:
            raise UserError(f"{where}: there is no prompt {name}.md (found: {', '.join(sorted(prompts)) or 'none'})")
        used = places(prompts[name])
        if "gold" in used and not gold:
            raise UserError(
                f"{where}/{name}.md shows the teacher the right answer ({{{{gold}}}}). Set answer_guided: true if that "
                "is meant (the chains are marked), or take it out"
            )
        if unknown := used - allowed - {"question", "gold"}:
            raise UserError(
                f"{where}/{name}.md uses {{{{{sorted(unknown)[0]}}}}}, which is not there at this stage; it may use: "
                f"{', '.join(sorted(allowed | {'question'}))}"
            )
