"""Free-form answers: ranked lists of diagnoses, equivalence of names, and a judge for names that differ."""

from medo1.differential.diagnoses import names_of, normalised_diagnosis, same_diagnosis
from medo1.differential.ranked import Diagnosis, Differential, read_differential
from medo1.differential.synonyms import SYNONYMS
from medo1.differential.verdicts import Verdict, judge_prompt, read_verdict

__all__ = [
    "SYNONYMS",
    "Diagnosis",
    "Differential",
    "Verdict",
    "judge_prompt",
    "names_of",
    "normalised_diagnosis",
    "read_differential",
    "read_verdict",
    "same_diagnosis",
]
