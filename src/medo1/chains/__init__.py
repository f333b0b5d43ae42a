"""Chains: what a reasoning chain of each format is, how teachers make one, and how long they are."""

from medo1.chains.formats import FORMATS, Checks, Cot, Journey, LongMonolog, LongStep, Problem, Step, parsed
from medo1.chains.making import Made, Rejected, make_chains
from medo1.chains.recipes import RECIPES, Recipe, Stage

__all__ = [
    "FORMATS",
    "RECIPES",
    "Checks",
    "Cot",
    "Journey",
    "LongMonolog",
    "LongStep",
    "Made",
    "Problem",
    "Recipe",
    "Rejected",
    "Stage",
    "Step",
    "make_chains",
    "parsed",
]
