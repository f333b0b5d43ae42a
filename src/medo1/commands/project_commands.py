"""Which commands the project adds to `kedro`, and where each is."""

from __future__ import annotations

COMMANDS = {
    "ask": "medo1.commands.ask.ask",
    "answers": "medo1.commands.answers.answers",
    "cues": "medo1.commands.cues.cues",
    "compare": "medo1.commands.compare.compare",
    "completions": "medo1.commands.completions.completions",
    "run": "medo1.commands.run.run",
    "score": "medo1.commands.score.score",
    "seeds": "medo1.commands.seeds.seeds",
    "study": "medo1.commands.study.study",
    "audit": "medo1.commands.audit.audit",
    "estimate": "medo1.commands.estimate.estimate",
    "export": "medo1.commands.export.export",
    "chains": "medo1.commands.chains.chains",
}
