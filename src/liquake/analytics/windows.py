"""Exact counts and dollars of trailing windows."""

from __future__ import annotations

from array import array
from bisect import bisect_right

HORIZON = 180 * 1_000_000_000
"""Nanoseconds for which events are held: three adjacent windows of 60 s."""


class Windows:
    """The events of the last `HORIZON`, in order of time, with the running sum of their dollars.

    A window is two positions found by bisection, so that reading changes nothing and costs O(log n). An update is an
    append; an event that comes late is inserted at its place, which moves those after it.

    >>> windows = Windows()
    >>> for second in (1, 2, 3):
    ...     windows.update(second * 1_000_000_000, 100.0)
    >>> windows.value(3_000_000_000, 2_000_000_000)
    (2, 200.0)
    """

    __slots__ = ("_sums", "_times", "reset_reason")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every event. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._times = array("q")
        # Dollars before each event, and after the last: one longer than `_times`.
        self._sums = array("d", [0.0])

    def update(self, time: int, usd: float) -> None:
        """Add an event of `usd` dollars at `time`, UTC nanoseconds. One older than `HORIZON` is in no window."""
        times, sums = self._times, self._sums
        if times and time < times[-1]:
            if time > times[-1] - HORIZON:
                self._insert(time, usd)
            return
        times.append(time)
        sums.append(sums[-1] + usd)
        if times[0] < time - 2 * HORIZON:
            # Amortised: at most once per HORIZON of event time.
            expired = bisect_right(times, time - HORIZON)
            del times[:expired], sums[:expired]

    def _insert(self, time: int, usd: float) -> None:
        place = bisect_right(self._times, time)
        self._times.insert(place, time)
        tail = self._sums[place:]
        self._sums[place + 1 :] = array("d", [before + usd for before in tail])

    def value(self, now: int, window: int) -> tuple[int, float]:
        """Events and dollars with an age at `now` of at least zero and under `window` nanoseconds."""
        first, end = bisect_right(self._times, now - window), bisect_right(self._times, now)
        return end - first, self._sums[end] - self._sums[first]

    def adjacent(self, now: int, window: int) -> tuple[int, int, int]:
        """Events of three windows side by side, the newest first."""
        ends = [bisect_right(self._times, now - k * window) for k in range(4)]
        return ends[0] - ends[1], ends[1] - ends[2], ends[2] - ends[3]

    def copy(self) -> Windows:
        """One that goes on from here by itself."""
        other = Windows()
        other.reset_reason, other._times, other._sums = self.reset_reason, self._times[:], self._sums[:]
        return other

    def __len__(self) -> int:
        return len(self._times)

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self._times.tolist(), self._sums.tolist()
