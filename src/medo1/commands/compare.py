"""`kedro compare`: several runs on one page, paired on the questions that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.commands.audit.common import Audit, audit_command, commit_text
from medo1.counting import counted
from medo1.errors import UserError
from medo1.gathered import by_arm

if TYPE_CHECKING:
    from medo1.frames import Frame
    from medo1.lineage.audit.parameter_differences import Reads
    from medo1.lineage.ledger_reader import LedgerReader

TABLES = ("answers", "generations", "asked_questions", "votes")
FEWEST = 2  # runs that can be compared
MOST = 26
LONGEST = 120  # characters of a parameter that is shown


@dataclass
class ComparedRun:
    """One of the runs: its letter, what the ledger says of it, tables of its arms by `<arm>.<table>`, and the
    parameters that it and the runs before it read to make them."""

    label: str
    record: Mapping[str, Any]
    tables: dict[str, Frame] = field(default_factory=dict)
    parameters: Reads = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        """The arms whose answers it has."""
        return [name.removesuffix(".answers") for name in self.tables if name.endswith(".answers")]

    def name(self, arm: str) -> str:
        """What an arm of this run is called on the page: the first run's arms keep their names."""
        return arm if self.label == "A" else f"{arm} ({self.label})"


@audit_command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN ...")
@click.option(
    "--output", "output", type=click.Path(dir_okay=False, path_type=Path), default=Path("comparison.html"),
    show_default=True, help="The page to write.",
)  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Of intervals.")
@click.option("--texts", is_flag=True, help="Also show texts that may not be passed on, on a page that stays with you.")
def compare(audit: Audit, runs: tuple[str, ...], output: Path, confidence: float, texts: bool) -> None:
    """Compare runs on one page: students, teachers, parameters or seeds, paired on the questions that they share.

    The first RUN is what the others are compared with, arm by arm. A RUN is named as in `kedro audit`: its id, the
    beginning of it,
    latest, latest~1, ENV/latest, or a tag.

    \b
    kedro compare latest~1 latest
    kedro compare before-filtering after-filtering --output filters.html
    """
    if not FEWEST <= len(runs) <= MOST:
        raise UserError(f"kedro compare takes {FEWEST} to {MOST} runs; found {len(runs)}")
    with audit.ledger.reading() as connection:
        compared = [_run(audit, connection, name, chr(65 + place)) for place, name in enumerate(runs)]
    told = _page_of(compared, confidence, texts)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(told["html"], encoding="utf-8")
    if audit.as_json:
        told_of = ("questions", "comparisons", "parameters")
        return audit.print_json({"page": str(output), **{name: told[name] for name in told_of}})
    for line in told["lines"]:
        click.echo(line)
    return click.echo(f"The page: {output}")


def _run(audit: Audit, connection: LedgerReader, name: str, label: str) -> ComparedRun:
    """A run with the tables of its arms, each held against its digest.

    Raises:
        UserError: when it has no answers, or something of it is not what it was.
    """
    from medo1.lineage.audit.graph import ancestors
    from medo1.lineage.audit.known_runs import whole_run
    from medo1.lineage.audit.parameter_differences import parameters_read
    from medo1.lineage.audit.references import find_run
    from medo1.lineage.audit.run_tables import saved_values

    record = whole_run(connection, audit.ledger, find_run(connection, audit.ledger, name))
    found = saved_values(connection, audit.places, record["id"], lambda dataset: dataset in TABLES)
    if "answers" not in found:
        raise UserError(f"Run {record['id']} has no answers of all arms: name a run of inference or reporting.")
    run = ComparedRun(label, record, by_arm({dataset: saved.value for dataset, saved in found.items()}))
    made: list[dict[str, Any]] = [*record["outputs"], *(saved.row for saved in found.values())]
    run.parameters = parameters_read(connection, ancestors(connection, *made))
    return run


def _page_of(runs: Sequence[ComparedRun], confidence: float, texts: bool) -> dict[str, Any]:
    """The page, its comparisons as rows, and as lines for the terminal."""
    from medo1.page.material import Material
    from medo1.page.study_page import study_page
    from medo1.statistics.compared_runs import accuracy_rows, difference_rows

    shared = _shared(runs)
    given: dict[str, Any] = {}
    right: dict[str, dict[tuple[str, str], bool]] = {}
    tokens: dict[str, Any] = {}
    against: dict[str, str] = {}
    for run in runs:
        for dataset, table in run.tables.items():
            arm, _, kind = dataset.rpartition(".")
            if arm not in run.arms:
                continue
            keys = list(zip(table["benchmark"], table["question_id"], strict=True))
            kept = table[[key in shared for key in keys]]
            given[f"{run.name(arm)}.{kind}"] = kept.assign(arm=run.name(arm)) if "arm" in kept else kept
        for arm in run.arms:
            name = run.name(arm)
            answers = given[f"{name}.answers"]
            greedy = answers[answers["draw"] == "greedy"]
            right[name] = dict(
                zip(
                    zip(greedy["benchmark"], greedy["question_id"], strict=True),
                    greedy["correct"].map(bool),
                    strict=True,
                )
            )
            status = greedy["status"]
            tokens[name] = {
                "mean_tokens": greedy["completion_tokens"].astype("float64").mean(),
                "unread": int((status != "answer").sum()), "truncated": int((status == "truncated").sum()),
            }  # fmt: skip
            if run is not runs[0] and arm in runs[0].arms:
                against[name] = arm
    right = {name: right[name] for name in _side_by_side(right, against)}
    results = [
        {**row, **(tokens[row["arm"]] if row["benchmark"] == _headline(right) else dict.fromkeys(("mean_tokens",)))}
        for row in accuracy_rows(right, confidence)
    ]
    results = [{"unread": None, "truncated": None, **row} for row in results]
    rows = difference_rows(right, against, confidence)
    given |= {"results": results, "comparisons": rows, "compared_runs": [_told(run) for run in runs]}
    given["run_differences"] = _differences(runs)
    headline = [row for row in rows if row["benchmark"] == _headline(right)]
    lines = [_line(row) for row in headline]
    differing = [_line(row) for row in headline if row["simultaneous_low"] > 0 or row["simultaneous_high"] < 0]
    differ = len(differing)
    lead = (
        f"Of {counted(len(headline), 'arm')} compared with run A on {counted(len(shared), 'shared question')}, "
        f"{differ or 'none'} {'differ' if differ > 1 else 'differs'} beyond chance."
    )
    material = Material(
        given=given, arms=tuple(right), title=f"{len(runs)} runs compared", baseline="run A", confidence=confidence,
        lead=" ".join([lead, *(f"{line}." for line in differing[:4])]), share_texts=not texts, traced=False,
    )  # fmt: skip
    return {
        "html": study_page(material, inside=10**12).html,
        "comparisons": rows,
        "parameters": given["run_differences"],
        "questions": len(shared),
        "lines": [lead, *lines, *_fewer(runs)],
    }


def _headline(right: Mapping[str, Mapping[tuple[str, str], bool]]) -> str:
    benchmarks = {benchmark for answered in right.values() for benchmark, _ in answered}
    return "all" if len(benchmarks) > 1 else next(iter(benchmarks))


def _shared(runs: Sequence[ComparedRun]) -> set[tuple[str, str]]:
    """The questions that every arm of every run was asked.

    Raises:
        UserError: when there is none.
    """
    asked = []
    for run in runs:
        for arm in run.arms:
            answers = run.tables[f"{arm}.answers"]
            greedy = answers[answers["draw"] == "greedy"]
            if len(greedy):
                asked.append(set(zip(greedy["benchmark"], greedy["question_id"], strict=True)))
    shared = set.intersection(*asked) if asked else set()
    if not shared:
        ids = ", ".join(run.record["id"] for run in runs)
        raise UserError(f"The runs {ids} share no question that every arm of theirs was asked: nothing can be paired.")
    return shared


def _told(run: ComparedRun) -> dict[str, str]:
    record = run.record
    return {
        "label": run.label, "run": record["id"], "env": record["env"] or "", "commit": commit_text(record),
        "command": record["command"] or "", "answers": ", ".join(run.arms), "read": str(len(_read_by(run))),
    }  # fmt: skip


def _differences(runs: Sequence[ComparedRun]) -> list[dict[str, str]]:
    """Parameters that two runs read and that are not the same in both, a row each, by their dotted names."""
    from medo1.lineage.audit.parameter_differences import differing_parameters

    return [
        {"parameter": one.name, **{run.label: _short(value) for run, value in zip(runs, one.values, strict=True)}}
        for one in differing_parameters([run.parameters for run in runs])
    ]


def _short(value: Any) -> str:
    from medo1.lineage.audit.parameter_differences import MISSING

    return "·" if value is MISSING else str(value)[:LONGEST]


def _read_by(run: ComparedRun) -> set[str]:
    return {name for _, name in run.parameters}


def _fewer(runs: Sequence[ComparedRun]) -> list[str]:
    """A line on runs that read fewer parameters than the others."""
    every = set[str]().union(*(_read_by(run) for run in runs))
    fewer = [f"run {run.label} read {len(_read_by(run))}" for run in runs if len(_read_by(run)) < len(every)]
    if not fewer:
        return []
    return [
        f"Of {counted(len(every), 'group')} of parameters {', '.join(fewer)}: what a run did not read is not compared."
    ]


def _side_by_side(names: Iterable[str], against: Mapping[str, str]) -> list[str]:
    """Arms in their order, each followed by those that are compared with it."""
    names = list(names)
    firsts = [name for name in names if name not in against]
    return [one for first in firsts for one in (first, *(name for name in names if against.get(name) == first))]


def _line(row: Mapping[str, Any]) -> str:
    low, high = row["simultaneous_low"], row["simultaneous_high"]
    verdict = "better" if low > 0 else "worse" if high < 0 else "cannot be told"
    return (
        f"{row['arm']} against {row['baseline']}: {row['difference'] * 100:+.1f} points "
        f"({low * 100:+.1f} to {high * 100:+.1f}), {verdict}"
    )
