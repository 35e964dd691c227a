"""A whole session as sums."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import reduce

from liquake.analytics.latency import merged
from liquake.engine.books import VenueBooks
from liquake.engine.snapshot import FeedCoverage, FeedRecord, MarketCoverage, Peak, Statistics, Sum, Understatement
from liquake.model import Liquidation, Side


def statistics_of(
    venues: Collection[VenueBooks],
    *,
    first: int | None,
    last: int | None,
    peaks: tuple[Peak, ...],
    largest: tuple[Liquidation, ...],
    feeds: tuple[FeedRecord, ...],
    state_hash: str,
    coverage: Mapping[str, FeedCoverage],
    markets: Mapping[str, Mapping[str, MarketCoverage]],
    span: tuple[int, int] | None,
    understatements: tuple[Understatement, ...],
) -> Statistics:
    """The sums of `venues` beside what has been kept of the session otherwise."""
    counted = [venue for venue in venues if not venue.sample and venue.accepted]
    by_venue = {venue.venue: {str(side): totals.total() for side, totals in venue.sides()} for venue in counted}
    by_side = {str(side): _added(sides[side] for sides in by_venue.values()) for side in Side}
    return Statistics(
        first=first,
        last=last,
        total=_added(by_side.values()),
        by_side=by_side,
        by_venue=by_venue,
        by_market=_by_market(counted),
        by_venue_market={venue.venue: _markets_of(venue) for venue in counted},
        peaks=peaks,
        largest=largest,
        latency=merged(venue.latency for venue in venues).value(),
        latency_by_venue={venue.venue: venue.latency.value() for venue in venues if venue.accepted},
        sampled={venue.venue: venue.total() for venue in venues if venue.sample and venue.accepted},
        duplicates=sum(venue.repeated for venue in venues),
        errors=sum(venue.feed.errors for venue in venues),
        feeds=feeds,
        state_hash=state_hash,
        coverage=coverage,
        markets=markets,
        span=span,
        understatements=understatements,
    )


def _added(sums: Iterable[Sum]) -> Sum:
    return reduce(Sum.__add__, sums, Sum())


def _markets_of(venue: VenueBooks) -> dict[str, dict[str, Sum]]:
    return {
        book.market: {str(side): totals.total() for side, totals in book.sides()}
        for _, book in sorted(venue.books.items())
    }


def _by_market(venues: Iterable[VenueBooks]) -> dict[str, dict[str, Sum]]:
    added: dict[str, dict[str, Sum]] = {}
    for venue in venues:
        for market, sides in _markets_of(venue).items():
            held = added.get(market)
            added[market] = sides if held is None else {side: held[side] + sides[side] for side in held}
    return dict(sorted(added.items()))
