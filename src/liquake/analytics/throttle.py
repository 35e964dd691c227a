"""What a feed that shows one order per symbol and second leaves out, at least.

Within a second orders arrive by chance, so the share p of seconds that show one gives their rate: -ln(1 - p). The same
holds for orders above any size x: -ln(1 - p_x) is the rate of orders larger than x when the largest is shown, whatever
the sizes are, and the dollars per second are the integral of that over x. When the latest is shown it is a random
one, and the dollars are the rate times the mean shown. Mistaking one rule for the other overstates dollars fourfold.

Where the rate varies within the block that is measured, all of these come out low (Jensen), and a feed whose every
second is taken tells no more than "at least so much". They are lower bounds: show them as ">= x", and never add them
to what a complete venue says. Probabilities are scored on published dollars, which anyone can check.

Sources of the rules: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Liquidation-Order-Streams
and https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import expm1, inf, log, log1p, sqrt
from typing import NamedTuple

from liquake.analytics.arrivals import Arrivals
from liquake.model import Throttle

_SECOND = 1_000_000_000
BLOCK = 30
"""Intervals that are measured together: as few as tell one rate from another."""
SATURATED = 0.97
"""Share of taken intervals from which only "at least" can be said of the number of orders."""


class Estimate(NamedTuple):
    """Of one symbol over one block: what was shown, and at least how much there was."""

    start: int
    end: int
    """UTC nanoseconds."""
    shown_events: int
    shown_usd: float
    events: float
    error: float
    """Standard error of `events`; infinite when saturated."""
    usd: float
    saturated: bool

    @property
    def events_factor(self) -> float:
        """By how much to multiply what was shown, of each side alike: the throttle does not know sides."""
        return self.events / self.shown_events if self.shown_events else 1.0

    @property
    def usd_factor(self) -> float:
        """The same for dollars."""
        return self.usd / self.shown_usd if self.shown_usd else 1.0


def rate_behind(share: float) -> float:
    """Orders per interval where a `share` (0 to 1) of intervals shows one.

    >>> round(rate_behind(0.632), 3)
    1.0
    """
    return -log1p(-share) if share < 1.0 else inf


def orders_per_print(rate: float) -> float:
    """How many orders stand behind each one shown, at `rate` per interval.

    >>> round(orders_per_print(1.0), 3), orders_per_print(0.0)
    (1.582, 1.0)
    """
    return rate / -expm1(-rate) if rate > 0.0 else 1.0


class ThrottledSymbol:
    """One symbol of a venue whose feed follows `rule`, one order per `interval` seconds.

    Blocks close `watermark` seconds late, so the order of arrival within that does not matter.
    """

    def __init__(self, rule: Throttle, interval: float = 1.0, watermark: float = 1.0) -> None:
        self.rule = rule
        self._interval = round(interval * _SECOND)
        self._block = BLOCK * self._interval
        self._watermark = round(watermark * _SECOND)
        self._arrivals: Arrivals[float | None] = Arrivals(watermark)
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Drop the open block, part of which a gap has eaten, and keep `reason` to be shown."""
        self.reason = reason
        self._arrivals.settle_all()
        self._prints: list[tuple[int, float | None]] = []

    def update(self, ts: int, usd: float | None) -> list[Estimate]:
        """Take an order shown at `ts`, UTC nanoseconds; gives the blocks that closed. `usd` may be unknown."""
        closed: list[Estimate] = []
        for settled, dollars in self._arrivals.push(ts, usd):
            self._admit(settled, dollars, closed)
        return closed

    def advance(self, now: int) -> list[Estimate]:
        """Let time pass to `now`; gives the blocks that closed."""
        closed: list[Estimate] = []
        until = now - self._watermark
        for settled, dollars in self._arrivals.settle(until):
            self._admit(settled, dollars, closed)
        self._close(until, closed)
        return closed

    def value(self, now: int) -> Estimate | None:
        """Of the block that is open at `now`, as if the rest of it stayed silent; `None` before the first order."""
        shown = [*self._prints, *self._arrivals.pending(now)]
        if not shown:
            return None
        start = shown[0][0] // self._block * self._block
        return self._estimate([one for one in shown if one[0] < start + self._block], start)

    def _admit(self, ts: int, usd: float | None, closed: list[Estimate]) -> None:
        self._close(ts, closed)
        self._prints.append((ts, usd))

    def _close(self, until: int, closed: list[Estimate]) -> None:
        if not self._prints:
            return
        start = self._prints[0][0] // self._block * self._block
        if until >= start + self._block:
            closed.append(self._estimate(self._prints, start))
            self._prints = []

    def _estimate(self, prints: Sequence[tuple[int, float | None]], start: int) -> Estimate:
        sizes = [usd for _, usd in prints if usd is not None]
        taken = len({ts // self._interval for ts, _ in prints})
        if self.rule is Throttle.NONE:
            return Estimate(
                start, start + self._block, len(prints), sum(sizes), float(len(prints)), 0.0, sum(sizes), False
            )
        saturated = taken > SATURATED * BLOCK
        # Two in one interval (the venue's second is not ours) can make what was shown more than the estimate.
        events = max(_orders(taken), float(len(prints)))
        usd = max(_DOLLARS[self.rule](sizes, events), sum(sizes))
        error = inf if saturated else sqrt(BLOCK * taken / (BLOCK - taken))
        return Estimate(start, start + self._block, len(prints), sum(sizes), events, error, usd, saturated)


def _orders(taken: int) -> float:
    """Orders in a block of which `taken` intervals show one: the logarithm of a share, with its bias taken off."""
    return BLOCK * log((BLOCK + 0.5) / (BLOCK - min(taken, BLOCK) + 0.5))


def _of_latest(sizes: Sequence[float], events: float) -> float:
    return events * sum(sizes) / len(sizes) if sizes else 0.0


def _of_largest(sizes: Sequence[float], events: float) -> float:
    """The integral over x of the rate of orders above x."""
    del events
    falling = [*sorted(sizes, reverse=True), 0.0]
    return sum((larger - next_) * _orders(above) for above, (larger, next_) in enumerate(pairwise(falling), 1))


_DOLLARS: dict[Throttle, Callable[[Sequence[float], float], float]] = {
    Throttle.LATEST: _of_latest,
    Throttle.LARGEST: _of_largest,
}


class RuleCheck:
    """Which rule a feed follows in fact: under "largest" prints grow with the rate, under "latest" they do not.

    The slope of log size on the orders estimated in the block, by least squares over every block with at least two.
    """

    LEAST_BLOCKS = 50

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Start again, and keep `reason` to be shown."""
        self.reason = reason
        self._blocks = 0
        self._x = self._y = self._xx = self._xy = self._yy = 0.0

    def update(self, mean_log_usd: float, taken: int) -> None:
        """Take a block: the mean of the logarithms of its dollars, and the intervals that showed an order."""
        if taken < 2:
            return
        x, y = log(_orders(taken)), mean_log_usd
        self._blocks += 1
        # Running means and products about them (Welford 1962, Technometrics 4:419).
        dx, dy = x - self._x, y - self._y
        self._x += dx / self._blocks
        self._y += dy / self._blocks
        self._xx += dx * (x - self._x)
        self._xy += dx * (y - self._y)
        self._yy += dy * (y - self._y)

    def value(self) -> tuple[float, float] | None:
        """The slope and its standard error; `None` before there are enough blocks of different rates."""
        if self._blocks < self.LEAST_BLOCKS or self._xx <= 0.0:
            return None
        slope = self._xy / self._xx
        rest = max(self._yy - slope * self._xy, 0.0) / (self._blocks - 2)
        return slope, sqrt(rest / self._xx)
