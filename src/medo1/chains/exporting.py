"""Chains for other trainers: `messages`, ShareGPT, prompt and completion, or a data set's directory with its card.

Text whose licence does not allow redistribution is never written: question and chain stay here, and id and link go to
a separate list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.questions import Question, prompt_text


@dataclass(frozen=True, slots=True)
class ExportedChain:
    """One chain with its question and the user's message that it answers."""

    question: Question
    prompt: str
    text: str
    format: str
    teacher: str

    def about(self) -> dict[str, str]:
        """What is kept beside the texts."""
        return {
            "question_id": self.question.question_id,
            "benchmark": self.question.benchmark,
            "format": self.format,
            "teacher": self.teacher,
        }


@dataclass(frozen=True, slots=True)
class Export:
    """What is written.

    Attributes:
        chains: those that may be passed on.
        withheld: id, benchmark and link of the questions whose text may not be.
    """

    chains: tuple[ExportedChain, ...]
    withheld: tuple[dict[str, str], ...]


def exported(chains: Iterable[Mapping[str, Any]], questions: Iterable[Question], requests: Mapping[str, str]) -> Export:
    """Chains joined to their questions.

    Args:
        chains: rows of `CHAINS`.
        questions: all questions of the study.
        requests: what is asked after a question, by format.

    Raises:
        KeyError: for a chain whose question is not among them.
    """
    by_id = {question.question_id: question for question in questions if question.split == "train"}
    kept, withheld = [], []
    for row in chains:
        question = by_id[row["question_id"]]
        if question.shareable:
            prompt = prompt_text(question, requests[row["format"]])
            kept.append(ExportedChain(question, prompt, row["text"], row["format"], row["teacher"]))
        else:
            withheld.append(
                {
                    "question_id": question.question_id,
                    "benchmark": question.benchmark,
                    "format": row["format"],
                    "link": question.extra.get("link", ""),
                }
            )
    return Export(tuple(kept), tuple(withheld))


def as_messages(chain: ExportedChain) -> dict[str, Any]:
    """A conversation as OpenAI, TRL and most trainers take it."""
    turns = [{"role": "user", "content": chain.prompt}, {"role": "assistant", "content": chain.text}]
    return {"messages": turns, **chain.about()}


def as_sharegpt(chain: ExportedChain) -> dict[str, Any]:
    """A conversation as LLaMA-Factory, Axolotl and others take it."""
    turns = [{"from": "human", "value": chain.prompt}, {"from": "gpt", "value": chain.text}]
    return {"conversations": turns, **chain.about()}


def as_prompt_completion(chain: ExportedChain) -> dict[str, Any]:
    """Two texts."""
    return {"prompt": chain.prompt, "completion": chain.text, **chain.about()}


SHAPES: dict[str, Callable[[ExportedChain], dict[str, Any]]] = {
    "messages": as_messages,
    "sharegpt": as_sharegpt,
    "prompt_completion": as_prompt_completion,
}


def write_lines(export: Export, shape: str, path: Path) -> list[Path]:
    """JSON lines in one of `SHAPES`, and beside them the list of what is withheld, where anything is.

    Returns:
        The files that were written.
    """
    rows = [SHAPES[shape](chain) for chain in export.chains]
    written = [_lines(path, rows)]
    if export.withheld:
        written.append(_lines(path.with_name(f"{path.stem}.withheld.jsonl"), export.withheld))
    return written


def write_dataset(export: Export, folder: Path, card: str) -> list[Path]:
    """A directory that `datasets.load_dataset` reads and the hub takes: Parquet with `messages`, and a card.

    Returns:
        The files that were written.
    """
    import pandas as pd

    data = folder / "data" / "train-00000-of-00001.parquet"
    data.parent.mkdir(parents=True, exist_ok=True)
    rows = [as_messages(chain) for chain in export.chains]
    part = data.with_name(f".{data.name}.part")
    pd.DataFrame(rows, columns=["messages", "question_id", "benchmark", "format", "teacher"]).to_parquet(
        part, index=False
    )
    part.replace(data)
    (folder / "README.md").write_text(card, encoding="utf-8")
    written = [data, folder / "README.md"]
    if export.withheld:
        written.append(_lines(folder / "withheld.jsonl", export.withheld))
    return written


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    part.replace(path)
    return path


def card_of(export: Export, origins: Sequence[Mapping[str, Any]], filters: Mapping[str, Mapping[str, Any]]) -> str:
    """A data set's card out of the lineage: what is in it, who wrote it, from which version, and what the filters did.

    Args:
        export: what is written.
        origins: of each format's chains: `format`, `version`, `digest`, `run`, `commit`.
        filters: each format's summary of the filters.
    """
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files: data/train-*.parquet",
        "language: [en]",
        "tags: [medical, reasoning, medo1]",
        "---",
        "",
        "# Reasoning chains, made with medo1",
        "",
        f"{len(export.chains)} chains in the form `messages`: the question with its options and what was asked, then "
        "the chain. For research; not for clinical use.",
        "",
        "| format | benchmark | teacher | chains |",
        "|---|---|---|---|",
    ]
    counts = Counter((chain.format, chain.question.benchmark, chain.teacher) for chain in export.chains)
    lines += [f"| {_cell(a)} | {_cell(b)} | {_cell(c)} | {count} |" for (a, b, c), count in sorted(counts.items())]
    lines += [
        "",
        "## Where they come from",
        "",
        "| format | version | SHA-256 | run | commit |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(one['format'])} | {one['version']} | `{one['digest']}` | {one['run']} | {one['commit']} |"
        for one in origins
    ]
    lines += ["", "## What the filters did", ""]
    for name, summary in filters.items():
        dropped = ", ".join(f"{reason} {count}" for reason, count in (summary.get("dropped") or {}).items() if count)
        lines.append(
            f"- {name}: {summary.get('kept', '?')} of {summary.get('chains', '?')} chains kept; dropped: "
            f"{dropped or 'none'}"
        )
    lines += ["", "## Licences", ""]
    lines.append(
        "The questions are under their benchmarks' licences, the chains under their teachers' terms; neither is "
        "granted by this file."
    )
    if export.withheld:
        of = Counter(one["benchmark"] for one in export.withheld)
        told = ", ".join(f"{count} of {_cell(name)}" for name, count in sorted(of.items()))
        lines.append(
            f"Not contained, because the text may not be passed on: {told}. `withheld.jsonl` gives their ids and links."
        )
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text in a table's cell: one line, and nothing that would be markup."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
