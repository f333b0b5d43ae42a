"""The choice among chains that passed: a total, quotas per source, topics in rotation, long and short mixed.

The rule, for a seed: chains are put in an order by source, topic and length class; within one such group by how often
the solver failed (where `hard_first` is set), then by a hash of seed, question and sample. Sources and length classes
get their quotas; within a quota the topics take turns, each giving its next chain, the topics with fewer chains
exhausted first. A quota that a source or a class cannot fill goes to no other: a shortfall is reported, never filled
silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from medo1.chains.filters.candidate import PASSED, Candidate, Verdict, dropped
from medo1.chains.filters.specs import SelectionSpec
from medo1.lineage.digests import seed_from

NO_TOPIC = "other"


def topic_of(candidate: Candidate, topics: Mapping[str, Sequence[str]]) -> str:
    """The topic with the most of its words in the question, whole or as beginnings; of equals the first.

    Where none has any it is `other`.
    """
    assert candidate.question is not None
    text = f"{candidate.question.stem} {' '.join(candidate.question.options.values())}".lower()
    best, most = NO_TOPIC, 0
    for topic, words in topics.items():
        count = len(_any_of(tuple(words)).findall(text))
        if count > most:
            best, most = topic, count
    return best


@lru_cache(maxsize=256)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Words that begin so, the longest first."""
    return re.compile(
        r"\b(?:" + "|".join(re.escape(word.lower()) for word in sorted(words, key=len, reverse=True)) + ")"
    )


def selected(
    candidates: Sequence[Candidate],
    alive: Sequence[bool],
    spec: SelectionSpec,
    seed: int,
    failures: Mapping[str, float] | None = None,
) -> list[Verdict]:
    """A verdict for each candidate; one that was dropped before passes here, and takes no one's place.

    Args:
        candidates: all chains.
        alive: which of them passed every other filter.
        spec: sizes and quotas.
        seed: of the order within a group.
        failures: share of the solver's attempts that failed, by question.
    """
    if spec.target_size is None and not spec.sources and spec.long_tokens is None:
        return [PASSED] * len(candidates)
    queues: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in _ordered(candidates, alive, spec, seed, failures or {}):
        candidate = candidates[place]
        assert candidate.question is not None
        source = candidate.question.benchmark
        queues[source, _length_class(candidate, spec)][topic_of(candidate, spec.topics)].append(place)
    chosen: set[int] = set()
    taken: dict[str, int] = defaultdict(int)
    quotas = _class_quotas(spec, sum(alive))
    by_class: dict[str, int] = defaultdict(int)
    turns = {group: _in_turn(topics) for group, topics in sorted(queues.items())}
    going = dict(turns)
    while going:
        for group in list(going):
            source, length = group
            full = (
                (spec.target_size is not None and len(chosen) >= spec.target_size)
                or (spec.sources and taken[source] >= spec.sources.get(source, 0))
                or (length in quotas and by_class[length] >= quotas[length])
            )
            if full or not going[group]:
                del going[group]
                continue
            chosen.add(going[group].pop(0))
            taken[source] += 1
            by_class[length] += 1
    return [
        PASSED if not alive[place] or place in chosen else dropped(_why_not(candidate, spec))
        for place, candidate in enumerate(candidates)
    ]


def _ordered(
    candidates: Sequence[Candidate],
    alive: Sequence[bool],
    spec: SelectionSpec,
    seed: int,
    failures: Mapping[str, float],
) -> list[int]:
    def order(place: int) -> tuple[float, int]:
        question_id, sample = candidates[place].key
        hard = -failures.get(question_id, 0.0) if spec.hard_first else 0.0
        return hard, seed_from("selection", seed, question_id, sample)

    return sorted((place for place in range(len(candidates)) if alive[place]), key=order)


def _length_class(candidate: Candidate, spec: SelectionSpec) -> str:
    if spec.long_tokens is None or candidate.tokens is None:
        return "any"
    return "long" if candidate.tokens >= spec.long_tokens else "short"


def _class_quotas(spec: SelectionSpec, alive: int) -> dict[str, int]:
    if spec.long_tokens is None:
        return {}
    size = spec.target_size if spec.target_size is not None else alive
    long = round(size * spec.long_share)
    return {"long": long, "short": size - long}


def _in_turn(topics: Mapping[str, Sequence[int]]) -> list[int]:
    """The topics' chains, one of each in turn."""
    order: list[int] = []
    for turn in range(max((len(places) for places in topics.values()), default=0)):
        order.extend(topics[topic][turn] for topic in sorted(topics) if turn < len(topics[topic]))
    return order


def _why_not(candidate: Candidate, spec: SelectionSpec) -> str:
    assert candidate.question is not None
    source = candidate.question.benchmark
    if spec.sources and source not in spec.sources:
        return f"no chains of {source} are wanted (selection.sources)"
    wanted = f"{spec.sources[source]} of {source}" if source in spec.sources else f"{spec.target_size} in all"
    length = _length_class(candidate, spec)
    mixed = f", {length} chains within their share" if length != "any" else ""
    return f"good, but others were drawn: {wanted}{mixed}; topic {topic_of(candidate, spec.topics)}"
