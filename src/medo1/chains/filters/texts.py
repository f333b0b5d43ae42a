"""Filters that look at a single chain's text: is it complete, well-formed, answered, right, free of leaks, readable."""

from __future__ import annotations

from typing import NamedTuple

from medo1.chains.filters.candidate import PASSED, Candidate, Verdict, dropped
from medo1.chains.filters.languages import language_of, script_share
from medo1.chains.filters.repetition import RUN_WORDS, repetition
from medo1.chains.filters.specs import LanguageSpec, LengthSpec, RepetitionSpec
from medo1.chains.formats import Checks, parsed
from medo1.chains.leaks import leak_in
from medo1.chains.prose import concluded_option

# Problems of `parsed` that have filters of their own here.
OTHERS_BUSINESS = frozenset({"cut", "no_answer", "conflicting_answers", "gold_leak"})
EXCERPT = 240


class Stated(NamedTuple):
    """The answer that a chain states.

    Attributes:
        letter: None where it states none.
        by: `letter`, `text` (the option's words in a concluding sentence), `judge`, or `nobody`.
        match: the words that state it.
        status: what the reader of letters made of the text, with its rule.
    """

    letter: str | None
    by: str
    match: str
    status: str


def stated_answer(candidate: Candidate, judged: str | None = None) -> Stated:
    """A chain's answer: by letter, else by the option's text, else as a judge has read it.

    Args:
        candidate: with its question.
        judged: the letter that a judge read; None where none was asked, or could say.
    """
    from medo1.answers import read_answer

    assert candidate.question is not None
    text, options = candidate.text, candidate.question.options
    answer = read_answer(text, options, candidate.finish_reason)
    status = f"{answer.status} ({answer.rule})"
    if answer.status == "answer" and answer.letter is not None:
        words = text[slice(*answer.span)] if answer.span else ""
        by = "text" if answer.rule.endswith("_text") else "letter"
        return Stated(answer.letter, by, words[:EXCERPT], status)
    if answer.status != "truncated":
        told = concluded_option(text, candidate.question.stem, options)
        if told is not None:
            return Stated(told.letter, "text", told.sentence[:EXCERPT], status)
        if judged is not None and judged in options:
            return Stated(judged, "judge", "", status)
    return Stated(None, "nobody", "", status)


def finished(candidate: Candidate) -> Verdict:
    """The teacher ended the chain itself."""
    if candidate.finish_reason == "stop":
        return PASSED
    return dropped(f"finish reason is {candidate.finish_reason}", match=candidate.text[-EXCERPT:])


def of_format(candidate: Candidate, checks: Checks) -> Verdict:
    """The text is a chain of its format."""
    assert candidate.question is not None
    _, problems = parsed(candidate.writes, candidate.text, candidate.question.options, candidate.finish_reason, checks)
    own = [problem for problem in problems if problem.code not in OTHERS_BUSINESS]
    return dropped(f"{own[0].code}: {own[0].text}") if own else PASSED


def answered(candidate: Candidate, stated: Stated) -> Verdict:
    """One final answer is stated."""
    if stated.letter is not None:
        return Verdict(True, f"states {stated.letter}, read by {stated.by}", match=stated.match)
    return dropped(f"{stated.status}; no single option's text is claimed at its end", match=candidate.text[-EXCERPT:])


def correct(candidate: Candidate, stated: Stated) -> Verdict:
    """The stated answer is the gold one."""
    assert candidate.question is not None
    gold = f"{candidate.question.gold} ({candidate.question.gold_text})"
    if stated.letter == candidate.question.gold:
        return Verdict(True, f"states {stated.letter}, read by {stated.by}", match=stated.match)
    if stated.letter is None:
        return dropped(f"states no answer, gold is {gold}", other=gold)
    said = f"{stated.letter} ({candidate.question.options[stated.letter]})"
    return dropped(f"states {said}, read by {stated.by}; gold is {gold}", match=stated.match, other=gold)


def no_leak(candidate: Candidate) -> Verdict:
    """The chain does not speak of an answer that was given to its author."""
    found = leak_in(candidate.text)
    if found is None:
        return PASSED
    start, end = found.span
    around = candidate.text[max(0, start - 80) : end + 80]
    return dropped(f"speaks of a given answer: {found.words!r} at {start} to {end}", match=around)


def long_enough(candidate: Candidate, spec: LengthSpec) -> Verdict:
    """The chain's length is within the window."""
    tokens = candidate.tokens
    if tokens is None:
        return Verdict(True, f"nobody counted its {spec.tokens_of} tokens")
    if tokens < spec.min_tokens:
        return dropped(f"{tokens} {spec.tokens_of} tokens, fewer than {spec.min_tokens}", tokens)
    if spec.max_tokens is not None and tokens > spec.max_tokens:
        return dropped(f"{tokens} {spec.tokens_of} tokens, more than {spec.max_tokens}", tokens)
    return Verdict(True, value=tokens)


def not_repeating(candidate: Candidate, spec: RepetitionSpec) -> Verdict:
    """The chain does not go round in circles."""
    found = repetition(candidate.text)
    if found.times > spec.max_in_a_row:
        return dropped(f"says one line {found.times} times in a row", found.share, found.line[:EXCERPT])
    if found.share > spec.max_share:
        told = f"{found.share:.0%} of its runs of {RUN_WORDS} words were said before"
        return dropped(told, found.share, found.run)
    return Verdict(True, value=found.share)


def in_language(candidate: Candidate, spec: LanguageSpec) -> Verdict:
    """The chain thinks in the language of its question, or in one that is wanted."""
    assert candidate.question is not None
    found = language_of(candidate.text)
    expected = (language_of(candidate.question.stem),) if spec.languages is None else spec.languages
    share = script_share(candidate.text, found)
    if found is None or expected == (None,):
        return Verdict(True, "too few words to tell the language", share)
    if found not in expected:
        wanted = ", ".join(str(name) for name in expected)
        return dropped(f"is written in {found}, expected {wanted}", share, candidate.text[:EXCERPT])
    if share < spec.min_script_share:
        return dropped(f"only {share:.0%} of its letters are of the script of {found}", share, candidate.text[:EXCERPT])
    return Verdict(True, value=share)
