"""The examples of the docs: commands with what they print, run again and compared, or filled in.

    python docs/site/examples.py --in PROJECT  # after `kedro run`; exit 1 where a page is stale
    python docs/site/examples.py --in PROJECT --write    # puts what they print into the pages

Each page is run in a copy of the project, so that what one runs or writes is not there for another.

A block of a page is an example where the line before it says so. A `$` begins a command, what follows is its output:

    <!-- example -->

        $ kedro audit root
        ...

`<!-- example: words -->` compares the words that a model has no say in, where its text or the lengths of tables may
differ: the first three of each line, without the names of diseases, lines that come to the same once, and of a line of
more than 100 characters only that there is one. Otherwise only numbers, digests and times may differ. `<!-- example:
runs -->` compares nothing but the exit status. A line `...` stands for any number of lines.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from medo1.clinic.world_words import DISEASES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_COPIED = shutil.ignore_patterns(".venv*", "build", "__pycache__")
LONG = 100  # characters from which a line is a model's text, where words are compared
MARK = re.compile(r"^<!-- example(?:: (?P<how>words|runs))? -->\n\n?(?P<block>(?:(?: {4}.*)?\n)+)", re.MULTILINE)
SPAN = re.compile(r"(?:under )?\b\d[\d,.]*\s?(?:s|m|h|min)\b(?:\s\d[\d.]*\s?(?:s|m|min)\b)*")
FREE = re.compile(r"\b[0-9a-f]{7,64}\b|\b\d{4}-\d\d-\d\dT[\d.:]+Z\b|(?:< )?[+-]?\d[\d,.:]*(?:\s?%)?")
DRAWN = re.compile(r"[─━┏┓┗┛┡┩╇┳┻┴└┘┌┐├┤┬┼╭╮╰╯│┃█▏▎▍▌▋▊▉#]+")


@dataclass(frozen=True)
class Call:
    """A command and what it prints, standard output and error together.

    Attributes:
        command: as it is run. shown: as the page has it, a comment included.
    """

    command: str
    shown: str
    output: str


@dataclass(frozen=True)
class Example:
    """A block of a page.

    Attributes:
        page: the file.
        start, end: where its text stands in the page.
        how: how outputs are compared: `text`, `words`, or `runs` (only the exit status).
        calls: in their order.
    """

    page: Path
    start: int
    end: int
    how: str
    calls: tuple[Call, ...]


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page, from its top."""
    text = page.read_text(encoding="utf-8")
    for found in MARK.finditer(text):
        calls: list[Call] = []
        for line in found["block"].rstrip("\n").split("\n"):
            bare = line.removeprefix("    ")
            if bare.startswith("$ "):
                calls.append(Call(bare[2:].partition("  # ")[0].rstrip(), bare[2:], ""))
            elif calls:
                calls[-1] = replace(calls[-1], output=calls[-1].output + bare + "\n")
            else:
                raise ValueError(f"{page}: an example begins with a line `$ command`; found {bare!r}")
        yield Example(page, found.start("block"), found.end("block"), found["how"] or "text", tuple(calls))


def ran(call: Call, project: Path) -> tuple[str, int]:
    """What a command prints in a project, and its exit status."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "DOCS": str(ROOT / "docs/site"),
        "COLUMNS": "118",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    done = subprocess.run(
        ["bash", "-c", call.command],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.replace(f"{project}/", "").splitlines()]
    return "\n".join(lines).strip("\n") + "\n", done.returncode


def masked(text: str, how: str) -> list[str]:
    """The lines that have to be equal."""
    lines: list[str] = []
    for line in text.splitlines():
        shown = " ".join(FREE.sub("#", SPAN.sub("#", DRAWN.sub(" ", line))).split())
        if how == "words" and shown != "...":
            named = [word for word in re.findall(r"[A-Za-z_]{3,}", shown) if word not in DISEASES]
            shown = "a long line" if len(line) > LONG else " ".join(named[:3])
        if shown.strip("# ") and not (how == "words" and lines[-1:] == [shown]):
            lines.append(shown)
    return lines


def difference(expected: str, printed: str, how: str) -> list[str]:
    """How what was printed differs from what a page shows; empty where it does not."""
    wanted, found = masked(expected, how), masked(printed, how)
    if how == "runs":
        return []
    place = 0
    parts: list[list[str]] = [[]]
    for line in wanted:
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        starts = range(place, len(found) - len(part) + 1) if number else [0]
        if last and number:
            starts = [max(place, len(found) - len(part))] if part else [place]
        start = next((at for at in starts if found[at : at + len(part)] == part), None)
        if start is None or (last and part and start + len(part) != len(found)):
            return list(unified_diff(wanted, found, "shown", "printed", lineterm=""))
        place = start + len(part)
    return [] if place == len(found) or wanted[-1:] == ["..."] else ["printed more than is shown", *found[place:]]


def checked(page: Path, project: Path, *, write: bool) -> list[str]:
    """Run a page's examples in a copy of a project; what is stale, or with `write` nothing but failed commands."""
    if next(examples(page), None) is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "project"
        shutil.copytree(project, copy, symlinks=True, ignore=NOT_COPIED)
        return _checked(page, copy, write=write)


def _checked(page: Path, project: Path, *, write: bool) -> list[str]:
    wrong: list[str] = []
    new: list[tuple[Example, str]] = []
    for example in examples(page):
        text = ""
        for call in example.calls:
            printed, status = ran(call, project)
            expected_to_fail = call.output.lstrip().startswith(("Error", "Usage"))
            if (status != 0) != expected_to_fail and not (status == 1 and "kedro audit" in call.command):
                wrong.append(f"{page.name}: `{call.command}` ended with {status}\n{printed[-1500:]}")
            elif not write:
                found = difference(call.output, printed, example.how)
                wrong += [f"{page.name}: `{call.command}`\n" + "\n".join(found)] if found else []
            kept = call.output if example.how == "runs" else _shortened(printed, call.output)
            lines = [f"    {line}".rstrip() for line in kept.strip("\n").splitlines()]
            text += "\n".join([f"    $ {call.shown}", *lines]) + "\n"
        new.append((example, text))
    if write and new:
        content = page.read_text(encoding="utf-8")
        for example, text in reversed(new):
            content = content[: example.start] + text + "\n" + content[example.end :]
        page.write_text(content, encoding="utf-8")
    return wrong


def _shortened(printed: str, shown: str) -> str:
    """What was printed, without what the page leaves out: a page with `...` keeps as many lines before and after it."""
    lines = shown.splitlines()
    if lines.count("...") != 1:
        return printed
    before, after = lines.index("..."), len(lines) - lines.index("...") - 1
    all_of_it = printed.splitlines()
    if before + after >= len(all_of_it):
        return printed
    return "\n".join([*all_of_it[:before], "...", *(all_of_it[-after:] if after else [])]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--in", dest="project", type=Path, required=True, help="a project in which `kedro run` has run")
    parser.add_argument("--write", action="store_true", help="put what the commands print into the pages")
    parser.add_argument("pages", type=Path, nargs="*", help="all pages of README and docs/ where none is named")
    given = parser.parse_args()
    wrong = [
        line for page in given.pages or PAGES for line in checked(page, given.project.resolve(), write=given.write)
    ]
    sys.stdout.write("\n\n".join([*wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
