"""Sums of a snapshot as the tables show them: by venue and side, with how far they can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import msgspec

from liquake.engine.snapshot import ALL, TOTAL_WINDOWS, MarketCoverage, Snapshot, Sum, VenueState
from liquake.model import CoverageKind, Side
from liquake.tui import formats
from liquake.tui.outages import away, stretches
from liquake.tui.picture import Picture
from liquake.tui.table import Cell
from liquake.tui.theme import Theme

_NOTHING = Sum()
_SHORTEST = "5m"
SINCE_START = "all"
"""The window of `TOTAL_WINDOWS` that has no beginning."""


class Tally(msgspec.Struct, frozen=True):
    """What was liquidated in one market, or all of them, within one window."""

    market: str
    by_venue: Mapping[str, Mapping[Side, Sum]]
    floors: frozenset[str]
    """Venues that withhold some, or were not heard for some of the time: a sum with them in it is "at least"."""
    heard: float | None = None
    """The share of the window in which every venue was heard, 0 to 1; `None` where that is not known."""
    watched: Sum = _NOTHING
    """What of all of it happened since the start: venues repeat on connecting what is older, and a rate is of this."""

    def sum(self, venue: str | None = None, side: Side | None = None) -> Sum:
        """Over `venue` and `side`, over all of them where `None`."""
        venues = self.by_venue.values() if venue is None else (self.by_venue.get(venue, {}),)
        return added(total for sides in venues for key, total in sides.items() if side in (None, key))

    def least(self, venue: str | None = None, side: Side | None = None) -> bool:
        """Whether that sum is only "at least": one of nothing too, where something is known of the other side."""
        venues = self.by_venue if venue is None else (venue,)
        withheld = self.sum(venue).events > 0 and any(name in self.floors for name in venues)
        return withheld or self.sum(venue, side).unsized > 0

    def bounded(self) -> float:
        """The part of the dollars that comes from venues of which it is only known that it was so much at least, 0 to 1."""
        whole = self.sum().usd
        return sum(self.sum(venue).usd for venue in self.by_venue if venue in self.floors) / whole if whole else 0.0

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
    together = covered(snapshot, ALL, market)
    heard = None if together is None else together.covered.get(window)
    floors = frozenset(feed.venue for feed in snapshot.venues if at_least(snapshot, feed, market, window))
    return Tally(market, by_venue, floors, heard, watched)


def at_least(snapshot: Snapshot, feed: VenueState, market: str, window: str) -> bool:
    """Whether a sum of `feed` in `market` over `window` is only a lower bound.

    What is known of the market decides; where that is nothing, what is known of the venue, which has all its outages.
    """
    kept = covered(snapshot, feed.venue, market) or covered(snapshot, feed.venue, ALL)
    if kept is not None:
        return kept.at_least(window)
    length = TOTAL_WINDOWS[window]
    start = 0 if length is None else snapshot.now - round(length * 1e9)
    return feed.coverage.lower_bound or feed.venue in away(stretches(snapshot), start, snapshot.now)


def covered(snapshot: Snapshot, venue: str, market: str) -> MarketCoverage | None:
    """What is known of a venue's feed of `market`, or of all venues together."""
    return snapshot.coverage.get(market, {}).get(venue)


def mixed(snapshot: Snapshot) -> bool:
    """Whether what is added up over all venues in the last minutes is "at least": some of it is of a venue that withholds,
    or one of them was not heard."""
    together = covered(snapshot, ALL, ALL)
    cut = together is not None and together.lost.get(_SHORTEST, 0.0) > 0.0
    # A sample has events where it counts in the sums.
    return cut or any(feed.events and feed.coverage.lower_bound for feed in snapshot.venues)


def withholds(feed: VenueState) -> bool:
    """A sample is not a lower bound of anything a reader would add up: it is marked as what it is."""
    return feed.coverage.lower_bound and feed.coverage.kind is not CoverageKind.SAMPLE


def heard(picture: Picture, market: str, window: str, of: str = "") -> list[Cell]:
    """In a title: in how much of the window every venue was heard that lists the market; nothing where nobody knows.

    `of` names the window where nothing else in the title does.
    """
    theme, kept = picture.theme, covered(picture.snapshot, ALL, market)
    if kept is None or window not in kept.covered:
        return []
    whole = kept.lost.get(window, 0.0) == 0.0
    share = formats.share(kept.covered[window])
    return [
        (f" {theme.glyphs.between} ", theme["faint"]),
        (f"heard {share}{of}", theme["muted" if whole else "state.waiting"]),
    ]


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


def events(total: Sum, theme: Theme, *, least: bool = False) -> str:
    """How many a sum is of."""
    return (theme.glyphs.at_least if least else "") + formats.count(total.events)


def asset(market: str) -> str:
    """The coin of a market; nothing where there are several."""
    return "" if market == ALL else market.removesuffix("USDT")
