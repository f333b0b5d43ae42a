"""A student from scratch writes the words of its texts, and is the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from medo1.from_scratch.scratch_training import LoopSpec, ModelSpec
from medo1.from_scratch.tokenizers import chat_text
from medo1.lineage.digests import digest_of_tree
from medo1.pipelines.finetune.small_student import SmallStudentSpec, train_small_student

SPEC = SmallStudentSpec(
    vocabulary=400,
    model=ModelSpec(hidden=32, layers=1, heads=2, feed_forward=32, positions=256),
    loop=LoopSpec(steps=60, rows=4, width=32, learning_rate=1e-2, warmup_steps=5),
)
TEXTS = [
    chat_text(f"A patient of {age} has chest pain. What next?", "Order an electrocardiogram, then measure troponin.")
    for age in range(30, 60)
]


@pytest.mark.slow
def test_it_writes_words_of_its_texts_and_equal_seeds_write_equal_bytes(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    first, again = (train_small_student(TEXTS, SPEC, 3, tmp_path / name) for name in ("one", "two"))
    assert digest_of_tree(tmp_path / "one") == digest_of_tree(tmp_path / "two")
    assert first["losses"][-1][1] < first["losses"][0][1] / 2
    assert first == again
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "one", trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "one", trust_remote_code=False)
    prompt = tokenizer(chat_text("A patient of 44 has chest pain. What next?"), return_tensors="pt")
    written = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "electrocardiogram" in tokenizer.decode(written)


def test_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no text"):
        train_small_student(["  "], SPEC, 1, tmp_path / "none")
