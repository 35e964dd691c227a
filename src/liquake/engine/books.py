"""What each venue liquidated, by market and side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liquake.analytics.latency import Latency
from liquake.analytics.totals import Totals
from liquake.engine.coverage import Span, lost, shares
from liquake.engine.duplicates import Duplicates
from liquake.engine.ledger import Feed
from liquake.engine.snapshot import Activity, FeedCoverage, MarketCoverage, Sum, VenueState
from liquake.engine.stream import Stream
from liquake.model import Coverage, CoverageKind, Liquidation, Side, market_of

_HOUR = 3600.0
_MINUTE = 60 * 1_000_000_000
_Hour = tuple[tuple[int, int], Sum]
"""What the last hour held of one side, behind the minute and the events since the start for which that is so."""
_UNREAD: _Hour = (-1, 0), Sum()


class Book:
    """One venue's liquidations in one market. `stream` is what they add to; `None` for a sample kept apart."""

    __slots__ = ("_hour", "_long", "_short", "last", "last_time", "long", "market", "short", "stream")

    def __init__(self, asset: str, stream: Stream | None, last: Liquidation, last_time: int) -> None:
        self.market = market_of(asset)
        self.stream = stream
        self.last, self.last_time = last, last_time
        self.long, self.short = Totals(), Totals()
        self._long = self._short = _UNREAD
        self._hour = Sum()
        """Of both."""

    def sides(self) -> tuple[tuple[Side, Totals], ...]:
        """Its totals by side."""
        return (Side.LONG, self.long), (Side.SHORT, self.short)

    def activity(self, venue: str, now: int) -> Activity:
        """What `venue` last did here, as seen at `now`."""
        age = max(0.0, (now - self.last_time) / 1e9)
        return Activity(venue, self.market, self.last, age, *self._last_hour(now))

    def _last_hour(self, now: int) -> tuple[Sum, Sum, Sum]:
        """Both sides, longs, shorts. The hour's edge moves by the minute, and most of hundreds of books are at rest."""
        longs, shorts = _last_hour(self.long, self._long, now), _last_hour(self.short, self._short, now)
        if longs is not self._long or shorts is not self._short:
            self._long, self._short, self._hour = longs, shorts, longs[1] + shorts[1]
        return self._hour, longs[1], shorts[1]


def _last_hour(totals: Totals, held: _Hour, now: int) -> _Hour:
    key = now // _MINUTE, totals.events
    return held if held[0] == key else (key, totals.window(now, _HOUR))


class VenueBooks:
    """Everything one venue sent, and its feed. `sample` ones count in no total."""

    def __init__(self, venue: str, coverage: Coverage, *, sample: bool) -> None:
        self.venue, self.coverage, self.sample = venue, coverage, sample
        self.feed = Feed()
        self.books: dict[str, Book] = {}
        """By asset."""
        self._by_market: dict[str, Book] = {}
        self.long, self.short = Totals(), Totals()
        """Over all markets: without coins."""
        self.duplicates = Duplicates()
        self.latency = Latency()
        self.accepted = 0
        self.repeated = 0
        self.first_recv: int | None = None
        """Our clock at the first liquidation."""
        self.last_recv: int | None = None
        self.last_price_recv: int | None = None
        self.last_liquidation: int | None = None

    def sides(self) -> tuple[tuple[Side, Totals], ...]:
        """Its totals over all markets by side."""
        return (Side.LONG, self.long), (Side.SHORT, self.short)

    def open(self, asset: str, book: Book) -> Book:
        """Keep `book` for what comes of `asset`; gives it back."""
        self.books[asset] = self._by_market[book.market] = book
        return book

    def books_of(self, markets: Iterable[str]) -> list[Book]:
        """Those of `markets`, in their order: a reader of one market does not pass by all the others."""
        held = self._by_market
        return [held[market] for market in markets if market in held]

    def total(self) -> Sum:
        """Everything it liquidated since the start."""
        return self.long.total() + self.short.total()

    def missing(self, started: int | None, now: int, asset: str | None = None) -> list[Span]:
        """The times up to `now`, in a run that began at `started`, of which something may be missing: of `asset`, of any
        where `None`."""
        heard = self.feed.heard_since
        if self.first_recv is not None:
            # Of a recording without the states of its connections all that is known is that it was made. What is
            # recalled of an earlier run has no states either, and was heard.
            first = self.first_recv if self.feed.connections else started
            heard = first if heard is None or first is None else min(heard, first)
        spans = list(self.feed.unheard(now, asset))
        if asset is not None and (since := self.feed.reach.since(asset)) is not None:
            heard = since if heard is None else max(heard, since)
        spans.append((0, now if heard is None else min(heard, now)))
        return spans

    def late(self, now: int) -> list[Span]:
        """The time up to `now` of which the venue has not said anything yet, though it was heard."""
        return [(now - round(self.coverage.delay * 1e9), now)] if self.coverage.delay else []

    def owed(self, started: int | None, now: int, asset: str | None) -> list[Span]:
        """The same without the time in which the venue did not list `asset`: of that nothing is missing."""
        begun, ended = (0, now) if asset is None else self.feed.reach.listed(asset) or (0, now)
        spans = self.missing(started, now, asset)
        return [(max(start, begun), min(end, ended)) for start, end in spans]

    def covered(self, started: int | None, now: int) -> dict[str, float]:
        """The share of each window before `now` in which it was heard, in a run that began at `started`."""
        return shares([*self.missing(started, now), *self.late(now)], started, now)

    def lists(self, asset: str | None) -> bool:
        """Whether it has, or had, contracts of `asset` as far as is known; of anything where `None`."""
        return asset is None or asset in self.books or self.feed.reach.listed(asset) is not None

    def alike(self, asset: str | None) -> object:
        """The same for all assets of which the same is `missing`."""
        return None if asset is None else self.feed.reach.alike(asset)

    def market(self, asset: str | None, spans: Sequence[Span], started: int | None, now: int) -> MarketCoverage:
        """What is known of its feed of one asset, of all where `None`; `spans` are the times that are `missing`."""
        reach = self.feed.reach
        begun, ended = (0, now) if asset is None else reach.listed(asset) or (0, now)
        until, kind = min(now, ended), self.coverage.kind
        spans = [*spans, *self.late(now)]
        if until == now and (self.feed.dark or not reach.brought(asset)):
            kind = CoverageKind.DARK
        return MarketCoverage(
            kind,
            shares(spans, started, until, begun),
            lost(spans, started, until),
            lower_bound=self.coverage.lower_bound or kind is CoverageKind.DARK,
            refused=reach.lacks(asset),
            since=begun or None,
        )

    def coverage_of(self, started: int | None, now: int) -> FeedCoverage:
        """What became of its promise."""
        state = self.state(started, now)
        return FeedCoverage(self.coverage, state.kind, state.covered["all"], self.feed.rows())

    def state(self, started: int | None, now: int) -> VenueState:
        """What a reader gets of it."""
        feed = self.feed
        return VenueState(
            venue=self.venue,
            coverage=self.coverage,
            connections=tuple(feed.connections.values()),
            events=0 if self.sample else self.accepted,
            sampled=self.accepted if self.sample else 0,
            duplicates=self.repeated,
            errors=feed.errors,
            last_error=feed.last_error,
            rejected=feed.rejected(),
            reconnects=feed.reconnects,
            gaps=feed.gaps,
            gap_seconds=feed.gap_nanoseconds / 1e9,
            last_recv=self.last_recv,
            last_price_recv=self.last_price_recv,
            last_liquidation=self.last_liquidation,
            latency=self.latency.value(),
            outages=feed.outages(),
            covered=self.covered(started, now),
        )

    def numbers(self) -> tuple[object, ...]:
        """Every number that its liquidations decide, for a hash."""
        return (
            self.venue,
            self.accepted,
            self.last_liquidation,
            self.latency.state(),
            [totals.state() for _, totals in self.sides()],
            [
                (asset, book.last.key, book.last_time, [totals.state() for _, totals in book.sides()])
                for asset, book in sorted(self.books.items())
            ],
        )
