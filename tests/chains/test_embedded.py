"""The embedded world's expert writes chains of every format in one call each."""

from __future__ import annotations

from typing import Any

import pytest

from medo1.chains.formats import Checks
from medo1.chains.recipes import RECIPES
from medo1.chains.state import MadeChain
from medo1.clinic.exam import ExamSpec, questions
from medo1.clinic.expert import Expert
from medo1.clinic.world import WorldSpec, world_from
from medo1.pipelines.synthesis.params import FormatParams
from tests.chains.asked import chains_of
from tests.conftest import ROOT

# Format of the study: what asks the expert for it.
REQUESTS = {
    "cot": "Think step by step, then answer.",
    "longstep": "Reason in numbered steps, then answer.",
    "longmonolog": "Think aloud, then answer.",
    "answer_only": "Answer directly.",
    "shuffled": "Reason in numbered steps in any order, then answer.",
    "filler": "Write dots, then answer.",
}


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    from medo1.configuration import project_loader

    return dict(project_loader(ROOT, None)["parameters"]["formats"])


def test_every_format_of_the_default_study_is_tried_here(study: dict[str, Any]) -> None:
    assert list(study) == list(REQUESTS)
    for name, request in REQUESTS.items():
        assert (ROOT / f"conf/base/prompts/teacher/{name}/request.md").read_text().strip() == request


@pytest.mark.parametrize("format", list(REQUESTS))
def test_every_chain_of_the_expert_is_of_its_format(format: str, study: dict[str, Any]) -> None:
    asked = [question for question in questions(world_from(WorldSpec()), ExamSpec()) if question.split == "train"][::3]
    spec = FormatParams(**study[format])
    with Expert(error_rate=0.08) as teacher:
        made = list(
            chains_of(
                asked,
                format=spec.written(format),
                recipe=RECIPES["single"],
                engines={"teacher": teacher},
                prompts={"request": REQUESTS[format], "again": "{{reason}}"},
                checks=Checks(**{name: getattr(spec, name) for name in Checks.model_fields}),
            )
        )
    rejected = [outcome for outcome in made if not isinstance(outcome, MadeChain)]
    assert len(made) == len(asked) > 100
    assert rejected == []
