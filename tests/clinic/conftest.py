"""The default world, and a small one that trains in seconds."""

from __future__ import annotations

import pytest

from medo1.clinic.world import World, WorldSpec, world_from


@pytest.fixture(scope="session")
def world() -> World:
    return world_from(WorldSpec())


@pytest.fixture(scope="session")
def small_world() -> World:
    return world_from(WorldSpec(diseases=4, complaints=10, slots=2, values_per_slot=2, kept=2))


@pytest.fixture(scope="session")
def two_tasks() -> World:
    return world_from(WorldSpec(second_task="workshop"))
