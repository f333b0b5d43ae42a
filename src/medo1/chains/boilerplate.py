"""What a model says around a chain: a greeting, an announcement, talk of its prompt, an offer of further help.

A student learns every word of a chain, so "Sure! Here is the monologue:" and "Based on the summary provided" must not
appear in one. The patterns leave words that belong to a case alone: "based on the findings", "according to the
discharge summary", "sure, gout is possible".
"""

# ruff: noqa: RUF001  (patterns hold the marks and letters that models write)

from __future__ import annotations

import re

_THING = (
    r"(?:chain|reasoning|monologue?|step[- ]by[- ]step|steps|solution|explanation|rewrite|rewritten|version|response"
    r"|answer|expansion|thought process|train of thought|stream of consciousness|walk-?through|breakdown|analysis"
    r"|narrative|account|write-?up)(?![-\w])"
)
_IS = r"here(?:'s|’s| is| are)"
_ADJECTIVE = (
    r"(?:step-by-step|detailed|possible|concise|brief|revised|rewritten|expanded|unfolded|structured|complete|comprehensive"
    r"|thorough|longer|inner|internal|first-person|full|short|clear|worked|sample)"
)
_WRITES = (
    r"(?:(?:provide|rewrite|write|expand|unfold|present|transform|convert|produce|give you)\b"
    rf"[^.\n]{{0,60}}?\b(?:{_THING}|summary|account|notes|prose|first person)|walk you through)"
)
_WROTE = r"(?:rewritten|written|expanded|unfolded|transformed|converted|produced)\b"
# At the very beginning.
_OPENING = re.compile(
    rf"(?:sure(?: thing)?|certainly|of course|absolutely|understood|no problem|gladly)[!,.:]*\s+(?:{_IS}|below)\b"
    r"|(?:sure(?: thing)?|certainly|of course|absolutely|understood|got it|no problem)!"
    rf"|(?:[a-z ]{{2,12}}[!,.]+\s+)?(?:{_IS}|below (?:is|are)|the following is) (?:(?:the|my|your) (?:[\w-]+ ){{0,5}}?"
    rf"|(?:an? |one )?(?:{_ADJECTIVE},? ){{1,4}}){_THING}[^.:：\n]{{0,120}}(?:[:：]|\.?[ \t*_]*(?:\n|$))"
    r"|here(?:'s|’s| is) (?:a|the) breakdown\b"
    rf"|(?:[a-z ]{{2,12}}[!,.]+\s+)?(?:i(?:'ll|’ll| will| am going to|'m going to|’m going to)"
    rf"|let me) (?:now )?{_WRITES}"
    rf"|(?:[a-z ]{{2,12}}[!,.]+\s+)?i(?:'ve|’ve| have) (?:now )?{_WROTE}"
    r"|as requested\b|thank you for|thanks for"
    r"|(?:(?:rewritten|expanded|unfolded|revised|final|the|my|physician's|internal|inner) )*"
    r"(?:monologue?|train of thought|rewritten (?:version|solution)|expanded (?:version|thought"
    r"|reasoning))\s*[:：]?[\s*_]*\n"
    # German
    r"|(?:gerne|gern|natürlich|selbstverständlich|klar|sicher)[!,.]*\s+(?:hier|im folgenden|ich (?:werde|schreibe))"
    r"|(?:hier (?:ist|sind|kommt|folgt)|im folgenden (?:finden|steht|der|die)) [^.\n]{0,60}?"
    r"(?:monolog|gedankengang|lösung|überlegung|begründung|antwort|schritte)"
    # French
    r"|(?:bien sûr|certainement|d'accord|volontiers|avec plaisir)\s*[!,.]*\s*(?:voici|je vais)"
    r"|voici [^.\n]{0,60}?(?:monologue|raisonnement|solution|étapes|réponse|réflexion|version)"
    # Spanish
    r"|[¡]?(?:claro(?: que sí)?|por supuesto|desde luego|con gusto)[!,.]*\s*(?:aquí|a continuación|voy a)"
    r"|(?:aquí (?:está|están|tienes|tiene)|a continuación(?: se)? (?:presento|presenta|está)) [^.\n]{0,60}?"
    r"(?:monólogo|razonamiento|solución|pasos|respuesta|versión)"
    # Chinese
    r"|(?:好的|当然|當然|没问题|沒問題)[，,！!。]?\s*(?:以下|下面|这是|這是|我将|我會|我会)|(?:以下|下面)是[^。\n]{0,30}(?:独白|推理|解答|分析|步骤|思考|回答)",
    re.IGNORECASE,
)
# Anywhere: talk of the prompt and of what stood in it.
_MATERIAL = (
    r"(?:summary|(?:outline|instructions|prompt) (?:provided|given|above)|prompt(?=[,.;:\n])|(?:(?:thorough|quick"
    r"|provided|given|two|both|earlier|colleague['’]?s['’]?) )+solutions?"
    r"|notes (?:provided|given|above)|reasoning (?:provided|above))"
)
_PROMPT_TALK = re.compile(
    rf"\b(?:based on|according to|following|given|from|using|as (?:described|stated|noted|mentioned|given"
    rf"|requested) in|per)"
    rf" (?:the|this|your|these) (?:provided |given |above |following |original )?{_MATERIAL}\b"
    r"|\b(?:the|this|your) (?:provided |given |above )?summary (?:provided|given|above|mentions|says|states|suggests"
    r"|notes"
    r"|describes|indicates)\b"
    r"|\bthe (?:thorough|quick) (?:and (?:the )?quick )?solutions?\b|\b(?:the|my|a) (?:first|second|other) colleague\b"
    r"|\bas an ai(?: language)?(?: model| assistant)?\b|\bi(?:'m|’m| am) (?:just |only )?an ai\b"
    r"|\bas a (?:large )?language model\b"
    r"|\bi apologi[sz]e for\b|\bsorry for the (?:confusion|earlier|previous|mistake)"
    r"|\bas you (?:requested|instructed|asked)\b"
    r"|\b(?:basierend auf|gemäß|laut|anhand) (?:der|dieser) (?:\w+en )?zusammenfassung\b"
    r"|\b(?:d'après|selon|sur la base (?:de|du)) (?:le |ce )?résumé\b"
    r"|\b(?:basándo(?:me|nos) en|según|con base en) (?:el|este) resumen\b"
    r"|(?:根据|依据|按照)(?:您|你|所|上述|以上|给定|提供|的)*(?:摘要|总结|概要|提示)",
    re.IGNORECASE,
)
# In the last lines.
_CLOSING = re.compile(
    r"\b(?:(?:i )?hope (?:this|that|it) helps?|let me know (?:if|whether)|feel free to|would you like (?:me|to|further)"
    r"|if you(?:'d|’d| would) like (?:me|to|a|further)|happy to (?:help|clarify|elaborate|explain)"
    r"|if you (?:have|need) (?:any |further |more |other |additional )*(?:questions|concerns|help|clarification"
    r"|details|information)"
    r"|disclaimer\s*[:：]|note\s*[:：*_]+\s*(?:this (?:is|response|answer|analysis|information|explanation|reasoning)"
    r"|i am|i'm|the above|please|as an)"
    r"|(?:is|are) (?:not )?(?:intended |provided |meant )?(?:for|as|to be) (?:\w+ ){0,2}(?:educational|informational"
    r"|medical advice)"
    r"|substitute for (?:professional|medical)"
    r"|(?:please|always|should) consult (?:a|your|with) (?:qualified|healthcare|health care|medical|physician|doctor)"
    r"|ich hoffe,? (?:das|dies|es) hilft|lassen sie (?:es )?mich wissen|lass (?:es )?mich wissen"
    r"|j'espère que (?:cela|ça|ceci)|n'hésitez pas|espero que (?:esto|te|le|sea)|no dude en|si necesitas?)\b"
    r"|希望(?:这|以上|对你|对您|能)|如有(?:疑问|问题)|如果(?:您|你)(?:还有|需要)",
    re.IGNORECASE,
)
_TAIL = 400  # characters from the end in which a closing is looked for
_REFUSAL = re.compile(
    r"(?:i(?:'m|’m| am) (?:very |really )?(?:sorry|unable)|sorry|unfortunately)\b[^.\n]{0,40}?\b(?:i (?:can(?:'|’)?t"
    r"|cannot|can not|won(?:'|’)t"
    r"|am (?:not able|unable))|unable to|not able to)|i (?:can(?:'|’)?t|cannot|won(?:'|’)t) (?:help|assist|provide"
    r"|share|comply|reveal|disclose|fulfil)"
    r"|i(?:'m|’m| am) (?:unable|not able) to (?:share|provide|help|assist|answer|comply|reveal|disclose|give)"
    r"|es tut mir leid|je suis désolée?|lo siento|抱歉|对不起",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"^[\s#>*_\-–—`\"“”'•|~]+")


def boilerplate(text: str) -> str | None:
    """The words around a chain that are not part of it; None where there are none."""
    head = _SIGNS.sub("", text[:600])
    found = _OPENING.match(head) or _PROMPT_TALK.search(text) or _CLOSING.search(text[-_TAIL:])
    return " ".join(found[0].split())[:120] if found else None


def refusal(text: str) -> bool:
    """Whether a reply begins by declining."""
    return _REFUSAL.match(_SIGNS.sub("", text[:300])) is not None
