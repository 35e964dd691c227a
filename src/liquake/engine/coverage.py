"""How much of the time a venue was heard."""

from __future__ import annotations

from collections.abc import Iterable

from liquake.analytics.totals import TOTAL_WINDOWS

Span = tuple[int, int]
"""From and to, UTC nanoseconds."""


def unheard(outages: Iterable[Span], start: int, end: int) -> int:
    """Nanoseconds from `start` to `end` that lie in one of `outages`; what lies in several counts once."""
    lost, reached = 0, start
    for begun, over in sorted(outages):
        begun, over = max(begun, reached), min(over, end)
        if over > begun:
            lost += over - begun
            reached = over
    return lost


def shares(missing: Iterable[Span], started: int | None, now: int, since: int = 0) -> dict[str, float]:
    """The share of each of `TOTAL_WINDOWS` before `now` in which nothing was `missing`, 0 to 1.

    A window longer than the run is covered in part, whatever the run saw. `started` is when the run began, which is
    where the window without a beginning begins. Before `since` there was nothing to hear: that time is in no window.
    """
    if started is None:
        return dict.fromkeys(TOTAL_WINDOWS, 0.0)
    spans = sorted((*missing, (0, started)))
    found = {}
    for name, length in TOTAL_WINDOWS.items():
        start = max(started if length is None else now - round(length * 1e9), since)
        found[name] = 1.0 if now <= start else 1.0 - unheard(spans, start, now) / (now - start)
    return found


SETTLING = 120 * 1_000_000_000
"""Nanoseconds a feed may take to be subscribed at first: a run begins with its feeds, and not with its first attempt."""


def interruptions(missing: Iterable[Span], started: int) -> list[Span]:
    """Those of the times that are `missing` that are not how a run, which began at `started`, began."""
    return [(start, end) for start, end in missing if start >= started or end > started + SETTLING]


def lost(missing: Iterable[Span], started: int | None, now: int) -> dict[str, float]:
    """Seconds of each of `TOTAL_WINDOWS` before `now` in which the run went on and something was `missing`.

    What a feed took to come up at the very beginning is not among them, up to `SETTLING`.
    """
    if started is None:
        return dict.fromkeys(TOTAL_WINDOWS, 0.0)
    spans = sorted(interruptions(missing, started))
    starts = {name: started if length is None else now - round(length * 1e9) for name, length in TOTAL_WINDOWS.items()}
    return {name: unheard(spans, max(start, started), now) / 1e9 for name, start in starts.items()}
