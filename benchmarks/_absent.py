"""How a benchmark says that it cannot measure here: a reason, and an exit status of its own, which is no failure."""

from __future__ import annotations

import sys
from typing import NoReturn

NOT_HERE = 3


def not_here(reason: str) -> NoReturn:
    """End without a figure."""
    print(reason, file=sys.stderr)
    raise SystemExit(NOT_HERE)
