"""Accuracy over what is spent: difficulty, votes, thinking budgets, selective thought, the frontier."""

from __future__ import annotations

import math
import re
from typing import Any

from markupsafe import Markup

from medo1.page.charts.lines import Point, Series
from medo1.page.markup import Column, Row, figure, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import UNKNOWN, count, decimal, known, percent, points_span, prefixed, short_time, span
from medo1.page.sections.section import Section, line_panels
from medo1.vocabulary import ADAPTIVE_VOTE


def _point(row: Row, x: str, told: str, low: str = "accuracy_low", high: str = "accuracy_high") -> Point:
    return Point(row[x], row["accuracy"], row.get(low), row.get(high), f"{percent(row['accuracy'])}, {told}")


def _difficulty(material: Material) -> Markup:
    def right(arm: str, place: int, rows: list[Row]) -> list[Series]:
        ordered = sorted(rows, key=lambda row: row["difficulty"])
        told = "difficulty {}, {} questions"
        points = [_point(row, "difficulty", told.format(row["difficulty"], row["questions"])) for row in ordered]
        return [Series(arm, place, tuple(points))]

    def long(arm: str, place: int, rows: list[Row]) -> list[Series]:
        ordered = sorted(rows, key=lambda row: row["difficulty"])
        points = [
            Point(row["difficulty"], row["mean_tokens"], told=f"{count(row['mean_tokens'])} tokens")
            for row in ordered
            if known(row["mean_tokens"])
        ]
        return [Series(arm, place, tuple(points))]

    accuracy, legend = line_panels(material, "by_difficulty", right, x_title="difficulty", chance=True)
    tokens, _ = line_panels(material, "by_difficulty", long, x_title="difficulty", y_title="mean tokens", shares=False)
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("difficulty", lambda row: row["difficulty"]),
        Column("mean tokens", lambda row: count(row["mean_tokens"])),
        Column("questions", lambda row: count(row["questions"])),
    ]
    caption = "Accuracy, and the mean tokens of a greedy answer, over the difficulty of the questions."
    return joined(
        [
            figure(caption, accuracy + tokens, legend, name="difficulty"),
            table("Accuracy and length by difficulty", columns, material.rows("by_difficulty"), "by_difficulty"),
        ]
    )


BARS = "Vertical lines are intervals; where there would be too many, only those at the ends of the lines."


def _voted(row: Row) -> bool:
    return row["method"] in ("majority", ADAPTIVE_VOTE)


def _votes(material: Material) -> Markup:
    def lines(arm: str, place: int, rows: list[Row]) -> list[Series]:
        fixed = sorted((row for row in rows if row["method"] == "majority"), key=lambda row: row["k"])
        stopped = [row for row in rows if row["method"] == ADAPTIVE_VOTE and known(row["mean_tokens"])]
        spent = [row for row in fixed if known(row["mean_tokens"])]
        told = "majority of {} votes, {} tokens"
        return [
            Series(
                arm, place,
                tuple(_point(row, "mean_tokens", told.format(row["k"], count(row["mean_tokens"]))) for row in spent),
            ),
            Series(
                arm, place,
                tuple(
                    _point(row, "mean_tokens", f"drawn until decided, {count(row['mean_tokens'])} tokens")
                    for row in stopped
                ),
                joined=False, hollow=True,
            ),
        ]  # fmt: skip

    panels, legend = line_panels(
        material, "vote_curve", lines, keep=lambda row: _voted(row) and known(row["mean_tokens"]),
        x_title="tokens per question, all votes together", logarithmic=True, chance=True,
    )  # fmt: skip
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["accuracy_low"], row["accuracy_high"])),
        Column("votes", _votes_text, left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("tokens per question", lambda row: count(row["mean_tokens"])),
        Column("agrees with all", lambda row: percent(row["agreement"])),
    ]
    rows = [row for row in material.rows("vote_curve") if _voted(row)]
    caption = (
        "Accuracy of the majority over the tokens that its votes cost. Rings: samples are drawn until the vote is "
        "decided, "
        f"as the stopping rule sees it. {BARS}"
    )
    return joined(
        [
            figure(caption, panels, legend, name="votes") if any(known(row["mean_tokens"]) for row in rows) else "",
            table("Accuracy over votes", columns, rows, "vote_curve"),
            paragraph(
                "Expected over all subsets of k of the samples that were drawn; unread answers do not vote, a tie "
                "goes to "
                "the answer stated first. One vote is one sample at a temperature above 0, and not the greedy "
                "answer. Agrees "
                "with all: how often that vote was the vote of all samples."
            ),
            _limits(material),
            _passes(material),
            _stopping(material),
            _variances(material),
        ]
    )


def _passes(material: Material) -> Markup:
    rows = material.rows("pass_curve")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("samples", lambda row: count(row["k"])),
        Column("any of them right", lambda row: percent(row["pass_at_k"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("questions", lambda row: count(row["questions"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return table("Does any of k samples have it (pass@k)?", columns, rows, "pass_curve")


def _stopping(material: Material) -> Markup:
    rows = material.rows("stopping_rules")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("rule", lambda row: row["rule"], left=True),
        Column("threshold", lambda row: decimal(row["threshold"])),
        Column("samples drawn, of", lambda row: f"{decimal(row['drawn'])} of {count(row['most'])}"),
        Column("tokens per question", lambda row: count(row["tokens"])),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("same as the vote of all", lambda row: percent(row["agreement"])),
        Column("promised", lambda row: percent(row["promised"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return table("When a vote could have stopped, by each rule", columns, rows, "stopping_rules")


def _limits(material: Material) -> Markup:
    rows = material.rows("vote_limits")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("one sample", lambda row: percent(row["single"])),
        Column("vote of all", lambda row: percent(row["majority"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("votes without end", lambda row: percent(row["limit"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("commonest answer wrong", lambda row: percent(row["modal_wrong"])),
        Column("undecided", lambda row: percent(row["undecided"])),
        Column("any sample right", lambda row: percent(row["pass_at_all"])),
        Column("samples unread", lambda row: percent(row["unread"])),
        Column("samples", lambda row: count(row["samples"])),
    ]
    return table("What votes can give, and where they can only hurt", columns, rows, "vote_limits")


def _variances(material: Material) -> Markup:
    rows = material.rows("variances")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("error with one sample, points", lambda row: f"{row['error_of_one'] * 100:.1f}"),
        Column("with all, points", lambda row: f"{row['error_of_all'] * 100:.1f}"),
        Column("variance between questions", lambda row: f"{row['between']:.4f}"),
        Column("within a question", lambda row: f"{row['within']:.4f}"),
        Column("samples that halve it", lambda row: count(row["halving"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    return table("Where chance comes from: questions, or sampling", columns, rows, "variances")


def _votes_text(row: Row) -> str:
    return str(row["k"]) if row["method"] == "majority" else f"until decided, at most {row['k']}"


def _budgets(material: Material) -> Markup:
    rows = material.rows("budget_curve")
    if len({row["budget"] for row in rows}) == 1:
        return Markup("")  # one budget is no curve

    def lines(arm: str, place: int, rows: list[Row]) -> list[Series]:
        ordered = sorted(rows, key=lambda row: row["budget"])
        told = "budget {}, {} of thoughts cut"
        points = [_point(row, "budget", told.format(row["budget"], percent(row["forced"], 0))) for row in ordered]
        return [Series(arm, place, tuple(points))]

    panels, legend = line_panels(
        material, "budget_curve", lines, x_title="thinking budget, tokens", logarithmic=True, chance=True,
        x_of=lambda row: row["budget"],
    )  # fmt: skip
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("budget", lambda row: count(row["budget"])),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["accuracy_low"], row["accuracy_high"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("thoughts cut", lambda row: percent(row["forced"], 0)),
        Column("of their answers unread", lambda row: percent(row["unread"], 0)),
        Column("commonest letter", _commonest, left=True),
    ]
    caption = f"Accuracy of the greedy answer when thinking is cut at a budget, and the answer asked for. {BARS}"
    return joined(
        [
            figure(caption, panels, legend, name="budgets"),
            table("Accuracy over thinking budgets", columns, rows, "budget_curve"),
            paragraph(
                "Where many of the answers that were asked for cannot be read, or nearly all say the same letter, "
                "the row "
                "measures the asking and not the thought."
            ),
        ]
    )


def _commonest(row: Row) -> str:
    share = row["commonest_share"]
    return f"{row['commonest']} ({percent(share, 0)})" if known(share) else UNKNOWN


def _selective(material: Material) -> Markup:
    def lines(arm: str, place: int, rows: list[Row]) -> list[Series]:
        found = []
        for score in dict.fromkeys(row["score"] for row in rows):
            own = sorted((row for row in rows if row["score"] == score), key=lambda row: row["tokens"])
            told = "{} think, {}"
            points = [
                _point(row, "tokens", told.format(percent(row["thought_share"], 0), score), "low", "high")
                for row in own
            ]
            found.append(Series(arm, place, tuple(points)))
        return found

    panels, legend = line_panels(
        material, "selective_curve", lines, x_title="tokens per question", logarithmic=True, chance=True
    )
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("questions thought about", lambda row: percent(row["thought_share"], 0)),
        Column("tokens per question", lambda row: count(row["tokens"])),
        Column("unsure by", lambda row: row["score"], left=True),
        Column("threshold", lambda row: decimal(row["tau"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
    ]
    caption = (
        "Answer at once, and think only when unsure: accuracy over the tokens that this takes, at every threshold. "
        f"{BARS}"
    )
    rows = material.rows("selective_curve")
    return joined(
        [
            figure(caption, panels, legend, name="selective"),
            _chosen(material),
            table("Selective thought", columns, rows, "selective_curve"),
        ]
    )


def _chosen(material: Material) -> Markup:
    rows = material.rows("selective_choice")
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("think when below", lambda row: decimal(row["tau"]) if known(row["tau"]) else "always think"),
        Column("unsure by", lambda row: row["score"], left=True),
        Column("questions thought about", lambda row: percent(row["thought_share"], 0)),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("of thinking always", lambda row: percent(row["accuracy_of_all"])),
        Column(
            "difference, points",
            lambda row: points_span(row["low"], row["high"]) if known(row["tau"]) else UNKNOWN,
        ),
        Column("may lose, points", lambda row: f"{row['margin'] * 100:g}"),
        Column("tokens per question", lambda row: count(row["tokens"])),
        Column("of thinking always", lambda row: count(row["tokens_of_all"])),
    ]
    heading = "The cheapest threshold that is shown to lose little, for use on other questions"
    return table(heading, columns, rows, "selective_choice")


def _strategy(row: Row) -> str:
    """Its name and setting, long numbers shortened."""
    setting = re.sub(r"\d+\.\d{5,}", lambda found: f"{float(found[0]):.4g}", str(row["setting"]))
    return f"{row['strategy']} {setting}".strip()


def _price(tokens: Any) -> str:
    """What a point costs beside the baseline."""
    if not known(tokens):
        return UNKNOWN
    return "fewer" if tokens < 0 else decimal(tokens, 2) if tokens < 10 else count(tokens)  # noqa: PLR2004


def _counted_in(material: Material) -> str:
    """What the frontier is drawn by: FLOPs where they are known of every point of it."""
    return "FLOPs" if all(known(row["flops"]) for row in material.rows("frontier")) else "tokens"


def _frontier(material: Material) -> Markup:
    def lines(arm: str, place: int, rows: list[Row]) -> list[Series]:
        rows = [row for row in rows if known(row["tokens"])]
        told = "{}, {} tokens"
        best = [row for row in rows if row["on_frontier"]]
        rest = [row for row in rows if not row["on_frontier"]]
        return [
            Series(
                arm, place,
                tuple(
                    _point(row, "tokens", told.format(_strategy(row), count(row["tokens"])), "", "")
                    for row in some
                ),
                joined=False, hollow=hollow,
            )
            for some, hollow in ((rest, True), (best, False))
        ]  # fmt: skip

    panels, legend = line_panels(
        material, "frontier", lines, keep=lambda row: known(row["tokens"]) and row["tokens"] > 0,
        x_title="tokens per question", logarithmic=True, chance=True,
    )  # fmt: skip
    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("strategy", _strategy, left=True),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("tokens", lambda row: count(row["tokens"])),
        Column("time", lambda row: short_time(row["seconds"])),
        Column("dollars", lambda row: decimal(row["dollars"])),
        Column("FLOPs", lambda row: prefixed(row["flops"])),
        Column("on the frontier", lambda row: "yes" if row["on_frontier"] else "", left=True),
        Column("tokens per point gained", lambda row: _price(row["tokens_per_point"])),
    ]
    order = material.benchmarks("frontier")
    rows = sorted(
        # Hundreds of thresholds; those that no other beats stand here, all of them in the table of selective thought.
        (row for row in material.rows("frontier") if row["strategy"] != "selective" or row["on_frontier"]),
        key=lambda row: (order.index(row["benchmark"]), row["tokens"] if known(row["tokens"]) else math.inf),
    )
    caption = (
        "Every way of answering that was measured. Filled: no other takes fewer "
        f"{_counted_in(material)} and is as good. Small rings: all others."
    )
    if len(rows) < len(material.rows("frontier")):
        caption += " Thresholds of selective thought that another way beats are in the figure alone."
    return joined(
        [
            figure(caption, panels, legend, name="frontier"),
            table(
                "What accuracy costs, means per question",
                columns,
                rows,
                "frontier",
                first=lambda row: bool(row["on_frontier"]),
            ),
            paragraph(
                f"Tokens per point gained: beside {material.baseline} answering greedily; fewer: it is better and "
                "takes fewer. FLOPs: two times weights times tokens, those of the prompt too; M a million, G a "
                "thousand million. Time: tokens at the speed that the arm had in this run, several questions at once."
            ),
        ]
    )


DIFFICULTY = Section("difficulty", "Accuracy and length by difficulty", ("by_difficulty",), _difficulty)
VOTES = Section("votes", "Accuracy over votes", ("vote_curve",), _votes)
BUDGETS = Section("budgets", "Accuracy over thinking budgets", ("budget_curve",), _budgets)
SELECTIVE = Section("selective", "Thinking only when unsure", ("selective_curve",), _selective)
FRONTIER = Section("frontier", "What accuracy costs", ("frontier",), _frontier, measures=True)
