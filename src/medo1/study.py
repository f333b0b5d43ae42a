"""The shape of a study: which pipelines, formats and arms. Read from the parameters before any graph exists."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from medo1.errors import UserError
from medo1.nearest import did_you_mean
from medo1.parameters import Parameters, problems, without_removed
from medo1.pipelines.filtering.params import FilteringParams
from medo1.pipelines.inference.params import ArmParams, JudgeParams
from medo1.pipelines.synthesis.params import FormatParams
from medo1.probes import ProbeSpec

logger = logging.getLogger(__name__)

# Parameter groups that a study has; anything else at the top level is a misspelling.
GROUPS = ("clinic", "ingest", "synthesis", "small_student", "finetune", "inference", "reporting")
PipelineName = Literal["clinic", "ingest", "synthesis", "filtering", "finetune", "inference", "reporting"]


# Base models that a run trains from scratch, and the code that does.
TRAINED_HERE = {"clinic": "medo1.pipelines.clinic", "small_student": "medo1.pipelines.finetune"}


class StudyError(UserError):
    """The parameters do not describe a study; the text says which key and what was expected."""


class Study(Parameters):
    """What the graph is made of."""

    seed: int = Field(ge=0, description="of everything random in a run except the embedded world itself")
    world: int = Field(default=7, ge=0, description="seed of the embedded world: what is true in it, what is asked")
    second_task: Literal["workshop"] | None = Field(
        default=None, description="of the embedded world: a task that is not about medicine; null: none"
    )
    teacher_error_rate: float = Field(
        default=0.08, ge=0, le=1, description="share of the embedded teacher's chains with a wrong look-up"
    )
    teacher_wrong_steps: int = Field(
        default=1, ge=0, description="steps of a chain in the embedded format `wrong_steps` that are wrong"
    )
    journey: tuple[PipelineName, ...] = Field(min_length=1, description="pipelines of a plain `kedro run`, in order")
    base_model: str = Field(
        default="clinic",
        min_length=1,
        description="model to train: `clinic` (trained by its pipeline), `small_student` (trained by finetune on "
        "the imported chains), or a hub id or directory, which the catalog's `base_model` names",
    )
    benchmarks_dir: str | None = Field(default=None, description="folder of the benchmark files, for the catalog")
    formats: dict[str, FormatParams] = Field(description="formats of chains; none where nothing is trained")
    arms: dict[str, ArmParams] = Field(min_length=1, description="columns of the result table")
    estimate_only: bool = Field(default=False, description="`synthesis.estimate_only`: the graph ends with an estimate")
    filtering: FilteringParams = Field(default=FilteringParams(), description="which chains are trained on")
    judge: JudgeParams | None = Field(default=None, description="`inference.judge`: who judges free-form answers")
    fitted_stopping: bool = Field(
        default=False, description="`inference.adaptive.agreement` is given: a rule that an earlier run learned is read"
    )
    probes: ProbeSpec = Field(default=ProbeSpec(), description="`inference.probes`: which nodes of theirs there are")

    @field_validator("formats", "arms")
    @classmethod
    def _names_are_identifiers(cls, value: dict[str, Any]) -> dict[str, Any]:
        bad = [name for name in value if not name.isidentifier()]
        if bad:
            raise ValueError(f"names become namespaces and must be identifiers; found {', '.join(map(repr, bad))}")
        return value

    @model_validator(mode="after")
    def _formats_exist(self) -> Study:
        for name, spec in self.formats.items():
            spec.written(name)
            self._check_teachers_of(name)
        return self

    def _check_teachers_of(self, name: str) -> None:
        """Refuse a student that would be taught by no format, or in the end by itself."""
        taught = [name]
        while (teacher := self.formats[taught[-1]].taught_by) is not None:
            if teacher not in self.formats:
                raise ValueError(
                    f"formats.{taught[-1]}.taught_by is {teacher!r}, which is no format of this study. "
                    f"{did_you_mean(teacher, self.formats)}"
                )
            taught.append(teacher)
            if teacher in taught[:-1]:
                raise ValueError(f"formats: {' is taught by '.join(taught)}: one of them must come from a teacher")

    @model_validator(mode="after")
    def _chains_have_formats(self) -> Study:
        made = [name for name in self.journey if name in ("synthesis", "filtering", "finetune")]
        if made and not self.formats:
            raise ValueError(f"formats is empty, and the journey holds {', '.join(made)}: name a format of chains")
        return self

    @model_validator(mode="after")
    def _adapters_exist(self) -> Study:
        for name, arm in self.arms.items():
            if arm.adapter is not None and arm.adapter not in self.formats:
                raise ValueError(
                    f"arms.{name}.adapter is {arm.adapter!r}, which is no format of this study. "
                    f"{did_you_mean(arm.adapter, self.formats)}"
                )
        both = set(self.formats) & set(self.arms)
        if both:
            raise ValueError(f"a format and an arm cannot share a name: {', '.join(sorted(both))}")
        return self

    @model_validator(mode="after")
    def _first_answers_come_from_arms(self) -> Study:
        for name, arm in self.arms.items():
            if arm.first is None:
                continue
            first = self.arms.get(arm.first.arm)
            if first is None or first.first is not None or arm.first.arm == name:
                others = [other for other, spec in self.arms.items() if spec.first is None and other != name]
                raise ValueError(
                    f"arms.{name}.first.arm is {arm.first.arm!r}, and must be another arm of this study that answers "
                    f"by itself: {', '.join(others)}"
                )
            if (first.engine, first.model, first.answers) != (arm.engine, arm.model, arm.answers):
                raise ValueError(
                    f"arms.{name} and arms.{arm.first.arm}, which answers first for it, must have the same engine, "
                    "model and answers"
                )
        return self

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> Study:
        """The study that a parameter dictionary describes.

        Raises:
            StudyError: for an unknown or missing key, naming it.
        """
        own = set(cls.model_fields) - {
            "estimate_only",
            "fitted_stopping",
            "judge",
            "probes",
        }  # which are synthesis's and inference's
        # A key with an underscore in front only holds what others share (YAML anchors).
        unknown = sorted(key for key in set(parameters) - own - set(GROUPS) if not key.startswith("_"))
        if unknown:
            raise StudyError(
                f"Unknown parameter {', '.join(unknown)}. {did_you_mean(unknown[0], (*sorted(own), *GROUPS), shown=20)}"
            )
        try:
            given = {key: value for key, value in without_removed(parameters).items() if key in own}
            only = bool((parameters.get("synthesis") or {}).get("estimate_only"))
            inference = parameters.get("inference") or {}
            fitted = (inference.get("adaptive") or {}).get("agreement") is not None
            of_inference = {
                "judge": inference.get("judge"), "probes": _probes(parameters), "fitted_stopping": fitted
            }  # fmt: skip
            study = cls.model_validate({**given, "estimate_only": only, **of_inference})
        except ValidationError as error:
            details = "\n".join(problems(error, cls))
            raise StudyError(f"The parameters do not describe a study:\n{details}") from error
        untrained = [name for name in study.formats if name not in (parameters.get("finetune") or {})]
        if untrained:
            raise StudyError(f"formats.{untrained[0]} has no finetune.{untrained[0]}: say how its adapter is trained.")
        return study

    def without_keyless_arms(self, has_key: Callable[[str], bool]) -> Study:
        """The study without the arms that need a key that is not there, a line of the log for each.

        Args:
            has_key: whether there is a key under an entry of the credentials, or in an environment variable.

        Raises:
            StudyError: no arm is left.
        """
        absent = {name: arm.keys[0] for name, arm in self.arms.items() if arm.keys and not any(map(has_key, arm.keys))}
        judge = self.judge
        if judge is not None and judge.keys and not any(map(has_key, judge.keys)):
            logger.warning(
                "No judge is asked, for there is no key `%s` in conf/local/credentials.yml: diagnoses are matched by "
                "text alone", judge.keys[0],
            )  # fmt: skip
            judge = None
        if not absent:
            return self.model_copy(update={"judge": judge})
        left = {name: arm for name, arm in self.arms.items() if name not in absent}
        for key in dict.fromkeys(absent.values()):
            arms = [name for name, needed in absent.items() if needed == key]
            logger.warning(
                "Left out, for there is no key `%s` in conf/local/credentials.yml (`%s: {api_key: ...}`): %s %s",
                key, key, "the arm" if len(arms) == 1 else "the arms", ", ".join(arms),
            )  # fmt: skip
        if not left:
            raise StudyError(
                f"No arm is left: {', '.join(absent)} need keys. Put {', '.join(sorted(set(absent.values())))} into "
                "conf/local/credentials.yml."
            )
        return self.model_copy(update={"arms": left, "judge": judge})

    def refuse_another_base_model(self, outside: str | None, maker: str, env: str) -> None:
        """Hold the parameter `base_model` against the model that would be measured, the catalog's entry `base_model`.

        Args:
            outside: hub id or directory, where the entry names a model that comes from outside; else None.
            maker: the function, as `module:name`, that trained what the entry saves; empty where none did.
            env: the environment, for the message.

        Raises:
            StudyError: when they are not the same model, with what to write where.
        """
        said = self.base_model
        trained = next((name for name, package in TRAINED_HERE.items() if maker.startswith(f"{package}.")), None)
        found = outside or trained
        if found == said or (found and outside and Path(found).resolve() == Path(said).resolve()):
            return
        here = f"conf/{env}"
        parameter = f"base_model: {found or 'clinic'} in {here}/parameters.yml, or --params base_model={found}"
        if said in TRAINED_HERE:
            entry = f"{{type: medo1.datasets.ModelDirectory, filepath: '${{globals:place}}/06_models/{said}'}}"
        else:
            entry = f"{{type: medo1.datasets.HubModel, name: {said}}}"
        raise StudyError(
            f"The parameter base_model is {said!r}, and the catalog's entry base_model is "
            f"{f'{found!r}' if found else 'a model that no run of this study trained'}: another model would be "
            f"measured than the one that is named. For {said!r}, write into {here}/catalog.yml:\n"
            f"    base_model: {entry}\n" + (f"For the other, write {parameter}." if found else "")
        )

    def for_pipelines(self) -> dict[str, Any]:
        """What `create_pipeline` functions are called with."""
        return {
            "formats": {name: spec.model_dump() for name, spec in self.formats.items()},
            "arms": {name: spec.model_dump() for name, spec in self.arms.items()},
            "base_model": self.base_model,
            "estimate_only": self.estimate_only,
            "filters": self.filtering.asks(),
            "probes": self.probes.names,
            "fitted_stopping": self.fitted_stopping,
            "judge": self.judge.engine if self.judge else None,
        }

    @property
    def run_by_default(self) -> tuple[PipelineName, ...]:
        """The pipelines of a plain run: the journey; where only an estimate is wanted, up to what estimates."""
        if not self.estimate_only or "synthesis" not in self.journey:
            return self.journey
        return self.journey[: self.journey.index("synthesis") + 1]


def _probes(parameters: dict[str, Any]) -> ProbeSpec:
    """The probes that the parameters name.

    Raises:
        StudyError: for one that there is not, or a parameter of theirs that cannot be.
    """
    given = (parameters.get("inference") or {}).get("probes")
    try:
        return ProbeSpec() if given is None else ProbeSpec.model_validate(given)
    except ValidationError as error:
        raise StudyError("\n".join(problems(error, ProbeSpec, "inference.probes"))) from error
