"""Parameters of synthesis."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medo1.parameters import Parameters


class ImportParams(Parameters):
    """Chains that exist already: which file, and where in each row the parts stand."""

    file: str = Field(description="file name below the benchmark folder, json or jsonl")
    form: str | None = Field(default=None, description="form of its questions; None recognises it")
    reasoning: str | None = Field(default=None, description="field that holds the reasoning; None: there is none")
    answer: str = Field(description="field that holds the final response")


class FormatParams(Parameters):
    """One format of chains."""

    source: Literal["teacher", "import"] = Field(
        default="teacher", description="who writes the chains: the catalog's teacher, or nobody, they are imported"
    )
    imported: ImportParams | None = Field(default=None, description="what is imported, for source: import")


class SynthesisParams(Parameters):
    """How the teacher is asked. The paper distils 500 cases."""

    questions: int = Field(default=500, gt=0, description="training questions per format; paper: 500")
    samples: int = Field(default=1, gt=0, description="chains per question; paper: not stated, 1 is the least")
    temperature: float = Field(default=0.0, ge=0, description="paper: not published")
    max_new_tokens: int = Field(default=4096, gt=0, description="room for LongMonolog's 1,223 tokens on average")
