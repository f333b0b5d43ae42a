"""Names on the command line of `kedro run` that no pipeline, node, tag, namespace or dataset has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from medo1.nearest import did_you_mean

# option: its parameter, what it names
_OPTIONS = {
    "--tags": ("tags", "tag"),
    "--nodes": ("node_names", "node"),
    "--from-nodes": ("from_nodes", "node"),
    "--to-nodes": ("to_nodes", "node"),
    "--namespaces": ("namespaces", "namespace"),
    "--from-inputs": ("from_inputs", "dataset"),
    "--to-outputs": ("to_outputs", "dataset"),
    "--load-versions": ("load_versions", "dataset"),
}


def unknown_names(options: Mapping[str, Any], pipelines: Mapping[str, Any], named: Sequence[str]) -> str | None:
    """What is wrong with the choice of nodes, in words; None where every name is known.

    Args:
        options: of `kedro run`, by parameter.
        pipelines: those that were built, by name.
        named: the names that a user may give to --pipelines.
    """
    chosen = [*(options.get("pipelines") or ())]
    unknown = [name for name in chosen if name not in named]
    if unknown:
        return "\n".join(_unknown("--pipelines", "pipeline", name, named) for name in unknown)
    graphs = [pipelines[name] for name in chosen or ["__default__"]]
    known = {
        "tag": sorted({tag for graph in graphs for node in graph.nodes for tag in node.tags}),
        "node": [node.name for graph in graphs for node in graph.nodes],
        "namespace": sorted({node.namespace for graph in graphs for node in graph.nodes if node.namespace}),
        "dataset": sorted({name for graph in graphs for name in graph.datasets()}),
    }
    of = f" in {', '.join(chosen)}" if chosen else ""
    told = [
        _unknown(option, what, name, known[what], of)
        for option, (parameter, what) in _OPTIONS.items()
        for name in _names(options.get(parameter))
        if name not in known[what] and not (what == "namespace" and _is_within(name, known[what]))
    ]
    return "\n".join(told) or None


def nothing_chosen(options: Mapping[str, Any]) -> str:
    """What to say where every name is known and yet no node has them all."""
    given = [
        f"{option}={','.join(_names(options[parameter]))}"
        for option, (parameter, _) in _OPTIONS.items()
        if options.get(parameter)
    ]
    return (
        f"No node is left by {' '.join(given) or 'these options'} together: they are taken as 'and'. Leave one out; "
        "`kedro registry describe NAME` lists a pipeline's nodes with their tags."
    )


def _unknown(option: str, what: str, name: str, known: Iterable[str], of: str = "") -> str:
    return f"{option}: there is no {what} {name!r}{of}. {did_you_mean(name, known)}"


def _names(given: Any) -> list[str]:
    return [given] if isinstance(given, str) and given else list(given or ())


def _is_within(name: str, namespaces: Iterable[str]) -> bool:
    """Kedro also takes the beginning of a nested namespace."""
    return any(one.startswith(f"{name}.") for one in namespaces)
