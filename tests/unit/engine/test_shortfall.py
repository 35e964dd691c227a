"""Between what and what a throttled venue's last hour lies, as the engine tells it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest

from liquake.engine.shortfall import Crowds, Shortfall
from liquake.engine.snapshot import ALL, Understatement
from liquake.model import Coverage, CoverageKind, Gap, Liquidation, PriceBasis, Side, Throttle

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_790_000_000 * SECOND // HOUR * HOUR
LATEST = Coverage(CoverageKind.THROTTLED, "", throttle=Throttle.LATEST, interval=1.0)
BY_SIDE = Coverage(CoverageKind.THROTTLED, "", throttle=Throttle.LATEST, interval=1.0, per_side=True)


def order(seconds: float, venue: str, side: Side = Side.LONG, usd: float = 100.0, asset: str = "BTC") -> Liquidation:
    ts = START + round(seconds * SECOND)
    return Liquidation(venue, f"{asset}USDT", asset, side, 100.0, PriceBasis.FILL, usd / 100.0, usd, ts, ts)


def bursts(venue: str, seed: int) -> list[Liquidation]:
    """Sixty times an hour, twelve orders within eight seconds, most of them in the first two."""
    random = Random(seed)
    moments = sorted(start * 60 + 10 + 8.0 * random.random() ** 2 for start in range(60) for _ in range(12))
    return [order(moment, venue) for moment in moments]


def latest(orders: list[Liquidation]) -> list[Liquidation]:
    return list({each.ts_event // SECOND: each for each in orders}.values())


def told(
    shown: list[Liquidation],
    complete: list[Liquidation],
    coverage: Coverage = LATEST,
    before: Callable[[Shortfall], None] = lambda shortfall: None,
) -> Understatement:
    crowds = Crowds()
    shortfall = Shortfall("okx", coverage, (ALL, "BTCUSDT"), crowds)
    for event in complete:
        crowds.update(event, event.ts_event)
    for event in shown:
        shortfall.update(event, "BTCUSDT", event.ts_event)
    before(shortfall)
    shortfall.advance(START + HOUR)
    whole, one = shortfall.value()
    assert (whole.events, whole.usd_at_most) == (one.events, one.usd_at_most)
    return whole


def test_what_bursts_hid_lies_between_its_bounds() -> None:
    hidden = bursts("okx", seed=1)
    said = told(latest(hidden), bursts("bybit", seed=2))
    assert said.events < len(hidden) / 1.5
    assert said.events_at_most is not None
    assert said.usd_at_most is not None
    assert said.events_at_least < len(hidden) < said.events_at_most
    assert said.usd_at_least < 100.0 * len(hidden) < said.usd_at_most
    assert said.events_at_most < 4.0 * said.events_at_least


def test_without_a_complete_venue_nothing_tells_how_much_it_was_at_most() -> None:
    said = told(latest(bursts("okx", seed=1)), [])
    assert (said.events_at_most, said.usd_at_most) == (None, None)
    assert said.events_at_least >= said.events


def test_an_hour_that_was_not_heard_for_long_has_no_upper_end() -> None:
    def missing(seconds: float) -> Callable[[Shortfall], None]:
        gap = Gap("okx", "public", START, START + round(seconds * SECOND), "the connection broke")
        return lambda shortfall: shortfall.interrupt(gap)

    shown, complete = latest(bursts("okx", seed=1)), bursts("bybit", seed=2)
    assert told(shown, complete, before=missing(30.0)).events_at_most is not None
    assert told(shown, complete, before=missing(60.0)).events_at_most is None


def test_three_orders_of_a_side_in_a_second_show_that_there_is_no_throttle() -> None:
    shown = [order(10.0 + number / 10.0, "okx") for number in range(3)]
    said = told(shown, bursts("bybit", seed=2))
    assert (said.events_at_least, said.events_at_most) == (3, 3)
    assert (said.usd_at_least, said.usd_at_most) == (300.0, 300.0)


def test_a_throttle_of_each_side_is_held_against_the_others_by_side() -> None:
    random = Random(3)
    moments = sorted(random.random() * 3600.0 for _ in range(600))
    both = [order(moment, "bybit", side) for moment in moments for side in Side]
    shown = [order(moment, "okx", side) for moment in moments[::2] for side in Side]
    said = told(shown, both, BY_SIDE)
    assert said.events_at_most is not None
    assert said.events_at_most < 1.3 * said.events
    assert (told(shown, both, LATEST).events_at_most or 1e9) > said.events_at_most


def test_symbols_that_showed_little_are_estimated_together() -> None:
    assets = ("BTC", "ETH", "SOL", "XRP")
    complete = [order(number * 7.0, "bybit", asset=assets[number % 4]) for number in range(400)]
    shown = [order(number * 70.0 + 1.0, "okx", asset=assets[number % 4]) for number in range(40)]
    crowds = Crowds()
    shortfall = Shortfall("okx", LATEST, (ALL,), crowds)
    for event in complete:
        crowds.update(event, event.ts_event)
    for event in shown:
        shortfall.update(event, "", event.ts_event)
    shortfall.advance(START + HOUR)
    (said,) = shortfall.value()
    assert said.events_at_most == pytest.approx(65.0, abs=15.0)
    assert said.events_at_least == 40


def test_what_is_an_hour_old_is_told_no_more() -> None:
    crowds = Crowds()
    shortfall = Shortfall("okx", LATEST, (ALL,), crowds)
    shortfall.update(order(0.0, "okx"), "BTCUSDT", START)
    shortfall.advance(START + HOUR - 1)
    assert len(shortfall.value()) == 1
    shortfall.advance(START + HOUR + 60 * SECOND)
    assert shortfall.value() == []


def test_of_orders_of_unknown_size_there_is_an_upper_end_of_the_number_alone() -> None:
    shown, complete = latest(bursts("okx", seed=1)), bursts("bybit", seed=2)
    unsized = [*shown[:-1], msgspec.structs.replace(shown[-1], usd=None, amount=None)]
    said = told(unsized, complete)
    assert said.events_at_most == told(shown, complete).events_at_most
    assert said.usd_at_most is None
    assert said.usd_at_least >= said.usd == 100.0 * (len(shown) - 1)


def test_an_estimate_follows_a_cascade_at_once_and_a_quiet_market_by_the_minute() -> None:
    crowds = Crowds()
    shortfall = Shortfall("okx", LATEST, (ALL,), crowds)
    random = Random(5)

    def pass_to(seconds: float, hidden: list[Liquidation], complete: list[Liquidation]) -> Understatement:
        for event in complete:
            crowds.update(event, event.ts_event)
        for event in latest(hidden):
            shortfall.update(event, "BTCUSDT", event.ts_event)
        shortfall.advance(START + round(seconds * SECOND))
        (said,) = shortfall.value()
        return said

    def quiet(venue: str) -> list[Liquidation]:
        return [order(10.0 + 70.0 * number + 30.0 * random.random(), venue) for number in range(50)]

    def cascade(venue: str) -> list[Liquidation]:
        return [order(3602.0 + moment, venue) for moment in sorted(8.0 * random.random() for _ in range(160))]

    calm = pass_to(3600.0, quiet("okx"), quiet("bybit"))
    one_more = pass_to(3601.0, [order(3600.5, "okx")], [])
    assert (one_more.events, one_more.events_at_most) == (calm.events + 1, calm.events_at_most)
    fall = pass_to(3611.0, cascade("okx"), cascade("bybit"))
    assert calm.events_at_most is not None
    assert fall.events_at_most is not None
    assert calm.events_at_most < fall.events_at_least < 50 + 1 + 160 < fall.events_at_most
