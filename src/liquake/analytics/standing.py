"""Where the present motion stands in the market's own week: ranks of velocity, acceleration and jerk by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from liquake.analytics.histogram import DecayedHistogram
from liquake.errors import StateError

_MEASURES = ("velocity", "acceleration", "jerk")


class Ranks(NamedTuple):
    """Of the magnitudes in the market's own week, 0 to 1."""

    velocity: float
    acceleration: float
    jerk: float


class Standing:
    """The history of one stream's motion, events or dollars, at several windows (seconds).

    Enter what is read once a second of engine time. Readings of a long window overlap, so each counts for as much of
    an independent one as is new in it.
    """

    LEAST_WEIGHT = 300.0
    """Independent readings before a rank is given: five minutes of the short windows, five hours of a minute's."""

    def __init__(self, windows: Sequence[float]) -> None:
        self.windows = tuple(windows)
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget the week, and keep `reason` to be shown. Not for a gap: what was usual before it still is."""
        self.reason = reason
        self._histories = {window: tuple(DecayedHistogram() for _ in _MEASURES) for window in self.windows}

    def update(
        self, window: float, velocity: float, acceleration: float, jerk: float, ts: int, seconds: float = 1.0
    ) -> None:
        """Enter the motion read at `ts`, UTC nanoseconds, at `window`, for the `seconds` since the last reading."""
        weight = seconds / max(window, 1.0)
        for history, value in zip(self._histories[window], (velocity, acceleration, jerk), strict=True):
            history.update(abs(value), ts, weight)

    def value(self, window: float, velocity: float, acceleration: float, jerk: float, now: int) -> Ranks | None:
        """The ranks of a motion read at `now`; `None` while the history is too short to tell."""
        histories = self._histories[window]
        if histories[0].weight(now) < self.LEAST_WEIGHT:
            return None
        rates, changes, jerks = histories
        return Ranks(rates.rank(abs(velocity)), changes.rank(abs(acceleration)), jerks.rank(abs(jerk)))

    def to_dict(self) -> dict[str, Any]:
        """A plain form for the journal."""
        return {str(window): [one.to_dict() for one in histories] for window, histories in self._histories.items()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` gave. Raises `StateError`, and changes nothing, when it is of another form."""
        if set(kept) != {str(window) for window in self.windows}:
            raise StateError("standing", f"windows {sorted(kept)}, this version has {sorted(map(str, self.windows))}")
        self._histories = {
            window: tuple(DecayedHistogram.from_dict(one) for one in kept[str(window)]) for window in self.windows
        }
