"""The teachers' output as table rows, and as the summary that ends a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from medo1.chains.lengths import length_figure, length_rows
from medo1.chains.state import MadeChain, RejectedChain
from medo1.frames import Frame, records


def chain_row(made: MadeChain, name: str) -> dict[str, Any]:
    """A row of `tables.CHAINS`."""
    completion = made.completion
    return {
        "question_id": made.question_id,
        "format": name,
        "sample": made.sample,
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "completion_tokens": made.tokens,
        "teacher": completion.model,
        "guided": made.guided,
        "request_id": completion.request_id,
        "request_ids": list(made.request_ids),
    }


def rejected_row(rejected: RejectedChain, name: str) -> dict[str, Any]:
    """A row of `tables.CHAINS_REJECTED`."""
    return {
        "question_id": rejected.question_id,
        "format": name,
        "sample": rejected.sample,
        "reason": f"{rejected.code}: {rejected.reason}",
        "content": rejected.text,
    }


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By key, so that the order in which answers came back leaves no trace."""
    return sorted(rows, key=lambda row: (row["question_id"], row["sample"]))


def counts_by_reason(rejected: Sequence[RejectedChain]) -> str:
    """`12 no_steps (it has no lines that ...), 3 cut (...)`: the codes, the commonest first, each with one reason."""
    reasons = {one.code: one.reason for one in reversed(rejected)}
    counted = Counter(one.code for one in rejected)
    return "; ".join(f"{count} {code} ({reasons[code]})" for code, count in counted.most_common())


def length_table(chains: Mapping[str, Frame]) -> tuple[Frame, Any]:
    """Lengths of each format's chains beside the paper's means: table `CHAIN_LENGTHS` and its figure."""
    from medo1 import tables

    counted = {name: table["completion_tokens"].dropna().astype(int).tolist() for name, table in chains.items()}
    unknown = {name: int(table["completion_tokens"].isna().sum()) for name, table in chains.items()}
    return tables.as_table(tables.CHAIN_LENGTHS, length_rows(counted, unknown)), length_figure(counted)


def cost_table(costs: Mapping[str, Frame]) -> Frame:
    """All formats' costs, and their sum as the last row (`format` is `total`)."""
    from medo1 import tables

    rows = [row for table in costs.values() for row in records(table)]
    if rows:
        sums = {
            key: sum(row[key] for row in rows) for key, value in rows[0].items() if not isinstance(value, str | bool)
        }
        rows.append({**sums, "format": "total", "stage": "", "model": "", "priced": all(row["priced"] for row in rows)})
    return tables.as_table(tables.TEACHING_COSTS, rows)
