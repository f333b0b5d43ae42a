"""A judge engine that grades free-form answers.

Equal names are matched without a judge; only the others are sent. The judge's prompt, and
the parsing of its reply, are in `medo1.differential.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from medo1.differential.ranked import Differential
from medo1.differential.synonyms import SYNONYMS
from medo1.differential.verdicts import judge_prompt, read_verdict
from medo1.engines.base import Engine, Message, Request, Sampling
from medo1.engines.wrappers.progress import told_completions

GREEDY = Sampling(max_new_tokens=512)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where the gold diagnosis stands in one answer's list.

    Attributes:
        key: the caller's name for the answer.
        rank: from 1; None where it is not in the list, or where that is unknown.
        by: `text` (equal names), `judge`, `nobody` (an empty list, or no judge given), `unread` (the judge's reply
        states no
            verdict, or it failed: `error` says why).
        error: the engine's reason.
        request_id: of the judge's reply in the completion store; empty where it was not asked.
    """

    key: str
    rank: int | None
    by: Literal["text", "judge", "nobody", "unread"]
    error: str | None = None
    request_id: str = ""


def judged(
    answers: Iterable[tuple[str, Differential, str]],
    engine: Engine | None = None,
    template: str = "",
    *,
    sampling: Sampling = GREEDY,
    synonyms: Mapping[str, str] = SYNONYMS,
) -> Iterator[Judgement]:
    """The rank of the gold diagnosis in each answer, in the order in which it is known.

    Args:
        answers: key, list of diagnoses and gold diagnosis of each answer; keys are unique.
        engine: the judge; None leaves what text does not match unmatched.
        template: the judge's prompt, see `medo1.differential.verdicts.judge_prompt`.
        sampling: how the judge answers; greedy by default.
        synonyms: further names, see `medo1.differential.diagnoses`.

    Raises:
        ValueError: for a template without its places, before anything is asked.
        EngineError: when the judge cannot answer at all.
    """
    if engine is not None:
        judge_prompt(template, (), "")
    counts: dict[str, int] = {}
    requests = []
    for key, differential, gold in answers:
        rank = differential.rank_of(gold, synonyms)
        if rank is not None:
            yield Judgement(key, rank, "text")
        elif engine is None or not differential.diagnoses:
            yield Judgement(key, None, "nobody")
        else:
            counts[key] = len(differential.diagnoses)
            prompt = judge_prompt(template, differential.names, gold)
            requests.append(Request(key=key, messages=(Message("user", prompt),), sampling=sampling, seed=0))
    if engine is None:
        return
    for completion in told_completions(engine, requests, "judge of free-form answers"):
        if completion.finish_reason == "error":
            yield Judgement(completion.key, None, "unread", completion.error, completion.request_id)
            continue
        verdict = read_verdict(completion.text, counts[completion.key], completion.finish_reason)
        by: Literal["judge", "unread"] = "unread" if verdict.status == "unread" else "judge"
        yield Judgement(completion.key, verdict.rank, by, None, completion.request_id)
