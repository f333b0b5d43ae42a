"""What a training is: examples, base model, settings, seed; as values, so that it can be handed to other processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from medo1.engines.base import Model
from medo1.lineage.digests import digest_of_value
from medo1.training.examples import TrainingExample
from medo1.training.spec import TrainingSpec

_IRRELEVANT = {"checkpoint_minutes"}  # to what comes out


@dataclass(frozen=True, slots=True)
class DevQuestion:
    """What an answer to a dev example is checked against: the options, letter to text, and the right letter."""

    options: Mapping[str, str]
    gold: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training.

    Attributes:
        examples: what is learnt.
        model: the base model; its weights stay as they are, but for `method: full`.
        spec: how to train.
        seed: of the adapter's first weights and of the order of examples.
        what: the name of what is trained, such as the format's.
        dev: held back from training, to see how it goes.
        questions: of the dev examples, by question id.
    """

    examples: tuple[TrainingExample, ...]
    model: Model
    spec: TrainingSpec
    seed: int
    what: str = "LoRA"
    dev: tuple[TrainingExample, ...] = ()
    questions: Mapping[str, DevQuestion] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Under which its checkpoints lie: another one for everything that would train other weights."""
        spec = {name: value for name, value in self.spec.model_dump(mode="json").items() if name not in _IRRELEVANT}
        versions = [version(name) for name in ("torch", "transformers", "peft", "trl")]
        code = {file.name: file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))}
        return f"{self.what}-{digest_of_value([self._told(), spec, versions, code])[:16]}"

    def _told(self) -> dict[str, Any]:
        return {
            "examples": [asdict(example) for example in self.examples],
            "dev": [asdict(example) for example in self.dev],
            "questions": {name: [dict(one.options), one.gold] for name, one in sorted(self.questions.items())},
            "model": [self.model.name, self.model.revision],
            "seed": self.seed,
        }

    def to_json(self) -> str:
        """As a text from which `from_json` makes the same job."""
        path = None if self.model.path is None else str(self.model.path.resolve())
        return json.dumps(
            {**self._told(), "spec": self.spec.model_dump(mode="json"), "what": self.what, "model_path": path}
        )

    @classmethod
    def from_json(cls, text: str) -> TrainingJob:
        """The job that `to_json` wrote."""
        told = json.loads(text)
        name, revision = told["model"]
        path = None if told["model_path"] is None else Path(told["model_path"])
        return cls(
            examples=tuple(TrainingExample(**row) for row in told["examples"]),
            model=Model(name, path, revision),
            spec=TrainingSpec.model_validate(told["spec"]),
            seed=told["seed"],
            what=told["what"],
            dev=tuple(TrainingExample(**row) for row in told["dev"]),
            questions={key: DevQuestion(options, gold) for key, (options, gold) in told["questions"].items()},
        )
