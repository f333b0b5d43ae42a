"""Bring your own chains: reasoning that exists already, in place of a teacher."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.answers import read_answer
from medo1.errors import MissingFileError
from medo1.questions import Question, normalised, read_questions
from medo1.questions.record_files import read_rows


@dataclass(frozen=True, slots=True)
class ChainColumns:
    """Where in a file's rows a chain stands.

    Attributes:
        form: form of the file's questions; None recognises it.
        reasoning: field that holds the reasoning; None where there is none.
        answer: field that holds the final response.
        mapping: columns of the questions, for a file of one's own (`medo1.questions.ColumnMapping`).
    """

    form: str | None
    reasoning: str | None
    answer: str
    mapping: Mapping[str, Any] | None = None


def imported_chains(
    path: Path, fields: ChainColumns, wanted: set[str], format: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Chains of a file's rows.

    A chain is a row's reasoning, its answer, and the line `Final answer: X`, which is added where the line is missing
    and the answer states an option or names one alone. X is what the answer says, never the gold letter.

    Args:
        path: a file of any kind that questions are read from.
        fields: where in a row the parts stand.
        wanted: ids of the questions to take; a row of another question is left where it is.
        format: the chains' format.

    Returns:
        Rows for `CHAINS`, and rows for `CHAINS_REJECTED`: rows without a text, rows beyond the first of a question, and
        questions of which the file has no row.

    Raises:
        MissingFileError, QuestionsError: naming the file and what is missing in it.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path} to import {format} chains from.")
    questions, _ = read_questions(path, fields.form, benchmark="imported", split="train", mapping=fields.mapping)
    rows = {row.number: row.values for row in read_rows(path)[0]}
    chains: dict[str, dict[str, Any]] = {}
    rejected = []
    for question in questions:
        if question.question_id not in wanted:
            continue
        row = rows[_row_number(question)]
        text, problem = _chain_text(row, question, fields)
        keys = {"question_id": question.question_id, "format": format, "sample": 0}
        if question.question_id in chains:
            problem = "a second chain for the same question"
        if problem:
            rejected.append({**keys, "reason": f"{question.source}: {problem}", "content": text})
            continue
        chains[question.question_id] = {
            **keys,
            "text": text,
            "finish_reason": "stop",
            "completion_tokens": None,
            "teacher": f"imported:{path.name}",
            "guided": False,
            "request_id": "",
            "request_ids": [],
        }
    told = set(chains) | {row["question_id"] for row in rejected}
    rejected.extend(
        {
            "question_id": question_id,
            "format": format,
            "sample": 0,
            "reason": f"{path.name} has no chain for this question",
            "content": "",
        }
        for question_id in sorted(wanted - told)
    )
    return list(chains.values()), rejected


def _chain_text(row: dict[str, Any], question: Question, fields: ChainColumns) -> tuple[str, str | None]:
    missing = [field for field in (fields.reasoning, fields.answer) if field and not str(row.get(field) or "").strip()]
    if missing:
        return "", f"field {', '.join(missing)} is missing or empty"
    reply = str(row[fields.answer]).strip()
    parts = [str(row[fields.reasoning]).strip(), reply] if fields.reasoning else [reply]
    text = "\n\n".join(parts)
    letter = read_answer(reply, question.options, "stop").letter or only_option_named(reply, question.options)
    if letter and "final answer" not in reply.lower():
        text += f"\n\nFinal answer: {letter}"
    return text, None


def only_option_named(reply: str, options: Mapping[str, str]) -> str | None:
    """The letter of the one option whose text stands in a reply, word for word; None where none or several do.

    Recorded replies often answer in prose, without a letter. This is no reading of an answer (a reply can name an
    option to rule it out), so it serves to import a chain, which the filters then hold against the gold answer, and
    never to score one.

    Args:
        reply: the row's own answer.
        options: letter to text.
    """
    told = _words(reply)
    named = {letter: words for letter, text in options.items() if (words := _words(text)).strip() and words in told}
    # `vitamin D` stands in `vitamin D deficiency`: the longer one is meant.
    whole = [a for a, words in named.items() if not any(words != other and words in other for other in named.values())]
    return whole[0] if len(whole) == 1 else None


def _words(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9]+', ' ', normalised(text)).strip()} "


def _row_number(question: Question) -> int:
    return int(question.source.rpartition(":")[2])
