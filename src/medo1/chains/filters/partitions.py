"""The filters over partitions of a chains table: here, or on the workers of a Ray cluster (extra `ray`).

The verdicts on a chain depend on that chain alone, so the rows are the same for any partitioning. Only what compares
chains with each other (`settled`) stays with the caller; for that a partition gives each chain's signature of 512
bytes, never its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from medo1.chains.filters.candidate import Candidate, Verdict
from medo1.chains.filters.running import ChainFilters, Looked

ROWS = 2000


def looked_here(filters: ChainFilters, candidates: Sequence[Candidate], rows: int = ROWS) -> list[Looked]:
    """`ChainFilters.looked`, a partition at a time, so that memory is bounded by the partition."""
    found: list[Looked] = []
    for start in range(0, len(candidates), rows):
        found.extend(filters.looked(candidates[start : start + rows]))
    return found


def looked_on_ray(
    made_with: Mapping[str, Any],
    candidates: Sequence[Candidate],
    rows: int = ROWS,
    workers: int = 2,
    address: str | None = None,
) -> list[Looked]:
    """The same on a Ray cluster; rows in the order of `candidates`.

    Args:
        made_with: arguments of `ChainFilters`, which each worker makes once.
        candidates: the chains.
        rows: of a partition.
        workers: actors that look, at most.
        address: of a running cluster; None takes RAY_ADDRESS, or starts Ray on this machine and ends it again.
    """
    import ray

    if not candidates:
        return []
    ours = not ray.is_initialized()
    if ours:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    try:
        return list(_together(candidates, _looked_in_parts(made_with, candidates, rows, workers)))
    finally:
        if ours:  # a Ray that the caller had started is left alone
            ray.shutdown()


def _looked_in_parts(
    made_with: Mapping[str, Any], candidates: Sequence[Candidate], rows: int, workers: int
) -> dict[int, Mapping[str, Any]]:
    """What the workers found, by the candidate's place."""
    import pandas as pd
    import ray

    table = pd.DataFrame(
        {
            "place": range(len(candidates)),
            "chain": [json.dumps(one.chain, default=_plain) for one in candidates],
            "tokens": pd.array([one.tokens for one in candidates], dtype="Int64"),
        }
    )
    parts = max(1, -(-len(candidates) // rows))
    data = (
        ray.data.from_pandas(table)
        .repartition(parts)
        .map_batches(
            _Worker,
            fn_constructor_args=(dict(made_with),),
            batch_size=rows,
            batch_format="pandas",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(workers, parts))),
        )
    )
    return {int(row["place"]): row for row in data.iter_rows()}


class _Worker:
    """An actor: makes the filters once, then looks at one partition after another."""

    def __init__(self, made_with: dict[str, Any]) -> None:
        self._filters = ChainFilters(**made_with)

    def __call__(self, table: Any) -> Any:
        import pandas as pd

        chains = [json.loads(chain) for chain in table["chain"]]
        tokens = [None if pd.isna(count) else int(count) for count in table["tokens"]]
        looked = self._filters.looked(self._filters.candidates(chains, tokens))
        return pd.DataFrame(
            {
                "place": table["place"],
                "verdicts": [json.dumps({name: asdict(told) for name, told in one.verdicts.items()}) for one in looked],
                "signature": [b"" if one.signature is None else one.signature.tobytes() for one in looked],
            }
        )


def _together(candidates: Sequence[Candidate], told: Mapping[int, Mapping[str, Any]]) -> Iterator[Looked]:
    import numpy as np

    for place, candidate in enumerate(candidates):
        row = told[place]
        verdicts = {name: Verdict(**value) for name, value in json.loads(row["verdicts"]).items()}
        signature = np.frombuffer(row["signature"], dtype=np.uint32) if row["signature"] else None
        yield Looked(candidate, verdicts, signature)


def _plain(value: Any) -> Any:
    """JSON's form of a cell: arrays as lists, pandas' missing values as null."""
    import pandas as pd

    if hasattr(value, "tolist"):
        return value.tolist()
    return None if pd.isna(value) else str(value)
