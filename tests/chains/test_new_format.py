"""A new kind of chain, added as CONTRIBUTING.md says: an entry in one registry, the rest is data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from medo1.chains import formats
from medo1.chains.formats import Chain, ChainFormat, Checks, Problem
from medo1.chains.state import MadeChain, RejectedChain
from medo1.pipelines.synthesis.params import FormatParams
from medo1.study import Study
from tests.chains.asked import chains_of
from tests.chains.test_making import Teacher, questions
from tests.conftest import ROOT

NOTE = "Subjective: a ring.\nObjective: a knee.\nAssessment: a tick.\nPlan: doxycycline.\n\nFinal answer: C"


@dataclass(frozen=True, slots=True)
class SoapNote(Chain):
    """A note in four parts."""

    parts: tuple[str, ...]


def read_soap(text: str, answer: str, checks: Checks) -> tuple[SoapNote, list[Problem]]:
    missing = [part for part in ("Subjective", "Objective", "Assessment", "Plan") if part not in text]
    return SoapNote(text, answer, ()), [Problem("no_part", f"it has no {part}") for part in missing[:1]]


@pytest.fixture(autouse=True)
def soap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats.FORMATS, "soap", ChainFormat(read_soap))  # type: ignore[arg-type]


def test_a_new_kind_of_chain_is_made_and_checked() -> None:
    teacher = Teacher(lambda text: NOTE if "Case 0" in text else NOTE.replace("Plan", "Next"))
    made = list(
        chains_of(
            questions(2),
            format="soap",
            recipe=FormatParams().calls,
            engines={"teacher": teacher},
            prompts={"request": "SOAP", "again": "{{reason}}"},
        )
    )
    assert len([one for one in made if isinstance(one, MadeChain)]) == 1
    [rejected] = [one for one in made if isinstance(one, RejectedChain)]
    assert rejected.code == "no_part"


def test_parameters_and_the_graph_know_it() -> None:
    assert FormatParams(writes="soap").written("soap_terse") == "soap"
    parameters: dict[str, Any] = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    parameters["formats"] = {"soap": {}}
    # In the file these refer to the globals.
    parameters |= {"world": 7, "teacher_error_rate": 0.08, "teacher_wrong_steps": 1, "second_task": None}
    parameters["arms"] = {"soap_sft": {"prompt": "soap", "adapter": "soap"}}
    study = Study.from_parameters(parameters | {"finetune": {"soap": {}}})
    from medo1.pipelines.synthesis.pipeline import create_pipeline

    assert "soap.chains" in create_pipeline(**study.for_pipelines()).all_outputs()
