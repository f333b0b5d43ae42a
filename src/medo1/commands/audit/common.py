"""What the audit commands share: finding the ledger, printing, errors without a traceback."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from medo1.lineage.audit.staleness import Configuration
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.ledger_settings import LedgerSettings
    from medo1.lineage.places import Places

FOUND, UNANSWERED = 1, 2


class UnansweredError(click.ClickException):
    """The question could not be answered."""

    exit_code = UNANSWERED


def kedro_loader(project: Path, env: str | None) -> Any:
    """A config loader as set in the project's `settings.py`, which Kedro reads before it calls a command."""
    from kedro.framework.project import settings

    source = str(project / settings.CONF_SOURCE)
    return settings.CONFIG_LOADER_CLASS(conf_source=source, env=env, **settings.CONFIG_LOADER_ARGS)


class Audit:
    """What a command works with.

    Args:
        env: Kedro environment whose `lineage.yml` names the ledger.
        as_json: print JSON on standard output and nothing else there.
    """

    def __init__(self, env: str | None, as_json: bool) -> None:
        self.env = env or os.environ.get("KEDRO_ENV")
        self.as_json = as_json
        self._ledger: Ledger | None = None
        self._loaders: dict[str | None, Any] = {}

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self.opened()
        return self._ledger

    def opened(self, *, create: bool = False) -> Ledger:
        """The ledger that the configuration names."""
        from medo1.lineage.ledger import Ledger

        self._ledger = Ledger(self.settings, create=create)
        return self._ledger

    @property
    def settings(self) -> LedgerSettings:
        """Where the ledger and the study's root are."""
        from medo1.lineage.ledger_settings import ledger_settings

        return ledger_settings(self.loader(self.env), project())

    @property
    def places(self) -> Places:
        from medo1.lineage.places import Places

        return Places(self.settings)

    def loader(self, env: str | None) -> Any:
        """Kedro's config loader of an environment."""
        if env not in self._loaders:
            self._loaders[env] = kedro_loader(project(), env)
        return self._loaders[env]

    def configuration(self, env: str) -> Configuration:
        """What the project says now in an environment."""
        from kedro.config import MissingConfigException

        from medo1.lineage.audit.staleness import Configuration
        from medo1.lineage.run_records import written_parameters

        loader = self.loader(env or None)
        try:
            return Configuration(written_parameters(loader), loader["catalog"])
        except MissingConfigException as error:
            raise UnansweredError(f"The configuration of environment {env!r} cannot be read: {error}") from error

    def credentials(self) -> Any:
        """The project's credentials; none where there are none."""
        from kedro.config import MissingConfigException

        try:
            return self.loader(self.env)["credentials"]
        except MissingConfigException:
            return {}

    def print_json(self, value: Any) -> None:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_as_json))

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()


def audit_command(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the audit: with `--env` and `--json`, and its first argument an `Audit`."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def called(env: str | None, as_json: bool, **options: Any) -> None:
            audit = Audit(env, as_json)
            try:
                function(audit, **options)
            except UserError as error:
                raise UnansweredError(str(error)) from error
            except BrokenPipeError:  # `kedro audit runs | head`
                sys.stderr.close()
            except Exception as error:
                if not type(error).__module__.startswith("sqlalchemy"):
                    raise
                cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
                raise UnansweredError(
                    f"The ledger {audit.settings.url} cannot be read: {cause}. If it is damaged, move it away and run "
                    "`kedro audit rebuild`, which makes a new one from what lies beside the versions."
                ) from error
            finally:
                audit.close()

        wrapped = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(called)
        wrapped = click.option("--env", "-e", default=None, help="Kedro environment.")(wrapped)
        return click.command(**settings)(wrapped)

    return decorate


def project() -> Path:
    """The project's directory."""
    from kedro.utils import find_kedro_project

    here = Path.cwd()
    found = find_kedro_project(here) or (
        here if (here / "conf").is_dir() else None
    )  # a wheel's configuration, unpacked
    if found is None:
        raise UnansweredError("There is no Kedro project here: go to the directory that holds pyproject.toml.")
    return Path(found)


def console() -> Console:
    """Where tables are printed: a fixed width where there is no terminal, so that a log holds whole rows."""
    from rich.console import Console

    own = Console(highlight=False, emoji=False)
    return (
        own if own.is_terminal else Console(highlight=False, emoji=False, width=int(os.environ.get("COLUMNS") or 130))
    )


def grid(*columns: str, title: str = "", right: tuple[str, ...] = ()) -> Table:
    """An empty table with these columns; `right` names those of numbers."""
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        names = column.startswith(("run", "version", "saved", "dataset")) or column in right
        table.add_column(column, justify="right" if column in right else "left", overflow="fold", no_wrap=names)
    return table


def bytes_text(count: int | None) -> str:
    """A number of bytes as people read it."""
    if count is None:
        return ""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def duration_text(seconds: float | None) -> str:
    """Seconds as people read them."""
    if seconds is None:
        return ""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def cost_text(cost: Mapping[str, Any] | None) -> str:
    """What a run paid as people read it: dollars where they are known, else tokens; empty where it paid nothing."""
    if not cost or not cost.get("answers"):
        return ""
    if cost.get("usd") is not None:
        return f"{cost['usd']:.2f} USD"
    tokens = cost["prompt_tokens"] + cost["completion_tokens"]
    return f"{tokens / 1e6:.1f} M tok" if tokens >= 1e6 else f"{tokens / 1e3:.1f} k tok"  # noqa: PLR2004


def state_text(state: str) -> str:
    """A state in its colour."""
    colour = {
        **dict.fromkeys(("finished", "there", "equal"), "green"),
        **dict.fromkeys(("failed", "missing", "damaged", "different", "altered"), "red"),
        **dict.fromkeys(("measured",), "dim"),
        **dict.fromkeys(("interrupted", "half-written", "stale", "unknown", "renamed", "unpaid"), "yellow"),
        "running": "cyan",
    }.get(state)
    return f"[{colour}]{state}[/{colour}]" if colour else state


def commit_text(run: Mapping[str, Any], digits: int = 10) -> str:
    """The commit of a run, short, with a mark where files were changed."""
    commit = run.get("git_commit")
    return f"{commit[:digits]}{'+changes' if run.get('git_dirty') else ''}" if commit else ""


def _as_json(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
