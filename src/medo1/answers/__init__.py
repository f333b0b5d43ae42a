"""Reading the answer out of a text: a letter, an abstention, a conflict, or cut off; never a guess.

Nothing here needs a pipeline. Ranked lists of diagnoses, free of options, are `medo1.differential`.
"""

from medo1.answers.answer import STATUSES, Answer, Status
from medo1.answers.reading import read_answer
from medo1.answers.rules import RULES
from medo1.answers.strict import strict_letter

__all__ = ["RULES", "STATUSES", "Answer", "Status", "read_answer", "strict_letter"]
