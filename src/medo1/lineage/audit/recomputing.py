"""A number made again: the node that made its table is called once more, on the inputs that it had.

Only what is a pure function of tables, values and texts is made again in this way: no model is asked and none trained.
The inputs are the versions that the ledger names, held against their digests, and the parameters that the run had.
"""

from __future__ import annotations

import inspect
import json
import math
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.outside_files import PROMPTS, possible_digests, prompt_folder_digest, prompt_text
from medo1.lineage.places import CorruptFileError
from medo1.lineage.redaction import HIDDEN

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

Row = dict[str, Any]


class NotRecomputedError(UserError):
    """A number was not made again; the text says why."""


def read_value(path: Path, kind: str) -> Any:
    """A version's value from its file, by the kind of its dataset.

    Raises:
        NotRecomputedError: for a kind that is no table, value or text.
    """
    if path.suffix == ".parquet":
        import pandas as pd

        return pd.read_parquet(path)
    if path.suffix == ".jsonl":
        import pandas as pd

        return pd.read_json(path, orient="records", lines=True, dtype=False, convert_dates=False)
    if kind == "Directory":
        return path
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if kind == "Figure":
        import plotly.io as pio

        return pio.from_json(text)
    if kind == "Json":
        return json.loads(text)
    if kind == "Page":
        return text
    raise NotRecomputedError(f"its node reads what is neither table, value nor text ({kind})")


def read_checked(path: Path, kind: str, problems: list[str]) -> Any:
    """As `read_value`, of a file that was held against its digests.

    Raises:
        CorruptFileError: when it cannot be read, with what is wrong with it.
    """
    try:
        return read_value(path, kind)
    except NotRecomputedError:
        raise
    except Exception as error:
        why = "; ".join(problems) or str(error)
        raise CorruptFileError(
            f"{path} cannot be read as a {kind}: {why}. Load another version, or make it again; `kedro audit verify` "
            "looks for more of the kind."
        ) from error


def made_again(node: Node, reads: Mapping[str, Row], load: Callable[[Row], Any]) -> dict[str, Any]:
    """What a node makes now of what it read then, by the names of its outputs.

    Args:
        node: the pipeline's node.
        reads: what it read, by name: rows of the ledger, with the version where it is one.
        load: the value of a version.

    Raises:
        NotRecomputedError: when it asks an engine, reads what is not kept, or is called otherwise now.
    """
    names = list(node.inputs)
    unknown = sorted(set(names) ^ set(reads))
    if unknown:
        raise NotRecomputedError(f"its node reads other inputs now: {', '.join(unknown[:3])}")
    function, hints = node.func, typing.get_type_hints(inspect.unwrap(node.func))
    try:
        bound = inspect.signature(function, follow_wrapped=False).bind(*names)
    except TypeError as error:
        raise NotRecomputedError(f"its node is called otherwise now ({error})") from error
    positional = [_given(hints, bound, place, name, reads[name], load) for place, name in enumerate(names)]
    try:
        made = function(*positional)
    except Exception as error:
        raise NotRecomputedError(f"its node fails now: {type(error).__name__}: {error}") from error
    outputs = list(node.outputs)
    values = [made] if len(outputs) == 1 else list(made)
    return dict(zip(outputs, values, strict=True))


def _given(
    hints: Mapping[str, Any],
    bound: inspect.BoundArguments,
    place: int,
    name: str,
    read: Row,
    load: Callable[[Row], Any],
) -> Any:
    match read["kind"]:
        case "version" if read["version"] is not None:
            return load(read["version"])
        case "parameters":
            if HIDDEN in json.dumps(read["detail"]):
                raise NotRecomputedError(f"{name} held what looked like a key, which is not kept")
            kind: Any = hints.get(_parameter(bound, place))
            return kind.model_validate(read["detail"]) if hasattr(kind, "model_validate") else read["detail"]
        case "engine":
            raise NotRecomputedError(f"its node asks a model ({name})")
        case "file":
            return _outside(name, read)
        case "memory":
            raise NotRecomputedError(f"{name} was never saved")
        case other:
            raise NotRecomputedError(f"its node reads {name}, of which nothing is kept ({other})")


def _outside(name: str, read: Row) -> Any:
    """A prompt, prompts or a folder of files, where they are still what they were."""
    path = Path((read["detail"] or {}).get("path") or "")
    if read["digest"] not in possible_digests(path):
        raise NotRecomputedError(f"{name} is another now, or gone")
    if path.is_file():
        return prompt_text(path)
    if read["digest"] == prompt_folder_digest(path):
        return {file.stem: prompt_text(file) for file in sorted(path.glob(PROMPTS))}
    return path


def _parameter(bound: inspect.BoundArguments, place: int) -> str:
    """The name of the function's parameter that a positional argument is for."""
    left = place
    for name, value in bound.arguments.items():
        many = bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        width = len(value) if many else 1
        if left < width:
            return name
        left -= width
    return ""


def same_number(stated: Any, again: Any) -> bool:
    """Whether a number, or another value, came out again; numbers to the precision of floating point."""
    if _missing(stated) or _missing(again):
        return _missing(stated) and _missing(again)
    if isinstance(stated, bool) or isinstance(again, bool) or not (_is_number(stated) and _is_number(again)):
        return bool(_plain(stated) == _plain(again))
    return math.isclose(float(stated), float(again), rel_tol=1e-9, abs_tol=1e-12)


def _missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124  (NaN and pandas' NA)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
