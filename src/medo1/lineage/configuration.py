"""Where the ledger is and what lineage looks after: `conf/<environment>/lineage.yml`, typed.

Read by the hooks through Kedro's config loader and by `kedro audit`, so that both always mean the same ledger.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from medo1.errors import UserError

FILE = "conf/base/lineage.yml"


class LineageConfigurationError(UserError):
    """`lineage.yml` says something that cannot be done."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `lineage.yml` says.

    Attributes:
        project: the project's directory.
        url: of the ledger, without credentials: `sqlite:///data/ledger.sqlite` (relative to the project) or
            `postgresql+psycopg://host/database`.
        site: names this copy of the project in a ledger that several share; empty where the ledger lies in it.
        roots: where manifests are looked for by `rebuild` and `verify`: folders of the project, or URLs.
        heartbeat_s: seconds between signs of life of a run.
        credentials: user name and password of the ledger's database; never shown.
        storage: arguments of the file systems of remote roots, credentials included; never shown.
    """

    project: Path
    url: str = "sqlite:///data/ledger.sqlite"
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

    def location_of(self, path: str) -> str:
        """A dataset's place as the ledger writes it: relative to the project where it lies in it."""
        if "://" in path:
            return path
        try:
            return Path(path).relative_to(self.project).as_posix()
        except ValueError:
            return path

    def site_of(self, location: str) -> str:
        """The site that a location belongs to: none for a URL."""
        return "" if "://" in location else self.site

    def path_of(self, location: str) -> str:
        """The path or URL that a location names on this machine."""
        return location if "://" in location else str(self.project / location)


KEYS = {"url", "site", "roots", "heartbeat_s", "credentials", "storage_credentials"}


def settings_from(
    config: Mapping[str, Any], project: Path, credentials: Callable[[], Mapping[str, Any]] = dict
) -> Settings:
    """Settings from the content of `lineage.yml`.

    Args:
        config: its content.
        project: the project's directory.
        credentials: gives the content of `credentials.yml`; asked only where the settings name an entry of it.

    Raises:
        LineageConfigurationError: naming the key, what was found and what was expected.
    """
    unknown = sorted(set(config) - KEYS)
    if unknown:
        raise LineageConfigurationError(
            f"lineage.yml: unknown key {', '.join(unknown)}; there are {', '.join(sorted(KEYS))}."
        )
    defaults = {item.name: item.default for item in fields(Settings)}
    url = str(config.get("url") or defaults["url"])
    _refuse_bad_url(url)
    heartbeat = config.get("heartbeat_s", defaults["heartbeat_s"])
    if not isinstance(heartbeat, int | float) or not 1 <= heartbeat <= 3600:  # noqa: PLR2004
        raise LineageConfigurationError(f"lineage.yml: heartbeat_s is {heartbeat!r}, expected seconds from 1 to 3600.")
    roots = config.get("roots", defaults["roots"])
    if not isinstance(roots, list | tuple) or not all(isinstance(root, str) for root in roots):
        raise LineageConfigurationError(f"lineage.yml: roots is {roots!r}, expected a list of folders or URLs.")
    project = project.resolve()
    shared = not url.startswith("sqlite")
    return Settings(
        project=project,
        url=url,
        site=str(config.get("site") or (f"{platform.node()}:{project}" if shared else "")),
        roots=tuple(roots),
        heartbeat_s=float(heartbeat),
        credentials=_entry(config.get("credentials"), credentials, "credentials"),
        storage=_entry(config.get("storage_credentials"), credentials, "storage_credentials"),
    )


def lineage_settings(loader: Any, project: Path) -> Settings:
    """The settings of lineage from Kedro's config loader; the defaults where the project says nothing."""
    from kedro.config import MissingConfigException

    try:
        content = loader["lineage"]
    except (MissingConfigException, KeyError):
        content = {}
    return settings_from(content, project, lambda: _credentials(loader))


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
        raise LineageConfigurationError(
            f"lineage.yml: url begins with {kind!r}; a ledger is sqlite:///<path> or postgresql+psycopg://<host>/<database>."
        )
    if "@" in url:
        raise LineageConfigurationError(
            "lineage.yml: url holds a user name or password. Put `username` and `password` into an entry of "
            "conf/local/credentials.yml and name that entry under `credentials`."
        )


def _entry(name: Any, credentials: Callable[[], Mapping[str, Any]], key: str) -> Mapping[str, Any]:
    if name is None:
        return {}
    there = credentials()
    found = there.get(name)
    if not isinstance(found, Mapping):
        raise LineageConfigurationError(
            f"lineage.yml: {key} names {name!r}, which is no entry of conf/local/credentials.yml "
            f"(there: {', '.join(sorted(map(str, there))) or 'none'})."
        )
    return found
