"""The embedded world's expert writes chains of every format in one call each."""

from __future__ import annotations

import pytest

from medo1.chains.recipes import RECIPES
from medo1.chains.state import MadeChain
from medo1.clinic.exam import ExamSpec, questions
from medo1.clinic.expert import Expert
from medo1.clinic.world import WorldSpec, world_from
from tests.chains.asked import chains_of

REQUESTS = {
    "cot": "Think step by step, then answer.",
    "longstep": "Reason in numbered steps, then answer.",
    "longmonolog": "Think aloud, then answer.",
}


@pytest.mark.parametrize("format", list(REQUESTS))
def test_every_chain_of_the_expert_is_of_its_format(format: str) -> None:
    asked = [question for question in questions(world_from(WorldSpec()), ExamSpec()) if question.split == "train"][:300]
    with Expert(error_rate=0.08) as teacher:
        made = list(
            chains_of(
                asked,
                format=format,
                recipe=RECIPES["single"],
                engines={"teacher": teacher},
                prompts={"request": REQUESTS[format], "again": "{{reason}}"},
            )
        )
    rejected = [outcome for outcome in made if not isinstance(outcome, MadeChain)]
    assert len(made) == len(asked) > 100
    assert rejected == []
