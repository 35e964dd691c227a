"""What all venues together show of a market, and each of them: the coverage beside its sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liquake.engine.books import VenueBooks
from liquake.engine.coverage import Span, lost, shares
from liquake.engine.snapshot import ALL, MarketCoverage, little
from liquake.model import CoverageKind


class Ledgers:
    """The venues at one moment, `now`, of a run that began at `started`; both UTC nanoseconds.

    Most markets of a venue share every connection, so what is found of one holds for the others.
    """

    def __init__(self, venues: Iterable[VenueBooks], started: int | None, now: int) -> None:
        # Of those that were never tried nothing is in any sum.
        self._venues = [venue for venue in venues if venue.last_recv is not None or venue.feed.connections]
        self._started, self._now = started, now
        self._spans: dict[object, tuple[list[Span], MarketCoverage]] = {}
        self._together: dict[object, MarketCoverage] = {}

    def value(self, markets: Iterable[str]) -> dict[str, dict[str, MarketCoverage]]:
        """By market (of `markets`, `ALL` may be among them) and venue: `ALL` for those that count in its sums, and each
        that lists it."""
        return {market: self._rows(market) for market in dict.fromkeys(markets)}

    def _rows(self, market: str) -> dict[str, MarketCoverage]:
        asset = None if market == ALL else market.removesuffix("USDT")
        found = {venue: self._row(venue, asset) for venue in self._venues if venue.lists(asset)}
        together = self._sum([kept for venue, kept in found.items() if not venue.sample])
        return {ALL: together, **{venue.venue: row for venue, (_, row) in found.items()}}

    def _row(self, venue: VenueBooks, asset: str | None) -> tuple[list[Span], MarketCoverage]:
        key = venue.venue, venue.alike(asset)
        held = self._spans.get(key)
        if held is None:
            spans = venue.owed(self._started, self._now, asset)
            held = self._spans[key] = spans, venue.market(asset, spans, self._started, self._now)
        return held

    def _sum(self, rows: Sequence[tuple[list[Span], MarketCoverage]]) -> MarketCoverage:
        """A moment is covered where every venue was heard."""
        key = tuple(id(row) for _, row in rows)
        if key not in self._together:
            spans = [span for own, _ in rows for span in own]
            self._together[key] = MarketCoverage(
                max((row.kind for _, row in rows), key=little, default=CoverageKind.DARK),
                shares(spans, self._started, self._now),
                lost(spans, self._started, self._now),
                lower_bound=any(row.lower_bound for _, row in rows),
                refused=any(row.refused for _, row in rows),
            )
        return self._together[key]
