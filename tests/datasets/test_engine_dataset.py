"""An engine as a catalog dataset: what lineage is told of it, and how catalogs name it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from medo1.datasets.engines import EngineDataset
from medo1.engines import Model, Transformers
from medo1.engines.names import EARLIER_NAMES, engine_of


def test_the_identity_told_to_lineage_does_not_depend_on_the_model_that_a_node_gives(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    student = EngineDataset(engine="medo1.engines.Transformers", options={"rows": 4})
    before = student.identity()
    serving = student.load().with_model(Model("m", tmp_path))
    assert serving.identity["model"] is not None
    assert student.identity() == before
    assert before["model"] is None


@pytest.mark.parametrize("earlier", sorted(EARLIER_NAMES))
def test_the_names_that_catalogs_had_before_still_name_their_engines(earlier: str) -> None:
    options = {"OpenAI": {"model": "m"}, "RayData": {"engine": "medo1.engines.transformers.Transformers"}}
    made = engine_of(earlier, options.get(earlier.rpartition(".")[2], {}))
    assert type(made).__name__ == earlier.rpartition(".")[2]


def test_the_names_that_options_had_before_are_understood(caplog: pytest.LogCaptureFixture) -> None:
    made = EngineDataset(engine="medo1.engines.Transformers", options={"reading": 512}).load()
    assert isinstance(made, Transformers)
    assert made._prefill_tokens == 512
    assert "`reading` is now called `prefill_tokens`" in caplog.text
    EngineDataset(engine="medo1.engines.OpenAI", options={"model": "m", "transport": "client"}).load()
    assert "`transport` is no longer needed" in caplog.text
    EngineDataset(engine="medo1.engines.VLLM", options={"client": {"transport": "pool"}}).load()
    with pytest.raises(DatasetError, match="`reading` is now called `prefill_tokens`, and both are given"):
        EngineDataset(engine="medo1.engines.Transformers", options={"reading": 1, "prefill_tokens": 2}).load()
    with pytest.raises(DatasetError, match="do not fit"):
        EngineDataset(engine="medo1.engines.Transformers", options={"row": 1}).load()
