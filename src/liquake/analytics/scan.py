"""Is there a burst, of whatever length? A scan over every window at once.

For each start s the events since are compared with those expected: 2 [n ln(n/mu) - (n - mu)]. The best start lies on
the lower convex hull of the points (expected so far, events so far), so only its vertices are kept: Poisson-FOCuS,
Ward, Dilillo, Eckley and Fearnhead 2023, JASA, arXiv:2208.01494. About eight vertices are held however long the
stream; each event enters and leaves the hull once.

Time is measured in events expected, by a slow average of the rate, or by a Hawkes intensity: the scan then asks for
more than self-excitation explains.
"""

from __future__ import annotations

from math import log, sqrt
from typing import NamedTuple

from liquake.analytics.arrivals import Arrivals
from liquake.analytics.reference import ReferenceRate

_SECOND = 1_000_000_000
LEAST_EXPECTED = 0.1
"""Events. In a market that is almost silent five at once make z = 5, and not two."""


class Burst(NamedTuple):
    """The most surprising window that ends now."""

    z: float
    """On the scale of a standard normal; 0 when no window holds more than expected. Best of many windows: on a steady
    stream of 3 events/s it passes 4.9 about once a day."""
    events: int
    """In the window, the one that opens it not counted: a window always opens at an event, which proves nothing."""
    expected: float
    seconds: float


QUIET = Burst(0.0, 0, 0.0, 0.0)
_Vertex = tuple[float, int, int]
"""Events expected and events seen up to a start, and its time."""


class Scan:
    """The best window in units of expected events. Feed in order."""

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Drop every open window, and keep `reason` to be shown."""
        self.reason = reason
        self.events = 0
        self._hull: list[_Vertex] = []

    def update(self, level: float, ts: int) -> None:
        """Add an event at `level`, the events expected since the start, and time `ts`, UTC nanoseconds."""
        self.events += 1
        events, hull = self.events, self._hull
        while len(hull) > 1:
            # A vertex stays where the events per expected event grow at it. Written out: nearly every event asks it.
            left, seen, _ = hull[-2]
            middle, then, _ = hull[-1]
            if (middle - left) * (events - then) > (level - middle) * (then - seen):
                break
            hull.pop()
        hull.append((level, events, ts))
        # A start after which no more came than expected can only weaken any later window.
        while len(hull) > 1 and hull[1][1] - hull[0][1] <= hull[1][0] - hull[0][0]:
            del hull[0]

    def value(self, level: float, now: int, least: float = LEAST_EXPECTED) -> Burst:
        """The best window from any start to `now`, where `level` events have been expected.

        `least` is added to what every window expects: a venue that sends in batches puts the events of its interval
        at one instant. (Added rather than taken as a floor, so that the best start stays on the hull.)
        """
        best, found = 0.0, QUIET
        for before, seen, ts in self._hull:
            events, expected = self.events - seen, level - before + least
            if events > expected:
                gain = events * log(events / expected) - (events - expected)
                if gain > best:
                    best, found = gain, Burst(sqrt(2.0 * gain), events, expected, (now - ts) / _SECOND)
        return found

    def copy(self) -> Scan:
        """Another of the same state."""
        other = Scan()
        other.reason, other.events, other._hull = self.reason, self.events, self._hull.copy()
        return other


class BurstScan:
    """The scan of one stream against its own usual rate, `reference`.

    Events up to `watermark` seconds late are put in order first, so the order of arrival does not matter; later ones
    count as of the oldest moment still open. `batching` is the venue's publishing interval in seconds.
    """

    def __init__(self, reference: ReferenceRate | None = None, batching: float = 0.5, watermark: float = 1.0) -> None:
        self.reference = reference or ReferenceRate()
        self._batching = batching
        self._arrivals: Arrivals[None] = Arrivals(watermark)
        self._scan = Scan()
        self._level = 0.0
        self._resumed = True
        self._ahead: tuple[Scan, list[int]] | None = None
        """The scan with the events that the last read found waiting, and their times, until one is admitted."""
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Drop every open window after a gap, and keep `reason` to be shown. What is usual stays known.

        The silence of the gap is not held against the usual rate: the clock goes on at the next event.
        """
        for ts, _ in self._arrivals.settle_all():
            self._admit(ts)
        self.reason = reason
        self._scan.reset(reason)
        self._ahead = None
        self._level, self._resumed = 0.0, True

    def update(self, ts: int) -> None:
        """Count an event of `ts`, UTC nanoseconds."""
        for settled, _ in self._arrivals.push(ts, None):
            self._admit(settled)

    def value(self, now: int) -> Burst:
        """The best window that ends at `now`, of the events up to `now`."""
        return self._with_pending(now).value(self._level + self.reference.expected(now), now, self._least(now))

    def _with_pending(self, now: int) -> Scan:
        """The scan with the events up to `now` that wait: what the last read had done is gone on from."""
        pending = self._arrivals.pending(now)
        if not pending:
            return self._scan
        scan, seen = self._ahead or (self._scan.copy(), [])
        times = [ts for ts, _ in pending]
        if seen != times[: len(seen)]:
            scan, seen = self._scan.copy(), []
        for ts in times[len(seen) :]:
            scan.update(self._level + self.reference.expected(ts), ts)
        self._ahead = scan, times
        return scan

    def _admit(self, ts: int) -> None:
        self._ahead = None
        if self._resumed:
            self.reference.interrupt(ts)
            self._resumed = False
        self._level += self.reference.take(ts)
        self._scan.update(self._level, ts)

    def _least(self, now: int) -> float:
        return max(self.reference.value(now) * self._batching, LEAST_EXPECTED)
