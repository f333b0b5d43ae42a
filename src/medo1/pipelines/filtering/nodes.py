"""Nodes of filtering."""

from __future__ import annotations

import logging
from typing import Any

from medo1.chains.filters.specs import FilterSpecs
from medo1.engines.base import Engine, Model
from medo1.frames import Frame, records
from medo1.parameters import plain_values
from medo1.pipelines.filtering.params import FilteringParams
from medo1.questions import Question, questions_from

logger = logging.getLogger(__name__)


def attempt_questions(
    training_questions: Frame,
    prompt: str,
    params: FilteringParams,
    seed: int,
    solver: Engine,
    model: Model | None = None,
) -> Frame:
    """How often a solver that does not think long answers each training question right.

    Args:
        training_questions: what chains were written for.
        prompt: what is asked after each question.
        params: number and sampling of the attempts.
        seed: of the draws.
        solver: the engine.
        model: the model that it serves, where its catalog entry names none.
    """
    from medo1 import tables
    from medo1.chains.filters.asking import attempted

    engine = solver if model is None else solver.with_model(model)
    rows = attempted(questions_from(training_questions), engine, prompt, params.difficulty, seed)
    return tables.as_table(tables.FILTER_ATTEMPTS, rows)


def refine_chains(
    chains: Frame,
    questions: Frame,
    params: FilteringParams,
    spec: Any,
    prompts: dict[str, str],
    teacher_prompts: dict[str, str],
    seed: int,
    teacher: Engine,
    *,
    format: str,
) -> Frame:
    """The chains, those that would be dropped for a reason of `refine` replaced by the teacher's second try.

    A second try that would be dropped for one of these reasons too is left: the first one stays, and is dropped.
    """
    from medo1 import tables
    from medo1.chains.filters.asking import REFINE, checked_prompt
    from medo1.chains.filters.refining import refined
    from medo1.chains.prompts import places

    prompt = checked_prompt(prompts, REFINE, "the filters' prompts")
    filters = _filters(params.model_copy(update={"order": params.refine.reasons}), questions, spec, format)
    request = teacher_prompts.get("request", "")
    request = "" if places(request) else request  # one that stands around a question is no request of its own
    rows = refined(records(chains), filters, teacher, prompt, request, params.refine, seed)
    return tables.as_table(tables.CHAINS, rows)


def ask_judges(
    chains: Frame,
    questions: Frame,
    params: FilteringParams,
    spec: Any,
    prompts: dict[str, str],
    *engines: Engine,
    format: str,
    names: tuple[str, ...],
) -> Frame:
    """What each judge says of each chain: the answer of those that state it in prose, and a score of the reasoning."""
    from medo1 import tables
    from medo1.chains.filters.asking import ANSWER, QUALITY, checked_prompt, judgements
    from medo1.chains.filters.texts import stated_answer

    wanted = {purpose: checked_prompt(prompts, purpose, "the filters' prompts") for purpose in (ANSWER, QUALITY)}
    filters = _filters(params.model_copy(update={"order": ()}), questions, spec, format)
    all_ = filters.candidates(records(chains), [None] * len(chains))
    usable = [one for one in all_ if one.question is not None and one.text.strip()]
    reads = not {"answer", "correct"}.isdisjoint(params.order)
    unread = {one.key for one in usable if reads and stated_answer(one).letter is None}
    asked = dict(zip(names, engines, strict=True))
    rows = judgements(usable, asked, wanted, params.judge, unread, quality="judge" in params.order)
    return tables.as_table(tables.CHAIN_JUDGEMENTS, rows)


def filter_chains(
    chains: Frame,
    questions: Frame,
    params: FilteringParams,
    spec: Any,
    seed: int,
    *more: Any,
    format: str,
    given: tuple[str, ...] = (),
) -> Frame:
    """A verdict of each filter on each chain, in the order in which they count.

    Args:
        chains: all chains of one format.
        questions: all questions, of which the test questions are what nothing may be learnt from.
        params: which filters, and their parameters.
        spec: the format's own parameters: what it must be.
        seed: of the selection.
        more: what `given` names: `base_model` (whose tokens are counted), `attempts`, `judgements`.
        format: its name.
        given: names of `more`.

    Raises:
        UserError: decontamination is on and there is no test question.
    """
    from medo1 import tables
    from medo1.chains.filters.asking import answers_read, quality_verdicts
    from medo1.chains.filters.partitions import looked_here, looked_on_ray
    from medo1.chains.filters.running import Beside, settled

    beside = dict(zip(given, more, strict=True))
    judged = records(beside["judgements"]) if "judgements" in beside else []
    failures = {
        row["question_id"]: 1 - row["right"] / row["attempts"]
        for row in (records(beside["attempts"]) if "attempts" in beside else [])
        if row["attempts"]
    }
    known = Beside(failures, answers_read(judged), quality_verdicts(judged, params.judge.min_score))
    filters = _filters(params, questions, spec, format, known)
    rows = records(chains)
    candidates = filters.candidates(rows, _tokens(rows, params, beside.get("base_model")))
    if params.run_on == "ray":
        looked = looked_on_ray(filters.made_with, candidates, params.partition_rows, params.workers)
    else:
        looked = looked_here(filters, candidates, params.partition_rows)
    verdicts = settled(looked, params, seed, failures)
    return tables.as_table(tables.FILTER_VERDICTS, _verdict_rows(rows, verdicts))


def keep_chains(
    chains: Frame, verdicts: Frame, params: FilteringParams, *judgements: Frame, format: str
) -> tuple[Frame, Frame, dict[str, Any]]:
    """The chains worth learning from, the others with the first filter that refused them, and the counts, which add up.

    Raises:
        UserError: nothing is kept, with the funnel.
    """
    from medo1 import tables
    from medo1.chains.filters.asking import judges_agreement
    from medo1.chains.filters.funnel import funnel_rows, funnel_text
    from medo1.errors import UserError

    told = _by_chain(verdicts)
    kept, dropped = [], []
    for chain in records(chains):
        refused = next((row for row in told[chain["question_id"], chain["sample"]] if not row["passed"]), None)
        if refused is None:
            kept.append(chain)
            continue
        own = {name: chain[name] for name in ("question_id", "format", "sample", "text", "request_id", "request_ids")}
        dropped.append({**own, "filter": refused["filter"], "reason": refused["reason"]})
    order = list(dict.fromkeys(verdicts["filter"]))
    funnel = funnel_rows(format, [_verdicts(rows) for rows in told.values()], order)
    if not kept:
        raise UserError(
            f"{format}: none of {len(chains)} chains is kept, so there is nothing to train on.\n{funnel_text(funnel)}\n"
            f"`kedro chains why QUESTION_ID --format {format}` shows every verdict; filtering.order says which filters "
            "are asked (docs/filtering.md)"
        )
    logger.info("%s: %d of %d chains kept\n%s", format, len(kept), len(chains), funnel_text(funnel))
    summary = {
        "chains": len(chains),
        "kept": len(kept),
        "dropped": {row["filter"]: row["dropped"] for row in funnel},
        **_answers_by(verdicts, "correct"),
    }
    for table in judgements:
        summary["judges"] = judges_agreement(records(table), params.judge.min_score)
    return tables.as_table(tables.CHAINS, kept), tables.as_table(tables.CHAINS_DROPPED, dropped), summary


def summarise_filters(*verdicts: Frame, formats: tuple[str, ...]) -> tuple[Frame, Any]:
    """The funnel of each format, as a table and as a figure."""
    from medo1 import tables
    from medo1.chains.filters.funnel import funnel_figure, funnel_rows

    rows = []
    for name, table in zip(formats, verdicts, strict=True):
        order = list(dict.fromkeys(table["filter"]))
        rows += funnel_rows(name, [_verdicts(told) for told in _by_chain(table).values()], order)
    return tables.as_table(tables.FILTER_FUNNEL, rows), funnel_figure(rows)


def check_filters(
    world: dict[str, Any], questions: Frame, *chains_and_verdicts: Frame, formats: tuple[str, ...]
) -> Frame:
    """How well correctness tells sound chains from others, where the truth of each step is known.

    Args:
        world: the embedded world.
        questions: all questions.
        chains_and_verdicts: the chains of each of `formats`, then the verdicts of each.
        formats: names of the formats that the world's expert writes.
    """
    from medo1 import tables
    from medo1.clinic.soundness import is_sound
    from medo1.clinic.world import World
    from medo1.lineage.digests import canonical_json

    known = World.from_json(canonical_json(world))
    by_id = {question.question_id: question for question in questions_from(questions)}
    rows = []
    for place, name in enumerate(formats):
        chains, verdicts = chains_and_verdicts[place], chains_and_verdicts[len(formats) + place]
        sound = {
            (chain["question_id"], chain["sample"]): is_sound(known, by_id[chain["question_id"]], name, chain["text"])
            for chain in records(chains)
            if chain["question_id"] in by_id
        }
        rows += _soundness_rows(name, sound, _by_chain(verdicts))
    return tables.as_table(tables.FILTER_SOUNDNESS, rows)


def _soundness_rows(format: str, sound: dict[Any, bool | None], told: dict[Any, list[dict[str, Any]]]) -> list[Any]:
    """One row for the filter `correct` and one for all filters together."""
    rows = []
    for name in ("correct", "all"):
        counts = {(truth, kept): 0 for truth in (True, False) for kept in (True, False)}
        asked = False
        for key, verdicts in told.items():
            own = [row["passed"] for row in verdicts if name in ("all", row["filter"])]
            if own and sound.get(key) is not None:
                asked = True
                counts[bool(sound[key]), all(own)] += 1
        if not asked:
            continue
        kept, good = counts[True, True] + counts[False, True], counts[True, True] + counts[True, False]
        rows.append(
            {
                "format": format,
                "filter": name,
                "chains": sum(counts.values()),
                "sound": good,
                "kept": kept,
                "sound_dropped": counts[True, False],
                "unsound_kept": counts[False, True],
                "precision": counts[True, True] / kept if kept else None,
                "recall": counts[True, True] / good if good else None,
            }
        )
    return rows


def _filters(params: FilterSpecs, questions: Frame, spec: Any, format: str, beside: Any = None) -> Any:
    """The filters of one format."""
    from medo1.chains.filters.running import ChainFilters
    from medo1.chains.formats import Checks

    plain = plain_values(spec)
    checks = plain.get("checks") or {name: plain[name] for name in Checks.model_fields if name in plain}
    asked: list[Question] = questions_from(questions)
    return ChainFilters(params, asked, plain.get("writes") or format, Checks.model_validate(checks), beside)


def _tokens(chains: list[dict[str, Any]], params: FilteringParams, base_model: Model | None) -> list[int | None]:
    """The length of each chain, as `length.tokens_of` counts; None where unknown."""
    import pandas as pd

    if params.length.tokens_of == "estimate":
        from medo1.engines.tokens import BYTES_PER_TOKEN

        return [round(len(chain["text"].encode()) / BYTES_PER_TOKEN) for chain in chains]
    if params.length.tokens_of == "teacher" or base_model is None:
        return [None if pd.isna(count) else int(count) for count in (row["completion_tokens"] for row in chains)]
    from transformers import AutoTokenizer

    source, revision = str(base_model.path or base_model.name), None if base_model.path else base_model.revision
    tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    texts = [chain["text"] for chain in chains]
    return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []


def _verdict_rows(chains: list[dict[str, Any]], verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **{name: chain[name] for name in ("question_id", "format", "sample")},
            "position": position,
            "filter": name,
            "passed": verdict.passed,
            "value": verdict.value,
            "reason": verdict.reason,
            "match": verdict.match,
            "other": verdict.other,
            "request_id": chain["request_id"],
        }
        for chain, told in zip(chains, verdicts, strict=True)
        for position, (name, verdict) in enumerate(told.items())
    ]


def _by_chain(verdicts: Frame) -> dict[tuple[str, int], list[dict[str, Any]]]:
    told: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in records(verdicts):
        told.setdefault((row["question_id"], row["sample"]), []).append(row)
    return told


def _verdicts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    from medo1.chains.filters.candidate import Verdict

    return {row["filter"]: Verdict(row["passed"], row["reason"]) for row in rows}


def _answers_by(verdicts: Frame, filter_: str) -> dict[str, Any]:
    """By what the right answers were read: letter, text, judge."""
    right = verdicts[(verdicts["filter"] == filter_) & verdicts["passed"]]
    by = right["reason"].str.extract(r"read by (\w+)")[0].dropna().value_counts()
    return {"right_answers_read_by": {str(name): int(count) for name, count in sorted(by.items())}} if len(by) else {}
