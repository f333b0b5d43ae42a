"""The reference of the catalog: every entry with its type, its place, and the comment that stands over it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ENTRY = re.compile(r'^"?([A-Za-z_{][^":\n]*)"?:\s*(?:#.*)?$')


def entries(file: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, comment and settings of each entry of a catalog file, in its order."""
    text = file.read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{[^}]*\}", "DATA", text)) or {}
    found, comment = [], []
    for line in text.splitlines():
        if line.startswith("#"):
            comment.append(line.lstrip("# ").strip())
        elif named := ENTRY.match(line):
            name = named.group(1)
            if isinstance(settings.get(name), dict) and not name.startswith("_"):
                found.append((name, " ".join(comment), settings[name]))
            comment = []
        elif not line.strip():
            comment = []
    return found


def page(root: Path) -> str:
    """The page, in Markdown."""
    lines = [
        "# Catalog",
        "",
        "Every artifact of `conf/base/catalog`. Each save makes a new version, with a manifest that says which run",
        "and node made it and from what ([audit a number](../audit_a_number.md)). `DATA` is the environment's folder;",
        "names in braces are filled in by the study's formats and arms. Columns of tables are in",
        "`src/medo1/tables.py`, checked at each load and save.",
        "",
    ]
    for file in sorted((root / "conf/base/catalog").glob("*.yml")):
        title = file.stem.partition("_")[2].replace("_", " ").capitalize()
        lines += [f"## {title}", "", "| entry | type | place | |", "|---|---|---|---|"]
        for name, comment, given in entries(file):
            kind = str(given.get("type", "")).removeprefix("medo1.datasets.")
            schema = str(given.get("validator", "")).rpartition(".")[2]
            says = comment + (f" Schema `{schema}`." if schema else "")
            lines.append(
                f"| `{name}` | {kind} | `{given.get('filepath', '')}` | {says.strip().replace('|', chr(92) + '|')} |"
            )
        lines.append("")
    return "\n".join(lines)
