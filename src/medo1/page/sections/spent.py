"""What thinking took, what each stage took, what was paid."""

from __future__ import annotations

from markupsafe import Markup

from medo1.lineage.page_marks import mark
from medo1.page.markup import Column, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import count, decimal, model_text, percent
from medo1.page.sections.section import Section


def _tokens(material: Material) -> Markup:
    spent = {(row["arm"], row["benchmark"], row["draw"], row["part"]): row for row in material.rows("tokens")}

    def part(row: dict[str, object], name: str, what: str = "mean") -> str:
        return count(spent.get((row["arm"], row["benchmark"], row["draw"], name), {}).get(what))

    columns = [
        Column("arm", lambda row: row["arm"]),
        Column("draw", lambda row: row["draw"], left=True),
        Column("accuracy", lambda row: percent(row["accuracy"])),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("of finished", lambda row: percent(row["accuracy_finished"])),
        Column("strictly read", lambda row: percent(row["accuracy_strict"])),
        Column("prompt", lambda row: part(dict(row), "prompt")),
        Column("thinking", lambda row: part(dict(row), "thinking")),
        Column("answer", lambda row: part(dict(row), "answer")),
        Column("90 % think at most", lambda row: part(dict(row), "thinking", "q90")),
        Column("finished", lambda row: count(row["finished"])),
        Column("forced", lambda row: count(row["forced"])),
        Column("cut", lambda row: count(row["cut"] + row["cut_by_context"])),
        Column("other", lambda row: count(row["empty"] + row["overlong_prompt"] + row["filtered"] + row["error"])),
    ]
    return joined(
        [
            table("Tokens, means; and what became of each draw", columns, material.rows("outcomes"), "outcomes"),
            paragraph(
                "Forced: the thinking budget ended and the answer was asked for. Cut: it ended and no answer was "
                "asked for. "
                "Other: empty, refused by a filter, a prompt beyond the context, an error. Strictly read: what the "
                "last "
                "line Final answer: X alone would give."
            ),
        ]
    )


def _time(material: Material) -> Markup:
    arms = [
        Column("arm", lambda row: row["arm"]),
        Column("model", lambda row: model_text(row["model"]), left=True),
        Column("requests", lambda row: count(row["requests"])),
        Column("answered before", lambda row: count(row["kept"])),
        Column("failed", lambda row: count(row["failed"])),
        Column("tokens out", lambda row: count(row["completion_tokens"])),
        Column("seconds", lambda row: decimal(row["wall_s"])),
        Column("tokens per second", lambda row: count(row["tokens_per_s"])),
        Column("USD", lambda row: decimal(row["cost_usd"])),
        Column("energy, Wh", lambda row: decimal(row["energy_wh"])),
    ]
    teachers = [
        Column("format", lambda row: row["format"]),
        Column("stage", lambda row: row["stage"], left=True),
        Column("teacher", lambda row: model_text(row["model"]), left=True),
        Column("requests", lambda row: count(row["requests"])),
        Column("answered before", lambda row: count(row["kept"])),
        Column("failed", lambda row: count(row["failed"])),
        Column("tokens in", lambda row: count(row["prompt_tokens"])),
        Column("tokens out", lambda row: count(row["completion_tokens"])),
        Column("USD", lambda row: decimal(row["cost_usd"]) if row["priced"] else "no price known"),
    ]
    stages = Markup(
        '<div class="wide when-told" tabindex="0" role="region" aria-label="Time of each stage">'
        '<table data-name="stages">'
        "<caption>Time of each stage, in the run that made this page</caption><thead><tr>"
        '<th scope="col">stage</th><th scope="col">nodes</th><th scope="col">time</th></tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(Markup(mark("stages")))  # noqa: S704
    timing, costs = material.rows("timing"), material.rows("teaching_costs")
    return joined(
        [
            stages,
            table("What the arms took", arms, timing, "timing"),
            table("What the teachers took", teachers, costs, "teaching_costs"),
            paragraph(
                "Nodes that ran side by side count twice. What was answered before was taken from the completion "
                "store: nothing "
                "was sent or paid."
            ),
        ]
    )


TOKENS = Section("thinking", "What thinking took", ("outcomes",), _tokens)
TIME = Section("costs", "Costs and time", ("timing",), _time, measures=True)
