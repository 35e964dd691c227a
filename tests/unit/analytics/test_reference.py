"""The usual rate and the shape of the day."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.reference import HourFactors, ReferenceRate
from liquake.errors import StateError

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def feed_days(factors: HourFactors, first: int, days: int, busy_hour: int) -> None:
    """Ten events in every hour, thirty in the busy one."""
    for day in range(first, first + days):
        for hour in range(24):
            for event in range(30 if hour == busy_hour else 10):
                factors.update(day * DAY + hour * HOUR + event * SECOND)


def test_a_steady_stream_is_its_own_reference() -> None:
    random, rate, ts = Random(3), ReferenceRate(), 0
    for _ in range(40_000):
        ts += round(random.expovariate(3.0) * SECOND)
        rate.update(ts)
    assert rate.value(ts) == pytest.approx(3.0, rel=0.05)


def test_it_errs_on_the_busy_side_before_it_has_seen_much() -> None:
    rate = ReferenceRate()
    for second in range(60):
        rate.update(second * SECOND)
    assert 1.0 <= rate.value(59 * SECOND) < 1.1


def test_nothing_seen_gives_nothing() -> None:
    rate = ReferenceRate()
    assert rate.value(HOUR) == 0.0
    assert rate.expected(HOUR) == 0.0


@given(st.lists(st.floats(0.1, 4000.0), min_size=1, max_size=20), st.floats(1.0, 40_000.0))
def test_expected_is_the_integral_of_the_rate(gaps: list[float], ahead: float) -> None:
    rate, ts = ReferenceRate(), 0
    feed_days(rate.hours, -9, 9, busy_hour=2)
    for gap in [0.0, 300.0, *gaps]:
        ts += round(gap * SECOND)
        rate.update(ts)
    cuts = [ts + round(ahead * SECOND * step / 2000) for step in range(2001)]
    slow = sum(rate.value((a + b) // 2) * (b - a) / SECOND for a, b in pairwise(cuts))
    # The sum is off by at most one step wherever the hour turns.
    assert rate.expected(cuts[-1]) == pytest.approx(slow, rel=2e-3)


@given(gaps=st.lists(st.one_of(st.floats(0.0, 60.0), st.floats(0.0, 30_000.0)), min_size=1, max_size=40))
def test_taking_an_event_is_expecting_it_and_then_counting_it(gaps: list[float]) -> None:
    one, other, ts = ReferenceRate(), ReferenceRate(), 5 * HOUR
    for rate in (one, other):
        rate.hours.restore({"schema": 1, "days": 28, "mean": [0.5 + hour / 12.0 for hour in range(24)]})
    for gap in gaps:
        ts += round(gap * SECOND)
        expected = other.expected(ts)
        other.update(ts)
        assert one.take(ts) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert one.value(ts + SECOND) == pytest.approx(other.value(ts + SECOND), rel=1e-12)


def test_the_habit_of_the_hour_is_taken_out_and_put_back() -> None:
    rate = ReferenceRate()
    feed_days(rate.hours, 0, 30, busy_hour=5)
    habit = rate.hours.value(5 * HOUR)
    start = 40 * DAY + 5 * HOUR
    for event in range(3 * 3599):
        rate.update(start + event * SECOND // 3)
    assert habit > 2.0
    assert rate.value(start + 3599 * SECOND) == pytest.approx(3.0, rel=0.01)
    assert rate.value(start + 3600 * SECOND) == pytest.approx(3.0 / habit * rate.hours.value(6 * HOUR), rel=0.01)


def test_time_passed_in_two_steps_is_time_passed_in_one() -> None:
    one, two = ReferenceRate(), ReferenceRate()
    for rate in (one, two):
        rate.update(0)
    two.advance(700 * SECOND)
    for rate in (one, two):
        rate.update(1000 * SECOND)
    assert two.value(1001 * SECOND) == pytest.approx(one.value(1001 * SECOND), rel=1e-12)


def test_time_not_observed_does_not_lower_the_rate() -> None:
    rate = ReferenceRate()
    for second in range(1000):
        rate.update(second * SECOND)
    before = rate.value(999 * SECOND)
    rate.interrupt(2 * HOUR)
    assert rate.value(2 * HOUR) == pytest.approx(before)


def test_a_year_of_silence_is_read_in_a_moment() -> None:
    rate = ReferenceRate()
    rate.update(0)
    assert rate.expected(365 * DAY) == pytest.approx(rate.expected(100 * DAY), rel=1e-6)


def test_hours_are_trusted_half_after_a_week() -> None:
    factors = HourFactors()
    feed_days(factors, 0, 9, busy_hour=14)  # The first day is left out, the last not yet over.
    assert factors.days == 7
    share = 30 / (260 / 24)
    assert factors.value(20 * DAY + 14 * HOUR) == pytest.approx(1 + (share - 1) / 2)
    assert factors.value(20 * DAY + 3 * HOUR) < 1.0


def test_one_cascade_does_not_become_the_habit_of_its_hour() -> None:
    factors = HourFactors()
    feed_days(factors, 0, 2, busy_hour=14)
    for _ in range(100_000):
        factors.update(DAY + 15 * HOUR)
    factors.update(2 * DAY)
    assert factors.value(2 * DAY + 15 * HOUR) == pytest.approx(1 + 3 / 8)


@pytest.mark.parametrize("back", [14 * HOUR, 30 * HOUR])
def test_a_day_not_wholly_seen_teaches_nothing(back: int) -> None:
    factors = HourFactors()
    feed_days(factors, 0, 1, busy_hour=3)
    factors.update(DAY)
    factors.interrupt(DAY + back)
    factors.update(DAY + back)
    factors.update(2 * DAY + 20 * HOUR)
    factors.update(3 * DAY)
    assert factors.days == (1 if back < DAY else 0)


def test_resets_say_why() -> None:
    rate = ReferenceRate()
    feed_days(rate.hours, 0, 3, busy_hour=3)
    rate.update(0)
    rate.reset("instrument set changed")
    rate.hours.reset("instrument set changed")
    assert (rate.reason, rate.hours.reason) == ("instrument set changed", "instrument set changed")
    assert (rate.value(DAY), rate.hours.days) == (0.0, 0)


def test_habits_come_back_from_the_journal_and_the_broken_day_does_not_count() -> None:
    factors, again = HourFactors(), HourFactors()
    feed_days(factors, 0, 9, busy_hour=14)
    again.restore(json.loads(json.dumps(factors.to_dict())))
    assert again.value(14 * HOUR) == factors.value(14 * HOUR) > 1.0
    for hour in (200, 220):  # The ninth day was joined midway; the tenth begins.
        again.update(hour * HOUR)
    assert again.days == factors.days
    with pytest.raises(StateError, match="hours of the day"):
        again.restore({"schema": 7})
