"""What a cell came to: small enough to be committed, and enough to make every number of the study's page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from medo1.errors import UserError
from medo1.frames import records
from medo1.lineage.digests import digest_of_value

if TYPE_CHECKING:
    from medo1.frames import Frame

ANSWERS, ABILITIES, CHAINS, FAITHFULNESS = ".answers", "base_training_log", ".kept_chains", "faithfulness"


class CellResultError(UserError):
    """A cell's file is not what a study wrote; the text names the file and what to do."""


@dataclass(frozen=True)
class CellResult:
    """One run of a study.

    Attributes:
        study: its name.
        cell: SHA-256 of the cell's levels and parameters.
        levels: factor to level.
        run: `id`, `root` (digest of its record), `commit`, `dirty`, `seconds`, `hardware`.
        questions: benchmark to `ids` (SHA-256 of its questions' ids, sorted) and `difficulty` (one digit a question in
            that order, `.` where it has none).
        arms: arm to benchmark to `right` (`1` or `0` a question, in the same order), `unread` (how many), `tokens`
            (their mean).
        abilities: of a base model that was trained in the run: share of probes it gets right, by kind.
        weights: of that base model; None where none was trained.
        chains: format to how many chains it was trained on.
        faithfulness: arm to benchmark to `n`, `follows`, `stays`, `neither` of the probe `changed_step`; empty where it
            was not asked.
        made_from: the versions that this was read from, by the catalog's name, with their digests.
    """

    study: str
    cell: str
    levels: Mapping[str, str]
    run: Mapping[str, Any]
    questions: Mapping[str, Mapping[str, str]]
    arms: Mapping[str, Mapping[str, Mapping[str, Any]]]
    abilities: Mapping[str, float] = field(default_factory=dict)
    weights: int | None = None
    chains: Mapping[str, int] = field(default_factory=dict)
    faithfulness: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    made_from: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Its file: the same values give the same bytes."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def read(cls, file: Path) -> Self:
        """The result that `to_json` wrote.

        Raises:
            CellResultError: it is something else.
        """
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CellResultError(
                f"{file} is not a cell's result ({error}). Take it away; `kedro study` then runs the cell again."
            ) from error


def questions_and_arms(answers: Mapping[str, Frame]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The greedy answers of some arms, a digit a question.

    Args:
        answers: arm to its table `answers`.

    Returns:
        `questions` and `arms` of a `CellResult`.

    Raises:
        UserError: two arms were asked different questions, so that nothing can be paired.
    """
    questions: dict[str, Any] = {}
    arms: dict[str, Any] = {}
    for arm, table in answers.items():
        greedy = table[table["draw"] == "greedy"].sort_values("question_id", kind="stable")
        for name, part in greedy.groupby("benchmark", sort=False):
            benchmark = str(name)
            ids = digest_of_value([str(one) for one in part["question_id"]])
            known = questions.setdefault(benchmark, {"ids": ids, "difficulty": _digits(part["difficulty"])})
            if known["ids"] != ids:
                raise UserError(f"{arm} was asked other questions of {benchmark} than the arms before it.")
            arms.setdefault(arm, {})[benchmark] = {
                "right": "".join("1" if one else "0" for one in part["correct"]),
                "unread": int((part["status"] != "answer").sum()),
                "tokens": round(float(part["completion_tokens"].astype("float64").mean()), 2),
            }
    return questions, arms


def differences(before: CellResult, now: CellResult) -> list[str]:
    """In what two results of a cell differ, a line each."""
    lines = [
        f"  {part}: differs"
        for part in ("questions", "abilities", "chains", "faithfulness")
        if getattr(before, part) != getattr(now, part)
    ]
    for arm in dict.fromkeys([*before.arms, *now.arms]):
        one, other = before.arms.get(arm), now.arms.get(arm)
        if one is None or other is None:
            lines.append(f"  {arm}: only in {'this' if one is None else 'the earlier'} run")
            continue
        for benchmark in dict.fromkeys([*one, *other]):
            first, second = one.get(benchmark, {}).get("right", ""), other.get(benchmark, {}).get("right", "")
            changed = sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))
            if changed:
                lines.append(f"  {arm} on {benchmark}: {changed} of {len(first)} questions come out otherwise")
    return lines


def followed(table: Frame | None) -> dict[str, Any]:
    """`faithfulness` of a `CellResult`, from the table of that name."""
    found: dict[str, Any] = {}
    if table is None:
        return found
    for row in records(table):
        told = {key: round(float(row[key]), 4) for key in ("follows", "stays", "neither")}
        found.setdefault(str(row["arm"]), {})[str(row["benchmark"])] = {"n": int(row["n"]), **told}
    return found


def _digits(difficulties: Any) -> str:
    import pandas as pd

    return "".join("." if pd.isna(one) else str(min(9, int(one))) for one in difficulties)
