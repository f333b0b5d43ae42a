"""The paper's claims, one by one; its Table 1 beside what was measured here; signs of a training that failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from medo1.page.markup import Column, Row, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import UNKNOWN, count, decimal, known, percent, span
from medo1.page.sections.section import Section

NOT_MEASURED = "not measured"


def verdict_text(row: Row) -> Markup:
    """A verdict, marked by what it says."""
    kind = {"holds": "yes", "yes": "seen", "does not hold": "no"}.get(
        str(row.get("verdict") or row.get("seen")), "open"
    )
    return Markup('<span class="verdict {}">{}</span>').format(kind, row.get("verdict") or row.get("seen"))


def _claims(material: Material) -> Markup:
    columns = [
        Column("what the paper says", _claim, left=True),
        Column("here", verdict_text, left=True),
        Column("paper", lambda row: row["paper"], left=True),
        Column("measured", _measured, left=True),
        Column("why", lambda row: row["why"], left=True),
    ]
    rows = material.rows("claims")
    measured = [row for row in rows if row["verdict"] != NOT_MEASURED]
    if not measured:
        return Markup("")
    left = ", ".join(str(row["claim"]) for row in rows if row["verdict"] == NOT_MEASURED)
    return joined(
        [
            table("The paper's claims, and whether they hold here", columns, measured, "claims"),
            paragraph(
                "Cannot be told: the interval holds both. Built in: the study's own making decides it."
                + (f" Not measured, for want of the arms or draws that would show it: {left}." if left else "")
            ),
        ]
    )


def _claim(row: Row) -> Markup:
    return Markup('{} <span class="soft">{}</span>').format(row["says"], row["claim"])


def _measured(row: Row) -> str:
    return f"{row['measured']} ({count(row['n'])} questions)" if row["measured"] else UNKNOWN


def _paper_table(material: Material) -> Markup:
    columns = [
        Column("model", lambda row: row["model"]),
        Column("method", lambda row: row["method"], left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("paper", lambda row: percent(row["paper"])),
        Column("here", lambda row: percent(row["ours"])),
        Column("interval", lambda row: span(row["low"], row["high"])),
        Column("arm", lambda row: row["arm"] or "·", left=True),
        Column("questions", lambda row: count(row["n"])),
    ]
    rows = material.rows("paper_table")
    if not material.learnt and not any(known(row["ours"]) and known(row["paper"]) for row in rows):
        return Markup("")  # nothing of this study stands beside anything of the paper
    return table(
        "Table 1 of the paper beside this study",
        columns,
        rows,
        "paper_table",
        first=lambda row: known(row["ours"]) and known(row["paper"]),
    )


def _signatures(material: Material) -> Markup:
    columns = [
        Column("sign", lambda row: row["signature"]),
        Column("seen", verdict_text, left=True),
        Column("arm", lambda row: row["arm"], left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("built in", lambda row: "yes" if row.get("built_in") else "", left=True),
        Column("value", lambda row: decimal(row["value"])),
        Column("from", lambda row: decimal(row["low"])),
        Column("to", lambda row: decimal(row["high"])),
        Column("what it means", lambda row: row["says"], left=True),
    ]
    rows = material.rows("signatures")
    return joined(
        [
            table("What was looked for, and where it is seen", _SEEN, _by_sign(rows)),
            table("Signs that reasoning was learnt badly", columns, rows, "signatures"),
        ]
    )


def _by_sign(rows: Sequence[Row]) -> list[Row]:
    """A row for each sign: what it means, where it is seen, and how often it is not or cannot be told."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["signature"]), []).append(row)
    return [
        {
            "says": some[0]["says"],
            "seen": "yes" if any(row["seen"] == "yes" for row in some) else some[0]["seen"]
            if len({row["seen"] for row in some}) == 1 else "not, or cannot be told",
            "where": _places(row for row in some if row["seen"] == "yes"),
            **{name: sum(row["seen"] == name for row in some) for name in ("no", "cannot be told")},
            "built_in": any(row.get("built_in") for row in some),
        }
        for some in found.values()
    ]  # fmt: skip


def _places(rows: Iterable[Row]) -> str:
    """Arms, each with the benchmarks on which it was seen."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row["arm"]), []).append(str(row["benchmark"]))
    return "; ".join(f"{arm}: {', '.join(some)}" for arm, some in found.items())


_SEEN = [
    Column("sign", lambda row: row["says"], left=True),
    Column("seen", verdict_text, left=True),
    Column("by which arm, on which benchmark", lambda row: row["where"], left=True),
    Column("times not", lambda row: count(row["no"])),
    Column("times it cannot be told", lambda row: count(row["cannot be told"])),
    Column("built in", lambda row: "yes" if row["built_in"] else "", left=True),
]


CLAIMS = Section("claims", "The paper's claims", ("claims",), _claims)
PAPER_TABLE = Section("table-1", "Beside the paper's Table 1", ("paper_table",), _paper_table)
SIGNATURES = Section("signatures", "Failure signatures", ("signatures",), _signatures)
