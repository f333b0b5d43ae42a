"""Reading the answer that a text states.

Four steps: the part of the text that stands outside its thinking; the statements in it, and where there are none a
bare letter or a conclusion; which of them holds; whether the text's end leaves it standing. Nothing is ever guessed:
there is no default letter, and no likeness counts as a match.

Which statement holds:

- A key for the answer in an object (`{"answer": "C"}`) speaks for the whole text. Otherwise statements with the word
  `answer` and marks (`\\boxed{C}`) come first; sentences of choosing count where there is none of those, or after the
  last of them; bare letters, conclusions and verdicts count where there is neither.
- Statements that name the same option agree, however many there are.
- A later one that differs holds where the text says that it corrects (`wait`, `actually`, `I made a mistake`), where
  the earlier one was only tentative, or where the later one is final and deliberation lies between. Otherwise the two
  contradict each other: `conflict`.
- A statement in prose that deliberation follows and never comes back to does not hold.
- What a model writes after its answer, once it has begun a further question, does not count.
- Denials, questions, conditions and possibilities (`not B`, `is it B?`, `if ..., B`, `it could be B`) state nothing.

When a text is cut: `finish_reason` says so (`length`), or, where none is given, the text ends in the middle of a
sentence. A statement in a cut text holds when it was made for the reader (a line, a box, a tag), when the text opens
with it, when it stands on a line of its own or ends the text, and no doubt follows. A statement in the middle of
deliberation does not hold, nor does a conclusion.

`abstain` means that the text had its say and named nothing that holds; `truncated` that it was cut before it did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_uppercase

from medo1.answers.announcing import answer_statements, choice_statements, labelled_line
from medo1.answers.answer import Answer
from medo1.answers.candidates import label_at
from medo1.answers.concluding import TAIL, conclusion
from medo1.answers.cut import CUT, LENGTH, looks_cut, thinks_aloud
from medo1.answers.holding import before_next_question, holding
from medo1.answers.languages import foreign_statements
from medo1.answers.marks import is_thinking_object, mark_statements
from medo1.answers.statements import Statement
from medo1.answers.text import Text
from medo1.answers.thinking import answer_part
from medo1.answers.unannounced import first_line, last_line, last_words, opening_text
from medo1.answers.walks import walked_verdict

_LETTERS = frozenset(ascii_uppercase)
# rules of statements that are made for a reader, which stand also in a text that thinks aloud
_FOR_THE_READER = frozenset({"boxed", "tag", "final_line", "answer_line"})

# of statements that nothing announces, so that one in another language may stand against them
_UNANNOUNCED = frozenset({"bare_letter", "option_text", "answer_line"})
_OTHER_QUESTIONS = re.compile(
    r"\n[\s*_#>]{0,6}(?:as (?:for|to)|regarding|for|to answer) (?:the|your) other (?:question|case|problem)s?\b"
)
_SAYS_SO = re.compile(r"\b(?:conclusion|therefore|thus|hence|in summary|overall|so)\b")


def read_answer(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> Answer:
    """The answer that a text states.

    Args:
        text: a model's whole output.
        options: letter (A to Z) to text of the options that were offered.
        finish_reason: why the output ended, as engines say it; `length` means that it was cut, None that it is unknown.

    Returns:
        The letter where exactly one stands; otherwise the reason why none does.

    Raises:
        ValueError: for an option whose key is not one capital letter.
    """
    if not _LETTERS.issuperset(options):
        wrong = min(map(repr, options.keys() - _LETTERS))
        raise ValueError(f"options are keyed by one capital letter each (A to Z), found {wrong}")
    finish = finish_reason.lower() if finish_reason else ""
    if not text or text.isspace():
        rule = "cut_before_statement" if finish in LENGTH else "empty"
        return Answer(None, "truncated" if finish in LENGTH else "abstain", rule)
    low = lower(text)
    cut_by, known = finish in CUT, bool(finish)
    part = answer_part(text, low)
    if part.thinking == "open":
        return _in_open_thinking(Text(text, low, options), ended=known and not cut_by)
    if part.start >= part.end:
        return _only_thinking(cut=cut_by)
    turn_ended = part.end < len(text)
    view = Text(text[part.start : part.end], low[part.start : part.end], options)
    answer = _read(view, cut_by=cut_by and not turn_ended, known=known or turn_ended)
    if answer.span is None:
        return answer
    return Answer(answer.letter, answer.status, answer.rule, (answer.span[0] + part.start, answer.span[1] + part.start))


def lower(text: str) -> str:
    """The text in lower case, position by position: one letter, the Turkish İ, is two in lower case."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("İ", "I").lower()


def _only_thinking(*, cut: bool) -> Answer:
    return Answer(None, "truncated", "cut_in_thinking") if cut else Answer(None, "abstain", "only_thinking")


def _in_open_thinking(text: Text, *, ended: bool) -> Answer:
    """A text that never closed its thinking: only a complete answer tag at its end counts."""
    at = text.low.rfind("<answer>")
    if at >= 0 and text.low.rstrip().endswith("</answer>"):
        label = label_at(text, at + len("<answer>"), formal=True)
        if label is not None and label.letter in text.options and not label.others:
            return Answer(label.letter, "answer", "tag", (at, label.end))
    return _only_thinking(cut=not ended)


def _read(text: Text, *, cut_by: bool, known: bool) -> Answer:  # noqa: PLR0911
    """The answer of a text without its thinking.

    Args:
        text: the text and its options.
        cut_by: its finish reason says that it was cut.
        known: its finish reason is known.
    """
    others = _OTHER_QUESTIONS.search(text.low)
    if others is not None:
        text, cut_by, known = text.upto(others.start()), False, True
    found, verdicts = _statements(text)
    if is_thinking_object(text) and not any(statement.rule == "tag" for statement in found):
        return _only_thinking(cut=cut_by or not text.low.rstrip().endswith(("}", "```")))
    cut = cut_by or (not known and looks_cut(text))
    aloud = not known and thinks_aloud(text)
    if any(statement.counts for statement in found):
        found, elsewhere = before_next_question(text, found)
        if elsewhere:
            return Answer(None, "abstain", "another_question")
        answer = holding(text, [*found, *_against_an_opening(text, found)], cut=cut or aloud, cut_by=cut_by)
        if aloud and answer.letter is not None and answer.rule not in _FOR_THE_READER:
            return Answer(None, "truncated", "cut_after_interim")  # a chain whose marks were lost has not closed
        return answer
    if cut:
        return Answer(None, "truncated", "cut_before_statement")
    if aloud:
        return _unstated(found)
    return _concluded(text, found, verdicts, ended=known)


def _against_an_opening(text: Text, found: list[Statement]) -> list[Statement]:
    """A conclusion that another option holds, in a text that only opens with a letter."""
    counted = [statement for statement in found if statement.counts]
    if len(counted) != 1 or counted[0].rule != "bare_letter" or counted[0].tier != "formal":
        return []
    last = conclusion(text)
    if last is None or last.start <= counted[0].end or last.letter == counted[0].letter or last.rule != "conclusion":
        return []
    return [last] if _SAYS_SO.search(text.low, last.clause, last.start) else []


def _concluded(text: Text, found: list[Statement], verdicts: list[Statement], *, ended: bool) -> Answer:
    """The answer of a text that had its say and states none with `answer`, a mark or a verb of choosing."""
    statement = (
        last_line(text, ended=ended)
        or conclusion(text, ended=ended)
        or last_words(text, ended=ended)
        or walked_verdict(text)
    )
    if statement is not None:
        if not any(weak.start <= statement.start <= weak.end + 2 for weak in found):
            return holding(text, sorted([*found, statement], key=_place), cut=False, cut_by=False)
    elif verdicts:
        return holding(text, verdicts, cut=False, cut_by=False)
    return _unstated(found)


def _unstated(found: list[Statement]) -> Answer:
    """Why a text that had its say states none."""
    for weak in reversed(found):
        if weak.weak == "not_offered":
            return Answer(None, "abstain", "letter_not_offered", (weak.start, weak.end))
    if found:
        return Answer(None, "abstain", "only_doubt", (found[-1].start, found[-1].end))
    return Answer(None, "abstain", "nothing_stated")


def _statements(text: Text) -> tuple[list[Statement], list[Statement]]:
    """The statements, in order; and apart from them the verdicts that may decide where nothing else is stated."""
    found = mark_statements(text)
    if found and found[0].rule == "tag" and '":' in text.low and (found[0].counts or is_thinking_object(text)):
        return sorted(found, key=_place), []
    found += answer_statements(text)
    opening = first_line(text)
    if opening is not None:
        found.append(opening)
    last = _last_counted(found)
    if not last and (opening := opening_text(text)) is not None:
        found.append(opening)
        last = opening.end
    found += choice_statements(text, last)
    if not last and not _last_counted(found) and (line := labelled_line(text)) is not None:
        found.append(line)
    if not found or all(statement.rule in _UNANNOUNCED for statement in found if statement.counts):
        found += foreign_statements(text)
    return _apart(text, sorted(found, key=_place))


def _apart(text: Text, found: list[Statement]) -> tuple[list[Statement], list[Statement]]:
    """The statements, and apart from them the verdicts that count, where they may decide."""
    floor = len(text.low) - TAIL
    verdicts = [statement for statement in found if statement.tier == "verdict" and statement.counts]
    found = [statement for statement in found if statement.tier != "verdict" or not statement.counts]
    verdicts = [statement for statement in verdicts if statement.start >= floor]
    if len({statement.letter for statement in verdicts}) > 1:
        return found, []  # several options are called so
    return found, verdicts


def _last_counted(found: list[Statement]) -> int:
    """Where the last statement ends that counts and is no verdict; 0 where there is none."""
    return max((one.end for one in found if one.counts and one.tier != "verdict"), default=0)


def _place(statement: Statement) -> tuple[int, int]:
    return statement.start, statement.end
