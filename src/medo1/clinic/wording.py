"""The sentences of the embedded world, each in one place.

The expert writes and reads them, the textbook teaches them, the tokenizer takes its words from them. What a case is
called and how its facts are said belongs to a task (`Wording`); how a chain of a format is laid out belongs to none.
The instructions to a model (`REQUESTS`) are separate prompt files in a project (conf/base/prompts) and are passed in as
a mapping; the texts here are the defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Literal, get_args

Task = Literal["clinic", "workshop"]
TASKS: tuple[Task, ...] = get_args(Task)

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

# What the textbook asks besides, whatever the task.
EXERCISES = {
    "update": "Suppose {before} before {slot}. Then?",
    "aloud": "Think aloud about nothing.",
    "map": "Name them with their letters.",
    "names": "Here are four names.",
    "pick": "Suppose it is {disease}.",
    "opening": "Start.",
    "change": "Suppose {before} before {slot}. What changes that?",
    "nothing": "Nothing changes that.",
}

# Train of thought. Fillers vary, because a monologue that always says the same is none. A conclusion is always said the
# same way (`so X`), as LongStep always says `means X`: where it was said in four ways, half of the errors of students
# were that they went on from the impression that had just been given up.
STARTS = ("Hmm, let me think.", "OK, let me think aloud.")
LOOKS = ("Let me see,", "Now")
STAYS = ("OK, so {after}.", "That fits, so {after}.")
TURNS = ("Wait, not {before}, so {after}.", "Hmm, that changes it, not {before}, so {after}.")
CLOSES = ("OK, sure.", "All right, I am sure.")


def option_line(letter: str, disease: str) -> str:
    """An option as `medo1.questions.question_text` renders it, with the line end before it."""
    return f"\n{letter}. {disease}"


def doubt(first: str) -> str:
    """The first impression, held in doubt."""
    return f"So {first}?"


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


@dataclass(frozen=True)
class Wording:
    """How a task speaks of its cases. In braces stands what a case fills in.

    Attributes:
        presents, reports, asks: the sentences of a stem; the second is left out where nothing is reported.
        fact: what a complaint suggests.
        opens: the same as a solution says it: without the complaint, so that no chain states what the exam asks.
        revises: what findings (`vitals fever`, or several with commas between them) make of an impression.
        concludes: what an answer comes to. The letter stands right after the name, which is where a tiny model can bind
            the two.
        alone, only: a complaint without a chart, beside the findings of another case, and beside nothing.
        readings: manner to the request that a chart be read back in it.
    """

    presents: str
    reports: str
    asks: str
    fact: str
    opens: str
    revises: str
    concludes: str
    alone: str
    only: str
    readings: Mapping[str, str]

    def stem(self, complaint: str, findings: str) -> str:
        """A question's stem; `findings` may be empty."""
        said = [self.presents.format(complaint=complaint), self.reports.format(findings=findings), self.asks]
        return " ".join(said if findings else [said[0], said[2]])

    def suggestion(self, complaint: str, first: str) -> str:
        """One fact: what a complaint suggests."""
        return self.fact.format(complaint=complaint, first=first)

    def opening(self, first: str) -> str:
        """The first look-up of a solution."""
        return self.opens.format(first=first)

    def update(self, findings: str, before: str, after: str) -> str:
        """One fact: what a finding makes of an impression; or several."""
        return self.revises.format(findings=findings, before=before, after=after)

    def ending(self, disease: str, letter: str) -> str:
        """The last two lines of every answer; `Final answer:` is the line that medo1 reads."""
        return f"{self.concludes.format(disease=disease, letter=letter)}\nFinal answer: {letter}"

    @cached_property
    def stem_pattern(self) -> re.Pattern[str]:
        """Finds a stem: the complaint, and the findings or None."""
        presents, reports = (_pattern(one, r"([^.\n]+)") for one in (self.presents, self.reports))
        return re.compile(f"{presents}(?: {reports})? {_pattern(self.asks)}")

    @cached_property
    def look_up_pattern(self) -> re.Pattern[str]:
        """Finds a look-up of a solution, in any format: what the complaint suggests (`first`); or `findings`, and what
        they make of an impression (`after`)."""
        opening = _pattern(self.opens, r"(?P<first>\w+)")
        update = _pattern(self.revises, r"(?P<findings>[\w, ]+?)", r"\w+", r"(?P<after>\w+)")
        return re.compile(rf"\b(?:[{opening[0].upper()}{opening[0]}]{opening[1:]}|{update})")

    @cached_property
    def concluding(self) -> re.Pattern[str]:
        """Finds the word before what a look-up concludes: once in each look-up."""
        return re.compile(f" (?:{self.opens.split()[-2]}|{self.revises.split()[-2]}) ")


def _pattern(template: str, *places: str) -> str:
    """A regular expression of a template, with one of its own for each place in braces."""
    left = iter(places)
    parts = Formatter().parse(template)
    return "".join(re.escape(text) + (next(left) if name is not None else "") for text, name, *_ in parts)


CLINIC = Wording(
    presents="A patient presents with {complaint}.",
    reports="Findings: {findings}.",
    asks="What is the diagnosis?",
    fact="the {complaint} suggests {first}",
    opens="the complaint suggests {first}",
    revises="{findings} in {before} means {after}",
    concludes="The diagnosis is {disease} ({letter}).",
    alone="A patient presents with {complaint}. Another has {findings}.",
    only="A patient presents with {complaint}. Suppose nothing else.",
    readings={
        "plain": "Read the chart back.",
        "numbered": "Read the chart in numbered lines.",
        "aloud": "Read the chart aloud.",
    },
)

# No word of a fact, a stem or an ending is the clinic's.
WORKSHOP = Wording(
    presents="This engine makes {complaint}.",
    reports="Readings: {findings}.",
    asks="Which part failed?",
    fact="{complaint} points at {first}",
    opens="its noise points at {first}",
    revises="{findings} turns {before} into {after}",
    concludes="Replace {disease} ({letter}).",
    alone="This engine makes {complaint}. Some other shows {findings}.",
    only="This engine makes {complaint}. Ignore everything else.",
    readings={
        "plain": "Copy those readings.",
        "numbered": "Copy those readings line by line.",
        "aloud": "Copy those readings aloud.",
    },
)

WORDINGS: Mapping[Task, Wording] = {"clinic": CLINIC, "workshop": WORKSHOP}
