"""The curves of several trainings in one figure: a panel for what one of them has, a line for each training."""

from __future__ import annotations

from medo1.training.pages import curve_figure, curves_together


def test_one_figure_has_a_line_for_each_training_in_each_of_its_panels() -> None:
    short = [{"step": 1, "loss": 2.0, "eval_loss": None}, {"step": 2, "loss": 1.0, "eval_loss": None}]
    long = [{"step": step, "loss": 1.0 / step, "eval_loss": 2.0 / step} for step in (1, 2, 3)]
    figure = curves_together({"cot": curve_figure(short, "cot"), "longstep": curve_figure(long, "longstep")})
    loss, other = figure.layout.annotations
    lines = [(trace.name, trace.yaxis, list(trace.x)) for trace in figure.data]
    assert lines == [("cot", "y", [1, 2]), ("longstep", "y", [1, 2, 3]), ("longstep", "y2", [1, 2, 3])]
    assert (loss.text, other.text) == ("loss (nats a token)", "loss on dev examples")
    assert [trace.name for trace in figure.data if trace.showlegend] == ["cot", "longstep"]
    colours = {trace.name: trace.line.color for trace in figure.data}
    assert len(set(colours.values())) == 2
