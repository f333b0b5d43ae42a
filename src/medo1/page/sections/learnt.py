"""What was learnt from: the funnel of filters, the lengths of chains, the curves of training."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.arm_styles import legend
from medo1.page.charts.bars import Bar, bars_panel
from medo1.page.charts.lines import Point, Series, lines_panel
from medo1.page.markup import Column, figure, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import count, decimal, known, percent
from medo1.page.sections.section import Section

# Columns of a training log, as headings of its panels; those in percent are shares.
CURVES = {
    "loss": "loss, nats a token",
    "eval_loss": "loss on dev examples",
    "eval_accuracy": "accuracy on dev questions, %",
    "dev_accuracy": "accuracy on dev questions, %",
    "eval_unfinished": "unfinished dev answers, %",
    "dev_unfinished": "unfinished dev answers, %",
    "learning_rate": "learning rate",
    "grad_norm": "norm of the gradient",
    "tokens_per_second": "tokens per second",
}
FALLING = ("loss", "eval_loss", "grad_norm")  # by powers of ten
MOST_POINTS = 300


def format_places(material: Material) -> dict[str, int]:
    """A format looks like the arm that learnt from it."""
    arms = {format: arm for arm, format in reversed(list(material.learnt.items()))}
    looks = material.places([*material.arms, *(arms.get(name, f"{name}_sft") for name in material.formats)])
    return {name: looks[arms.get(name, f"{name}_sft")] for name in material.formats}


def _funnel(material: Material) -> Markup:
    rows = material.rows("filter_funnel")
    panels = []
    most = max((row["entered"] for row in rows), default=1)
    for name, place in format_places(material).items():
        own = sorted((row for row in rows if row["format"] == name), key=lambda row: row["position"])
        if not own:
            continue
        bars = [Bar("all chains", own[0]["entered"], told=count(own[0]["entered"]))]
        bars += [
            Bar(
                row["filter"],
                row["left"],
                row["dropped"],
                f"{count(row['left'])} left, {count(row['dropped'])} dropped",
            )
            for row in own
        ]
        panels.append(bars_panel(name, bars, place=place, most=most))
    columns = [
        Column("format", lambda row: row["format"]),
        Column("filter", lambda row: row["filter"], left=True),
        Column("entered", lambda row: count(row["entered"])),
        Column("dropped", lambda row: count(row["dropped"])),
        Column("left", lambda row: count(row["left"])),
        Column("refused by it, whoever dropped them", lambda row: count(row["refused"])),
        Column("by it alone", lambda row: count(row["alone"])),
    ]
    return joined(
        [
            figure("What is left of the chains after each filter; dashed: dropped there.", panels, name="funnel"),
            table("The filters' funnel", columns, rows, "filter_funnel"),
            paragraph("kedro chains why CHAIN_ID shows every filter's verdict on one chain."),
        ]
    )


def _soundness(material: Material) -> Markup:
    columns = [
        Column("format", lambda row: row["format"]),
        Column("filters", lambda row: "right answer alone" if row["filter"] == "correct" else "all", left=True),
        Column("chains", lambda row: count(row["chains"])),
        Column("kept", lambda row: count(row["kept"])),
        Column("kept, not sound", lambda row: count(row["unsound_kept"])),
        Column("sound, not kept", lambda row: count(row["sound_dropped"])),
        Column("precision", lambda row: percent(row["precision"])),
        Column("recall", lambda row: percent(row["recall"])),
    ]
    return joined(
        [
            table("What the filters let through", columns, material.rows("filter_soundness"), "filter_soundness"),
            paragraph(
                "The embedded world's truth is known: a chain is sound when each of its steps is right. A chain can "
                "be wrong on "
                "its way and end on the right letter; no filter of answers sees that."
            ),
        ]
    )


def _lengths(material: Material) -> Markup:
    columns = [
        Column("format", lambda row: row["format"]),
        Column("chains", lambda row: count(row["chains"])),
        Column("mean tokens", lambda row: count(row["mean"])),
        Column("5 %", lambda row: count(row["q05"])),
        Column("median", lambda row: count(row["q50"])),
        Column("95 %", lambda row: count(row["q95"])),
        Column("longest", lambda row: count(row["greatest"])),
        Column("mean in the paper", lambda row: count(row["paper_mean"])),
    ]
    return table(
        "Length of the chains, by the teacher's tokenizer", columns, material.rows("chain_lengths"), "chain_lengths"
    )


def _training(material: Material) -> Markup:
    look = format_places(material)
    every = material.rows("training_log")
    logs = {name: [row for row in every if row["format"] == name] for name in material.formats}
    panels = []
    for column, title in CURVES.items():
        series = []
        for name, rows in logs.items():
            points = [Point(row["step"], row[column]) for row in rows if column in row and known(row[column])]
            thin = points[:: max(1, len(points) // MOST_POINTS)]
            if len(points) > 1:
                series.append(Series(name, look[name], tuple(thin)))
        if series:
            panels.append(
                lines_panel(
                    title,
                    series,
                    x_title="optimizer step",
                    y_title="",
                    shares=title.endswith("%"),
                    ratios=column in FALLING,
                )
            )
    ends = [
        {"format": name, **_last(rows)}
        for name, rows in logs.items() if rows
    ]  # fmt: skip
    columns = [
        Column("format", lambda row: row["format"]),
        Column("steps", lambda row: count(row.get("step"))),
        Column("last loss", lambda row: decimal(row.get("loss"))),
        Column("loss on dev", lambda row: decimal(row.get("eval_loss"))),
        Column("accuracy on dev", lambda row: percent(row.get("eval_accuracy", row.get("dev_accuracy")))),
        Column("unfinished on dev", lambda row: percent(row.get("eval_unfinished", row.get("dev_unfinished")))),
    ]
    trained = {name: place for name, place in look.items() if logs[name]}
    return joined(
        [
            figure("The training of each format's adapter.", panels, legend(trained), name="training"),
            table("Where training ended", columns, ends),
        ]
    )


def _last(rows: list[dict[str, object]]) -> dict[str, object]:
    """The last known value of each column."""
    found: dict[str, object] = {}
    for row in rows:
        found |= {name: value for name, value in row.items() if known(value)}
    return found


FUNNEL = Section("funnel", "What was learnt from", ("filter_funnel",), _funnel)
SOUNDNESS = Section("soundness", "What the filters let through", ("filter_soundness",), _soundness)
LENGTHS = Section("chain-lengths", "How long the chains are", ("chain_lengths",), _lengths)
TRAINING = Section("training", "Training", ("training_log",), _training)
