"""Budgets hold for each question, and none costs an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from medo1.engines import Completion, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.budget_forcing import Generation, ThinkingSpec, generations
from tests.pipelines.inference.tape import Tape

STEPS = "one two three four five six seven eight nine ten"
LONG = f"{STEPS}\nFinal answer: B"


def request(key: str = "q", text: str = "Which?") -> Request:
    return Request(key, (Message("user", text),), Sampling(0.0), seed=None)


def spec(budgets: tuple[int, ...], answer_tokens: int = 0, least: int = 0, most_waits: int = 2) -> ThinkingSpec:
    return ThinkingSpec(
        max_new_tokens=budgets[-1],
        budgets=budgets[:-1],
        answer_tokens=answer_tokens,
        min_thinking_tokens=least,
        most_waits=most_waits,
    )


def said(engine: Tape, length: ThinkingSpec, *requests: Request) -> list[Generation]:
    return list(generations(engine, [(one, length) for one in requests or (request(),)]))


def test_a_thought_within_its_budget_is_left_alone() -> None:
    tape = Tape(lambda _: LONG)
    [done] = said(tape, spec((20,), answer_tokens=4))
    assert (done.text, done.status, done.completion_tokens, done.answer_tokens) == (LONG, "finished", 13, 0)
    assert len(tape.asked) == 1
    assert tape.asked[0].sampling == Sampling(0.0, max_new_tokens=20)


def test_when_the_budget_ends_a_thought_its_answer_is_asked_for() -> None:
    tape = Tape(lambda _: LONG)
    [done] = said(tape, spec((6,), answer_tokens=4))
    assert done.text == "one two three four five six\nFinal answer: B"
    assert (done.status, done.finish_reason) == ("forced", "stop")
    assert (done.completion_tokens, done.answer_tokens, done.prompt_tokens) == (7, 1, 1)
    assert done.request_ids == ("id00", "id08")
    assert tape.asked[1].messages[-1] == Message("assistant", "one two three four five six\nFinal answer:")
    assert tape.asked[1].sampling.max_new_tokens == 4


def test_the_budget_is_each_questions_own() -> None:
    """Not that of the longest in a batch: one is cut at its sixth token, the other ends before."""
    tape = Tape(lambda asked: LONG if "hard" in asked.messages[0].content else "easy\nFinal answer: A")
    done = {one.key: one for one in said(tape, spec((6,), 4), request("h", "hard?"), request("e", "easy?"))}
    assert done["e"].status == "finished"
    assert done["h"].status == "forced"
    assert done["h"].text.startswith("one two three four five six\n")


def test_without_an_allowance_a_cut_thought_stays_cut() -> None:
    tape = Tape(lambda _: LONG)
    [done] = said(tape, spec((6,)))
    assert (done.status, done.text, len(tape.asked)) == ("cut", "one two three four five six", 1)


def test_a_sweep_asks_at_every_budget_and_goes_on_from_the_shorter_ones_text() -> None:
    tape = Tape(lambda _: LONG)
    done = said(tape, spec((2, 5, 20), answer_tokens=4))
    assert [(one.budget, one.status) for one in sorted(done, key=lambda one: one.budget)] == [
        (2, "forced"),
        (5, "forced"),
        (20, "finished"),
    ]
    by_budget = {one.budget: one for one in done}
    assert by_budget[2].text == "one two\nFinal answer: B"
    assert by_budget[5].text == "one two three four five\nFinal answer: B"
    assert by_budget[20].text == LONG
    assert by_budget[20].completion_tokens == 13
    thought = [asked.sampling.max_new_tokens for asked in tape.asked if "Final" not in asked.messages[-1].content]
    assert thought == [2, 3, 15]  # each budget costs the difference


def test_a_thought_that_ends_early_is_not_asked_at_larger_budgets() -> None:
    tape = Tape(lambda _: "short\nFinal answer: C")
    done = said(tape, spec((2, 5, 20), answer_tokens=4))
    assert [(one.budget, one.status) for one in done] == [(2, "forced"), (5, "finished")]
    assert len(tape.asked) == 3  # two tokens, the answer at two, and the rest


def test_a_thought_that_ends_too_soon_is_told_to_go_on() -> None:
    tape = Tape(lambda _: "hasty thought\nFinal answer: A")
    [done] = said(tape, spec((50,), answer_tokens=4, least=10, most_waits=5))
    assert done.text == ("hasty thought\nWait, again hasty thought\nWait, again hasty thought\nFinal answer: A")
    assert (done.waits, done.status) == (2, "finished")
    assert tape.asked[0].sampling.stop == ("Final answer:",)


def test_a_thought_is_told_to_go_on_no_more_often_than_allowed() -> None:
    tape = Tape(lambda _: "hasty\nFinal answer: A")
    [done] = said(tape, spec((50,), answer_tokens=4, least=40, most_waits=1))
    assert done.waits == 1
    assert done.text.count("Wait,") == 1
    assert done.text.endswith("Final answer: A")


def test_with_a_minimum_the_budget_still_ends_the_thought() -> None:
    tape = Tape(lambda _: LONG)
    [done] = said(tape, spec((6,), answer_tokens=4, least=4))
    assert (done.status, done.text) == ("forced", "one two three four five six\nFinal answer: B")


# What else may happen has a name


def test_a_full_context_still_leaves_room_for_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    long = f"{'step ' * 30}\nFinal answer: B"
    for context in (24, 29, 30, 31):
        with caplog.at_level("WARNING"):
            [done] = said(Tape(lambda _: long, context=context), spec((40,), answer_tokens=4))
        assert (done.status, done.budget, done.swept) == ("forced", 40, False)
        assert done.text.endswith("step\nFinal answer: B")
        assert done.answer_tokens == 1
    assert "thoughts that filled the model's context: 1;" in caplog.text
    caplog.clear()
    with caplog.at_level("WARNING"):
        said(Tape(lambda _: LONG), spec((6, 40), answer_tokens=4))
    assert not caplog.text, "a spent budget and a finished thought are no full context"
    swept = said(Tape(lambda _: long, context=24), spec((8, 40, 60), answer_tokens=4))
    assert [(one.budget, one.status, one.swept) for one in swept] == [(8, "forced", True), (40, "forced", False)]
    [cut] = said(Tape(lambda _: long, context=24), spec((40,)))
    assert cut.status == "cut_by_context", "no answer is asked for"


def test_a_real_models_full_context_leaves_room_for_the_answer(tiny_model: Path) -> None:
    """The tiny model has 512 positions, and a budget of 600 never ends its thoughts."""
    asked = [request(str(n), f"Case {n}: rash and fever.") for n in range(3)]
    engine = Transformers().with_model(Model("tiny", tiny_model, "r"))
    for one in generations(engine, [(one, spec((600,), answer_tokens=16)) for one in asked]):
        if one.status != "finished":
            assert (one.status, one.error) == ("forced", None)
            assert "\nFinal answer:" in one.text
            assert one.answer_tokens == 16 or one.finish_reason == "stop"


def test_a_prompt_beyond_the_context_has_a_status_of_its_own() -> None:
    [done] = said(Tape(lambda _: LONG, context=2), spec((8,), 4), request(text="a far too long question"))
    assert (done.status, done.finish_reason) == ("overlong_prompt", "error")
    assert "the model's context 2" in (done.error or "")


@pytest.mark.parametrize(
    "error",
    [
        "the prompt has 600 tokens, the model's context 512",
        "HTTP 400: This model's maximum context length is 1024 tokens. However, your request has 1100 input tokens.",
        "HTTP 400: The decoder prompt (length 2000) is longer than the maximum model length of 1024.",
        "HTTP 400: context_length_exceeded",
    ],
)
def test_every_engines_word_for_an_overlong_prompt_is_known(error: str) -> None:
    class Refusing(Tape):
        def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
            for one in requests:
                yield Completion(one.key, "", "error", error=error)

    [done] = said(Refusing(lambda _: ""), spec((8,), 4))
    assert done.status == "overlong_prompt"


def test_empty_filtered_and_failed_draws_have_names() -> None:
    class Scripted(Tape):
        def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
            for one in requests:
                finish = {"f": "content_filter", "x": "error"}.get(one.messages[0].content, "stop")
                yield Completion(
                    one.key, " \n" if finish == "stop" else "", finish, error="why" if finish == "error" else None
                )  # type: ignore[arg-type]

    done = said(Scripted(lambda _: ""), spec((8,), 4), request("1", "e"), request("2", "f"), request("3", "x"))
    assert [(one.status, one.error) for one in done] == [("empty", None), ("filtered", None), ("error", "why")]


def test_a_cut_thought_whose_answer_cannot_be_asked_for_is_kept_as_it_is() -> None:
    class Refusing(Tape):
        def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
            for one in requests:
                if one.messages[-1].role == "assistant":
                    yield Completion(one.key, "", "error", error="this engine does not continue a turn")
                else:
                    yield from super().complete([one])

    [done] = said(Refusing(lambda _: LONG), spec((6,), 4))
    assert (done.status, done.text) == ("cut", "one two three four five six")
    assert done.error == "this engine does not continue a turn"


def test_a_character_that_was_cut_in_two_is_not_gone_on_with() -> None:
    tape = Tape(lambda asked: LONG if asked.messages[-1].role == "user" else f"one two \nFinal answer: B{asked.key}")
    original = tape._answer

    def halved(asked: Request) -> Completion:
        from dataclasses import replace

        done = original(asked)
        return replace(done, text=done.text + " \ufffd") if asked.messages[-1].role == "user" else done

    tape._answer = halved  # type: ignore[method-assign]
    [done] = said(tape, spec((2,), 4))
    assert "\ufffd" not in done.text
    assert done.text.startswith("one two\nFinal answer:")


def test_means_weigh_the_tokens_of_each_piece() -> None:
    class Uneven(Tape):
        def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
            from dataclasses import replace

            for done in super().complete(requests):
                first = done.completion_tokens == 6
                yield replace(done, mean_logprob=-0.1 if first else -0.8, confidence=None if first else 1.0)

    [done] = said(Uneven(lambda _: LONG), spec((6,), 4))
    assert done.mean_logprob == pytest.approx((6 * -0.1 + 1 * -0.8) / 7)
    assert done.confidence is None
    assert done.lowest_confidence == 1.0


def test_tokens_that_the_server_does_not_count_are_not_made_up() -> None:
    [done] = said(Tape(lambda _: LONG, counted=False), spec((6,), 4))
    assert done.completion_tokens is None
    assert done.status == "forced"


def test_pieces_of_one_draw_have_seeds_of_their_own() -> None:
    tape = Tape(lambda _: LONG)
    list(generations(tape, [(Request("q", (Message("user", "?"),), Sampling(1.0), 3, seed=77), spec((6,), 4))]))
    seeds = [asked.seed for asked in tape.asked]
    assert seeds[0] == 77
    assert len(set(seeds)) == 2
    assert {asked.sample for asked in tape.asked} == {3}


# With a real model, through the store


def test_a_longer_sweep_pays_only_for_what_is_longer(tiny_model: Path, tmp_path: Path) -> None:
    asked = [request(str(n), f"Case {n}: rash and fever.") for n in range(4)]

    def sweep(*budgets: int) -> tuple[dict[tuple[str, int], str], int]:
        local = Transformers().with_model(Model("tiny", tiny_model, "r"))
        with Stored(local, CompletionStore(tmp_path / "c.sqlite")) as engine:
            done = list(generations(engine, [(one, spec(budgets, answer_tokens=5)) for one in asked]))
            return {(one.key, one.budget): one.text for one in done}, local.work.new_tokens

    short, paid = sweep(10, 20)
    assert len(short) == 8
    assert paid <= 4 * (20 + 2 * 5)
    longer, more = sweep(10, 20, 40)
    assert {key: text for key, text in longer.items() if key[1] < 40} == short
    assert more <= 4 * (20 + 5)  # the new tokens and the new answers
    assert sweep(10, 20, 40) == (longer, 0)
    # and the thought is the one that a single budget of 40 gives
    straight = list(
        generations(Transformers().with_model(Model("tiny", tiny_model, "r")), [(one, spec((40,), 5)) for one in asked])
    )
    assert {(one.key, 40): one.text for one in straight} == {key: text for key, text in longer.items() if key[1] == 40}


def test_forced_answers_do_not_depend_on_the_batch(tiny_model: Path) -> None:
    asked = [Request(str(n), (Message("user", f"Case {n}."),), Sampling(0.9), n, seed_from("x", n)) for n in range(6)]
    engine = Transformers().with_model(Model("tiny", tiny_model, "r"))
    length = spec((12,), answer_tokens=6)
    together = {one.key: one.text for one in generations(engine, [(one, length) for one in asked])}
    alone = {one.key: one.text for each in asked for one in generations(engine, [(each, length)])}
    assert together == alone
    assert all("Final answer:" in text for text in together.values())
