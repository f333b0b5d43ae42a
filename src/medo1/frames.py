"""The type of a table in signatures, without importing pandas.

Kedro reads the type hints of nodes while it starts, and pandas takes longer to import than all of Kedro. So nodes are
annotated with `Frame`: a `pandas.DataFrame` to the type checker, nothing at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as Frame
else:
    Frame = Any

__all__ = ["Frame", "of_arms", "records"]


def records(table: Frame) -> list[dict[str, Any]]:
    """A table's rows as mappings from column to value, in its order."""
    return table.to_dict(orient="records")  # type: ignore[return-value]


def of_arms(table: Frame) -> dict[str, Frame]:
    """The rows of each arm, by its name, in the order in which the arms stand in a table of all."""
    return {str(arm): rows for arm, rows in table.groupby("arm", sort=False)}
