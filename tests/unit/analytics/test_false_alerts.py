"""A day on which nothing happens: what the exact tests say of it, and what a difference between polls says."""

from __future__ import annotations

import pytest
from bench.false_alerts import WINDOWS, exact_alerts, naive_alerts, poisson_reads


@pytest.fixture(scope="module")
def quiet_day() -> list[int]:
    return poisson_reads(rate=3.0, hours=24.0, seed=1)


def test_exact_tests_raise_at_most_one_alert_of_each_kind_in_a_day_of_chance(quiet_day: list[int]) -> None:
    alerts = [exact_alerts(quiet_day, window) for window in WINDOWS]
    assert sum(acceleration for acceleration, _ in alerts) <= 1
    assert sum(jerk for _, jerk in alerts) <= 1


def test_differences_between_polls_raise_hundreds_of_thousands(quiet_day: list[int]) -> None:
    assert naive_alerts(quiet_day, 10.0) == pytest.approx(223_000, abs=1_000)


def test_a_real_burst_is_seen_in_that_day(quiet_day: list[int]) -> None:
    # A minute at 15 events/s after two hours: what is counted up to each read gains 12 events a second for 600 reads.
    burst = [count + round(1.2 * min(max(read - 72_000, 0), 600)) for read, count in enumerate(quiet_day)]
    acceleration, _ = exact_alerts(burst, 10.0)
    assert acceleration >= 1
