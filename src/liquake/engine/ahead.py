"""A stream's events that are not settled but have been read."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

from liquake.analytics.kinematics import Kinematics
from liquake.analytics.windows import Trailing, Windows

_TRIMMED = 1024


class Ahead:
    """What the settled `windows` and `kinematics` of a stream lack, so that each read goes on where the last one was.

    Without it every read would go through all that is unsettled. What comes before an event that is in here makes it
    void: start another.
    """

    __slots__ = ("_applied", "_moving", "_settled", "_sums", "_times", "_usd")

    def __init__(self, windows: Windows) -> None:
        self._times, self._usd = array("q"), array("d")
        # As the windows will go on with their own sum: what a read gives is the same however often one has been.
        self._sums = array("d", [windows.usd])
        self._settled = self._applied = 0
        """How many of the first are in the windows by now, and how many in `_moving`."""
        self._moving: Kinematics | None = None

    def add(self, time: int, usd: float) -> None:
        """Take in an event of `usd` dollars at `time`, UTC nanoseconds, not before those that are here."""
        self._times.append(time)
        self._usd.append(usd)
        self._sums.append(self._sums[-1] + usd)

    def settle(self) -> bool:
        """The first of them has gone into windows and kinematics. Whether any is left."""
        self._settled += 1
        if self._settled == _TRIMMED:
            del self._times[:_TRIMMED], self._usd[:_TRIMMED], self._sums[:_TRIMMED]
            self._settled, self._applied = 0, self._applied - _TRIMMED
        return self._settled < len(self._times)

    def kinematics(self, settled: Kinematics) -> Kinematics:
        """`settled` with everything in here. Not to be changed."""
        moving = self._moving
        if moving is None or self._applied < self._settled:
            moving = self._moving = settled.copy()
            self._applied = self._settled
        for place in range(self._applied, len(self._times)):
            moving.update(self._times[place], self._usd[place])
        self._applied = len(self._times)
        return moving

    def trailing(self, now: int, widths: Sequence[int]) -> list[Trailing]:
        """As of `Windows`, of what these lack; `now` is not before the last event."""
        times, sums, settled, end = self._times, self._sums, self._settled, len(self._times)
        found = []
        for width in widths:
            first = bisect_right(times, now - width, settled)
            second = bisect_right(times, now - 2 * width, settled, first)
            third = bisect_right(times, now - 3 * width, settled, second)
            found.append((end - first, first - second, second - third, sums[end] - sums[first]))
        return found

    def __len__(self) -> int:
        return len(self._times)
