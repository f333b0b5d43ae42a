"""Questions that refer to something missing from their text: a figure, or a case."""

# ruff: noqa: E501  (a pattern is read best on one line)
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Flag = Literal["figure", "missing_case", "doubtful"]

_THING = (
    r"(?:figures?|fig\.|images?|photos?|photographs?|photomicrographs?|micrographs?|pictures?|pictured|illustrations?|"
    r"diagrams?|drawings?|exhibits?|graphs?|charts?|radiographs?|x-rays?|x-ray films?|scans?|ct|mri|mris|"
    r"ecgs?|ekgs?|electrocardiograms?|tracings?|rhythm strips?|angiograms?|sonograms?|ultrasounds?|echocardiograms?|"
    r"biopsy specimens?|specimens?|smears?|histology|pedigrees?|slides?|spirograms?|audiograms?|funduscop\w+|"
    r"fundus photographs?|findings|rash|lesions?)"
)
_FIGURE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:see|refer to|look at|examine|consider|review|based on|in|from|as (?:shown|seen|depicted|illustrated|labeled) in)"
        rf" (?:the |this |these )?(?:\w+ ){{0,2}}{_THING.replace('|findings|rash|lesions?', '')}\s*"
        r"(?:\s\(?(?-i:[A-D]|[1-9])\)?(?![\w-])|\b(?:below|above|shown|attached|provided|here)\b|on the (?:right|left))",
        r"\b(?:see|refer to|look at|view)\s+(?:the |this )?(?:attached |accompanying |following )?"
        r"(?:figures?|fig\.?|images?|photos?|photographs?|pictures?|diagrams?|exhibits?|graphs?|charts?|illustrations?)\b",
        rf"\b{_THING}[^.?!]{{0,60}}\b(?:is|are|was|were) (?:shown|pictured|depicted|provided|displayed|given|reproduced|presented|illustrated)"
        r"(?: (?:below|above|here|in|to the (?:right|left))\b|\s*[.:;?!]|\s*$)",
        r"\b(?:shown|seen|depicted|pictured|illustrated|displayed|presented|labell?ed) (?:in|on) (?:the )?"
        r"(?:attached |accompanying |following )?(?:figures?|fig\.?|images?|photos?|photographs?|pictures?|diagrams?|"
        r"exhibits?|graphs?|illustrations?)\b",
        r"\b(?:as |is |are )?(?:shown|pictured|depicted|seen|illustrated) (?:below|above|here)\b",
        r"\b(?:figure|fig\.|image|exhibit|panel|photo)(?:\s+\(?|\()(?-i:[A-D]|[1-9])\)?(?![\w-])",
        r"\b(?:following|accompanying|attached|above|below|given) (?:figure|image|photograph|photomicrograph|picture|"
        r"diagram|graph|exhibit|illustration|x-ray|radiograph|ecg|ekg|pedigree|tracing)s?\b"
        r"(?=\s*(?:[.,;:?!)]|$)|\s+(?:shows?|depicts?|demonstrates?|reveals?|is|was|are|were|of|from|below|above|taken|obtained)\b)",
        r"\bthe (?:figure|image|photograph|picture|diagram|exhibit|illustration)s? (?:shows?|depicts?|below|above|demonstrates?|represents?)\b",
        r"\b(?:arrow|point|structure|region|line|curve|area) (?:labell?ed|marked|indicated|designated)\b",
        r"\bindicated by the arrows?\b|\b(?:red|white|black|yellow|blue) arrows?\b",
        r"<\s*img\b|!\[[^\]]*\]\(|\[\s*(?:image|figure|img|picture|photo)[^\]]*\]|<image[ _\d]*>",
        r"如图|见图|下图|上图|图示|図に示|下図|写真を示|그림(?:과|에|은|을)",
    )
)
_PERSON = r"(?:patient|man|woman|boy|girl|infant|child|newborn|neonate|gentleman|lady|individual|male|female|person)"
_CASE = re.compile(
    rf"\bthis {_PERSON}(?:'s|\u2019s)?\b|\b(?:this|the) (?:case|vignette|passage|scenario)\b(?! of| series| report| definition| fatality| control)"
    rf"|\b{_PERSON} (?:described|mentioned|above)\b"
    r"|\b(?:described|mentioned|presented|outlined) (?:above|previously|in the (?:case|passage|vignette|text|abstract))\b"
    r"|\b(?:above|previous|preceding) (?:case|patient|question|passage|scenario|vignette|text|item)\b"
    r"|\b(?:medication|drug|treatment) (?:was )?given\b[^.?]*\bwhich of the following was given\b"
    r"|\b(?:his|her) (?:symptoms?|condition|presentation|findings|anemia|pain|disease|disorder|diagnosis|complaints?)\b",
    re.IGNORECASE,
)
_TELLS_A_CASE = re.compile(
    rf"\b\d+[- ](?:year|month|week|day|yr)s?\b|\byears? old\b|\bpresents?\b|\bcomes to\b|\bbrought\b|\ban? (?:\w+[ -]){{0,3}}{_PERSON}\b",
    re.IGNORECASE,
)
_VALUES = re.compile(r"\d\S*[^\d]+\d|\||:\s*(?:positive|negative|absent|present|yellow|clear)", re.IGNORECASE)
_AFTER = 90  # characters after `shown below` in which values would begin
_SENTENCE = re.compile(r"[.?!](?:\s|$)")
_SHORTEST_CASE = 200  # characters; what is longer tells a case


def flags_of(stem: str, options: Iterable[str] = (), *, has_image: bool = False) -> tuple[Flag, ...]:
    """What a question needs that its text does not hold.

    Args:
        stem: the case and what is asked.
        options: the options' texts; images can stand in their place.
        has_image: the file holds an image for it.
    """
    found: list[Flag] = []
    if has_image or _speaks_of_figure(stem) or any(_is_image(text) for text in options):
        found.append("figure")
    if _lacks_case(stem):
        found.append("missing_case")
    return tuple(found)


def _speaks_of_figure(stem: str) -> bool:
    """Whether a figure is shown to the reader: not where what is `shown below` are values that follow in the text."""
    marks = (mark for pattern in _FIGURE for mark in pattern.finditer(stem))
    return any(not _VALUES.search(stem, mark.end(), mark.end() + _AFTER) for mark in marks)


def _is_image(text: str) -> bool:
    return re.search(r"<\s*img\b|!\[[^\]]*\]\(|\.(?:png|jpe?g|gif|svg)$", text.strip(), re.IGNORECASE) is not None


def _lacks_case(stem: str) -> bool:
    """Whether one sentence asks about a patient or passage that is not described."""
    if len(stem) > _SHORTEST_CASE or len(_SENTENCE.findall(stem)) > 1 or _TELLS_A_CASE.search(stem):
        return False
    return _CASE.search(stem) is not None
