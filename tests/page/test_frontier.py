"""The frontier's table shows every way of answering, but of the many thresholds only those that no other way beats."""

from __future__ import annotations

import re

from medo1.page.material import Material
from medo1.page.sections.curves import FRONTIER


def test_thresholds_that_another_way_beats_are_in_the_figure_alone_and_the_caption_says_what_is_counted() -> None:
    ways = [("single", "greedy", 10.0, 0.5, True), ("budget", "4", 20.0, 0.4, False)]
    ways += [("selective", f"confidence below {n / 100}", 12.0 + n, 0.45 + n / 1000, n == 99) for n in range(100)]
    rows = [
        {
            "arm": "vanilla", "benchmark": "exam", "strategy": strategy, "setting": setting, "accuracy": accuracy,
            "low": 0.1, "high": 0.9, "tokens": tokens, "seconds": 0.002, "dollars": None, "flops": 2e6 * tokens,
            "on_frontier": best, "tokens_per_point": -1.0 if strategy == "budget" else 3.2,
        }
        for strategy, setting, tokens, accuracy, best in ways
    ]  # fmt: skip
    html = FRONTIER.body(Material({"frontier": rows}, ("vanilla",), baseline="vanilla"))
    shown = re.findall(r"<td class=\"left[^>]*>((?:single|budget|selective)[^<]*)", html)
    assert sorted(shown) == ["budget 4", "selective confidence below 0.99", "single greedy"]
    assert len(re.findall(r'class="mark', html)) > 100
    assert "no other takes fewer FLOPs" in html
    assert "are in the figure alone" in html
    assert "are in the figure alone" not in FRONTIER.body(Material({"frontier": rows[:2]}, ("vanilla",)))
    assert "fewer</td>" in html
    unknown = [{**row, "flops": None} for row in rows]
    assert "no other takes fewer tokens" in FRONTIER.body(Material({"frontier": unknown}, ("vanilla",)))
