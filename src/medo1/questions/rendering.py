"""One rendering of a question as a prompt, used for every model and every arm."""

from __future__ import annotations

from medo1.questions.question import Question


def question_text(question: Question) -> str:
    """Stem and lettered options, one option a line:

    <stem>
    A. <text>
    B. <text>
    """
    options = "\n".join(f"{letter}. {text}" for letter, text in question.options.items())
    return f"{question.stem.strip()}\n{options}"


def prompt_text(question: Question, request: str) -> str:
    """The user's message: the question, then what is asked of the model (`request`, from a prompt file)."""
    return f"{question_text(question)}\n{request.strip()}"
