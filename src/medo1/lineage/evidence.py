"""The digest that a page shows of everything that it was made from, near and far, in its run."""

from __future__ import annotations

from collections.abc import Mapping

from medo1.lineage.digests import digest_of_value

# Stands in a page where the digest is put when the page is saved. Text of models is escaped, so it cannot hold this.
EVIDENCE_MARK = "<!--medo1:evidence-->"
NO_RUN = "by no run"


def evidence_of(node: str, reads: Mapping[str, Mapping[str, str | None]], makers: Mapping[str, str]) -> str:
    """A digest over the content of everything that an output of a node is made from in its run.

    Of what is made in the same way from the same content it is the same, whatever run makes it.

    Args:
        node: whose output.
        reads: of each node of the run, the digests of its inputs by name; None for what is known by its name alone:
            what stays in memory, and what measures the run itself (time, cost) and comes out otherwise each time.
        makers: the node that made a dataset in the run.

    Returns:
        64 hex digits.
    """
    contents: set[tuple[str, str]] = set()
    wanted, seen = [node], {node}
    while wanted:
        for name, digest in reads.get(wanted.pop(), {}).items():
            contents.add((name, digest or ""))
            maker = makers.get(name)
            if maker is not None and maker not in seen:
                seen.add(maker)
                wanted.append(maker)
    return digest_of_value(sorted(map(list, contents)))
