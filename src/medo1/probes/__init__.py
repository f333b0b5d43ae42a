"""Probes: questions derived from others, to see whether reasoning carries a score."""

from medo1.probes.comparing import probe_rows
from medo1.probes.deriving import ProbeQuestion, probe_questions
from medo1.probes.specs import PROBES, Probe, ProbeSpec

__all__ = ["PROBES", "Probe", "ProbeQuestion", "ProbeSpec", "probe_questions", "probe_rows"]
