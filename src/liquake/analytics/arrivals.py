"""Events put in order of time before they are used by what cannot take them in another."""

from __future__ import annotations

from bisect import bisect_right, insort_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Generic, TypeVar

_SECOND = 1_000_000_000
_T = TypeVar("_T")
_time = itemgetter(0)


class Arrivals(Generic[_T]):
    """Holds events until nothing earlier can come any more: `watermark` seconds behind the newest.

    Later ones than that are taken as of the oldest moment still open, so that none is lost.
    """

    def __init__(self, watermark: float = 1.0) -> None:
        self._watermark = round(watermark * _SECOND)
        # Those before `_first` are gone. Taken off the list for each event, they would move all that are behind them.
        self._pending: list[tuple[int, _T]] = []
        self._first = 0
        self._settled: int | None = None

    def push(self, ts: int, item: _T) -> Sequence[tuple[int, _T]]:
        """Take `item` of time `ts`, UTC nanoseconds; gives the events that are now settled, in order."""
        pending = self._pending
        if self._settled is not None and ts < self._settled:
            ts = self._settled
        if not pending or ts >= pending[-1][0]:
            pending.append((ts, item))
        else:
            insort_right(pending, (ts, item), self._first, key=_time)
        return self.settle(pending[-1][0] - self._watermark)

    def settle(self, until: int) -> Sequence[tuple[int, _T]]:
        """The events up to `until`, in order, which is thereby closed: `ts` before it count as of then."""
        if self._settled is None or until > self._settled:
            self._settled = until
        pending, first = self._pending, self._first
        if not pending or pending[first][0] > until:
            return ()
        ready = first + 1
        while ready < len(pending) and pending[ready][0] <= until:
            ready += 1
        settled = pending[first:ready]
        if 2 * ready >= len(pending):
            del pending[:ready]
            ready = 0
        self._first = ready
        return settled

    def settle_all(self) -> Sequence[tuple[int, _T]]:
        """Every event held, in order."""
        return self.settle(self._pending[-1][0]) if self._pending else ()

    def pending(self, now: int) -> Sequence[tuple[int, _T]]:
        """The events up to `now` that are still held. Changes nothing."""
        return self._pending[self._first : bisect_right(self._pending, now, self._first, key=_time)]
