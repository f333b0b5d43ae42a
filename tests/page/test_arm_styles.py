"""An arm looks the same in every report, and no two arms of one look alike."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medo1.page.arm_styles import FIXED, LOOKS, places

# Deuteranopia at full strength, in linear light (Machado, Oliveira and Fernandes, 2009); then OKLab (Ottosson, 2020).
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
CONES = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
LAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    return LAB @ np.cbrt(np.clip(CONES @ light, 0, None))


def contrast(one: str, other: str) -> float:
    bright = sorted((float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other)), reverse=True)
    return (bright[0] + 0.05) / (bright[1] + 0.05)


def test_colours_stand_out_from_the_page_in_the_light_and_in_the_dark() -> None:
    assert min(contrast(look.light, "#ffffff") for look in LOOKS) >= 3
    assert min(contrast(look.dark, "#14181d") for look in LOOKS) >= 3


def test_colours_are_told_apart_in_deuteranopia_too() -> None:
    for theme in ("light", "dark"):
        for sight in (np.eye(3), DEUTERANOPIA):
            seen = {look.marker: lab(np.clip(sight @ linear(getattr(look, theme)), 0, 1)) for look in LOOKS}
            nearest = min((float(np.linalg.norm(seen[a] - seen[b])), a, b) for a, b in combinations(seen, 2))
            assert nearest[0] > 0.1, (theme, nearest)


def test_every_place_has_a_marker_of_its_own() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)


NAMES = st.lists(
    st.sampled_from([*FIXED, "filler", "shuffled", "qwen_72b", "own_arm", "a", "b"]), unique=True, max_size=10
)


@given(NAMES)
def test_no_two_arms_of_a_report_look_alike_and_order_does_not_matter(names: list[str]) -> None:
    found = places(names)
    assert len(set(found.values())) == len(names)
    assert found == places(reversed(names))


@given(NAMES, NAMES)
def test_the_papers_arms_look_the_same_in_every_report(some: list[str], others: list[str]) -> None:
    first, second = places(some), places(others)
    assert all(first[name] == second[name] for name in FIXED if name in first and name in second)


def test_an_arm_of_another_run_looks_like_the_arm() -> None:
    found = places(["longstep_sft", "longstep_sft (B)", "mine", "mine (C)"])
    assert found["longstep_sft"] == found["longstep_sft (B)"]
    assert found["mine"] == found["mine (C)"] != found["longstep_sft"]
