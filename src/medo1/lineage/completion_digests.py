"""Which answers of models a table was made from, and what they were: a line an answer, kept beside the version.

    <filepath>/<version>/_completions.txt     <digest of the answer>  <request id>, sorted by id

The digest is over all of an answer that anything is computed from: text, thought, model, how it ended, tokens,
confidences, seconds. A completion store in which a row was changed, or is gone, so no longer fits the versions that it
paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from medo1.lineage.digests import digest_of_text

COMPLETIONS_NAME = "_completions.txt"
UNKEPT = "-"  # in the place of the digest of an answer that no store keeps
# Columns of a table that name calls: the one that wrote the row, and all that were paid for it.
CALL = "request_id"
ALL_CALLS = ("request_ids", "parts")
FIELDS = (
    *("text", "reasoning", "model", "finish_reason", "error", "prompt_tokens", "completion_tokens"),
    *("reasoning_tokens", "cached_prompt_tokens", "mean_logprob", "self_certainty", "confidence"),
    *("lowest_confidence", "latency_s"),
)

# Reads answers out of a completion store, a file, by their request ids; what is not there is left out.
ReadAnswers = Callable[[str, Sequence[str]], Mapping[str, Any]]
# Says what was paid into a store, a file, since a moment (seconds since the epoch) at the prices of some models.
PaidSince = Callable[[str, float, Mapping[str, Any]], Mapping[str, Any]]


def answer_digest(answer: Any) -> str:
    """SHA-256 over what an answer is, 64 hex digits; `answer` has the fields of a completion."""
    return digest_of_text("\n".join(f"{name}={getattr(answer, name)!r}" for name in FIELDS))


def call_ids(table: Any) -> list[str]:
    """Request ids that a table's rows name, each once, in the order of the rows; empty for what names none."""
    columns = getattr(table, "columns", ())
    if CALL not in columns and not any(name in columns for name in ALL_CALLS):
        return []
    calls = [table[CALL]] if CALL in columns else []
    calls.extend(table[name].explode() for name in ALL_CALLS if name in columns)
    return list(dict.fromkeys(str(call) for column in calls for call in column if isinstance(call, str) and call))


def lines_of(answers: Mapping[str, str]) -> str:
    """The text of a file of digests, by request id."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(answers.items()))


def digests_from(text: str) -> dict[str, str]:
    """Digests by request id, from the text of such a file.

    Raises:
        ValueError: when it is none, naming the line.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        digest, mark, name = line.partition("  ")
        if not mark or not name:
            raise ValueError(f"line {number} is not `<digest>  <request id>`")
        found[name] = digest
    return found


def digests_in(read: ReadAnswers, stores: Iterable[str], ids: Sequence[str]) -> dict[str, str]:
    """Digests of the answers that some stores keep now, by request id."""
    found: dict[str, str] = {}
    for store in stores:
        wanted = [name for name in ids if name not in found]
        found |= {name: answer_digest(answer) for name, answer in read(store, wanted).items()}
    return found
