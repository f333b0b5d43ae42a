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


def digest_in_commit(path: Path, commit: str | None) -> set[str]:
    """The digests that a prompt or file had in a git commit; empty where it was not there, or there is no commit."""
    import hashlib
    import subprocess

    if commit is None or not path.parent.is_dir():
        return set()

    def git(*arguments: str) -> bytes | None:
        done = subprocess.run(["git", *arguments], cwd=path.parent, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    listed = git("ls-tree", "--name-only", commit, f"./{path.name}/")
    if listed:  # a folder of prompts
        names = sorted(name for name in listed.decode().splitlines() if name.endswith(".md"))
        texts = {Path(name).stem: git("show", f"{commit}:./{path.name}/{Path(name).name}") or b"" for name in names}
        return {digest_of_value([[name, digest_of_text(text.decode().strip())] for name, text in texts.items()])}
    content = git("show", f"{commit}:./{path.name}")
    if content is None:
        return set()
    found = {hashlib.sha256(content).hexdigest()}
    if path.suffix == ".md":
        found.add(digest_of_text(content.decode(errors="replace").strip()))
    return found


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
