"""Reading the answer out of a text: a letter, an abstention, a conflict, or cut off; never a guess."""

from medo1.answers.answer import RULES, STATUSES, Answer, Status
from medo1.answers.reading import read_answer

__all__ = ["RULES", "STATUSES", "Answer", "Status", "read_answer"]
