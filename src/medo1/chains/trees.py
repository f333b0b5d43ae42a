"""Reasoning trees: read from a teacher's JSON, walked depth-first into the story of a search.

A tree's leaves are dead ends or the answer; the walk goes into failed branches
first and comes back from each, saying so, because that is what journey learning teaches (arXiv 2410.18982, section on
constructing long thoughts: depth-first traversal, then smoothing by a model).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["open", "dead_end", "answer"]
DEEPEST = 12
MOST_NODES = 200
FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tree:
    """A thought, how it ended, why, and the thoughts that it led to."""

    thought: str
    verdict: Verdict = "open"
    reason: str = ""
    children: tuple[Tree, ...] = ()


def read_tree(text: str) -> tuple[Tree | None, str]:
    """The tree in a teacher's answer, or None and what is wrong with it (for the teacher)."""
    fenced = FENCE.search(text)
    body = fenced[1] if fenced else text[text.find("{") : text.rfind("}") + 1]
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        return None, f"it is not JSON ({error})"
    try:
        count = [0]
        tree = _node(content, "the root", 1, count)
    except ValueError as error:
        return None, str(error)
    leaves = [node.verdict for node in nodes(tree)]
    if leaves.count("answer") != 1:
        return None, f"it has {leaves.count('answer')} nodes with verdict 'answer', expected exactly one"
    if "dead_end" not in leaves:
        return None, "no branch of it is a dead end: a search goes wrong somewhere before it goes right"
    return tree, ""


def _node(content: Any, where: str, depth: int, count: list[int]) -> Tree:
    count[0] += 1
    if depth > DEEPEST or count[0] > MOST_NODES:
        raise ValueError(f"it is too large: at most {DEEPEST} levels and {MOST_NODES} thoughts")
    if not isinstance(content, dict) or not isinstance(content.get("thought"), str) or not content["thought"].strip():
        raise ValueError(f"{where} has no text under 'thought'")
    verdict = content.get("verdict", "open")
    if verdict not in {"open", "dead_end", "answer"}:
        raise ValueError(f"{where} has the verdict {verdict!r}, expected open, dead_end or answer")
    children = content.get("children") or []
    if not isinstance(children, list):
        raise ValueError(f"{where} has 'children' that are no list")  # noqa: TRY004
    if verdict != "open" and children:
        raise ValueError(f"{where} ends with {verdict} and yet goes on")
    if verdict == "open" and not children:
        raise ValueError(f"{where} is left open: end it as dead_end or answer, or go on from it")
    below = tuple(
        _node(child, f"thought {n} below {where}", depth + 1, count) for n, child in enumerate(children, start=1)
    )
    return Tree(content["thought"].strip(), verdict, str(content.get("reason") or "").strip(), below)


def nodes(tree: Tree) -> list[Tree]:
    """All nodes, depth-first."""
    return [tree, *(node for child in tree.children for node in nodes(child))]


def holds_answer(tree: Tree) -> bool:
    """Whether the answer lies in this branch."""
    return any(node.verdict == "answer" for node in nodes(tree))


def walk(tree: Tree) -> str:
    """The search as lines, in the order in which it is lived: failed branches before the one that holds."""
    return "\n".join(_walked(tree))


def _walked(tree: Tree) -> list[str]:
    lines = [tree.thought]
    if tree.verdict == "dead_end":
        return [*lines, f"Dead end: {tree.reason or 'this does not hold'}."]
    ordered = sorted(tree.children, key=holds_answer)  # stable: failed branches keep their order
    for place, child in enumerate(ordered):
        if place:
            lines.append(f"Back to: {tree.thought}")
        lines += _walked(child)
    return lines
