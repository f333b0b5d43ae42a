"""The answer: one sentence and one figure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from medo1.counting import counted
from medo1.page.charts.intervals import Interval, intervals_panel, lead_panel
from medo1.page.markup import Row, audited, figure, joined, paragraph, words
from medo1.page.material import ALL, Material
from medo1.page.numbers_text import FIRM, UNKNOWN, known, p_text, percent, points, points_span, span
from medo1.page.sections.section import Section

ALONE = 1
FEW = 3  # arms that are named


def sentence(material: Material) -> Markup:
    """What came out, with its interval: the best arm against the baseline, over all benchmarks.

    An arm that cannot be told from one who guesses with its letters is no answer.
    """
    rows = [row for row in material.rows("results") if row["benchmark"] == material.headline()]
    best = best_arm(material)
    if best is None:
        highest = _highest(material)
        return Markup(
            "No arm can be told from one who guesses: on {} the highest accuracy is {}, and it says nothing."
        ).format(counted(highest["questions"], "question"), percent(highest["accuracy"]))
    asked = counted(best["questions"], "question")
    told = Markup("<strong>{}</strong> answers {} of {} right ({} % interval {})").format(
        best["arm"], percent(best["accuracy"]), asked, f"{material.confidence * 100:g}", _span(best)
    )
    if len(rows) == ALONE:
        return told + Markup(".")
    if best["arm"] == material.baseline:
        return told + Markup("; no other arm that answers by more than its letters does better.")
    compared = _compared(material, best)
    if compared is None:
        return told + Markup(".")
    low, high = joint_interval(compared)
    difference = Markup("{} points ({})").format(points(compared["difference"]), points_span(low, high))
    p_value = Markup("p{}{}").format(FIRM, _p(compared))
    if known(low) and low > 0:
        return told + Markup(": {} against <strong>{}</strong> with {}, {}.").format(
            difference, material.baseline, _accuracy(rows, material.baseline), p_value
        )
    return told + Markup("; whether that is better than <strong>{}</strong> with {} cannot be told: {}, {}.").format(
        material.baseline, _accuracy(rows, material.baseline), difference, p_value
    )


def best_arm(material: Material) -> Row | None:
    """The row of the best arm that can be told from one who guesses."""
    where = material.headline()
    guessing = _guessing(material, where)
    rows = [row for row in material.rows("results") if row["benchmark"] == where and row["arm"] not in guessing]
    return max(rows, key=lambda row: row["accuracy"], default=None)


def _highest(material: Material) -> Row:
    """The row of the highest accuracy, whether it says something or not."""
    where = material.headline()
    return max((row for row in material.rows("results") if row["benchmark"] == where), key=lambda row: row["accuracy"])


def _accuracy(rows: Sequence[Row], arm: str) -> str:
    return next((percent(row["accuracy"]) for row in rows if row["arm"] == arm), UNKNOWN)


def _compared(material: Material, best: Row) -> Row | None:
    """The best arm's row of the comparisons with the baseline."""
    rows = material.rows("comparisons")
    key = (best["arm"], best["benchmark"])
    return next((row for row in rows if (row["arm"], row["benchmark"]) == key), None)


def reading(material: Material) -> list[Markup]:
    """What the sentence leaves open: who these arms are, which arms the best is told from, what was corrected."""
    best = best_arm(material)
    if best is None:
        return []
    told = []
    if material.learnt:
        arms = dict.fromkeys((str(best["arm"]), material.baseline))
        told.append(Markup(" ").join(_who(material, arm) for arm in arms))
    told += _apart(material, best)
    compared = _compared(material, best)
    if compared is not None and compared.get("family") is not None:
        family = [row for row in material.rows("comparisons") if row.get("family") == compared["family"]]
        if len(family) > 1:
            told.append(
                Markup("The interval of a difference and its p hold for {} comparisons at once (Holm).").format(
                    len(family)
                )
            )
    return [paragraph(Markup(" ").join(told), "reading")] if told else []


def _who(material: Material, arm: str) -> Markup:
    format = material.learnt.get(arm)
    if format is None:
        return Markup("{} is the model as it was before training.").format(arm)
    return Markup("{} is the model after training on {} chains.").format(arm, format)


def _apart(material: Material, best: Row) -> list[Markup]:
    """Which of the other arms the best one is told from, where there are more than two."""
    pairs = [
        row
        for row in material.rows("arm_pairs")
        if row["benchmark"] == best["benchmark"] and best["arm"] in (row["first"], row["second"])
    ]
    if len(pairs) < 2:  # noqa: PLR2004
        return []
    alike = [
        str(row["second"] if row["first"] == best["arm"] else row["first"])
        for row in pairs
        if not row["p_adjusted"] <= 1 - material.confidence
    ]
    if not alike:
        return [Markup("{} is told from every other arm.").format(best["arm"])]
    if len(alike) == len(pairs):
        return [Markup("{} cannot be told from any other arm.").format(best["arm"])]
    return [
        Markup("Of the {} other arms it cannot be told from {}.").format(len(pairs), words(alike))
        if len(alike) <= FEW
        else Markup("It cannot be told from {} of the {} other arms.").format(len(alike), len(pairs))
    ]


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
    return (told if told.startswith("<") else f"= {told}").replace(" ", FIRM)


def _span(row: Row) -> str:
    return span(row["accuracy_low"], row["accuracy_high"])


def accuracy_panels(material: Material) -> list[str]:
    """Accuracy of the arms with their intervals: a large panel of what the page is about, then one for each
    benchmark."""
    rows = material.rows("results")
    look = material.places(str(row["arm"]) for row in rows)
    headline = material.headline()  # what the sentence is about comes first
    benchmarks = [headline, *(one for one in material.benchmarks("results") if one != headline)]
    return [
        (lead_panel if benchmark == headline else intervals_panel)(
            "" if len(benchmarks) == ALONE else ("all benchmarks together" if benchmark == ALL else benchmark),
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
            told.setdefault(str(row["arm"]), []).append(str(row["benchmark"]))
    if not told:
        return []
    every = len(material.benchmarks("letter_baselines"))
    where: dict[str, list[str]] = {}
    for arm, benchmarks in told.items():
        place = "every benchmark" if len(benchmarks) == every > 1 else ", ".join(benchmarks)
        where.setdefault(place, []).append(arm)
    listed = "; ".join(f"{', '.join(arms)} on {place}" for place, arms in where.items())
    return [paragraph(f"Cannot be told from one who guesses, so that a gain is no gain: {listed}.", "note")]


def _body(material: Material) -> Markup:
    caption = Markup(
        "Accuracy of each arm's greedy answers with its {} % interval. An answer that could not be read counts as "
        "wrong."
    ).format(f"{material.confidence * 100:g}")
    best = best_arm(material)
    arm = str((best or _highest(material))["arm"])
    rows = [("results", arm)]  # those in which the sentence's numbers stand
    if best is not None and _compared(material, best) is not None:
        rows += [("results", material.baseline), ("comparisons", arm)]
    traced = [(table, f"--where arm={of} --where benchmark={material.headline()}") for table, of in rows]
    return joined(
        [
            paragraph(material.lead or sentence(material), "answer"),
            *([] if material.lead else reading(material)),
            figure(caption, [], name="accuracy", lead=accuracy_panels(material)[0]),
            *_muted(material),
            audited(*traced),
            *(paragraph(note, "note") for note in material.notes),
        ]
    )


SECTION = Section("answer", "The answer", ("results",), _body)
