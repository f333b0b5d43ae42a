"""The answer: one sentence and one figure."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.charts.intervals import Interval, intervals_panel
from medo1.page.markup import Row, audited, figure, joined, paragraph
from medo1.page.material import ALL, Material
from medo1.page.numbers_text import count, known, p_text, percent, points, points_span, span
from medo1.page.sections.section import Section

ALONE = 1


def sentence(material: Material) -> Markup:
    """What came out, with its interval: the best arm against the baseline, over all benchmarks.

    An arm that cannot be told from one who guesses with its letters is no answer.
    """
    where = material.headline()
    rows = [row for row in material.rows("results") if row["benchmark"] == where]
    fair = [row for row in rows if row["arm"] not in _guessing(material, where)]
    if not fair:
        return Markup(
            "No arm can be told from one who guesses: on {} questions the highest accuracy is {}, and it says nothing."
        ).format(count(max(row["questions"] for row in rows)), percent(max(row["accuracy"] for row in rows)))
    best = max(fair, key=lambda row: row["accuracy"])
    asked = Markup("{} questions").format(count(best["questions"]))
    told = Markup("<strong>{}</strong> answers {} of {} right ({} % interval {})").format(
        best["arm"], percent(best["accuracy"]), asked, f"{material.confidence * 100:g}", _span(best)
    )
    if len(rows) == ALONE:
        return told + Markup(".")
    if best["arm"] == material.baseline:
        return told + Markup("; no other arm that answers by more than its letters does better.")
    compared = next(
        (row for row in material.rows("comparisons") if row["arm"] == best["arm"] and row["benchmark"] == where), None
    )
    if compared is None:
        return told + Markup(".")
    low, high = joint_interval(compared)
    difference = Markup("{} points ({})").format(points(compared["difference"]), points_span(low, high))
    p_value = Markup("p {}").format(_p(compared))
    if known(low) and low > 0:
        return told + Markup(": {} against <strong>{}</strong>, {}.").format(difference, material.baseline, p_value)
    return told + Markup("; whether that is better than <strong>{}</strong> cannot be told: {}, {}.").format(
        material.baseline, difference, p_value
    )


def _guessing(material: Material, where: str) -> set[str]:
    """The arms that cannot be told from one who guesses with their letters."""
    return {row["arm"] for row in material.rows("letter_baselines") if row["benchmark"] == where and row["muted"]}


def joint_interval(compared: Row) -> tuple[float, float]:
    """The interval of a difference that belongs to its corrected p-value, where the table has one."""
    if "simultaneous_low" in compared:
        return compared["simultaneous_low"], compared["simultaneous_high"]
    return compared["difference_low"], compared["difference_high"]


def _p(row: Row) -> str:
    told = p_text(row["p_adjusted"])
    return told if told.startswith("<") else f"= {told}"


def _span(row: Row) -> str:
    return span(row["accuracy_low"], row["accuracy_high"])


def accuracy_panels(material: Material) -> list[str]:
    """Accuracy of the arms with their intervals, a panel for each benchmark."""
    rows = material.rows("results")
    look = material.places(str(row["arm"]) for row in rows)
    headline = material.headline()  # what the sentence is about comes first
    benchmarks = [headline, *(one for one in material.benchmarks("results") if one != headline)]
    return [
        intervals_panel(
            "" if len(benchmarks) == ALONE else ("all together" if benchmark == ALL else benchmark),
            [
                Interval(
                    str(row["arm"]), look[str(row["arm"])], row["accuracy"], row["accuracy_low"], row["accuracy_high"],
                    f"{percent(row['accuracy'])} ({_span(row)})",
                )
                for row in rows if row["benchmark"] == benchmark
            ],
            x_title="accuracy, %", chance=material.chance(benchmark),
        )
        for benchmark in benchmarks
    ]  # fmt: skip


def _muted(material: Material) -> list[Markup]:
    """Who cannot be told from guessing, by benchmark; the table of letters says of each why."""
    told: dict[str, list[str]] = {}
    for row in material.rows("letter_baselines"):
        if row["muted"]:
            told.setdefault(str(row["benchmark"]), []).append(str(row["arm"]))
    if not told:
        return []
    listed = "; ".join(f"{benchmark}: {', '.join(arms)}" for benchmark, arms in told.items())
    return [
        paragraph(
            f"Cannot be told from one who guesses with its letters, so that its gain is no gain. {listed}.", "note"
        )
    ]


def _body(material: Material) -> Markup:
    caption = Markup(
        "Accuracy of each arm's greedy answers with its {} % interval. An answer that could not be read counts as "
        "wrong. "
        "The numbers stand in the table of results below."
    ).format(f"{material.confidence * 100:g}")
    return joined(
        [
            paragraph(material.lead or sentence(material), "answer"),
            figure(caption, accuracy_panels(material), name="accuracy"),
            *_muted(material),
            audited("results", f"accuracy --where arm={material.arms[-1]}"),
            *(paragraph(note, "note") for note in material.notes),
        ]
    )


SECTION = Section("answer", "The answer", ("results",), _body)
