"""Nodes made from one function for several formats and arms, and the checks before any of them runs."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial, wraps
from inspect import getdoc, signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Node


def bound(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """`function` with some arguments fixed, keeping its name and annotations.

    Kedro reads annotations to validate parameters, and Kedro-Viz shows the source of functions only: a bare
    `functools.partial` has neither.
    """
    rest = partial(function, **fixed)

    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        return rest(*given, **named)

    call.__signature__ = signature(rest)  # type: ignore[attr-defined]
    call.keywords = fixed  # type: ignore[attr-defined]
    return call


def described(node: Node) -> Node:
    """`node` with what its function's docstring says, which Kedro-Viz shows when the node is clicked."""
    import warnings

    from kedro.pipeline.preview_contract import TextPreview

    text = getdoc(node.func) or node.short_name
    with warnings.catch_warnings(action="ignore"):  # Kedro calls previews of nodes experimental, once in a process
        return node._copy(preview_fn=lambda: TextPreview(text))


def checked_first(check: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have `check` called before a run in which the decorated function is a node, so that nothing is paid by then.

    Args:
        check: takes those of the function's arguments, by name, that exist before a run: parameters, prompts, engines.
            It raises what is wrong.
    """

    def marked(function: Callable[..., Any]) -> Callable[..., Any]:
        function.checked_first = check  # type: ignore[attr-defined]
        return function

    return marked


def takes_the_memory(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have engines closed before a run reaches a node of this function, which needs what memory they hold."""
    function.takes_the_memory = True  # type: ignore[attr-defined]
    return function


def check_first(
    function: Callable[..., Any], inputs: Sequence[str], free: Container[str], load: Callable[[str], Any]
) -> None:
    """Call what a node's function has to be checked by, if anything.

    Args:
        function: the node's.
        inputs: its datasets, in the order of the function's arguments.
        free: datasets that exist before the run.
        load: gives a dataset's data.
    """
    check = getattr(function, "checked_first", None)
    if check is None:
        return
    given = dict(zip(signature(function).parameters, inputs, strict=False))
    wanted = signature(check).parameters
    fixed = {name: value for name, value in getattr(function, "keywords", {}).items() if name in wanted}
    names = {name: given[name] for name in wanted if name in given and name not in fixed}
    if all(dataset in free for dataset in names.values()):
        check(**{name: load(dataset) for name, dataset in names.items()}, **fixed)
