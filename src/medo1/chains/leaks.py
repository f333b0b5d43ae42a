"""Whether a chain betrays that its author was shown the answer.

Who calls it: the formats' checks here, and filters. A chain that says "the given answer is C, so ..." teaches a student
to argue backwards from an answer that it will not have. The patterns speak of an answer as given, provided or expected;
medicine's own uses of these words ("given the rash", "as indicated") are not meant and do not match.
"""

from __future__ import annotations

import re

ANSWER = r"(?:answer|diagnosis|option|choice|solution|label)"
LEAKS = re.compile(
    "|".join(
        (
            rf"\b(?:the|this|that|our|my)\s+(?:given|provided|supplied|reference|gold|expected|official|marked|stated|"
            rf"ground[- ]truth)(?:\s+(?:correct|right|final))?\s+{ANSWER}\b",
            rf"\b(?:the|this)\s+(?:correct|right|final)\s+{ANSWER}\s+(?:is|was|has been)\s+"
            r"(?:given|provided|supplied|known)\b",
            rf"\b{ANSWER}\s+(?:that\s+)?(?:i|we)\s+(?:was|were|have been|am|are)\s+(?:given|told|shown|provided)\b",
            r"\baccording to the (?:answer key|key|provided answer|given answer|gold|reference answer)\b",
            r"\banswer key\b",
            r"\bground[- ]truth\b",
            rf"\b(?:since|because|as|knowing that)\s+(?:i|we)\s+(?:already\s+)?know\s+(?:that\s+)?the\s+"
            rf"(?:correct\s+)?{ANSWER}\b",
            rf"\b(?:i|we)\s+(?:was|were|am|are)\s+(?:given|told)\s+(?:that\s+)?the\s+(?:correct\s+|right\s+)?{ANSWER}\b",
        )
    ),
    re.IGNORECASE,
)


def leak(text: str) -> str | None:
    """The words in which a text speaks of a given answer; None where it does not."""
    found = LEAKS.search(text)
    return found[0] if found else None
