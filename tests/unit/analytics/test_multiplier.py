"""The measured lift of each regime."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.multiplier import PRIOR, RiskMultiplier, monotone
from liquake.errors import StateError

DAY = 86_400.0


def test_until_data_speak_it_is_the_prior() -> None:
    assert RiskMultiplier().value() == pytest.approx(PRIOR)


def test_with_much_data_it_is_what_was_counted() -> None:
    multiplier = RiskMultiplier()
    hours, episodes = (300.0, 400.0, 200.0, 80.0, 18.0, 2.0), (1000, 3000, 2500, 1800, 1200, 500)
    for level, (spent, begun) in enumerate(zip(hours, episodes, strict=True)):
        multiplier.update(level, spent * 3600)
        for _ in range(begun):
            multiplier.episode(level)
    usual = sum(episodes) / sum(hours)
    counted = [begun / spent / usual for spent, begun in zip(hours, episodes, strict=True)]
    assert multiplier.value() == pytest.approx(counted, rel=0.06)
    assert multiplier.episodes == 10_000


def test_one_lucky_episode_does_not_make_the_calm_dangerous() -> None:
    multiplier = RiskMultiplier()
    multiplier.update(0, DAY)
    multiplier.episode(0)
    value = multiplier.value()
    assert value[0] < 0.4
    assert value[5] == pytest.approx(12.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 1e6), st.integers(0, 5)), max_size=30))
def test_it_never_falls_from_one_level_to_the_next(spent: list[tuple[int, float, int]]) -> None:
    multiplier = RiskMultiplier()
    for level, seconds, hit in spent:
        multiplier.update(level, seconds)
        multiplier.episode(hit)
    assert all(calmer <= tenser for calmer, tenser in pairwise(multiplier.value()))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), min_size=1, max_size=4))
def test_pooling_gives_the_nearest_sequence_that_never_falls(pairs: list[tuple[int, int]]) -> None:
    values, weights = [float(value) for value, _ in pairs], [float(weight) for _, weight in pairs]
    pooled = monotone(values, weights)

    def distance(candidate: tuple[float, ...] | list[float]) -> float:
        return sum(w * (c - v) ** 2 for w, c, v in zip(weights, candidate, values, strict=True))

    grid = [step / 4 for step in range(17)]
    rivals = [rival for rival in product(grid, repeat=len(values)) if list(rival) == sorted(rival)]
    assert pooled == sorted(pooled)
    assert distance(pooled) <= min(map(distance, rivals)) + 1e-9


def test_it_comes_back_from_the_journal() -> None:
    multiplier = RiskMultiplier()
    multiplier.update(3, 1000.0)
    multiplier.episode(3)
    again = RiskMultiplier.from_dict(multiplier.to_dict())
    assert again.to_dict() == multiplier.to_dict()
    with pytest.raises(StateError, match="schema None"):
        RiskMultiplier.from_dict({})


def test_reset_forgets() -> None:
    multiplier = RiskMultiplier()
    multiplier.update(3, 1000.0)
    multiplier.episode(3)
    multiplier.reset("definition changed")
    assert (multiplier.value(), multiplier.reason) == (RiskMultiplier().value(), "definition changed")
