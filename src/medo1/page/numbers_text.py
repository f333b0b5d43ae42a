"""Numbers as the page writes them. What is not known is a middle dot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

UNKNOWN = "·"
FIRM = "\u00a0"  # a space at which no line ends
DIGEST = re.compile("[0-9a-f]{64}")  # a model in a directory is known by it
SMALLEST_P = 0.001
PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def known(value: Any) -> bool:
    """Whether there is a number."""
    return value is not None and not (isinstance(value, float) and value != value) and str(value) != "<NA>"  # noqa: PLR0124


def percent(value: Any, digits: int = 1) -> str:
    """A share of 0 to 1 in percent, with its unit."""
    return f"{value * 100:.{digits}f} %" if known(value) else UNKNOWN


def span(low: Any, high: Any) -> str:
    """An interval of shares, in percent."""
    return f"{low * 100:.1f} to {high * 100:.1f}" if known(low) and known(high) else UNKNOWN


def points(value: Any) -> str:
    """A difference of shares, in percentage points, with its sign."""
    return f"{value * 100:+.1f}" if known(value) else UNKNOWN


def points_span(low: Any, high: Any) -> str:
    """An interval of differences, in percentage points."""
    return f"{points(low)} to {points(high)}" if known(low) and known(high) else UNKNOWN


def p_text(value: Any) -> str:
    """A p-value."""
    if not known(value):
        return UNKNOWN
    return "< 0.001" if value < SMALLEST_P else f"{value:.3f}"


def corrected_p(compared: Mapping[str, Any]) -> str:
    """The corrected p-value of a row of comparisons; none where the better of the two may only be guessing."""
    return "guesses" if compared.get("muted") else p_text(compared.get("p_adjusted"))


def count(value: Any) -> str:
    """A whole number, or a mean of counts, with thousands told apart."""
    return f"{value:,.0f}" if known(value) else UNKNOWN


def decimal(value: Any, digits: int = 3) -> str:
    """A number with so many significant digits."""
    return f"{value:.{digits}g}" if known(value) else UNKNOWN


def prefixed(value: Any) -> str:
    """A large number with three digits and its prefix: 25.4 M, 3.1 T."""
    if not known(value):
        return UNKNOWN
    power = min(max(math.floor(math.log10(abs(value))) // 3, 0), len(PREFIXES) - 1) if value else 0
    return f"{value / 1000**power:.3g} {PREFIXES[power]}".rstrip()


def short_time(seconds: Any) -> str:
    """A time in milliseconds below a second, else in seconds."""
    if not known(seconds):
        return UNKNOWN
    return f"{decimal(seconds * 1000)} ms" if seconds < 0.9995 else f"{decimal(seconds)} s"  # noqa: PLR2004


def model_text(name: Any) -> str:
    """A model's name; the beginning of its digest where it has no other."""
    return f"model {str(name)[:12]}" if DIGEST.fullmatch(str(name)) else str(name)
