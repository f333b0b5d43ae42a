"""filtering: chains -> verdicts -> kept chains, once per format; then the funnel of them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.gathered import gather, gather_values
from medo1.pipelines.filtering.nodes import (
    ask_judges,
    attempt_questions,
    check_filters,
    filter_chains,
    keep_chains,
    refine_chains,
    summarise_filters,
)
from medo1.wiring import bound

# Of these a format has its own, and there is one of all.
GATHERED = {"kept_chains": gather, "dropped_chains": gather, "filter_summary": gather_values}
EMBEDDED = "clinic"  # the base model of the embedded world, whose truth is known


def _format(name: str, spec: Mapping[str, Any], asks: Mapping[str, Any]) -> Pipeline:
    """One format's nodes, in a namespace of its own."""
    chains, nodes = "chains", []
    own = ["questions", "params:filtering", "params:format"]
    if _refines(spec, asks):
        inputs = ["chains", *own, "filter_prompts", "teacher_prompts", "params:seed", "teacher"]
        nodes.append(Node(bound(refine_chains, format=name), inputs, "refined_chains", name="refine_chains"))
        chains = "refined_chains"
    judges = tuple(asks["judges"])
    if judges:
        inputs = [chains, *own, "filter_prompts", *judges]
        nodes.append(Node(bound(ask_judges, format=name, names=judges), inputs, "judgements", name="ask_judges"))
    beside = {
        "base_model": "base_model" if asks["student_tokens"] else None,
        "attempts": "filter_attempts" if asks["solver"] else None,
        "judgements": "judgements" if judges else None,
    }
    given = {what: entry for what, entry in beside.items() if entry}
    nodes += [
        Node(
            bound(filter_chains, format=name, given=tuple(given)),
            inputs=[chains, *own, "params:seed", *given.values()],
            outputs="filter_verdicts",
            name="filter_chains",
        ),
        Node(
            bound(keep_chains, format=name),
            inputs=[chains, "filter_verdicts", "params:filtering", *(["judgements"] if judges else [])],
            outputs=["kept_chains", "dropped_chains", "filter_summary"],
            name="keep_chains",
        ),
    ]
    shared = {"questions", "filter_prompts", "teacher", "base_model", "filter_attempts", *judges}
    mine = {"chains": f"{name}.chains", "teacher_prompts": f"{spec.get('prompts') or name}.teacher_prompts"}
    used = {entry for node in nodes for entry in node.inputs}
    return Pipeline(
        nodes,
        namespace=name,
        inputs={entry: entry for entry in shared & used} | {entry: mine[entry] for entry in mine.keys() & used},
        parameters={
            "params:filtering": "params:filtering",
            "params:seed": "params:seed",
            "params:format": f"params:formats.{name}",
        },
    )


def _refines(spec: Mapping[str, Any], asks: Mapping[str, Any]) -> bool:
    """Whether the teacher is asked again: only for chains of its own."""
    return bool(asks["refine"]) and spec["source"] == "teacher"


def _kind(spec: Mapping[str, Any], asks: Mapping[str, Any]) -> str:
    """The table of a format's chains that are filtered."""
    return "refined_chains" if _refines(spec, asks) else "chains"


def create_pipeline(
    formats: Mapping[str, Mapping[str, Any]], filters: Mapping[str, Any], base_model: str = "", **_: Any
) -> Pipeline:
    """The pipeline `filtering`.

    Args:
        formats: the study's formats, as in the parameters; each becomes a namespace.
        filters: which models the filters ask: `judges` (names of engines), `solver` (one, or None), its `prompt`,
            `refine` (whether the teacher is asked again), `student_tokens` (whether the base model's are counted).
        base_model: `clinic` where the truth of each chain is known.
    """
    names = tuple(formats)
    nodes = [
        Node(
            bound(summarise_filters, formats=names),
            inputs=[f"{name}.filter_verdicts" for name in names],
            outputs=["filter_funnel", "filter_funnel_figure"],
            name="summarise_filters",
        ),
        *(
            Node(
                bound(function, formats=names),
                inputs=[f"{name}.{kind}" for name in names],
                outputs=kind,
                name=f"gather_{kind}",
            )
            for kind, function in GATHERED.items()
        ),
    ]
    if filters["solver"]:
        model = ["base_model"] if filters["solver"] == "student" else []
        nodes.append(
            Node(
                attempt_questions,
                inputs=[
                    *("training_questions", f"prompt_{filters['prompt']}", "params:filtering", "params:seed"),
                    *(filters["solver"], *model),
                ],
                outputs="filter_attempts",
                name="attempt_questions",
            )
        )
    taught = tuple(name for name, spec in formats.items() if spec["source"] != "import")
    if base_model == EMBEDDED and taught:
        nodes.append(
            Node(
                bound(check_filters, formats=taught),
                inputs=[
                    *("clinic.world", "questions"),
                    *(f"{name}.{_kind(formats[name], filters)}" for name in taught),
                    *(f"{name}.filter_verdicts" for name in taught),
                ],
                outputs="filter_soundness",
                name="check_filters",
            )
        )
    return sum((_format(name, spec, filters) for name, spec in formats.items()), Pipeline(nodes))
