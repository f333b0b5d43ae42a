"""The paper's claims, one by one; its Table 1 beside what was measured here; signs of a training that failed."""

from __future__ import annotations

from markupsafe import Markup

from medo1.page.markup import Column, Row, joined, paragraph, table
from medo1.page.material import Material
from medo1.page.numbers_text import count, decimal, percent, span
from medo1.page.sections.section import Section


def _verdict(row: Row) -> Markup:
    kind = {"holds": "yes", "yes": "seen", "does not hold": "no"}.get(
        str(row.get("verdict") or row.get("seen")), "open"
    )
    return Markup('<span class="verdict {}">{}</span>').format(kind, row.get("verdict") or row.get("seen"))


def _claims(material: Material) -> Markup:
    columns = [
        Column("claim", lambda row: row["claim"]),
        Column("here", _verdict, left=True),
        Column("what the paper says", lambda row: row["says"], left=True),
        Column("paper", lambda row: row["paper"], left=True),
        Column("measured", lambda row: row["measured"], left=True),
        Column("questions", lambda row: count(row["n"])),
        Column("why", lambda row: row["why"], left=True),
    ]
    return joined(
        [
            table("The paper's claims, and whether they hold here", columns, material.rows("claims"), "claims"),
            paragraph(
                "Cannot be told: the interval holds both. Built in: the study's own making decides it. Not "
                "measured: the study "
                "has no arm, or no draws, that would show it."
            ),
        ]
    )


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
    return table("Table 1 of the paper beside this study", columns, material.rows("paper_table"), "paper_table")


def _signatures(material: Material) -> Markup:
    columns = [
        Column("sign", lambda row: row["signature"]),
        Column("seen", _verdict, left=True),
        Column("arm", lambda row: row["arm"], left=True),
        Column("benchmark", lambda row: row["benchmark"], left=True),
        Column("built in", lambda row: "yes" if row.get("built_in") else "", left=True),
        Column("value", lambda row: decimal(row["value"])),
        Column("from", lambda row: decimal(row["low"])),
        Column("to", lambda row: decimal(row["high"])),
        Column("what it means", lambda row: row["says"], left=True),
    ]
    return table("Signs that reasoning was learnt badly", columns, material.rows("signatures"), "signatures")


CLAIMS = Section("claims", "The paper's claims", ("claims",), _claims)
PAPER_TABLE = Section("table-1", "Beside the paper's Table 1", ("paper_table",), _paper_table)
SIGNATURES = Section("signatures", "Failure signatures", ("signatures",), _signatures)
