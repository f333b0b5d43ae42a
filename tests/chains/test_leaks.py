"""A chain that betrays that its author was shown the answer is found; ordinary medicine is not taken for it."""
# ruff: noqa: RUF001  (full-width marks are meant)

from __future__ import annotations

import time
from pathlib import Path

import pytest

from medo1.chains.leaks import leak, leak_in
from medo1.questions import read_questions

LEAKS = [
    "The given answer is C.",
    "This matches the provided answer.",
    "as the provided correct answer states",
    "The correct answer is given as C, so let me see why.",
    "The correct answer has already been provided.",
    "as stated in the answer key",
    "according to the answer key",
    "the ground truth",
    "The ground-truth label says C.",
    "Since we already know the correct answer, we can check it.",
    "Knowing that the correct option is C, I look at the rash again.",
    "Given that the correct answer is C, the fever must be due to it.",
    "Given that the answer must be B, what explains the rash?",
    "I was told that the correct diagnosis is lupus",
    "We have been given the right answer, which is lupus.",
    "The answer that I was given is lupus.",
    "The option we were shown is C.",
    "The question states that the answer is C.",
    "The prompt tells us the correct option.",
    "Let me work backwards from the answer.",
    "The answer is supposed to be C, so I need a reason.",
    "I need to arrive at the given answer C.",
    "We should justify the answer C here.",
    "the reference solution picks C",
    "the gold label is C",
    "Our target answer is C.",
    "The expected answer here is measles.",
    "The marked answer fits the rash.",
    "based on the provided answer, measles it is",
    "Since the answer is known to be C, let me check.",
    "As the answer is B according to the key.",
    "The solution provided says B.",
    "We're told the answer is B.",
    "I've been told the answer is B.",
    "The answer we were provided with is B.",
    "With the answer already in hand, I work through it.",
    "I already have the answer: B.",
    "The hint says the answer is B.",
    "You told me the answer is B.",
    "As you mentioned, the correct answer is B.",
    "The user says the right answer is B.",
    "My task is to explain why B is correct.",
    "I have to justify why the answer is B.",
    "It was given that the answer is B.",
    "the answer was given to me as B",
    "Option B, which is marked as correct, fits.",
    "B is listed as the correct answer.",
    "B is the stated correct answer.",
    "The correct option (given) is B.",
    "We know from the key that it is B.",
    "Correct answer: B (provided).",
    "the official answer is B",
    "The answer sheet says B.",
    "the answer provided in the prompt is B",
    "Because the question says the answer is B, ...",
    "According to the provided solution, it is B",
    "I must end with the given diagnosis of measles.",
    "the diagnosis given in the answer is measles",
    "the intended answer is B",
    "the supposed correct answer is B",
    "既然我们知道正确答案是C，就从它出发。",
    "给定的答案是麻疹。",
    "根据参考答案，应选C。",
    "与えられた正解はCである。",
    "正解がすでに示されているので、そこから考える。",
]
HARMLESS = [
    "Given the rash, the answer is C.",
    "Given that the patient is pregnant, the answer changes.",
    "The patient was given amoxicillin.",
    "The correct answer is C.",
    "So the answer is most likely measles, option B.",
    "The diagnosis was provided by biopsy.",
    "We know that the answer to fever is fluids.",
    "The expected course is a week of fever.",
    "The diagnosis is known to be rare.",
    "The treatment given to her was stopped.",
    "He was told that the tumour is benign.",
    "The key finding is the rash behind the ears.",
    "As stated in the history, she smokes.",
    "The reference range is 3 to 5.",
    "The gold standard for diagnosis is biopsy.",
    "Which answer fits best? Let me go back over the options.",
    "The label on the drug warns of bleeding.",
    "The response to the given dose was good.",
    "The user of the inhaler says it helps.",
    "The answer is known to most clinicians.",
    "The patient was told the answer to her question.",
    "You mentioned a rash.",
    "I have to explain why the rash spreads.",
    "The drug is listed as the first choice.",
    "B is the best answer.",
    "The official guideline recommends it.",
    "It was given intravenously.",
    "Is the answer B? Yes, the rash says so.",
    "The most widely accepted answer is B.",
    "The intended effect of the drug is relief.",
    "the expected answer to treatment is relief",
    "We are given a 23-year-old man with fever.",
    "The final diagnosis is known after biopsy.",
    "the correct diagnosis was made known later",
    "Our final answer is C.",
    "The stated option of surgery was refused.",
    "My answer, given all this, is C.",
    "the known diagnosis of lupus explains it",
    "her known diagnosis is asthma",
    "the given diagnosis of asthma in the history",
    "the provided options do not include it",
    "the listed options are A to D",
    "the target response rate was 5%",
    "The expected response to ACTH is a rise.",
    "This is not the option provided.",
    "Of the options provided, B fits.",
    "这个答案最合适。",
    "答えはBと考えられる。",
]


@pytest.mark.parametrize("text", LEAKS)
def test_words_about_a_given_answer_are_a_leak(text: str) -> None:
    found = leak_in(f"The rash spreads. {text} It itches.")
    assert found is not None
    assert (
        f"The rash spreads. {text} It itches."[slice(*found.span)] == found.words == leak(f"The rash spreads. {text}")
    )


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_medicine_is_no_leak(text: str) -> None:
    assert leak(text) is None


def test_real_chains_that_nobody_showed_an_answer_to_are_no_leaks(benchmark_files: Path) -> None:
    chains, _ = read_questions(benchmark_files / "long_chains_sample.json", "huatuo", benchmark="c", split="train")
    told = [one.extra["complex_cot"] + one.extra["response"] for one in chains]
    assert [found for text in told if (found := leak(text))] == []


@pytest.mark.parametrize("piece", ["the answer given that we know the ", "\n", "the ", "given ", "知道"])
def test_the_time_to_look_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text, taken = piece * (length // len(piece)), []
        for _ in range(5):
            started = time.process_time()
            leak(text)
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(80_000) < 12 * seconds(20_000) + 0.05
