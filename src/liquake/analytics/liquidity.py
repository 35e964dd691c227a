"""How easily a market absorbs an order: spread and size at the touch, against its own week."""

from __future__ import annotations

from math import exp, inf

from liquake.analytics.histogram import DecayedHistogram

_SECOND = 1_000_000_000


class Liquidity:
    """Of one venue's best bid and ask in one market.

    Both numbers are averages over time, not over quotes: a quote counts for as long as it stands, and a quiet book is
    not outvoted by a nervous second. Each is ranked in its own decayed history, since a tick size makes what is wide
    in one market narrow in another.
    """

    MEMORY = 30.0
    """Seconds of the average."""
    STALE = 10 * _SECOND
    """A quote that stands longer than this is not known to stand."""
    SAMPLES_PER_SECOND = 1.0 / 300.0
    """What a second is worth in the history: numbers five minutes apart are about independent."""

    def __init__(self) -> None:
        self.reset("new")
        self.spreads = DecayedHistogram()
        self.thinness = DecayedHistogram()

    def reset(self, reason: str) -> None:
        """Forget the present book, and keep `reason` to be shown. The history stays."""
        self.reason = reason
        self._ts: int | None = None
        self._seen = self._spread = self._depth = 0.0
        self._standing = (0.0, 0.0)

    def update(self, bid: float, bid_usd: float, ask: float, ask_usd: float, ts: int) -> None:
        """Take a quote of `ts`, UTC nanoseconds: prices, and what stands there in dollars. Late ones are ignored."""
        if not 0.0 < bid <= ask < inf or min(bid_usd, ask_usd) < 0.0 or (self._ts is not None and ts < self._ts):
            return
        self._seen, self._spread, self._depth = self._averages(ts)
        self._standing = ((ask - bid) / (0.5 * (ask + bid)), bid_usd + ask_usd)
        self._ts = ts

    def advance(self, ts: int, seconds: float = 1.0) -> None:
        """Enter what is true at `ts` into the history, for the `seconds` since the last time."""
        if (spread := self.spread(ts)) is not None:
            self.spreads.update(spread, ts, seconds * self.SAMPLES_PER_SECOND)
        if depth := self.depth(ts):
            self.thinness.update(1.0 / depth, ts, seconds * self.SAMPLES_PER_SECOND)

    def spread(self, now: int) -> float | None:
        """Ask less bid as a share of the price; `None` without a fresh quote."""
        seen, spread, _ = self._averages(now)
        return spread / seen if self._fresh(now) and seen else None

    def depth(self, now: int) -> float | None:
        """Dollars at the best bid and ask together; `None` without a fresh quote."""
        seen, _, depth = self._averages(now)
        return depth / seen if self._fresh(now) and seen else None

    def stress(self, now: int) -> float | None:
        """The rank (0 to 1) of the spread or of the thinness in the market's own week, whichever is higher."""
        spread, depth = self.spread(now), self.depth(now)
        if spread is None or depth is None:
            return None
        return max(self.spreads.rank(spread), self.thinness.rank(1.0 / depth) if depth > 0.0 else 1.0)

    def _fresh(self, now: int) -> bool:
        return self._ts is not None and now - self._ts <= self.STALE

    def _averages(self, now: int) -> tuple[float, float, float]:
        """Weight, spread and depth, with the standing quote counted until `now`, at most as long as it is fresh."""
        if self._ts is None:
            return 0.0, 0.0, 0.0
        stood = max(now - self._ts, 0)
        fading = exp(-stood / _SECOND / self.MEMORY)
        since_stale = exp(-max(stood - self.STALE, 0) / _SECOND / self.MEMORY)
        counted = since_stale - fading
        spread, depth = self._standing
        return (
            self._seen * fading + counted,
            self._spread * fading + counted * spread,
            self._depth * fading + counted * depth,
        )
