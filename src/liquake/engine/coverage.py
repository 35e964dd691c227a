"""How much of the time a venue was heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from liquake.analytics.totals import TOTAL_WINDOWS

Span = tuple[int, int]
"""From and to, UTC nanoseconds."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as `spans` that do not overlap, in their order."""
    found: list[Span] = []
    start, end = 0, -1
    for begun, over in sorted(spans):
        if begun > end:
            if end > start:
                found.append((start, end))
            start, end = begun, over
        elif over > end:
            end = over
    if end > start:
        found.append((start, end))
    return found


def unheard(outages: Iterable[Span], start: int, end: int) -> int:
    """Nanoseconds from `start` to `end` that lie in one of `outages`; what lies in several counts once."""
    return _since(merged(outages), {"": start}, end)[""]


def _since(apart: Sequence[Span], starts: Mapping[str, int], end: int) -> dict[str, int]:
    """The same of outages that are `merged`, from each of `starts`: in one walk from the latest back."""
    found = {}
    whole, place = 0, len(apart) - 1
    for name, start in sorted(starts.items(), key=lambda entry: -entry[1]):
        while place >= 0 and apart[place][0] >= start:
            begun, over = apart[place]
            whole += max(min(over, end) - begun, 0)
            place -= 1
        cut = max(min(apart[place][1], end) - start, 0) if place >= 0 else 0
        found[name] = whole + cut
    return found


def shares(missing: Iterable[Span], started: int | None, now: int, since: int = 0) -> dict[str, float]:
    """The share of each of `TOTAL_WINDOWS` before `now` in which nothing was `missing`, 0 to 1.

    A window longer than the run is covered in part, whatever the run saw. `started` is when the run began, which is
    where the window without a beginning begins. Before `since` there was nothing to hear: that time is in no window.
    """
    if started is None:
        return dict.fromkeys(TOTAL_WINDOWS, 0.0)
    starts = {name: max(start, since) for name, start in _starts(started, now).items()}
    found = _since(merged((*missing, (0, started))), starts, now)
    return {name: 1.0 if now <= start else 1.0 - found[name] / (now - start) for name, start in starts.items()}


def _starts(started: int, now: int) -> dict[str, int]:
    return {name: started if length is None else now - round(length * 1e9) for name, length in TOTAL_WINDOWS.items()}


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
    starts = {name: max(start, started) for name, start in _starts(started, now).items()}
    found = _since(merged(interruptions(missing, started)), starts, now)
    return {name: found[name] / 1e9 for name in TOTAL_WINDOWS}
