"""Students of other kinds than the demo's, through every stage in small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journey.scratch import SMALL, Scratch

FULL = {
    "full_longstep.teacher_prompts": {
        "type": "medo1.datasets.PromptFolder",
        "filepath": "conf/base/prompts/teacher/longstep",
    },
    "prompt_full_longstep": {"type": "medo1.datasets.Prompt", "filepath": "conf/base/prompts/student/longstep.md"},
    "full_longstep.adapter": {
        "type": "medo1.datasets.ModelDirectory",
        "filepath": "${globals:place}/06_models/full_longstep/model",
    },
}


@pytest.mark.slow
def test_a_llama_is_made_tuned_by_adapter_and_whole_and_asked(tmp_path: Path) -> None:
    project = Scratch(tmp_path / "study")
    project.configure("local/catalog.yml", FULL)
    project.configure(
        "local/parameters.yml",
        {
            **SMALL,
            "clinic": {
                **SMALL["clinic"],
                "base": {
                    **SMALL["clinic"]["base"],
                    "model": {
                        "family": "llama",
                        "hidden": 64,
                        "layers": 2,
                        "heads": 4,
                        "feed_forward": 128,
                        "positions": 1024,
                    },
                },
            },
            "formats": {
                **SMALL["formats"],
                "cot": None,
                "longmonolog": None,
                "full_longstep": {"writes": "longstep", "min_steps": 1},
            },
            "finetune": {
                "longstep": {"epochs": 1},
                "full_longstep": {"method": "full", "epochs": 1, "batch_size": 25, "micro_batch_size": 25},
            },
            "arms": {
                **SMALL["arms"],
                "cot_sft": None,
                "vanilla_cot": None,
                "longmonolog_sft": None,
                "full_longstep_sft": {"prompt": "longstep", "model": "full_longstep.adapter"},
            },
        },
    )
    run = project.kedro("run", wait=1500)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    for model in ("base_model", "full_longstep/model"):
        (config,) = project.versions(f"06_models/{model}")[-1].rglob("config.json")
        assert json.loads(config.read_text())["architectures"] == ["LlamaForCausalLM"]
    assert "full_longstep_sft" in run.stdout
