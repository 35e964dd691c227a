"""How a price moves: volatility that one jump cannot inflate, trend, speed of a run, change over a day.

All from one-minute bars of the last price. Bars without a price repeat the last: a market that stands still has no
volatility. Prices older than the newest are ignored.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from itertools import islice, pairwise
from math import exp, inf, log, pi, sqrt

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
MINUTES_PER_DAY = 1440


class Trend(StrEnum):
    """Where the price goes."""

    STRONG_DOWN = "STRONG DOWN"
    DOWN = "DOWN"
    FLAT = "FLAT"
    UP = "UP"
    STRONG_UP = "STRONG UP"


def trend_word(trend: float) -> Trend:
    """The word for a `trend` in standard deviations: FLAT under 1, STRONG from 2.

    >>> [str(trend_word(value)) for value in (-2.0, -1.0, 0.9, 1.5, 3.0)]
    ['STRONG DOWN', 'DOWN', 'FLAT', 'UP', 'STRONG UP']
    """
    if abs(trend) < 1.0:
        return Trend.FLAT
    if trend > 0.0:
        return Trend.STRONG_UP if trend >= 2.0 else Trend.UP
    return Trend.STRONG_DOWN if trend <= -2.0 else Trend.DOWN


class PriceMotion:
    """The motion of one market's price."""

    BARS = 30
    """Minutes of volatility."""
    LEAST_BARS = 5
    """Minutes before anything is said."""
    RUN_BARS = 15
    """Minutes in which a run may have begun."""
    TREND_SHARE = 0.1
    """Weight of the newest minute in the average return: a memory of ten minutes."""

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget every bar, and keep `reason` to be shown: after a gap the first return would be a false jump."""
        self.reason = reason
        self.price: float | None = None
        self._ts = 0
        self._closes: deque[float] = deque(maxlen=MINUTES_PER_DAY + 1)
        self._average = 0.0
        self._bars = 0

    def update(self, price: float, ts: int) -> None:
        """Take `price` of `ts`, UTC nanoseconds; one that is not positive and finite is ignored."""
        if not 0.0 < price < inf or ts < self._ts:
            return
        if self.price is not None:
            self._close(ts // _MINUTE - self._ts // _MINUTE)
        self.price, self._ts = price, ts

    def volatility(self) -> float | None:
        """Standard deviation of the log return over a day at the pace of the last half hour.

        By bipower variation (Barndorff-Nielsen and Shephard 2004, J. Financial Econometrics 2:1): products of
        neighbouring absolute returns, so that a single jump, which has no neighbour as large, hardly counts.
        """
        per_minute = self._per_minute()
        return None if per_minute is None else per_minute * sqrt(MINUTES_PER_DAY)

    def trend(self) -> float | None:
        """The average return of the last minutes, in standard deviations of what chance gives; signed."""
        per_minute = self._per_minute()
        if per_minute is None:
            return None
        if per_minute == 0.0:
            return 0.0
        # The squared weights of an average that was started from nothing add up to less for a while.
        squares = self.TREND_SHARE / (2.0 - self.TREND_SHARE) * (1.0 - (1.0 - self.TREND_SHARE) ** (2 * self._bars))
        return self._average / (per_minute * sqrt(squares))

    def run(self) -> float | None:
        """Log return per minute of the present run: from the highest or the lowest close of the last minutes.

        In either direction, whichever is faster: a fall liquidates longs, a rise shorts.
        """
        if self.price is None or len(self._closes) < self.LEAST_BARS:
            return None
        now, recent = log(self.price), list(islice(reversed(self._closes), self.RUN_BARS))
        highest, lowest = max(recent), min(recent)
        fall = (highest - now) / (recent.index(highest) + 1)
        rise = (now - lowest) / (recent.index(lowest) + 1)
        return max(fall, rise, 0.0)

    def change(self) -> tuple[float, int] | None:
        """Relative change of the price over the last day, or as much of it as was seen, and that span in minutes."""
        if self.price is None or not self._closes:
            return None
        minutes = min(len(self._closes), MINUTES_PER_DAY)
        return self.price / exp(self._closes[-minutes]) - 1.0, minutes

    def _close(self, minutes: int) -> None:
        assert self.price is not None
        close = log(self.price)
        for _ in range(min(minutes, MINUTES_PER_DAY + 1)):
            if self._closes:
                self._average += self.TREND_SHARE * (close - self._closes[-1] - self._average)
                self._bars += 1
            self._closes.append(close)

    def _per_minute(self) -> float | None:
        """Standard deviation of a one-minute log return."""
        if len(self._closes) <= self.LEAST_BARS:
            return None
        recent = list(islice(reversed(self._closes), self.BARS + 1))
        returns = [abs(newer - older) for newer, older in pairwise(recent)]
        products = [one * other for one, other in pairwise(returns)]
        return sqrt(pi / 2.0 * sum(products) / len(products))
