"""The embedded world's expert writes chains of every format in one call each."""

from __future__ import annotations

from typing import Any

import pytest

from medo1.chains import make_chains, survey_chains
from medo1.chains.formats import Checks
from medo1.chains.recipes import RECIPES
from medo1.chains.state import MadeChain
from medo1.clinic.exam import ExamSpec, questions
from medo1.clinic.expert import DRAWN_AS, Expert
from medo1.clinic.explanations import FORMATS
from medo1.clinic.wording import CONTROL_REQUESTS
from medo1.clinic.world import WorldSpec, world_from
from medo1.pipelines.synthesis.asking_teachers import chain_task
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams
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

# What a study may add to them: the checks that its entry in `formats` needs, as docs/embedded_world.md tells them.
VARIANTS: dict[str, dict[str, Any]] = {
    "by_two": {"writes": "longstep", "min_steps": 1},
    "by_three": {"writes": "longstep", "min_steps": 1},
    "by_all": {"writes": "longstep", "min_steps": 1},
    "no_steps": {"writes": "cot", "seeded_as": "longstep"},
    "wrong_steps": {"writes": "longstep", "min_steps": 1},
    "detours": {"writes": "longstep", "min_steps": 1},
    "mix": {"writes": "cot", "seeded_as": "longstep"},
    "no_reflection": {"writes": "longmonolog", "min_turns": 0},
    "no_backtracking": {"writes": "longmonolog"},
}


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    from medo1.configuration import project_loader

    return dict(project_loader(ROOT, None)["parameters"]["formats"])


def test_every_format_of_the_default_study_is_tried_here(study: dict[str, Any]) -> None:
    assert list(study) == list(REQUESTS)
    for name, request in REQUESTS.items():
        assert (ROOT / f"conf/base/prompts/teacher/{name}/request.md").read_text().strip() == request


def test_every_format_that_the_expert_writes_has_its_prompts() -> None:
    assert {*VARIANTS, *REQUESTS} - {"answer_only"} == {*FORMATS} - {"vanilla"}
    for name in VARIANTS:
        request = (ROOT / f"conf/base/prompts/teacher/{name}/request.md").read_text().strip()
        assert request == CONTROL_REQUESTS[name]
        asked_as = (ROOT / f"conf/base/prompts/student/{DRAWN_AS[name]}.md").read_text()
        assert (ROOT / f"conf/base/prompts/student/{name}.md").read_text() == asked_as


@pytest.mark.parametrize("format", list(VARIANTS))
def test_a_variant_s_chains_end_as_those_of_the_format_that_it_is_held_against(format: str) -> None:
    """Through the calls that a run makes, whose seeds depend on the entry in `formats`."""
    of, spec = DRAWN_AS[format], FormatParams(**VARIANTS[format])
    asked = [question for question in questions(world_from(WorldSpec()), ExamSpec()) if question.split == "train"][::9]
    ends = []
    for name, entry, request in (
        (format, spec, CONTROL_REQUESTS[format]),
        (of, FormatParams(min_steps=1), REQUESTS[of]),
    ):
        task = chain_task(name, {"request": request, "again": "{{reason}}"}, SynthesisParams(), entry, 11)
        with Expert(error_rate=0.9) as teacher:
            made = list(make_chains(survey_chains(asked, task, {"teacher": teacher}, {}), {"teacher": teacher}))
        ends.append(
            {
                one.question_id: one.completion.text.split("diagnosis is")[1]
                for one in made
                if isinstance(one, MadeChain)
            }
        )
    assert ends[0] == ends[1]
    assert len(ends[0]) == len(asked) > 50


@pytest.mark.parametrize("format", [*REQUESTS, *VARIANTS])
def test_every_chain_of_the_expert_is_of_its_format(format: str, study: dict[str, Any]) -> None:
    asked = [question for question in questions(world_from(WorldSpec()), ExamSpec()) if question.split == "train"][::3]
    spec = FormatParams(**VARIANTS.get(format, study.get(format, {})))
    with Expert(error_rate=0.08) as teacher:
        made = list(
            chains_of(
                asked,
                format=spec.written(format),
                recipe=RECIPES["single"],
                engines={"teacher": teacher},
                prompts={"request": REQUESTS.get(format) or CONTROL_REQUESTS[format], "again": "{{reason}}"},
                checks=Checks(**{name: getattr(spec, name) for name in Checks.model_fields}),
            )
        )
    rejected = [outcome for outcome in made if not isinstance(outcome, MadeChain)]
    assert len(made) == len(asked) > 100
    assert rejected == []
