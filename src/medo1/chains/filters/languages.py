"""Which language a text is in: by its script, and among languages in Latin script by their most common words.

Enough to notice a teacher that thinks in a language other than the question's, or switches language in mid-thought;
not meant for short texts or for distinguishing closely related languages.
"""

from __future__ import annotations

import re
from collections import Counter

_SCRIPTS = {
    "kana": r"[\u3040-\u30ff]",
    "han": r"[\u3400-\u4dbf\u4e00-\u9fff]",
    "hangul": r"[\uac00-\ud7af\u1100-\u11ff]",
    "cyrillic": r"[\u0400-\u04ff]",
    "greek": r"[\u0370-\u03ff]",
    "arabic": r"[\u0600-\u06ff]",
    "hebrew": r"[\u0590-\u05ff]",
    "devanagari": r"[\u0900-\u097f]",
    "thai": r"[\u0e00-\u0e7f]",
    "latin": r"[A-Za-z\u00c0-\u024f]",
}
_COUNTERS = {name: re.compile(pattern) for name, pattern in _SCRIPTS.items()}
_OF_LANGUAGE = {
    "ja": ("kana", "han"), "zh": ("han",), "ko": ("hangul", "han"), "ru": ("cyrillic",), "el": ("greek",),
    "ar": ("arabic",), "he": ("hebrew",), "hi": ("devanagari",), "th": ("thai",),
}  # fmt: skip
_COMMON = {
    "en": "the of and to in is that it was for with as be this on are by not or from have which an but at",
    "de": "der die das und ist nicht ein eine mit den von zu auf für dem des sich auch es wird bei oder sind als im",
    "fr": "le la les des et est une dans que qui pour pas sur avec au du par il sont plus ce cette ne se ou",
    "es": "el la los las de que y en un una es por con para no se del al lo como más pero su son este",
    "it": "il la di che e un una è per non con si da del della le dei nel al sono come più ma anche questo",
    "pt": "o a os as de que e em um uma é por com para não se do da no na mais como mas ao são",
    "nl": "de het een en van is dat niet in op te met voor zijn aan er die bij ook als maar om deze wordt door",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
LEAST_LETTERS = 20
LEAST_COMMON = 0.08  # share of a Latin text's words that must be common ones of its language
MARGIN = 1.2
KANA_SHARE = 0.05


def _letters(text: str) -> Counter[str]:
    return Counter({name: len(pattern.findall(text)) for name, pattern in _COUNTERS.items()})


def language_of(text: str) -> str | None:
    """The language's ISO code; None where the text is too short or no known language stands out."""
    letters = _letters(text)
    total = sum(letters.values())
    if total < LEAST_LETTERS:
        return None
    east_asian = letters["kana"] + letters["han"]
    script, _ = letters.most_common(1)[0]
    if 2 * east_asian > total:
        return "ja" if letters["kana"] > KANA_SHARE * east_asian else "zh"
    if script != "latin":
        return next((language for language, scripts in _OF_LANGUAGE.items() if script in scripts), None)
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = sorted(((sum(word in known for word in words), name) for name, known in _WORDS.items()), reverse=True)
    (best, language), (second, _) = counts[:2]
    return language if best >= LEAST_COMMON * len(words) and best > MARGIN * second else None


def script_share(text: str, language: str | None) -> float:
    """Share of a text's letters that belong to the scripts of a language; Latin for one that is not known."""
    letters = _letters(text)
    total = sum(letters.values())
    scripts = _OF_LANGUAGE.get(language or "", ("latin",))
    if scripts != ("latin",):  # names and abbreviations are Latin everywhere
        scripts = (*scripts, "latin") if 2 * letters["latin"] < total else scripts
    return sum(letters[script] for script in scripts) / total if total else 1.0
