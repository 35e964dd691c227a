from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.totals import TOTAL_WINDOWS, Sum, Totals

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def after(*events: tuple[int, float | None]) -> Totals:
    totals = Totals()
    for time, usd in events:
        totals.update(time, None if usd is None else usd / 2.0, usd)
    return totals


def test_windows_hold_what_is_younger_than_they_are_long() -> None:
    now = 40 * HOUR
    totals = after((now - 30 * HOUR, 1.0), (now - 5 * HOUR, 10.0), (now - HOUR + 60 * SECOND, 100.0), (now, 1_000.0))
    assert {name: held.usd for name, held in totals.value(now).items()} == {
        "5m": 1_000.0,
        "15m": 1_000.0,
        "1h": 1_100.0,
        "4h": 1_100.0,
        "24h": 1_110.0,
        "all": 1_111.0,
    }


@pytest.mark.parametrize(("name", "step"), [("5m", 1), ("15m", 1), ("1h", 60), ("4h", 60), ("24h", 60)])
def test_an_event_of_exactly_the_windows_age_is_out(name: str, step: int) -> None:
    width = int(TOTAL_WINDOWS[name] or 0) * SECOND
    totals = after((DAY, 1.0))
    assert totals.value(DAY + width - step * SECOND)[name].events == 1
    assert totals.value(DAY + width - 1)[name].events == 1
    assert totals.value(DAY + width)[name].events == 0


def test_events_of_unknown_size_are_counted_and_said() -> None:
    totals = after((DAY, None), (DAY + SECOND, 10.0), (DAY - SECOND, None))
    assert totals.value(DAY + SECOND)["5m"] == Sum(3, 5.0, 10.0, 2)


def test_hours_late_events_go_to_the_windows_of_their_own_time() -> None:
    now = 2 * DAY
    totals = after((now, 1.0), (now - 3 * HOUR, 10.0), (now - 30 * HOUR, 100.0))
    held = totals.value(now)
    assert [held[name].usd for name in ("15m", "1h", "4h", "24h", "all")] == [1.0, 1.0, 11.0, 11.0, 111.0]
    assert [held[name].events for name in ("15m", "1h", "4h", "24h", "all")] == [1, 1, 2, 2, 3]


def test_windows_equal_a_sum_over_all_events_in_whatever_order_they_come() -> None:
    rng = random.Random(2)
    events: list[tuple[int, float | None]] = []
    totals = Totals()
    newest = DAY
    for _ in range(3_000):
        newest += rng.randrange(120 * SECOND)
        time = newest - (rng.randrange(20 * HOUR) if rng.random() < 0.1 else rng.randrange(3 * SECOND))
        usd = None if rng.random() < 0.1 else rng.lognormvariate(8, 2)
        events.append((time, usd))
        totals.update(time, usd, usd)
    now = -(-newest // (60 * SECOND)) * 60 * SECOND
    for name, seconds in TOTAL_WINDOWS.items():
        inside = [usd for time, usd in events if seconds is None or time > now - int(seconds) * SECOND]
        known = [usd for usd in inside if usd is not None]
        held = totals.value(now)[name]
        assert (held.events, held.unsized) == (len(inside), len(inside) - len(known))
        assert held.usd == held.amount == pytest.approx(sum(known), rel=1e-9)


def test_memory_is_bounded_by_the_windows() -> None:
    totals = Totals()
    for minute in range(20_000):
        totals.update(minute * 60 * SECOND, 1.0, 1.0)
    assert len(repr(totals.state())) < 120_000
    assert totals.value(19_999 * 60 * SECOND)["24h"].events == 1_440


def test_empty_windows_are_exactly_nothing() -> None:
    totals = after((DAY, 0.1), (DAY + SECOND, 0.2))
    assert totals.value(3 * DAY)["24h"] == Sum()
    assert Totals().value(DAY)["all"] == Sum()


def test_a_reset_forgets_everything_and_says_why() -> None:
    totals = after((DAY, 1.0))
    totals.reset("new session")
    assert totals.state() == Totals().state()
    assert totals.reset_reason == "new session"


def test_reading_again_and_again_gives_what_the_first_read_of_a_moment_would() -> None:
    rng = random.Random(5)
    events = sorted((DAY + rng.randrange(2 * HOUR), rng.uniform(1.0, 1e5)) for _ in range(60))
    kept, count = Totals(), 0
    # On the edges, beside them and back: a window must change when its edge passes an event, and only then.
    moments = sorted(time + after for time, _ in events for after in (0, 300 * SECOND, 901 * SECOND, HOUR, 26 * HOUR))
    for now in moments:
        while count < len(events) and events[count][0] <= now:
            kept.update(events[count][0], 1.0, events[count][1])
            count += 1
        fresh = Totals()
        for time, usd in events[:count]:
            fresh.update(time, 1.0, usd)
        assert kept.value(now) == fresh.value(now)
    assert kept.value(moments[-100]) == fresh.value(moments[-100])


@pytest.mark.parametrize("age", [30, 890, 5_000, 86_000, 200_000])
def test_what_happened_since_a_moment_is_known_to_the_minute_of_a_day(age: int) -> None:
    now, totals = 1_790_000_040 * 10**9, Totals()
    times = [now - back * 10**9 for back in range(0, 86_000, 70)]
    for time in reversed(times):
        totals.update(time, 1.0, 2.0)
    totals.update(now - 300_000 * 10**9, 1.0, 2.0)
    since = now - age * 10**9
    wanted = sum(time > since for time in times) if age < 86_400 else len(times) + 1
    assert abs(totals.since(since).events - wanted) <= 1
    assert totals.since(now) == Sum()


@given(
    st.lists(
        st.tuples(st.sampled_from((0, 1, SECOND, 61 * SECOND, 4 * HOUR)), st.integers(0, 40), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_sums_are_the_same_however_often_they_are_read(steps: list[tuple[int, int, bool]]) -> None:
    often, events, now = Totals(), list[tuple[int, float | None]](), DAY
    for step, late, read in steps:
        now += step
        event = now - late * 31 * SECOND, float(late)
        events.append(event)
        often.update(event[0], event[1] / 2.0, event[1])
        if read:
            assert often.value(now) == after(*events).value(now)
            assert often.since(DAY) == after(*events).since(DAY)
