"""The sentences of the embedded world, each in one place.

The expert writes and reads them, the textbook teaches them, the tokenizer takes its words from them. The instructions
to a model (`REQUESTS`) are separate prompt files in a project (conf/base/prompts) and are passed in as a mapping; the
texts here are the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence

# What ends a prompt, by the format that it asks for. `vanilla` asks for the answer alone; the arm
# vanilla_cot asks the base for `cot`.
REQUESTS = {
    "vanilla": "Answer directly.",
    "cot": "Think step by step, then answer.",
    "longstep": "Reason in numbered steps, then answer.",
    "longmonolog": "Think aloud, then answer.",
}

# What asks the expert for the controls' chains and for variants of a format. The base never reads these: a control is
# trained and asked with the request of the format that it is held against.
CONTROL_REQUESTS = {
    "shuffled": "Reason in numbered steps in any order, then answer.",
    "filler": "Write dots, then answer.",
    "by_two": "Reason in numbered steps of two findings, then answer.",
    "by_three": "Reason in numbered steps of three findings, then answer.",
    "by_all": "Reason in one step over all findings, then answer.",
    "no_steps": "Reason in running prose, then answer.",
    "wrong_steps": "Reason in numbered steps, some of them wrong, then answer.",
    "detours": "Reason in numbered steps with detours, then answer.",
    "mix": "Reason at length or briefly, then answer.",
    "no_reflection": "Think aloud without doubt, then answer.",
    "no_backtracking": "Think aloud without turning back, then answer.",
}

# What the textbook asks besides.
TASKS = {
    "update": "Suppose {before} before {slot}. Then?",
    "aloud": "Think aloud about nothing.",
    "map": "Name them with their letters.",
    "names": "Here are four names.",
    "pick": "Suppose it is {disease}.",
    "opening": "Start.",
    "alone": "A patient presents with {complaint}. Another has {findings}.",
    "only": "A patient presents with {complaint}. Suppose nothing else.",
    "change": "Suppose {before} before {slot}. What changes that?",
    "nothing": "Nothing changes that.",
}

READINGS = {
    "plain": "Read the chart back.",
    "numbered": "Read the chart in numbered lines.",
    "aloud": "Read the chart aloud.",
}

# Train of thought. Fillers vary, because a monologue that always says the same is none. A conclusion is always said the
# same way (`so X`), as LongStep always says `means X`: where it was said in four ways, half of the errors of students
# were that they went on from the impression that had just been given up.
STARTS = ("Hmm, let me think.", "OK, let me think aloud.")
LOOKS = ("Let me see,", "Now")
STAYS = ("OK, so {after}.", "That fits, so {after}.")
TURNS = ("Wait, not {before}, so {after}.", "Hmm, that changes it, not {before}, so {after}.")
CLOSES = ("OK, sure.", "All right, I am sure.")


def stem(complaint: str, findings: str) -> str:
    """A question's stem; `findings` may be empty."""
    reported = f" Findings: {findings}." if findings else ""
    return f"A patient presents with {complaint}.{reported} What is the diagnosis?"


def option_line(letter: str, disease: str) -> str:
    """An option as `medo1.questions.question_text` renders it, with the line end before it."""
    return f"\n{letter}. {disease}"


def suggestion(complaint: str, first: str) -> str:
    """One fact: what a complaint suggests."""
    return f"the {complaint} suggests {first}"


def opening(first: str) -> str:
    """The first look-up, as a solution says it: without the complaint, so that no chain states what the exam asks."""
    return f"the complaint suggests {first}"


def doubt(first: str) -> str:
    """The first impression, held in doubt."""
    return f"So {first}?"


def update(findings: str, before: str, after: str) -> str:
    """One fact: what a finding makes of an impression (`vitals fever`); or several, with commas between them."""
    return f"{findings} in {before} means {after}"


def set_aside(impression: str, said: str) -> str:
    """What is said in the place of a look-up from an impression that is given up."""
    return f"But not {impression}, so {said}"


def prose(clauses: Sequence[str]) -> str:
    """Clauses in one sentence."""
    return sentence(", then ".join(clauses))


def objection(said: str) -> str:
    """A fact that changes the mind."""
    return f"But {said}."


def numbered(number: int, said: str) -> str:
    """A line of a numbered list."""
    return f"Step {number}: {said}."


def sentence(clause: str) -> str:
    """A clause as a sentence of its own."""
    return f"{clause[:1].upper()}{clause[1:]}."


def ending(disease: str, letter: str) -> str:
    """The last two lines of every answer. The letter stands right after the name, which is where a tiny model can bind
    the two; `Final answer:` is the line that medo1 reads."""
    return f"The diagnosis is {disease} ({letter}).\nFinal answer: {letter}"
