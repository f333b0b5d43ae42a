"""Nothing is cut: every length is in the ledger, and too long an example is an error, dropped, or kept whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from medo1 import tables
from medo1.errors import UserError
from medo1.training.examples import ChainText, prepared, with_dev_split
from medo1.training.spec import DevSpec, TrainingSpec
from tests.training.jobs import OPTIONS, chains, examples, template

LONG = ChainText("f" * 16, 0, "Q?", "Final answer: B. " + "Because. " * 40 + "Final answer: A", OPTIONS)
EARLY = ChainText("e" * 16, 0, "Q?", "Final answer: A\n" + "So it is. " * 40, OPTIONS)


def test_lengths_are_those_of_the_rendered_conversation(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    [first, *_] = examples(tiny_model)
    turns = [{"role": "user", "content": first.prompt}, {"role": "assistant", "content": first.completion}]
    whole = tokenizer.apply_chat_template(turns, tokenize=True)["input_ids"]
    assert first.prompt_tokens + first.completion_tokens == len(whole)


def test_a_cut_is_an_error_that_names_the_length_needed(tiny_model: Path) -> None:
    with pytest.raises(UserError) as raised:
        prepared([*chains(2), LONG], template(tiny_model), TrainingSpec(max_tokens=100))
    told = str(raised.value)
    needed = len(template(tiny_model).tokenized(LONG.prompt, LONG.chain).ids)
    assert f"max_tokens: {needed}" in told
    assert LONG.question_id in told
    assert "1 of them would lose their answer" in told


def test_too_long_an_example_is_dropped_by_name_or_kept_whole(tiny_model: Path) -> None:
    given = [*chains(2), LONG, EARLY]
    dropped = prepared(given, template(tiny_model), TrainingSpec(max_tokens=100, overlong="drop"))
    assert len(dropped.examples) == 2
    assert [row["question_id"] for row in dropped.rejected] == [LONG.question_id, EARLY.question_id]
    raised = prepared(given, template(tiny_model), TrainingSpec(max_tokens=100, overlong="raise_max_length"), 512)
    assert len(raised.examples) == 4
    assert raised.max_tokens == max(row["tokens"] for row in raised.lengths)
    with pytest.raises(UserError, match="context is 200"):
        prepared(given, template(tiny_model), TrainingSpec(max_tokens=100, overlong="raise_max_length"), 200)


def test_the_ledger_says_what_a_cut_would_have_left(tiny_model: Path) -> None:
    given = [*chains(1), LONG, EARLY]
    made = prepared(given, template(tiny_model), TrainingSpec(max_tokens=100, overlong="drop"))
    tables.as_table(tables.TRAINING_LENGTHS, made.lengths)
    fits, lost, kept = made.lengths
    assert (fits["over"], fits["answer_survives"], fits["outcome"]) == (0, True, "kept")
    assert lost["over"] == lost["tokens"] - 100
    assert not lost["answer_survives"]
    assert kept["targets_left"] < kept["target_tokens"]
    assert {row["outcome"] for row in (lost, kept)} == {"dropped"}


def test_a_prompt_as_long_as_the_limit_leaves_no_target(tiny_model: Path) -> None:
    wordy = ChainText("d" * 16, 0, "why " * 60, "Final answer: A", OPTIONS)
    [row] = prepared([wordy], template(tiny_model), TrainingSpec(max_tokens=100, overlong="drop")).lengths
    assert row["targets_left"] == 0
    assert not row["answer_survives"]


def test_a_chain_that_cannot_be_trained_on_is_a_row_with_its_reason(tiny_model: Path) -> None:
    bad = ChainText("c" * 16, 3, "Q?", "a<|im_end|>b", OPTIONS)
    made = prepared([*chains(1), bad], template(tiny_model), TrainingSpec())
    assert len(made.examples) == 1
    assert made.rejected[0]["sample"] == 3
    assert "<|im_end|>" in made.rejected[0]["reason"]


def test_all_chains_of_a_question_lie_on_one_side_of_the_dev_split(tiny_model: Path) -> None:
    twice = [*examples(tiny_model, 10), *examples(tiny_model, 10)]
    rows = with_dev_split(twice, 0.3, seed=1)
    parts = {row["question_id"]: row["part"] for row in rows}
    assert all(parts[row["question_id"]] == row["part"] for row in rows)
    assert sum(part == "dev" for part in parts.values()) == 3
    assert {row["part"] for row in with_dev_split(twice, 0.0, seed=1)} == {"train"}


@pytest.mark.parametrize(
    ("batch", "micro", "processes"), [(8, 3, 1), (8, 5, 1), (8, 16, 1), (8, 1, 3), (8, 4, 4), (8, None, 16)]
)
def test_an_effective_batch_that_cannot_be_met_is_refused(batch: int, micro: int | None, processes: int) -> None:
    with pytest.raises(ValidationError, match="cannot be met"):
        TrainingSpec.model_validate(
            {"batch_size": batch, "micro_batch_size": micro, "launch": {"processes": processes}}
        )


@pytest.mark.parametrize(("batch", "micro", "processes"), [(8, 2, 1), (8, 1, 8), (8, 2, 4), (24, None, 3)])
def test_the_effective_batch_is_as_asked_on_any_number_of_devices(
    batch: int, micro: int | None, processes: int
) -> None:
    spec = TrainingSpec.model_validate(
        {"batch_size": batch, "micro_batch_size": micro, "launch": {"processes": processes}}
    )
    assert spec.micro_batch * spec.accumulation * processes == batch


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_an_adapter_on_a_tied_head_is_refused(target: str) -> None:
    with pytest.raises(ValidationError, match=target):
        TrainingSpec(target_modules=("q_proj", target))


@pytest.mark.parametrize(("asked", "steps"), [(3, 8), (5, 5), (5, 3), (1, 7), (4, 1000)])
def test_evaluations_are_as_many_as_asked_evenly_spaced_and_the_last_at_the_end(asked: int, steps: int) -> None:
    places = sorted(DevSpec(evaluations=asked).after(steps))
    assert len(places) == min(asked, steps)
    assert places[-1] == steps
    gaps = [after - before for before, after in zip([0, *places], places, strict=False)]
    assert max(gaps) - min(gaps) <= 1
