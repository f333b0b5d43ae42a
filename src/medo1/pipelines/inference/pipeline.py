"""inference: questions -> generations -> answers -> votes, once per arm; then curves and costs of all arms together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.gathered import gather
from medo1.pipelines.inference.free_form_nodes import compare_free_form, judge_answers
from medo1.pipelines.inference.nodes import (
    account,
    choose_questions,
    compare_nothing,
    compare_stopping,
    draw_curves,
    draw_curves_as_fitted,
    generate,
    generate_until_sure,
    judge_samples,
    read_answers,
    think_selectively,
    think_when_unsure,
    vote,
)
from medo1.pipelines.inference.probe_nodes import (
    ask_probes,
    compare_changed_steps,
    compare_probes,
    derive_probes,
    read_probes,
)
from medo1.wiring import bound

# Of these an arm has a table of its own, and reporting reads one of all arms.
# What an earlier run on dev questions saved of the rule `fitted`.
FITTED = ("stopping_prior", "stopping_calibration")
GATHERED = ("answers", "generations", "asked_questions", "votes")


def _arm(name: str, arms: Mapping[str, Mapping[str, Any]], *, fitted: bool) -> Pipeline:
    """An arm's nodes, in a namespace of its own.

    Args:
        name: the arm's.
        arms: the parameters of all (`ArmParams`).
        fitted: whether it stops drawing by the rule that an earlier run learned.
    """
    arm = arms[name]
    outside, models = _outside(arm)
    parameters = _parameters(name)
    if arm.get("first"):
        first = arms[arm["first"]["arm"]]
        parameters["params:first_arm"] = f"params:arms.{arm['first']['arm']}"
        outside["first_prompt"] = f"prompt_{first['prompt']}"
        if first["adapter"] is not None:
            outside["first_adapter"] = f"{first['adapter']}.adapter"
            models = [*models, "first_adapter"]
    fitted = fitted and not arm.get("first")
    outside |= {table: table for table in FITTED if fitted}
    nodes = [
        Node(
            choose_questions,
            inputs=["questions", "params:inference", "params:arm", "params:seed"],
            outputs="asked_questions",
            name="choose_questions",
        ),
        _generating(name, models, first=bool(arm.get("first")), fitted=fitted),
        Node(
            read_answers,
            inputs=["generations", "asked_questions", "params:arm"],
            outputs="answers",
            name="read_answers",
        ),
        Node(
            vote,
            inputs=["answers", "params:inference", *(["sample_judgements"] if arm.get("judged") else [])],
            outputs="votes",
            name="vote",
        ),
    ]
    if arm.get("judged"):
        judging, entries = _judging(arm["judged"])
        nodes.append(judging)
        outside |= entries
    return Pipeline(nodes, namespace=name, inputs=outside, parameters=parameters)


def _judging(judged: Mapping[str, Any]) -> tuple[Node, dict[str, str]]:
    """The node that asks a judge about an arm's samples, and what it takes from outside."""
    outside = {"judge": judged["engine"]}
    outside |= {f"{kind}_prompt": f"prompt_{judged[f'{kind}_prompt']}" for kind in ("select", "score")}
    if judged["model"] is not None:
        outside["judge_model"] = judged["model"]
    told = ["select_prompt", "score_prompt", "judge", "params:arm", *(["judge_model"] if judged["model"] else [])]
    inputs = ["asked_questions", "generations", "answers", *told]
    return Node(judge_samples, inputs=inputs, outputs="sample_judgements", name="judge_samples"), outside


def _generating(name: str, models: Sequence[str], *, first: bool, fitted: bool) -> Node:
    """The node that asks; with a first answer it has that one's prompt, adapter and parameters too."""
    outputs = ["generations", "timing"]
    if not first:
        inputs = ["asked_questions", "prompt", "engine", "params:inference", "params:arm", "params:seed"]
        inputs += [*FITTED, *models] if fitted else models
        return Node(
            bound(generate_until_sure if fitted else generate, name=name),
            inputs=inputs,
            outputs=outputs,
            name="generate",
        )
    named = {
        "questions": "asked_questions",
        "prompt": "prompt",
        "first_prompt": "first_prompt",
        "engine": "engine",
        "params": "params:inference",
        "arm": "params:arm",
        "first_arm": "params:first_arm",
        "seed": "params:seed",
        **{model: model for model in models},
    }
    return Node(bound(think_when_unsure, name=name), inputs=named, outputs=outputs, name="generate")


def _probes(name: str, arm: Mapping[str, Any], *, changed: bool, embedded: bool) -> Pipeline:
    """The nodes of an arm's probes, in its namespace.

    Args:
        name: the arm's. arm: its parameters.
        changed: whether a step of its own thoughts is changed. embedded: whether the embedded world says what follows.
    """
    outside, models = _outside(arm)
    own = {table: f"{name}.{table}" for table in ("generations", "answers") if changed}
    own |= {"world": "clinic.world"} if changed and embedded else {}
    nodes = [
        Node(
            derive_probes,
            inputs=["asked_questions", "params:inference", "params:seed", *own],
            outputs="probe_questions",
            name="derive_probes",
        ),
        Node(
            bound(ask_probes, name=name),
            inputs=["probe_questions", "prompt", "engine", "params:inference", "params:arm", *models],
            outputs="probe_generations",
            name="ask_probes",
        ),
        Node(
            read_probes,
            inputs=["probe_generations", "probe_questions", "asked_questions"],
            outputs="probe_answers",
            name="read_probes",
        ),
    ]
    del outside["questions"]
    asked = f"{name}.asked_questions"
    inputs = {**outside, **own, "asked_questions": asked}
    return Pipeline(nodes, namespace=name, inputs=inputs, parameters=_parameters(name))


def _judgements(name: str, judge: str | None) -> Pipeline:
    """The node of a free-form arm that says where the right diagnosis stands in its lists."""
    asking = ["judge", "prompt_judge"] if judge else []
    node = Node(
        judge_answers,
        inputs=["generations", "asked_questions", *asking],
        outputs="free_form_judgements",
        name="judge_answers",
    )
    outside = {"judge": judge, "prompt_judge": "prompt_judge"} if judge else {}
    return Pipeline([node], namespace=name, inputs={
        **outside, "generations": f"{name}.generations", "asked_questions": f"{name}.asked_questions",
    })  # fmt: skip


def _with_options(free: Mapping[str, Any], arms: Mapping[str, Mapping[str, Any]]) -> str:
    """The first arm of the same student that answers with options; empty where there is none."""
    same = ("adapter", "model", "engine")
    return next(
        (
            name
            for name, arm in arms.items()
            if arm["answers"] == "options" and all(arm[key] == free[key] for key in same)
        ),
        "",
    )


def _outside(arm: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What an arm's nodes take from outside, and those of it that are models."""
    outside = {"questions": "questions", "engine": arm["engine"], "prompt": f"prompt_{arm['prompt']}"}
    if arm["model"] is not None:
        outside["model"] = arm["model"]
    if arm["adapter"] is not None:
        outside["adapter"] = f"{arm['adapter']}.adapter"
    return outside, [entry for entry in ("model", "adapter") if entry in outside]


def _parameters(name: str) -> dict[str, str]:
    return {
        "params:inference": "params:inference",
        "params:arm": f"params:arms.{name}",
        "params:seed": "params:seed",
    }


def create_pipeline(
    arms: Mapping[str, Mapping[str, Any]],
    probes: Collection[str] = (),
    judge: str | None = None,
    base_model: str = "",
    fitted_stopping: bool = False,
    **_: Any,
) -> Pipeline:
    """The pipeline `inference`.

    Args:
        arms: the study's arms, as in the parameters; each becomes a namespace.
        probes: `inference.probes`, by name; none of their nodes is there without them.
        base_model: `clinic`: the embedded world is there, and says where a changed step leads.
        fitted_stopping: drawing stops by the rule that an earlier run learned; its tables are read, and not made.
        judge: catalog entry of the engine that judges free-form answers; None: they are matched by text alone.
    """
    judgements = [f"{name}.sample_judgements" for name, arm in arms.items() if arm.get("judged")]
    fitted = FITTED if fitted_stopping else ()
    of_all = [
        Node(
            draw_curves_as_fitted if fitted_stopping else draw_curves,
            inputs=["params:inference", "params:arms", "params:seed", "answers", *fitted, *judgements],
            outputs=["vote_curve", "adaptive", "budget_curve"],
            name="draw_curves",
        ),
        Node(
            think_selectively,
            inputs=["params:inference", "params:arms", "answers"],
            outputs=["selective_curve", "selective_choice"],
            name="think_selectively",
        ),
        *(
            Node(gather, inputs=[f"{arm}.{table}" for arm in arms], outputs=table, name=f"gather_{table}")
            for table in GATHERED
        ),
        Node(
            account,
            inputs=["answers", *(f"{arm}.timing" for arm in arms)],
            outputs=["tokens", "outcomes", "timing"],
            name="account",
        ),
    ]
    compared = ["params:inference", "params:arms", "answers"]
    if fitted_stopping:  # no arm draws all of its samples
        of_all.append(Node(compare_nothing, inputs=compared, outputs="stopping_rules", name="compare_stopping"))
    else:
        of_all.append(
            Node(compare_stopping, inputs=compared, outputs=["stopping_rules", *FITTED], name="compare_stopping")
        )
    of_each = [_arm(name, arms, fitted=fitted_stopping) for name in arms]
    if probed := [name for name, arm in arms.items() if probes and arm["answers"] == "options"]:
        changed = "changed_step" in probes
        of_each += [_probes(name, arms[name], changed=changed, embedded=base_model == "clinic") for name in probed]
        inputs = [*(f"{arm}.answers" for arm in probed), *(f"{arm}.probe_answers" for arm in probed)]
        of_all.append(Node(compare_probes, inputs=inputs, outputs="probes", name="compare_probes"))
        if changed:
            of_all.append(
                Node(compare_changed_steps, inputs=inputs, outputs="faithfulness", name="compare_changed_steps")
            )
    if free := {name: arm for name, arm in arms.items() if arm["answers"] == "differential"}:
        of_each += [_judgements(name, judge) for name in free]
        pairs = tuple((name, _with_options(arm, arms)) for name, arm in free.items())
        inputs = [
            entry
            for name, against in pairs
            for entry in (f"{name}.free_form_judgements", *([f"{against}.answers"] if against else []))
        ]
        node = bound(compare_free_form, pairs=pairs)
        of_all.append(Node(node, inputs=inputs, outputs="free_form", name="compare_free_form"))
    return sum(of_each, Pipeline(of_all))
