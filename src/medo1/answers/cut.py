"""Whether a text was cut off, and whether what it states stands although it was.

A finish reason says so, or, where none is given, the text's end does: it is no end where a sentence stops in its
middle. That is judged knowing the options: a last line that is a label, or an option's whole text, is an end, whether
or not a full stop follows. A text that thinks aloud and does not say how it ended may be a chain whose marks were lost;
only what it states last, or on a line for the reader, stands.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re

from medo1.answers.candidates import label_at, mention_at
from medo1.answers.phrases import CONTRASTS, DOUBTS, TENTATIVE
from medo1.answers.statements import Statement
from medo1.answers.text import Text, restates, tokens_of

# finish reasons that mean a cut, as engines and providers write them
LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "incomplete"})
CUT = LENGTH | {"content_filter", "error"}

_ENDS_OPEN = re.compile(
    r"(?:[,;:(\[{—–-]|\b(?:the|a|an|is|are|was|of|and|or|to|in|with|for|as|that|which|by|from|on|at|this|be|not|"
    r"it|most|i|"
    r"we|their|his|her|so|if|but|because|likely|answer|option|choice|correct|best|final|next|diagnosis))$",
    re.IGNORECASE,
)
_ENDS_CLOSED = frozenset(".!?。！？…)]}\"'”’»」』|>`$*_✅")
_BARE_ITEM = re.compile(r"[\s>]{0,8}(?:[-•*+#]{1,4}|\d{1,2}[.)]?|\(?\d{1,2}\))[\s*_]{0,4}")
_LABEL_BRACKET = re.compile(r"^[\s*_>#-]{0,8}\([A-Z]\)")
_SPACELESS = 0x2E80  # scripts from here on end a sentence without a mark as often as with one
_SENTENCE_OF_SPACELESS = 10  # characters of a sentence that needs a mark at its end
_CJK_STOP = re.compile(r"[。！？!?.\n]")
_CJK_ENDS = re.compile(
    r"(?:[다요죠음임함됨까네]|です|ます|だ|である|した|ました|ません|ない|正确|正確|选项|選項|答案|吧|的|了|"
    r"[A-Za-z])$"
)
_PARTICLES = frozenset("와과은는을를의에로和或与及以因はをとやのにへで")
_WORDS_OF_A_SENTENCE = 5
_LAST_LINE = 400  # characters of a last line that are looked at

AFTER = 3000  # characters after a statement that are searched for doubt, and as many from the text's end
_DELIBERATION = 3  # doubts before a statement that show a text which thinks aloud
_ALOUD = re.compile(
    r"\s{0,8}(?:<think>\s{0,8})?(?:ok(?:ay)?|alright|all right|hmm+|well|so|let me|let['’]s (?:see|think about)|"
    r"first, i|i need to|i['’]m trying|우선|먼저|"
    r"好的|嗯)\b"
)
# how the monologues of distilled reasoners begin
_CHAIN_OPENS = re.compile(
    r"\s{0,8}(?:ok(?:ay)?|alright|hmm)[,.]{1,3} (?:so,? (?:i|the|this|we|there)\b|"
    r"let['’]s (?:tackle|see)|let me|i need|i have)"
)
_ALOUD_PLAINLY = ("okay", "ok,", "alright", "hmm", "嗯")
_LONG_THOUGHT = 150  # characters below which a text that thinks aloud is no chain
_MUSES = re.compile(
    r"(?:[.!?]|\n)\s{1,4}(?:okay|ok,|alright|hmm|oh,|yeah|yep|so,? i\b|now,? i\b|let me\b|let['’]s see|i think|"
    r"i wonder)"
)
_OPENING = 320  # a statement that begins within so many characters opens the text
_REST_OF_LINE = 24  # words that may follow a statement on its line
_GOES_ON = re.compile(r"[ *_)\]]{0,4}(?:,|;|/|&|\band|\bor|\by|\bund|\bou|와|과|나|和|或|と|や)[ *_(\[]{0,4}")
_EXPLAINED = re.compile(
    r"[\s*_#>\[(-]{0,12}(?:explanation|rationale|reason(?:ing|s)?|justification|because|"
    r"this is (?:the )?(?:correct|right|best)|"
    r"here'?s why|why|the (?:other|correct|answer)|other options)\b"
)


def looks_cut(text: Text) -> bool:  # noqa: PLR0911
    """Whether a text whose finish reason is unknown ends in the middle of a sentence."""
    ended = text.body.rstrip()
    if not ended:
        return False
    start = max(ended.rfind("\n") + 1, len(ended) - _LAST_LINE)
    last = ended[start:]
    if start and (_BARE_ITEM.fullmatch(last) or last.count("**") % 2):
        return True
    if _LABEL_BRACKET.sub("", last).count("(") > last.count(")"):
        return True
    if ended[-1] in ",;([{—–-":
        return True
    if ended[-1] in _ENDS_CLOSED or ends_with_an_option(text, start, len(ended)):
        return False
    if _ends_within_an_option(text, start, len(ended)):
        return True
    if ord(ended[-1]) >= _SPACELESS:
        sentence = _CJK_STOP.split(last)[-1]
        return ended[-1] in _PARTICLES or (
            len(sentence) > _SENTENCE_OF_SPACELESS and _CJK_ENDS.search(sentence) is None
        )
    if ended[-1] == ":" or len(last.split()) >= _WORDS_OF_A_SENTENCE:
        return True
    return len(ended) > 3 and _ENDS_OPEN.search(last[-24:]) is not None  # noqa: PLR2004


def ends_with_an_option(text: Text, start: int, end: int) -> bool:
    """Whether the last line, from `start` to `end`, ends with a label or with an option's whole text."""
    mention = mention_at(text, start, formal=True)
    if mention is not None and mention.letter in text.options:
        own = text.options[mention.letter]
        return (
            mention.end >= end
            or not own
            or restates(text.body[mention.end : end], own)
            or (mention.by_text and mention.last >= end)
        )
    last = text.body[start:end]
    if last[-1:] in text.options and not last[-2:-1].isalnum():
        label = label_at(text, end - 1)
        return label is not None and last[-2:-1] in " ([*:："
    words = tokens_of(last[-_LAST_LINE:])
    wholes = [tokens for tokens in text.offered.tokens.values() if tokens and words[-len(tokens) :] == tokens]
    return any(not _continues(tokens, text) for tokens in wholes if len(words) > len(tokens))


def _ends_within_an_option(text: Text, start: int, end: int) -> bool:
    """Whether the last line is a label and the beginning of its option's text."""
    label = label_at(text, start, formal=True)
    if label is None or label.letter not in text.options:
        return False
    written = text.low[label.end : end].lstrip(" *_:.)-–—(\"'")
    return written != "" and text.options[label.letter].lower().startswith(written)


def _continues(tokens: tuple[str, ...], text: Text) -> bool:
    """Whether another option's text begins with these words and goes on."""
    return any(other != tokens and other[: len(tokens)] == tokens for other in text.offered.tokens.values())


def thinks_aloud(text: Text) -> bool:
    """Whether a text is a deliberation rather than an answer: it opens as one and doubts again and again."""
    low = text.cues
    if _ALOUD.match(low) is None:
        return False
    if len(low) < _LONG_THOUGHT:
        return False
    if "**" in low or "\n#" in low:  # set for a reader
        return len(DOUBTS.ends(low, 0, 2 * AFTER)) > _DELIBERATION
    if _CHAIN_OPENS.match(low) is not None:
        return True
    doubts = len(DOUBTS.ends(low, 0, 2 * AFTER))
    if doubts >= _DELIBERATION or (doubts and low.lstrip().startswith(_ALOUD_PLAINLY)):
        return True
    return len(_MUSES.findall(low, 0, 2 * AFTER)) >= _DELIBERATION


def rest_after(low: str, end: int) -> str:
    """What follows a statement; of a long rest its beginning and its end."""
    if len(low) - end <= 2 * AFTER:
        return low[end:]
    return f"{low[end : end + AFTER]}\n{low[-AFTER:]}"


def deliberates(low: str, statement: Statement) -> bool:
    """Whether what stands before a statement thinks aloud, so that more thought was to follow."""
    return len(DOUBTS.ends(low, max(0, statement.start - AFTER), statement.start)) >= _DELIBERATION


def tentative(low: str, statement: Statement, start: int = 0) -> bool:
    """Whether a statement, from `start` on, says that it is likely, supposed or another's rather than so."""
    clause = max(statement.clause, start)
    return statement.tier != "formal" and TENTATIVE.search(low, clause, statement.end) is not None


def undone_by_cut(text: Text, statement: Statement, *, cut_by: bool) -> str | None:  # noqa: PLR0911
    """Why a statement in a cut text does not hold, None where it does.

    Args:
        text: the text and its options.
        statement: the one that would hold.
        cut_by: the finish reason says that the text was cut; otherwise its end does.
    """
    body, low = text.body, text.cues
    rest = rest_after(low, statement.end)
    unannounced = statement.rule in ("bare_letter", "option_text") and statement.tier == "formal"
    opens = unannounced and not body[: statement.start].strip()
    if not rest.strip():
        # the start of `Ceftriaxone`, or of `Ceftriaxone and azithromycin`; an option's text may open a sentence too
        half = "\n" not in rest and body[statement.end - 1].isalnum()
        return "cut_in_statement" if (cut_by and half) or opens else None
    if _GOES_ON.fullmatch(rest):
        return "cut_in_statement"  # `(A), (`: more options were to be named
    line, _, after = rest.partition("\n")
    if opens and not (
        (after.strip() and not line.strip(" .*_)\"'") and _is_letter_alone(body, statement))
        or _EXPLAINED.match(after)
        or _EXPLAINED.match(line)
    ):
        return "cut_before_statement"  # it may have been the first turn of a walk through the options
    doubt = DOUBTS.stand(rest)
    own_line = len(line.split()) <= _REST_OF_LINE
    if statement.tier == "formal":
        return (
            "cut_after_interim"
            if doubt and not (own_line and after.strip() and not DOUBTS.stand(line) and statement.start <= _OPENING)
            else None
        )
    if doubt or tentative(low, statement):
        return "cut_after_interim"
    if CONTRASTS.foreign(rest):
        return "cut_after_interim"
    if statement.start <= _OPENING or (
        own_line and after.strip() and not CONTRASTS.stand(line) and not deliberates(low, statement)
    ):
        return None
    if len(rest) <= 80 and "answer" in rest and not CONTRASTS.stand(rest):  # noqa: PLR2004
        return None
    return "cut_after_interim"


def _is_letter_alone(body: str, statement: Statement) -> bool:
    """Whether an opening statement is a letter and marks, without an option's text."""
    return len(body[statement.start : statement.end].strip(" .*_()[]\"'`:$\n")) == 1
