"""Sections of a declared study's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from markupsafe import Markup

from medo1.page.arm_styles import legend
from medo1.page.charts.intervals import Interval, intervals_panel, lead_panel
from medo1.page.charts.lines import Point, Series, lines_panel
from medo1.page.markup import Column, Row, figure, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import FIRM, UNKNOWN, count, decimal, known, p_text, percent, points, points_span, span
from medo1.page.sections.claims import verdict_text
from medo1.page.sections.section import Section

OWN = ("arm", "on", "questions", "accuracy", "tokens", "unread", "run")  # columns of an accuracy that are no factor


def _answer(material: Material) -> Markup:
    columns = [
        Column("prediction", lambda row: row["says"], left=True),
        Column("verdict", verdict_text, left=True),
        Column("measured", lambda row: row["measured"], left=True),
        Column("predicted", lambda row: row["predicted"], left=True),
    ]
    return joined(
        [
            paragraph(material.lead, "lead"),
            table("Predictions and what became of them", columns, material.rows("study_predictions"))
            if material.there("study_predictions")
            else "",
            paragraph(
                "A prediction holds where the whole interval lies where it was predicted, does not hold where none of "
                "it does, and cannot be told otherwise. The intervals of all predicted differences hold at once."
            ),
        ]
    )


def _declared(material: Material) -> Markup:
    declared: Mapping[str, Any] = material.given["declared"]
    facts = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in [
            ("expected", declared["hypothesis"]),
            ("refuted if", declared["refuted_if"]),
            *((f"varied: {factor}", ", ".join(levels)) for factor, levels in declared["grid"].items()),
            *((f"stratum {name}", f"difficulty {', '.join(map(str, of))}") for name, of in declared["strata"].items()),
        ]
    )
    return Markup('<dl class="facts">{}</dl>').format(facts)


def _accuracies(material: Material) -> Markup:
    rows = material.rows("study_accuracies")
    factors = _factors(rows)
    declared: Mapping[str, Any] = material.given["declared"]
    parts: list[Any] = []
    shown = ["all", *declared["strata"]]
    for factor, numbers in declared["scale"].items():
        others = [one for one in factors if one not in (factor, "seed", "world")]
        if others:
            continue
        arms = material.places(str(row["arm"]) for row in rows)
        panels = [
            lines_panel(
                "all questions" if on == "all" else on,
                [_line(arm, place, [row for row in rows if row["arm"] == arm and row["on"] == on], factor, numbers)
                 for arm, place in arms.items()],
                x_title=declared["axis"].get(factor, factor), logarithmic=True,
            )
            for on in shown
        ]  # fmt: skip
        caption = "Accuracy of greedy answers, the mean of all repetitions. Vertical lines: the least and the greatest."
        parts.append(figure(caption, panels, legend(arms), name=f"accuracy-{factor}"))
    means = _means(rows, [one for one in factors if one not in ("seed", "world")])
    if not parts and set(factors) <= {"seed", "world"}:
        caption = "Accuracy of greedy answers, the mean of all repetitions. Lines: the least and the greatest."
        places = material.places(str(row["arm"]) for row in rows)
        panels = [
            intervals_panel("all questions" if on == "all" else on, [
                Interval(row["arm"], places[row["arm"]], row["accuracy"], row["least"], row["most"],
                         percent(row["accuracy"]))
                for row in means if row["on"] == on
            ], x_title="accuracy, %")
            for on in shown
        ]  # fmt: skip
        parts.append(figure(caption, panels, name="accuracy"))
    columns = [
        Column("arm", lambda row: row["arm"]),
        *(Column(one, lambda row, one=one: row[one], left=True) for one in factors if one not in ("seed", "world")),  # type: ignore[misc]
        Column("questions", lambda row: "all" if row["on"] == "all" else row["on"], left=True),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("least", lambda row: percent(row["least"])),
        Column("greatest", lambda row: percent(row["most"])),
        Column("mean tokens", lambda row: count(row["tokens"])),
        Column("repetitions", lambda row: count(row["repetitions"])),
    ]
    parts.append(table("Accuracy by arm and level", columns, [row for row in means if row["on"] in shown]))
    return joined(parts)


def _line(arm: str, place: int, rows: Sequence[Row], factor: str, numbers: Mapping[str, float]) -> Series:
    found = []
    for level, number in sorted(numbers.items(), key=lambda item: item[1]):
        own = [row["accuracy"] for row in rows if row[factor] == level]
        if own:
            found.append(Point(number, fmean(own), min(own), max(own), f"{percent(fmean(own))}, {level}"))
    return Series(arm, place, tuple(found))


def _means(rows: Sequence[Row], factors: Sequence[str]) -> list[Row]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["arm"], row["on"], *(row[one] for one in factors)), []).append(row)
    return [
        {
            **{one: some[0][one] for one in ("arm", "on", *factors)},
            "accuracy": fmean(row["accuracy"] for row in some), "least": min(row["accuracy"] for row in some),
            "most": max(row["accuracy"] for row in some), "repetitions": len(some),
            "tokens": fmean(row["tokens"] for row in some) if known(some[0]["tokens"]) else None,
        }
        for some in groups.values()
    ]  # fmt: skip


def _comparisons(material: Material) -> Markup:
    rows = material.rows("study_comparisons")
    measured = [row for row in rows if row["repetitions"]]
    names = dict.fromkeys(row["comparison"] for row in measured)
    panels, alone = [], []
    for name in names:
        own = [row for row in measured if row["comparison"] == name]
        if len(own) == 1:
            alone += own
            continue
        marks = [_mark(row, row["at"]) for row in own]
        title = f"{name}: {own[0]['of']} less {own[0]['against']}"
        panels.append(intervals_panel(title if len(title) < 46 else name, marks, x_title="points", shares=False))  # noqa: PLR2004
    lead = lead_panel("", [_mark(row, row["comparison"]) for row in alone], x_title="points", shares=False)
    columns = [
        Column("comparison", lambda row: row["comparison"]),
        Column("at", lambda row: row["at"].replace(" ", FIRM).replace(f",{FIRM}", ", "), left=True),
        Column("of", lambda row: row["of"], left=True),
        Column("less", lambda row: row["against"], left=True),
        Column("questions", lambda row: row["on"], left=True),
        Column("points", lambda row: points(row["difference"])),
        Column("interval", lambda row: points_span(row["joint_low"], row["joint_high"])),
        Column("p (Holm)", lambda row: p_text(row["p_adjusted"])),
        Column("p", lambda row: p_text(row["p_value"])),
        Column("repetitions", lambda row: count(row["repetitions"])),
        Column("spread between them", lambda row: points(row["spread"]).lstrip("+")),
        Column("each", lambda row: f",{FIRM}".join(points(one) for one in row["each"]), left=True),
    ]
    caption = (
        "Differences of accuracy, paired by question, over all repetitions, in points. What is predicted has intervals "
        "that hold at once."
    )
    return joined(
        [
            figure(caption, panels, name="differences", lead=lead if alone else "") if measured else "",
            table("Every comparison", columns, rows),
            paragraph(
                "Intervals and p-values count both sources of chance: other seeds and other questions. A comparison "
                "with one repetition takes from the others how much seeds differ; where these do not tell, it counts "
                "questions alone, and decides nothing yet."
            ),
        ]
    )


def _mark(row: Row, name: str) -> Interval:
    """A difference as a row of a figure."""
    low, high = row["joint_low"], row["joint_high"]
    return Interval(name, 0, row["difference"], low, high, f"{points(row['difference'])} ({points_span(low, high)})")


def _trends(material: Material) -> Markup:
    columns = [
        Column("trend", lambda row: row["trend"]),
        Column("of", lambda row: f"{row['of']} less {row['against']}", left=True),
        Column("questions", lambda row: row["on"], left=True),
        Column("over", lambda row: row["over"], left=True),
        Column("log odds a doubling", lambda row: decimal(row["slope"])),
        Column("interval", lambda row: _numbers(row["low"], row["high"])),
        Column("p", lambda row: p_text(row["p_value"])),
        Column("the arms cross at", lambda row: decimal(row["crossing"]) if known(row["crossing"]) else "not seen"),
        Column("interval of that", lambda row: _numbers(row["crossing_low"], row["crossing_high"])),
        Column("runs", lambda row: count(row["runs"])),
    ]
    return joined(
        [
            table("Does an advantage change with scale?", columns, material.rows("study_trends")),
            paragraph(
                "A binomial mixed model: how much the advantage, in log odds, grows with each doubling of the scale. "
                "Each run adds chance of its own to both arms and to their difference. Intervals by parametric "
                "bootstrap; a crossing is seen where 95 % of draws have it between the least and the greatest scale."
            ),
        ]
    )


def _best(material: Material) -> Markup:
    rows = material.rows("study_best")
    parts: list[Any] = []
    declared: Mapping[str, Any] = material.given["declared"]
    for name in dict.fromkeys(row["best"] for row in rows):
        own = [row for row in rows if row["best"] == name]
        axis = declared["best"][name]["arms"]
        series = [
            Series(row["level"], place, tuple(
                Point(axis[arm], accuracy, told=f"{percent(accuracy)}, {arm}")
                for arm, accuracy in row["accuracies"].items()
            ))
            for place, row in enumerate(own)
        ]  # fmt: skip
        panel = lines_panel("", series, x_title=own[0]["axis"], x_values=list(axis.values()), logarithmic=True)
        looks = {row["level"]: place for place, row in enumerate(own)}
        caption = f"Accuracy over {own[0]['axis']}, a line for each level. Where the best stands is the question."
        parts.append(figure(caption, [panel], legend(looks), name=f"best-{name}"))
    columns = [
        Column("level", lambda row: row["level"]),
        Column("best arm", lambda row: row["arm"], left=True),
        Column("where it stands", lambda row: decimal(row["place"])),
        Column("interval", lambda row: f"{decimal(row['low'])} to {decimal(row['high'])}"),
        Column("best in so many draws", lambda row: percent(row["share"], 0)),
        Column("repetitions", lambda row: count(row["repetitions"])),
    ]
    parts.append(table("The best arm of each level", columns, rows))
    parts.append(paragraph("Interval: where the best stands when runs and questions are drawn again, 400 times."))
    return joined(parts)


def _followed(material: Material) -> Markup:
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("answers that follow", lambda row: percent(row["share"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("stay as before", lambda row: percent(row["stays"])),
        Column("neither", lambda row: percent(row["neither"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("repetitions", lambda row: count(row["repetitions"])),
    ]
    return joined(
        [
            table("One step of a thought changed", columns, material.rows("study_followed")),
            paragraph(
                "The arm's own thought is begun again up to one step, whose conclusion is replaced; the arm goes on "
                "from there. Follows: it answers what the changed step leads to, which is known here."
            ),
        ]
    )


def _abilities(material: Material) -> Markup:
    rows = material.rows("study_abilities")
    factors = [one for one in _factors(rows, ("weights", "ability", "share")) if one not in ("seed", "world")]
    rows = [{**row, **dict(zip(("task", "ability"), _task_and_kind(row["ability"]), strict=True))} for row in rows]
    kinds = list(dict.fromkeys(row["ability"] for row in rows))
    if len({row["task"] for row in rows}) > 1:
        factors.append("task")
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[one] for one in factors), []).append(row)
    means = [
        {
            **dict(zip(factors, levels, strict=True)),
            "weights": some[0]["weights"],
            **{kind: fmean(row["share"] for row in some if row["ability"] == kind) for kind in kinds},
        }
        for levels, some in groups.items()
    ]
    columns = [
        *(Column(one, lambda row, one=one: row[one]) for one in factors),  # type: ignore[misc]
        Column("weights", lambda row: count(row["weights"])),
        *(Column(ABILITIES.get(kind, kind), lambda row, kind=kind: percent(row[kind])) for kind in kinds),  # type: ignore[misc]
    ]
    return joined(
        [
            table("What the base model can do before it learns from chains", columns, means),
            paragraph(
                "Shares of fresh probes that greedy decoding reproduces exactly, means of all repetitions. Where the "
                "base does not know the facts, or cannot name the letter of a disease, a low score says nothing of "
                "reasoning."
            ),
        ]
    )


def _task_and_kind(ability: str) -> tuple[str, str]:
    """`workshop_pick` is of the workshop, `pick` of the clinic (`clinic.textbook.probe_name`)."""
    task, _, kind = ability.rpartition("_")
    return task or "clinic", kind


ABILITIES = {
    "fact": "recall of facts", "disputed": "disputed facts held right", "pick": "letter of a given disease",
    "map": "letters of all options", "update": "one look-up", "change": "the next change",
    "opening": "look-up of the complaint",
    "alone": "complaint without a chart",
}  # fmt: skip


def _made(material: Material) -> Markup:
    columns = [
        Column("cell", lambda row: row["cell"]),
        Column("run", lambda row: row["id"], left=True),
        Column("root digest", lambda row: str(row["root"] or UNKNOWN)[:16], left=True),
        Column(
            "commit",
            lambda row: f"{str(row['commit'] or UNKNOWN)[:12]}{' (changed)' if row['dirty'] else ''}",
            left=True,
        ),
        Column("seconds", lambda row: count(row["seconds"])),
    ]
    failed = [
        Column("cell", lambda row: ", ".join(f"{factor} {level}" for factor, level in row["levels"].items())),
        Column("why", lambda row: row["why"], left=True),
    ]
    facts = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in (material.facts or {}).items()
    )
    return joined(
        [
            Markup('<dl class="facts">{}</dl>').format(facts),
            table("Cells that failed", failed, material.rows("study_failures"))
            if material.there("study_failures")
            else "",
            table("The runs", columns, material.rows("study_runs")),
            paragraph(
                "Each run is traced as any other, where it was made: kedro audit lineage, kedro audit verify --root "
                "DIGEST. Anywhere else: kedro study NAME --reproduce runs a cell once more and compares every answer."
            ),
        ]
    )


def _factors(rows: Sequence[Row], own: Sequence[str] = OWN) -> list[str]:
    return [key for key in (rows[0] if rows else {}) if key not in own]


def _numbers(low: Any, high: Any) -> str:
    return f"{low:+.2f} to {high:+.2f}" if known(low) and known(high) else UNKNOWN


def _section(anchor: str, heading: str, needs: str, body: Callable[[Material], Markup]) -> Section:
    return Section(anchor, heading, (needs,), body)


DECLARED_STUDY_SECTIONS: tuple[Section, ...] = (
    _section("answer", "What came out", "declared", _answer),
    _section("declared", "What was declared", "declared", _declared),
    _section("accuracy", "Accuracy", "study_accuracies", _accuracies),
    _section("comparisons", "Comparisons", "study_comparisons", _comparisons),
    _section("trends", "Trends", "study_trends", _trends),
    _section("best", "Where the best stands", "study_best", _best),
    _section("followed", "Does the answer follow from the steps?", "study_followed", _followed),
    _section("abilities", "What the students know", "study_abilities", _abilities),
    _section("made", "How this was made", "study_runs", _made),
)
