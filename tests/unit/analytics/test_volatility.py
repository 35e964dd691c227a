"""The motion of a price, against sums over every bar."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log, pi, sqrt
from random import Random

import pytest

from liquake.analytics.volatility import PriceMotion, Trend, trend_word

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def walk(sigma: float, minutes: int, seed: int, drift: float = 0.0) -> list[float]:
    """Log prices, one a minute."""
    random, path = Random(seed), [log(100.0)]
    for _ in range(minutes):
        path.append(path[-1] + random.gauss(drift, sigma))
    return path


def followed(path: list[float]) -> PriceMotion:
    motion = PriceMotion()
    for minute, value in enumerate(path):
        motion.update(exp(value), minute * MINUTE + SECOND)
    return motion


def test_volatility_is_the_bipower_sum_of_the_last_half_hour() -> None:
    path = walk(0.001, 60, seed=1)
    closed = path[:-1]  # The last minute is still open.
    moves = [abs(b - a) for a, b in zip(closed[-31:], closed[-30:], strict=False)]
    slow = sqrt(pi / 2 * sum(a * b for a, b in pairwise(moves)) / 29 * 1440)
    assert followed(path).volatility() == pytest.approx(slow)


def test_it_recovers_the_pace_of_a_random_walk() -> None:
    found = [followed(walk(0.001, 40, seed)).volatility() or 0.0 for seed in range(300)]
    assert sum(value**2 for value in found) / len(found) == pytest.approx(0.001**2 * 1440, rel=0.1)


def test_a_single_jump_hardly_counts() -> None:
    path = walk(0.0005, 40, seed=4)
    jumped = path[:30] + [value - 0.05 for value in path[30:]]
    calm, after = followed(path).volatility(), followed(jumped).volatility()
    assert calm is not None
    assert after is not None
    jump_counted = sqrt(0.05**2 / 30 * 1440)
    assert after < 0.35 * jump_counted


def test_a_market_that_stands_still_has_no_volatility_and_no_trend() -> None:
    motion = PriceMotion()
    motion.update(100.0, 0)
    motion.update(100.0, 20 * MINUTE)
    assert (motion.volatility(), motion.trend(), motion.run()) == (0.0, 0.0, 0.0)


def test_nothing_is_said_before_a_few_minutes() -> None:
    motion = followed(walk(0.001, 4, seed=1))
    assert (motion.volatility(), motion.trend(), motion.run()) == (None, None, None)


def test_trend_is_in_standard_deviations_of_chance() -> None:
    trends = [followed(walk(0.001, 200, seed)).trend() or 0.0 for seed in range(600)]
    assert sum(trends) / len(trends) == pytest.approx(0.0, abs=0.15)
    assert sqrt(sum(value**2 for value in trends) / len(trends)) == pytest.approx(1.0, abs=0.15)


def test_a_drift_has_a_word() -> None:
    down, up = followed(walk(0.0005, 60, 1, -0.002)).trend(), followed(walk(0.0005, 60, 1, 0.002)).trend()
    assert down is not None
    assert up is not None
    assert (trend_word(down), trend_word(up)) == (Trend.STRONG_DOWN, Trend.STRONG_UP)


def test_a_run_is_measured_from_its_extreme_in_either_direction() -> None:
    for sign in (1.0, -1.0):
        flat = [log(100.0)] * 20
        motion = followed([*flat, *(log(100.0) + sign * 0.001 * step for step in range(1, 6))])
        # Five minutes at 0.1 % each; the first of the twenty equal closes that counts is the newest.
        assert motion.run() == pytest.approx(0.001)


def test_change_is_over_a_day_or_what_was_seen_of_it() -> None:
    motion = followed([log(100.0)] * 10)
    motion.update(103.0, 10 * MINUTE)
    change, minutes = motion.change() or (0.0, 0)
    assert (round(change, 9), minutes) == (0.03, 10)
    motion.update(200.0, 11 * MINUTE)
    motion.update(220.0, 1451 * MINUTE)
    change, minutes = motion.change() or (0.0, 0)
    assert (round(change, 9), minutes) == (0.1, 1440)


@pytest.mark.parametrize("price", [0.0, -5.0, float("nan")])
def test_a_price_that_is_none_is_ignored(price: float) -> None:
    motion = PriceMotion()
    motion.update(100.0, 0)
    motion.update(price, MINUTE)
    assert motion.price == 100.0


def test_late_prices_are_ignored() -> None:
    motion = PriceMotion()
    motion.update(100.0, MINUTE)
    motion.update(90.0, 0)
    assert motion.price == 100.0


def test_a_year_without_a_price_does_not_stall() -> None:
    motion = PriceMotion()
    motion.update(100.0, 0)
    motion.update(101.0, 525_600 * MINUTE)
    assert motion.volatility() == 0.0


def test_reset_forgets_so_that_a_gap_is_no_jump() -> None:
    motion = followed(walk(0.001, 30, seed=1))
    motion.reset("gap")
    motion.update(500.0, 100 * MINUTE)
    assert (motion.volatility(), motion.change(), motion.reason) == (None, None, "gap")
