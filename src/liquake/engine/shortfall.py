"""What a throttled venue has left out of the last hour, at least."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from liquake.analytics.throttle import Estimate, ThrottledSymbol
from liquake.engine.snapshot import ALL, Understatement
from liquake.model import Coverage, Side

_HOUR = 3600 * 1_000_000_000


class Shortfall:
    """One venue under a throttle: each of its symbols by itself, added up by market.

    Where each side of a symbol has a throttle of its own, so it is measured: two prints of one interval, taken for two
    intervals, would make more of them than there was.
    """

    def __init__(self, venue: str, coverage: Coverage, markets: Sequence[str]) -> None:
        self.venue, self._rule, self._interval = venue, coverage.throttle, coverage.interval or 1.0
        self._per_side = coverage.per_side
        self._symbols: dict[tuple[str, Side | None], tuple[str, ThrottledSymbol]] = {}
        self._sums = {market: _Sums() for market in markets}

    def update(self, symbol: str, side: Side, market: str, ts: int, usd: float | None) -> None:
        """An order shown at `ts`, UTC nanoseconds, in order of time."""
        throttled = symbol, side if self._per_side else None
        held = self._symbols.get(throttled)
        if held is None:
            held = self._symbols[throttled] = market, ThrottledSymbol(self._rule, self._interval, watermark=0.0)
        self._keep(market, held[1].update(ts, usd))

    def advance(self, now: int) -> None:
        """Let time pass to `now`, so that the blocks of silent symbols close."""
        for market, symbol in self._symbols.values():
            self._keep(market, symbol.advance(now))
        for sums in self._sums.values():
            sums.forget(now - _HOUR)

    def reset(self, reason: str) -> None:
        """After a gap: the blocks that are open were not wholly seen."""
        for _, symbol in self._symbols.values():
            symbol.reset(reason)

    def _keep(self, market: str, closed: Iterable[Estimate]) -> None:
        for estimate in closed:
            for name in (ALL, market):
                if name in self._sums:
                    self._sums[name].add(estimate)

    def value(self) -> list[Understatement]:
        """Of the blocks of the last hour that are closed, by market, as of the last `advance`."""
        return [sums.value(self.venue, market) for market, sums in self._sums.items() if sums.blocks]


class _Sums:
    """The blocks of an hour, added up: there are thousands of them."""

    def __init__(self) -> None:
        self.blocks: deque[Estimate] = deque()
        self._clear()

    def _clear(self) -> None:
        self._shown_events = self._saturated = 0
        self._shown_usd = self._events = self._usd = 0.0

    def add(self, block: Estimate) -> None:
        self.blocks.append(block)
        self._count(block, 1)

    def forget(self, until: int) -> None:
        while self.blocks and self.blocks[0].end <= until:
            self._count(self.blocks.popleft(), -1)
        if not self.blocks:
            # Taking off one by one leaves a rounding error: nothing left is exactly nothing.
            self._clear()

    def _count(self, block: Estimate, sign: int) -> None:
        self._shown_events += sign * block.shown_events
        self._shown_usd += sign * block.shown_usd
        self._events += sign * block.events
        self._usd += sign * block.usd
        self._saturated += sign * block.saturated

    def value(self, venue: str, market: str) -> Understatement:
        return Understatement(
            venue, market, self._shown_events, self._shown_usd, self._events, self._usd, self._saturated > 0
        )
