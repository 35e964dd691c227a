"""One market's liquidations over all venues, or those of every market together."""

from __future__ import annotations

from collections.abc import Sequence

from liquake.analytics.kinematics import KINEMATIC_WINDOWS, Kinematics
from liquake.analytics.windows import Windows
from liquake.engine.series import MarketSeries
from liquake.engine.snapshot import Charts, WindowKinematics

_WIDTHS = tuple((window, round(window * 1_000_000_000)) for window in KINEMATIC_WINDOWS)


class Stream:
    """What the kinematics of one market are made of. It holds the events that are settled: older than the watermark."""

    __slots__ = ("kinematics", "market", "series", "usd", "windows")

    def __init__(self, market: str) -> None:
        self.market = market
        self.kinematics = Kinematics()
        self.windows = Windows()
        self.series = MarketSeries()
        """Of every event, settled or not."""
        self.usd = 0.0
        """Dollars since the start, of events not yet settled too."""

    def value(self, as_of: int, unsettled: Sequence[tuple[int, float]]) -> tuple[WindowKinematics, ...]:
        """The rows of the velocity panel at `as_of`, with the `unsettled` (time, dollars), none of them after it."""
        kinematics = self.kinematics
        if unsettled:
            kinematics = kinematics.copy()
            for time, usd in unsettled:
                kinematics.update(time, usd)
        rows = []
        for (window, width), motions in zip(_WIDTHS, kinematics.value(as_of), strict=True):
            events, usd = self.windows.value(as_of, width)
            fresh = [dollars for time, dollars in unsettled if time > as_of - width]
            rows.append(WindowKinematics(window, events + len(fresh), usd + sum(fresh), *motions))
        return tuple(rows)

    def charts(self, now: int, prices: tuple[float | None, ...]) -> Charts:
        """Second by second and minute by minute up to `now`, beside the market's `prices`."""
        return Charts(self.series.seconds(now), self.series.minutes(now), prices)

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self.market, self.usd, self.kinematics.state(), self.windows.state()
