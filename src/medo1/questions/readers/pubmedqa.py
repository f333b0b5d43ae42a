"""PubMedQA: yes, no or maybe to a question about an abstract.

The authors' JSON holds records under their PubMed number (QUESTION, CONTEXTS, final_decision), the hub's rows have
question, context and final_decision. The abstract comes before the question in the stem. The 500 of the official test
are a list of ids (`split_ids`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.questions.question_errors import RowError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    Prepared,
    RawQuestion,
    RowsSample,
    extra_of,
    is_missing,
    text_of,
)
from medo1.questions.record_files import KEY

OPTIONS = {"A": "yes", "B": "no", "C": "maybe"}
_USED = frozenset({"question", "context", "contexts", "final_decision", "labels"})
_BESIDE = frozenset({"long_answer", "pubid", KEY, "meshes", "year", "reasoning_required_pred", "reasoning_free_pred"})


def _recognise(sample: RowsSample) -> str | None:
    if "final_decision" not in sample.columns or "question" not in sample.columns:
        return None
    if "contexts" in sample.columns:
        return "columns QUESTION, CONTEXTS, final_decision"
    return "columns question, context, final_decision" if "context" in sample.columns else None


def _abstract(values: Mapping[str, Any]) -> str:
    """The abstract's parts, each under its heading where it has one."""
    context: Any = values.get("contexts", values.get("context"))
    labels = values.get("labels")
    if isinstance(context, Mapping):
        context, labels = context.get("contexts"), context.get("labels")
    if isinstance(context, str):
        context = [context]
    if is_missing(context) or not context:
        raise RowError("the abstract is empty")
    if not isinstance(context, Sequence) or not all(isinstance(part, str) for part in context):
        raise RowError(f"the abstract is {type(context).__name__}, expected a text or a list of texts")
    parts = [part.strip() for part in context]
    if not isinstance(labels, Sequence | None):
        raise RowError(f"the abstract's 'labels' is {type(labels).__name__}, expected a list of headings")
    if labels is not None and len(labels) == len(parts):
        parts = [f"{str(label).strip().upper()}: {part}" for label, part in zip(labels, parts, strict=True)]
    return "\n".join(parts)


def _read(values: dict[str, Any]) -> RawQuestion:
    question = text_of(values, "question")
    decision = text_of(values, "final_decision").lower()
    gold = next((letter for letter, text in OPTIONS.items() if text == decision), None)
    if gold is None:
        raise RowError(f"'final_decision' is {decision[:40]!r}, expected yes, no or maybe")
    extra = extra_of(values, pubid=KEY, explanation="long_answer") | extra_of(values, pubid="pubid")
    return RawQuestion(f"{_abstract(values)}\n\n{question}", dict(OPTIONS), gold, extra=extra)


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    return Prepared(_read, _USED, _BESIDE)


FORM = Form("pubmedqa", "test", "question, context, final_decision", _recognise, _prepare)
