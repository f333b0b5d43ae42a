"""medo1: inference-time scaling for medical reasoning, runnable end to end.

The runnable form of *O1 Replication Journey, Part 3: Inference-time Scaling for Medical Reasoning*
(arXiv 2501.06458), built as a Kedro project. Importing the package imports nothing heavy.

Public are the modules in `__all__`, with the names in theirs; docs/upgrading.md says what that promises.
"""

__all__ = ["answers", "chains", "datasets", "differential", "engines", "questions"]

__version__ = "0.1.0"
