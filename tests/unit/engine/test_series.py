"""Series hold what a slow count of the same events gives, whatever order they come in and however late."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.engine.engine import Engine
from liquake.engine.series import SECONDS, MarketSeries, PriceSeries
from liquake.engine.snapshot import ALL
from liquake.model import Price, PriceKind, Side
from tests.unit.engine.events import NOON, SECOND, liquidation

Fed = list[tuple[int, Side, float]]


def _slow(events: Fed, now: int, step: int, buckets: int) -> list[tuple[int, int, float, float]]:
    """Events and dollars by side of each bucket (end - step, end], counted one by one."""
    last = -(-now // step) * step
    rows = []
    for index in range(buckets):
        end = last - (buckets - 1 - index) * step
        inside = [event for event in events if end - step < event[0] <= end]
        longs = [usd for _, side, usd in inside if side is Side.LONG]
        shorts = [usd for _, side, usd in inside if side is Side.SHORT]
        rows.append((len(longs), len(shorts), sum(longs), sum(shorts)))
    return rows


@given(
    st.lists(
        st.tuples(st.integers(0, 290 * SECOND), st.sampled_from(Side), st.integers(0, 10**6).map(float)), max_size=60
    ),
    st.integers(0, 5 * SECOND),
)
def test_every_second_holds_what_a_slow_count_gives(offsets: Fed, later: int) -> None:
    events = [(NOON + offset, side, usd) for offset, side, usd in offsets]
    series = MarketSeries()
    for time, side, usd in events:
        series.update(time, side, usd)
    now = max((time for time, _, _ in events), default=NOON) + later
    read = series.seconds(now)
    rows = list(zip(read.long_events, read.short_events, read.long_usd, read.short_usd, strict=True))
    assert rows == _slow(events, now, SECOND, SECONDS)


def test_order_of_arrival_does_not_matter() -> None:
    rng = random.Random(3)
    events = [
        (NOON + rng.randrange(280 * SECOND), rng.choice(list(Side)), float(rng.randrange(1000))) for _ in range(500)
    ]
    forth, back = MarketSeries(), MarketSeries()
    for event in events:
        forth.update(*event)
    for event in reversed(events):
        back.update(*event)
    now = NOON + 290 * SECOND
    assert forth.seconds(now) == back.seconds(now)
    assert forth.minutes(now) == back.minutes(now)


def test_reading_changes_nothing_and_time_moves_old_buckets_out() -> None:
    series = MarketSeries()
    series.update(NOON, Side.LONG, 5.0)
    assert series.seconds(NOON) == series.seconds(NOON)
    assert sum(series.seconds(NOON + 299 * SECOND).long_events) == 1
    assert sum(series.seconds(NOON + 300 * SECOND).long_events) == 0


def test_an_event_older_than_the_series_takes_no_ones_place() -> None:
    series = MarketSeries()
    series.update(NOON + SECONDS * SECOND, Side.LONG, 1.0)
    series.update(NOON, Side.SHORT, 9.0)
    assert sum(series.seconds(NOON + SECONDS * SECOND).short_events) == 0
    assert sum(series.seconds(NOON + SECONDS * SECOND).long_events) == 1


def test_a_price_is_the_last_of_its_second_and_missing_where_none_came() -> None:
    series = PriceSeries()
    for offset, price in ((0.2, 10.0), (0.7, 11.0), (2.5, 12.0)):
        series.update(NOON + round(offset * SECOND), price)
    assert series.seconds(NOON + 3 * SECOND)[-3:] == (11.0, None, 12.0)


def test_the_engine_gives_the_series_asked_for_and_no_others() -> None:
    engine = Engine({})
    engine.apply(liquidation())
    now = NOON + 2 * SECOND
    assert engine.snapshot(now).charts == {}
    charts = engine.snapshot(now, (), (ALL, "BTCUSDT", "NONEUSDT")).charts
    assert sum(charts[ALL].seconds.long_events) + sum(charts[ALL].seconds.short_events) == 1
    assert charts["BTCUSDT"].minutes == charts[ALL].minutes
    assert sum(charts["NONEUSDT"].seconds.long_events) == 0


@pytest.mark.parametrize(("instrument", "dollars"), [("BTCUSDT", 100.0), ("1000BTCUSDT", 0.1)])
def test_prices_are_of_one_coin(instrument: str, dollars: float) -> None:
    engine = Engine({})
    engine.apply(Price("binance", instrument, "BTC", PriceKind.MARK, 100.0, NOON, NOON))
    assert engine.snapshot(NOON, (), ("BTCUSDT",)).charts["BTCUSDT"].prices[-1] == pytest.approx(dollars)
