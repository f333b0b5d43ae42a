"""What a run prints at its end: the result table and the path of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medo1.frames import Frame, records

SMALLEST_P = 0.001
GUESSES = "guesses: the better of the two cannot be told from one who guesses; nothing is claimed of the difference."


def print_results(results: Frame, comparisons: Frame, page: Path, confidence: float) -> None:
    """The result table in the terminal with its intervals of this confidence, and the path of the page to open."""
    from rich.console import Console
    from rich.table import Table

    compared = {(row["arm"], row["benchmark"]): row for row in records(comparisons)}
    baseline = comparisons["baseline"].iloc[0] if len(comparisons) else "baseline"
    table = Table(title="Accuracy of the arms (greedy)", title_justify="left")
    table.add_column("arm")
    table.add_column("benchmark")
    for heading in (
        "questions",
        "accuracy",
        f"{confidence:.0%} interval".replace("%", " %"),
        f"against {baseline}",
        "p (Holm)",
        "mean tokens",
        "unread",
    ):
        table.add_column(heading, justify="right")
    for row in records(results):
        other = compared.get((row["arm"], row["benchmark"]))
        table.add_row(
            row["arm"],
            row["benchmark"],
            str(row["questions"]),
            f"{row['accuracy']:.1%}",
            f"{row['accuracy_low']:.1%} to {row['accuracy_high']:.1%}",
            f"{100 * other['difference']:+.1f}" if other else "",
            _p_text(other) if other else "",
            "" if math.isnan(row["mean_tokens"]) else f"{row['mean_tokens']:.0f}",
            str(row["unread"]),
        )
    # A fixed width where there is no terminal, so that a log holds whole rows.
    console = Console(width=None if Console().is_terminal else 130)
    console.print(table)
    if any(row.get("muted") for row in compared.values()):
        console.print(GUESSES, soft_wrap=True)
    console.print(f"The page: [bold]{page}[/bold]  (open it in a browser)", soft_wrap=True)


def _p_text(compared: Mapping[str, Any]) -> str:
    """A comparison's corrected p-value; none where the better of the two may only be guessing, as on the page."""
    if compared.get("muted"):
        return "guesses"
    value = compared["p_adjusted"]
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"
