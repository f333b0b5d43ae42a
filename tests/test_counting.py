"""A count of one is followed by the singular, wherever a command says how many."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from medo1.counting import counted

SOURCE = Path(__file__).resolve().parents[1] / "src" / "medo1"
ROOMS = ("commands", "lineage", "screen", "datasets")
COUNTED = [
    "answers",
    "arms",
    "bytes",
    "calls",
    "chains",
    "columns",
    "completions",
    "datasets",
    "digests",
    "documents",
    "events",
    "examples",
    "failures",
    "files",
    "findings",
    "folders",
    "images",
    "letters",
    "lines",
    "manifests",
    "nodes",
    "places",
    "questions",
    "records",
    "requests",
    "rows",
    "runs",
    "samples",
    "saves",
    "steps",
    "stores",
    "tables",
    "tags",
    "tokens",
    "values",
    "versions",
]
ALWAYS_MORE = {
    "commands/ask.py": {"samples"},  # of which some vote: two at least
    "commands/audit/trace.py": {"values"},  # listed one by one while there are few
    "commands/compare.py": {"runs"},
    "lineage/audit/tracing.py": {"rows"},  # none or several, where one was asked for
}


@pytest.mark.parametrize(
    ("count", "nouns", "expected"),
    [
        (0, ("run",), "0 runs"),
        (1, ("run",), "1 run"),
        (2, ("new version",), "2 new versions"),
        (1, ("copy", "copies"), "1 copy"),
        (12000, ("copy", "copies"), "12,000 copies"),
    ],
)
def test_one_is_singular_and_all_else_plural(count: int, nouns: tuple[str, ...], expected: str) -> None:
    assert counted(count, *nouns) == expected


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_puts_a_plural_behind_a_number_that_may_be_one(room: str) -> None:
    found = []
    for file in sorted((SOURCE / room).rglob("*.py")):
        name = file.relative_to(SOURCE).as_posix()
        for text in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(text, ast.JoinedStr):
                continue
            for number, after in zip(text.values, text.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(after, ast.Constant):
                    continue
                word = str(after.value).removeprefix(" ").replace(",", " ").partition(" ")[0].rstrip(".;:)")
                if str(after.value).startswith(" ") and word in COUNTED and word not in ALWAYS_MORE.get(name, ()):
                    found.append(f"{name}:{text.lineno}: {ast.unparse(number.value)} {word}")
    assert not found, f"use medo1.counting.counted: {found}"
