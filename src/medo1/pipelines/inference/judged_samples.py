"""A judge over an arm's samples: it picks one of k candidates (generative selection), or scores each for a vote.

The judge is any engine: another model behind an endpoint, the student itself, a reward model that answers with a
number. It sees the question, its options and the candidates' texts, never the right answer. A reply that picks nothing,
or gives no score, counts as such: there is no default.

Sources: selection by a model over candidates (GenSelect of NeMo-Skills), scores as weights (Med-PRM, EMNLP 2025).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from medo1.answers.labelled_number import NONE, labelled_numbers
from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.engines.wrappers.progress import told_completions
from medo1.pipelines.inference.answer_rows import known
from medo1.pipelines.inference.params import JudgedParams
from medo1.questions import Question, prompt_text

HIGHEST = 10

Kind = Literal["selection", "score"]


def judgement_rows(
    questions: Iterable[Question],
    samples: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    prompts: Mapping[Kind, str],
    judge: Engine,
    params: JudgedParams,
    arm: str,
) -> Iterator[dict[str, Any]]:
    """Rows of `tables.JUDGEMENTS`, as replies come.

    Args:
        questions: what was asked.
        samples: by question and benchmark, in the order of their numbers: text, letter and number of each.
        prompts: what the judge is told after the candidates, by what it is asked for.
        judge: who judges, greedily.
        params: how many candidates, and whether each is scored.
        arm: whose samples.
    """
    asked: dict[str, tuple[Question, Kind, Sequence[Mapping[str, Any]]]] = {}
    requests: list[Request] = []
    for question in questions:
        own = samples.get((question.question_id, question.benchmark), ())
        sets: list[tuple[Kind, Sequence[Mapping[str, Any]]]] = [
            ("selection", own[:count]) for count in params.candidates if len(own) >= count
        ]
        sets += [("score", [one]) for one in own if params.score and known(one["letter"]) is not None]
        for kind, shown in sets:
            key = str(len(requests))
            asked[key] = (question, kind, shown)
            content = prompt_text(question, f"{_candidates(shown)}\n\n{prompts[kind]}")
            requests.append(Request(key, (Message("user", content),), Sampling(max_new_tokens=params.tokens), seed=0))
    for completion in told_completions(judge, requests, f"{arm}: judge of samples"):
        yield _row(*asked[completion.key], completion, arm)


def _candidates(shown: Sequence[Mapping[str, Any]]) -> str:
    if len(shown) == 1:
        return f"A candidate answer:\n{shown[0]['text'].strip()}"
    return "\n\n".join(f"Candidate {place}:\n{one['text'].strip()}" for place, one in enumerate(shown, start=1))


def _row(
    question: Question, kind: Kind, shown: Sequence[Mapping[str, Any]], completion: Completion, arm: str
) -> dict[str, Any]:
    failed = completion.finish_reason == "error"
    reply, ended = completion.text, completion.finish_reason
    picked = None if failed else chosen(reply, len(shown), ended) if kind == "selection" else 0
    one = None if picked is None else shown[picked]
    return {
        "question_id": question.question_id,
        "benchmark": question.benchmark,
        "arm": arm,
        "kind": kind,
        "k": len(shown),
        "sample": None if one is None else one["sample"],
        "letter": None if one is None else known(one["letter"]),
        "score": given_score(reply, ended) if kind == "score" and not failed else None,
        "text": completion.text,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "error": completion.error,
        "request_id": completion.request_id,
    }


def chosen(reply: str, candidates: int, finish_reason: str | None = None) -> int | None:
    """The place, from 0, of the candidate that the last `Choice: N` names; None where there is none such."""
    noun = "candidate|answer|number|no|option|response|solution"
    found = labelled_numbers(reply, r"\bchoice", noun=noun, finish_reason=finish_reason)
    place = int(found[-1]) if found and found[-1] not in (None, NONE) else 0
    return place - 1 if 1 <= place <= candidates else None


def given_score(reply: str, finish_reason: str | None = None) -> float | None:
    """The last `Score: N`, from 0 to 10, as a share; None where there is none such."""
    found = labelled_numbers(reply, r"\bscore", scale=HIGHEST, finish_reason=finish_reason)
    score = float(found[-1]) if found and found[-1] not in (None, NONE) else None
    return score / HIGHEST if score is not None and score <= HIGHEST else None
