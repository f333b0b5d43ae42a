"""The words by which chains are parsed, in each supported language (`LANGUAGES`).

In another language, steps are found only where they are numbered by bare numerals
(`1.`, `2.`), and second thoughts only in questions (`?`).
"""

# ruff: noqa: RUF001  (patterns hold the marks and letters that models write)

from __future__ import annotations

import re
from collections.abc import Mapping

LANGUAGES = ("English", "German", "French", "Spanish", "Chinese")

STEP_WORDS = ("step", "schritt", "étape", "etape", "paso")
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve",
    "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "un deux trois quatre cinq six sept huit neuf dix onze douze",
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "i ii iii iv v vi vii viii ix x xi xii",
    "一 二 三 四 五 六 七 八 九 十 十一 十二",
)
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "erster zweiter dritter vierter fünfter sechster siebter achter neunter zehnter elfter zwölfter",
    "première deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième",
    "primer segundo tercer cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo",
)
NUMBERS: Mapping[str, int] = {word: n for row in _NUMBERS for n, word in enumerate(row.split(), start=1)}
ORDINALS: Mapping[str, int] = {word: n for row in _ORDINALS for n, word in enumerate(row.split(), start=1)} | {
    "seconde": 2,
}

# The parts of a LongStep step, by every name that they go under.
PARTS: Mapping[str, str] = {
    "goal": "goals?|objectives?|aims?|purpose|ziele?|zweck|objectifs?|but|objetivos?|meta|目标|目標|目的",
    "evidence": "evidence|findings|reasoning|belege?|evidenz|befunde?|begründung|preuves?|éléments|indices|données|"
    "évidences?|evidencias?|pruebas?|hallazgos|datos|证据|證據|依据|依據",
    "conclusion": "conclusions?|inference|"
    "schlussfolgerung|schluss|fazit|ergebnis|conclusión|conclusiones|结论|結論|小结",
}

# A line that begins with one of these comes after the last step.
SUMMING_UP = re.compile(
    r"(?:the |my |la |die |meine |ma )?(?:final (?:answer|diagnosis)|overall (?:conclusion|summary)|summary|in summary"
    r"|putting (?:it|this|everything) (?:all )?together|synthesis(?=\s*[:：*]|$)"
    r"|endgültige (?:antwort|diagnose)|finale antwort|antwort|zusammenfassung|zusammenfassend"
    r"|réponse (?:finale|définitive)|réponse|en résumé|synthèse|résumé"
    r"|respuesta (?:final|definitiva)|respuesta|en resumen|resumen|síntesis)\b|answer\s*[:：]"
    r"|最终(?:答案|诊断)|最終(?:答案|診斷)|答案|总结|總結|综上",
    re.IGNORECASE,
)

# Where a thought asks, supposes, doubts or turns. Words of straight prose count where they open a sentence.
_TURNS_ANYWHERE = (
    r"wait|hmm+|hm|hold on|on second thoughts?|not so fast|what if|could (?:it|this|that|these|he|she) (?:be|have"
    r"|still)"
    r"|or (?:is|could|might) (?:it|this|that)|am i|i(?:'m| am) not (?:so |entirely |quite )?sure|i wonder|i was wrong"
    r"|maybe|perhaps|actually|alternatively|then again|(?:all right|yes|okay|ok|fine), but|scratch that|back to|back up"
    r"|step back|going? back"
    r"|let(?:'s|’s| me) (?:re(?:consider|check|assess|evaluate|think|visit|trace)|check|double[- ]check|see|go back"
    r"|test|weigh|pause|look again|think again|not|consider (?:again|the other|alternatives?|another))"
    r"|(?:that|this|it|which) (?:changes everything"
    r"|(?:does|would)(?:n't|n’t| not) (?:quite )?(?:fit|explain|make sense|hold|add up|work|match|line up|sit))"
    r"|does(?:n't|n’t| not) (?:fit|add up|hold up|sit right)|does (?:that|this|it) (?:fit|make sense)|so not|no,"
    # German
    r"|moment mal|einen moment|warte(?: mal)?|vielleicht|eigentlich|andererseits|oder doch|doch nicht"
    r"|was,? wenn"
    r"|könnte (?:es|das|dies)|nicht (?:ganz )?sicher|passt (?:\w+ )?nicht|zurück zu|noch einmal|nochmals?|stimmt das"
    # French
    r"|attends|attendez|euh|peut-être|en fait|d'un autre côté|et si|serait-ce|pas (?:si |tout à fait )?sûre?"
    r"|ne (?:colle|correspond|tient|cadre) pas|revenons|reprenons|à (?:bien y réfléchir|la réflexion)|non,"
    # Spanish
    r"|espera|un momento|quizás?|tal vez|en realidad|por otro lado|y si|podría (?:ser|tratarse)|no estoy segur[oa]"
    r"|no (?:encaja|cuadra|explica)|volvamos|vuelvo a|pensándolo bien"
)
_TURNS_OPENING = r"But|However|Yet|Aber|Doch|Jedoch|Allerdings|Mais|Cependant|Pourtant|Toutefois|Pero|Sin embargo"
_TURNS_CHINESE = (
    r"等等|等一下|慢着|也许|或许|难道|会不会|是不是|不对|再想想|再看看|重新|回头|回到|其实|嗯|不太确定|不确定|说不通"
    r"|(?:不|并不)符合|(?<=[。！？\n])\s*(?:但是|但|然而|不过|可是)"
)
TURN = re.compile(
    rf"\b(?i:{_TURNS_ANYWHERE})(?:\b|(?<=,))|(?:^|(?<=[.!?…\n\"“—–]))[\s*_\"“]*\b(?:{_TURNS_OPENING})\b"
    rf"|{_TURNS_CHINESE}|[?？]",
    re.MULTILINE,
)
# A question that the exam asks is copied from the case: nobody doubts in it.
EXAM_QUESTION = re.compile(
    r"\b(?:which (?:one )?of the following|what is the (?:most likely|best|next|diagnosis|correct|underlying)"
    r"|welche (?:der folgenden|diagnose)|was ist die wahrscheinlichste|lequel|laquelle"
    r"|quel(?:le)? est le (?:diagnostic|plus)"
    r"|cuál (?:de l[oa]s siguientes|es el diagnóstico|es la?))[^.?!？\n]*[?？]|(?:下列|以下)[^。？?\n]*[?？]",
    re.IGNORECASE,
)

# Where a search says that it turned back.
TURNED_BACK = re.compile(
    r"\b(?:dead[- ]end|(?:let me|let's|i|we|must|to|so|now) (?:go|went|turn|turned|step|stepped|come|came|back) back"
    r"|going back|backtrack\w*|(?:i|we|let me|let's) (?:must |have to |need to |should |will )?(?:return"
    r"|go back|back up) to"
    r"|returning to (?:the|my)|start(?:ing)? over|(?:so|now|then|and),? back to|let me back up"
    r"|abandon\w*|discard\w*|scratch that|(?:wrong|false) (?:track|turn|path|way|trail|lead)|(?:leads?|goes"
    r"|going) nowhere"
    r"|(?:i|we) (?:was|were) wrong|(?:rule|rules|ruled) (?:it|this|that) out|(?:it|this|that) is (?:ruled )?out"
    r"|so not|(?:so|no,|then) not (?:it|that|this)|no, "
    r"|sackgasse|zurück (?:zu|zum|zur|auf)|doch nicht|falsche (?:fährte|spur)|verwerf\w*|verworfen|scheidet (?:damit "
    r"|also |somit )?aus"
    r"|impasse|cul-de-sac|fausse piste|revenons|reprenons|je reviens|on revient|abandonn\w*|écart(?:ons|e)|non, "
    r"|callejón sin salida|pista falsa|volvamos|vuelvo|regres\w+ a|descart(?:o|amos|ado|ada))(?:\b|(?<= ))"
    r"|(?:^|[.,;:!?—–]\s*)back to\b|\bnot (?:it|that|this)[.!;—]"
    r"|死胡同|走不通|此路不通|回到|回头|退回|放弃这|排除这|不对",
    re.IGNORECASE | re.MULTILINE,
)
# What failed, said without turning back: it counts where the text also supposes something.
FAILED = re.compile(
    r"\b(?:does(?: not|n't) (?:fit|explain|hold|work|add up)|rule[sd]? out|argues against|unlikely"
    r"|less likely|a stretch"
    r"|can(?:not|'t|’t) be|is(?:n't|n’t| not) (?:it|right|enough|consistent|compatible)|inconsistent with|nor does it"
    r"|passt (?:\w+ )?nicht|erklärt (?:\w+ )?nicht|spricht (?:da)?gegen|ne (?:colle|correspond|tient|cadre"
    r"|explique) pas"
    r"|no (?:encaja|cuadra|explica))\b|不符合|说不通|不支持|解释不了",
    re.IGNORECASE,
)
