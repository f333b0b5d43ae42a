"""Steps are read in whatever layout a model writes them; what they say decides."""

# ruff: noqa: RUF001  (layouts hold the marks that models write)

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.chains.formats import Checks, LongStep, parsed

OPTIONS = {"A": "gout", "B": "sepsis", "C": "Lyme disease", "D": "lupus"}
SAID = (
    ("Narrow the field", "find what the ring points to.", "a ring that grew for a week.", "a tick-borne illness."),
    ("Weigh the knee", "explain the swollen knee.", "one joint, weeks later.\nThe uric acid is normal.", "not gout."),
    ("Decide", "choose between the two that are left.", "no rash on the cheeks, no protein.", "Lyme disease fits."),
)
HEADS = (
    "Step {n}: {title}",
    "Step {n} ({title}):",
    "Step {n} - {title}",
    "Step {n} – {title}",
    "Step {n} — {title}",
    "Step {n}. {title}",
    "Step {n}) {title}",
    "Step {n}\n{title}",
    "Step {n} {title}",
    "Step {word}: {title}",
    "STEP {n}: {title}",
    "step {n} : {title}",
    "Step #{n}: {title}",
    "Step {roman}: {title}",
    "Step {n} of 3: {title}",
    "Step {n}/3 — {title}",
    "[Step {n}] {title}",
    "{ordinal} step: {title}",
    "Step {n}：{title}",
    "Step {n}",
    "Step-{n}: {title}",
    "Step {n} | {title}",
    "Step{n}: {title}",
    "Reasoning Step {n}: {title}",
    "{n}. Step {n}: {title}",
    "Step {n} → {title}",
    "Step {n} :: {title}",
    "Step {n}. **{title}**",
    "Step no. {n}: {title}",
)

AROUND = (
    "{}",
    "**{}**",
    "### {}",
    "## **{}**",
    "- {}",
    "* **{}**",
    "> {}",
    "__{}__",
    "  {}",
    "• {}",
    "➤ {}",
    "🔹 {}",
    "#### {}:",
    "<b>{}</b>",
    "<h3>{}</h3>",
    "\\textbf{{{}}}",
    "- [ ] {}",
    "~~~ {}",
    "=== {} ===",
)

LABELS = (
    "{label}: {text}",
    "**{label}:** {text}",
    "**{label}**: {text}",
    "- {label}: {text}",
    "- **{label}**: {text}",
    "* *{label}:* {text}",
    "{label} - {text}",
    "{label} – {text}",
    "{label} — {text}",
    "#### {label}\n{text}",
    "{label}\n{text}",
    "{label}:\n{text}",
    "{label}:\n\n{text}",
    "• {label}: {text}",
    "**{label}** {text}",
    "  - {label}: {text}",
    "LABEL: {text}",
    "a) {label}: {text}",
    "1. {label}: {text}",
    "_{label}_: {text}",
    "{label}：{text}",
    "> {label}: {text}",
    "{label} → {text}",
    "Clinical {label}: {text}",
    "[{label}] {text}",
    "<b>{label}:</b> {text}",
    "**{label} (of this step):** {text}",
    "({label}) {text}",
    "{label} :: {text}",
    "- _{label}_ — {text}",
)

ENDS = (
    "Final answer: C",
    "**Final answer: C**",
    "### Final Answer\nC",
    "Lyme disease explains both.\n\nFinal answer: C",
    "Therefore the answer follows from the ring and the knee.\nFinal answer: **C**",
    "**Summary:** the tick.\n\nFinal answer: C",
)
GAPS = ("\n", "\n\n", "\n\n\n", " \n", "\n \n")


def written(head: str, around: str, label: str, part_gap: str, step_gap: str, end: str) -> str:
    steps = []
    for n, (title, *said) in enumerate(SAID, start=1):
        words, ordinals = ("One", "Two", "Three"), ("First", "Second", "Third")
        whole = head.format(n=n, title=title, word=words[n - 1], roman="III"[:n], ordinal=ordinals[n - 1])
        first, _, rest = whole.partition("\n")
        parts = [
            label.replace("LABEL", name.upper()).format(label=name, text=text)
            for name, text in zip(("Goal", "Evidence", "Conclusion"), said, strict=True)
        ]
        steps.append(part_gap.join([around.format(first) + (f"\n{rest}" if rest else ""), *parts]))
    return step_gap.join([*steps, end])


def check(text: str) -> None:
    chain, problems = parsed("longstep", text, OPTIONS, checks=Checks(require_parts=True, min_steps=3))
    assert problems == [], text
    assert isinstance(chain, LongStep)
    assert [step.number for step in chain.steps] == [1, 2, 3]
    for step, (_, goal, evidence, conclusion) in zip(chain.steps, SAID, strict=True):
        assert (step.goal, step.evidence) == (goal, evidence), text
        assert step.conclusion.startswith(conclusion), text
    assert chain.steps[-1].conclusion == SAID[-1][-1], text


@pytest.mark.parametrize(("head", "around"), list(product(HEADS, AROUND)))
def test_every_way_to_head_a_step_is_read(head: str, around: str) -> None:
    check(written(head, around, "{label}: {text}", "\n", "\n\n", ENDS[0]))


@pytest.mark.parametrize(("label", "part_gap"), list(product(LABELS, GAPS)))
def test_every_way_to_name_a_part_is_read(label: str, part_gap: str) -> None:
    check(written(HEADS[0], "**{}**", label, part_gap, "\n\n", ENDS[3]))


@given(
    st.sampled_from(HEADS), st.sampled_from(AROUND), st.sampled_from(LABELS), st.sampled_from(GAPS),
    st.sampled_from(("\n\n", "\n\n---\n\n", "\n\n\n")), st.sampled_from(ENDS),
)  # fmt: skip
def test_layouts_may_be_mixed(head: str, around: str, label: str, part_gap: str, step_gap: str, end: str) -> None:
    if around.startswith("#### ") and label.startswith("#### "):
        return
    check(written(head, around, label, part_gap, step_gap, end))


@pytest.mark.parametrize("format", ["longstep", "journey"])
@pytest.mark.parametrize("piece", ["Step 1: x\n", "**Goal** - x; ", "1. 2) ", "back to ", "** ", "evidence of the "])
def test_reading_takes_time_in_proportion_to_length(format: str, piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        times = []
        for _ in range(5):
            started = time.perf_counter()
            parsed(format, text, OPTIONS)
            times.append(time.perf_counter() - started)
        return min(times)

    assert seconds(40_000) < 12 * seconds(10_000) + 0.05  # four times for linear, sixteen for quadratic
