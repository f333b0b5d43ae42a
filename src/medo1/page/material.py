"""What a page is made of: the tables of a study, by the catalog's names, and what the study says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from medo1.frames import Frame, records
from medo1.page.arm_styles import places

ALL = "all"  # the row of a table that counts every benchmark together


@dataclass(frozen=True)
class Material:
    """All that sections read.

    Attributes:
        given: tables and values by the catalog's name, such as `results` or `vanilla.answers`.
        arms: names of the arms, in the order in which they stand.
        formats: names of the formats that were trained on.
        title, notes: of the page.
        baseline: the arm that others are compared with.
        confidence: level of the intervals.
        facts: what the study was: seed, models, in words.
        lead: the sentence that the page opens with, where it is not about one study's best arm.
        share_texts: whether questions and generations may stand on the page.
        traced: whether the tables stand in the catalog, so that a command traces their numbers.
        learnt: the format that an arm was trained on, by arm.
    """

    given: Mapping[str, Any]
    arms: tuple[str, ...]
    formats: tuple[str, ...] = ()
    title: str = ""
    notes: tuple[str, ...] = ()
    baseline: str = ""
    confidence: float = 0.95
    facts: Mapping[str, str] | None = None
    lead: str = ""
    share_texts: bool = True
    traced: bool = True
    learnt: Mapping[str, str] = field(default_factory=dict)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A table's rows; none where the study has no such table."""
        table = self.given.get(name)
        if table is None:
            return []
        return records(table) if hasattr(table, "to_dict") else list(table)

    def frame(self, name: str) -> Frame | None:
        """A table, where the study has it."""
        return self.given.get(name)

    def there(self, name: str) -> bool:
        """Whether there is something under a name: a table with rows, a value that is not empty.

        `{arm}.answers` is there when one arm's is.
        """
        names = [name.format(arm=arm) for arm in self.arms] if "{arm}" in name else [name]
        return any(self.given.get(one) is not None and len(self.given[one]) > 0 for one in names)

    def benchmarks(self, name: str) -> list[str]:
        """The benchmarks of a table in its order; all of them together comes last."""
        found = list(dict.fromkeys(str(row["benchmark"]) for row in self.rows(name)))
        return [one for one in found if one != ALL] + [one for one in found if one == ALL]

    def places(self, names: Iterable[str]) -> dict[str, int]:
        """The place of each of these arms in the palette, the same in all figures of the page."""
        names = list(dict.fromkeys(names))
        whole = places([*self.arms, *names])
        return {name: whole[name] for name in names}

    def headline(self) -> str:
        """The benchmark that the first sentence is about: all together, else the only one."""
        return self.benchmarks("results")[-1]

    def chance(self, benchmark: str) -> float | None:
        """The share of right answers of one who guesses among the options; None where there are no answers to count
        by.
        """
        shares: list[float] = []
        for arm in self.arms:
            answers = self.given.get(f"{arm}.answers")
            if answers is None or not len(answers):
                continue
            asked = answers[answers["draw"] == "greedy"]
            asked = asked if benchmark == ALL else asked[asked["benchmark"] == benchmark]
            asked = asked[asked["options"] > 0]
            if len(asked):
                shares.append(float((1 / asked["options"]).mean()))
        return shares[0] if shares else None
