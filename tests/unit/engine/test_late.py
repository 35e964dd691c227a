"""What comes long after it happened: refilled after a gap, or replayed by a venue on connecting."""

from __future__ import annotations

from random import Random

import msgspec

from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL
from liquake.model import Event, FeedState, FeedStatus, Gap, Liquidation
from liquake.model.alert import Alert, AlertRule
from liquake.model.liquidation import OPEN_BEFORE
from tests.unit.engine.events import COVERAGES, NOON, SECOND, liquidation

BACK = 600
"""Seconds after noon at which the connection is back."""


def burst() -> list[Liquidation]:
    """Five a second for twenty seconds at noon, a hundred million dollars in all."""
    return [liquidation(n / 5.0, usd=1_000_000.0, key=n) for n in range(100)]


def late(events: list[Liquidation], by: float = BACK) -> list[Liquidation]:
    return [msgspec.structs.replace(event, ts_recv=NOON + round((by + 5) * SECOND)) for event in events]


def calm() -> list[Liquidation]:
    """One every 20 s, until five minutes after the connection is back."""
    return [liquidation(20.0 * n, usd=1_000.0, key=f"calm {n}") for n in range(1, (BACK + 300) // 20)]


def watched(*parts: list[Event]) -> tuple[Engine, list[Alert]]:
    """The engine after all of it, and every alert that was raised, looking once a second."""
    engine, notifier, alerts, second = Engine(COVERAGES), Notifier(), list[Alert](), NOON
    for event in (event for part in parts for event in part):
        moment = event.end if isinstance(event, Gap) else event.ts if isinstance(event, FeedStatus) else event.ts_recv  # type: ignore[union-attr]
        while second < moment:
            second += SECOND
            engine.advance(second)
            alerts += notifier.update(situation_of(engine.snapshot(second)))
        engine.apply(event)
    alerts += notifier.update(situation_of(engine.snapshot(second + SECOND)))
    return engine, alerts


def split(events: list[Liquidation]) -> tuple[list[Event], list[Event]]:
    edge = NOON + (BACK + 5) * SECOND
    return [e for e in events if e.ts_recv < edge], [e for e in events if e.ts_recv >= edge]


def about_the_market(alerts: list[Alert]) -> set[AlertRule]:
    return {alert.rule for alert in alerts} - {AlertRule.FEED}


GAP = Gap("bybit", "1", NOON - 5 * SECOND, NOON + BACK * SECOND, "code 1006")
CONNECTED = FeedStatus("bybit", "1", FeedState.CONNECTED, NOON + BACK * SECOND)


def test_a_burst_that_is_refilled_raises_no_alert_and_the_same_burst_in_time_does() -> None:
    before, after = split(calm())
    _, alerts = watched(before, [CONNECTED, GAP], list(late(burst())), after)
    assert about_the_market(alerts) == set()
    _, alerts = watched(list(burst()), before, after)
    assert AlertRule.INSTITUTIONAL in about_the_market(alerts)


def test_a_refilled_event_is_in_the_window_in_which_it_happened_and_in_no_present_one() -> None:
    before, after = split(calm())
    engine, _ = watched(before, [CONNECTED, GAP], list(late(burst())), after[:1])
    snapshot = engine.snapshot(NOON + (BACK + 10) * SECOND)
    sums = {name: sum(cell.sums[name].usd for cell in snapshot.cells if cell.market == ALL) for name in ("5m", "15m")}
    assert sums["5m"] < 100_000.0
    assert sums["15m"] > 100_000_000.0
    assert [row.events for row in snapshot.kinematics[ALL] if row.window <= 10.0] == [0] * 4
    assert [episode for episode in snapshot.episodes if episode.end is None] == []


def test_refilled_in_any_order_or_in_time_the_sums_are_the_same() -> None:
    shuffled = late(burst())
    Random(1).shuffle(shuffled)
    before, after = split(calm())
    in_time, _ = watched(sorted([*burst(), *before], key=lambda event: event.ts_recv), after)  # type: ignore[union-attr]
    refilled, _ = watched(before, [CONNECTED, GAP], list(shuffled), after)
    now = NOON + (BACK + 400) * SECOND
    one, other = in_time.snapshot(now), refilled.snapshot(now)
    assert one.events == other.events
    assert [cell.sums for cell in one.cells] == [cell.sums for cell in other.cells]


def test_what_was_received_before_is_dropped_however_often_the_venue_tells_it() -> None:
    before, after = split(calm())
    again = late(burst(), BACK)
    engine, alerts = watched(list(burst()), before, [CONNECTED], list(again), list(again), after)
    once, _ = watched(list(burst()), before, [CONNECTED], after)
    assert engine.snapshot(NOON + BACK * 2 * SECOND).cells == once.snapshot(NOON + BACK * 2 * SECOND).cells
    [bybit] = [venue for venue in engine.snapshot(NOON + BACK * 2 * SECOND).venues if venue.venue == "bybit"]
    assert bybit.duplicates == 200
    late_alerts = [alert for alert in alerts if alert.ts > NOON + BACK * SECOND]
    assert about_the_market(late_alerts) == set()


def test_a_key_is_remembered_for_as_long_as_history_is_asked_for() -> None:
    first = liquidation(0, key="one")
    engine = Engine(COVERAGES)
    assert engine.apply(first)
    for hour in range(1, 6):
        engine.apply(liquidation(hour * 3600.0, key=hour))
    assert engine.apply(msgspec.structs.replace(first, ts_recv=NOON + 6 * 3600 * SECOND)) is False


def test_what_a_venue_repeats_from_before_the_start_is_in_its_window_and_not_in_what_was_watched() -> None:
    old = msgspec.structs.replace(liquidation(-2_400.0, usd=5_000.0, key="old"), ts_recv=NOON + SECOND)
    engine = Engine(COVERAGES)
    for event in (FeedStatus("bybit", "1", FeedState.CONNECTED, NOON), old, liquidation(30.0, usd=700.0)):
        engine.apply(event)
    (cell,) = [
        cell for cell in engine.snapshot(NOON + 60 * SECOND).cells if cell.market == ALL and cell.sums["all"].events
    ]
    assert (cell.sums["1h"].usd, cell.sums["all"].usd, cell.watched.usd) == (5_700.0, 5_700.0, 700.0)
    statistics = engine.statistics()
    assert statistics.first == NOON - 2_400 * SECOND
    assert statistics.span == (NOON, NOON + 30_200_000_000)


def test_a_run_whose_first_event_is_an_hour_old_began_when_that_came() -> None:
    received = NOON + 5 * SECOND
    hour_old = msgspec.structs.replace(liquidation(-3_600.0), ts_recv=received)
    told, recalled = Engine(COVERAGES), Engine(COVERAGES)
    told.apply(hour_old)
    recalled.recall(hour_old)
    assert {engine.snapshot(received).started for engine in (told, recalled)} == {received}


def test_orders_that_stood_before_anybody_listened_are_in_the_sums_and_in_no_rate() -> None:
    standing = [msgspec.structs.replace(event, ts_event=NOON, tags=(OPEN_BEFORE,)) for event in burst()]
    connected = FeedStatus("bybit", "1", FeedState.CONNECTED, NOON - SECOND)
    engine, alerts = watched([connected], list(standing))
    snapshot = engine.snapshot(NOON + 20 * SECOND)
    assert (snapshot.events, sum(cell.sums["5m"].events for cell in snapshot.cells if cell.market == ALL)) == (100, 100)
    assert {row.events for row in snapshot.kinematics[ALL]} == {0}
    # That they are large is true whenever they were sent.
    assert about_the_market(alerts) <= {AlertRule.INSTITUTIONAL}
