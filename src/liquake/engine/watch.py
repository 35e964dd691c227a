"""What is looked at once a second of event time: outlooks, regime, dependence, what throttled venues leave out.

Events wait until nothing earlier can come, then go in by order of time. Whole seconds are closed one after another, so
the same events give the same state however they were interleaved, and however often anyone looks.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from liquake.analytics import dependence
from liquake.analytics.arrivals import Arrivals
from liquake.analytics.cascade import Model
from liquake.analytics.dependence import COLOUR, DECISION
from liquake.analytics.episode import Episode
from liquake.analytics.hawkes import Branching
from liquake.analytics.regime import RegimeTracker
from liquake.analytics.signals import Digest, Notification
from liquake.analytics.silence import SilenceDetector
from liquake.engine.outlook import Outlook, Shown, choose
from liquake.engine.shortfall import Crowds, Shortfall
from liquake.engine.snapshot import ALL, Dependence, Risk, Understatement
from liquake.model import Coverage, CoverageKind, Gap, Liquidation, Price, Quote, Side, Throttle, market_of
from liquake.model.tape import Source, Tape

_SECOND = 1_000_000_000
LEADER = "BTC"
"""Whose price and book the regime goes by."""
LEADER_SILENT = 10 * _SECOND
"""After which another instrument's price is taken: two venues' prices in turn would look like volatility."""
ATTENTIVE = 30
"""Seconds after its last event for which a market is looked at every second; then every `IDLE`."""
IDLE = 10
PAUSE = 3600
"""Seconds without any event, prices included, after which the recorder and not the market was silent."""
KEPT = 50
"""Episodes and notices that are remembered."""
RECENT = 20_000
"""Liquidations that a fit of the branching matrix goes by."""

Look = Callable[[int, Mapping[str, float]], Mapping[str, float]]
"""Enters the motion of markets at a moment (UTC nanoseconds) into their weeks, each for so many seconds; gives the z of
the present burst by market."""
_Item = tuple[Liquidation, float] | Price | Quote


class Watch:
    """Everything that goes by seconds. `take` and `advance` are the only writers."""

    def __init__(
        self,
        coverages: Mapping[str, Coverage],
        markets: Sequence[str],
        models: Iterable[Model],
        look: Look,
        watermark: int,
    ) -> None:
        self._look, self._watermark = look, watermark
        counted = {name: held for name, held in coverages.items() if held.kind is not CoverageKind.SAMPLE}
        self.venues = tuple(sorted(counted))
        choices = choose(models, self.venues, {name: held.throttle for name, held in counted.items()})
        self.outlooks = {market: Outlook(market, choices) for market in (ALL, *markets)}
        self.regime = RegimeTracker(watermark=0.0)
        self._dependence = dependence.Dependence(self.venues, watermark=0.0)
        self._complete = {name for name, held in counted.items() if held.kind is CoverageKind.COMPLETE}
        self._crowds = Crowds()
        self.shortfalls = {
            name: Shortfall(name, held, (ALL, *markets), self._crowds)
            for name, held in counted.items()
            if held.throttle is not Throttle.NONE
        }
        # Who is an hour behind says nothing of the present, and is not expected to.
        self.silence = SilenceDetector(name for name, held in counted.items() if held.kind is not CoverageKind.DELAYED)
        self._branching: Branching | None = None
        self._together: Dependence | None = None
        """What `dependence` gave last, until a second is looked at."""
        self._arrivals: Arrivals[_Item] = Arrivals(watermark / _SECOND)
        self._open: int | None = None
        """The second that is not over: it holds the events after the one before and up to its end."""
        self._events: dict[str, list[Shown]] = {}
        self._looked = dict.fromkeys(self.outlooks, 0)
        self._leader: tuple[str, str, str] | None = None
        self._led = 0
        self._ended: deque[Episode] = deque(maxlen=KEPT)
        self.notices: deque[Notification | Digest] = deque(maxlen=KEPT)
        self._recent = _Recent(self.venues)

    def take(self, time: int, item: _Item) -> None:
        """An event of engine time `time`, UTC nanoseconds. Of prices and quotes only the leader's are of use."""
        for settled, each in self._arrivals.push(time, item):
            self._admit(settled, each)

    def advance(self, now: int) -> None:
        """Let time pass to `now`, UTC nanoseconds."""
        until = now - self._watermark
        for settled, each in self._arrivals.settle(until):
            self._admit(settled, each)
        self.silence.advance(until)
        if self._open is not None:
            self._pass(until // _SECOND)

    def restore(self, episodes: Iterable[Episode]) -> None:
        """Remember `episodes` that are over, the latest to end last."""
        self._ended.extend(episodes)

    def interrupt(self, gap: Gap) -> None:
        """A gap in a venue's feed: what is counted by the second there starts afresh."""
        if gap.venue in self.venues:
            self._dependence.reset(gap.cause, gap.venue)
            self._together = None
        if gap.venue in self.shortfalls:
            self.shortfalls[gap.venue].interrupt(gap)

    def _admit(self, ts: int, item: _Item) -> None:
        second = -(-ts // _SECOND)
        if self._open is None:
            self._open = second
        elif second > self._open:
            self._pass(second - 1)
        if isinstance(item, Price):
            self._price(item, ts)
        elif isinstance(item, Quote):
            self.regime.quote(
                item.venue, item.bid, item.bid * item.bid_amount, item.ask, item.ask * item.ask_amount, ts
            )
        else:
            self._liquidation(ts, *item)

    def _liquidation(self, ts: int, event: Liquidation, usd: float) -> None:
        market, source = market_of(event.asset), Source(event.venue, event.side)
        self.regime.liquidation(usd, ts)
        self.silence.update(event.venue, ts)
        if event.venue in self.venues:
            self._dependence.update(event.venue, ts)
            self._recent.add(ts, source, usd)
        for name in (ALL, market):
            outlook = self.outlooks.get(name)
            if outlook is not None:
                self._events.setdefault(name, []).append((ts, source, usd))
                self._tell(outlook.liquidation(ts, source, usd))
        shortfall = self.shortfalls.get(event.venue)
        if shortfall is not None:
            shortfall.update(event, market, ts)
        elif event.venue in self._complete:
            self._crowds.update(event, ts)

    def _price(self, price: Price, ts: int) -> None:
        key = price.venue, price.instrument, price.kind.value
        if self._leader != key:
            if self._leader is not None and ts - self._led < LEADER_SILENT:
                return
            self._leader = key
        self._led = ts
        self.regime.price(price.price, ts)

    def _pass(self, until: int) -> None:
        """Close the seconds up to and with `until`."""
        assert self._open is not None
        if until < self._open:
            return
        if self._events:
            for market, events in self._events.items():
                self.outlooks[market].close(self._open, events)
            self._events = {}
        if until - self._open > PAUSE:
            self._glance(self._open)
            for outlook in self.outlooks.values():
                outlook.reset("pause")
            self._dependence.reset("pause")
            self._glance(until // IDLE * IDLE)
        else:
            second = self._open
            while second <= until:
                self._glance(second)
                second = self._next(second)
        self._open = until + 1

    def _next(self, second: int) -> int:
        """The next second to look at: the next one after events, else the next multiple of `IDLE`."""
        if second < self.outlooks[ALL].active + ATTENTIVE:
            return second + 1
        return (second // IDLE + 1) * IDLE

    def _glance(self, second: int) -> None:
        due = second % IDLE == 0
        chosen = [name for name, held in self.outlooks.items() if due or second <= held.active + ATTENTIVE]
        if not chosen:
            return
        ts = second * _SECOND
        self._dependence.advance(ts)
        self._together = None
        self.regime.advance(ts)
        rank = self.regime.value().rank
        bursts = self._look(ts, {name: float(min(second - self._looked[name], IDLE)) for name in chosen})
        for name in chosen:
            self._looked[name] = second
            self._tell(self.outlooks[name].look(ts, bursts[name], rank))
        if due:
            for shortfall in self.shortfalls.values():
                shortfall.advance(ts)

    def _tell(self, changes: Iterable[Episode | Notification | Digest]) -> None:
        for change in changes:
            if not isinstance(change, Episode):
                self.notices.append(change)
            elif change.end is not None:
                self._ended.append(change)
            else:
                self._reopened(change)

    def _reopened(self, episode: Episode) -> None:
        again = [held for held in self._ended if held.key == episode.key]
        for held in again:
            self._ended.remove(held)
        if not again and episode.market == ALL:
            self.regime.episode(episode.start)

    def risks(self) -> tuple[Risk, ...]:
        """Of every market, as of its last look."""
        return tuple(chain.from_iterable(outlook.value() for outlook in self.outlooks.values()))

    def episodes(self) -> tuple[Episode, ...]:
        """Those that go on, then the latest to end."""
        running = chain.from_iterable(outlook.running() for outlook in self.outlooks.values())
        return *running, *reversed(self._ended)

    def dependence(self) -> Dependence:
        """How venues move together, as of the last look."""
        if self._together is None:
            short, long = (tuple(self._dependence.value(memory)) for memory in (COLOUR, DECISION))
            self._together = Dependence(self.venues, short, long, self._branching)
        return self._together

    def adopt(self, branching: Branching) -> None:
        """Show `branching` from now on."""
        self._branching, self._together = branching, None

    def understatements(self) -> tuple[Understatement, ...]:
        """Of every throttled venue."""
        return tuple(chain.from_iterable(held.value() for held in self.shortfalls.values()))

    def recent(self) -> Tape:
        """The last liquidations, for a fit in another process."""
        return self._recent.tape()


class _Recent:
    """The last `RECENT` liquidations as columns: cheap to keep, to copy and to send."""

    def __init__(self, venues: Sequence[str]) -> None:
        self._sources = tuple(sorted(Source(venue, side) for venue in venues for side in Side))
        self._kinds = {source: place for place, source in enumerate(self._sources)}
        self._ts, self._kind, self._usd = array("q"), array("B"), array("d")

    def add(self, ts: int, source: Source, usd: float) -> None:
        self._ts.append(ts)
        self._kind.append(self._kinds[source])
        self._usd.append(usd)
        if len(self._ts) > 2 * RECENT:
            del self._ts[:RECENT], self._kind[:RECENT], self._usd[:RECENT]

    def tape(self) -> Tape:
        ts = self._ts[-RECENT:]
        orders = array("q", [1]) * len(ts)
        return Tape("the last liquidations", self._sources, ts, self._kind[-RECENT:], self._usd[-RECENT:], orders)
