"""A venue that says nothing while the others do."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Outage, VenueState
from liquake.model import Coverage, CoverageKind, Event, FeedState, FeedStatus, Gap, Liquidation, PriceBasis, Side
from liquake.model.alert import Alert, AlertRule, Level
from liquake.model.feed import LIQUIDATIONS

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
VENUES = ("binance", "bybit", "okx")
COVERAGES = {
    **{venue: Coverage(CoverageKind.COMPLETE, "All.") for venue in VENUES},
    "deribit": Coverage(CoverageKind.DELAYED, "An hour late."),
    "hyperliquid": Coverage(CoverageKind.SAMPLE, "Some."),
}
LEARN = 1_500
"""Seconds after which every venue is known."""
DEAF = 240
"""Seconds in which a silence of one of three venues cannot be chance any more."""


def liquidation(venue: str, ts: int, number: int, late: int = SECOND // 10) -> Liquidation:
    return Liquidation(
        venue, "BTCUSDT", "BTC", Side.LONG, 60_000.0, PriceBasis.FILL, 0.1, 6_000.0, ts, ts + late, id=f"{number}"
    )


def trading(first: int, last: int, silent: str = "", seed: int = 1) -> Iterator[Liquidation]:
    """About one liquidation in three seconds of each venue but the silent one, in the seconds from `first` to `last`."""
    for second in range(first, last):
        random = Random(f"{seed} {second}")
        for venue in VENUES:
            if random.random() < 0.33 and venue != silent:
                yield liquidation(venue, START + second * SECOND + random.randrange(SECOND // 2), second)


def subscribed() -> list[Event]:
    return [FeedStatus(venue, "1", FeedState.SUBSCRIBED, START) for venue in VENUES]


def engine_after(*parts: Iterator[Liquidation] | list[Event]) -> Engine:
    engine = Engine(COVERAGES)
    for part in parts:
        for event in part:
            engine.apply(event)
    return engine


def venue(engine: Engine, second: int, name: str = "okx") -> VenueState:
    [found] = [each for each in engine.snapshot(START + second * SECOND).venues if each.venue == name]
    return found


def test_a_venue_that_falls_silent_is_dark_with_time_and_p_value() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), trading(LEARN, LEARN + DEAF, "okx"))
    okx = venue(engine, LEARN + DEAF)
    assert okx.state is FeedState.DARK
    [held] = [each for each in okx.connections if each.state is FeedState.DARK]
    assert START + (LEARN - 60) * SECOND < held.since < START + LEARN * SECOND
    assert "no liquidation where the others' rates let expect" in held.reason
    assert ", p " in held.reason
    [line] = [record for record in engine.statistics().feeds if record.what.startswith("DARK")]
    assert (line.venue, line.connection) == ("okx", LIQUIDATIONS)
    assert START + LEARN * SECOND < line.ts < START + (LEARN + DEAF) * SECOND
    assert venue(engine, LEARN + DEAF, "bybit").state is FeedState.SUBSCRIBED


def test_while_it_is_dark_it_is_not_held_to_be_heard() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), trading(LEARN, LEARN + DEAF, "okx"))
    seconds = LEARN + DEAF
    assert venue(engine, seconds).covered["all"] == pytest.approx(LEARN / seconds, abs=0.03)
    assert venue(engine, seconds, "bybit").covered["all"] == pytest.approx(1.0)


def test_its_next_liquidation_lifts_it_and_the_silence_stays_as_a_gap() -> None:
    end = LEARN + DEAF
    engine = engine_after(subscribed(), trading(0, LEARN), trading(LEARN, end, "okx"), trading(end, end + 30))
    okx = venue(engine, end + 30)
    assert okx.state is FeedState.SUBSCRIBED
    [outage] = okx.outages
    assert isinstance(outage, Outage)
    assert START + (LEARN - 60) * SECOND < outage.start < START + LEARN * SECOND
    assert START + end * SECOND <= outage.end < START + (end + 30) * SECOND
    assert outage.cause.startswith("dark: ")
    assert okx.gaps == 1


def test_a_dark_venue_raises_an_alert_that_says_how_improbable_it_is() -> None:
    engine, notifier = engine_after(subscribed(), trading(0, LEARN)), Notifier()
    told = list[Alert]()
    for event in trading(LEARN, LEARN + DEAF, "okx"):
        engine.apply(event)
        told += notifier.update(situation_of(engine.snapshot(event.ts_recv)))
    [alert] = [alert for alert in told if alert.rule is AlertRule.FEED]
    assert (alert.venue, alert.level) == ("okx", Level.WARNING)
    assert "okx has been dark for" in alert.text
    assert ", p " in alert.text


@pytest.mark.parametrize("quiet", ["deribit", "hyperliquid"])
def test_who_comes_an_hour_late_or_shows_a_sample_is_never_dark(quiet: str) -> None:
    known: list[Event] = [liquidation(quiet, START + n * SECOND, n) for n in range(LEARN)]
    both = sorted([*known, *trading(0, LEARN)], key=lambda event: event.ts_recv)  # type: ignore[union-attr]
    engine = engine_after(both, trading(LEARN, LEARN + DEAF))
    assert venue(engine, LEARN + DEAF, quiet).state is FeedState.CONNECTING


def test_a_venue_whose_connection_is_down_is_down_and_not_dark() -> None:
    down: list[Event] = [FeedStatus("okx", "1", FeedState.DISCONNECTED, START + LEARN * SECOND, reason="code 1006")]
    engine = engine_after(subscribed(), trading(0, LEARN), down, trading(LEARN, LEARN + DEAF, "okx"))
    assert venue(engine, LEARN + DEAF).state is FeedState.DISCONNECTED


def test_reconnecting_does_not_make_a_silent_venue_look_well() -> None:
    """A retired endpoint acknowledges every time."""
    engine = engine_after(subscribed(), trading(0, LEARN))
    for second in range(LEARN, LEARN + DEAF):
        for event in trading(second, second + 1, "okx"):
            engine.apply(event)
        if second % 60 == 0:
            at = START + (second + 1) * SECOND
            for state in (FeedState.DISCONNECTED, FeedState.CONNECTING, FeedState.CONNECTED, FeedState.SUBSCRIBED):
                engine.apply(FeedStatus("okx", "1", state, at))
            engine.apply(Gap("okx", "1", at - SECOND, at, "code 1006"))
    assert venue(engine, LEARN + DEAF).state is FeedState.DARK


def test_what_comes_late_but_was_sent_on_this_connection_shows_that_the_venue_lives() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), trading(LEARN, LEARN + DEAF, "okx"))
    late = liquidation("okx", START + (LEARN + DEAF - 60) * SECOND, -1, late=60 * SECOND)
    engine.apply(late)
    engine.advance(late.ts_recv + SECOND)
    assert venue(engine, LEARN + DEAF).state is FeedState.SUBSCRIBED


def test_what_a_venue_replays_on_connecting_does_not() -> None:
    """It is from before the connection: it may be all that a dead endpoint still tells."""
    engine = engine_after(subscribed(), trading(0, LEARN), trading(LEARN, LEARN + DEAF, "okx"))
    at = START + (LEARN + DEAF) * SECOND
    engine.apply(FeedStatus("okx", "1", FeedState.CONNECTED, at))
    engine.apply(FeedStatus("okx", "1", FeedState.SUBSCRIBED, at))
    engine.apply(msgspec.structs.replace(liquidation("okx", at - 60 * SECOND, -1), ts_recv=at + SECOND))
    engine.advance(at + 5 * SECOND)
    assert venue(engine, LEARN + DEAF + 5).state is FeedState.DARK


def test_arrival_in_another_order_within_the_watermark_makes_no_difference() -> None:
    events = [*trading(0, LEARN), *trading(LEARN, LEARN + DEAF, "okx")]
    random, held = Random(2), list[tuple[int, Liquidation]]()
    for event in events:
        held.append((event.ts_event + random.randrange(SECOND * 9 // 10), event))
    shuffled = [event for _, event in sorted(held, key=lambda each: each[0])]
    assert shuffled != events
    one, other = (engine_after(subscribed(), iter(order)) for order in (events, shuffled))
    assert venue(one, LEARN + DEAF).connections == venue(other, LEARN + DEAF).connections
    assert FeedState.DARK in {each.state for each in venue(one, LEARN + DEAF).connections}
