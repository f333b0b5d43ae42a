"""Parameters of filtering: the specs of the filters, and where they run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from medo1.chains.filters.specs import FilterSpecs


class FilteringParams(FilterSpecs):
    """Which chains are kept. The paper does not publish its filters: each value is medo1's choice, with its reason."""

    run_on: Literal["here", "ray"] = Field(
        default="here", description="where filters run; ray: on the workers of a cluster (extra `ray`)"
    )
    partition_rows: int = Field(default=2000, gt=0, description="chains per batch; bounds memory")
    workers: int = Field(default=2, gt=0, description="most actors on Ray")

    def asks(self) -> dict[str, Any]:
        """Which models the filters use; determines the graph."""
        judged = not {"answer", "correct", "judge"}.isdisjoint(self.order)
        return {
            "judges": self.judge.engines if judged else (),
            "solver": self.difficulty.solver if "difficulty" in self.order else None,
            "prompt": self.difficulty.prompt,
            "refine": bool(self.refine.reasons),
            "student_tokens": "length" in self.order and self.length.tokens_of == "student",
        }
