"""What a run can say of itself while it goes on, as HTML for the pages that it saves."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.recorder import NodeInput

logger = logging.getLogger(__name__)

# What of a run's record a page shows, and how it is called there. Who ran it and on which machine is not shown: pages
# are passed on.
FACTS = {
    "started_at": "started (UTC)",
    "command": "command",
    "env": "environment",
    "git_commit": "commit",
    "medo1": "medo1",
    "kedro": "Kedro",
    "python": "Python",
}
MINUTE = 60


class RunTold:
    """Answers a page's marks.

    Args:
        run: the run's id.
        page: the name of the dataset that is saved.
        record: the run's short record, as manifests have it.
        reads: what the page's node read, by name.
        took: seconds of each node that has ended, by node.
        stages: the stage of each node.
        ledger: where the versions of this and earlier runs are known.
    """

    def __init__(
        self,
        run: str,
        page: str,
        record: Mapping[str, Any],
        reads: Mapping[str, NodeInput],
        took: Mapping[str, float],
        stages: Mapping[str, str],
        ledger: Ledger,
    ) -> None:
        self._run, self._page, self._record, self._reads = run, page, record, reads
        self._took, self._stages, self._ledger = took, stages, ledger

    def __call__(self, kind: str, name: str) -> str:
        """The HTML for a mark; empty for a kind that is unknown."""
        match kind:
            case "run":
                return self._facts()
            case "id":
                return escape(self._run)
            case "version":
                read = self._reads.get(name)
                return "" if read is None or read.manifest is None else escape(f"@{read.manifest.version}")
            case "stages":
                return self._durations()
            case "lineage":
                return self._picture()
            case _:
                return ""

    def _facts(self) -> str:
        told = {"run": self._run} | {
            heading: str(self._record[name]) for name, heading in FACTS.items() if self._record.get(name)
        }
        if self._record.get("git_dirty"):
            told["commit"] = f"{told.get('commit', '')} with uncommitted changes"
        return "".join(f"<div><dt>{escape(head)}</dt><dd>{escape(value)}</dd></div>" for head, value in told.items())

    def _durations(self) -> str:
        seconds: dict[str, list[float]] = {}
        for node, took in self._took.items():
            seconds.setdefault(self._stages.get(node, node), []).append(took)
        return "".join(
            f'<tr><th scope="row">{escape(stage)}</th><td>{len(each)}</td><td>{_time_text(sum(each))}</td></tr>'
            for stage, each in seconds.items()
        )

    def _picture(self) -> str:
        """The picture of all that the page was made from; empty, with a warning, where the ledger cannot be asked."""
        from medo1.lineage.audit.graph import Graph, ancestors
        from medo1.lineage.audit.picture import lineage_picture

        up = Graph(0, {0: {"id": 0, "dataset": self._page, "version": self._run, "digest": "this page", "rows": None}})
        try:
            with self._ledger.reading() as connection:
                query = "SELECT * FROM version WHERE location = :location AND version = :version"
                for read in self._reads.values():
                    if read.manifest is None:
                        continue
                    found = connection.first(query, location=read.location, version=read.manifest.version)
                    if found is None:
                        continue
                    above = ancestors(connection, found)
                    up.versions |= above.versions
                    up.edges[0].append(found["id"])
                    for number, sources in above.edges.items():
                        up.edges[number] = sources
                    for number, reads in above.outside.items():
                        up.outside[number] = reads
            return lineage_picture(up.versions[0], up, Graph(0))
        except Exception as error:  # a study is not lost for want of its picture
            logger.warning("The page has no picture of its lineage: %s", error)
            return ""


def _time_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
