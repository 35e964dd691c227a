from __future__ import annotations

import random

from liquake.analytics.windows import HORIZON, Windows

SECOND = 1_000_000_000


def test_an_event_of_exactly_the_windows_age_is_out() -> None:
    windows = Windows()
    windows.update(10 * SECOND, 7.0)
    assert windows.value(12 * SECOND - 1, 2 * SECOND) == (1, 7.0)
    assert windows.value(12 * SECOND, 2 * SECOND) == (0, 0.0)


def test_an_event_after_the_moment_read_is_not_in_yet() -> None:
    windows = Windows()
    windows.update(10 * SECOND, 7.0)
    assert windows.value(10 * SECOND - 1, 2 * SECOND) == (0, 0.0)
    assert windows.value(10 * SECOND, 2 * SECOND) == (1, 7.0)


def test_late_events_take_their_place() -> None:
    rng = random.Random(3)
    events = [(rng.randrange(60 * SECOND), float(rng.randrange(1, 1_000))) for _ in range(400)]
    windows = Windows()
    for time, usd in events:
        windows.update(time, usd)
    for now in range(0, 70 * SECOND, SECOND):
        for width in (SECOND // 10, 2 * SECOND, 60 * SECOND):
            inside = [usd for time, usd in events if now - width < time <= now]
            assert windows.value(now, width) == (len(inside), sum(inside))


def test_windows_side_by_side_hold_late_events_too() -> None:
    windows = Windows()
    for second in (1, 6, 3, 5, 4):
        windows.update(second * SECOND, 1.0)
    assert [counted[:3] for counted in windows.trailing(6 * SECOND, (2 * SECOND,))] == [(2, 2, 1)]


def test_late_events_are_forgotten_as_others_are() -> None:
    windows = Windows()
    longest = 0
    for second in range(1_000):
        windows.update(second * SECOND, 1.0)
        windows.update((second - 5) * SECOND, 10.0)
        longest = max(longest, len(windows))
    assert longest <= 4 * HORIZON // SECOND + 2
    assert windows.value(999 * SECOND, 60 * SECOND) == (60 + 55, 60 * 1.0 + 55 * 10.0)
    assert (windows.events, windows.usd) == (2_000, 11_000.0)


def test_adjacent_windows_are_disjoint_and_the_newest_comes_first() -> None:
    windows = Windows()
    for second in (1, 3, 4, 5, 6):
        windows.update(second * SECOND, 1.0)
    assert [counted[:3] for counted in windows.trailing(6 * SECOND, (2 * SECOND,))] == [(2, 2, 1)]
    assert [counted[:3] for counted in windows.trailing(6 * SECOND, (3 * SECOND,))] == [(3, 2, 0)]


def test_holds_no_more_than_two_horizons_however_long_it_runs() -> None:
    windows = Windows()
    longest = 0
    for second in range(5_000):
        windows.update(second * SECOND, 1.0)
        longest = max(longest, len(windows))
    assert longest <= 2 * HORIZON // SECOND + 1
    assert windows.value(4_999 * SECOND, HORIZON) == (180, 180.0)
    assert windows.events == 5_000


def test_an_event_older_than_the_horizon_is_counted_and_in_no_window() -> None:
    windows = Windows()
    windows.update(1_000 * SECOND, 5.0)
    windows.update(1_000 * SECOND - HORIZON, 9.0)
    assert windows.value(1_000 * SECOND, HORIZON) == (1, 5.0)
    assert (windows.events, windows.usd) == (2, 14.0)


def test_a_copy_goes_its_own_way() -> None:
    windows = Windows()
    windows.update(SECOND, 1.0)
    other = windows.copy()
    other.update(2 * SECOND, 1.0)
    other.update(SECOND, 1.0)
    assert windows.value(2 * SECOND, 10 * SECOND) == (1, 1.0)
    assert other.value(2 * SECOND, 10 * SECOND) == (3, 3.0)


def test_a_reset_forgets_everything_and_says_why() -> None:
    windows = Windows()
    windows.update(SECOND, 1.0)
    windows.reset("clock turned back")
    assert windows.state() == Windows().state()
    assert windows.reset_reason == "clock turned back"
