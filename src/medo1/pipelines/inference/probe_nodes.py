"""Nodes of the probes: derived questions, their generations, answers, and what they say of each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medo1.engines.base import Adapter, Engine, Model
from medo1.frames import Frame, records
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.questions import questions_from

if TYPE_CHECKING:
    from medo1.pipelines.inference.probing import Conclusions

KEYS = ["question_id", "benchmark", "probe", "version"]


def derive_probes(
    questions: Frame,
    params: InferenceParams,
    seed: int,
    generations: Frame | None = None,
    answers: Frame | None = None,
    world: dict[str, Any] | None = None,
) -> Frame:
    """Questions derived from those that the arm is asked, `tables.PROBE_QUESTIONS`.

    Args:
        questions: those that the arm is asked. params: which probes. seed: of what is drawn.
        generations: the arm's own thoughts, and
        answers: what they state, for the probe that changes a step of them.
        world: the embedded world, which knows where a changed step leads; None: a step that names an option is made to
            name another one.
    """
    from medo1 import tables
    from medo1.pipelines.inference.probing import derived_rows, own_thoughts

    thoughts = own_thoughts(generations, answers) if generations is not None and answers is not None else None
    rows = derived_rows(questions_from(questions), params.probes, seed, thoughts, _conclusions(world))
    return tables.as_table(tables.PROBE_QUESTIONS, rows)


def _conclusions(world: dict[str, Any] | None) -> Conclusions:
    from medo1.chains.option_conclusions import option_conclusions
    from medo1.clinic.conclusions import conclusions_in
    from medo1.clinic.world import World

    if world is None:
        return lambda question, text: option_conclusions(text, question.options)
    known = World.from_value(world)
    return lambda question, text: conclusions_in(known, question, text)


def ask_probes(
    derived: Frame,
    prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    *models: Model | Adapter,
    name: str,
) -> Frame:
    """The arm's greedy answer to each derived question, `tables.PROBE_GENERATIONS`.

    Args:
        derived: what is asked. prompt: the arm's own. engine: who answers.
        params: how all arms draw. arm: how this one differs.
        models: the base model that the engine serves, and the arm's adapter; none where the engine has its own.
        name: the arm's.
    """
    from medo1 import tables
    from medo1.pipelines.inference.account_tables import ArmMeter
    from medo1.pipelines.inference.probing import generation_rows, without_unanswered

    base = next((model for model in models if isinstance(model, Model)), None)
    adapter = next((model for model in models if isinstance(model, Adapter)), None)
    serving = engine if base is None else engine.with_model(base)
    draws = arm.drawn_with(params)
    meter = ArmMeter(f"{name} probes", serving, len(derived), params.prices, params.power_w)
    came = generation_rows(derived, serving, adapter, prompt, draws, meter.passed, draws.repetition_penalty)
    rows = without_unanswered([{**row, "arm": name} for row in came], name)
    meter.close()
    rows.sort(key=lambda row: [row[key] for key in KEYS])
    return tables.as_table(tables.PROBE_GENERATIONS, rows)


def read_probes(generated: Frame, derived: Frame, questions: Frame) -> Frame:
    """What each generation states, `tables.PROBE_ANSWERS`."""
    from medo1 import tables
    from medo1.pipelines.inference.probing import probe_answer_rows

    return tables.as_table(tables.PROBE_ANSWERS, probe_answer_rows(generated, derived, questions_from(questions)))


def compare_probes(*answers_and_probes: Frame) -> Frame:
    """Each arm under each probe beside its plain answers to the same questions, `tables.PROBES`.

    Args:
        answers_and_probes: the answers of each arm, in the order in which the arms shall stand, then their
            `tables.PROBE_ANSWERS` in the same order.
    """
    from medo1 import tables
    from medo1.probes import probe_rows

    arms = len(answers_and_probes) // 2
    rows: list[dict[str, Any]] = []
    for answers, probed in zip(answers_and_probes[:arms], answers_and_probes[arms:], strict=True):
        if not probed.empty:
            greedy = list(records(answers[answers["draw"] == "greedy"]))
            rows += probe_rows(str(probed["arm"].iloc[0]), greedy, list(records(probed)))
    return tables.as_table(tables.PROBES, rows)


def compare_changed_steps(*answers_and_probes: Frame) -> Frame:
    """Where each arm's answers go when a step of its thought is changed, `tables.FAITHFULNESS`; as `compare_probes`."""
    from medo1 import tables
    from medo1.probes import faithfulness_rows

    arms = len(answers_and_probes) // 2
    rows: list[dict[str, Any]] = []
    for answers, probed in zip(answers_and_probes[:arms], answers_and_probes[arms:], strict=True):
        if not probed.empty:
            greedy = list(records(answers[answers["draw"] == "greedy"]))
            rows += faithfulness_rows(str(probed["arm"].iloc[0]), greedy, list(records(probed)))
    return tables.as_table(tables.FAITHFULNESS, rows)
