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
    """What came out, with its interval: the best arm against the baseline, over all benchmarks."""
    where = material.headline()
    rows = [row for row in material.rows("results") if row["benchmark"] == where]
    muted = {row["arm"] for row in material.rows("letter_baselines") if row["benchmark"] == where and row["muted"]}
    fair = [row for row in rows if row["arm"] not in muted] or rows
    best = max(fair, key=lambda row: row["accuracy"])
    asked = Markup("{} questions").format(count(best["questions"]))
    told = Markup("<strong>{}</strong> answers {} of {} right ({} % interval {})").format(
        best["arm"], percent(best["accuracy"]), asked, f"{material.confidence * 100:g}", _span(best)
    )
    if len(fair) == ALONE or best["arm"] == material.baseline:
        others = "" if len(fair) == ALONE else f"; no other arm does better than {material.baseline}"
        return told + Markup("{}.").format(others)
    compared = next(
        (row for row in material.rows("comparisons") if row["arm"] == best["arm"] and row["benchmark"] == where), None
    )
    if compared is None:
        return told + Markup(".")
    low, high = compared["difference_low"], compared["difference_high"]
    difference = Markup("{} points ({})").format(points(compared["difference"]), points_span(low, high))
    p_value = Markup("p {}").format(_p(compared))
    if known(low) and low > 0:
        return told + Markup(": {} against <strong>{}</strong>, {}.").format(difference, material.baseline, p_value)
    return told + Markup("; whether that is better than <strong>{}</strong> cannot be told: {}, {}.").format(
        material.baseline, difference, p_value
    )


def _p(row: Row) -> str:
    told = p_text(row["p_adjusted"])
    return told if told.startswith("<") else f"= {told}"


def _span(row: Row) -> str:
    return span(row["accuracy_low"], row["accuracy_high"])


def accuracy_panels(material: Material) -> list[str]:
    """Accuracy of the arms with their intervals, a panel for each benchmark."""
    rows = material.rows("results")
    look = material.places(str(row["arm"]) for row in rows)
    benchmarks = material.benchmarks("results")
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


def _body(material: Material) -> Markup:
    muted = [row for row in material.rows("letter_baselines") if row["muted"]]
    caption = Markup(
        "Accuracy of each arm's greedy answers with its {} % interval. An answer that could not be read counts as "
        "wrong. "
        "The numbers stand in the table of results below."
    ).format(f"{material.confidence * 100:g}")
    return joined(
        [
            paragraph(sentence(material), "answer"),
            *(
                paragraph(f"Left out of the comparison: {row['arm']} on {row['benchmark']}. {row['why']}", "note")
                for row in muted
            ),
            figure(caption, accuracy_panels(material), name="accuracy"),
            audited("results", f"accuracy --where arm={material.arms[-1]}"),
            *(paragraph(note, "note") for note in material.notes),
        ]
    )


SECTION = Section("answer", "The answer", ("results",), _body)
