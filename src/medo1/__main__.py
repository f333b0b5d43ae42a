"""`medo1` and `python -m medo1`: `kedro` for an installed package, in a project or in a folder that holds its conf/."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the project's command line; `medo1 answers FILE` anywhere, without Kedro and a project."""
    if sys.argv[1:2] == ["answers"]:
        from medo1.commands.answers import answers

        answers.main(args=sys.argv[2:], prog_name="medo1 answers")
    here = Path.cwd()
    if not ((here / "pyproject.toml").is_file() and (here / "src").is_dir()):
        if not (here / "conf").is_dir() and not any(word.startswith("--conf-source") for word in sys.argv):
            sys.exit(
                "There is no conf/ here: go to the project's directory, or unpack the configuration that "
                "`kedro package` makes beside the wheel (tar xzf conf-medo1.tar.gz)."
            )
        from kedro.framework.project import configure_project

        from medo1.cli import cli

        configure_project("medo1")
        cli.main(prog_name="medo1")
    from kedro.framework.cli.cli import main as kedro_main

    sys.argv[0] = "kedro"
    kedro_main()


if __name__ == "__main__":
    main()
