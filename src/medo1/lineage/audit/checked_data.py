"""A version's data where it lies, held against the digests in manifest and ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medo1.errors import UserError
from medo1.lineage.known_digests import KNOWN
from medo1.lineage.manifests import Manifest
from medo1.lineage.places import CorruptFileError, Places, digest_of_bytes, manifest_or_reason

Row = dict[str, Any]


class GoneError(UserError):
    """A version is not there any more."""


def checked_data(places: Places, version: Row) -> tuple[Path, list[str]]:
    """Where a version's data lies, and what is not as it was saved, each named with its file.

    Raises:
        GoneError: when it is not there.
        CorruptFileError: when it cannot be read at all.
    """
    location, name = version["location"], version["version"]
    file = places.data_path(location, name)
    text = places.manifest_text(location, name)
    path = places.local_data(location, name, version["digest"]) if text is not None else None
    if text is None or path is None or not path.exists():
        raise GoneError(f"{version['dataset']}@{name} is not there any more ({file}).")
    problems = []
    if digest_of_bytes(text) != version["manifest"]:
        problems.append(f"the manifest beside {file} is not the one that the ledger knows")
    manifest = manifest_or_reason(text, file)
    try:
        digest = KNOWN.of_tree(path).digest
    except OSError as error:
        raise CorruptFileError(
            f"{version['dataset']}@{name} cannot be read: {error}. `kedro audit verify` looks for more of the kind."
        ) from error
    if digest != version["digest"]:
        problems.append(f"{file} has the digest {digest[:16]}; saved was {version['digest'][:16]}")
    elif isinstance(manifest, Manifest) and manifest.digest != digest:
        problems.append(f"{file} has another digest than its manifest says ({manifest.digest[:16]})")
    return path, problems
