"""`kedro compare` lists the parameters that differ among those that the runs read."""

from __future__ import annotations

from medo1.commands.compare import ComparedRun, _differences, _fewer
from medo1.lineage.audit.parameter_differences import ReadParameter


def run_that_read(label: str, **values: object) -> ComparedRun:
    reads = {("results", f"params:{name}"): ReadParameter(value, value) for name, value in values.items()}
    return ComparedRun(label, {"id": label}, parameters=reads)


def test_only_what_two_runs_read_and_what_differs_is_listed() -> None:
    whole = run_that_read("A", seed=1, ingest={"limit": 3}, reporting={"confidence": 0.95})
    other = run_that_read("B", seed=2, ingest={"limit": 3}, reporting={"confidence": 0.9})
    part = run_that_read("C", reporting={"confidence": 0.95})
    assert _differences([whole, other]) == [
        {"parameter": "reporting.confidence", "A": "0.95", "B": "0.9"},
        {"parameter": "seed", "A": "1", "B": "2"},
    ]
    assert _differences([whole, part]) == []
    assert _differences([whole, other, part])[1] == {"parameter": "seed", "A": "1", "B": "2", "C": "·"}
    assert _fewer([whole, other]) == []
    [line] = _fewer([whole, other, part])
    assert line.startswith("Of 3 groups of parameters run C read 1:")
