r"""The table of rules: what announces an answer, in which words, how plainly, with an example and a counter-example.

This is the one place where a cue is added: one row, with a text that states C by it and one that uses the same words
and states nothing. Both are test cases, and the tables of docs/answers.md are made from here. The options of the
examples are A Metformin, B Bisoprolol, C Gout, D Vitamin D.

`form` names the grammar by which the words are read (`medo1.answers.announcing`, `medo1.answers.concluding`):

- `noun`: the noun, a link (`is`, `:`, a heading's line break), fillers, the option: `the answer is most likely C`;
  or the option before it: `C is the answer`.
- `good noun`: the same for a noun that must be called good: `the best option is C`.
- `verb`: the model chooses: `I would pick C`.
- `line`: a line that begins with the noun and holds nothing but the option: `Solution: C`.
- `language`: a noun or verb of another language, a link, the option.
- `mark`: marks that hold the option.
- `colon`, `sentence`, `verdict`, `close`, `open`: no fixed words; what decides is said in the row.
"""

# ruff: noqa: RUF001  (cues hold the marks and letters that models write)

from __future__ import annotations

from typing import Literal, NamedTuple

Tier = Literal["formal", "sentence", "choice", "conclusion", "verdict"]
Form = Literal["noun", "good noun", "verb", "line", "language", "mark", "colon", "sentence", "verdict", "close", "open"]


class Cue(NamedTuple):
    """One row: words that announce an option, and what such a statement is.

    Attributes:
        words: any of these, in lower case; where the form has no fixed words, a name for what decides.
        form: the grammar by which they are read.
        rule: the rule of the answer, one of `RULES`; a line or a tag that the words stand in may make it a plainer one.
        tier: how plainly it states the answer.
        example: a text that states C.
        counter: a text with the same words that states nothing, or not C.
    """

    words: tuple[str, ...]
    form: Form
    rule: str
    tier: Tier
    example: str
    counter: str


CUES: tuple[Cue, ...] = (
    # marks, written for a reader or a program that looks for the answer
    Cue(("boxed{", "boxed {"), "mark", "boxed", "formal", r"\boxed{C}", r"\boxed{\text{none}}"),
    Cue(("[[",), "mark", "tag", "formal", "[[C]]", "[[1]]"),
    Cue(("####",), "mark", "tag", "formal", "#### C", "#### Case C was seen first"),
    Cue(('":', "':", '" :'), "mark", "tag", "formal", '{"answer": "C"}', '{"wrong_answer": "C"}'),
    Cue(("<choice>", "<final>", "<response>"), "mark", "tag", "formal", "<choice>C</choice>", "<choice>none</choice>"),
    # nouns
    Cue(("answer",), "noun", "answer_sentence", "sentence", "The answer is C.", "A wrong answer is C."),
    Cue(
        ("choice", "option"),
        "good noun",
        "choice_sentence",
        "choice",
        "The best option is (C).",
        "Another option is (C).",
    ),
    # verbs
    Cue(("choos", "chose"), "verb", "choice_sentence", "choice", "I would choose C.", "Many choose C."),
    Cue(("select",), "verb", "choice_sentence", "choice", "We therefore select option C.", "I would not select C."),
    Cue(("pick",), "verb", "choice_sentence", "choice", "I'll pick C.", "If he had fever, I would pick C."),
    Cue(("go with", "going with"), "verb", "choice_sentence", "choice", "Let's go with C.", "Why would I go with C?"),
    Cue(("opt for", "opting for"), "verb", "choice_sentence", "choice", "I opt for C.", "Surgeons opt for C."),
    # lines
    Cue(
        (
            "ans",
            "final",
            "solution",
            "letter",
            "response",
            "result",
            "conclusion",
            "decision",
            "verdict",
            "prediction",
            "output",
            "diagnosis",
            "selection",
            "option",
            "next step",
            "management",
            "treatment",
            "cause",
            "pick",
            "correct",
            "right",
        ),
        "line",
        "answer_line",
        "formal",
        "Diagnosis: (C) Gout",
        "Result: C was the first to be seen",
    ),
    # other languages, Latin letters
    Cue(
        ("respuesta", "opción correcta", "opcion correcta", "alternativa correcta", "mejor opción", "elijo", "escojo"),
        "language",
        "answer_sentence",
        "sentence",
        "La respuesta correcta es C.",
        "La respuesta no es C.",
    ),
    Cue(
        ("réponse", "reponse", "option correcte", "je choisis"),
        "language",
        "answer_sentence",
        "sentence",
        "La bonne réponse est C.",
        "La réponse n'est pas C.",
    ),
    Cue(
        ("antwort", "lösung", "richtige option", "korrekte option", "richtig ist", "beste option", "ich wähle"),
        "language",
        "answer_sentence",
        "sentence",
        "Die richtige Antwort ist C.",
        "Die richtige Antwort ist nicht C.",
    ),
    Cue(
        ("risposta", "opzione corretta", "scelgo"),
        "language",
        "answer_sentence",
        "sentence",
        "La risposta corretta è C.",
        "La risposta non è C.",
    ),
    Cue(
        ("resposta", "alternativa correta", "opção correta", "escolho"),
        "language",
        "answer_sentence",
        "sentence",
        "A resposta correta é C.",
        "A resposta não é C.",
    ),
    Cue(
        ("antwoord",), "language", "answer_sentence", "sentence", "Het juiste antwoord is C.", "Het antwoord is niet C."
    ),
    Cue(("svar",), "language", "answer_sentence", "sentence", "Det rätta svaret är C.", "Svaret är inte C."),
    Cue(("vastaus",), "language", "answer_sentence", "sentence", "Oikea vastaus: C", "Vastaus ei ole C."),
    Cue(("odpowied",), "language", "answer_sentence", "sentence", "Prawidłowa odpowiedź to C.", "Odpowiedź to nie C."),
    Cue(("cevap",), "language", "answer_sentence", "sentence", "Doğru cevap: C", "Cevap C değil."),
    Cue(("jawaban",), "language", "answer_sentence", "sentence", "Jawaban yang benar adalah C.", "Jawaban bukan C."),
    Cue(("đáp án",), "language", "answer_sentence", "sentence", "Đáp án: C", "Đáp án không phải C."),
    # other languages, other scripts
    Cue(("ответ", "відповідь"), "language", "answer_sentence", "sentence", "Правильный ответ: C", "Ответ не C."),
    Cue(
        ("απάντηση",), "language", "answer_sentence", "sentence", "Η σωστή απάντηση είναι C.", "Η απάντηση δεν είναι C."
    ),
    Cue(("תשובה",), "language", "answer_sentence", "sentence", "התשובה היא C.", "התשובה לא C."),
    Cue(
        ("الإجابة", "الاجابة", "الجواب", "پاسخ"),
        "language",
        "answer_sentence",
        "sentence",
        "الإجابة هي C.",
        "الإجابة ليست C.",
    ),
    Cue(("उत्तर",), "language", "answer_sentence", "sentence", "सही उत्तर C है।", "उत्तर C नहीं है।"),
    Cue(("คำตอบ",), "language", "answer_sentence", "sentence", "คำตอบคือ C", "คำตอบไม่ใช่ C"),
    Cue(
        (
            "答案",
            "正确选项",
            "正確選項",
            "应选",
            "應選",
            "故选",
            "故選",
            "选择",
            "選擇",
            "所以选",
            "因此选",
            "本题选",
            "我选",
            "选",
            "选项为",
            "选项是",
            "選項是",
            "选项应",
            "诊断是",
            "诊断为",
            "诊断应为",
            "最可能是",
        ),
        "language",
        "answer_sentence",
        "sentence",
        "因此，正确答案是C。",
        "正确答案不是C。",
    ),
    Cue(
        ("答え", "正解", "正答", "解答", "最も適切なの", "最も可能性が高いの", "正しい選択肢", "適切な選択肢"),
        "language",
        "answer_sentence",
        "sentence",
        "正解はCです。",
        "正解はCではありません。",
    ),
    Cue(
        ("정답", "답은", "답:", "적절한 것은", "옳은 것은", "올바른 것은"),
        "language",
        "answer_sentence",
        "sentence",
        "정답은 C입니다.",
        "정답은 C가 아닙니다.",
    ),
    Cue(
        ("a sentence that denies one option and puts another in its place",),
        "sentence",
        "answer_sentence",
        "sentence",
        "不是A，而是C。",
        "不是A，也不是C。",
    ),
    # where nothing above is stated
    Cue(
        ("the text's first line",),
        "open",
        "bare_letter",
        "formal",
        "C. Gout\n\nIt is the uric acid.",
        "C. difficile is ruled out here.",
    ),
    Cue(
        ("the text's last line",),
        "close",
        "bare_letter",
        "formal",
        "It is the uric acid.\n\nC.",
        "It is one of these.\nA) Metformin\nC)",
    ),
    Cue(
        ("the text's last words",),
        "close",
        "bare_letter",
        "sentence",
        "It is the uric acid. So it's C.",
        "It is the uric acid. Is it C?",
    ),
    Cue(
        ("a line that ends with a colon above",),
        "colon",
        "conclusion",
        "conclusion",
        "The disease that fits is:\n\n**(C) Gout**",
        "Let's look at the options:\n\n**(C) Gout**",
    ),
    Cue(
        ("a sentence that weighs and then names",),
        "sentence",
        "conclusion",
        "conclusion",
        "The most likely diagnosis is gout (C).",
        "The most likely diagnosis is bisoprolol (B) or gout (C).",
    ),
    Cue(
        ("a sentence that calls an option right",),
        "verdict",
        "conclusion",
        "verdict",
        "Option C is correct.",
        "Option C is not correct.",
    ),
    Cue(
        ("a walk through all options that calls one alone correct",),
        "verdict",
        "conclusion",
        "verdict",
        "A) Incorrect. B) Incorrect. C) Correct. D) Incorrect.",
        "A) Correct. B) Incorrect. C) Correct. D) Incorrect.",
    ),
)


def rows(form: Form) -> tuple[Cue, ...]:
    """The rows of one form."""
    return tuple(cue for cue in CUES if cue.form == form)


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
