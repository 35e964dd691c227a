"""One market's liquidations over all venues, or those of every market together."""

from __future__ import annotations

from liquake.analytics.histogram import DecayedHistogram
from liquake.analytics.kinematics import KINEMATIC_WINDOWS, Kinematics, Motion
from liquake.analytics.scan import BurstScan
from liquake.analytics.significance import significance, status
from liquake.analytics.standing import Standing
from liquake.analytics.windows import Trailing, Windows
from liquake.engine.ahead import Ahead
from liquake.engine.series import MarketSeries
from liquake.engine.snapshot import Burst, Charts, WindowKinematics, trusted

_WIDTHS = tuple(round(window * 1_000_000_000) for window in KINEMATIC_WINDOWS)
LARGE_SHARE = 0.999
LEAST_SIZES = 1_000
"""Liquidations before one in a thousand means anything."""
RESIZED = 100
"""Liquidations between two readings of that quantile: it costs as much as an event, and moves slowly."""


class Stream:
    """What the kinematics of one market are made of. It holds the events that are settled: older than the watermark.

    `standing` is the market's own week, of the markets that are watched.
    """

    __slots__ = (
        *("_sized", "_sizes", "ahead", "kinematics", "large", "market", "scan", "series", "standing", "usd", "windows"),
    )

    def __init__(self, market: str, watermark: float = 1.0) -> None:
        self.market = market
        self.kinematics = Kinematics()
        self.windows = Windows()
        self.ahead: Ahead | None = None
        """Events that are not settled but have been read; `None` where there are none."""
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

    def foresee(self, time: int, usd: float) -> None:
        """Be read with an event that is not settled."""
        if self.ahead is None:
            self.ahead = Ahead(self.windows)
        self.ahead.add(time, usd)

    def overtake(self) -> None:
        """The first of the events it is read with has been settled."""
        if self.ahead is not None and not self.ahead.settle():
            self.ahead = None

    def value(self, as_of: int, *, usual_known: bool) -> tuple[WindowKinematics, ...]:
        """The rows of the velocity panel at `as_of`, which is not before any event that is settled or `ahead`.

        `usual_known` is whether what is usual has been seen for long enough.
        """
        usual = self.scan.reference.value(as_of)
        return tuple(
            self._row(as_of, window, usual * window, usual_known, counted, *motions)
            for window, counted, motions in zip(
                KINEMATIC_WINDOWS, self._trailing(as_of), self._motions(as_of), strict=True
            )
        )

    def _row(
        self,
        as_of: int,
        window: float,
        expected: float,
        usual_known: bool,
        counted: Trailing,
        counts: Motion,
        dollars: Motion,
    ) -> WindowKinematics:
        newest, middle, oldest, usd = counted
        found = significance((newest, middle, oldest), expected)
        ranks = None
        if self.standing is not None:
            motion = counts.velocity.value, counts.acceleration.value, counts.jerk.value
            ranks = self.standing.value(window, *motion, as_of)
        word = None
        if usual_known or ranks is not None:
            word = status(found.velocity, None if ranks is None else ranks.velocity)
        return WindowKinematics(window, newest, usd, counts, dollars, found, ranks, word)

    def _trailing(self, as_of: int) -> list[Trailing]:
        settled = self.windows.trailing(as_of, _WIDTHS)
        if self.ahead is None:
            return settled
        return [
            (newest + newer, middle + more, oldest + older, usd + dollars)
            for (newest, middle, oldest, usd), (newer, more, older, dollars) in zip(
                settled, self.ahead.trailing(as_of, _WIDTHS), strict=True
            )
        ]

    def numbers(self, as_of: int) -> list[int | float]:
        """What `value` says, without status and ranks: `NUMBERS` of each window in turn."""
        found: list[int | float] = []
        for window, counted, motion in zip(
            KINEMATIC_WINDOWS, self._trailing(as_of), self._moving().numbers(as_of), strict=True
        ):
            found += counted[0], counted[3], int(trusted(motion[0], window))
            found += motion
        return found

    def _motions(self, as_of: int) -> list[tuple[Motion, Motion]]:
        return self._moving().value(as_of)

    def _moving(self) -> Kinematics:
        return self.kinematics if self.ahead is None else self.ahead.kinematics(self.kinematics)

    def burst(self, as_of: int) -> Burst:
        """The most surprising window that ends at `as_of`."""
        return self.scan.value(as_of)

    def remember(self, as_of: int, seconds: float) -> None:
        """Enter the motion at `as_of` into the market's own week, for the `seconds` since the last time."""
        if self.standing is None:
            return
        for window, (counts, _) in zip(KINEMATIC_WINDOWS, self._motions(as_of), strict=True):
            motion = counts.velocity.value, counts.acceleration.value, counts.jerk.value
            self.standing.update(window, *motion, as_of, seconds)

    def charts(self, now: int, prices: tuple[float | None, ...]) -> Charts:
        """Second by second and minute by minute up to `now`, beside the market's `prices`."""
        return Charts(self.series.seconds(now), self.series.minutes(now), prices)

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self.market, self.usd, self.kinematics.state(), self.windows.state()
