from __future__ import annotations

import random

import pytest

from liquake.analytics.peaks import PEAK_WINDOWS, Peaks
from liquake.analytics.windows import Windows

SECOND = 1_000_000_000


def after(events: list[tuple[int, float]]) -> Peaks:
    windows, peaks = Windows(), Peaks()
    for time, usd in events:
        windows.update(time, usd)
        peaks.update(time, windows)
    return peaks


@pytest.mark.parametrize("seed", range(5))
def test_records_are_those_of_a_search_over_every_window(seed: int) -> None:
    rng = random.Random(seed)
    events = sorted((rng.randrange(600 * SECOND), float(rng.randrange(1, 10_000))) for _ in range(600))
    for peak, window in zip(after(events).value(), PEAK_WINDOWS, strict=True):
        width = round(window * SECOND)
        held = [
            (end, [usd for time, usd in events[: number + 1] if time > end - width])
            for number, (end, _) in enumerate(events)
        ]
        most = max(len(inside) for _, inside in held)
        richest = max(sum(inside) for _, inside in held)
        assert (peak.events, peak.usd) == (most, richest)
        assert peak.events_at == next(end for end, inside in held if len(inside) == most)
        assert peak.usd_at == next(end for end, inside in held if sum(inside) == richest)


def test_a_late_event_counts_in_the_windows_still_open() -> None:
    peaks = after([(100 * SECOND, 1.0), (103 * SECOND, 1.0), (101 * SECOND, 1.0), (104 * SECOND, 1.0)])
    assert peaks.value()[0].events == 4


def test_nothing_has_no_record() -> None:
    assert [(peak.events, peak.events_at, peak.usd, peak.usd_at) for peak in Peaks().value()] == [
        (0, None, 0.0, None)
    ] * 2


def test_a_copy_goes_its_own_way_and_a_reset_forgets() -> None:
    windows, peaks = Windows(), Peaks()
    windows.update(SECOND, 5.0)
    copied = peaks.copy()
    copied.update(SECOND, windows)
    assert peaks.state() == Peaks().state()
    assert copied.value()[0].usd == 5.0
    copied.reset("new session")
    assert copied.state() == Peaks().state()
    assert copied.reset_reason == "new session"
