from __future__ import annotations

import numpy as np
import pytest

from liquake.analytics.threshold import Threshold

DAY = 86400.0
MIDNIGHT = 19_700 * DAY


def slow_quantile(
    times: list[float], usd: list[float], first: float, last: float, horizon: float, share: float
) -> float:
    seconds = np.arange(first, last)
    sums = np.r_[0.0, np.cumsum(usd)]
    back = (
        sums[np.searchsorted(times, seconds, side="right")]
        - sums[np.searchsorted(times, seconds - horizon, side="right")]
    )
    return float(np.quantile(back, share))


def test_it_is_the_quantile_of_the_last_seven_full_days_within_two_per_cent() -> None:
    generator = np.random.default_rng(0)
    times = np.sort(generator.random(40_000) * 9 * DAY).tolist()
    usd = np.exp(generator.normal(8.0, 1.5, len(times))).tolist()
    threshold = Threshold(123.0, 0.5, 60.0, 0.995)
    for ts, value in zip(times, usd, strict=True):
        threshold.update(MIDNIGHT - 0.5 * DAY + ts, value)
    expected = slow_quantile(
        [MIDNIGHT - 0.5 * DAY + ts for ts in times], usd, MIDNIGHT + DAY, MIDNIGHT + 8 * DAY, 60.0, 0.995
    )
    assert threshold.usd == pytest.approx(expected, rel=0.025)
    inside = sum(1.5 * DAY <= ts < 8.5 * DAY for ts in times)
    assert threshold.rate == pytest.approx(inside / (7 * DAY), rel=1e-9)


def test_the_initial_one_holds_until_a_full_day_is_known_and_yields_by_sevenths() -> None:
    threshold = Threshold(123.0, 0.5, 60.0, 0.5)
    for second in range(10, int(1.9 * DAY), 30):
        threshold.update(MIDNIGHT + second, 100.0)
    assert (threshold.usd, threshold.rate, threshold.own) == (123.0, 0.5, 0.0)
    threshold.advance(MIDNIGHT + 2.0 * DAY)
    assert threshold.own == 1 / 7
    assert threshold.usd == pytest.approx(123.0 ** (6 / 7) * 200.0 ** (1 / 7), rel=0.02)
    assert threshold.rate == pytest.approx(0.5 ** (6 / 7) * 0.03 ** (1 / 7), rel=0.02)


def test_days_too_quiet_for_a_quantile_leave_the_last_one() -> None:
    threshold = Threshold(123.0, 0.5, 60.0, 0.9)
    threshold.update(MIDNIGHT - 10.0, 5.0)
    threshold.advance(MIDNIGHT + 3.0 * DAY)
    assert (threshold.usd, threshold.rate, threshold.own) == (123.0, 0.5, 3 / 7)


def test_it_is_frozen_within_the_day() -> None:
    threshold = Threshold(123.0, 0.5, 60.0, 0.9)
    seen = set()
    for second in range(0, int(3.5 * DAY), 30):
        threshold.update(MIDNIGHT + second, 1000.0 * (1 + second // int(DAY)))
        if second > 2.0 * DAY + 60:
            seen.add((second // int(DAY), threshold.usd))
    assert len(seen) == 2


def test_it_is_never_below_the_floor() -> None:
    assert Threshold(10.0, 0.5, 60.0, 0.995, floor_usd=500.0).usd == 500.0
    threshold = Threshold(10.0, 0.5, 60.0, 0.995, floor_usd=500.0)
    threshold.advance(MIDNIGHT)
    threshold.advance(MIDNIGHT + 5 * DAY)
    assert threshold.usd == 500.0


def test_days_older_than_a_week_are_forgotten() -> None:
    threshold = Threshold(10.0, 0.5, 60.0, 0.5)
    loud, quiet = 5_000.0, 50.0
    for day in range(12):
        for second in range(0, int(DAY), 60):
            threshold.update(MIDNIGHT + day * DAY + second, loud if day < 4 else quiet)
    threshold.advance(MIDNIGHT + 12 * DAY)
    assert threshold.usd == pytest.approx(quiet, rel=0.03)


def test_a_day_with_a_gap_does_not_count() -> None:
    threshold = Threshold(123.0, 0.5, 60.0, 0.5)
    threshold.advance(MIDNIGHT - 10.0)
    for second in range(0, int(DAY), 60):
        if second == 36_000:
            threshold.reset()
        threshold.update(MIDNIGHT + second, 1000.0)
    threshold.advance(MIDNIGHT + DAY + 5.0)
    assert threshold.usd == 123.0
