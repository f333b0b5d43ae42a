"""Near-duplicates among chains, by MinHash: the first of each group stays, in the order of the table.

Signatures are rensa's R-MinHash over runs of five words (units of `medo1.questions.grams`), 128 permutations. Chains
that share one of 32 bands are compared by the share of equal places, an estimate of the Jaccard similarity of their
runs with a standard deviation of at most .045.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from medo1.questions.grams import Units

PERMUTATIONS, BANDS = 128, 32
RUN_UNITS = 5
MINHASH_SEED = 42
ALGORITHM_VERSION = 2  # of rensa's R-MinHash: another one gives other signatures
MOST_COMPARED = 16  # texts that share a band with it, with which a text is compared
PAIRS_AT_ONCE = 50_000  # bounds memory
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
    found: list[Duplicate | None] = [None] * len(signature_rows)
    for place, other, same in sorted(_similar_pairs(signature_rows, similarity)):
        stays = found[other] is None and (alive is None or alive[other])
        if found[place] is None and stays:
            found[place] = Duplicate(other, same)
    return found


def _similar_pairs(signature_rows: Any, similarity: float) -> set[tuple[int, int, float]]:
    """Pairs of a text and an earlier one that share a band and are as similar as that.

    Bands are processed one after another, so that memory does not grow with their number. Of the texts that
    share a band each is compared with the first `MOST_COMPARED`.
    """
    import numpy as np

    pairs: set[tuple[int, int, float]] = set()
    count = len(signature_rows)
    for band in range(BANDS if count else 0):
        keys = _band_keys(signature_rows, band)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], keys[order][1:] != keys[order][:-1])))
        start = np.repeat(starts, np.diff(np.concatenate((starts, [count]))))
        for nth in range(MOST_COMPARED):  # the nth text of each group, with those behind it
            behind = np.flatnonzero(np.arange(count) - start > nth)
            if not len(behind):
                break
            later, earlier = order[behind], order[start[behind] + nth]
            for part in range(0, len(later), PAIRS_AT_ONCE):
                mine, theirs = later[part : part + PAIRS_AT_ONCE], earlier[part : part + PAIRS_AT_ONCE]
                same = (signature_rows[mine] == signature_rows[theirs]).mean(axis=1)
                hits = same >= similarity
                pairs.update(zip(mine[hits].tolist(), theirs[hits].tolist(), same[hits].tolist(), strict=True))
    return pairs


def _band_keys(signature_rows: Any, band: int) -> Any:
    """The key of one band of each signature: (texts,) uint64."""
    import numpy as np

    width = PERMUTATIONS // BANDS
    part = np.ascontiguousarray(signature_rows[:, band * width : (band + 1) * width]).view(np.uint64)
    keys = np.zeros(len(part), dtype=np.uint64)
    for column in range(part.shape[1]):
        keys = (keys ^ part[:, column]) * np.uint64(0xC2B2AE3D27D4EB4F)
        keys ^= keys >> np.uint64(29)
    return keys
