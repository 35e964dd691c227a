from __future__ import annotations

import random

from liquake.engine.tape import LARGEST_KEPT, SESSION_LARGEST_KEPT, TAPE_LENGTH, Tape
from liquake.model import Liquidation
from tests.unit.engine.events import HOUR, MINUTE, NOON, SECOND, liquidation


def ranked(events: list[Liquidation]) -> Tape:
    tape = Tape()
    for event in events:
        tape.rank(event, event.ts_event, event.usd or 0.0)
    return tape


def busy_hours() -> list[Liquidation]:
    rng = random.Random(6)
    return [liquidation(rng.uniform(-3 * 3600, 0), usd=rng.lognormvariate(9, 1.5), key=n) for n in range(3_000)]


def test_the_tape_keeps_the_latest_in_order_of_arrival() -> None:
    tape = Tape()
    events = [liquidation(-number, key=number) for number in range(TAPE_LENGTH + 3)]
    for event in events:
        tape.show(event)
    assert tape.latest() == tuple(events[3:])


def test_largest_of_the_hour_are_those_of_a_sort() -> None:
    events = sorted(busy_hours(), key=lambda event: event.ts_event)
    hour = [event for event in events if event.ts_event > NOON - HOUR]
    expected = sorted(hour, key=lambda event: event.usd or 0.0, reverse=True)[:LARGEST_KEPT]
    assert ranked(events).largest(NOON) == tuple(expected)


def test_late_events_compete_with_those_of_their_own_time() -> None:
    in_order = ranked(sorted(busy_hours(), key=lambda event: event.ts_event))
    assert ranked(busy_hours()).largest(NOON) == in_order.largest(NOON)


def test_an_hour_later_none_are_left() -> None:
    tape = ranked([liquidation(0)])
    assert len(tape.largest(NOON + HOUR - MINUTE)) == 1
    assert tape.largest(NOON + HOUR) == ()


def test_of_equals_the_earlier_arrival_comes_first() -> None:
    events = [liquidation(number, usd=5.0, key=number) for number in range(30)]
    tape = ranked(events)
    assert tape.largest(NOON + 30 * SECOND) == tuple(events[:LARGEST_KEPT])
    assert tape.session_largest() == tuple(events[:SESSION_LARGEST_KEPT])


def test_the_sessions_largest_outlive_the_hour() -> None:
    events = busy_hours()
    expected = sorted(events, key=lambda event: event.usd or 0.0, reverse=True)[:SESSION_LARGEST_KEPT]
    assert ranked(events).session_largest() == tuple(expected)
