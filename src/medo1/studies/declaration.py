"""A study as declared: one file, written before the first run, and never changed under its name afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from medo1.errors import UserError
from medo1.lineage.digests import digest_of_value
from medo1.nearest import did_you_mean
from medo1.parameters import Parameters, problems

FOLDER = "studies"  # below conf/
REPETITIONS = ("seed", "world")  # factors that repeat the same experiment, and vary nothing that is asked about
ALL = "all"  # every question


class DeclarationError(UserError):
    """A study's file cannot be read, or does not fit together; the text names the file, the key and what to do."""


class Side(Parameters):
    """One side of a comparison: an arm, in the cells with certain levels."""

    arm: str = Field(min_length=1, description="whose answers")
    at: dict[str, str] = Field(default={}, description="factor to level, where it is not that of the other side")


class Range(Parameters):
    """Where a value is predicted to lie."""

    low: float | None = Field(default=None, description="not below this; null: no bound")
    high: float | None = Field(default=None, description="not above this; null: no bound")

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("predicted needs `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"predicted: low {self.low} is above high {self.high}")
        return self


class Comparison(Parameters):
    """A difference of accuracies, paired by question and averaged over repetitions."""

    says: str = Field(min_length=1, description="the prediction in a sentence")
    of: Side = Field(description="the side that the difference is of")
    against: Side = Field(description="the side that is taken off")
    questions: str = Field(default=ALL, description="`all`, a name of `strata`, or a benchmark")
    by: tuple[str, ...] = Field(default=(), description="factors for each of whose levels there is a difference")
    predicted: Range | None = Field(
        default=None, description="where the difference lies, as a share of 0 to 1; null: no prediction, only a value"
    )


class Trend(Parameters):
    """How a difference between two arms changes with a factor's scale: an interaction in a binomial mixed model."""

    says: str = Field(min_length=1, description="the prediction in a sentence")
    of: str = Field(min_length=1, description="the arm that the difference is of")
    against: str = Field(min_length=1, description="the arm that is taken off")
    over: str = Field(min_length=1, description="a factor with a `scale`")
    questions: str = Field(default=ALL, description="`all`, a name of `strata`, or a benchmark")
    predicted: Literal["rises", "falls"] | None = Field(default=None, description="with the factor's scale")


class Best(Parameters):
    """Which of several arms is best, at each level of a factor."""

    says: str = Field(min_length=1, description="the prediction in a sentence")
    arms: dict[str, float] = Field(min_length=2, description="arm to where it stands on the axis, in order")
    axis: str = Field(min_length=1, description="what that number counts")
    by: str = Field(min_length=1, description="a factor with a `scale`")
    questions: str = Field(default=ALL, description="`all`, a name of `strata`, or a benchmark")
    predicted: Literal["rises", "falls"] | None = Field(
        default=None, description="where on the axis the best arm stands, from the least to the greatest level"
    )


class Followed(Parameters):
    """How often an arm's answer follows when one step of its own thought is changed (the probe `changed_step`)."""

    says: str = Field(min_length=1, description="the prediction in a sentence")
    arm: str = Field(min_length=1, description="whose thoughts")
    predicted: Range | None = Field(default=None, description="where the share of answers that follow lies, of 0 to 1")


class Smallest(Parameters):
    """The study in small: that it runs, not what it says."""

    grid: dict[str, tuple[str, ...]] = Field(default={}, description="factor to the levels that are run")
    parameters: dict[str, Any] = Field(default={}, description="parameters of every cell, over all others")


class Declaration(Parameters):
    """A study: what is asked, what is predicted and what would refute it, and the runs that decide."""

    question: str = Field(min_length=1, description="in a sentence")
    hypothesis: str = Field(min_length=1, description="what is expected, and after whom")
    refuted_if: str = Field(min_length=1, description="what would refute it, in words; `predicted` says it in numbers")
    needs: str | None = Field(
        default=None, description="machines, hours and money that the whole study takes, where cells cannot tell"
    )
    env: str = Field(default=FOLDER, description="Kedro environment of every cell")
    pipelines: tuple[str, ...] = Field(min_length=1, description="that a cell runs, in order")
    parameters: dict[str, Any] = Field(
        default={}, description="parameters of every cell, over those of the environment"
    )
    grid: dict[str, dict[str, dict[str, Any]]] = Field(
        min_length=1, description="factor to its levels, each the parameters that make it"
    )
    scale: dict[str, dict[str, float]] = Field(
        default={}, description="factor to the number of each level, for an axis"
    )
    axis: dict[str, str] = Field(default={}, description="factor to what its scale counts")
    without: tuple[dict[str, str], ...] = Field(
        default=(), description="cells of the grid that are not run: factor to level"
    )
    strata: dict[str, tuple[int, ...]] = Field(default={}, description="name to difficulties of questions")
    comparisons: dict[str, Comparison] = Field(
        default={}, description="the family: their p-values are corrected as one"
    )
    trends: dict[str, Trend] = Field(default={}, description="interactions")
    best: dict[str, Best] = Field(default={}, description="where the best arm stands")
    followed: dict[str, Followed] = Field(default={}, description="whether answers follow from the steps")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="level of the intervals")
    smallest: Smallest = Field(default=Smallest(), description="the study in small, for `--small`")

    @field_validator("grid", mode="before")
    @classmethod
    def _lists_are_values_of_a_parameter(cls, value: Any) -> Any:
        """`seed: [21, 22]` is short for a level `21: {seed: 21}` and so on."""
        if not isinstance(value, dict):
            return value
        return {
            str(factor): {str(one): {factor: one} for one in levels} if isinstance(levels, list) else _named(levels)
            for factor, levels in value.items()
        }

    @field_validator("scale", mode="before")
    @classmethod
    def _levels_are_text(cls, value: Any) -> Any:
        return {factor: _named(levels) for factor, levels in value.items()} if isinstance(value, dict) else value

    @property
    def repetitions(self) -> tuple[str, ...]:
        """The factors that repeat the experiment."""
        return tuple(factor for factor in self.grid if factor in REPETITIONS)

    @property
    def decisive(self) -> dict[str, Any]:
        """Everything declared but the study in small, as JSON values: it stays as long as the study has its name."""
        return self.model_dump(mode="json", exclude={"smallest", "needs"})

    @property
    def recipe(self) -> str:
        """SHA-256 of what is decisive."""
        return digest_of_value(self.decisive)

    @model_validator(mode="after")
    def _levels_are_known(self) -> Self:
        for factor, levels in self.grid.items():
            if not levels:
                raise ValueError(f"grid.{factor} has no levels")
        for factor, numbers in self.scale.items():
            for level in numbers:
                self._known_levels(f"scale.{factor}", {factor: level})
            if missing := sorted(set(self.grid[factor]) - set(numbers)):
                raise ValueError(f"scale.{factor} has no number for {', '.join(missing)}")
        for place, cell in enumerate(self.without):
            self._known_levels(f"without[{place}]", cell)
        for factor, chosen in self.smallest.grid.items():
            for level in chosen:
                self._known_levels("smallest.grid", {factor: level})
        return self

    @model_validator(mode="after")
    def _comparisons_say_what_they_compare(self) -> Self:
        for name, one in self.comparisons.items():
            for factor in one.by:
                self._known_factor(f"comparisons.{name}.by", factor)
            for side, at in (("of", one.of.at), ("against", one.against.at)):
                self._known_levels(f"comparisons.{name}.{side}.at", at)
                if both := sorted(set(at) & (set(one.by) | set(self.repetitions))):
                    raise ValueError(f"comparisons.{name}.{side}.at sets {both[0]}, over which it repeats or differs")
            varied = set(self.grid) - set(self.repetitions) - set(one.by)
            if unset := sorted(varied - (set(one.of.at) & set(one.against.at))):
                raise ValueError(
                    f"comparisons.{name}: nothing says which {unset[0]}: name it in `by`, or in `at` on both sides"
                )
            if one.of == one.against:
                raise ValueError(f"comparisons.{name} compares a side with itself")
        return self

    @model_validator(mode="after")
    def _scales_are_there(self) -> Self:
        over = [(f"trends.{name}.over", one.over) for name, one in self.trends.items()]
        over += [(f"best.{name}.by", one.by) for name, one in self.best.items()]
        for where, factor in over:
            self._known_factor(where, factor)
            if factor not in self.scale:
                raise ValueError(f"{where}: {factor} has no `scale`")
            if others := sorted(set(self.grid) - set(self.repetitions) - {factor}):
                raise ValueError(f"{where}: it would mix the levels of {others[0]}")
        return self

    def _known_factor(self, where: str, factor: str) -> None:
        if factor not in self.grid:
            raise ValueError(f"{where}: there is no factor {factor!r}. {did_you_mean(factor, list(self.grid))}")

    def _known_levels(self, where: str, levels: dict[str, str]) -> None:
        for factor, level in levels.items():
            self._known_factor(where, factor)
            if level not in self.grid[factor]:
                raise ValueError(f"{where}: {factor} has no level {level!r}; it has {', '.join(self.grid[factor])}")


def declared(folder: Path, name: str) -> Declaration:
    """The study `name` of a folder of declarations.

    Raises:
        DeclarationError: there is none, it is not YAML, or a key of it is wrong.
    """
    import yaml

    file = folder / f"{name}.yml"
    known = names(folder)
    if name not in known:
        raise DeclarationError(f"There is no study {name!r} in {folder}. {did_you_mean(name, known)}")
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{file} is not YAML: {error}") from error
    if not isinstance(value, dict):
        raise DeclarationError(f"{file} holds {type(value).__name__}; expected a study's keys, question first")
    value = {key: one for key, one in value.items() if not str(key).startswith("_")}  # anchors
    try:
        return Declaration.model_validate(value)
    except ValidationError as error:
        raise DeclarationError("\n".join([f"{file}:", *problems(error, Declaration)])) from error


def names(folder: Path) -> list[str]:
    """The studies that are declared in a folder; its other files are the environment's own."""
    own = ("parameters", "catalog", "globals", "credentials", "lineage", "mlflow")
    return sorted(file.stem for file in folder.glob("*.yml") if not file.stem.startswith(own))


def _named(levels: Any) -> Any:
    return {str(level): value for level, value in levels.items()} if isinstance(levels, dict) else levels
