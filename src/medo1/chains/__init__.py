"""Chains: what a reasoning chain of each format is, how teachers make one, and how long they are."""

from medo1.chains.formats import FORMATS, ChainFormat, Checks, Cot, Journey, LongMonolog, LongStep, Problem, parsed
from medo1.chains.making import make_chains
from medo1.chains.recipes import RECIPES, Recipe, Stage
from medo1.chains.state import MadeChain, RejectedChain, TeachingError
from medo1.chains.survey import survey_chains
from medo1.chains.task import ChainTask, TeachingSpec

__all__ = [
    "FORMATS",
    "RECIPES",
    "ChainFormat",
    "ChainTask",
    "Checks",
    "Cot",
    "Journey",
    "LongMonolog",
    "LongStep",
    "MadeChain",
    "Problem",
    "Recipe",
    "RejectedChain",
    "Stage",
    "TeachingError",
    "TeachingSpec",
    "make_chains",
    "parsed",
    "survey_chains",
]
