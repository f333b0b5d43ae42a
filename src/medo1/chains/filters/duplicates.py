"""Near-duplicates among chains, by MinHash: the first of each group stays, in the order of the table.

Signatures are rensa's R-MinHash over runs of five words (units of `medo1.questions.grams`), 128 permutations. Chains
that share one of 32 bands are compared by the share of equal places, an estimate of the Jaccard similarity of their
runs with a standard deviation of at most .045.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from medo1.questions.grams import Units

PERMUTATIONS, BANDS = 128, 32
RUN_UNITS = 5
MINHASH_SEED = 42
ALGORITHM_VERSION = 2  # of rensa's R-MinHash: another one gives other signatures
MOST_COMPARED = 16  # kept chains of one band that a chain is compared with
_ODD = 0x9E3779B97F4A7C15


class Duplicate(NamedTuple):
    """An earlier chain that says the same, by its place, and the estimated similarity."""

    of: int
    similarity: float


def signatures(units: Units) -> Any:
    """The signature of each text: (texts, 128) uint32.

    Raises:
        RuntimeError: the installed rensa computes other signatures than this code was tried with.
    """
    import numpy as np
    from rensa import RMinHash

    if RMinHash.ALGORITHM_VERSION != ALGORITHM_VERSION:
        raise RuntimeError(
            f"rensa computes R-MinHash version {RMinHash.ALGORITHM_VERSION}, expected {ALGORITHM_VERSION}: "
            "install the version that constraints.txt names"
        )
    hashes, _, offsets = units
    count = len(hashes)
    mixed = hashes.copy()
    for step in range(1, RUN_UNITS):
        mixed[: max(count - step, 0)] = (mixed[: max(count - step, 0)] * np.uint64(_ODD)) ^ hashes[step:]
        mixed ^= mixed >> np.uint64(31)
    lengths = np.diff(offsets)
    end = np.repeat(offsets[1:], lengths)
    start = np.repeat(offsets[:-1], lengths)
    place = np.arange(count)
    whole = (place + RUN_UNITS <= end) | (place == start)
    before = np.concatenate(([0], np.cumsum(whole)))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.ascontiguousarray(mixed[whole]), before[offsets].astype(np.uint64), PERMUTATIONS, MINHASH_SEED
    )
    rows = np.asarray(matrix.to_rows(), dtype=np.uint32)
    return rows.reshape(len(lengths), PERMUTATIONS)


def band_keys(signature_rows: Any) -> Any:
    """One key for each band of each signature: (texts, 32) uint64."""
    import numpy as np

    bands = np.ascontiguousarray(signature_rows).view(np.uint64).reshape(len(signature_rows), BANDS, -1)
    keys = np.arange(BANDS, dtype=np.uint64)[None, :] * np.uint64(_ODD)
    for part in range(bands.shape[2]):
        keys = (keys ^ bands[:, :, part]) * np.uint64(0xC2B2AE3D27D4EB4F)
        keys ^= keys >> np.uint64(29)
    return keys


def near_duplicates(
    signature_rows: Any, similarity: float, alive: Sequence[bool] | None = None
) -> list[Duplicate | None]:
    """For each text the first earlier one that is kept and says the same; None where there is none.

    Args:
        signature_rows: of `signatures`.
        similarity: estimated Jaccard similarity from which two texts are the same.
        alive: which texts may be the one that stays; a text that is dropped for another reason is no reason to drop a
            second one. None: all.
    """
    import numpy as np

    found: list[Duplicate | None] = [None] * len(signature_rows)
    buckets: dict[int, list[int]] = defaultdict(list)
    for place, keys in enumerate(band_keys(signature_rows).tolist() if len(signature_rows) else ()):
        others = sorted(_others(buckets, keys))
        if others:
            same = (signature_rows[others] == signature_rows[place]).mean(axis=1)
            hits = np.flatnonzero(same >= similarity)
            if len(hits):
                found[place] = Duplicate(others[int(hits[0])], float(same[hits[0]]))
                continue
        if alive is None or alive[place]:
            for key in keys:
                if len(buckets[key]) < MOST_COMPARED:
                    buckets[key].append(place)
    return found


def _others(buckets: dict[int, list[int]], keys: Iterable[int]) -> set[int]:
    return {other for key in keys if key in buckets for other in buckets[key]}
