"""One table of all formats or arms says of each row whose it is, in the study's order, and is cut into theirs again."""

from __future__ import annotations

import pandas as pd

from medo1.gathered import by_arm, gather, gather_values


def test_rows_say_their_format_and_stand_in_the_order_of_the_formats() -> None:
    logs = [pd.DataFrame({"step": [1, 2]}), pd.DataFrame({"step": [1]})]
    whole = gather(*logs, formats=("longstep", "cot"))
    assert whole.to_dict("list") == {"format": ["longstep", "longstep", "cot"], "step": [1, 2, 1]}
    assert "format" not in logs[0]
    said = [pd.DataFrame({"format": [], "text": []}), pd.DataFrame({"format": ["cot"], "text": ["x"]})]
    assert gather(*said, formats=("longstep", "cot")).to_dict("list") == {"format": ["cot"], "text": ["x"]}
    empty = gather(logs[0].head(0), logs[1].head(0), formats=("longstep", "cot"))
    assert list(empty) == ["format", "step"] and empty.empty
    assert gather_values({"kept": 1}, {"kept": 2}, formats=("longstep", "cot")) == {
        "longstep": {"kept": 1}, "cot": {"kept": 2},
    }  # fmt: skip


def test_a_question_asked_of_several_arms_stands_once_and_each_arm_has_it_again() -> None:
    asked = pd.DataFrame({"benchmark": ["exam"] * 2, "question_id": ["q1", "q2"]})
    answers = [pd.DataFrame({"arm": [arm], "letter": ["A"]}) for arm in ("vanilla", "cot_sft")]
    tables = by_arm({"answers": gather(*answers), "asked_questions": gather(asked, asked)})
    assert list(tables) == [
        f"{arm}.{kind}" for kind in ("answers", "asked_questions") for arm in ("vanilla", "cot_sft")
    ]  # fmt: skip
    assert tables["cot_sft.answers"]["arm"].tolist() == ["cot_sft"]
    assert tables["cot_sft.asked_questions"]["question_id"].tolist() == ["q1", "q2"]
