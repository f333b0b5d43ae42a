"""The commands that the docs show, as a reader would paste them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINE = re.compile(r"^ {4}(?:\$ )?((?:kedro|medo1|make) .*)$", re.MULTILINE)
FENCED = re.compile(r"^```(?:bash|sh|console|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:kedro|medo1|make) [^`\n]*)`")


@dataclass(frozen=True)
class Shown:
    """One command on one page.

    Attributes:
        whole: whether it is shown to be run; a command within a sentence may stop short (`kedro audit diff`).
    """

    page: Path
    text: str
    whole: bool

    @property
    def words(self) -> list[str]:
        """Its words, without a comment, a redirection or what it is piped into; `$P` stands for parameters."""
        bare = re.split(r"\s[<|>]\s|\s&&\s|\s;\s", self.text)[0].rstrip("\\").rstrip()
        return [re.sub(r"\$[A-Z]\b", "seed=1", word) for word in shlex.split(bare, comments=True)]


def shown() -> list[Shown]:
    """Every command of every page, each once for a page."""
    found: dict[tuple[Path, str], Shown] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = LINE.findall(text)
        for block in FENCED.findall(text):
            lines += re.findall(r"^(?:\$ )?((?:kedro|medo1|make) .*)$", block, re.MULTILINE)
        for command, whole in [*((line, True) for line in lines), *((line, False) for line in INLINE.findall(text))]:
            found.setdefault((page, command), Shown(page, command, whole))
    return list(found.values())
