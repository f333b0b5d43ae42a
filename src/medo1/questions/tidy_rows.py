"""Rows with their columns under the names that the forms know: nested rows flattened, other spellings of a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.questions.readers.form import GOLDS, IMAGES, OPTIONS, STEMS
from medo1.questions.record_files import FileRecord

_NESTED = ("data", "row", "doc", "fields", "item", "sample", "question")
# names that forms look for, beside the usual ones; a name is the same in any case and with spaces, hyphens, underscores
_FORMS_OWN = (
    "Complex_CoT", "Response", "final_decision", "context", "contexts", "labels", "long_answer", "link", "diagnosis",
    "explanation", "exp", "subject", "subject_name", "topic_name", "category", "id", "meta_info", "split", "benchmark",
    "dataset", "dataset_name", "difficulty", "opa", "opb", "opc", "opd", "ope", "distractor1", "distractor2",
    "distractor3", "incorrect_answer_1", "incorrect_answer_2", "incorrect_answer_3", "reasoning", "thinking",
)  # fmt: skip
_KNOWN = {name.lower(): name for name in (*STEMS, *OPTIONS, *GOLDS, *IMAGES, *_FORMS_OWN)}
_LETTERS = {chr(ord("a") + place): chr(ord("A") + place) for place in range(10)}


def tidied(rows: Sequence[FileRecord], *, plain: bool = False) -> tuple[list[FileRecord], dict[str, str]]:
    """Rows as forms read them, and of each column that got another name the one that it has in the file.

    Args:
        rows: as they were read.
        plain: the columns keep their own names: a mapping names them.
    """
    if plain:
        return list(rows), {}
    flat = [FileRecord(row.number, _opened(row.values)) for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row.values))
    names = _names(columns)
    if not names:
        return flat, {}
    renamed = [FileRecord(row.number, _renamed(row.values, names)) for row in flat]
    return renamed, {known: own for own, known in names.items() if known not in columns}


def _opened(values: dict[str, Any]) -> dict[str, Any]:
    """A row whose content stands one level down (`{"data": {"Question": ...}}`) laid flat."""
    for name in _NESTED:
        inner = values.get(name)
        if isinstance(inner, Mapping) and any(str(column).lower() in STEMS for column in inner):
            return {**{column: value for column, value in values.items() if column != name}, **inner}
    return values


def _renamed(values: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A row under the known names, but where one of its own columns has that name already."""
    return {
        names[column] if column in names and names[column] not in values else column: value
        for column, value in values.items()
    }


def _names(columns: Sequence[str]) -> dict[str, str]:
    """Column to the name that forms know it by, where that differs and is free."""
    found: dict[str, str] = {}
    letters = [column for column in columns if column in _LETTERS]
    for column in columns:
        folded = "_".join(str(column).strip().lower().replace("-", " ").replace("_", " ").split())
        known = _KNOWN.get(folded)
        if known is None and column in letters and len(letters) > 1:
            known = _LETTERS[column]
        if known is not None and known != column and known not in found.values():
            found[column] = known
    return found
