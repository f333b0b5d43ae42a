"""Reading the answer out of a text: a letter, an abstention, a conflict, or cut off; never a guess.

`read_answer` reads multiple choice, `read_differential` a ranked list of diagnoses. Nothing here needs a pipeline.
"""

from medo1.answers.answer import RULES, STATUSES, Answer, Status
from medo1.answers.diagnoses import names_of, normalised_diagnosis, same_diagnosis
from medo1.answers.differential import Diagnosis, Differential, read_differential
from medo1.answers.judging import Verdict, judge_prompt, read_verdict
from medo1.answers.reading import read_answer
from medo1.answers.synonyms import SYNONYMS

__all__ = [
    "RULES",
    "STATUSES",
    "SYNONYMS",
    "Answer",
    "Diagnosis",
    "Differential",
    "Status",
    "Verdict",
    "judge_prompt",
    "names_of",
    "normalised_diagnosis",
    "read_answer",
    "read_differential",
    "read_verdict",
    "same_diagnosis",
]
