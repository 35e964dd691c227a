from __future__ import annotations

from liquake.engine.duplicates import REMEMBERED, Duplicates

START = 1_790_000_000 * 1_000_000_000


def test_a_key_is_new_once() -> None:
    duplicates = Duplicates()
    assert [duplicates.seen(key, START) for key in ("a", "b", "a", "b")] == [False, False, True, True]


def test_a_key_is_remembered_for_at_least_its_time_whenever_it_came() -> None:
    for offset in range(0, REMEMBERED, REMEMBERED // 7):
        duplicates = Duplicates(few=1)
        duplicates.seen("first", START)
        duplicates.seen("a", START + offset)
        for step in range(1, 8):
            duplicates.seen(f"other {step}", START + offset + step * REMEMBERED // 8)
        assert duplicates.seen("a", START + offset + REMEMBERED)


def test_a_key_is_forgotten_after_twice_its_time_where_there_are_more_than_few() -> None:
    duplicates = Duplicates(few=1)
    duplicates.seen("a", START)
    duplicates.seen("b", START + REMEMBERED)
    duplicates.seen("c", START + 2 * REMEMBERED)
    assert not duplicates.seen("a", START + 2 * REMEMBERED)


def test_no_more_than_twice_its_capacity_is_held_and_the_latest_of_them() -> None:
    duplicates = Duplicates(capacity=10)
    for number in range(1_000):
        duplicates.seen(str(number), START)
    assert all(duplicates.seen(str(number), START) for number in range(990, 1_000))
    assert not duplicates.seen("979", START)


def test_late_events_make_nothing_be_forgotten_sooner() -> None:
    duplicates = Duplicates(few=1)
    duplicates.seen("a", START)
    for hours in range(1, 50):
        duplicates.seen(f"late {hours}", START - hours * 6 * REMEMBERED)
    assert duplicates.seen("a", START + REMEMBERED // 2)


def test_what_a_quiet_venue_sends_again_days_later_is_known() -> None:
    duplicates = Duplicates()
    day = 86_400 * 1_000_000_000
    times = {f"liquidation {number}": START + number * day // 8 for number in range(80)}
    assert not any(duplicates.seen(key, time) for key, time in times.items())
    assert all(duplicates.seen(key, time) for key, time in times.items())
