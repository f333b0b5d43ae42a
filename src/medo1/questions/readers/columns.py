"""The role of every column of a file: used in the question, kept beside it, known to be no part of it, or unused.

Text that no reader uses may be half of the question (a case, a passage, a fifth option). Where it differs between rows
or is long, reading stops until the caller says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.gold_answers import is_missing

LONG = 200  # characters of a text that is more than a label
_SHORT = 3  # words of a text that says nothing without others beside it
_RESTATES = 0.9  # of a text's words stand in the question, for it to say nothing new
_SHOWN = 60

# columns that say something of a question, by the last word of their name or the whole of it
_ABOUT = frozenset(
    (
     "id", "ids", "idx", "index", "uid", "uuid", "guid", "hash", "key", "pmid", "pubid", "doi", "qid", "aid",
     "number", "no", "num", "nr", "n", "row", "rank", "order", "position", "category", "categories", "subject",
     "subjects", "topic", "topics", "subtopic", "subfield", "field", "fields", "discipline", "disciplines",
     "department", "departments", "specialty", "speciality", "specialties", "area", "areas", "domain", "domains",
     "section", "chapter", "system", "group", "groups", "class", "type", "types", "kind", "level", "levels",
     "difficulty", "competency", "competencies", "skill", "skills", "task", "tasks", "step", "tier", "bloom",
     "source", "sources", "src", "origin", "provenance", "url", "urls", "link", "links", "href", "website", "site",
     "citation", "reference", "references", "ref", "refs", "year", "years", "date", "dates", "time", "timestamp",
     "created",
     "updated", "author", "authors", "writer", "name", "names", "title", "license", "licence", "lang", "language",
     "languages", "country", "region", "city", "state", "locale", "meta", "metadata", "tag", "tags", "keyword",
     "keywords", "split", "fold", "subset", "dataset", "datasets", "benchmark", "exam", "exams", "version",
     "revision", "canary", "score", "scores", "accuracy", "human", "count", "len", "length", "points", "weight",
     "votes", "rating", "flag", "flags", "valid", "status", "comment", "comments", "remark", "note", "notes",
     "annotator", "annotators", "icd", "icd10", "cui", "mesh", "model", "generator", "info", "prob", "probability",
     "confidence", "percentile", "logprob", "tokens", "token", "fach", "thema", "kapitel", "jahr", "quelle",
     "schwierigkeit", "kategorie", "matiere", "annee", "source_name", "gender_bias",
    )
)  # fmt: skip
_ABOUT_FIRST = frozenset({"meta", "metadata", "is", "has", "num", "n", "human", "original", "raw", "creation"})
# columns that explain or answer: long texts that were written with the right answer at hand, or by a model
_BESIDE = frozenset(
    (
     "explanation", "explanations", "exp", "rationale", "rationales", "reasoning", "reason", "analysis", "solution",
     "solutions", "long_answer", "complex_cot", "cot", "chain", "chain_of_thought", "thinking", "thought",
     "thoughts", "response", "responses", "output", "outputs", "completion", "completions", "generation",
     "generations", "prediction", "predictions", "model_output", "raw_output", "teacher_response",
     "deepseek_reasoning", "gemini_reasoning", "critique", "feedback", "hint", "hints", "takeaway",
     "educational_objective", "learning_objective", "answer_explanation", "distilled_answer_string",
     "metamap_phrases", "metamap", "retrieved", "ground_truth", "messages", "conversations", "text_output",
     "explanation_image_url", "erklaerung", "erläuterung", "begründung", "answer_rationale", "author_explanation",
    )
)  # fmt: skip
_CODE = re.compile(r"^\S*[\d_/:#=-]\S*$")  # one word that is no word of a language
_TRUTH = frozenset({"true", "false", "yes", "no", "y", "n", "0", "1"})


@dataclass(frozen=True, slots=True)
class ColumnAccount:
    """What became of a file's columns, each in one of these.

    Attributes:
        used: part of the question.
        beside: kept with it or known to be none of it: an explanation, an id, a subject, a number.
        ignored: left out by the caller.
        unused: anything else; nothing in them differs between rows or is long.
    """

    used: tuple[str, ...]
    beside: tuple[str, ...]
    ignored: tuple[str, ...]
    unused: tuple[str, ...]

    def note(self) -> str:
        """What of the file is not in the questions, for the summary; empty where all of it is."""
        parts = [
            f"{word}: {', '.join(columns)}"
            for word, columns in (
                ("beside the question", self.beside),
                ("ignored", self.ignored),
                ("not used", self.unused),
            )
            if columns
        ]
        return "; ".join(parts)


def accounted(
    rows: Sequence[tuple[Mapping[str, Any], str]],
    columns: Iterable[str],
    *,
    used: frozenset[str],
    beside: frozenset[str],
    ignored: frozenset[str],
) -> ColumnAccount:
    """What becomes of each column.

    Args:
        rows: values of each row that is a question, and all of the question's own text.
        columns: every column of the file, in its order.
        used: columns that the questions are made of.
        beside: columns that the form knows and keeps or leaves out.
        ignored: columns that the caller leaves out.

    Raises:
        QuestionsError: for unused text that may be part of the questions, with what to write.
    """
    found: dict[str, list[str]] = {"used": [], "beside": [], "ignored": [], "unused": []}
    stops: list[tuple[str, str]] = []
    for column in columns:
        if column in used:
            found["used"].append(column)
        elif column in ignored:
            found["ignored"].append(column)
        elif column in beside or column.startswith("_"):
            found["beside"].append(column)
        else:
            shown = _may_belong(column, rows)
            if shown is None:
                known = _says_something_of(column) or _is_beside(column)
                found["beside" if known else "unused"].append(column)
            else:
                stops.append((column, shown))
    if stops:
        _stop(stops)
    return ColumnAccount(*(tuple(found[kind]) for kind in ("used", "beside", "ignored", "unused")))


def _stop(stops: Sequence[tuple[str, str]]) -> None:
    told = "; ".join(f"column {column!r} ({shown})" for column, shown in stops)
    names = ", ".join(column for column, _ in stops)
    raise QuestionsError(
        f"there is text that is not used and may be part of the questions: {told}. Say of each column what it is: "
        f"`context: [{names}]` puts it before the question, `ignore: [{names}]` leaves it out"
    )


def _says_something_of(column: str) -> bool:
    words = [word for word in re.split(r"[^a-z0-9]+", _snake(column)) if word]
    name = "_".join(words)
    if not words or name in _ABOUT or words[-1] in _ABOUT:
        return True
    return words[0] in _ABOUT_FIRST or bool(re.search(r"(?:id|idx|index|name|type|url|date)$", words[-1]))


def _is_beside(column: str) -> bool:
    words = [word for word in re.split(r"[^a-z0-9äöüß]+", _snake(column)) if word]
    return "_".join(words) in _BESIDE or (bool(words) and words[-1] in _BESIDE)


def _snake(column: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()


def _may_belong(column: str, rows: Sequence[tuple[Mapping[str, Any], str]]) -> str | None:
    """An excerpt of a column's text where that may be part of the questions; None where it cannot be."""
    if _is_beside(column):
        return None
    texts: list[tuple[int, str]] = []
    restates = True
    longest = ""
    for place, (values, own) in enumerate(rows):
        text = flat_text(values.get(column))
        if not text or not re.search(r"[^\W\d_]{2}", text) or _is_one_long_word(text):
            continue
        texts.append((place, text))
        longest = max(longest, text, key=len)
        restates = restates and _restated(text, own)
    if not texts or restates:
        return None
    if _says_something_of(column) and len(longest) <= LONG:
        return None
    if all(_CODE.match(text) or text.lower() in _TRUTH for _, text in texts):
        return None
    differs = len({text for _, text in texts}) > 1 or (len(rows) == 1 and len(longest.split()) >= _SHORT)
    differs = differs or (len(texts) < len(rows) and len(longest.split()) >= _SHORT)
    if not differs and len(longest) <= LONG:
        return None
    why = "differs between rows" if differs else f"{len(longest)} characters"
    return f"{why}, such as {longest[:_SHOWN]!r}"


def flat_text(value: Any) -> str:
    """All text of a value, out of lists and objects as well; empty where it holds none."""
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < 10_000:  # noqa: PLR2004
        one = waiting.pop(0)
        if hasattr(one, "tolist"):
            one = one.tolist()
        if isinstance(one, str):
            if not is_missing(one):
                found.append(one.strip())
        elif isinstance(one, Mapping):  # of a table of values, `{"Na": 135}`, the names belong to the text
            waiting = [f"{key} {held}" if isinstance(held, int | float) and not isinstance(held, bool) else held
                       for key, held in one.items()] + waiting  # fmt: skip
        elif isinstance(one, list | tuple):
            waiting = [*one, *waiting]
    return " ".join(found)


def _is_one_long_word(text: str) -> bool:
    return text.isascii() and len(text) > _SHOWN and len(text.split()) == 1


def _restated(text: str, own: str) -> bool:
    words = set(re.findall(r"\w+", text.lower()))
    return bool(words) and len(words & set(re.findall(r"\w+", own.lower()))) >= _RESTATES * len(words)
