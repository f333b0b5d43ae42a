"""Whether what lies there is what was saved: every digest taken again, nothing trusted.

Found are versions that are damaged (other bytes than when they were saved), missing, altered (a manifest that was
edited: its data may fit, but the ledger knows another), renamed, unknown to the ledger, or half-written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from medo1.lineage.audit.known_runs import running
from medo1.lineage.ledger import Ledger
from medo1.lineage.manifests import MANIFEST_NAME, TAGS_NAME
from medo1.lineage.places import Places, digest_of_bytes, manifest_or_reason

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
Problem = Literal["damaged", "missing", "altered", "renamed", "unknown", "half-written", "stray"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    problem: Problem
    dataset: str
    location: str
    version: str
    what: str


def versions_to_verify(connection: LedgerReader, ledger: Ledger, datasets: Iterable[str] = ()) -> list[Row]:
    """Rows of all versions that should be there; of the named datasets only, where some are named."""
    from sqlalchemy import select

    from medo1.lineage.schema import version

    query = select(version).where(version.c.pruned_at.is_(None) & version.c.site.in_(("", ledger.settings.site)))
    names = list(datasets)
    if names:
        query = query.where(version.c.dataset.in_(names))
    return [dict(row._mapping) for row in connection.execute(query.order_by(version.c.location, version.c.version))]


def verify(rows: list[Row], places: Places, told: Callable[[int], None] | None = None) -> list[Finding]:
    """Findings about versions that the ledger knows. Several are hashed at once.

    Args:
        told: called with the number of bytes of each chunk that was read.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return [found for some in pool.map(lambda row: _verified(row, places, told), rows) for found in some]


def _verified(row: Row, places: Places, told: Callable[[int], None] | None) -> list[Finding]:
    def finding(problem: Problem, what: str) -> Finding:
        return Finding(problem, row["dataset"], row["location"], row["version"], what)

    text = places.manifest_text(row["location"], row["version"])
    found: list[Finding] = []
    if text is None:
        there = places.names(row["location"], row["version"])
        what = f"its manifest is gone, {', '.join(there)} is there" if there else "nothing is there"
        return [finding("missing", what)]
    if digest_of_bytes(text) != row["manifest"]:
        manifest = manifest_or_reason(text, f"{row['location']}/{row['version']}/{MANIFEST_NAME}")
        what = manifest if isinstance(manifest, str) else "the manifest is not the one that was written"
        found.append(finding("altered", what))
    try:
        content = places.content(row["location"], row["version"], told)
    except (FileNotFoundError, NotADirectoryError):
        return [*found, finding("missing", "the manifest is there, its data is not")]
    except OSError as error:
        return [*found, finding("damaged", f"cannot be read: {error}")]
    if content.size_bytes != row["size_bytes"]:
        found.append(finding("damaged", f"{content.size_bytes} bytes, saved were {row['size_bytes']}"))
    elif content.digest != row["digest"]:
        found.append(finding("damaged", f"digest {content.digest[:12]}, saved was {row['digest'][:12]}"))
    name = places.data_path(row["location"], row["version"]).rpartition("/")[2]
    strays = [
        one for one in places.names(row["location"], row["version"]) if one not in (name, MANIFEST_NAME, TAGS_NAME)
    ]
    if strays:
        found.append(finding("stray", f"{', '.join(strays)} does not belong there"))
    return found


def unaccounted(connection: LedgerReader, ledger: Ledger, places: Places, roots: Iterable[str]) -> list[Finding]:
    """Version directories that the ledger does not know: complete ones, renamed ones, half-written ones.

    What a run that still goes on is writing is no finding.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import version

    going = set(running(connection, ledger))
    found: list[Finding] = []
    for root in roots:
        for location in sorted(places.locations(root)):
            site = ledger.settings.site_of(location)
            query = select(version.c.version, version.c.dataset, version.c.pruned_at).where(
                (version.c.site == site) & (version.c.location == location)
            )
            known = {row.version: row for row in connection.execute(query)}
            dataset = next((row.dataset for row in known.values()), "")
            for name in places.versions(location):
                if name in going or (name in known and known[name].pruned_at is None):
                    continue
                text = places.manifest_text(location, name)
                if text is None:
                    there = ", ".join(places.names(location, name)) or "nothing"
                    what = f"no manifest, {there} in it: its save never ended"
                    found.append(Finding("half-written", dataset, location, name, what))
                    continue
                manifest = manifest_or_reason(text, f"{location}/{name}/{MANIFEST_NAME}")
                if isinstance(manifest, str):
                    found.append(Finding("altered", dataset, location, name, manifest))
                elif manifest.version != name:
                    what = f"holds the version {manifest.version}: it was renamed or copied"
                    found.append(Finding("renamed", manifest.dataset, location, name, what))
                else:
                    what = "complete, but not in the ledger: `kedro audit rebuild` adds it"
                    found.append(Finding("unknown", manifest.dataset, location, name, what))
    return found
