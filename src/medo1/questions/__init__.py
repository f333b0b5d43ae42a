"""What a question is: its content, its identity, its rendering as a prompt, and the readers of benchmark files."""

from medo1.questions.benchmark_reading import BenchmarkReading, read_benchmark, read_questions
from medo1.questions.free_form import FreeForm, free_form, free_form_prompt
from medo1.questions.hub import read_hub
from medo1.questions.question import Question, normalised, question_id
from medo1.questions.question_errors import MissingTextError, QuestionsError, RejectedRow
from medo1.questions.question_table import letter_as_read, order_rows, question_rows, questions_from
from medo1.questions.readers import FORMS
from medo1.questions.readers.form import FileHints
from medo1.questions.readers.mapping import ColumnMapping
from medo1.questions.rendering import Shuffled, as_asked, prompt_text, question_text, shuffled
from medo1.questions.repeats import RepeatGroup, audit_questions, without_duplicates

__all__ = [
    "FORMS",
    "BenchmarkReading",
    "ColumnMapping",
    "FileHints",
    "FreeForm",
    "MissingTextError",
    "Question",
    "QuestionsError",
    "RejectedRow",
    "RepeatGroup",
    "Shuffled",
    "as_asked",
    "audit_questions",
    "free_form",
    "free_form_prompt",
    "letter_as_read",
    "normalised",
    "order_rows",
    "prompt_text",
    "question_id",
    "question_rows",
    "question_text",
    "questions_from",
    "read_benchmark",
    "read_hub",
    "read_questions",
    "shuffled",
    "without_duplicates",
]
