"""What the page is made of in a study, and the node that writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from medo1.pipelines.reporting.params import ReportingParams

# Tables of every study; a section whose tables are empty is left out.
ALWAYS = (
    *("results", "comparisons", "by_difficulty", "clustered_results", "vote_curve", "budget_curve", "selective_curve"),
    *("tokens", "outcomes", "timing", "ingest_summary"),
)
OF_FORMATS = ("filter_funnel", "chain_lengths", "teaching_costs")
OF_EACH_FORMAT = ("training_log",)
OF_EACH_ARM = ("answers",)
DIGEST = re.compile("[0-9a-f]{64}")  # a model in a directory is known by it


def page_inputs(arms: Iterable[str], formats: Iterable[str], *, checked: bool) -> tuple[str, ...]:
    """The datasets that a study's page is made from.

    Args:
        arms: names of the study's arms.
        formats: of its formats; none where nothing is trained.
        checked: whether the truth of each chain is known, so that the filters were checked.
    """
    formats = tuple(formats)
    return (
        *ALWAYS,
        *(OF_FORMATS if formats else ()),
        *(("filter_soundness",) if checked else ()),
        *(f"{name}.{table}" for name in formats for table in OF_EACH_FORMAT),
        *(f"{arm}.{table}" for arm in arms for table in OF_EACH_ARM),
    )


def write_page(
    params: ReportingParams,
    seed: int,
    base_model: str,
    *tables: Any,
    names: tuple[str, ...],
    arms: tuple[str, ...],
    formats: tuple[str, ...],
) -> str:
    """The page: one HTML file that opens without a network.

    Args:
        params: title, notes, baseline.
        seed: the study's.
        base_model: what was trained, or answered.
        tables: what the page is made of.
        names: the catalog's names of the tables, in their order.
        arms, formats: the study's.
    """
    from medo1.page.material import Material
    from medo1.page.report_page import rendered

    given = dict(zip(names, tables, strict=True))
    material = Material(
        given=given,
        arms=arms,
        formats=formats,
        title=params.title,
        notes=params.notes,
        baseline=params.baseline,
        confidence=params.confidence,
        facts={
            "seed": str(seed),
            "base model": base_model,
            "who answered": _models(given.get("timing")),
            "teacher": _models(given.get("teaching_costs")),
        },
    )
    return rendered(material)


def _models(table: Any) -> str:
    """The models that a table of costs names."""
    if table is None or not len(table):
        return "none"
    names = dict.fromkeys(str(model) for model in table["model"] if model)
    return ", ".join(f"model {name[:12]}" if DIGEST.fullmatch(name) else name for name in names) or "none"
