"""Liquidations that wait until nothing earlier can come."""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush

from liquake.engine.stream import Stream

Waiting = tuple[int, int, float, Stream]
"""Engine time, arrival (so that no two are equal), dollars, market."""


class Unsettled:
    """Events after the frontier, and which of them each market, and `everything`, has been read with."""

    __slots__ = ("_everything", "_read", "_waiting")

    def __init__(self, everything: Stream) -> None:
        self._everything = everything
        self._waiting: list[Waiting] = []
        self._read: deque[Waiting] = deque()
        """The first of all, in order: what the streams have been read with."""

    def push(self, event: Waiting) -> None:
        """Let `event` wait."""
        if self._read and event < self._read[-1]:
            self._unread()
        heappush(self._waiting, event)

    def pop(self, frontier: int) -> Waiting | None:
        """Give away the first of those up to `frontier`, UTC nanoseconds; `None` if there is none.

        Tell the streams by `overtake`, once it is in them.
        """
        read, waiting = self._read, self._waiting
        if read:
            return read.popleft() if read[0][0] <= frontier else None
        return heappop(waiting) if waiting and waiting[0][0] <= frontier else None

    def read(self, as_of: int) -> None:
        """Have the streams hold, beside what is settled, the events up to `as_of` and no others."""
        if self._read and self._read[-1][0] > as_of:
            self._unread()
        waiting = self._waiting
        while waiting and waiting[0][0] <= as_of:
            event = heappop(waiting)
            self._read.append(event)
            time, _, usd, stream = event
            stream.foresee(time, usd)
            self._everything.foresee(time, usd)

    def _unread(self) -> None:
        self._everything.ahead = None
        for *_, stream in self._read:
            stream.ahead = None
        self._waiting += self._read
        self._read.clear()
        heapify(self._waiting)

    def in_order(self) -> list[Waiting]:
        """All of them. Changes nothing."""
        return [*self._read, *sorted(self._waiting)]
