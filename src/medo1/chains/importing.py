"""Bring your own chains: existing reasoning in place of a teacher."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

from medo1.answers import read_answer
from medo1.chains.chain_files import ChainColumns, RowChain, chain_of, check_columns
from medo1.chains.formats import FORMATS, parsed
from medo1.chains.prose import concluded_option
from medo1.errors import MissingFileError
from medo1.questions import Question, normalised, question_id
from medo1.questions.near_copies import NearCopyIndex
from medo1.questions.question_errors import RowError, excerpt
from medo1.questions.readers.form import layout_of
from medo1.questions.readers.jama import article
from medo1.questions.readers.mapping import as_mapping
from medo1.questions.readers.option_texts import LabelledOptions, trailing_options
from medo1.questions.record_files import FileRecord, read_parts
from medo1.questions.tidy_rows import tidied

__all__ = ["ChainColumns", "imported_chains"]

NEAR = 0.8  # of a question's weight must stand in a text for the two to be looked at
SAME_WORDS = 0.93  # of a question's words must stand in a text in their order for the two to be joined
_IDS = ("question_id", "id", "qid", "uid")
# what keeps a text from being of its format, whatever it answers
_OF_ANOTHER_FORMAT = frozenset(
    {"no_steps", "too_few_steps", "steps_out_of_order", "empty_step", "is_a_list", "no_second_thought", "no_dead_end"}
)


def imported_chains(
    path: Path, columns: ChainColumns, questions: Sequence[Question], format: str, *, written_as: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Chains of a file's rows for the questions that they belong to.

    A chain is a row's reasoning, its answer, and the line `Final answer: X`, which is added where the line is missing
    and the answer states an option or names one alone. X is what the answer says, never the gold letter. A row finds
    its question by id, by link, by the same stem and options, or by a stem that says nearly the same.

    Args:
        path: a file of any kind that questions are read from.
        columns: where in a row the parts stand.
        questions: those that chains are wanted for.
        format: the chains' format.
        written_as: the format whose shape they must have; None: not checked.

    Returns:
        Rows for `CHAINS`, and rows for `CHAINS_REJECTED`: rows without a text, of an unknown question, of another
        format or with options in another order, rows beyond the first of a question, and questions without a row.

    Raises:
        MissingFileError, QuestionsError: naming the file and what is missing in it.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path} to import {format} chains from.")
    parts = read_parts(path)
    check_columns(path.name, [row.values for part in parts for row in part.rows], columns)
    rejected: list[dict[str, Any]] = []
    found: list[tuple[str, FileRecord, RowChain, LabelledOptions | None, str]] = []

    def reject(question: str, source: str, problem: str, content: str) -> None:
        rejected.append(_rejected(question, format, f"{source}: {problem}", content))

    for part in parts:
        for bad in part.rejected:
            reject("", f"{bad.file}:{bad.row}", bad.reason, bad.content)
        for row, (stem, options) in zip(part.rows, _questions_in(part.rows, columns), strict=True):
            source = f"{part.title}:{row.number}"
            try:
                found.append((source, row, chain_of(row.values, columns), options, stem))
            except RowError as error:
                reject("", source, str(error), excerpt(row.values))
    finder = _Finder(questions)
    finder.look_near([stem or chain.question for _, _, chain, _, stem in found])
    chains: dict[str, dict[str, Any]] = {}
    for source, row, chain, options, stem in found:
        matched = finder.question_of(row.values, chain, stem, options)
        if matched.question is None:
            reject("", source, matched.problem, excerpt(chain.question or row.values))
            continue
        question = matched.question
        text = chain_text(chain, question)
        problem = _problem(row.values, question, options, text, format, written_as, chain.thought)
        if problem is None and question.question_id in chains:
            problem = "a second chain for the same question"
        if problem is not None:
            reject(question.question_id, source, problem, text)
            continue
        chains[question.question_id] = {
            "question_id": question.question_id,
            "format": format,
            "sample": 0,
            "text": text,
            "finish_reason": "stop",
            "completion_tokens": None,
            "teacher": f"imported:{path.name}",
            "guided": False,
            "request_id": "",
            "request_ids": [],
        }
    told = set(chains) | {row["question_id"] for row in rejected}
    missing = sorted({question.question_id for question in questions} - told)
    reason = f"{path.name} has no chain for this question"
    rejected.extend(_rejected(question_id, format, reason, "") for question_id in missing)
    return list(chains.values()), rejected


def _rejected(question: str, format: str, reason: str, content: str) -> dict[str, Any]:
    return {"question_id": question, "format": format, "sample": 0, "reason": reason, "content": content}


def _questions_in(rows: Sequence[FileRecord], columns: ChainColumns) -> list[tuple[str, LabelledOptions | None]]:
    """Stem and options of each row, where the file holds questions; an empty stem where not."""
    layout = None
    if columns.mapping is not None:
        layout, tidy = as_mapping(columns.mapping).layout(), list(rows)
    else:
        tidy, _ = tidied(rows)
        layout = layout_of([row.values for row in tidy], stem=columns.question)
    read: list[tuple[str, LabelledOptions | None]] = []
    for row in tidy:
        stem, options = "", None
        if layout is not None:
            try:
                options = layout.read_options(row.values)
                stem = layout.read_stem(row.values, options)
            except RowError:
                pass
        read.append((stem, options))
    return read


class _Match(NamedTuple):
    question: Question | None
    problem: str = ""


class _Finder:
    """The question that a row's chain belongs to."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = list(questions)
        self._by_id = {question.question_id: question for question in questions}
        self._by_link = {
            _link(question.extra["link"]): question for question in questions if question.extra.get("link")
        }
        self._by_stem: dict[str, list[Question]] = {}
        for question in questions:
            self._by_stem.setdefault(normalised(question.stem), []).append(question)
        self._near: dict[str, list[Question]] = {}

    def look_near(self, texts: Sequence[str]) -> None:
        """Finds near-copies for all texts at once that are no question's stem."""
        left = sorted({text for text in texts if text and normalised(text) not in self._by_stem})
        if not left or not self._questions:
            return
        index = NearCopyIndex([question.stem for question in self._questions])
        for copy in index.found(left):
            question = self._questions[copy.question]
            if copy.of_question >= NEAR and _says_the_same(question.stem, left[copy.text]):
                self._near.setdefault(left[copy.text], []).append(question)

    def question_of(  # noqa: PLR0911  (a way of joining each)
        self, values: Mapping[str, Any], chain: RowChain, stem: str, options: LabelledOptions | None
    ) -> _Match:
        """The one question, or why there is none."""
        for name in _IDS:
            known = self._by_id.get(str(values.get(name, "")))
            if known is not None:
                return _Match(known)
        asked = stem or chain.question
        if asked in self._by_id:
            return _Match(self._by_id[asked])
        for link in (chain.question, str(values.get("link") or ""), str(values.get("url") or "")):
            known = self._by_link.get(_link(link)) if link.startswith(("http://", "https://")) else None
            if known is not None:
                return _Match(known)
        if stem and options is not None:
            known = self._by_id.get(question_id(stem, options.texts))
            if known is not None:
                return _Match(known)
        if not asked:
            return _Match(None, "the row names no question: name its field with question")
        same = self._by_stem.get(normalised(asked)) or self._near.get(asked) or []
        if options is not None and len(same) > 1:
            same = [question for question in same if _texts(question.options) == _texts(options.texts)] or same
        if len(same) == 1:
            return _Match(same[0])
        if same:
            return _Match(
                None, f"{len(same)} questions say nearly the same as its question: which is meant cannot be told"
            )
        return _Match(None, "its question is none of the training questions")


def _says_the_same(stem: str, text: str) -> bool:
    """Whether a text holds a question nearly word for word, with all of its numbers."""
    asked, told = _words(stem).split(), _words(text).split()
    if f" {' '.join(asked)} " in f" {' '.join(told)} ":
        return True
    if not {word for word in asked if word[0].isdigit()} <= set(told):
        return False
    blocks = SequenceMatcher(None, asked, told, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= SAME_WORDS * len(asked)


def _link(link: str) -> str:
    try:
        return article(link)
    except RowError:
        return link.strip().rstrip("/").lower()


def _texts(options: Mapping[str, str]) -> list[str]:
    return sorted(normalised(text) for text in options.values())


def _problem(
    values: Mapping[str, Any],
    question: Question,
    options: LabelledOptions | None,
    text: str,
    format: str,
    written_as: str | None,
    thought: str,
) -> str | None:
    """Why a chain cannot be taken for its question."""
    said = str(values.get("format") or "").strip().lower()
    if said in FORMATS and said != (written_as or format):
        return f"its format is {said}, not {written_as or format}"
    own = options or _asked_options(values)
    if own is not None and list(map(normalised, own.texts.values())) != list(
        map(normalised, question.options.values())
    ):
        if _texts(own.texts) != _texts(question.options):
            return "its options are others than the question's"
        return "its options stand in another order than the question's: the letters in it would name others"
    if written_as is not None and written_as in FORMATS:
        problems = parsed(written_as, thought or text, question.options)[1]
        found = next((problem for problem in problems if problem.code in _OF_ANOTHER_FORMAT), None)
        if found is not None:
            return f"it is no {written_as} chain: {found.text}"
    return None


def _asked_options(values: Mapping[str, Any]) -> LabelledOptions | None:
    """The options that a prompt shows, where the row holds them nowhere else."""
    for value in values.values():
        if isinstance(value, str) and "\n" in value:
            found = trailing_options(value)
            if found is not None:
                return found[1]
    return None


def chain_text(chain: RowChain, question: Question) -> str:
    """A chain's text: the thought, the reply, and the line with the letter that the reply states.

    Recorded replies often answer in prose, without a letter; then the one option that the reply concludes on, by its
    text, gives the line.
    """
    text = "\n\n".join(part for part in (chain.thought, chain.reply) if part)
    letter = read_answer(chain.reply, question.options, "stop").letter
    if letter is None and (told := concluded_option(chain.reply, question.stem, question.options)) is not None:
        letter = told.letter
    if letter and "final answer" not in chain.reply.lower():
        text += f"\n\nFinal answer: {letter}"
    return text


def _words(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9]+', ' ', normalised(text)).strip()} "
