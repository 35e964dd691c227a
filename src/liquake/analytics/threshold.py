"""The measure of a stream: what counts as a cascade in it, and how often events come, from its own last week."""

from __future__ import annotations

from collections import deque
from math import exp, floor, log

_DAYS = 7
_DAY = 86400
_RATIO = log(1.02)


class Threshold:
    """`usd`: the q quantile of X_H over the last seven full UTC days on a 1 s grid, and at least `floor_usd`.

    X_H is the sum of dollars over the H seconds before each second. Frozen per UTC day, so that a cascade cannot raise
    its own bar. `rate`: events per second over the same days. While fewer than seven days are known, each missing one
    stands for the initial value (in the mean of logarithms): one quiet Sunday does not set the bar. Days so quiet that
    either would be zero change nothing. Histogram buckets are 2 % wide. Times are in seconds, ascending; a late event
    counts from when it came.
    """

    def __init__(self, initial: float, rate: float, horizon: float, quantile: float, floor_usd: float = 0.0) -> None:
        self._horizon, self._quantile, self._floor = horizon, quantile, floor_usd
        self.usd, self.rate = max(initial, floor_usd), rate
        self._initial = initial, rate
        self._days: deque[tuple[int, dict[int, int]]] = deque(maxlen=_DAYS)
        self._today: dict[int, int] = {}
        self._events = 0
        self._recent: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._now: int | None = None
        self._whole = False

    @property
    def own(self) -> float:
        """0 to 1: how far `usd` and `rate` are the stream's own."""
        return len(self._days) / _DAYS

    def update(self, ts: float, usd: float, events: int = 1) -> None:
        """An event at `ts`, or several in the second that ends there, of which `usd` count towards a cascade."""
        self.advance(ts)
        self._events += events
        if usd > 0.0:
            self._recent.append((max(ts, float(self._now or 0)), usd))
            self._sum += usd

    def advance(self, now: float) -> None:
        """Count every whole second up to `now`. Amortised O(1) per event and per day boundary."""
        second = floor(now)
        if self._now is None:
            self._now = second
        while self._now < second:
            self._now = self._stretch(second)

    def reset(self) -> None:
        """The feed was interrupted: today does not count as a full day, and the open window is dropped."""
        self._recent.clear()
        self._sum = 0.0
        self._whole = False
        self._now = None

    def _stretch(self, until: int) -> int:
        """Count the seconds over which the sum cannot change, and return where that ends."""
        start = self._now or 0
        while self._recent and self._recent[0][0] <= start - self._horizon:
            self._sum -= self._recent.popleft()[1]
        if not self._recent:
            self._sum = 0.0
        midnight = (start // _DAY + 1) * _DAY
        end = min(until, midnight)
        if self._recent:
            end = min(end, max(start + 1, floor(self._recent[0][0] + self._horizon)))
        bucket = floor(log(self._sum) / _RATIO) if self._sum > 1.0 else -1
        self._today[bucket] = self._today.get(bucket, 0) + end - start
        if end == midnight:
            self._close_day()
        return end

    def _close_day(self) -> None:
        if self._whole:
            self._days.append((self._events, self._today))
            usd, rate = self._initial
            self.usd = max(self._floor, self._blend(self._read(), usd))
            self.rate = self._blend(sum(events for events, _ in self._days) / (len(self._days) * _DAY), rate)
        self._today, self._events, self._whole = {}, 0, True

    def _blend(self, own: float, initial: float) -> float:
        return float(own**self.own * initial ** (1.0 - self.own)) if own > 0.0 else initial

    def _read(self) -> float:
        merged: dict[int, int] = {}
        for _, day in self._days:
            for bucket, seconds in day.items():
                merged[bucket] = merged.get(bucket, 0) + seconds
        rank = self._quantile * sum(merged.values())
        for bucket in sorted(merged):
            rank -= merged[bucket]
            if rank <= 0.0:
                return exp((bucket + 0.5) * _RATIO) if bucket >= 0 else 0.0
        raise AssertionError("the quantile lies within the counts")
