"""Exact counts and dollars of trailing windows."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

HORIZON = 180 * 1_000_000_000
"""Nanoseconds for which events are held: three adjacent windows of 60 s."""

Trailing = tuple[int, int, int, float]
"""Events of three windows of one width side by side, the newest first, and the dollars of the newest."""
_EMPTY = 0, 0, 0, 0.0


class _Line:
    """Events in order of time, with the running sum of their dollars."""

    __slots__ = ("sums", "times")

    def __init__(self) -> None:
        self.times = array("q")
        # Dollars before each event, and after the last: one longer than `times`.
        self.sums = array("d", [0.0])

    def insert(self, time: int, usd: float) -> None:
        times, sums = self.times, self.sums
        place = bisect_right(times, time)
        times.insert(place, time)
        sums.insert(place, sums[place])
        sums[place + 1 :] = array("d", [before + usd for before in sums[place + 1 :]])

    def forget(self, until: int) -> None:
        expired = bisect_right(self.times, until)
        del self.times[:expired], self.sums[:expired]

    def added(self, counted: Trailing, end: int, now: int, width: int) -> Trailing:
        """`counted` and what is here up to the place `end`, where `now` is."""
        newest, middle, oldest, usd = counted
        first, second, third = (bisect_right(self.times, now - k * width) for k in (1, 2, 3))
        usd += self.sums[end] - self.sums[first]
        return newest + end - first, middle + first - second, oldest + second - third, usd

    def copy(self) -> _Line:
        other = _Line()
        other.times, other.sums = self.times[:], self.sums[:]
        return other


class Windows:
    """The events of the last `HORIZON`, in order of time, with the running sums of their dollars.

    A window is two positions found by bisection, so that reading changes nothing and costs O(log n). An update is an
    append. Events that come late have a line of their own, into which they are inserted: so they move those after them
    that were late too, and not all that has come, of which there is far more.

    >>> windows = Windows()
    >>> for second in (1, 2, 3):
    ...     windows.update(second * 1_000_000_000, 100.0)
    >>> windows.value(3_000_000_000, 2_000_000_000)
    (2, 200.0)
    """

    __slots__ = ("_late", "_sums", "_times", "_trim_after", "events", "newest", "reset_reason", "usd")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every event. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self.events = 0
        """Added since the start, those in no window any more too."""
        self.usd = 0.0
        """Dollars of `events`."""
        self.newest = -(1 << 62)
        self._times = array("q")
        # As those of a line.
        self._sums = array("d", [0.0])
        self._late = _Line()
        self._trim_after = HORIZON

    def update(self, time: int, usd: float) -> None:
        """Add an event of `usd` dollars at `time`, UTC nanoseconds. One older than `HORIZON` is in no window."""
        self.events += 1
        self.usd += usd
        if time < self.newest:
            if time > self.newest - HORIZON:
                self._late.insert(time, usd)
            return
        self.newest = time
        self._times.append(time)
        self._sums.append(self._sums[-1] + usd)
        if time > self._trim_after:
            self._trim(time)

    def _trim(self, time: int) -> None:
        # Once per HORIZON of event time, so that the work of moving what stays is spread over as many appends.
        expired = bisect_right(self._times, time - HORIZON)
        del self._times[:expired], self._sums[:expired]
        self._late.forget(time - HORIZON)
        self._trim_after = time + HORIZON

    def value(self, now: int, window: int) -> tuple[int, float]:
        """Events and dollars with an age at `now` of at least zero and under `window` nanoseconds."""
        if self.newest <= now - window:
            return 0, 0.0
        first, end = bisect_right(self._times, now - window), bisect_right(self._times, now)
        events, usd = end - first, self._sums[end] - self._sums[first]
        if late := self._late.times:
            first, end = bisect_right(late, now - window), bisect_right(late, now)
            events, usd = events + end - first, usd + self._late.sums[end] - self._late.sums[first]
        return events, usd

    def trailing(self, now: int, widths: Sequence[int]) -> list[Trailing]:
        """Of each of `widths` (nanoseconds) three windows side by side, the newest ending at `now`."""
        times, sums, late, newest = self._times, self._sums, self._late, self.newest
        end, late_end = bisect_right(times, now), bisect_right(late.times, now)
        found = []
        for width in widths:
            if newest <= now - 3 * width:
                found.append(_EMPTY)
                continue
            first = bisect_right(times, now - width, 0, end)
            second = bisect_right(times, now - 2 * width, 0, first)
            third = bisect_right(times, now - 3 * width, 0, second)
            counted = end - first, first - second, second - third, sums[end] - sums[first]
            found.append(counted if not late_end else late.added(counted, late_end, now, width))
        return found

    def copy(self) -> Windows:
        """One that goes on from here by itself."""
        other = Windows()
        other.events, other.usd, other.newest = self.events, self.usd, self.newest
        other._times, other._sums, other._late = self._times[:], self._sums[:], self._late.copy()
        other._trim_after = self._trim_after
        return other

    def __len__(self) -> int:
        return len(self._times) + len(self._late.times)

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        late = self._late
        lines = self._times.tolist(), self._sums.tolist(), late.times.tolist(), late.sums.tolist()
        return self.events, self.usd, lines
