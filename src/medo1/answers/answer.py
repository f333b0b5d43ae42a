"""What reading a text gives: the answer, its status, the rule that decided and the place that it was read from.

Every module of this package speaks in these words; `RULES` is the list of all rules, for tables and docs.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Status = Literal["answer", "abstain", "conflict", "truncated"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Answer(NamedTuple):
    """What was read out of a text.

    Attributes:
        letter: the stated option, None unless `status` is `answer`.
        status: `answer`, `abstain` (none stated), `conflict` (two different final statements), `truncated` (cut
        before one). rule: the name of the rule that decided, one of `RULES`. span: where in the text the deciding
        statement stands (start, end), None where there is none.
    """

    letter: str | None
    status: Status
    rule: str
    span: tuple[int, int] | None = None


RULES: dict[str, str] = {
    # answer
    "boxed": r"`\boxed{C}`",
    "tag": 'a tag or a key named for the answer: `<answer>C</answer>`, `{"answer": "C"}`, `[[C]]`, `#### C`',
    "final_line": "a line that says it is final: `Final answer: C`",
    "answer_line": "a line that says it is the answer: `Answer: C`, a heading `Answer` with C below it",
    "answer_sentence": "a sentence: `the correct answer is (C)`, `C is the best option`, `答案是C`",
    "choice_sentence": "a sentence: `I choose C`, `I will go with option C`",
    "bare_letter": "the output, its first line or its last line is a letter, with or without that option's text",
    "option_text": "an option's whole text where the letter would stand: `The answer is beta-blocker therapy.`",
    "conclusion": "a conclusion that names the option: `the most likely diagnosis is **(C) Lupus**`",
    "conclusion_text": "a conclusion that is an option's whole text: `the most likely diagnosis is **lupus**`",
    "correction": "a letter that takes an earlier one back: `wait, C`",
    # abstain
    "empty": "there is no text",
    "nothing_stated": "the text states no option",
    "only_doubt": "each statement is a negation, a question, a condition or a mere possibility",
    "taken_back": "the last statement was taken back and nothing was put in its place",
    "letter_not_offered": "the stated letter is none of the options'",
    "only_thinking": "the thinking ended and nothing was said after it",
    "another_question": "the only statement answers a further question that the text made up",
    # conflict
    "two_statements": "two final statements name different options and neither corrects the other",
    "several_letters": "one statement names several options",
    "letter_and_text": "the statement's letter is one option and its text is another's",
    "letter_or_text": "the stated letter is also another option's text, and nothing says which is meant",
    # truncated
    "cut_in_thinking": "the text ends inside its thinking",
    "cut_before_statement": "the text ends before anything is stated",
    "cut_in_statement": "the text may end within the statement: `Answer: C` can be the start of `Answer: Ceftriaxone`",
    "cut_after_interim": "what is stated stands in a deliberation that the cut ended",
}
