"""What `verify` says of a value that ledger and manifest tell differently."""

from __future__ import annotations

from medo1.lineage.audit.verification import _differs


def test_of_a_value_with_many_parts_those_that_differ_are_named() -> None:
    ledger = {"method": "lora", "loop": {"learning_rate": 0.0001, "epochs": 3}, "targets": ["q_proj", "v_proj"] * 9}
    manifest = ledger | {"loop": {"learning_rate": 0.0001, "epochs": 8}}
    assert _differs("params:finetune", ledger, manifest) == (
        "params:finetune.loop.epochs is 3 in the ledger and 8 in the manifest"
    )
