"""A task surveyed and made in one go, as a run does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from medo1.chains import ChainTask, MadeChain, RejectedChain, make_chains, survey_chains
from medo1.chains.survey import Watch
from medo1.engines import Engine
from medo1.questions import Question


def chains_of(
    questions: Iterable[Question], *, engines: Mapping[str, Engine], watch: Watch | None = None, **task: Any
) -> Iterator[MadeChain | RejectedChain]:
    return make_chains(survey_chains(questions, ChainTask(**task), engines, {}, watch=watch), engines, watch)
