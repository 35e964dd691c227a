"""How many events of every kind come in."""

from __future__ import annotations

from collections import deque

_SLOT = 100_000_000
_SLOTS = 100


class Throughput:
    """Events per second over the last 10 s, counted in slots of 100 ms by our clock.

    `total` counts every event since the start.
    """

    __slots__ = ("_slots", "total")

    def __init__(self) -> None:
        self.total = 0
        self._slots: deque[list[int]] = deque(maxlen=_SLOTS)

    def update(self, time: int) -> None:
        """Count an event received at `time`, UTC nanoseconds; an older one than the newest counts with that."""
        self.total += 1
        slot = time // _SLOT
        if not self._slots or slot > self._slots[-1][0]:
            self._slots.append([slot, 1])
        else:
            self._slots[-1][1] += 1

    def value(self, now: int) -> float:
        """Events per second over the 10 s before `now`, UTC nanoseconds."""
        oldest = now // _SLOT - _SLOTS
        return sum(count for slot, count in self._slots if slot > oldest) / (_SLOTS * _SLOT / 1_000_000_000)
