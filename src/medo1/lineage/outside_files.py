"""The digests that a file or folder from outside can have: of its bytes, of a prompt's text, of a folder of prompts."""

from __future__ import annotations

from pathlib import Path

from medo1.lineage.digests import digest_of_text, digest_of_value
from medo1.lineage.known_digests import KNOWN

PROMPTS = "*.md"


def prompt_text(path: Path) -> str:
    """A prompt file's text, without the line end that editors add."""
    return path.read_text(encoding="utf-8").strip()


def prompt_folder_digest(path: Path) -> str:
    """Digest of a folder of prompts: of its prompt files' names and texts, and of nothing else in it."""
    return digest_of_value([[file.stem, digest_of_text(prompt_text(file))] for file in sorted(path.glob(PROMPTS))])


def possible_digests(path: Path) -> set[str]:
    """Every digest that lineage could have taken of what lies there; empty where nothing does."""
    if not path.exists():
        return set()
    found = {KNOWN.of_tree(path).digest}
    if path.is_file() and path.suffix == ".md":
        found.add(digest_of_text(prompt_text(path)))
    if path.is_dir() and any(path.glob(PROMPTS)):
        found.add(prompt_folder_digest(path))
    return found
