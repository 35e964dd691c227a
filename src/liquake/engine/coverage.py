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


def shares(outages: Iterable[Span], heard_since: int | None, started: int | None, now: int) -> dict[str, float]:
    """The share of each of `TOTAL_WINDOWS` before `now` in which the venue was heard, 0 to 1.

    A window longer than the run is covered in part, whatever the run saw. `heard_since` is when the venue was first
    heard, and `started` when the run began, which is where the window without a beginning begins.
    """
    if heard_since is None or started is None:
        return dict.fromkeys(TOTAL_WINDOWS, 0.0)
    spans = list(outages)
    return {name: _share(spans, heard_since, length, started, now) for name, length in TOTAL_WINDOWS.items()}


def _share(spans: list[Span], heard_since: int, length: float | None, started: int, now: int) -> float:
    start = started if length is None else now - round(length * 1e9)
    if now <= start:
        return 1.0
    first = min(max(start, heard_since), now)
    return (now - first - unheard(spans, first, now)) / (now - start)
