from __future__ import annotations

import random

import pytest

from liquake.analytics.latency import Latency, Quantiles, merged

MILLISECOND = 1_000_000


def after(*delays: int) -> Latency:
    latency = Latency()
    for delay in delays:
        latency.update(delay)
    return latency


def test_percentiles_are_within_a_bucket_of_the_sorted_delays() -> None:
    rng = random.Random(4)
    delays = sorted(round(rng.lognormvariate(3.5, 1.2) * MILLISECOND) for _ in range(10_000))
    read = after(*delays).value()
    assert read.count == 10_000
    for quantile, exact in ((read.p50, delays[4_999]), (read.p99, delays[9_899])):
        assert exact / MILLISECOND <= quantile * (1 + 1e-9)
        assert quantile <= 1.0501 * exact / MILLISECOND
    assert read.worst == delays[-1] / MILLISECOND


def test_no_percentile_exceeds_the_worst() -> None:
    assert after(250 * MILLISECOND).value() == Quantiles(1, 250.0, 250.0, 250.0)


def test_a_clock_ahead_of_ours_counts_as_no_delay() -> None:
    assert after(-5 * MILLISECOND, -1, 0).value() == Quantiles(3, 0.0, 0.0, 0.0)


def test_takes_delays_of_years() -> None:
    years = 50 * 365 * 86_400 * 1_000 * MILLISECOND
    assert after(years).value().worst == pytest.approx(years / MILLISECOND)


def test_several_make_one() -> None:
    assert (
        merged([after(1_000, 50 * MILLISECOND), after(90 * MILLISECOND)]).state()
        == after(1_000, 50 * MILLISECOND, 90 * MILLISECOND).state()
    )
    assert merged([]).value() == Quantiles()


def test_a_reset_forgets_everything_and_says_why() -> None:
    latency = after(5)
    latency.reset("new session")
    assert latency.state() == Latency().state()
    assert latency.reset_reason == "new session"
