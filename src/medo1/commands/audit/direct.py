"""`medo1 audit ...`: the audit's commands without Kedro's command line around them.

`kedro audit` waits for all that Kedro reads before it calls any command: its settings, its plugins, what those import.
The audit asks a ledger and needs of Kedro its config loader alone, so here it gets that and nothing else. The answers
are the same; hooks of Kedro's command line, such as its telemetry, are not called.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PACKAGE = "medo1"


def own_sources(project: Path) -> Path | None:
    """Where the sources of a project of this package lie; None for another's, whose settings say how it is read."""
    try:
        described = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # Kedro tells what is wrong with it
    kedro = described.get("tool", {}).get("kedro", {})
    return project / kedro.get("source_dir", "src") if kedro.get("package_name") == PACKAGE else None


def main(sources: Path, arguments: list[str]) -> None:
    """Run a command of the audit in a project of this package; exits with its status."""
    from medo1.commands.audit import audit
    from medo1.commands.audit.common import Configured
    from medo1.configuration import project_loader

    if str(sources) not in sys.path:  # as Kedro does it: `stale` reads the sources of what made a version
        sys.path.insert(0, str(sources))
    audit.main(arguments, prog_name="medo1 audit", obj=Configured(project_loader))
