"""One market's liquidations over all venues, or those of every market together."""

from __future__ import annotations

from collections.abc import Sequence

from liquake.analytics.histogram import DecayedHistogram
from liquake.analytics.kinematics import KINEMATIC_WINDOWS, Kinematics
from liquake.analytics.scan import BurstScan
from liquake.analytics.significance import Significance, significance, status
from liquake.analytics.standing import Standing
from liquake.analytics.windows import Windows
from liquake.engine.series import MarketSeries
from liquake.engine.snapshot import Burst, Charts, WindowKinematics

_WIDTHS = tuple((window, round(window * 1_000_000_000)) for window in KINEMATIC_WINDOWS)
LARGE_SHARE = 0.999
LEAST_SIZES = 1_000
"""Liquidations before one in a thousand means anything."""
RESIZED = 100
"""Liquidations between two readings of that quantile: it costs as much as an event, and moves slowly."""
_Unsettled = Sequence[tuple[int, float]]


class Stream:
    """What the kinematics of one market are made of. It holds the events that are settled: older than the watermark.

    `standing` is the market's own week, of the markets that are watched.
    """

    __slots__ = ("_sized", "_sizes", "kinematics", "large", "market", "scan", "series", "standing", "usd", "windows")

    def __init__(self, market: str, watermark: float = 1.0) -> None:
        self.market = market
        self.kinematics = Kinematics()
        self.windows = Windows()
        self.scan = BurstScan(watermark=watermark)
        """Waits for late events by itself: give it each as it arrives."""
        self.standing: Standing | None = None
        self.series = MarketSeries()
        """Of every event, settled or not."""
        self._sizes = DecayedHistogram()
        self._sized = 0
        self.large: float | None = None
        """Dollars that all but one in a thousand of the market's own liquidations stay under."""
        self.usd = 0.0
        """Dollars since the start, of events not yet settled too."""

    def size(self, time: int, usd: float) -> None:
        """Enter the size of a settled liquidation into the market's own week."""
        self._sizes.update(usd, time)
        self._sized += 1
        if self._sized >= LEAST_SIZES and self._sized % RESIZED == 0:
            self.large = self._sizes.quantile(LARGE_SHARE)

    def value(self, as_of: int, unsettled: _Unsettled) -> tuple[WindowKinematics, ...]:
        """The rows of the velocity panel at `as_of`, with the `unsettled` (time, dollars), none of them after it."""
        kinematics = self.kinematics
        if unsettled:
            kinematics = kinematics.copy()
            for time, usd in unsettled:
                kinematics.update(time, usd)
        usual = self.scan.reference.value(as_of)
        rows = []
        for (window, width), (counts, dollars) in zip(_WIDTHS, kinematics.value(as_of), strict=True):
            events, usd = self.windows.value(as_of, width)
            fresh = [held for time, held in unsettled if time > as_of - width]
            found = self._significance(as_of, width, unsettled, usual * window)
            ranks = None
            if self.standing is not None:
                motion = counts.velocity.value, counts.acceleration.value, counts.jerk.value
                ranks = self.standing.value(window, *motion, as_of)
            word = status(found.velocity, None if ranks is None else ranks.velocity)
            rows.append(
                WindowKinematics(window, events + len(fresh), usd + sum(fresh), counts, dollars, found, ranks, word)
            )
        return tuple(rows)

    def _significance(self, as_of: int, width: int, unsettled: _Unsettled, expected: float) -> Significance:
        counts = list(self.windows.adjacent(as_of, width))
        for time, _ in unsettled:
            place = (as_of - time) // width
            if place < len(counts):
                counts[place] += 1
        newest, middle, oldest = counts
        return significance((newest, middle, oldest), expected)

    def burst(self, as_of: int) -> Burst:
        """The most surprising window that ends at `as_of`."""
        return self.scan.value(as_of)

    def remember(self, as_of: int, seconds: float, unsettled: _Unsettled) -> None:
        """Enter the motion at `as_of` into the market's own week, for the `seconds` since the last time."""
        if self.standing is None:
            return
        kinematics = self.kinematics
        if unsettled:
            kinematics = kinematics.copy()
            for time, usd in unsettled:
                kinematics.update(time, usd)
        for window, (counts, _) in zip(KINEMATIC_WINDOWS, kinematics.value(as_of), strict=True):
            motion = counts.velocity.value, counts.acceleration.value, counts.jerk.value
            self.standing.update(window, *motion, as_of, seconds)

    def charts(self, now: int, prices: tuple[float | None, ...]) -> Charts:
        """Second by second and minute by minute up to `now`, beside the market's `prices`."""
        return Charts(self.series.seconds(now), self.series.minutes(now), prices)

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self.market, self.usd, self.kinematics.state(), self.windows.state()
