"""The latest liquidations, and the largest."""

from __future__ import annotations

from collections import deque
from heapq import heappush, heapreplace, nlargest

from liquake.model import Liquidation

TAPE_LENGTH = 200
LARGEST_KEPT = 20
"""Of the last hour."""
SESSION_LARGEST_KEPT = 10

_MINUTE = 60 * 1_000_000_000
_MINUTES = 60

_Ranked = tuple[float, int, Liquidation]
"""Dollars, then the earlier arrival (as a negative number), so that no two are equal."""


def _keep(heap: list[_Ranked], ranked: _Ranked, most: int) -> bool:
    if len(heap) < most:
        heappush(heap, ranked)
        return True
    if ranked[0] <= heap[0][0]:
        return False
    heapreplace(heap, ranked)
    return True


class Tape:
    """Liquidations worth showing: the latest in order of arrival, the largest of the hour and of the session."""

    def __init__(self) -> None:
        self._latest: deque[Liquidation] = deque(maxlen=TAPE_LENGTH)
        self.shown = 0
        """Put on the tape since the start."""
        self._arrived = 0
        self._session: list[_Ranked] = []
        # Any of the hour's largest is among the largest of its own minute.
        self._minutes: dict[int, list[_Ranked]] = {}
        self._newest = 0

    def show(self, liquidation: Liquidation) -> None:
        """Put it on the tape, whatever it counts for."""
        self.shown += 1
        self._latest.append(liquidation)

    def rank(self, liquidation: Liquidation, time: int, usd: float) -> None:
        """Let it compete for the largest. `time` is its engine time, `usd` its known dollars."""
        self._arrived += 1
        minute = -(-time // _MINUTE)
        heap = self._minutes.get(minute)
        if heap is None:
            heap = self._open(minute)
        ranked = (usd, -self._arrived, liquidation)
        # What is not among the largest of its minute is not among those of the session, which keeps fewer.
        if _keep(heap, ranked, LARGEST_KEPT):
            _keep(self._session, ranked, SESSION_LARGEST_KEPT)

    def _open(self, minute: int) -> list[_Ranked]:
        if minute > self._newest:
            self._newest = minute
            for old in [held for held in self._minutes if held < minute - _MINUTES]:
                del self._minutes[old]
        heap: list[_Ranked] = []
        if minute >= self._newest - _MINUTES:
            self._minutes[minute] = heap
        return heap

    def latest(self) -> tuple[Liquidation, ...]:
        """The newest last."""
        return tuple(self._latest)

    def largest(self, now: int) -> tuple[Liquidation, ...]:
        """The largest of the hour before `now`, the largest first. The hour's trailing edge moves by the minute."""
        oldest = now // _MINUTE - _MINUTES + 1
        held = (ranked for minute, heap in self._minutes.items() if minute >= oldest for ranked in heap)
        return tuple(liquidation for _, _, liquidation in nlargest(LARGEST_KEPT, held))

    def session_largest(self) -> tuple[Liquidation, ...]:
        """The largest since the start, the largest first."""
        return tuple(liquidation for _, _, liquidation in sorted(self._session, reverse=True))
