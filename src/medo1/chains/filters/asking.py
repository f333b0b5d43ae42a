"""The filters that ask a model: a solver that tries the questions, judges of chains, a teacher that rewrites one.

Every answer comes through an engine, so that the completion store keeps it and nothing is paid for twice. A prompt is a
text with `{{question}}`, `{{chain}}` and, for a rewrite, `{{reason}}` and `{{request}}` (the teacher's original
request); inserted text is never searched for placeholders.
"""

# ruff: noqa: E501  (a pattern is read as one line)

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from medo1.chains.filters.candidate import Candidate, Verdict, dropped
from medo1.chains.filters.specs import DifficultySpec, JudgeSpec
from medo1.chains.prompts import filled, places, substituted
from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.engines.wrappers.progress import told_completions
from medo1.errors import UserError
from medo1.lineage.digests import seed_from
from medo1.questions import Question, prompt_text, question_text

ANSWER, QUALITY, REFINE = "answer", "quality", "refine"  # the prompt files
PLACES = {
    ANSWER: {"question", "chain"},
    QUALITY: {"question", "chain"},
    REFINE: {"question", "chain", "reason", "request"},
}

_LETTER = re.compile(r"^[\s*#>_]*answer[\s*_]*:[\s*_(\[]*(?P<letter>[A-Z]|none)\b", re.IGNORECASE | re.MULTILINE)
_SCORE = re.compile(
    r"^[\s*#>_-]*(?P<name>[a-z][a-z _-]{2,40}?)[\s*_]*:[\s*_]*(?P<score>[1-5])\b(?!\s*[.\d])",
    re.IGNORECASE | re.MULTILINE,
)
_RECONSIDERED = re.compile(
    r"\b(?:wait|hold on|on second thought|actually|but (?:then|that|if)|not so fast|go(?:ing)? back|step(?:ping)? back|"
    r"reconsider\w*|rethink\w*|let me re-?(?:check|think|consider|visit)|scratch that|that (?:doesn'?t|does not) (?:fit|explain|"
    r"add up|work|hold)|(?:doesn'?t|does not) (?:quite )?fit|so not\b|no longer|changes? (?:my|the) (?:mind|picture|view)|"
    r"rules? (?:it |that |this )?out|so after)\b",
    re.IGNORECASE,
)  # fmt: skip


def checked_prompt(prompts: Mapping[str, str], name: str, where: str) -> str:
    """A prompt of the filters, with its places.

    Raises:
        UserError: it is missing, lacks a place or has an unknown one.
    """
    if name not in prompts:
        raise UserError(f"{where}: there is no prompt {name}.md (found: {', '.join(sorted(prompts)) or 'none'})")
    used = places(prompts[name])
    if used != PLACES[name]:
        wanted = ", ".join(f"{{{{{place}}}}}" for place in sorted(PLACES[name]))
        raise UserError(f"{where}/{name}.md must have the places {wanted}; found {', '.join(sorted(used)) or 'none'}")
    return prompts[name]


def reconsidered(text: str) -> int:
    """How often a chain takes a hypothesis back or looks at it again."""
    return len(_RECONSIDERED.findall(text))


def attempted(
    questions: Sequence[Question], engine: Engine, prompt: str, spec: DifficultySpec, seed: int
) -> list[dict[str, Any]]:
    """How a solver that does not think long fares with each question: rows for `FILTER_ATTEMPTS`.

    Args:
        questions: what is tried.
        engine: the solver.
        prompt: what is asked of it after the question.
        spec: number of attempts and their sampling.
        seed: of the draws.
    """
    from medo1.answers import read_answer

    by_id = {question.question_id: question for question in questions}
    sampling = Sampling(temperature=spec.temperature, max_new_tokens=spec.max_new_tokens)
    requests = [
        Request(
            key=f"{question.question_id}/{sample}",
            messages=(Message("user", prompt_text(question, prompt)),),
            sampling=sampling,
            sample=sample,
            seed=seed_from(seed, "attempt", question.question_id, sample),
        )
        for question in by_id.values()
        for sample in range(spec.attempts)
    ]
    tried: dict[str, int] = defaultdict(int)
    right: dict[str, int] = defaultdict(int)
    for completion in told_completions(engine, requests, "attempts at training questions"):
        if completion.finish_reason == "error":
            continue
        question = by_id[completion.key.split("/")[0]]
        tried[question.question_id] += 1
        answer = read_answer(completion.text, question.options, completion.finish_reason)
        right[question.question_id] += answer.letter == question.gold
    return [
        {"question_id": question_id, "attempts": tried[question_id], "right": right[question_id]}
        for question_id in by_id
    ]


def hard_enough(candidate: Candidate, failures: Mapping[str, float], spec: DifficultySpec) -> Verdict:
    """The question needs long thought, and the chain gives it some.

    Args:
        candidate: the chain.
        failures: share of a solver's attempts that failed, by question; one that was not tried is not dropped for it.
        spec: what is hard enough.
    """
    turns = reconsidered(candidate.text)
    if turns < spec.min_reconsidered:
        return dropped(f"takes a hypothesis back {turns} times, fewer than {spec.min_reconsidered}", turns)
    rate = failures.get(candidate.key[0])
    if rate is None:
        return Verdict(True, f"nobody tried the question; takes a hypothesis back {turns} times")
    told = f"{rate:.0%} of {spec.solver}'s attempts fail"
    if rate < spec.min_failure_rate:
        return dropped(f"{told}, less than {spec.min_failure_rate:.0%}: it needs no long thought", rate)
    if rate > spec.max_failure_rate:
        return dropped(f"{told}, more than {spec.max_failure_rate:.0%}", rate)
    return Verdict(True, f"{told}; takes a hypothesis back {turns} times", rate)


def judgements(
    candidates: Sequence[Candidate],
    engines: Mapping[str, Engine],
    prompts: Mapping[str, str],
    spec: JudgeSpec,
    unread: Collection[tuple[str, int]],
    *,
    quality: bool,
) -> list[dict[str, Any]]:
    """What each judge says of each chain: rows for `CHAIN_JUDGEMENTS`.

    Args:
        candidates: the chains.
        engines: the judges, by name.
        prompts: by purpose (`ANSWER`, `QUALITY`), checked.
        spec: room for a reply.
        unread: the chains whose answer the judge reads: those that state it in prose.
        quality: whether reasoning is scored.
    """
    rows = {
        (name, one.key): {
            "question_id": one.key[0], "format": one.chain["format"], "sample": one.key[1], "judge": name,
            "answer": None, "score": None, "request_ids": [],
        }
        for name in engines
        for one in candidates
    }  # fmt: skip
    for name, engine in engines.items():
        purposes = [(ANSWER, [one for one in candidates if one.key in unread])]
        purposes += [(QUALITY, list(candidates))] if quality else []
        for purpose, chosen in purposes:
            for key, reply in _replies(chosen, engine, prompts[purpose], spec, purpose).items():
                row = rows[name, key]
                row["answer" if purpose == ANSWER else "score"] = _letter(reply) if purpose == ANSWER else _score(reply)
                row["request_ids"].append(reply.request_id)
    return [row for row in rows.values() if row["request_ids"]]


def answers_read(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], str]:
    """The letter that judges read in a chain's prose, where all that were asked read the same one."""
    letters: dict[tuple[str, int], set[str | None]] = defaultdict(set)
    for row in rows:
        letters[row["question_id"], int(row["sample"])].add(row["answer"])
    return {key: letter for key, said in letters.items() if len(said) == 1 and (letter := next(iter(said)))}


def quality_verdicts(rows: Iterable[Mapping[str, Any]], least: float) -> dict[tuple[str, int], Verdict]:
    """The judges' verdict on each chain that one of them scored: the mean of their scores against the least."""
    scores: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row["score"] is not None:
            scores[row["question_id"], int(row["sample"])][row["judge"]] = row["score"]
    verdicts = {}
    for key, told in scores.items():
        mean = sum(told.values()) / len(told)
        said = ", ".join(f"{name} {score:.1f}" for name, score in told.items())
        reason = f"judged {said}" + ("" if mean >= least else f"; the mean is less than {least:.1f}")
        verdicts[key] = Verdict(mean >= least, reason, mean)
    return verdicts


def judges_agreement(rows: Iterable[Mapping[str, Any]], least: float) -> dict[str, Any]:
    """How far two judges agree: on keeping or dropping (share, and Cohen's kappa), and in points; {} for one judge."""
    scores: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for row in rows:
        if row["score"] is not None:
            scores[row["judge"]][row["question_id"], int(row["sample"])] = row["score"]
    if len(scores) != 2:  # noqa: PLR2004
        return {}
    (first, one), (second, other) = sorted(scores.items())
    pairs = [(one[key], other[key]) for key in one if key in other]
    if not pairs:
        return {"judges": [first, second], "chains": 0}
    keeps = [(a >= least, b >= least) for a, b in pairs]
    same = sum(a == b for a, b in keeps) / len(pairs)
    rate, other_rate = (sum(pair[place] for pair in keeps) / len(pairs) for place in (0, 1))
    chance = rate * other_rate + (1 - rate) * (1 - other_rate)
    return {
        "judges": [first, second],
        "chains": len(pairs),
        "same_verdict": same,
        "kappa": 1.0 if chance == 1 else (same - chance) / (1 - chance),
        "mean_difference": sum(abs(a - b) for a, b in pairs) / len(pairs),
    }


def _letter(reply: Completion) -> str | None:
    found = {match["letter"].upper() for match in _LETTER.finditer(reply.text)}
    return found.pop() if len(found) == 1 and found != {"NONE"} and reply.finish_reason == "stop" else None


def _score(reply: Completion) -> float | None:
    """The mean of the rubric's lines (`derivation: 4`); None where a reply has none or was cut."""
    lines = {match["name"].strip().lower(): int(match["score"]) for match in _SCORE.finditer(reply.text)}
    return sum(lines.values()) / len(lines) if lines and reply.finish_reason == "stop" else None


def _replies(
    candidates: Iterable[Candidate], engine: Engine, prompt: str, spec: JudgeSpec, purpose: str
) -> dict[tuple[str, int], Completion]:
    requests = []
    keys: dict[str, tuple[str, int]] = {}
    for one in candidates:
        assert one.question is not None
        key = f"{one.key[0]}/{one.key[1]}"
        keys[key] = one.key
        text = substituted(prompt, {"question": question_text(one.question), "chain": one.text})
        sampling = Sampling(max_new_tokens=spec.max_new_tokens)
        seed = seed_from(0, "judge", purpose, key)
        requests.append(Request(key=key, messages=(Message("user", text),), sampling=sampling, seed=seed))
    replies = told_completions(engine, requests, f"judge of chains: {purpose}")
    found = {keys[reply.key]: reply for reply in replies if reply.finish_reason != "error"}
    return dict(sorted(found.items()))


def rewritten(
    failing: Mapping[tuple[str, int], tuple[Candidate, str]],
    engine: Engine,
    prompt: str,
    request: str,
    max_new_tokens: int,
    seed: int,
) -> dict[tuple[str, int], Completion]:
    """The teacher's second try at chains that would be dropped, by chain; what it cannot answer is left out.

    Args:
        failing: chains, each with the reason sent to the teacher. The reason never contains the gold answer.
        engine: the teacher.
        prompt: with the places of `REFINE`.
        request: what is asked of a teacher for this format; may be empty.
        max_new_tokens: of the new chain, which is drawn greedily.
        seed: of the draws.
    """
    requests = []
    keys: dict[str, tuple[str, int]] = {}
    for key, (candidate, reason) in failing.items():
        assert candidate.question is not None
        name = f"{key[0]}/{key[1]}"
        keys[name] = key
        text = filled(prompt, candidate.question, {"chain": candidate.text, "reason": reason, "request": request})
        requests.append(
            Request(
                key=name,
                messages=(Message("user", text),),
                sampling=Sampling(max_new_tokens=max_new_tokens),
                sample=key[1],
                seed=seed_from(seed, "refine", candidate.chain["format"], *key),
            )
        )
    replies = told_completions(engine, requests, "second try at chains")
    return {keys[reply.key]: reply for reply in replies if reply.finish_reason == "stop" and reply.text.strip()}
