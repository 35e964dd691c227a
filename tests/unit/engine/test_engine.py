from __future__ import annotations

import msgspec
import pytest

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, KINEMATIC_WINDOWS, Cell, Snapshot, Sum
from liquake.model import (
    CoverageKind,
    DecodeError,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Liquidation,
    Quote,
    Side,
    TakerSide,
    Trade,
)
from tests.unit.engine.events import COVERAGES, HOUR, MINUTE, NOON, SECOND, liquidation, price


def engine_after(*events: Event, include_samples: bool = False) -> Engine:
    engine = Engine(COVERAGES, include_samples=include_samples)
    for event in events:
        engine.apply(event)
    return engine


def cell(snapshot: Snapshot, venue: str, side: Side, market: str) -> Cell:
    [found] = [c for c in snapshot.cells if (c.venue, c.side, c.market) == (venue, side, market)]
    return found


def in_window(snapshot: Snapshot, market: str, window: float) -> int:
    [row] = [row for row in snapshot.kinematics[market] if row.window == window]
    return row.events


def test_totals_are_kept_by_venue_side_and_market() -> None:
    engine = engine_after(
        liquidation(0, venue="bybit", asset="BTC", side=Side.LONG, amount=1.0, usd=60_000.0),
        liquidation(1, venue="bybit", asset="ETH", side=Side.LONG, amount=2.0, usd=6_000.0),
        liquidation(2, venue="bybit", asset="BTC", side=Side.SHORT, amount=3.0, usd=180_000.0),
        liquidation(3, venue="okx", asset="BTC", side=Side.LONG, amount=4.0, usd=240_000.0),
    )
    snapshot = engine.snapshot(NOON + 10 * SECOND)
    assert cell(snapshot, "bybit", Side.LONG, "BTCUSDT").sums["5m"] == Sum(1, 1.0, 60_000.0)
    assert cell(snapshot, "bybit", Side.SHORT, "BTCUSDT").sums["all"] == Sum(1, 3.0, 180_000.0)
    assert cell(snapshot, "okx", Side.LONG, "BTCUSDT").sums["24h"] == Sum(1, 4.0, 240_000.0)
    assert cell(snapshot, "bybit", Side.LONG, ALL).sums["1h"] == Sum(2, 0.0, 66_000.0)
    assert snapshot.events == 4
    assert snapshot.markets == ("BTCUSDT", "ETHUSDT")


def test_only_the_markets_asked_for_are_in_cells_and_kinematics() -> None:
    engine = engine_after(liquidation(0), liquidation(1, asset="ETH"))
    snapshot = engine.snapshot(NOON + 10 * SECOND, ["ETHUSDT", "SOLUSDT"])
    assert {c.market for c in snapshot.cells} == {ALL, "ETHUSDT"}
    assert set(snapshot.kinematics) == {ALL, "ETHUSDT", "SOLUSDT"}
    assert in_window(snapshot, "SOLUSDT", 60.0) == 0
    assert snapshot.markets == ("BTCUSDT", "ETHUSDT")


def test_kinematics_describe_the_moment_of_the_watermark() -> None:
    engine = engine_after(liquidation(0), liquidation(2.5))
    snapshot = engine.snapshot(NOON + 3 * SECOND)
    assert snapshot.as_of == NOON + 2 * SECOND
    assert in_window(snapshot, ALL, 2.0) == 0
    assert in_window(snapshot, ALL, 10.0) == 1
    later = engine.snapshot(NOON + round(3.5 * SECOND))
    assert in_window(later, ALL, 0.1) == in_window(later, "BTCUSDT", 0.1) == 1
    assert [row.window for row in later.kinematics[ALL]] == list(KINEMATIC_WINDOWS)


def test_an_event_that_overtook_another_is_counted_at_its_own_time() -> None:
    engine = engine_after(liquidation(2.9), liquidation(2.2), liquidation(3.4))
    snapshot = engine.snapshot(NOON + round(3.6 * SECOND))
    assert in_window(snapshot, ALL, 0.5) == 1
    assert snapshot.kinematics[ALL][2].counts.velocity.value > 0.0


def test_a_venue_clock_ahead_of_ours_puts_nothing_in_the_future() -> None:
    engine = engine_after(liquidation(300, delay=-299.0))
    snapshot = engine.snapshot(NOON + 2 * SECOND)
    assert in_window(snapshot, ALL, 0.1) == 1
    assert snapshot.activity[0].age == 1.0
    assert snapshot.latency.p99 == 0.0


def test_unknown_amounts_are_counted_as_events_of_no_known_size() -> None:
    engine = engine_after(liquidation(0, amount=None, usd=None), liquidation(0.1))
    snapshot = engine.snapshot(NOON + 2 * SECOND)
    assert cell(snapshot, "bybit", Side.LONG, "BTCUSDT").sums["5m"] == Sum(2, 0.5, 30_000.0, 1)
    assert cell(snapshot, "bybit", Side.LONG, ALL).sums["5m"] == Sum(2, 0.0, 30_000.0, 1)
    assert (snapshot.kinematics[ALL][3].events, snapshot.kinematics[ALL][3].usd) == (2, 30_000.0)
    assert engine.statistics().total == Sum(2, 0.0, 30_000.0, 1)
    assert [event.usd for event in snapshot.largest] == [30_000.0]


def test_dollars_without_coins_are_no_size_either() -> None:
    snapshot = engine_after(liquidation(0, amount=None, usd=5.0)).snapshot(NOON + 2 * SECOND)
    assert cell(snapshot, "bybit", Side.LONG, "BTCUSDT").sums["5m"] == Sum(1, 0.0, 0.0, 1)
    assert cell(snapshot, "bybit", Side.LONG, ALL).sums["5m"] == Sum(1, 0.0, 0.0, 1)
    assert snapshot.kinematics[ALL][4].usd == 0.0


@pytest.mark.parametrize("newer", [[], [liquidation(3)]])
def test_an_event_of_exactly_the_windows_age_is_out_settled_or_not(newer: list[Liquidation]) -> None:
    engine = engine_after(liquidation(0), *newer)
    assert in_window(engine.snapshot(NOON + 3 * SECOND), ALL, 2.0) == 0
    assert in_window(engine.snapshot(NOON + 3 * SECOND - 1), ALL, 2.0) == (0 if newer else 1)


def test_the_same_event_received_again_is_dropped_and_counted() -> None:
    engine = Engine(COVERAGES)
    first, again = liquidation(0), liquidation(0, delay=5.0)
    assert engine.apply(first) is True
    held = engine.state_hash()
    assert engine.apply(again) is False
    snapshot = engine.snapshot(NOON + 10 * SECOND)
    [bybit] = [venue for venue in snapshot.venues if venue.venue == "bybit"]
    assert (bybit.events, bybit.duplicates, snapshot.events) == (1, 1, 1)
    assert snapshot.tape == (first,)
    assert engine.state_hash() == held
    assert engine.statistics().duplicates == 1


def test_the_same_identity_on_another_venue_is_another_event() -> None:
    engine = engine_after(liquidation(0, venue="bybit", key=7), liquidation(0, venue="okx", key=7))
    assert engine.snapshot(NOON + SECOND).events == 2


def test_samples_are_shown_and_in_no_sum() -> None:
    engine = Engine(COVERAGES)
    sample = liquidation(0, venue="hyperliquid", asset="SOL")
    assert engine.apply(sample) is True
    snapshot = engine.snapshot(NOON + 10 * SECOND)
    assert snapshot.tape == (sample,)
    assert (snapshot.events, snapshot.largest) == (0, ())
    assert "hyperliquid" not in {c.venue for c in snapshot.cells}
    assert in_window(snapshot, ALL, 60.0) == in_window(snapshot, "SOLUSDT", 60.0) == 0
    [activity] = snapshot.activity
    assert (activity.venue, activity.last, activity.hour) == ("hyperliquid", sample, Sum(1, 0.5, 30_000.0))
    [venue] = [venue for venue in snapshot.venues if venue.venue == "hyperliquid"]
    assert (venue.sampled, venue.events) == (1, 0)
    statistics = engine.statistics()
    assert statistics.sampled == {"hyperliquid": Sum(1, 0.0, 30_000.0)}
    assert (statistics.total, statistics.by_market, statistics.first) == (Sum(), {}, None)


def test_samples_count_when_asked_for() -> None:
    engine = engine_after(liquidation(0, venue="hyperliquid"), include_samples=True)
    snapshot = engine.snapshot(NOON + 10 * SECOND)
    assert snapshot.events == in_window(snapshot, ALL, 60.0) == 1
    assert engine.statistics().sampled == {}
    assert engine.statistics().by_venue["hyperliquid"]["LONG"].events == 1


def test_activity_is_the_latest_by_venue_and_market_with_its_hour() -> None:
    old = liquidation(-2 * 3600, asset="ETH", venue="okx")
    longs, shorts = liquidation(0, usd=10.0), liquidation(3, side=Side.SHORT, usd=20.0)
    late = liquidation(1, side=Side.SHORT, usd=40.0, delay=4.0)
    snapshot = engine_after(old, longs, shorts, late).snapshot(NOON + 7 * SECOND)
    assert [(a.venue, a.market, a.last, a.age, a.state) for a in snapshot.activity] == [
        ("bybit", "BTCUSDT", shorts, 4.0, "LIVE"),
        ("okx", "ETHUSDT", old, 7207.0, "old"),
    ]
    assert snapshot.activity[0].hour == Sum(3, 1.5, 70.0)
    assert (snapshot.activity[0].hour_long.usd, snapshot.activity[0].hour_short.usd) == (10.0, 60.0)
    assert snapshot.activity[1].hour == Sum()


def test_a_reader_of_one_market_gets_its_activity_and_cells_alone() -> None:
    engine = engine_after(liquidation(0), liquidation(1, asset="ETH"), liquidation(2, asset="ETH", venue="okx"))
    one = engine.snapshot(NOON + 7 * SECOND, ["ETHUSDT"], activity=["ETHUSDT", "SOLUSDT"])
    every = engine.snapshot(NOON + 7 * SECOND)
    assert one.activity == tuple(entry for entry in every.activity if entry.market == "ETHUSDT")
    assert one.markets == every.markets == ("ETHUSDT", "BTCUSDT")
    assert one.cells == tuple(held for held in every.cells if held.market in {ALL, "ETHUSDT"})
    assert engine.snapshot(NOON + 7 * SECOND, activity=()).activity == ()


def test_events_hours_late_go_to_the_windows_of_their_own_time() -> None:
    engine = engine_after(liquidation(0), liquidation(-2 * 3600, asset="ETH", delay=2 * 3600 + 1))
    snapshot = engine.snapshot(NOON + 2 * SECOND)
    assert cell(snapshot, "bybit", Side.LONG, "ETHUSDT").sums["1h"].events == 0
    assert cell(snapshot, "bybit", Side.LONG, ALL).sums["1h"].events == 1
    assert cell(snapshot, "bybit", Side.LONG, ALL).sums["4h"].events == 2
    assert in_window(snapshot, ALL, 60.0) == 1
    assert engine.statistics().first == NOON - 2 * HOUR
    assert engine.statistics().last == NOON


def test_what_happened_before_the_connection_came_up_says_nothing_of_latency() -> None:
    engine = Engine(COVERAGES)
    engine.apply(FeedStatus("okx", "public", FeedState.CONNECTED, NOON))
    engine.apply(liquidation(-2400.0, venue="okx", delay=2401.0))
    engine.apply(liquidation(2.0, venue="okx", delay=0.25))
    latency = engine.snapshot(NOON + 5 * SECOND).latency
    assert (latency.count, latency.worst) == (1, 250.0)


def test_latency_is_measured_where_there_is_a_receive_time_of_its_own() -> None:
    recorded = msgspec.structs.replace(liquidation(1, venue="okx"), ts_recv=0)
    repeated = liquidation(2, venue="okx", delay=0.0)
    live = liquidation(3, delay=0.25)
    snapshot = engine_after(recorded, repeated, live).snapshot(NOON + 10 * SECOND)
    counts = {venue.venue: venue.latency.count for venue in snapshot.venues}
    assert counts == {"binance": 0, "bybit": 1, "okx": 0, "hyperliquid": 0}
    assert (snapshot.latency.count, snapshot.latency.p50) == (1, 250.0)


def test_prices_and_trades_prove_life_and_count_as_throughput() -> None:
    trade = Trade("okx", "BTC-USDT-SWAP", "BTC", TakerSide.BUY, 60_000.0, 0.1, 6_000.0, NOON, NOON + SECOND, ("1",))
    quote = Quote("binance", "BTCUSDT", "BTC", 59_999.0, 1.0, 60_001.0, 1.0, NOON, NOON + 2 * SECOND)
    snapshot = engine_after(price(0), trade, quote).snapshot(NOON + 5 * SECOND)
    by_venue = {venue.venue: venue for venue in snapshot.venues}
    assert by_venue["bybit"].last_price_recv == by_venue["bybit"].last_recv == NOON + SECOND // 10
    assert (by_venue["okx"].last_recv, by_venue["okx"].last_price_recv) == (NOON + SECOND, None)
    assert by_venue["binance"].last_recv == NOON + 2 * SECOND
    assert snapshot.throughput == 0.3
    assert (snapshot.started, snapshot.markets, snapshot.prices["BTCUSDT"].price) == (
        NOON + SECOND // 10,
        ("BTCUSDT",),
        60_000.0,
    )


def test_an_engine_without_events_shows_its_venues_and_zeros() -> None:
    snapshot = Engine(COVERAGES).snapshot(NOON)
    assert [venue.venue for venue in snapshot.venues] == list(COVERAGES)
    assert {venue.state for venue in snapshot.venues} == {FeedState.CONNECTING}
    assert (snapshot.events, snapshot.started, snapshot.throughput, snapshot.activity) == (0, None, 0.0, ())
    assert [row.events for row in snapshot.kinematics[ALL]] == [0] * 5
    assert Engine(COVERAGES).statistics().first is None


def test_a_venue_nobody_announced_is_counted_and_said_to_be_unknown() -> None:
    snapshot = engine_after(liquidation(0, venue="recorded")).snapshot(NOON + SECOND)
    venue = snapshot.venues[-1]
    assert (venue.venue, venue.events, venue.coverage.kind) == ("recorded", 1, CoverageKind.THROTTLED)
    assert venue.coverage.sentence.startswith("Nothing is known")


def test_troubles_reach_the_venue_and_the_history() -> None:
    engine = engine_after(
        FeedStatus("okx", "public-1", FeedState.DISCONNECTED, NOON, reason="code 1006"),
        Gap("okx", "public-1", NOON, NOON + 3 * SECOND, "disconnected"),
        DecodeError("okx", "public-1", NOON + 4 * SECOND, "not JSON", b"{"),
    )
    [okx] = [venue for venue in engine.snapshot(NOON + 5 * SECOND).venues if venue.venue == "okx"]
    assert (okx.state, okx.gaps, okx.gap_seconds, okx.errors, okx.last_error) == (
        FeedState.DISCONNECTED,
        1,
        3.0,
        1,
        "not JSON",
    )
    assert okx.last_recv is None
    assert [record.what for record in engine.statistics().feeds] == [
        "DISCONNECTED code 1006",
        "gap of 3.0 s, disconnected: events may be missing",
        "unreadable: not JSON",
    ]
    assert engine.statistics().errors == 1


def test_the_hash_leaves_out_what_liquidations_did_not_decide() -> None:
    bare = engine_after(liquidation(0))
    accompanied = engine_after(
        FeedStatus("okx", "public-1", FeedState.CONNECTED, NOON), price(0), liquidation(0), liquidation(0), price(1)
    )
    assert accompanied.state_hash() == bare.state_hash()
    assert engine_after(liquidation(0, usd=30_000.01)).state_hash() != bare.state_hash()
    assert engine_after(liquidation(0, side=Side.SHORT)).state_hash() != bare.state_hash()


@pytest.mark.parametrize("at", [-NOON, -NOON - 86_400 * SECOND])
def test_an_absurdly_old_event_is_counted_and_disturbs_nothing(at: int) -> None:
    absurd = msgspec.structs.replace(liquidation(0, key="absurd"), ts_event=NOON + at)
    for events in ([absurd, liquidation(0)], [liquidation(0), absurd]):
        snapshot = engine_after(*events).snapshot(NOON + 2 * SECOND)
        assert in_window(snapshot, ALL, 60.0) == 1
        assert cell(snapshot, "bybit", Side.LONG, "BTCUSDT").sums["24h"].events == 1
        assert cell(snapshot, "bybit", Side.LONG, "BTCUSDT").sums["all"].events == 2


def session() -> list[Liquidation]:
    return [
        liquidation(0, venue="bybit", asset="BTC", side=Side.LONG, amount=1.0, usd=100.0),
        liquidation(5, venue="okx", asset="BTC", side=Side.LONG, amount=2.0, usd=200.0),
        liquidation(30, venue="okx", asset="ETH", side=Side.SHORT, amount=4.0, usd=400.0),
        liquidation(31, venue="okx", asset="BTC", side=Side.SHORT, amount=8.0, usd=800.0),
    ]


def test_statistics_add_up_in_every_direction() -> None:
    statistics = engine_after(*session()).statistics()
    assert statistics.total == Sum(4, 0.0, 1_500.0)
    assert {side: held.usd for side, held in statistics.by_side.items()} == {"LONG": 300.0, "SHORT": 1_200.0}
    assert statistics.by_venue["okx"] == {"LONG": Sum(1, 0.0, 200.0), "SHORT": Sum(2, 0.0, 1_200.0)}
    assert statistics.by_market["BTCUSDT"] == {"LONG": Sum(2, 3.0, 300.0), "SHORT": Sum(1, 8.0, 800.0)}
    assert statistics.by_venue_market["okx"]["ETHUSDT"] == {"LONG": Sum(), "SHORT": Sum(1, 4.0, 400.0)}
    assert [event.usd for event in statistics.largest] == [800.0, 400.0, 200.0, 100.0]
    assert (statistics.first, statistics.last) == (NOON, NOON + 31 * SECOND)


def test_peaks_know_the_events_that_wait_behind_the_watermark() -> None:
    ten, sixty = engine_after(*session()).statistics().peaks
    assert (ten.events, ten.events_at, ten.usd, ten.usd_at) == (2, NOON + 5 * SECOND, 1_200.0, NOON + 31 * SECOND)
    assert (sixty.events, sixty.usd) == (4, 1_500.0)


def test_statistics_are_the_same_however_often_asked_for() -> None:
    engine = engine_after(*session())
    first = engine.statistics()
    engine.snapshot(NOON + MINUTE)
    assert engine.statistics() == first


def test_two_snapshots_of_one_moment_are_equal() -> None:
    engine = engine_after(*session(), price(2))
    assert engine.snapshot(NOON + MINUTE) == engine.snapshot(NOON + MINUTE)


@pytest.mark.parametrize("watermark", [0.0, 0.25, 5.0])
def test_the_watermark_is_how_far_back_kinematics_look(watermark: float) -> None:
    engine = Engine(COVERAGES, watermark=watermark)
    engine.apply(liquidation(0))
    snapshot = engine.snapshot(NOON + 10 * SECOND)
    assert snapshot.as_of == NOON + 10 * SECOND - round(watermark * SECOND)


def test_a_moment_before_the_settled_events_is_read_as_of_those() -> None:
    engine = engine_after(liquidation(0), liquidation(10))
    snapshot = engine.snapshot(NOON + 5 * SECOND)
    assert snapshot.as_of == NOON + 9 * SECOND


def test_trades_that_a_venue_repeats_on_subscribing_are_no_rate_of_now() -> None:
    def traded(ts: int, number: str) -> Trade:
        return Trade("hyperliquid", "BTC", "BTC", TakerSide.BUY, 60_000.0, 0.1, 6_000.0, ts, NOON, (number,))

    engine = Engine(COVERAGES)
    for event in (traded(NOON - 60 * SECOND, "old"), traded(NOON - SECOND // 10, "new")):
        engine.apply(event)
    assert engine.snapshot(NOON + SECOND).trades == {"BTCUSDT": 0.1}


def test_what_is_known_from_long_ago_is_not_counted_when_a_venue_repeats_it() -> None:
    engine = Engine(COVERAGES)
    engine.remember([("bybit", "one"), ("nobody", "one")])
    assert engine.apply(liquidation(-200_000.0, key="one", delay=200_000.0)) is False
    assert engine.apply(liquidation(0.0, key="two"))
    assert engine.snapshot(NOON + SECOND).events == 1
