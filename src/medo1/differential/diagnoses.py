"""When two names mean the same diagnosis.

Free-form answers are compared with the gold answer's text. Names are normalised first: spelling (British and
American), case, articles, possessives (`Crohn's`), Roman and Arabic types, Greek letters, filler words (`acute onset
of` is kept, `suspected` is dropped), and common abbreviations. After that only equal forms match: similarity is
left to a judge, see `medo1.differential.verdicts`.
"""
# ruff: noqa: RUF001  (typographic marks are evened out)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from medo1.differential.synonyms import SYNONYMS

_SPELLINGS = (
    (re.compile(r"haem"), "hem"),
    (re.compile(r"aem(?=i)"), "em"),  # anaemia, leukaemia, ischaemic
    (re.compile(r"oesoph"), "esoph"),
    (re.compile(r"oedem"), "edem"),
    (re.compile(r"oestr"), "estr"),
    (re.compile(r"foet"), "fet"),
    (re.compile(r"diarrhoea"), "diarrhea"),
    (re.compile(r"dyspnoea"), "dyspnea"),
    (re.compile(r"apnoea"), "apnea"),
    (re.compile(r"rrhoea"), "rrhea"),
    (re.compile(r"paed"), "ped"),
    (re.compile(r"caec"), "cec"),
    (re.compile(r"faec"), "fec"),
    (re.compile(r"gynaec"), "gynec"),
    (re.compile(r"anaesth"), "anesth"),
    (re.compile(r"orthopaed"), "orthoped"),
    (re.compile(r"coeliac"), "celiac"),
    (re.compile(r"tumour"), "tumor"),
    (re.compile(r"(?<=\w)isation"), "ization"),
    (re.compile(r"(?<=\w)ised\b"), "ized"),
    (re.compile(r"\bglycaem"), "glycem"),
    (re.compile(r"leuco"), "leuko"),
    (re.compile(r"\bliver cell carcinoma"), "hepatocellular carcinoma"),
)
_EVEN = (
    dict.fromkeys(map(ord, "‐‑‒–—−-/"), " ")
    | dict.fromkeys(map(ord, '“”«»"*_`~$\\,;:.!?'), " ")
    | {ord("’"): "'", ord("‘"): "'", ord("α"): " alpha ", ord("β"): " beta ", ord("γ"): " gamma ", ord("δ"): " delta "}
)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7"}
_TYPE = re.compile(r"\b(type|stage|grade|class|factor|men)\s*([ivx]{1,4})([ab]?)\b")
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_FILL = re.compile(
    r"^(?:(?:the|a|an|most|likely|probable|possible|suspected|presumed|presumptive|this|is|diagnosis|of|final|primary "
    r"diagnosis|consistent|with|suggestive|classic|typical|case)\s+)+"
)
_ENDINGS = re.compile(r"\s+(?:nos|unspecified|likely|suspected)$")


def normalised_diagnosis(name: str, synonyms: Mapping[str, str] = SYNONYMS) -> str:
    """A diagnosis' name in the form in which names are compared.

    Args:
        name: as written.
        synonyms: further names (in normal form) to the name that they stand for.
    """
    text = _PARENTHESES.sub(" ", unicodedata.normalize("NFKC", name).lower())
    return _normal(text, synonyms)


def names_of(name: str, synonyms: Mapping[str, str] = SYNONYMS) -> frozenset[str]:
    """All normal forms of a name: of the whole, and of a known abbreviation in brackets (`... erythematosus (SLE)`)."""
    text = unicodedata.normalize("NFKC", name).lower()
    forms = {_normal(_PARENTHESES.sub(" ", text), synonyms)}
    forms.update(_normal(inside, synonyms) for inside in _PARENTHESES.findall(text) if _is_a_name(inside, synonyms))
    return frozenset(form for form in forms if form)


def _is_a_name(inside: str, synonyms: Mapping[str, str]) -> bool:
    """Whether what stands in brackets is another name rather than a remark: an abbreviation that is known."""
    return _normal(inside, {}) in synonyms


def _normal(text: str, synonyms: Mapping[str, str]) -> str:
    text = unicodedata.normalize("NFD", text.translate(_EVEN))
    text = "".join(character for character in text if not unicodedata.combining(character))
    text = re.sub(r"'s\b", "", text).replace("'", "")
    text = re.sub(r"\s+", " ", text).strip()
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    text = _TYPE.sub(lambda match: f"{match[1]} {_ROMAN.get(match[2], match[2])}{match[3]}", text)
    text = _ENDINGS.sub("", _FILL.sub("", text))
    return synonyms.get(text, text)


def same_diagnosis(one: str, other: str, synonyms: Mapping[str, str] = SYNONYMS) -> bool:
    """Whether two names have a normal form in common."""
    return not names_of(one, synonyms).isdisjoint(names_of(other, synonyms))
