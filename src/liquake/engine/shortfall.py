"""What a throttled venue has left out of the last hour, at least."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from liquake.analytics.throttle import Estimate, ThrottledSymbol
from liquake.engine.snapshot import ALL, Understatement
from liquake.model import Throttle

_HOUR = 3600 * 1_000_000_000


class Shortfall:
    """One venue under a throttle `rule`: each of its symbols by itself, added up by market."""

    def __init__(self, venue: str, rule: Throttle, interval: float, markets: Sequence[str]) -> None:
        self.venue, self._rule, self._interval = venue, rule, interval or 1.0
        self._symbols: dict[str, tuple[str, ThrottledSymbol]] = {}
        self._blocks: dict[str, deque[Estimate]] = {market: deque() for market in markets}

    def update(self, symbol: str, market: str, ts: int, usd: float | None) -> None:
        """An order shown at `ts`, UTC nanoseconds, in order of time."""
        held = self._symbols.get(symbol)
        if held is None:
            held = self._symbols[symbol] = market, ThrottledSymbol(self._rule, self._interval, watermark=0.0)
        self._keep(market, held[1].update(ts, usd))

    def advance(self, now: int) -> None:
        """Let time pass to `now`, so that the blocks of silent symbols close."""
        for market, symbol in self._symbols.values():
            self._keep(market, symbol.advance(now))
        for blocks in self._blocks.values():
            while blocks and blocks[0].end <= now - _HOUR:
                blocks.popleft()

    def reset(self, reason: str) -> None:
        """After a gap: the blocks that are open were not wholly seen."""
        for _, symbol in self._symbols.values():
            symbol.reset(reason)

    def _keep(self, market: str, closed: Iterable[Estimate]) -> None:
        for estimate in closed:
            for name in (ALL, market):
                if name in self._blocks:
                    self._blocks[name].append(estimate)

    def value(self, now: int) -> list[Understatement]:
        """Of the blocks of the hour before `now` that are closed, by market."""
        found = []
        for market, blocks in self._blocks.items():
            held = [block for block in blocks if block.end > now - _HOUR]
            if held:
                found.append(
                    Understatement(
                        self.venue,
                        market,
                        sum(block.shown_events for block in held),
                        sum(block.shown_usd for block in held),
                        sum(block.events for block in held),
                        sum(block.usd for block in held),
                        any(block.saturated for block in held),
                    )
                )
        return found
