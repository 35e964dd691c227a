"""The single owner of state: events in, frozen snapshots out.

There is no clock in here. The engine time of a liquidation is the venue's time, but never later than when we received
it, so that a venue whose clock runs ahead cannot put events into our future.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter

from liquake.analytics.cascade import Model
from liquake.analytics.hawkes import Branching
from liquake.analytics.latency import Latency
from liquake.analytics.peaks import Peaks
from liquake.analytics.standing import Standing
from liquake.analytics.totals import Totals
from liquake.engine.books import Book, VenueBooks
from liquake.engine.ledgers import Ledgers
from liquake.engine.prices import Prices
from liquake.engine.snapshot import (
    ALL,
    COVERED_MARKETS,
    KINEMATIC_WINDOWS,
    QUIET,
    Activity,
    Burst,
    Cell,
    Digest,
    Episode,
    Latest,
    MarketCoverage,
    Moment,
    Notification,
    Risk,
    Snapshot,
    Statistics,
    WindowKinematics,
)
from liquake.engine.statistics import statistics_of
from liquake.engine.stream import Stream
from liquake.engine.tape import Tape
from liquake.engine.throughput import Throughput
from liquake.engine.unsettled import Unsettled
from liquake.engine.venues import Venues
from liquake.engine.watch import LEADER, Watch
from liquake.model import (
    Coverage,
    Event,
    FeedEvent,
    Gap,
    Liquidation,
    Price,
    Quote,
    Side,
    Trade,
    market_of,
)
from liquake.model.liquidation import OPEN_BEFORE
from liquake.model.tape import Tape as LiquidationTape

_LATEST = itemgetter(0, 1, 2)
WATCHED = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
"""The markets that have their own probabilities, unless others are asked for."""

USUAL_SEEN = 600 * 1_000_000_000
"""Nanoseconds of watching before a market's usual rate means something."""

STALE = 10 * 1_000_000_000
"""Nanoseconds under way after which a liquidation tells of the past: no outlook is made of it."""


class Engine:
    """Liquidations of every venue as numbers. `apply` is the only writer; reading changes nothing.

    Kinematics describe the moment `watermark` seconds before they are read. Venues send in batches (Bybit every 500 ms,
    Binance and OKX at most one per symbol and second), so the newest second is always incomplete, and a rate that ends
    in it would be seen to fall at every read. Until they are that old events wait, in order of time.

    What a SAMPLE venue sends is shown on the tape and as its activity, and is in no sum over venues unless
    `include_samples`.

    Of the `watched` markets and of all together there are probabilities, signals and episodes. `models` are tried in
    their order; those fitted on other feeds are refused, and the reason is shown.
    """

    def __init__(
        self,
        coverages: Mapping[str, Coverage],
        *,
        watermark: float = 1.0,
        include_samples: bool = False,
        watched: Sequence[str] = WATCHED,
        models: Iterable[Model] = (),
    ) -> None:
        self._watermark = round(watermark * 1_000_000_000)
        self._watch = Watch(coverages, watched, models, self._look, self._watermark)
        self._venues = Venues(coverages, self._watch, include_samples=include_samples)
        self._books = self._venues.books
        self._streams: dict[str, Stream] = {}
        self._seen: set[str] = set()
        """Markets with a liquidation, samples too."""
        self._all = self._open_stream(ALL)
        self._unsettled = Unsettled(self._all)
        self._frontier = 0
        """Engine time up to which events are settled."""
        self._counted = 0
        self._peaks = Peaks()
        self._tape = Tape()
        self._prices = Prices()
        self._trades = defaultdict[str, Throughput](Throughput)
        self._throughput = Throughput()
        self._latency = Latency()
        self._started: int | None = None
        self._newest = 0
        """When the newest event of any kind was received."""
        self._first: int | None = None
        self._last: int | None = None

    def apply(self, event: Event) -> bool | None:
        """Take `event` in. Of a liquidation, whether it was new: one received before is counted as such and dropped."""
        if isinstance(event, Liquidation):
            return self._apply_liquidation(event)
        if isinstance(event, FeedEvent):
            self._apply_trouble(event)
            return None
        venue = self._books.get(event.venue) or self._venues.of(event.venue)
        recv = event.ts_recv or event.ts_event
        venue.last_recv = recv
        self._throughput.update(recv)
        self._newest = max(self._newest, recv)
        if self._started is None:
            self._started = recv
        time = min(event.ts_event, recv)
        if isinstance(event, Price):
            venue.last_price_recv = recv
            self._prices.update(event, time)
        elif isinstance(event, Trade) and recv - time <= STALE:
            # Hyperliquid repeats a coin's latest trades on subscribing: those are no rate of now.
            self._trades[event.asset].update(recv)
        if isinstance(event, Price | Quote) and event.asset == LEADER:
            self._watch.take(time, event)
        self.advance(recv)
        return None

    def recall(self, event: Liquidation | FeedEvent) -> bool:
        """Take in what was received before this process began, in the order of receipt. Whether it was a new liquidation.

        Those are in every sum, in the kinematics and on the tape. No outlook, latency or throughput is made of them:
        whoever received them has told of them. Of a feed is recalled when it was heard, and of what.
        """
        if not isinstance(event, Liquidation):
            if self._started is None:
                self._started = event.end if isinstance(event, Gap) else event.ts
            self._venues.recall(event)
            return False
        venue = self._venues.of(event.venue)
        time = min(event.ts_event, event.ts_recv or event.ts_event)
        if self._started is None:
            self._started = _begun(time, event.ts_recv or time)
        if venue.duplicates.recalled(event.key):
            return False
        venue.last_recv = event.ts_recv or time
        self._enter(event, venue, time, recalled=True)
        return True

    def stood(self, events: Iterable[FeedEvent]) -> None:
        """Know how the feeds stood when what is about to be recalled began."""
        for event in events:
            self._venues.recall(event)

    def silent_since(self, venue: str, moment: int) -> int:
        """Since when not all of `venue` had been heard by `moment`, UTC nanoseconds, of what was recalled."""
        return self._venues.silent_since(venue, moment)

    def remember(self, keys: Iterable[tuple[str, str]]) -> None:
        """Know the events of these venues and keys, which are too old to be recalled, should a venue repeat them."""
        self._venues.remember(keys)

    def restore(self, episodes: Iterable[Episode]) -> None:
        """Show `episodes` of before this process began among those that are over, the latest to end last."""
        self._watch.restore(episodes)

    def advance(self, now: int) -> None:
        """Let time pass to `now`, UTC nanoseconds, without an event: an episode ends, a level is left.

        For whoever has a clock, once a second. Prices tell the time too.
        """
        self._watch.advance(now)
        self._venues.heed()

    def adopt(self, branching: Branching) -> None:
        """Show `branching` as who excites whom: fitted elsewhere, on what `recent` gave."""
        self._watch.adopt(branching)

    def recent(self) -> LiquidationTape:
        """The last 20,000 liquidations of venues that count, for a fit in another process. A copy, made in well under
        a millisecond."""
        return self._watch.recent()

    def _apply_liquidation(self, event: Liquidation) -> bool:
        venue = self._books.get(event.venue) or self._venues.of(event.venue)
        time, recv = event.ts_event, event.ts_recv
        if not recv:
            recv = time
        elif recv < time:
            time = recv
        venue.last_recv = recv
        self._throughput.update(recv)
        self._newest = max(self._newest, recv)
        if self._started is None:
            self._started = _begun(time, recv)
        if venue.duplicates.seen(event.key, time):
            venue.repeated += 1
            return False
        # Recordings without a receive time repeat the event time, and what a venue replays on connecting was never under
        # way: neither is a measurement.
        if recv != event.ts_event and venue.feed.heard(event.ts_event):
            venue.latency.update(recv - event.ts_event)
            self._latency.update(recv - event.ts_event)
        self._enter(event, venue, time)
        return True

    def _enter(self, event: Liquidation, venue: VenueBooks, time: int, *, recalled: bool = False) -> None:
        amount, usd = event.amount, event.usd
        book = venue.books.get(event.asset) or self._open_book(event, venue, time)
        if time >= book.last_time:
            book.last, book.last_time = event, time
        if venue.last_liquidation is None or time > venue.last_liquidation:
            venue.last_liquidation = time
        venue.accepted += 1
        if venue.first_recv is None:
            venue.first_recv = event.ts_recv or time
        if event.side is Side.LONG:
            book.long.update(time, amount, usd)
            venue.long.update(time, None if amount is None else 0.0, usd)
        else:
            book.short.update(time, amount, usd)
            venue.short.update(time, None if amount is None else 0.0, usd)
        self._tape.show(event)
        if book.stream is not None:
            self._count(event, book.stream, time, 0.0 if amount is None or usd is None else usd, recalled)

    def _count(self, event: Liquidation, stream: Stream, time: int, usd: float, recalled: bool) -> None:
        self._counted += 1
        if self._first is None or time < self._first:
            self._first = time
        if self._last is None or time > self._last:
            self._last = time
        if usd:
            self._tape.rank(event, time, usd)
        stream.usd += usd
        stream.series.update(time, event.side, usd)
        self._all.series.update(time, event.side, usd)
        if event.tags and OPEN_BEFORE in event.tags:
            # Nobody knows since when: in the sums, and in no rate.
            return
        # What a venue replays on connecting is counted, but nothing burst when it came.
        if event.ts_recv - time <= STALE:
            if recalled:
                self._watch.silence.recall(event.venue, time)
            else:
                # Before the streams go on, whose motion is entered at every second that is over.
                self._watch.take(time, (event, usd))
                self.advance(time)
            self._all.scan.update(time)
            stream.scan.update(time)
        elif not recalled and self._books[event.venue].feed.heard(time):
            self._watch.silence.hear(event.venue, time)
        self._unsettled.push((time, self._counted, usd, stream))
        self._settle(time - self._watermark)

    def _settle(self, frontier: int) -> None:
        if frontier > self._frontier:
            self._frontier = frontier
        frontier, unsettled, everything = self._frontier, self._unsettled, self._all
        while (event := unsettled.pop(frontier)) is not None:
            time, _, usd, stream = event
            stream.windows.update(time, usd)
            stream.kinematics.update(time, usd)
            if usd:
                stream.size(time, usd)
            everything.windows.update(time, usd)
            everything.kinematics.update(time, usd)
            self._peaks.update(time, everything.windows)
            if everything.ahead is not None:
                everything.overtake()
                stream.overtake()

    def _apply_trouble(self, event: FeedEvent) -> None:
        time = event.end if isinstance(event, Gap) else event.ts
        self._throughput.update(time)
        self._newest = max(self._newest, time)
        if self._started is None:
            self._started = time
        self.advance(time)
        self._venues.take(event)

    def _open_book(self, event: Liquidation, venue: VenueBooks, time: int) -> Book:
        stream = None
        if not venue.sample:
            market = market_of(event.asset)
            stream = self._streams.get(market)
            if stream is None:
                stream = self._streams[market] = self._open_stream(market)
        book = venue.open(event.asset, Book(event.asset, stream, event, time))
        self._seen.add(book.market)
        return book

    def _open_stream(self, market: str) -> Stream:
        stream = Stream(market, self._watermark / 1e9)
        if market in self._watch.outlooks:
            stream.standing = Standing(KINEMATIC_WINDOWS)
        return stream

    def _look(self, as_of: int, markets: Mapping[str, float]) -> dict[str, float]:
        """Enter the motion of each market into its week; the z of the present bursts."""
        as_of = max(as_of, self._frontier)
        self._unsettled.read(as_of)
        bursts = {}
        for market, seconds in markets.items():
            stream = self._all if market == ALL else self._streams.get(market)
            bursts[market] = 0.0
            if stream is not None:
                stream.remember(as_of, seconds)
                bursts[market] = stream.burst(as_of).z
        return bursts

    def risks(self) -> tuple[Risk, ...]:
        """As in a snapshot, for who needs nothing else of it."""
        return self._watch.risks()

    def episodes(self) -> tuple[Episode, ...]:
        """As in a snapshot."""
        return self._watch.episodes()

    def notices(self) -> tuple[Notification | Digest, ...]:
        """As in a snapshot."""
        return tuple(self._watch.notices)

    def snapshot(
        self,
        now: int,
        markets: Sequence[str] | None = None,
        charts: Sequence[str] = (),
        largest: int = 0,
        activity: Collection[str] | None = None,
    ) -> Snapshot:
        """Everything as it stands at `now`, UTC nanoseconds, which is not before the newest event.

        Kinematics and cells are of `markets` by name, of all where `None`, and always of `ALL`; cells also of as many
        as `largest` says. `charts` names those whose series are wanted, `activity` those whose books are: of all where
        `None`, and every venue has one for every market.
        """
        prices = self._prices.value()
        known = self._markets(prices)
        chosen, covered = (known, known[:COVERED_MARKETS]) if markets is None else (tuple(markets), tuple(markets))
        as_of = max(now - self._watermark, self._frontier)
        venues = self._books.values()
        return Snapshot(
            now=now,
            as_of=as_of,
            started=self._started,
            events=self._counted,
            throughput=self._throughput.value(now),
            markets=known,
            kinematics=self._kinematics(as_of, chosen),
            cells=self._cells(now, (*chosen, *known[:largest])),
            activity=self._activity(now, activity),
            tape=self._tape.latest(),
            largest=self._tape.largest(now),
            prices=prices,
            venues=tuple(venue.state(self._started, now) for venue in venues),
            latency=self._latency.value(),
            bursts=self._bursts(as_of, chosen),
            large_usd=self._large(chosen),
            regime=self._watch.regime.value(),
            dependence=self._watch.dependence(),
            understatements=self._watch.understatements(),
            risks=self.risks(),
            episodes=self.episodes(),
            notices=self.notices(),
            arrived=self._tape.shown,
            trades=self._traded(now),
            coverage=self._coverage(now, *covered, *known[:largest]),
            charts={market: self._stream(market).charts(now, self._prices.series(market, now)) for market in charts},
        )

    def moment(self, now: int, markets: Sequence[str] | None = None) -> Moment:
        """Of `markets`, `ALL` among them or not, of every one where `None`, what a snapshot of the same `now` says of their
        motion; and of risk."""
        known = self._markets(self._prices.value())
        as_of = max(now - self._watermark, self._frontier)
        chosen = (ALL, *known) if markets is None else markets
        asked = frozenset(chosen)
        return Moment(
            now=now,
            as_of=as_of,
            markets=known,
            motion=self._motion(as_of, chosen),
            venues=tuple(venue.state(self._started, now) for venue in self._books.values()),
            coverage=self._coverage(now, *(market for market in known[:COVERED_MARKETS] if market in asked)),
            risks=self.risks(),
            regime=self._watch.regime.value(),
            notices=self.notices(),
        )

    def _coverage(self, now: int, *markets: str) -> dict[str, dict[str, MarketCoverage]]:
        return Ledgers(self._books.values(), self._started, now).value((ALL, *markets))

    def latest(self) -> Latest:
        """The tape alone."""
        return Latest(self._tape.latest(), self._tape.shown)

    def _large(self, markets: Sequence[str]) -> dict[str, float]:
        streams = (self._streams.get(market) for market in markets)
        return {stream.market: stream.large for stream in streams if stream is not None and stream.large is not None}

    def _traded(self, now: int) -> dict[str, float]:
        return {market_of(asset): trades.value(now) for asset, trades in self._trades.items()}

    def _bursts(self, as_of: int, markets: Sequence[str]) -> dict[str, Burst]:
        bursts = {ALL: self._all.burst(as_of)}
        for market in markets:
            stream = self._streams.get(market)
            bursts[market] = QUIET if stream is None else stream.burst(as_of)
        return bursts

    def _stream(self, market: str) -> Stream:
        return self._all if market == ALL else self._streams.get(market) or Stream(market)

    def _markets(self, priced: Mapping[str, object]) -> tuple[str, ...]:
        streams = self._streams
        return tuple(
            sorted(self._seen.union(priced), key=lambda name: (-streams[name].usd if name in streams else 0.0, name))
        )

    def _kinematics(self, as_of: int, markets: Sequence[str]) -> dict[str, tuple[WindowKinematics, ...]]:
        self._unsettled.read(as_of)
        usual_known = self._started is not None and as_of - self._started >= USUAL_SEEN
        return {market: self._stream(market).value(as_of, usual_known=usual_known) for market in (ALL, *markets)}

    def _motion(self, as_of: int, markets: Sequence[str]) -> dict[str, list[int | float]]:
        self._unsettled.read(as_of)
        return {market: self._stream(market).numbers(as_of) for market in markets}

    def _cells(self, now: int, markets: Sequence[str]) -> tuple[Cell, ...]:
        cells = []
        for venue in self._books.values():
            if venue.sample:
                continue
            cells += [self._cell(venue, ALL, side, totals, now) for side, totals in venue.sides()]
            for book in venue.books_of(dict.fromkeys(markets)):
                cells += [self._cell(venue, book.market, side, totals, now) for side, totals in book.sides()]
        return tuple(cells)

    def _cell(self, venue: VenueBooks, market: str, side: Side, totals: Totals, now: int) -> Cell:
        return Cell(venue.venue, side, market, totals.value(now), totals.since((self._started or 1) - 1))

    def _activity(self, now: int, markets: Collection[str] | None) -> tuple[Activity, ...]:
        books = [
            (-book.last_time, venue.venue, book.market, book)
            for venue in self._books.values()
            for book in (venue.books.values() if markets is None else venue.books_of(markets))
        ]
        return tuple(book.activity(venue, now) for _, venue, _, book in sorted(books, key=_LATEST))

    def statistics(self) -> Statistics:
        """The whole session: the same for the same events, however often it was looked at."""
        peaks, windows = self._peaks.copy(), self._all.windows.copy()
        for time, _, usd, _ in self._unsettled.in_order():
            windows.update(time, usd)
            peaks.update(time, windows)
        return statistics_of(
            self._books.values(),
            first=self._first,
            last=self._last,
            peaks=peaks.value(),
            largest=self._tape.session_largest(),
            feeds=self._venues.history.records(),
            state_hash=self.state_hash(),
            coverage={
                name: venue.coverage_of(self._started, self._newest)
                for name, venue in self._books.items()
                if venue.last_recv is not None or venue.feed.connections
            },
            markets=Ledgers(self._books.values(), self._started, self._newest).value((ALL, *sorted(self._streams))),
            span=None if self._started is None else (self._started, max(self._newest, self._started)),
            understatements=self._watch.understatements(),
        )

    def state_hash(self) -> str:
        """SHA-256 of every number that liquidations decided, as text.

        Feed troubles, prices and duplicates are not in it: a session and the replay of its journal have the same.
        """
        numbers = (
            self._counted,
            self._frontier,
            [(time, usd, stream.market) for time, _, usd, stream in self._unsettled.in_order()],
            self._all.state(),
            [stream.state() for _, stream in sorted(self._streams.items())],
            self._peaks.state(),
            [(event.venue, event.key) for event in self._tape.session_largest()],
            [venue.numbers() for _, venue in sorted(self._books.items()) if venue.accepted],
        )
        return sha256(repr(numbers).encode()).hexdigest()


def _begun(time: int, recv: int) -> int:
    """When a run began whose first event happened at `time`: an hour-old one says that nobody listened at that time."""
    return time if recv - time <= STALE else recv
