"""Nodes made from one function for several formats and arms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any


def bound(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """`function` with some arguments fixed, keeping its name and annotations.

    Kedro reads annotations to validate parameters, and a bare `functools.partial` has none.
    """
    return update_wrapper(partial(function, **fixed), function)
