"""Recipes: the calls that make a chain of a format, as data.

A recipe is a few stages; a stage asks one engine with one prompt and may need the answers of earlier ones.
`next_stages` gives the stages that can be sent now: stages without dependencies go out together, and one question's
second stage does not wait for another question's first.

Source: arXiv 2501.06458. `longstep`: a strong reasoner and a plain model both answer, the strong one's solution steps
are extracted and written out. `longmonolog`: the strong model's summarised thought is expanded into a monologue.
`journey`: arXiv 2410.18982. The prompts are medo1's own, the paper's are not published.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

TeacherRole = Literal["teacher", "plain_teacher"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One call.

    Attributes:
        name: also the name of its prompt file.
        engine: who is asked: the strong `teacher`, or the `plain_teacher`.
        needs: stages whose answers its prompt uses.
        gives: `text`, or `tree` (JSON that must be a reasoning tree).
    """

    name: str
    engine: TeacherRole = "teacher"
    needs: tuple[str, ...] = ()
    gives: Literal["text", "tree"] = "text"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages of one chain; the last one writes it."""

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for stage in self.stages:
            if missing := set(stage.needs) - known:
                raise ValueError(f"stage {stage.name} needs {sorted(missing)}, which no earlier stage gives")
            known.add(stage.name)

    @property
    def last(self) -> Stage:
        return self.stages[-1]

    @property
    def engines(self) -> tuple[TeacherRole, ...]:
        """The engines that are asked, each once."""
        return tuple(dict.fromkeys(stage.engine for stage in self.stages))

    def placeholders(self) -> dict[str, set[str]]:
        """What each stage's prompt may use, by the name of the prompt."""
        gives = {stage.name: stage.gives for stage in self.stages}
        allowed: dict[str, set[str]] = {}
        for stage in self.stages:
            allowed[stage.name] = {"gold"}
            for name in stage.needs:
                allowed[stage.name] |= {name, f"{name}.thought"} | (
                    {f"{name}.walk"} if gives[name] == "tree" else set()
                )
        return allowed


RECIPES: Mapping[str, Recipe] = {
    # One call that writes the chain; enough for `cot`, and for a teacher that was made for a format.
    "single": Recipe((Stage("request"),)),
    "longstep": Recipe(
        (
            Stage("strong"),
            Stage("plain", engine="plain_teacher"),
            Stage("steps", needs=("strong", "plain")),
        )
    ),
    "longmonolog": Recipe((Stage("solve"), Stage("expand", needs=("solve",)))),
    "journey": Recipe((Stage("tree", gives="tree"), Stage("smooth", needs=("tree",)))),
}


def next_stages(recipe: Recipe, done: Container[str], asked: Container[str]) -> list[Stage]:
    """The stages that can be asked now: all that they need is done, and they were not asked before."""
    return [stage for stage in recipe.stages if stage.name not in asked and all(name in done for name in stage.needs)]
