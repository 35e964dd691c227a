"""Exact tests, against their golden numbers and against the whole tail added up term by term."""

from __future__ import annotations

from math import comb, exp, inf, lgamma, log, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.significance import (
    Status,
    acceleration_z,
    jerk_z,
    significance,
    status,
    velocity_z,
    weighted_acceleration_z,
    weighted_jerk_z,
)

counts = st.integers(0, 10_000)


def binomial_tail(successes: int, trials: int, share: float) -> float:
    return sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(successes, trials + 1))


def poisson_tail(events: int, expected: float) -> float:
    return sum(exp(k * log(expected) - expected - lgamma(k + 1)) for k in range(events, events + 400))


def z_of(tail: float) -> float:
    return -NormalDist().inv_cdf(tail)


def test_golden_numbers() -> None:
    assert acceleration_z(20, 2) == pytest.approx(3.863, abs=5e-4)
    assert binomial_tail(20, 22, 0.5) == pytest.approx(6.06e-5, rel=1e-3)
    assert jerk_z(12, 0, 0) == pytest.approx(2.503, abs=5e-4)
    assert binomial_tail(12, 12, 2 / 3) == pytest.approx(0.0077, abs=5e-5)


def test_one_event_can_never_alert() -> None:
    assert acceleration_z(1, 0) == 0.0
    assert acceleration_z(0, 1) == 0.0
    assert max(abs(jerk_z(*one)) for one in ((1, 0, 0), (0, 1, 0), (0, 0, 1))) < 1.0


def test_nothing_seen_says_nothing() -> None:
    assert significance((0, 0, 0), 0.0) == (0.0, 0.0, 0.0)
    assert velocity_z(50, 0.0) == 0.0


@pytest.mark.parametrize(("newest", "previous"), [(3, 1), (9, 2), (20, 2), (60, 30), (200, 140), (15, 0)])
def test_acceleration_is_within_a_tenth_of_the_exact_tail(newest: int, previous: int) -> None:
    exact = z_of(binomial_tail(newest, newest + previous, 0.5))
    assert acceleration_z(newest, previous) == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(("newest", "middle", "oldest"), [(12, 0, 0), (30, 4, 20), (80, 40, 90), (9, 1, 7)])
def test_jerk_is_within_a_tenth_of_the_exact_tail(newest: int, middle: int, oldest: int) -> None:
    exact = z_of(binomial_tail(newest + oldest, newest + middle + oldest, 2 / 3))
    assert jerk_z(newest, middle, oldest) == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(("events", "expected"), [(5, 1.0), (20, 6.0), (60, 30.0), (350, 300.0)])
def test_velocity_is_close_to_the_exact_tail(events: int, expected: float) -> None:
    assert velocity_z(events, expected) == pytest.approx(z_of(poisson_tail(events, expected)), abs=0.15)


def test_velocity_of_few_events_against_almost_none_expected_errs_on_the_quiet_side() -> None:
    assert 0.0 < velocity_z(2, 0.001) < z_of(poisson_tail(2, 0.001))


@given(counts, counts)
def test_acceleration_is_antisymmetric(newest: int, previous: int) -> None:
    assert acceleration_z(newest, previous) == pytest.approx(-acceleration_z(previous, newest), abs=1e-6)


@given(counts, counts, counts)
def test_jerk_reads_the_same_backwards(newest: int, middle: int, oldest: int) -> None:
    assert jerk_z(newest, middle, oldest) == jerk_z(oldest, middle, newest)


@given(counts, st.floats(0.01, 1e4))
def test_more_events_never_make_a_velocity_less_significant(events: int, expected: float) -> None:
    assert velocity_z(events + 1, expected) >= velocity_z(events, expected) - 1e-9


@pytest.mark.parametrize("z", [-inf, -8.0, 0.0, 1.99])
def test_what_chance_explains_is_stable_however_high_its_rank(z: float) -> None:
    assert status(z, 1.0) is Status.STABLE


@pytest.mark.parametrize(
    ("z", "rank", "word"),
    [
        (2.0, 0.5, Status.NORMAL),
        (3.0, 0.9, Status.ACTIVE),
        (4.0, 0.99, Status.RAPID),
        (6.0, 0.999, Status.EXPLOSIVE),
        (5.99, 0.999, Status.RAPID),
        (6.0, 0.9989, Status.RAPID),
        (50.0, 0.2, Status.STABLE),
        (50.0, None, Status.ACTIVE),
        (2.5, None, Status.NORMAL),
    ],
)
def test_status_is_the_lower_of_significance_and_rank(z: float, rank: float | None, word: Status) -> None:
    assert status(z, rank) is word


def every_split(sizes: list[float], windows: int) -> list[list[float]]:
    """The dollars per window for each way the events can fall into the windows."""
    splits = [[0.0] * windows]
    for size in sizes:
        splits = [
            [total + size * (window == chosen) for window, total in enumerate(split)]
            for split in splits
            for chosen in range(windows)
        ]
    return splits


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=6))
def test_dollar_tests_have_mean_nought_and_variance_one_over_every_split(sizes: list[float]) -> None:
    squares = sum(size * size for size in sizes)
    for windows, values in (
        (2, [weighted_acceleration_z(new, old, squares) for new, old in every_split(sizes, 2)]),
        (3, [weighted_jerk_z(new, middle, old, squares) for new, middle, old in every_split(sizes, 3)]),
    ):
        assert len(values) == windows ** len(sizes)
        assert sum(values) / len(values) == pytest.approx(0.0, abs=1e-9)
        assert sum(value * value for value in values) / len(values) == pytest.approx(1.0)


def test_one_large_order_is_not_a_significant_acceleration_of_dollars() -> None:
    assert weighted_acceleration_z(5e6, 0.0, 5e6**2) == 1.0
    assert weighted_jerk_z(5e6, 0.0, 0.0, 5e6**2) == pytest.approx(1 / sqrt(2))
    assert weighted_acceleration_z(0.0, 0.0, 0.0) == 0.0
    assert weighted_jerk_z(0.0, 0.0, 0.0, 0.0) == 0.0
