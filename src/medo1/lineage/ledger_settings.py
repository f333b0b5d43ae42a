"""Where the ledger is and what lineage looks after: `conf/<environment>/lineage.yml`, typed.

Read by the hooks through Kedro's config loader and by `kedro audit`, so that both always mean the same ledger.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from medo1.errors import UserError

# What the root is called wherever a place is written down.
ROOT_NAME = "data"
# How runs without an environment of their own call it.
BASE_ENVS = ("", "base", "local")


class LedgerSettingsError(UserError):
    """`lineage.yml` says something that cannot be done."""


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """What `lineage.yml` says, and where the study's root is.

    Places are written down relative to the root, as `data/...` whatever the root is called, so that a ledger still
    fits when the root was moved, mounted elsewhere or restored from a backup; then relative to the project.

    Attributes:
        project: the project's directory.
        root: where everything lies that runs save, a folder or a URL (`root` in globals.yml).
        url: of the ledger, without credentials: `sqlite:///data/ledger.sqlite` (relative to the project) or
            `postgresql+psycopg://host/database`.
        env: the environment that is worked in; base, local and none are one, called `base`.
        base_envs: what runs of that one call their environment.
        site: names this copy of the project in a ledger that several share; empty where the ledger lies in it.
        roots: where manifests are looked for by `rebuild` and `verify`: folders of the project, or URLs.
        heartbeat_s: seconds between signs of life of a run.
        credentials: user name and password of the ledger's database; never shown.
        storage: arguments of the file systems of remote roots, credentials included; never shown.
    """

    project: Path
    root: str = ROOT_NAME
    url: str = "sqlite:///data/ledger.sqlite"
    env: str = "base"
    base_envs: tuple[str, ...] = BASE_ENVS
    site: str = ""
    roots: tuple[str, ...] = ("data",)
    heartbeat_s: float = 15.0
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    storage: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_file(self) -> bool:
        """Whether the ledger is a SQLite file."""
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.project / self.url.partition(":///")[2]

    @property
    def disk(self) -> Path:
        """The root on this machine's disk; where the root is a URL, what cannot lie there is in the project."""
        return self.project / (ROOT_NAME if "://" in self.root else self.root)

    def location_of(self, path: str) -> str:
        """A place as the ledger writes it: relative to the root or the project, where it lies in one of them."""
        if "://" in path:
            return path
        absolute = self.project / path
        for disk in (self.disk, self.disk.resolve()):
            if absolute.is_relative_to(disk):
                return str(PurePosixPath(ROOT_NAME, absolute.relative_to(disk).as_posix()))
        if not absolute.is_relative_to(self.project):
            return str(absolute)
        inside = absolute.relative_to(self.project).as_posix()
        return str(absolute) if PurePosixPath(inside).parts[:1] == (ROOT_NAME,) else inside

    def env_of(self, name: str | None) -> str:
        """The environment that a run means by a name."""
        return "base" if name is None or name in self.base_envs else name

    def names_of(self, env: str) -> tuple[str, ...]:
        """What runs of an environment call it."""
        return self.base_envs if self.env_of(env) == "base" else (env,)

    def site_of(self, location: str) -> str:
        """The site that a location belongs to: none for a URL."""
        return "" if "://" in location else self.site

    def path_of(self, location: str) -> str:
        """The path or URL that a location names on this machine."""
        if "://" in location:
            return location
        top, *rest = PurePosixPath(location).parts or ("",)
        return str(self.disk.joinpath(*rest) if top == ROOT_NAME else self.project / location)


KEYS = {"url", "site", "roots", "heartbeat_s", "credentials", "storage_credentials"}


def ledger_settings_from(
    config: Mapping[str, Any],
    project: Path,
    credentials: Callable[[], Mapping[str, Any]] = dict,
    root: str = ROOT_NAME,
    env: str | None = None,
) -> LedgerSettings:
    """LedgerSettings from the content of `lineage.yml`.

    Args:
        config: its content.
        project: the project's directory.
        credentials: gives the content of `credentials.yml`; asked only where the settings name an entry of it.
        root: where everything lies that runs save.
        env: the environment that is worked in.

    Raises:
        LedgerSettingsError: naming the key, what was found and what was expected.
    """
    unknown = sorted(set(config) - KEYS)
    if unknown:
        raise LedgerSettingsError(
            f"lineage.yml: unknown key {', '.join(unknown)}; there are {', '.join(sorted(KEYS))}."
        )
    defaults = {item.name: item.default for item in fields(LedgerSettings)}
    root = root.rstrip("/") or "/"
    url = str(config.get("url") or defaults["url"])
    _refuse_bad_url(url)
    heartbeat = config.get("heartbeat_s", defaults["heartbeat_s"])
    if not isinstance(heartbeat, int | float) or not 1 <= heartbeat <= 3600:  # noqa: PLR2004
        raise LedgerSettingsError(f"lineage.yml: heartbeat_s is {heartbeat!r}, expected seconds from 1 to 3600.")
    roots = config.get("roots", [root])
    if not isinstance(roots, list | tuple) or not all(isinstance(root, str) for root in roots):
        raise LedgerSettingsError(f"lineage.yml: roots is {roots!r}, expected a list of folders or URLs.")
    project = project.resolve()
    shared = not url.startswith("sqlite")
    return LedgerSettings(
        project=project,
        env="base" if env is None or env in BASE_ENVS else env,
        root=root,
        url=url,
        site=str(config.get("site") or (f"{platform.node()}:{project}" if shared else "")),
        roots=tuple(roots),
        heartbeat_s=float(heartbeat),
        credentials=_entry(config.get("credentials"), credentials, "credentials"),
        storage=_entry(config.get("storage_credentials"), credentials, "storage_credentials"),
    )


def ledger_settings(loader: Any, project: Path) -> LedgerSettings:
    """The settings of lineage from Kedro's config loader; the defaults where the project says nothing."""
    from kedro.config import MissingConfigException

    try:
        content = loader["lineage"]
    except (MissingConfigException, KeyError):
        content = {}
    return ledger_settings_from(content, project, lambda: _credentials(loader), _root(loader), loader.env)


def _root(loader: Any) -> str:
    from kedro.config import MissingConfigException

    try:
        return str(loader["globals"].get("root") or ROOT_NAME)
    except MissingConfigException:
        return ROOT_NAME


def _credentials(loader: Any) -> Mapping[str, Any]:
    from kedro.config import MissingConfigException

    try:
        found: Mapping[str, Any] = loader["credentials"]
    except MissingConfigException:
        return {}
    return found


def _refuse_bad_url(url: str) -> None:
    kind = url.partition(":")[0].partition("+")[0]
    if kind not in ("sqlite", "postgresql"):
        raise LedgerSettingsError(
            f"lineage.yml: url begins with {kind!r}; a ledger is sqlite:///<path> or postgresql+psycopg://<host>/<database>."
        )
    if "@" in url:
        raise LedgerSettingsError(
            "lineage.yml: url holds a user name or password. Put `username` and `password` into an entry of "
            "conf/local/credentials.yml and name that entry under `credentials`."
        )


def _entry(name: Any, credentials: Callable[[], Mapping[str, Any]], key: str) -> Mapping[str, Any]:
    if name is None:
        return {}
    there = credentials()
    found = there.get(name)
    if not isinstance(found, Mapping):
        raise LedgerSettingsError(
            f"lineage.yml: {key} names {name!r}, which is no entry of conf/local/credentials.yml "
            f"(there: {', '.join(sorted(map(str, there))) or 'none'})."
        )
    return found
