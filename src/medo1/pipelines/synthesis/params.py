"""Parameters of synthesis."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from medo1.parameters import Parameters

RecipeName = Literal["single", "longstep", "longmonolog", "journey"]
FormatName = Literal["cot", "longstep", "longmonolog", "journey"]


class ImportParams(Parameters):
    """Chains that exist already: which file, and where in each row the parts stand."""

    file: str = Field(description="file name below the benchmark folder, json or jsonl")
    form: str | None = Field(default=None, description="form of its questions; None recognises it")
    reasoning: str | None = Field(default=None, description="field that holds the reasoning; None: there is none")
    answer: str = Field(description="field that holds the final response")
    mapping: dict[str, Any] | None = Field(
        default=None, description="columns of the questions, as in ingest, for a file of one's own"
    )


class FormatParams(Parameters):
    """One format of chains, or a variant of one (other prompts, another recipe) under a name of its own."""

    source: Literal["teacher", "import"] = Field(
        default="teacher", description="who writes the chains: the catalog's teacher, or nobody, they are imported"
    )
    imported: ImportParams | None = Field(default=None, description="what is imported, for source: import")
    writes: FormatName | None = Field(
        default=None, description="the format that its chains must have; None: the one of its name"
    )
    recipe: RecipeName = Field(default="single", description="the calls that make a chain (medo1.chains.recipes)")
    answer_guided: bool = Field(
        default=False, description="the prompts may show the right answer; such chains are marked `guided`"
    )
    min_steps: int = Field(default=2, gt=0, description="fewest steps of a longstep chain")
    require_parts: bool = Field(default=False, description="each longstep step states goal, evidence and conclusion")
    min_turns: int = Field(default=1, ge=0, description="fewest places where a monologue asks, doubts or turns")


class PriceParams(Parameters):
    """A model's list price in US dollars per million tokens; thought is billed as completion."""

    prompt_usd_per_million: float = Field(ge=0)
    completion_usd_per_million: float = Field(ge=0)
    cached_prompt_usd_per_million: float | None = Field(default=None, ge=0)


class SynthesisParams(Parameters):
    """How the teacher is asked. The paper distils 500 cases."""

    questions: int = Field(default=500, gt=0, description="training questions per format; paper: 500")
    questions_of: dict[str, int] | None = Field(
        default=None, description="at most so many of each benchmark; paper: 350 of MedQA, 150 of JAMA; null: as drawn"
    )
    samples: int = Field(default=1, gt=0, description="chains per question; paper: not stated, 1 is the least")
    temperature: float = Field(default=0.0, ge=0, description="paper: not published")
    max_new_tokens: int = Field(default=4096, gt=0, description="room for LongMonolog's 1,223 tokens on average")
    tries: int = Field(default=1, gt=0, description="askings in all for a chain that is not of its format")
    when_cut: Literal["keep", "continue", "reask"] = Field(
        default="keep", description="an answer cut by its length: rejected with its text kept, continued, asked again"
    )
    cut_rounds: int = Field(default=2, gt=0, description="most continuations of one answer")
    cut_factor: float = Field(default=2.0, gt=1, description="how much larger each further limit is, for reask")
    budget_usd: float | None = Field(default=None, ge=0, description="of one run, all formats; null: no limit")
    prices: dict[str, PriceParams] = Field(default={}, description="by model name, or the beginning of one")
    expected_tokens: float | None = Field(
        default=None, gt=0, description="tokens of an answer, for the estimate; null: as the model's earlier answers"
    )
    estimate_only: bool = Field(default=False, description="say what would be sent and cost, and stop")
