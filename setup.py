"""What pyproject.toml cannot say: the wheel also holds the files of a new project, copied from their one place here."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
COPIED = ("conf", "notebooks", ".telemetry", ".gitignore")  # as medo1.commands.project_folder
OWN = shutil.ignore_patterns("local", "credentials*", "__pycache__", ".ipynb_checkpoints")  # never leave this machine


class WithProjectFiles(build_py):
    """Copies what `medo1 new` writes into the built package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # read where they lie
        target = Path(self.build_lib) / "medo1/project_files"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in COPIED:
            if (HERE / name).is_dir():
                shutil.copytree(HERE / name, target / name, ignore=OWN)
            else:
                shutil.copy(HERE / name, target / name)


setup(cmdclass={"build_py": WithProjectFiles})
