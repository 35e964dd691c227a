"""Stretches in which feeds were down. What was not heard is hatched, never drawn as zero."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from liquake.engine.snapshot import Snapshot
from liquake.model import CoverageKind, FeedState

_AWAY = (FeedState.STALE, FeedState.DISCONNECTED, FeedState.DARK)


class Stretch(msgspec.Struct, frozen=True):
    """From `start` to `end`, UTC nanoseconds, liquidations of `venue` may be missing."""

    venue: str
    start: int
    end: int


def stretches(snapshot: Snapshot) -> list[Stretch]:
    """Of the venues that are in the sums: what the ledger holds, and what goes on now."""
    found = []
    for feed in snapshot.venues:
        if feed.coverage.kind is CoverageKind.SAMPLE:
            continue
        found += [Stretch(feed.venue, outage.start, outage.end) for outage in feed.outages]
        found += [Stretch(feed.venue, c.since, snapshot.now) for c in feed.connections if c.state in _AWAY]
    return found


def away(known: Iterable[Stretch], start: int, end: int) -> frozenset[str]:
    """Venues that were down at any time between `start` and `end`."""
    return frozenset(each.venue for each in known if each.start < end and each.end > start)


def heard(snapshot: Snapshot) -> frozenset[str]:
    """Venues that are in the sums."""
    return frozenset(feed.venue for feed in snapshot.venues if feed.coverage.kind is not CoverageKind.SAMPLE)


def unheard(known: Collection[Stretch], venues: frozenset[str], start: int, end: int) -> bool:
    """Whether between `start` and `end` there was a time without any of `venues`: a count of it would be too low."""
    return bool(venues) and away(known, start, end) >= venues and _all_at_once(known, venues, start, end)


def _all_at_once(known: Collection[Stretch], venues: frozenset[str], start: int, end: int) -> bool:
    """Whether some moment between lies in a stretch of each: the latest beginning of any is such a moment, if one is."""
    moments = [max(each.start, start) for each in known if each.start < end and each.end > start]
    return any(away(known, moment, moment + 1) >= venues for moment in moments)
