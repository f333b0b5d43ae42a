"""Every text comes back as it went in, the world's words are one token each, and the template is a real one."""

from __future__ import annotations

import random
import re
import unicodedata
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.clinic import wording
from medo1.clinic.exam import charts, question_of
from medo1.clinic.explanations import FORMATS, explanation
from medo1.clinic.lexicon import lexicon
from medo1.clinic.textbook import TextbookSpec, textbook
from medo1.clinic.walks import walk
from medo1.clinic.world import World
from medo1.from_scratch.tokenizers import chat_text, text_tokenizer, world_tokenizer
from medo1.questions import prompt_text

SIGNS = set(".,:?A\n") | {" "}


@pytest.fixture(scope="module")
def tokenizer(world: World) -> Any:
    return world_tokenizer(lexicon(world))


@pytest.fixture(scope="module", params=["qwen2", "llama"])
def reloaded(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """The tokenizer as whoever finds it beside a model of this family gets it."""
    from transformers import AutoTokenizer

    from medo1.from_scratch.scratch_training import ModelSpec, new_model, saved

    directory = tmp_path_factory.mktemp("model") / "base"
    size = ModelSpec(family=request.param, hidden=8, layers=1, heads=1, feed_forward=8, positions=64)
    saved(new_model(size, tokenizer), tokenizer, directory)
    return AutoTokenizer.from_pretrained(directory, trust_remote_code=False)


def texts_of(world: World) -> list[str]:
    rng = random.Random(0)
    texts = [document.text for document in textbook(world, TextbookSpec(documents=1500, seed=3))]
    for n in range(7):
        for chart in islice(charts(world, "test", n, rng), 40):
            question = question_of(world, chart)
            for form in FORMATS:
                said = explanation(world, form, walk(world, chart), (question.gold_text, question.gold), rng)
                texts.append(chat_text(prompt_text(question, wording.REQUESTS["longstep"]), said))
    return texts


def test_no_word_of_the_world_falls_to_bytes(world: World, reloaded: Any) -> None:
    for text in texts_of(world):
        ids = reloaded(text)["input_ids"]
        assert reloaded.decode(ids) == text
        pieces = [reloaded.decode([token]) for token in ids]
        assert all(len(piece) > 1 or piece in SIGNS for piece in pieces), pieces


def test_an_option_line_is_one_token(reloaded: Any) -> None:
    ids = reloaded("\nA. velpox\nB. okaritis\n", add_special_tokens=False)["input_ids"]
    assert [reloaded.decode([token]) for token in ids] == ["\nA. velpox", "\nB. okaritis", "\n"]


def test_loading_from_a_directory_changes_nothing(world: World, tokenizer: Any, reloaded: Any) -> None:
    for text in texts_of(world)[::20]:
        assert reloaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert (reloaded.eos_token, reloaded.pad_token, reloaded.padding_side) == ("<|im_end|>", "<|endoftext|>", "left")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_decoded_without_loss(tokenizer: Any, text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert tokenizer.decode(tokenizer(composed, add_special_tokens=False)["input_ids"]) == composed


MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Is it a rash?"},
    {"role": "assistant", "content": "It is velpox."},
]


def test_the_prompt_is_where_the_whole_conversation_begins(reloaded: Any) -> None:
    prompt = reloaded.apply_chat_template(MESSAGES[:2], add_generation_prompt=True, tokenize=False)
    whole = reloaded.apply_chat_template(MESSAGES, tokenize=False)
    assert whole == f"{prompt}It is velpox.<|im_end|>"
    assert reloaded(whole)["input_ids"][: len(reloaded(prompt)["input_ids"])] == reloaded(prompt)["input_ids"]


def test_chat_text_is_what_the_template_renders(reloaded: Any) -> None:
    exchange = [{"role": "user", "content": "Is it?"}, {"role": "assistant", "content": "Yes."}]
    assert chat_text("Is it?", "Yes.") == reloaded.apply_chat_template(exchange, tokenize=False)
    assert chat_text("Is it?") == reloaded.apply_chat_template(exchange[:1], add_generation_prompt=True, tokenize=False)


def test_generation_markers_cover_the_answer_and_its_end_and_nothing_else(reloaded: Any) -> None:
    rendered = reloaded.apply_chat_template(MESSAGES, return_dict=True, return_assistant_tokens_mask=True)
    marked = [token for token, on in zip(rendered["input_ids"], rendered["assistant_masks"], strict=True) if on]
    assert reloaded.decode(marked) == "It is velpox.<|im_end|>"


def test_a_begun_answer_can_be_continued(reloaded: Any) -> None:
    text = reloaded.apply_chat_template(MESSAGES, continue_final_message=True, tokenize=False)
    assert text.endswith("assistant\nIt is velpox.")


def test_special_tokens_vanish_on_request_and_words_do_not(reloaded: Any) -> None:
    ids = reloaded("The diagnosis is velpox (C).\nFinal answer: C<|im_end|>")["input_ids"]
    assert reloaded.decode(ids, skip_special_tokens=True) == "The diagnosis is velpox (C).\nFinal answer: C"


def test_a_tokenizer_of_real_text_learns_words_and_keeps_every_byte() -> None:
    texts = ["The patient has hypertension and a murmur.\n" * 30, chat_text("Which drug?", "The patient takes none.")]
    tokenizer = text_tokenizer(texts, 400)
    pieces = [tokenizer.decode([token]) for token in tokenizer("The patient has hypertension")["input_ids"]]
    assert " patient" in pieces
    assert len(tokenizer) <= 400
    odd = "naïve ☃ 5 µg/dl\r\n\tΔ"
    assert tokenizer.decode(tokenizer(odd)["input_ids"]) == odd
    assert re.fullmatch(r"(<\|im_end\|>)", tokenizer.decode(tokenizer("<|im_end|>")["input_ids"]))
