"""Questions that are asked without their options."""

from __future__ import annotations

import pytest

from medo1.questions import Question, free_form, free_form_prompt, question_id, read_questions

OPTIONS = {"A": "Lupus", "B": "Meningitis", "C": "Gout", "D": "Influenza"}


def asked(stem: str, options: dict[str, str] | None = None, gold: str = "B") -> Question:
    options = options or OPTIONS
    return Question(question_id(stem, options), "medqa", "test", stem, options, gold)


@pytest.mark.parametrize(
    ("stem", "free"),
    [
        ("Which of the following is the most likely diagnosis?", "What is the most likely diagnosis?"),
        ("Which one of the following is the best next step?", "What is the best next step?"),
        ("Which of the following drugs is indicated?", "Which drug is indicated?"),
        ("Which of the following antibodies was raised?", "Which antibody was raised?"),
        ("Which of the following drugs are indicated?", "Which drugs are indicated?"),
        ("Which of the following processes is at work?", "Which process is at work?"),
        ("Which of the following best explains this?", "What best explains this?"),
        ("A deficiency of which of the following enzymes?", "A deficiency of what enzymes?"),
        ("What is the diagnosis?", "What is the diagnosis?"),
        ("Fever. What is the diagnosis from the options below?", "Fever. What is the diagnosis?"),
    ],
)
def test_a_stem_that_speaks_of_options_asks_freely(stem: str, free: str):
    assert free_form(asked(stem)).text == free


def test_the_gold_answers_text_is_kept_and_no_option_is_shown():
    found = free_form(asked("Which of the following is the most likely diagnosis?"))
    assert (found.gold, found.needs_options) == ("Meningitis", None)
    prompt = free_form_prompt(found, " List five diagnoses. ")
    assert prompt == "What is the most likely diagnosis?\nList five diagnoses."
    assert not any(text in prompt for text in OPTIONS.values())


@pytest.mark.parametrize(
    ("stem", "options", "why"),
    [
        ("All of the following are signs EXCEPT?", None, "exception"),
        ("Which of the following is NOT a sign?", None, "does not hold"),
        ("Which of the following statements is true?", None, "judge the options"),
        ("Which arrow marks the lesion?", None, "not in the text"),
        ("Which of the following is the diagnosis?", {"A": "Lupus", "B": "None of the above"}, "'None of the above'"),
        ("Which is it?", {"A": "Lupus", "B": "Both A and C", "C": "Gout"}, "'Both A and C'"),
    ],
)
def test_a_question_that_needs_its_options_says_so(stem: str, options: dict[str, str] | None, why: str):
    assert why in (free_form(asked(stem, options)).needs_options or "")


def test_no_real_question_speaks_of_what_follows_once_it_asks_freely(benchmark_files):
    questions, _ = read_questions(benchmark_files / "medqa_test.jsonl")
    forms = [free_form(question) for question in questions]
    freely = [form for form in forms if form.needs_options is None]
    assert len(freely) > 0.8 * len(questions)
    left = [form.text[-80:] for form in freely if "which of the following" in form.text[-200:].lower()]
    assert left == []
