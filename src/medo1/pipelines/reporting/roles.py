"""Which arm plays which of the paper's methods: by the parameters, else by its name, prompt and adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from medo1.errors import UserError
from medo1.nearest import did_you_mean
from medo1.parameters import plain_values
from medo1.pipelines.reporting.params import ReportingParams, Role

TRAINED = "_sft"
MODEL = "base_model"  # the catalog entry of an arm's model where the parameters name none, as inference reads them


def asked_arms(arms: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The arms as the parameters have them, typed or plain, each with its model (None: its engine has its own)."""
    return {name: {"model": MODEL, **arm} for name, arm in plain_values(arms).items()}


def arms_by_role(arms: Mapping[str, Mapping[str, Any]], params: ReportingParams) -> dict[Role, str]:
    """The arm of each method that the study has.

    Raises:
        UserError: for a role that the parameters give to no arm of the study.
    """
    found: dict[Role, str] = {}
    for role in get_args(Role):
        if role in params.roles:
            if params.roles[role] not in arms:
                raise UserError(
                    f"reporting.roles.{role} is {params.roles[role]!r}, which is no arm of this study. "
                    f"{did_you_mean(params.roles[role], arms)}"
                )
            found[role] = params.roles[role]
            continue
        fitting = [name for name, arm in arms.items() if method_of(name, arm, params.baseline) == role]
        if fitting:
            found[role] = role if role in fitting else fitting[0]
    return found


def method_of(name: str, arm: Mapping[str, Any], baseline: str) -> str:
    """The paper's name for what an arm does: `vanilla`, `vanilla_cot`, `<format>_sft`, `free_form`; else empty."""
    if arm.get("answers") == "differential":
        return "free_form"
    if arm.get("adapter"):
        return f"{arm['adapter']}{TRAINED}"
    if name == baseline or arm.get("prompt") in ("vanilla", "direct"):
        return "vanilla"
    return "vanilla_cot" if arm.get("prompt") in ("cot", "vanilla_cot") else ""
