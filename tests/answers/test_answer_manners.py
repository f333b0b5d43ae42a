"""Outputs in the manners of many models, for each letter: what is stated is read, what is not is not."""
# ruff: noqa: RUF001  (outputs stand as models write them)

from __future__ import annotations

import pytest

from medo1.answers import read_answer

DRUGS = {"A": "Amiodarone", "B": "Bisoprolol", "C": "Clonidine", "D": "Digoxin", "E": "Enalapril"}
FINDINGS = {
    "A": "Increased peak tricuspid regurgitation velocity",
    "B": "Intravenous acyclovir",
    "C": "Autosomal dominant polycystic kidney disease",
    "D": "Reduced ejection fraction with regional wall motion abnormality",
    "E": "Start metformin",
}
BEFORE = "The patient has dyspnoea and the echo shows a dilated right ventricle. The left one is normal.\n\n"

CONCLUDED = (
    "After careful consideration of each option, the most likely finding is:\n\n{x}. {t}",
    "Hence, the most appropriate answer is option {x}: {t}",
    "Therefore, the answer is **{x}. {t}**",
    "Based on the given information, I would choose {x}. {t}",
    "**Answer: {x}. {t}**\n\n**Explanation:** The findings fit.",
    "Thus, the right choice is ({x}) {t}",
    "In light of this the correct option would be **{x}) {t}**.",
    "The most probable explanation for the findings is {t}.",
    "Therefore, {t} is the most likely finding.",
    "Considering all the factors, the correct answer would be:\n**{x}) {t}**",
    "So, the best next step is:\n\n**{x}: {t}**",
    "Thus, the finding that is most consistent with this presentation is:\n\n**({x})** {t}",
    "Conclusion\n\nThe correct answer is {x}) {t}",
    "Given the options, {x}. {t} is the best answer.",
    "Therefore, the most likely diagnosis in this patient is {x}. {t}",
    "This points to {t} ({x}).",
    "As such, the answer that best fits is {x}.",
    "Out of the given options, the most suitable is {x}) {t}",
    'So the correct option is "{x}: {t}"',
    "The final answer is {x}. {t}",
    "My answer: {x} ({t})",
    "[Answer: {x}] {t}",
    "Ans: ({x}) {t}",
    "Selected answer: **{x}**",
    "{x}: {t}",
    "The correct answer to this question is ({x}).",
    "Therefore the best choice among those listed is choice {x}.",
    "**{x}) {t}** is the correct answer because the findings fit.",
    "This is most consistent with option **{x}**.",
    "Hence, option ({x}) is correct.",
    "Therefore, the correct choice is:\n\n- **{x}. {t}**",
    "### Conclusion\nThe most likely finding is **{t} ({x})**.",
    "Thus, we can conclude that the answer is {x}.",
    "As a result, **{t}** is the correct answer.",
    "Final Answer:\n\n**{x}) {t}**",
    "The answer, therefore, is {x}.",
    "It follows that {x} is correct.",
    "The only option that fits all of these findings is {x}.",
    "We are left with {x}.",
    "By elimination, the answer is {x}.",
    "Therefore, ({x}).",
)

BESIDE_ANOTHER = (
    "{y} is incorrect. {x} is correct.",
    "The answer is not {y}; it is {x}.",
    "While {y} is tempting, the answer is {x}.",
    "Option {y} is less likely. Therefore, the answer is {x}.",
    "Rather than {y}, the best option is {x}.",
    "I considered {y} but would choose {x}.",
    "{y} would be right if he had fever. He has none, so the answer is {x}.",
    "Many would answer {y}. The correct answer, however, is {x}.",
    "Is it {y}? No. The answer is {x}.",
    "Although {ty} ({y}) may help, the best drug is {tx} ({x}).",
    "The answer is {x}, not {y}.",
    "The answer is {x} rather than {y}.",
    "{tx} ({x}) is preferred over {ty} ({y}). The answer is {x}.",
    "The best choice is {x} since {y} is contraindicated.",
    "Between {x} and {y}, the better choice is {x}.",
    "If forced to choose between {x} and {y}, I would choose {x}.",
)

NOT_STATED = (
    "I cannot determine the answer from this.",
    "All options are plausible.",
    "None of the options fits.",
    "The options A, B and C are drugs.",
    "Option A is a drug. Option B is a drug too.",
    "Could be A. Could be C.",
    "It is either A or C, and I cannot say which.",
    "Not A, not B.",
    "The answer depends on the kidneys.",
    "Hepatitis B was ruled out, and vitamin D is low.",
    "Please provide the options A to E.",
    "A 60-year-old man came in.",
    "I need more information to choose between A and C.",
    "The correct answer is not among the options.",
    "The answer may be A.",
    "What is the answer? A?",
    "If it is A, he will improve.",
    "Group A strep was found.",
    "Grade C evidence supports it.",
    "His APGAR was A.",
    "The question asks for option A's mechanism.",
    "Options: A) Amiodarone B) Bisoprolol C) Clonidine",
    "The answer choices are A. Amiodarone B. Bisoprolol C. Clonidine D. Digoxin E. Enalapril",
)

MARKED = (
    '{{"reasoning": "Not B, maybe D.", "answer": "{x}"}}',
    '```json\n{{"answer": "{x}. {t}"}}\n```',
    '{{"answer_choice": "{x}", "confidence": 0.9}}',
    "<answer>{x}) {t}</answer>",
    "<think>B? D?</think><answer>{x}</answer>",
    "<think>\nThe answer is B.\n</think>\n\nThe answer is {x}.",
    "</think>\n\n**{x}. {t}**",
    "<reasoning>B</reasoning>\n<answer>\n{x}\n</answer>",
    "[[{x}]]",
    "The answer is \\(\\boxed{{\\text{{{x}}}}}\\).",
    "$$\\boxed{{{x}}}$$",
    "\\[\\boxed{{\\mathbf{{{x}}}}}\\]",
    "## Thinking\n\nB or D.\n\n## Final Response\n\nThe answer is {x}.",
)

KOREAN = (
    "따라서 가장 적절한 답은 {x}입니다.",
    "정답은 {x}번 {t}입니다.",
    "그러므로 정답은 {t}({x})입니다.",
    "따라서 {x}가 가장 적절합니다.",
    "결론적으로, 정답은 **{x}**입니다.",
    "답: {x}",
    "최종 정답: {x}. {t}",
    "선택지 중 {x}가 옳습니다.",
    "정답 : ({x})",
    "보기 {x}가 정답이다.",
)

CHINESE = (
    "因此最佳答案是{x}。",
    "所以选{x}。",
    "答案选{x}。",
    "正确答案：{x}. {t}",
    "综上，答案为{x}项。",
    "故本题选{x}。",
    "因此，选项{x}最为合适。",
    "所以，正确的选项是{x}。",
    "最终答案是：**{x}**",
    "答案是（{x}）{t}。",
    "因此，{x}选项正确。",
    "故答案为{x}",
    "应选择{x}选项。",
    "我的答案是{x}。",
    "最可能的诊断是{x}. {t}",
)

JAPANESE = (
    "したがって、答えは{x}です。",
    "正解は{x}の{t}です。",
    "よって正解は{x}。",
    "最も適切な選択肢は{x}です。",
    "答えは「{x}. {t}」です。",
    "解答：{x}",
    "正答は{x}である。",
    "以上より、{x}が正解である。",
    "最終的な答え: {x}",
    "従って{x}を選びます。",
)

EUROPEAN = (
    "Daher ist die richtige Antwort {x}.",
    "Die richtige Antwort ist {x}: {t}.",
    "Antwort {x} ist richtig.",
    "Die Lösung ist {x}.",
    "Also lautet die Antwort: {x}) {t}",
    "Ich wähle {x}.",
    "Richtige Antwort: {x}",
    "Somit ist {x} die richtige Antwort.",
    "Die beste Option ist {x}.",
    "Option {x} ist korrekt.",
    "La respuesta correcta es la {x}) {t}.",
    "Por lo tanto, la opción correcta es la {x}.",
    "La respuesta es: {x}",
    "Respuesta final: {x}",
    "La mejor opción es {x}.",
    "La opción {x} es la correcta.",
    "Elijo la opción {x}.",
    "La bonne réponse est la réponse {x}.",
    "La réponse correcte est donc {x}.",
    "Réponse finale : {x}. {t}",
    "Je choisis la réponse {x}.",
    "L'option {x} est correcte.",
    "La meilleure réponse est {x}) {t}.",
    "La risposta è {x}.",
    "Risposta: {x}) {t}",
    "A resposta é a letra {x}.",
    "Resposta correta: {x}",
    "A alternativa correta é {x}) {t}.",
)

SHORT = (
    "정답: {x}",
    "따라서 정답은 {x}입니다.",
    "그러므로 답은 {x}이다.",
    "정답은 ({x}) {t}입니다.",
    "최종 답: {x}",
    "가장 적절한 답은 {x}번입니다.",
    "그래서 정답은 '{x}'입니다.",
    "**정답: {x}. {t}**",
    "答案：{x}",
    "所以答案是{x}。",
    "综上所述，正确答案为{x}。",
    "因此应选{x}。",
    "故选 {x}。",
    "本题答案为：{x}. {t}",
    "正确答案是选项{x}。",
    "最终答案：{x}",
    "最佳选择是{x}。",
    "正解は{x}である。",
    "答え：{x}",
    "したがって、正解は「{x}」です。",
    "よって、選択肢{x}が正しいです。",
    "最も適切なのは{x}です。",
    "Antwort: {x}",
    "Die Antwort lautet {x}.",
    "Somit ist Antwort {x} richtig.",
    "Richtig ist {x}.",
    "Die korrekte Option ist {x}.",
    "Réponse : {x}",
    "La réponse correcte est la {x}.",
    "Donc, la bonne réponse est {x}) {t}.",
    "La réponse est l'option {x}.",
    "Respuesta: {x}",
    "La respuesta correcta es la opción {x}.",
    "Por lo tanto, la respuesta es {x}) {t}.",
    "La opción correcta es {x}.",
    "A alternativa correta é a {x}.",
    "Resposta: {x}",
    "La risposta corretta è la {x}.",
    "Ответ: {x}",
    "Правильный ответ — {x}.",
)

DENIED_OR_SEVERAL = (
    ("정답은 A가 아니라 C입니다.", "C"),
    ("답은 B가 아니다. 정답은 E이다.", "E"),
    ("答案不是A，应该是C。", "C"),
    ("正解はAではなく、Cです。", "C"),
    ("Die Antwort ist nicht A, sondern C.", "C"),
    ("La respuesta no es A, sino C.", "C"),
    ("La réponse n'est pas A, mais C.", "C"),
    ("A réponse", "abstain"),
    ("정답은 A 또는 C입니다.", "conflict|abstain"),
    ("答案可能是A或C。", "conflict|abstain"),
    ("正解はAまたはCです。", "conflict|abstain"),
    ("La respuesta es A o C.", "conflict|abstain"),
    ("Die Antwort ist A oder C.", "conflict|abstain"),
    ("La réponse est A ou C.", "conflict|abstain"),
    ("A、B、C、D都不对，答案是E。", "E"),
    ("排除A、B和D后，只剩下C，因此选C。", "C"),
    ("A는 틀리고 B도 틀리다. 따라서 정답은 C이다.", "C"),
    ("AとBは誤り。したがって正解はC。", "C"),
    ("A ist falsch. B ist falsch. Die richtige Antwort ist C.", "C"),
    ("答案是C吗？", "abstain"),
    ("정답은 C인가?", "abstain"),
    ("如果患者有发热，答案是C。", "abstain"),
    ("错误的答案是C。", "abstain"),
    ("오답은 C입니다.", "abstain"),
)


ANNOUNCED = (
    "Therefore, his condition can be attributed to:",
    "Thus, the finding results from:",
    "Given the timing, this most likely refers to:",
    "So the drug most likely works through:",
    "Based on this, the best match:",
    "Therefore, the correct sequence:",
    "The most accurate statement:",
    "So the patient most likely has:",
    "Hence one should do:",
    "Considering all of this, we get:",
    "Therefore the most plausible mechanism involves:",
    "The key finding that explains his symptoms is therefore:",
    "Thus, the structure that is most commonly injured is the:",
    "Given the options, he would benefit most from:",
    "So the next thing to do would be to:",
    "Therefore, the abnormality would most likely be found in:",
    "The diagnosis that best accounts for all of these is:",
    "Thus the correct pairing is:",
    "Which makes the most appropriate response to this patient:",
    "The best interpretation of these findings would therefore be:",
    "The answer choice that best fits is:",
    "The statement which is true regarding the mandible is:",
    "The option that does not belong is:",
    "The exception is:",
    "The false statement is:",
    "The least likely cause is:",
    "The incorrect statement is:",
)

NOT_ANNOUNCED = (
    "Let's consider the options given:",
    "The differential includes:",
    "Based on the above, let's evaluate each option:",
    "Given this information, the options are:",
    "Therefore, we can rule out:",
    "Therefore, we need to consider the following:",
    "Thus, let's look at the choices:",
    "Considering the symptoms:",
    "Based on the patient's history:",
    "Given the findings:",
    "Best practices include:",
    "So the possible answers are:",
    "Therefore, the less likely options are:",
    "Here is the breakdown of each option:",
    "Now evaluating the options:",
    "Key points to consider:",
    "To answer this, we analyze:",
    "The most likely diagnoses to consider are:",
    "Next, we eliminate:",
    "The options can be analyzed as follows:",
    "Thus, the following are unlikely:",
    "Correct and incorrect options:",
    "Most common causes:",
    "Best first steps to think about:",
)

CONCLUDED_OF_A_NAME = (
    "Given these findings, {t} (Option {x}) is the most likely diagnosis.",
    "The most likely cause is {t}, which corresponds to option {x}.",
    "Thus, {t}, or option {x}, is the best fit.",
    "The clinical picture is classic for {t} ({x}).",
    "This presentation is most consistent with {t} ({x}).",
    "Taken together, these features strongly suggest {t} ({x}).",
    "In summary, the patient's presentation best fits {t} (choice {x}).",
    "The best explanation for his symptoms is option {x}, {t}.",
    "Based on the above reasoning, the diagnosis is {t} ({x}).",
    "His history of travel makes {t} ({x}) the most likely diagnosis.",
    "The answer that fits best is {t}.",
    "Therefore, the diagnosis that must not be missed here is {t} ({x}).",
    "So the most appropriate diagnosis to consider is {x}) {t}.",
    "The findings are best explained by {t} ({x}).",
    "It is therefore most likely that he has {t} ({x}).",
    "Overall, {t} is the most likely diagnosis.",
    "The correct diagnosis is {t}.",
    "The most probable diagnosis in this case is {x}: {t}.",
    "Therefore, {x} ({t}) is the best option.",
    "Among the listed options, {t} ({x}) best explains the picture.",
    "The most likely diagnosis, given the echo, would be {t} ({x}).",
    "All of these findings point to {t} ({x}).",
    "{t} ({x}) is therefore the most likely diagnosis.",
    "We conclude that the diagnosis is {t} ({x}).",
    "The likeliest culprit remains {t} ({x}).",
    'The single best diagnosis is "{t}" ({x}).',
)

NOT_CONCLUDED = (
    "{t} ({x}) is less likely.",
    "{t} ({x}) can also cause dyspnoea.",
    "It is not {t} ({x}).",
    "{t} ({x}) was excluded by the echo.",
    "Compared with {t} ({x}), this is worse.",
    "{t} ({x}) must be considered, as must {t2} ({y}).",
    "Both {t} ({x}) and {t2} ({y}) are likely.",
    "The differential includes {t} ({x}).",
    "{t} ({x}) would be the most likely diagnosis if he had fever.",
    "Could it be {t} ({x})?",
    "The most likely diagnoses are {t} ({x}) and {t2} ({y}).",
    "{t} ({x}) is a possible cause.",
    "One option is {t} ({x}).",
    "Another possibility is {t} ({x}).",
    "Patients with {t} ({x}) have pain.",
    "{t} ({x}) is the least common of these in the clinic, and rarely matters.",
    "The most likely diagnosis is either {t} ({x}) or {t2} ({y}).",
    "Unlike {t} ({x}), it comes slowly.",
    "The most common mistake is {t} ({x}).",
    "{t} ({x}) is not the most likely diagnosis.",
)

DISEASES = {
    "A": "Pulmonary embolism",
    "B": "Aortic dissection",
    "C": "Pericarditis",
    "D": "Tension pneumothorax",
    "E": "Myocardial infarction",
}
CARE = "\n\nThe patient should be given care at once."


def told(text: str, options: dict[str, str], finish_reason: str | None) -> str:
    answer = read_answer(text, options, finish_reason)
    return answer.letter or answer.status


@pytest.mark.parametrize("statement", CONCLUDED)
def test_a_conclusion_is_read_for_each_letter(statement: str):
    for x, text in FINDINGS.items():
        assert told(BEFORE + statement.format(x=x, t=text), FINDINGS, "stop") == x


@pytest.mark.parametrize("statement", BESIDE_ANOTHER)
def test_another_option_beside_the_stated_one_changes_nothing(statement: str):
    for x, y in (("A", "B"), ("C", "A"), ("E", "D")):
        text = statement.format(x=x, y=y, tx=DRUGS[x], ty=DRUGS[y])
        assert told(BEFORE + text, DRUGS, "stop") == x


@pytest.mark.parametrize("text", NOT_STATED)
def test_what_states_no_option_is_given_none(text: str):
    assert told(BEFORE + text, DRUGS, "stop") in ("abstain", "conflict")


@pytest.mark.parametrize("finish_reason", ["stop", None])
@pytest.mark.parametrize("statement", [*MARKED, *KOREAN, *CHINESE, *JAPANESE, *EUROPEAN, *SHORT])
def test_a_statement_by_marks_or_in_another_language_is_read_for_each_letter(statement: str, finish_reason: str | None):
    for x, drug in DRUGS.items():
        assert told(statement.format(x=x, t=drug), DRUGS, finish_reason) == x


@pytest.mark.parametrize(("text", "right"), DENIED_OR_SEVERAL)
def test_denials_and_several_options_in_another_language_are_seen(text: str, right: str):
    assert told(text, DRUGS, "stop") in right.split("|")


@pytest.mark.parametrize("sentence", ANNOUNCED)
def test_a_sentence_that_concludes_with_a_colon_announces_the_option_below(sentence: str):
    for x, text in FINDINGS.items():
        for line in (f"({x}) {text}", f"**{x}. {text}**", f"{x}) {text}."):
            for after in ("", CARE):
                assert told(f"{BEFORE}{sentence}\n\n{line}{after}", FINDINGS, "stop") == x


@pytest.mark.parametrize("finish_reason", ["stop", None])
@pytest.mark.parametrize("sentence", NOT_ANNOUNCED)
def test_a_sentence_that_opens_a_walk_announces_nothing(sentence: str, finish_reason: str | None):
    for line in ("(A) {a}", "**A. {a}**: this may be", "- A) {a}", "A) {a} - unlikely."):
        text = f"{BEFORE}{sentence}\n\n{line.format(a=FINDINGS['A'])}"
        assert told(text, FINDINGS, finish_reason) in ("abstain", "truncated"), text


@pytest.mark.parametrize("sentence", CONCLUDED_OF_A_NAME)
def test_a_conclusion_that_names_and_labels_an_option_is_read(sentence: str):
    for x, name in DISEASES.items():
        for after in ("", CARE):
            assert told(BEFORE + sentence.format(x=x, t=name) + after, DISEASES, "stop") == x


@pytest.mark.parametrize("finish_reason", ["stop", None])
@pytest.mark.parametrize("sentence", NOT_CONCLUDED)
def test_what_is_weighed_is_not_concluded(sentence: str, finish_reason: str | None):
    for x, y in (("A", "B"), ("C", "E")):
        text = BEFORE + sentence.format(x=x, t=DISEASES[x], y=y, t2=DISEASES[y])
        assert told(text, DISEASES, finish_reason) in ("abstain", "conflict", "truncated"), text
