"""Cases of a study as plain values: an index by columns, and the texts of each question."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from medo1.frames import Frame, records
from medo1.page.explorer.nearest import nearest_training_questions
from medo1.page.material import Material

SHOWN_DRAWS = ("greedy", "sampled")  # a swept one is a greedy thought cut short: its text stands in the greedy one
HEAD = 110  # characters of a question that a row of the list shows
KEY = ["question_id", "benchmark", "arm", "draw", "sample", "budget"]
READ = ["letter", "correct", "status", "rule", "span_start", "span_end"]


@dataclass(frozen=True)
class Cases:
    """What the explorer shows.

    Attributes:
        index: `arms`, `benchmarks`, `statuses`, and by columns the `questions` and the `rows`, one a generation.
        texts: of each question, in the index's order: stem, options, votes, thoughts and where their answers stand.
    """

    index: dict[str, Any]
    texts: list[dict[str, Any]]


def cases_of(material: Material, *, shareable_only: bool = True) -> Cases | None:
    """The cases of a study; None where it keeps no generations.

    Args:
        material: the study.
        shareable_only: whether the texts of questions that may not be passed on stay out, and what was said of them
        too.
    """
    questions = _questions(material)
    told = _generations(material)
    if questions is None or told is None or not len(told):
        return None
    place = {
        key: number for number, key in enumerate(zip(questions["benchmark"], questions["question_id"], strict=True))
    }
    told["question"] = [place[key] for key in zip(told["benchmark"], told["question_id"], strict=True)]
    arms = [arm for arm in material.arms if (told["arm"] == arm).any()]
    told["arm_place"] = told["arm"].map({arm: number for number, arm in enumerate(arms)})
    told["number"] = told["sample"].where(told["draw"] == "sampled", -1)
    told = told.sort_values(["question", "arm_place", "number"], kind="stable").reset_index(drop=True)
    closed = set() if not shareable_only else {n for n, one in enumerate(questions["shareable"]) if not one}
    return Cases(_index(questions, told, arms), _texts(material, questions, told, closed))


def _questions(material: Material) -> Frame | None:
    import pandas as pd

    asked = [material.frame(f"{arm}.asked_questions") for arm in material.arms]
    known = [table for table in asked if table is not None and len(table)]
    if not known:
        return None
    whole = pd.concat(known, ignore_index=True).drop_duplicates(["benchmark", "question_id"])
    return whole.sort_values(["benchmark", "question_id"], kind="stable").reset_index(drop=True)


def _generations(material: Material) -> Frame | None:
    import pandas as pd

    parts = []
    for arm in material.arms:
        said, read = material.frame(f"{arm}.generations"), material.frame(f"{arm}.answers")
        if said is None or read is None or not len(said):
            continue
        said = said[said["draw"].isin(SHOWN_DRAWS)]
        kept = said[[*KEY, "text", "completion_tokens"]].rename(columns={"completion_tokens": "tokens"})
        parts.append(kept.merge(read[[*KEY, *READ]], on=KEY, how="inner", validate="one_to_one"))
    return pd.concat(parts, ignore_index=True) if parts else None


def _index(questions: Frame, told: Frame, arms: list[str]) -> dict[str, Any]:
    benchmarks, statuses = list(dict.fromkeys(questions["benchmark"])), sorted(set(told["status"]))
    return {
        "arms": arms,
        "benchmarks": benchmarks,
        "statuses": statuses,
        "questions": {
            "id": questions["question_id"].tolist(),
            "benchmark": [benchmarks.index(name) for name in questions["benchmark"]],
            "difficulty": [None if grade is None else int(grade) for grade in _plain(questions["difficulty"])],
            "gold": questions["gold"].tolist(),
            "head": [
                " ".join(stem[: 2 * HEAD].split())[:HEAD] if share else ""
                for stem, share in zip(questions["stem"], questions["shareable"], strict=True)
            ],
        },
        "rows": {
            "question": told["question"].tolist(),
            "arm": told["arm_place"].tolist(),
            "sample": told["number"].tolist(),
            "letter": [letter if isinstance(letter, str) else "" for letter in told["letter"]],
            "correct": [int(right) for right in told["correct"]],
            "status": [statuses.index(status) for status in told["status"]],
            "tokens": [None if value is None else int(value) for value in _plain(told["tokens"])],
        },
    }  # fmt: skip


def _plain(column: Any) -> list[Any]:
    """Values of a column, None where there is none."""
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)]


def _texts(material: Material, questions: Frame, told: Frame, closed: set[int]) -> list[dict[str, Any]]:
    votes = _votes(material)
    like = nearest_training_questions(material, questions, material.learnt)
    by_question: dict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = ("question", "text", "rule", "span_start", "span_end")
    values = zip(*(_plain(told[name]) for name in columns), strict=True)
    for number, said, rule, start, end in values:
        text = said or ""
        span = None if start is None or end is None else [_utf16(text, int(start)), _utf16(text, int(end))]
        by_question[number].append(
            {"text": text, "rule": rule, "span": span} if number not in closed else {"rule": rule}
        )
    texts = []
    for number, row in enumerate(records(questions)):
        open_text = number not in closed
        texts.append(
            {
                "stem": row["stem"] if open_text else None,
                "options": list(row["options"]) if open_text else [],
                "link": row["link"],
                "votes": votes.get((str(row["benchmark"]), str(row["question_id"])), []),
                "like": like.get(number, {}) if open_text else {},
                "said": by_question.get(number, []),
            }
        )
    return texts


def _utf16(text: str, place: int) -> int:
    """A place in a text as JavaScript counts: a character beyond the first 65,536 is two."""
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def _votes(material: Material) -> dict[tuple[str, str], list[list[Any]]]:
    """Of each question, the majority of all its samples: arm, votes, letter, share."""
    found: dict[tuple[str, str], list[list[Any]]] = defaultdict(list)
    for arm in material.arms:
        table = material.frame(f"{arm}.votes")
        if table is None or not len(table):
            continue
        last = table[(table["method"].isin(("majority", "ranked")))]
        last = last[last["k"] == last["k"].max()]
        for row in last.to_dict(orient="records"):
            letter = row["letter"] if isinstance(row["letter"], str) else ""
            share = None if row["share"] != row["share"] else round(float(row["share"]), 4)
            found[str(row["benchmark"]), str(row["question_id"])].append([arm, int(row["k"]), letter, share])
    return found
