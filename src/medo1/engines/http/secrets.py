"""Secrets of an engine, and their removal from any text that leaves it.

A server may echo a key in an error, and an exception may quote a URL that
holds one, so each text that goes into an error, a log line or the store passes through `SecretMask.clean`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from medo1.engines.base import EngineError
from medo1.engines.identity import without_texts
from medo1.lineage.digests import digest_of_text

MASK = "[secret]"
SECRET_PARAMETER = re.compile(r"(?i)key|token|secret|sig(nature)?$|^code$|auth|password|credential")
SHORTEST = 6  # characters; masking shorter strings would garble ordinary words


class SecretMask:
    """Replaces secrets by a mask."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {secret for secret in secrets if len(secret) >= SHORTEST}
        # A server may echo all but the end of a key: a long head of it counts as the key.
        heads = {secret[:12] for secret in found if len(secret) > 20}  # noqa: PLR2004
        ordered = sorted(found, key=len, reverse=True)
        patterns = [re.escape(secret) for secret in ordered] + [
            re.escape(head) + r"[\w*.\-]*" for head in sorted(heads)
        ]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def __repr__(self) -> str:
        return "SecretMask()"

    def clean(self, text: str) -> str:
        """`text` with each secret replaced."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text


def without_secrets(url: str) -> str:
    """A URL without user, password and query: what may stand in an identity or a message."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def query_identity(url: str) -> dict[str, str]:
    """What of a URL's query tells endpoints apart (an API version, a deployment): names with the digests of their
    values. Keys and signatures are left out: a new key asks the same server."""
    return {
        name: f"sha256:{digest_of_text(value)}"
        for name, value in parse_qsl(urlsplit(url).query)
        if not SECRET_PARAMETER.search(name)
    }


def without_secrets_within(options: Any) -> Any:
    """An engine's options as they may be shown and recorded: addresses without user and query (the query by digests),
    texts of `extra_body` by their digests."""
    if isinstance(options, Mapping):
        return {
            name: without_texts(value) if name == "extra_body" else without_secrets_within(value)
            for name, value in options.items()
        }
    if isinstance(options, list | tuple):
        return [without_secrets_within(value) for value in options]
    if isinstance(options, str) and re.match(r"[a-z][a-z0-9+.-]*://", options):
        query = "&".join(f"{name}={digest}" for name, digest in query_identity(options).items())
        return without_secrets(options) + (f"?{query}" if query else "")
    return options


def secrets_of_url(url: str) -> list[str]:
    """What in a URL may be secret: user, password, values of the query."""
    parts = urlsplit(url)
    return [part for part in (parts.username, parts.password) if part] + [value for _, value in parse_qsl(parts.query)]


def secrets_within(value: Any) -> list[str]:
    """All texts in a structure of credentials."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in secrets_within(part)]
    if isinstance(value, Iterable):
        return [text for part in value for text in secrets_within(part)]
    return []


def secrets_named(value: Any) -> list[str]:
    """The texts in a JSON value that stand under a name such as `user_token`."""
    found = []
    if isinstance(value, Mapping):
        for name, part in value.items():
            found += secrets_within(part) if SECRET_PARAMETER.search(str(name)) else secrets_named(part)
    elif isinstance(value, list | tuple):
        found = [text for part in value for text in secrets_named(part)]
    return found


def api_key(credentials: Mapping[str, Any], key_env: str | None, endpoint: str, *, required: bool) -> str:
    """The key for an endpoint: from the catalog's credentials, else from the environment variable named.

    A key from the environment is only ever sent where the configuration says so by naming the variable: a key for one
    provider must not reach another because both speak one protocol.

    Raises:
        EngineError: a key is required and there is none.
    """
    key = credentials.get("api_key") or (os.environ.get(key_env, "") if key_env else "")
    if not isinstance(key, str):
        raise EngineError(f"credentials for {endpoint}: `api_key` is a {type(key).__name__}, expected a text in quotes")
    if key:
        return key.strip()
    if required:
        where = f" or set the environment variable {key_env}" if key_env else ""
        raise EngineError(
            f"no key for {endpoint}: put `api_key` under the engine's entry in conf/local/credentials.yml{where}"
        )
    return "none"
