"""How much each setting of a LoRA matters, on the embedded world: one setting at a time is changed, the student is
trained, and asked the dev questions.

    kedro run --pipelines=clinic,ingest,synthesis,filtering
    kedro run --pipelines=finetune --to-outputs=longstep.training_examples
    python benchmarks/lora_sweep.py [--only rank,learning_rate] [--questions 150] [--seeds 11] [--json FILE]

Run it in the project, with the environment's data at hand (the two commands make them, in a few minutes). A row a
setting: loss over the last epoch, accuracy on dev questions with its 95 % interval (Wilson) and by benchmark, share of
unfinished answers, seconds. What stands in FILE already is not trained again, so that a sweep that was stopped goes on.
The last line is JSON: for each setting how far apart its best and its worst value are, in accuracy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from _absent import not_here

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
FEED_FORWARD = ["gate_proj", "up_proj", "down_proj"]
# What is changed, from the parameters of conf/base; factors are of the learning rate that stands there.
VALUES: dict[str, list[Any]] = {
    "rank": [1, 4, 64, 128],
    "alpha": [8, 128],
    "learning_rate": [0.03, 0.1, 0.3, 3.0],
    "target_modules": [["q_proj", "v_proj"], ATTENTION, FEED_FORWARD],
    "schedule": ["cosine", "constant"],
    "batch_size": [5, 100],
    "epochs": [0.25, 0.5],
    "method": ["full"],
}
FULL_RATE = 0.1  # of LoRA's learning rate: full training wants about a tenth


def variations(base: dict[str, Any], only: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Setting, value as text, and the parameters; first those that conf/base has."""
    found = [("as it is", "", base)]
    for setting, values in VALUES.items():
        if only and setting not in only:
            continue
        for value in values:
            changed = {**base, setting: value}
            told = str(value)
            match setting:
                case "learning_rate":
                    changed[setting] = base[setting] * value
                    told = f"{changed[setting]:.1e}"
                case "epochs":
                    changed[setting] = max(1, round(base[setting] * value))
                    told = str(changed[setting])
                case "batch_size":
                    changed["micro_batch_size"] = min(25, value)
                case "target_modules":
                    told = " ".join(part.removesuffix("_proj") for part in value)
                case "method":
                    changed["learning_rate"] = base["learning_rate"] * FULL_RATE
                    told = f"full, at {changed['learning_rate']:.1e}"
            found.append((setting, told, changed))
    return found


def study(format: str) -> dict[str, Any]:
    """The study's examples, dev questions, base model and parameters, from the catalog of the project here."""
    from kedro.io import DataCatalog

    from medo1.configuration import project_loader
    from medo1.frames import records
    from medo1.questions import prompt_text, questions_from
    from medo1.training.examples import TrainingExample
    from medo1.training.job import DevQuestion

    loader = project_loader(Path.cwd(), None)
    entries = {
        name: {key: value for key, value in entry.items() if key != "validator"} if isinstance(entry, dict) else entry
        for name, entry in loader["catalog"].items()
    }
    catalog = DataCatalog.from_config(entries)
    table = catalog.load("questions")
    asked = [one for one in questions_from(table) if one.split == "dev"]
    prompt = catalog.load(f"prompt_{format}")
    rows = records(catalog.load(f"{format}.training_examples"))
    return {
        "examples": tuple(
            TrainingExample(**{str(key): value for key, value in row.items() if key != "part"}) for row in rows
        ),
        "dev": [TrainingExample(one.question_id, 0, prompt_text(one, prompt), "-", 0, 0) for one in asked],
        "gold": {one.question_id: DevQuestion(one.options, one.gold) for one in asked},
        "benchmark": {one.question_id: one.benchmark for one in asked},
        "model": catalog.load("base_model"),
        "params": loader["parameters"]["finetune"][format],
    }


def measured(given: dict[str, Any], params: dict[str, Any], seed: int, questions: int) -> dict[str, Any]:
    """One training and its answers to dev questions."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from medo1.training.evaluation import dev_answers
    from medo1.training.job import TrainingJob
    from medo1.training.run import train
    from medo1.training.spec import TrainingSpec
    from medo1.training.templates import chat_template_of

    spec = TrainingSpec.model_validate(params)
    model = given["model"]
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "adapter"
        output.mkdir()
        began = time.perf_counter()
        done = train(TrainingJob(given["examples"], model, spec, seed, "sweep"), output, Path(name) / "checkpoints")
        took = time.perf_counter() - began
        if spec.method == "full":
            student = AutoModelForCausalLM.from_pretrained(output)
        else:
            student = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model.path), str(output))
    template = chat_template_of(model, spec.chat_template_kwargs)
    counts: dict[str, dict[str, int]] = {}
    for benchmark in sorted(set(given["benchmark"].values())):
        asked = [one for one in given["dev"] if given["benchmark"][one.question_id] == benchmark][:questions]
        counts[benchmark] = dev_answers(student, template, asked, given["gold"], 256)
    steps = [row["loss"] for row in done.log if row["loss"] is not None]
    epoch = steps[-max(1, len(steps) // spec.epochs) :]
    return {"loss": statistics.mean(epoch), "seconds": round(took, 1), "counts": counts}


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Shares and their interval."""
    from medo1.statistics.intervals import share_interval

    counts = row["counts"].values()
    answered, correct = sum(one["answered"] for one in counts), sum(one["correct"] for one in counts)
    share = share_interval(correct, answered)
    return {
        "accuracy": share.value, "low": share.low, "high": share.high, "n": answered,
        "unfinished": sum(one["unfinished"] for one in counts) / answered,
        "by_benchmark": {name: one["correct"] / one["answered"] for name, one in row["counts"].items()},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", default="longstep")
    parser.add_argument("--only", default="", help="settings, with commas between")
    parser.add_argument("--questions", type=int, default=150, help="of each benchmark at most")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--json", type=Path, default=None, help="file that rows are kept in")
    chosen = parser.parse_args()
    if not list(Path().glob(f"data/05_model_input/{chosen.format}/training_examples*/*/_manifest.json")):
        not_here("There are no training examples here: run the two commands that `--help` shows first")
    given = study(chosen.format)
    kept: list[dict[str, Any]] = json.loads(chosen.json.read_text()) if chosen.json and chosen.json.exists() else []
    print(f"{len(given['examples'])} examples, {len(given['dev'])} dev questions")
    print(f"{'setting':<16}{'value':<28}{'seed':>5}{'loss':>8}{'accuracy':>10}{'95 % interval':>18}{'seconds':>9}")
    for setting, value, params in variations(dict(given["params"]), [one for one in chosen.only.split(",") if one]):
        for seed in chosen.seeds:
            name = {"setting": setting, "value": value, "seed": seed}
            row = next((one for one in kept if name.items() <= one.items()), None)
            if row is None:
                found = measured(given, params, seed, chosen.questions)
                row = {**name, **found, **told(found)}
                kept.append(row)
                if chosen.json:
                    chosen.json.write_text(json.dumps(kept, indent=1) + "\n")
            print(
                f"{setting:<16}{value:<28}{seed:>5}{row['loss']:>8.3f}{row['accuracy']:>10.1%}"
                f"{row['low']:>10.1%} to {row['high']:.1%}{row['seconds']:>8.0f}",
                flush=True,
            )
    spread = {}
    for setting in VALUES:
        values = [row["accuracy"] for row in kept if row["setting"] in (setting, "as it is")]
        if len(values) > 1:
            spread[setting] = round(max(values) - min(values), 3)
    print(json.dumps({"spread_of_accuracy": spread}))


if __name__ == "__main__":
    main()
