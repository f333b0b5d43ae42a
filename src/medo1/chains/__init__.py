"""Chains: what a reasoning chain of each format is, how teachers make one, and how long they are."""

from medo1.chains.formats import FORMATS, ChainFormat, Checks, Cot, Journey, LongMonolog, LongStep, Problem, parsed
from medo1.chains.making import Made, Rejected, make_chains
from medo1.chains.recipes import RECIPES, Recipe, Stage

__all__ = [
    "FORMATS",
    "RECIPES",
    "ChainFormat",
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
    "make_chains",
    "parsed",
]
