"""Reading the answer out of a text: a letter, an abstention, a conflict, or cut off; never a guess."""

from medo1.answers.reading import Answer, Status, read_answer

__all__ = ["Answer", "Status", "read_answer"]
