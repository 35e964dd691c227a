"""What a throttled venue has left out of the last hour: at least, and where complete venues tell, at most."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from math import inf, isfinite, sqrt

from liquake.analytics.thinning import HOUR, NOTHING, SIGMAS, Band, Behind, Crowd, Profile, behind
from liquake.analytics.throttle import Estimate, ThrottledSymbol
from liquake.engine.snapshot import ALL, Understatement
from liquake.model import Coverage, Gap, Liquidation, Side

_SECOND = 1_000_000_000
_RENEWED = 60 * _SECOND
"""Nanoseconds between two estimates: they are of an hour, and of hundreds of symbols."""
_GROWN = 1.05
"""Times as many orders as at the last estimate from which it is made anew: in a cascade a minute is long."""
_ALONE = 30
"""Orders shown of a symbol from which it is estimated by itself."""
_GAPS = HOUR // 100
"""Nanoseconds that may be missing of the hour that is estimated."""
_IMPOSSIBLE = 3
"""Orders shown within one second of which a throttle of one would have let two through at most, its second being
another than ours."""
_Key = tuple[str, Side | None]
_Bounds = tuple[Band, Band]
"""Of the number of orders, and of their dollars."""


class Crowds:
    """How the orders of the complete venues crowd in seconds, by asset: all of them, and those of each side."""

    def __init__(self) -> None:
        self._crowds = defaultdict[_Key, Crowd](Crowd)

    def update(self, event: Liquidation, ts: int) -> None:
        """A complete venue's `event` of engine time `ts`, in order of time."""
        for side in (None, event.side):
            self._crowds[event.asset, side].update(ts, event.usd or 0.0)

    def profile(self, asset: str, side: Side | None, now: int) -> Profile:
        """Of the hour before `now`, UTC nanoseconds."""
        crowd = self._crowds[asset, side]
        crowd.advance(now)
        return crowd.profile


class Shortfall:
    """One venue under a throttle: each of its symbols by itself, added up by market."""

    def __init__(self, venue: str, coverage: Coverage, markets: Sequence[str], crowds: Crowds) -> None:
        self.venue, self._coverage, self._markets, self._crowds = venue, coverage, markets, crowds
        self._symbols: dict[_Key, _Symbol] = {}
        self._gaps: deque[Gap] = deque()
        self._bounds: dict[str, _Bounds] = {}
        self._estimated: dict[str, int] = {}
        """Orders shown by market, at the last estimate."""
        self._due = 0
        self._values: list[Understatement] = []

    def update(self, event: Liquidation, market: str, ts: int) -> None:
        """An order shown, of engine time `ts`, UTC nanoseconds, in order of time."""
        key = event.instrument, event.side if self._coverage.per_side else None
        held = self._symbols.get(key)
        if held is None:
            held = self._symbols[key] = _Symbol(event.asset, key[1], market, self._coverage)
        held.update(event, ts)

    def advance(self, now: int) -> None:
        """Let time pass to `now`."""
        while self._gaps and self._gaps[0].end <= now - HOUR:
            self._gaps.popleft()
        for symbol in self._symbols.values():
            symbol.advance(now)
        shown = {market: sum(held.events for held in self._of(market).values()) for market in self._markets}
        grown = any(events > _GROWN * self._estimated.get(market, 0) for market, events in shown.items())
        if now >= self._due or grown:
            self._due, self._estimated = now // _RENEWED * _RENEWED + _RENEWED, shown
            self._bounds = {}
            told = {key: self._behind([held], now) for key, held in self._symbols.items() if held.events >= _ALONE}
            for market in self._markets:
                self._bounds[market] = self._bound(self._of(market), told, now)
        self._values = [value for market in self._markets if (value := self._value(market)) is not None]

    def interrupt(self, gap: Gap) -> None:
        """The blocks that are open were not wholly seen."""
        self._gaps.append(gap)
        for symbol in self._symbols.values():
            symbol.interrupt(gap.cause)

    def value(self) -> list[Understatement]:
        """Of the last hour, by market, as of the last `advance`."""
        return self._values

    def _of(self, market: str) -> dict[_Key, _Symbol]:
        return {key: held for key, held in self._symbols.items() if market in (ALL, held.market) and held.events}

    def _value(self, market: str) -> Understatement | None:
        symbols = list(self._of(market).values())
        if not symbols:
            return None
        shown, usd = sum(held.events for held in symbols), sum(held.usd for held in symbols)
        unsized = any(held.unsized for held in symbols)
        events_bound, usd_bound = self._bounds.get(market, (Band(shown, inf), Band(usd, inf)))
        return Understatement(
            venue=self.venue,
            market=market,
            events=shown,
            usd=usd,
            events_at_least=max(events_bound.low, shown),
            usd_at_least=max(usd_bound.low, usd),
            saturated=any(held.saturated for held in symbols),
            events_at_most=max(events_bound.high, shown) if isfinite(events_bound.high) else None,
            usd_at_most=max(usd_bound.high, usd) if isfinite(usd_bound.high) and not unsized else None,
        )

    def _bound(self, symbols: dict[_Key, _Symbol], told: dict[_Key, tuple[Behind, Behind] | None], now: int) -> _Bounds:
        every = list(symbols.values())
        shown, usd = sum(held.events for held in every), sum(held.usd for held in every)
        if any(held.unthrottled for held in every):
            return Band(shown, shown), Band(usd, usd)
        found = None
        if sum(gap.end - gap.start for gap in self._gaps) <= _GAPS:
            found = self._together(symbols, told, now) or self._behind(every, now)
        if found is None:
            return _alone(every)
        return found[0].band(shown), found[1].band(usd)

    def _together(
        self, symbols: dict[_Key, _Symbol], told: dict[_Key, tuple[Behind, Behind] | None], now: int
    ) -> tuple[Behind, Behind] | None:
        """Each symbol by itself where that can be, the others as one."""
        events = usd = NOTHING
        others = []
        for key, symbol in symbols.items():
            found = told.get(key)
            if found is None:
                others.append(symbol)
            else:
                events, usd = events + found[0], usd + found[1]
        if others:
            rest = self._behind(others, now)
            if rest is None:
                return None
            events, usd = events + rest[0], usd + rest[1]
        return events, usd

    def _behind(self, symbols: Sequence[_Symbol], now: int) -> tuple[Behind, Behind] | None:
        profile = Profile()
        for asset, side in dict.fromkeys((held.asset, held.side) for held in symbols):
            each = self._crowds.profile(asset, side, now)
            profile = each if len(symbols) == 1 else profile.merged(each)
        shown, usd = sum(held.events for held in symbols), sum(held.usd for held in symbols)
        return behind(shown, usd, profile, self._coverage.throttle)


class _Symbol:
    """One symbol, or one side of it: what was shown of it in the last hour."""

    def __init__(self, asset: str, side: Side | None, market: str, coverage: Coverage) -> None:
        self.asset, self.side, self.market = asset, side, market
        self._throttled = ThrottledSymbol(coverage.throttle, coverage.interval or 1.0, watermark=0.0)
        self._interval = round((coverage.interval or 1.0) * _SECOND)
        self._shown: deque[tuple[int, float | None]] = deque()
        self._blocks: deque[Estimate] = deque()
        self._same: dict[Side, tuple[int, int]] = {}
        """The interval of the last order of each side by the venue's time, and how many were shown in it."""
        self._impossible: int | None = None
        self.events = self.unsized = 0

    def update(self, event: Liquidation, ts: int) -> None:
        self._shown.append((ts, event.usd))
        self.events += 1
        self.unsized += event.usd is None
        self._blocks.extend(self._throttled.update(ts, event.usd))
        interval, count = self._same.get(event.side, (0, 0))
        now = event.ts_event // self._interval
        self._same[event.side] = now, count + 1 if interval == now else 1
        if self._same[event.side][1] >= _IMPOSSIBLE:
            self._impossible = ts

    def advance(self, now: int) -> None:
        self._blocks.extend(self._throttled.advance(now))
        while self._shown and self._shown[0][0] <= now - HOUR:
            _, usd = self._shown.popleft()
            self.events -= 1
            self.unsized -= usd is None
        while self._blocks and self._blocks[0].end <= now - HOUR:
            self._blocks.popleft()
        if self._impossible is not None and self._impossible <= now - HOUR:
            self._impossible = None

    def interrupt(self, reason: str) -> None:
        self._throttled.reset(reason)

    @property
    def usd(self) -> float:
        """Dollars shown, without those orders whose size is not known."""
        return sum(usd or 0.0 for _, usd in self._shown)

    @property
    def unthrottled(self) -> bool:
        """Whether it showed more than its throttle lets through: then nothing is known to be hidden."""
        return self._impossible is not None

    @property
    def saturated(self) -> bool:
        """Whether for some of the hour every interval was taken."""
        return any(block.saturated for block in self._blocks)

    def hidden(self) -> tuple[float, float, float]:
        """Orders and dollars that the shares of taken intervals tell of beyond those shown, and the orders' variance."""
        told = [block for block in self._blocks if not block.saturated]
        return (
            sum(block.events - block.shown_events for block in told),
            sum(block.usd - block.shown_usd for block in told),
            sum(block.error**2 for block in told),
        )


def _alone(symbols: Iterable[_Symbol]) -> _Bounds:
    """Where no complete venue tells: what the shares of taken intervals tell at least, and nothing from above."""
    events = usd = more = dollars = variance = 0.0
    for symbol in symbols:
        hidden, worth, uncertain = symbol.hidden()
        events, usd = events + symbol.events, usd + symbol.usd
        more, dollars, variance = more + hidden, dollars + worth, variance + uncertain
    sure = max(more - SIGMAS * sqrt(variance), 0.0)
    return Band(events + sure, inf), Band(usd + (dollars * sure / more if more else 0.0), inf)
