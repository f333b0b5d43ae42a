"""`medo1` and `python -m medo1`: `kedro` for an installed package, called from the project's directory."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the project's command line; `medo1 answers FILE` anywhere, without Kedro and a project."""
    if sys.argv[1:2] == ["answers"]:
        from medo1.commands.answers import answers

        answers.main(args=sys.argv[2:], prog_name="medo1 answers")
    if not (Path.cwd() / "pyproject.toml").is_file():
        sys.exit("medo1 is run from its project directory, the one that holds pyproject.toml and conf/.")
    from kedro.framework.cli.cli import main as kedro_main

    sys.argv[0] = "kedro"
    kedro_main()


if __name__ == "__main__":
    main()
