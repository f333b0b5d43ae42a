"""What a question is: its content, its identity, its rendering as a prompt, and the readers of benchmark files."""

from medo1.questions.question import Question, normalised, question_id
from medo1.questions.reading import Rejected, read_questions
from medo1.questions.rendering import prompt_text, question_text
from medo1.questions.table import question_rows, questions_from

__all__ = [
    "Question",
    "Rejected",
    "normalised",
    "prompt_text",
    "question_id",
    "question_rows",
    "question_text",
    "questions_from",
    "read_questions",
]
