"""Sweeps are seen in time, and chance is not taken for one. `bench/episodes.py` has the same over more seeds and days."""

from __future__ import annotations

import pytest
from bench.episodes import WITHIN, Day, day, opening


@pytest.mark.parametrize("scenario", ["flash", "oct10"])
@pytest.mark.parametrize("seed", [3, 11, 27])
def test_an_episode_is_opened_within_seconds_of_its_start(scenario: str, seed: int) -> None:
    seen = opening(scenario, seed)
    assert seen.defined is not None
    assert seen.opened is not None
    assert 0.0 <= seen.opened - seen.defined <= WITHIN


@pytest.fixture(scope="module")
def chance() -> Day:
    return day("poisson", seed=7, hours=2)


def test_pure_chance_raises_no_alarm_and_opens_no_episode(chance: Day) -> None:
    assert set(chance.notified) <= {"WATCH"}
    assert chance.episodes == 0


def test_pure_chance_leaves_the_probability_near_its_base_rate(chance: Day) -> None:
    assert chance.highest < 0.10
    assert chance.mean < 3.0 * chance.base_rate


def test_a_busy_market_costs_few_alarms() -> None:
    found = day("busy", seed=1, hours=4)
    assert found.sent["CRITICAL"] + found.sent["EXTREME"] <= 6
    assert found.notified["WATCH"] >= found.notified["WARNING"] >= found.notified["CRITICAL"]
