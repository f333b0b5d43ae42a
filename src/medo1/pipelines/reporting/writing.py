"""What the page is made of in a study, and the node that writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from medo1.gathered import by_arm
from medo1.pipelines.reporting.params import ReportingParams

# Tables of every study; a section whose tables are empty is left out.
ALWAYS = (
    *("results", "comparisons", "by_difficulty", "clustered_results", "vote_curve", "budget_curve"),
    *("selective_curve", "selective_choice"),
    *("claims", "paper_table", "signatures", "arm_pairs", "arm_groups", "non_inferiority"),
    *(
        "vote_limits",
        "pass_curve",
        "variances",
        "stopping_rules",
        "calibration",
        "calibration_summary",
        "risk_coverage",
    ),
    *("letters", "letter_baselines", "lengths", "model_sizes", "frontier"),
    *("tokens", "outcomes", "timing", "ingest_summary"),
)
OF_FORMATS = ("filter_funnel", "chain_lengths", "teaching_costs", "training_questions", "training_log", "kept_chains")
OF_ARMS = ("answers", "asked_questions", "generations", "votes")  # each of all arms in one table


def page_inputs(
    formats: Iterable[str], *, checked: bool, probed: Collection[str] = (), free: bool = False
) -> tuple[str, ...]:
    """The datasets that a study's page is made from.

    Args:
        formats: names of the study's formats; none where nothing is trained.
        probed: names of the probes that the arms were asked.
        free: whether an arm answered without options.
        checked: whether the truth of each chain is known, so that the filters were checked.
    """
    formats = tuple(formats)
    return (
        *ALWAYS,
        *(OF_FORMATS if formats else ()),
        *(("filter_soundness",) if checked else ()),
        *(("probes",) if probed else ()),
        *(("faithfulness",) if "changed_step" in probed else ()),
        *(("free_form",) if free else ()),
        *OF_ARMS,
    )


def write_page(
    params: ReportingParams,
    seed: int,
    base_model: str,
    *tables: Any,
    names: tuple[str, ...],
    arms: Mapping[str, str | None],
    formats: tuple[str, ...],
) -> tuple[str, Path]:
    """The page: one HTML file that opens without a network; and a folder of its cases, where they are too many for it.

    Args:
        params: title, notes, baseline.
        seed: the study's.
        base_model: what was trained, or answered.
        tables: what the page is made of.
        names: the catalog's names of the tables, in their order.
        arms: the study's, with the format that each was trained on.
        formats: the study's.
    """
    from medo1.page.material import Material
    from medo1.page.study_page import study_page

    given = dict(zip(names, tables, strict=True))
    material = Material(
        given=given | by_arm({name: given[name] for name in OF_ARMS}),
        arms=tuple(arms),
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
        share_texts=params.cases == "shareable",
        learnt={arm: format for arm, format in arms.items() if format is not None},
    )
    page = study_page(material, cases=params.cases != "none", inside=round(params.most_mb * 1e6))
    return page.html, _folder(page.files)


def _folder(files: Mapping[str, str]) -> Path:
    """A new folder of these files; of one that says so where there are none."""
    folder = Path(tempfile.mkdtemp(prefix="medo1-cases-")) / "cases"
    folder.mkdir()
    for name, text in (files or {"README.txt": "The page carries its cases itself.\n"}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _models(table: Any) -> str:
    """The models that a table of costs names."""
    from medo1.page.numbers_text import model_text

    if table is None or not len(table):
        return "none"
    names = dict.fromkeys(str(model) for model in table["model"] if model)
    return ", ".join(model_text(name) for name in names) or "none"
