"""Reading the answer out of a text: a letter, an abstention, a conflict, or cut off; never a guess."""

from medo1.answers.reading import Answer, read_answer

__all__ = ["Answer", "read_answer"]
