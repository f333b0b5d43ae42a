"""`medo1` and `python -m medo1`: what works anywhere, and in a project all that `kedro` can do there."""

from __future__ import annotations

import os
import sys

from medo1.commands.program import ANYWHERE, program
from medo1.commands.project_folder import LOGGING, project_above


def main() -> None:
    """Run a command: `answers`, `new`, `demo` anywhere, without Kedro; any other in the project that it stands in."""
    first = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if "_MEDO1_COMPLETE" in os.environ or first is None or first in ANYWHERE:
        program.main(prog_name="medo1")
    project = project_above()
    if project is not None:
        if (project / LOGGING).is_file():  # Kedro looks for it in the folder alone that it is called in
            os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(project / LOGGING))
        from kedro.framework.cli.cli import main as kedro_main

        sys.argv[0] = "kedro"
        kedro_main()
    if not os.path.isdir("conf") and not any(word.startswith("--conf-source") for word in sys.argv):  # noqa: PTH112
        program.main(prog_name="medo1", args=["outside", first])
    from kedro.framework.project import configure_project

    from medo1.cli import cli

    configure_project("medo1")  # a folder that holds the configuration alone
    cli.main(prog_name="medo1")


if __name__ == "__main__":
    main()
