"""The scan over all windows, against every start tried one by one."""

from __future__ import annotations

from itertools import pairwise
from math import log, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.reference import ReferenceRate
from liquake.analytics.scan import LEAST_EXPECTED, QUIET, BurstScan, Scan

SECOND = 1_000_000_000


def best_of_all_starts(levels: list[float], level: float, least: float) -> float:
    best = 0.0
    for index, before in enumerate(levels):
        events, expected = len(levels) - index - 1, level - before + least
        if events > expected:
            best = max(best, events * log(events / expected) - (events - expected))
    return sqrt(2.0 * best)


def poisson_times(rate: float, seconds: float, seed: int) -> list[int]:
    random, times, at = Random(seed), [], 0.0
    while (at := at + random.expovariate(rate)) < seconds:
        times.append(round(at * SECOND))
    return times


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(0.0, 4.0), st.floats(0.0, 0.01)), max_size=80),
    st.floats(0.0, 5.0),
    st.floats(0.01, 2.0),
)
def test_no_start_beats_those_on_the_hull(gaps: list[float], after: float, least: float) -> None:
    scan, level, levels = Scan(), 0.0, []
    for index, gap in enumerate(gaps):
        level += gap
        levels.append(level)
        scan.update(level, index)
    expected = best_of_all_starts(levels, level + after, least)
    assert scan.value(level + after, len(gaps), least).z == pytest.approx(expected, rel=1e-9)


def test_it_names_the_window_and_what_it_holds() -> None:
    scan = Scan()
    for second in range(100):
        scan.update(float(second), second * SECOND)
    for tenth in range(1, 21):
        scan.update(99.0 + tenth / 10, 99 * SECOND + tenth * SECOND // 10)
    burst = scan.value(101.0, 101 * SECOND)
    assert (burst.events, burst.seconds) == (20, 2.0)
    assert burst.expected == pytest.approx(2.0 + LEAST_EXPECTED)
    assert burst.z > 6.0


def test_few_starts_are_held_however_long_the_stream() -> None:
    scan = Scan()
    largest = 0
    for ts in poisson_times(3.0, 20_000.0, seed=5):
        scan.update(3.0 * ts / SECOND, ts)
        largest = max(largest, len(scan._hull))
    assert scan.events > 50_000
    assert largest <= 40


def test_starts_that_can_win_no_more_are_dropped() -> None:
    scan = Scan()
    for event in range(100):
        scan.update(2.0 * event, event)
    assert len(scan._hull) == 1


def test_one_event_and_two_at_once_are_no_burst() -> None:
    scan = BurstScan()
    scan.update(0)
    assert scan.value(0) == QUIET
    scan.update(0)
    assert scan.value(0).z < 5.0


def test_nothing_seen_is_quiet() -> None:
    assert BurstScan().value(10 * SECOND) == QUIET


def slow_burst(times: list[int], now: int, batching: float) -> float:
    """As `BurstScan`, but in order, keeping every start."""
    reference, levels, level = ReferenceRate(), [], 0.0
    for ts in sorted(times):
        level += reference.expected(ts)
        levels.append(level)
        reference.update(ts)
    least = max(reference.value(now) * batching, LEAST_EXPECTED)
    return best_of_all_starts(levels, level + reference.expected(now), least)


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_against_its_own_rate_agrees_with_every_start_tried(seed: int) -> None:
    times = poisson_times(0.5, 600.0, seed) + [ts + 650 * SECOND for ts in poisson_times(8.0, 5.0, seed)]
    # Without a watermark nothing is held back; what is held back is tested by the order of arrival below.
    scan = BurstScan(watermark=0.0)
    for ts in times:
        scan.update(ts)
    now = times[-1] + 2 * SECOND
    assert scan.value(now).z == pytest.approx(slow_burst(times, now, 0.5), rel=1e-9)
    assert scan.value(now).z > 6.0


@given(st.randoms(use_true_random=False))
def test_order_of_arrival_within_the_watermark_does_not_matter(random: Random) -> None:
    times = poisson_times(4.0, 60.0, seed=9)
    arrivals = sorted(times, key=lambda ts: ts + random.random() * 0.99 * SECOND)
    one, other = BurstScan(), BurstScan()
    for ts in times:
        one.update(ts)
    for ts in arrivals:
        other.update(ts)
    now = times[-1] + SECOND
    assert other.value(now) == pytest.approx(one.value(now), rel=1e-9)


def test_events_after_the_moment_asked_for_are_not_in() -> None:
    scan = BurstScan()
    for second in range(300):
        scan.update(second * SECOND)
    for burst in range(20):
        scan.update(300 * SECOND + burst)
    assert scan.value(299_900_000_000).z < 3.0
    assert scan.value(300 * SECOND + 20).z > 6.0


def test_reading_changes_nothing() -> None:
    times = poisson_times(3.0, 300.0, seed=2)
    one, other = BurstScan(), BurstScan()
    for before, ts in pairwise([0, *times]):
        other.value((before + ts) // 2)
        other.value(ts + 90 * SECOND)
        one.update(ts)
        other.update(ts)
    assert other.value(times[-1]) == one.value(times[-1])


def test_a_step_up_is_seen_within_seconds() -> None:
    times = poisson_times(3.0, 3600.0, seed=4)
    scan = BurstScan()
    for ts in times:
        scan.update(ts)
    assert scan.value(3600 * SECOND).z < 4.9
    step = [3600 * SECOND + ts for ts in poisson_times(30.0, 10.0, seed=4)]
    seen = None
    for ts in step:
        scan.update(ts)
        if scan.value(ts).z > 4.9:
            seen = ts
            break
    assert seen is not None
    assert seen - 3600 * SECOND < 2 * SECOND


def test_chance_hardly_passes_the_daily_threshold_in_a_quarter_of_a_day() -> None:
    crossings, above, scan = 0, False, BurstScan()
    for ts in poisson_times(3.0, 21_600.0, seed=11):
        scan.update(ts)
        high = scan.value(ts).z > 4.9
        crossings += high and not above
        above = high
    assert crossings <= 2


def test_reset_drops_the_open_burst_and_keeps_what_is_usual() -> None:
    scan = BurstScan()
    for second in range(600):
        scan.update(second * SECOND)
    for burst in range(30):
        scan.update(600 * SECOND + burst)
    assert scan.value(601 * SECOND).z > 6.0
    scan.reset("gap")
    assert scan.reason == "gap"
    assert scan.value(601 * SECOND) == QUIET
    scan.update(4000 * SECOND)
    scan.update(4002 * SECOND)
    assert scan.value(4002 * SECOND).z < 2.0
    assert scan.reference.value(4000 * SECOND) == pytest.approx(630 / 600, rel=0.05)


def test_an_event_later_than_the_watermark_counts_at_the_oldest_open_moment() -> None:
    scan = BurstScan()
    for second in range(100):
        scan.update(second * SECOND)
    for _ in range(20):
        scan.update(50 * SECOND)
    assert scan.value(99 * SECOND).seconds <= 2.0
