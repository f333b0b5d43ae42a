"""Parameters of the embedded world."""

from __future__ import annotations

from pydantic import Field

from medo1.clinic.base import BaseSpec
from medo1.clinic.exam import ExamSpec
from medo1.clinic.textbook import TextbookSpec
from medo1.clinic.world import WorldSpec
from medo1.parameters import Parameters


class ClinicParams(Parameters):
    """The world, what is asked about it, what the base model reads, and how it reads. Defaults are the tried ones."""

    world: WorldSpec = Field(default=WorldSpec(), description="what is true")
    exam: ExamSpec = Field(default=ExamSpec(), description="how many questions of which difficulty")
    textbook: TextbookSpec = Field(default=TextbookSpec(), description="what the base model reads")
    base: BaseSpec = Field(default=BaseSpec(), description="the tiny base model and its training")
