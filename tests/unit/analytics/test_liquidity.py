"""Spread and depth, averaged over the time that quotes stand."""

from __future__ import annotations

from math import exp
from random import Random

import pytest

from liquake.analytics.liquidity import Liquidity

SECOND = 1_000_000_000


def slow_average(quotes: list[tuple[float, float, float]], now: float, memory: float) -> tuple[float, float]:
    """Spread and depth by the middle of every hundredth of a second."""
    weight = spread = depth = 0.0
    for step in range(round(now * 100)):
        at = (step + 0.5) / 100
        standing = [quote for quote in quotes if quote[0] <= at]
        if standing and at - standing[-1][0] <= 10.0:
            share = exp((at - now) / memory)
            weight, spread, depth = weight + share, spread + share * standing[-1][1], depth + share * standing[-1][2]
    return spread / weight, depth / weight


def book(liquidity: Liquidity, spread: float, depth: float, second: float) -> None:
    liquidity.update(100.0 - 50 * spread, depth / 2, 100.0 + 50 * spread, depth / 2, round(second * SECOND))


def test_averages_are_over_time_and_not_over_quotes() -> None:
    quotes = [(1.0, 1e-4, 5e5), (2.0, 3e-4, 1e5), (2.1, 2e-4, 2e5), (20.0, 1e-4, 4e5)]
    liquidity = Liquidity()
    for second, spread, depth in quotes:
        book(liquidity, spread, depth, second)
    spread, depth = slow_average(quotes, 25.0, Liquidity.MEMORY)
    assert liquidity.spread(25 * SECOND) == pytest.approx(spread, rel=1e-3)
    assert liquidity.depth(25 * SECOND) == pytest.approx(depth, rel=1e-3)


def test_a_quote_that_stands_too_long_is_not_believed() -> None:
    liquidity = Liquidity()
    book(liquidity, 1e-4, 1e5, 0.0)
    assert liquidity.spread(10 * SECOND) == pytest.approx(1e-4)
    assert liquidity.spread(11 * SECOND) is None
    assert liquidity.stress(11 * SECOND) is None


@pytest.mark.parametrize(
    "quote", [(0.0, 1.0, 101.0, 1.0), (102.0, 1.0, 101.0, 1.0), (100.0, -1.0, 101.0, 1.0), (float("nan"), 1, 1, 1)]
)
def test_a_book_that_cannot_be_is_ignored(quote: tuple[float, float, float, float]) -> None:
    liquidity = Liquidity()
    liquidity.update(*quote, ts=0)
    assert liquidity.spread(SECOND) is None


def test_late_quotes_are_ignored() -> None:
    one, other = Liquidity(), Liquidity()
    for liquidity in (one, other):
        book(liquidity, 1e-4, 1e5, 5.0)
    book(other, 9e-4, 1e3, 4.0)
    assert one.depth(6 * SECOND) == other.depth(6 * SECOND)


def test_a_thin_or_a_wide_book_is_stress_against_its_own_week() -> None:
    random, liquidity = Random(1), Liquidity()
    for second in range(86_400):
        if second % 5 == 0:
            book(liquidity, 1e-4 * random.lognormvariate(0, 0.3), 1e6 * random.lognormvariate(0, 0.3), second)
        liquidity.advance(second * SECOND)
    book(liquidity, 1e-4, 1e6, 86_400)
    usual = liquidity.stress(86_409 * SECOND)
    assert usual is not None
    assert 0.2 < usual < 0.97
    thin = Liquidity()
    thin.spreads, thin.thinness = liquidity.spreads, liquidity.thinness
    book(thin, 1e-4, 1e4, 86_400)
    assert thin.stress(86_405 * SECOND) == pytest.approx(1.0, abs=0.005)
    book(thin, 1e-4, 0.0, 86_406)
    thin.reset("gap")
    book(thin, 1e-2, 1e6, 86_406)
    assert thin.stress(86_410 * SECOND) == pytest.approx(1.0, abs=0.005)
    assert thin.reason == "gap"


def test_a_book_without_size_is_the_highest_stress() -> None:
    liquidity = Liquidity()
    book(liquidity, 1e-4, 0.0, 0.0)
    liquidity.advance(SECOND)
    assert liquidity.stress(SECOND) == 1.0
