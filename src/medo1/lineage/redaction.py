"""Keeps credentials out of what lineage writes: command lines, parameters, errors, diffs, engine identities.

Two ways at once: values that are known to be secret (the project's credentials, environment variables named like keys)
are taken out wherever they stand, and so is whatever has a secret's form or name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HIDDEN = "***"
# Shorter values stand in ordinary text by chance.
LEAST_SECRET_CHARACTERS = 8
# `pad_token` and `max_tokens` are no secrets.
_NAMES = (
    r"pass(?:word|wd|phrase)|secret|credentials?|api[_-]?key|(?:access|private|secret|account|sas)[_-]?key|"
    r"(?:access|auth|api|bearer|hf|id|refresh|session|secret|security)[_-]?token"
)
SECRET_NAME = re.compile(rf"(?i)(?:(?:^|[^a-z])(?:{_NAMES})|^(?:token|auth|pwd|key))$")
SECRET_ASSIGNED = re.compile(rf"(?i)((?:^|[^a-z])(?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)([^\s\"',&]+)")
# What stands among credentials and is none.
OPEN_NAME = re.compile(r"(?i)(url|endpoint|region|host|port|user(name)?|name|bucket|organi[sz]ation|project|version)$")
SECRET_FORM = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|"
    r"xox[baprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})"
)
URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE)
BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")


class LineageRedactor:
    """Takes secrets out of texts and JSON values.

    Args:
        credentials: the project's credentials, any nesting; every text value in them is secret.
    """

    def __init__(self, credentials: Mapping[str, Any] | None = None) -> None:
        known = set(_texts(credentials or {}))
        known |= {value for name, value in os.environ.items() if SECRET_NAME.search(name)}
        long = sorted((value for value in known if len(value) >= LEAST_SECRET_CHARACTERS), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, long))) if long else None

    def text(self, text: str) -> str:
        """The text with each secret replaced by `***`."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = URL_PASSWORD.sub(rf"\g<head>:{HIDDEN}@", text)
        text = SECRET_FORM.sub(HIDDEN, text)
        text = BEARER.sub(rf"\1 {HIDDEN}", text)
        return SECRET_ASSIGNED.sub(rf"\1{HIDDEN}", text)

    def finds(self, text: str) -> bool:
        """Whether a known secret, or something with a secret's form, stands in a text (such as a source diff)."""
        known = self._known is not None and self._known.search(text) is not None
        return known or SECRET_FORM.search(text) is not None

    def value(self, value: Any) -> Any:
        """A JSON value with secrets replaced, also whatever stands under a name such as `api_key`."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: HIDDEN if _names_a_secret(key, item) else self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _names_a_secret(key: Any, item: Any) -> bool:
    return isinstance(key, str) and isinstance(item, str) and bool(item) and SECRET_NAME.search(key) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if not (isinstance(name, str) and isinstance(item, str) and OPEN_NAME.search(name)):
                yield from _texts(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _texts(item)
