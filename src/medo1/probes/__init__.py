"""Probes: questions derived from others, to see whether reasoning carries a score."""

from medo1.probes.changed_step import StatedConclusion, changed_step, faithfulness_rows
from medo1.probes.comparing import probe_rows
from medo1.probes.deriving import ProbeQuestion, probe_questions
from medo1.probes.specs import PROBES, QUESTION_PROBES, Probe, ProbeSpec

__all__ = [
    "PROBES",
    "QUESTION_PROBES",
    "Probe",
    "ProbeQuestion",
    "ProbeSpec",
    "StatedConclusion",
    "changed_step",
    "faithfulness_rows",
    "probe_questions",
    "probe_rows",
]
