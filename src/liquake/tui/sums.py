"""Sums of a snapshot as the tables show them: by venue and side, with how far they can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import msgspec

from liquake.engine.snapshot import ALL, TOTAL_WINDOWS, Snapshot, Sum, VenueState
from liquake.model import CoverageKind, Side
from liquake.tui import formats
from liquake.tui.outages import away, stretches
from liquake.tui.theme import Theme

_NOTHING = Sum()
SINCE_START = "all"
"""The window of `TOTAL_WINDOWS` that has no beginning."""


class Tally(msgspec.Struct, frozen=True):
    """What was liquidated in one market, or all of them, within one window."""

    market: str
    by_venue: Mapping[str, Mapping[Side, Sum]]
    floors: frozenset[str]
    """Venues that withhold some, or were not heard for some of the time: a sum with them in it is "at least"."""
    watched: Sum = _NOTHING
    """What of all of it happened since the start: venues repeat on connecting what is older, and a rate is of this."""

    def sum(self, venue: str | None = None, side: Side | None = None) -> Sum:
        """Over `venue` and `side`, over all of them where `None`."""
        venues = self.by_venue.values() if venue is None else (self.by_venue.get(venue, {}),)
        return added(total for sides in venues for key, total in sides.items() if side in (None, key))

    def least(self, venue: str | None = None, side: Side | None = None) -> bool:
        """Whether that sum is only "at least"."""
        total = self.sum(venue, side)
        venues = self.by_venue if venue is None else (venue,)
        return total.events > 0 and (total.unsized > 0 or any(name in self.floors for name in venues))

    def venues(self) -> list[str]:
        """The largest first."""
        return sorted(self.by_venue, key=lambda venue: (-self.sum(venue).usd, venue))


def added(sums: Iterable[Sum]) -> Sum:
    """All of them together."""
    return reduce(Sum.__add__, sums, _NOTHING)


def tally(snapshot: Snapshot, market: str, window: str) -> Tally:
    """The sums of `market` over a window of `TOTAL_WINDOWS`, samples left out as the engine leaves them."""
    length = TOTAL_WINDOWS[window]
    start = 0 if length is None else snapshot.now - round(length * 1e9)
    whole = start >= (snapshot.started or 0)
    by_venue: dict[str, dict[Side, Sum]] = {}
    watched = _NOTHING
    for cell in snapshot.cells:
        if cell.market == market and window in cell.sums:
            by_venue.setdefault(cell.venue, {})[cell.side] = cell.sums[window]
            watched += cell.sums[window] if whole else cell.watched
    known = stretches(snapshot)
    # A sample that was asked to be in the sums leaves out most of its venue.
    short = frozenset(feed.venue for feed in snapshot.venues if feed.coverage.lower_bound)
    floors = short | away(known, start, snapshot.now)
    return Tally(market, by_venue, floors, watched)


def withholds(feed: VenueState) -> bool:
    """A sample is not a lower bound of anything a reader would add up: it is marked as what it is."""
    return feed.coverage.lower_bound and feed.coverage.kind is not CoverageKind.SAMPLE


def sampled(snapshot: Snapshot) -> str:
    """What the mark of a sample means here, in words: it is in the sums of a session that asked for that."""
    samples = [feed for feed in snapshot.venues if feed.coverage.kind is CoverageKind.SAMPLE]
    return "sample, in totals" if any(feed.events for feed in samples) else "sample, not in totals"


def elapsed(snapshot: Snapshot, window: str) -> float:
    """Seconds of `window` that have been watched: not more than since the start."""
    watched = 0.0 if snapshot.started is None else max((snapshot.now - snapshot.started) / 1e9, 0.0)
    length = TOTAL_WINDOWS[window]
    return watched if length is None else min(watched, length)


def usd(total: Sum, theme: Theme, *, least: bool = False) -> str:
    """Dollars of a sum; "unknown" where the size of none of its events is known, never 0."""
    if total.events and total.unsized == total.events:
        return formats.UNKNOWN
    return (theme.glyphs.at_least if least else "") + formats.dollars(total.usd)


def coins(total: Sum, theme: Theme, *, least: bool = False) -> str:
    """Coins of a sum, without the coin's name."""
    if total.events and total.unsized == total.events:
        return formats.UNKNOWN
    return (theme.glyphs.at_least if least else "") + formats.short(total.amount)


def asset(market: str) -> str:
    """The coin of a market; nothing where there are several."""
    return "" if market == ALL else market.removesuffix("USDT")
