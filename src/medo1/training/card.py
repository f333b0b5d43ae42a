"""The card of an adapter: what it is, what it was made from, what it scored, and what it is not for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMITS = (
    "For research, not for clinical decisions. The student imitates the reasoning of its teacher, errors included; "
    "it can be fluent and wrong. It was measured on multiple-choice questions only."
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says.

    Attributes:
        name: of the adapter, such as its format.
        base: what others load the base model by; where it is on no hub (`on_hub`), how it is called here.
        revision: its commit, or the digest of its files.
        licence: as a hub writes it, such as `apache-2.0`.
        settings: how it was trained.
        counts: chains kept, trained on, rejected, steps and so on, by name.
        last: the last values of the training log, by name.
        results: rows of the result table that were made from this very adapter.
        lineage: dataset, version and digest of everything that it was made from.
        run: how the run that trained it was called: `id`, `command`, `commit`.
        merged: whether the directory holds the merged model.
        on_hub: whether the base is named by a hub id.
    """

    name: str
    base: str
    revision: str | None
    licence: str
    settings: Mapping[str, Any]
    counts: Mapping[str, Any]
    last: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]] = ()
    lineage: Sequence[Mapping[str, str]] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    merged: bool = False
    on_hub: bool = True


def model_card(facts: CardFacts) -> str:
    """The text of `README.md`, with the front matter that hubs read."""
    kind = "merged model" if facts.merged else "adapter"
    parts = [
        _front(facts),
        f"# {facts.name}: {'a fine-tuned model' if facts.merged else 'a LoRA adapter'}",
        f"A student of medical reasoning chains in the format `{facts.name}`, fine-tuned from `{facts.base}` with "
        "medo1 (the runnable form of [arXiv 2501.06458](https://arxiv.org/abs/2501.06458)). This directory holds "
        f"the {kind}.",
        f"> {LIMITS}",
        "## Use",
        _use(facts),
        "## Data",
        _table(("", ""), [(name, value) for name, value in facts.counts.items()]),
        "Each example is a question's prompt and a teacher's chain; the loss covers the chain and the token that "
        "ends it. Nothing was cut.",
        "## Training",
        _table(("setting", "value"), [(name, _shown(value)) for name, value in sorted(facts.settings.items())]),
        _table(("at the last step", ""), [(name, _shown(value)) for name, value in facts.last.items()]),
        "## Results",
        _results(facts.results),
        "## Where it comes from",
        _table(
            ("made from", "version", "SHA-256"), [(row["name"], row["version"], row["digest"]) for row in facts.lineage]
        ),
        "\n".join(f"- {name}: `{value}`" for name, value in facts.run.items() if value),
        "## Licence",
        f"`{facts.licence}`. An adapter is derived from its base model, whose licence and terms of use apply as "
        "well; so do those of the questions and of the teacher's output.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(facts: CardFacts) -> str:
    lines = [
        "---",
        *([f"base_model: {json.dumps(facts.base)}"] if facts.on_hub else []),
        f"library_name: {'transformers' if facts.merged else 'peft'}",
        f"license: {json.dumps(facts.licence)}",
        "pipeline_tag: text-generation",
        "tags: [medical, reasoning, research-only]",
        "---",
    ]
    return "\n".join(lines)


def _base(facts: CardFacts) -> str:
    kind = "revision" if facts.on_hub else "a model that is on no hub; digest of its files"
    return f"`{facts.base}`" + (f" ({kind} `{facts.revision}`)" if facts.revision else "")


def _use(facts: CardFacts) -> str:
    kind = "AutoModelForCausalLM" if facts.merged else "AutoPeftModelForCausalLM"
    package = "transformers" if facts.merged else "peft"
    return (
        "In this directory:\n\n```python\n"
        f"from {package} import {kind}\n"
        "from transformers import AutoTokenizer\n\n"
        f'model, tokenizer = {kind}.from_pretrained("."), AutoTokenizer.from_pretrained(".")\n'
        'prompt = tokenizer.apply_chat_template([{"role": "user", "content": "..."}], add_generation_prompt=True, '
        'return_tensors="pt", return_dict=True)\n'
        "print(tokenizer.decode(model.generate(**prompt, max_new_tokens=1024)[0]))\n```"
    )


def _results(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "None yet: nothing was measured with this very adapter."
    shown = [
        (
            row["arm"],
            row["benchmark"],
            row["questions"],
            f"{row['accuracy']:.1%}",
            f"{row['accuracy_low']:.1%} to {row['accuracy_high']:.1%}",
        )
        for row in rows
    ]
    return _table(("arm", "benchmark", "questions", "accuracy", "95 % interval"), shown)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return ""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = str(value).replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)
