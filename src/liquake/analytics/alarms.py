"""Alarms under a daily budget, and how they did. Batch code: needs numpy."""

from __future__ import annotations

import msgspec
import numpy as np

from liquake.analytics.grid import QUIET, Grid
from liquake.analytics.hawkes_moments import Array, Flags

BUDGET = 6.0
"""Alarms per day."""
COOLDOWN = 300.0
HOLD = 60
"""Seconds the forecast must stay below the lower threshold before another alarm can come."""
_STEP_DOWN = 0.7
LEAD = 300.0
"""Seconds before an onset within which an alarm is a hit."""
LATE = 5.0
_DAY = 86400.0
_CANDIDATES = (
    0.98,
    0.95,
    0.9,
    0.85,
    0.8,
    0.75,
    0.7,
    0.65,
    0.6,
    0.55,
    0.5,
    0.45,
    0.4,
    0.35,
    0.3,
    0.25,
    0.2,
    0.15,
    0.1,
    0.05,
)


class AlarmRecord(msgspec.Struct, frozen=True):
    """What became of the alarms at `threshold`, which training set so that they keep to `budget` a day."""

    budget: float
    threshold: float
    alarms: int
    onsets: int
    recall: float | None
    """Share of onsets with an alarm from 300 s before to 5 s after."""
    precision: float | None
    """Share of alarms with an onset so near."""
    lead: float | None
    """Median seconds from the first alarm to its onset; negative where the alarm came after."""
    alarms_per_day: float
    false_per_day: float


def onsets(grid: Grid, threshold: float, chosen: Flags) -> Array:
    """Times at which the last H seconds first reach `threshold`, after `QUIET` seconds below it."""
    loud = grid.seconds[(grid.back >= threshold)]
    first = loud[np.diff(loud, prepend=-np.inf) > QUIET]
    return first[np.isin(first, grid.seconds[chosen])]


def alarm_times(seconds: Array, forecast: Array, threshold: float) -> Array:
    """Raised by two reads at or above `threshold`; another only after `COOLDOWN`, and once the log-odds have been 0.7
    below it for `HOLD` seconds."""
    above = forecast >= threshold
    raised = np.flatnonzero(above[1:] & above[:-1]) + 1
    odds = threshold / (1.0 - threshold) * np.exp(-_STEP_DOWN)
    place = np.arange(forecast.size)
    high = np.maximum.accumulate(np.where(forecast >= odds / (1.0 + odds), place, -1))
    settled = np.flatnonzero(place - high >= HOLD)
    times, position = [], 0
    while (found := np.searchsorted(raised, position)) < raised.size:
        alarm = raised[found]
        times.append(seconds[alarm])
        after = np.searchsorted(settled, alarm)
        if after == settled.size:
            break
        position = max(int(settled[after]), int(np.searchsorted(seconds, seconds[alarm] + COOLDOWN)))
    return np.asarray(times, dtype=np.float64)


def threshold_within(seconds: Array, forecast: Array, budget: float) -> float:
    """The loosest threshold, scanned from strict to loose up to the first violation, that keeps to `budget` a day.

    The number of alarms is not monotone in the threshold, because one long alarm may replace several short ones.
    """
    days, chosen = seconds.size / _DAY, _CANDIDATES[0]
    for candidate in _CANDIDATES:
        if alarm_times(seconds, forecast, candidate).size > budget * days:
            break
        chosen = candidate
    return chosen


def record(grid: Grid, forecast: Array, usd: float, train: Flags, test: Flags, budget: float = BUDGET) -> AlarmRecord:
    """Set the threshold on `train`, count what it gives on `test`. `usd` is what makes a cascade."""
    threshold = threshold_within(grid.seconds[train], forecast[train], budget)
    times = alarm_times(grid.seconds[test], forecast[test], threshold)
    starts = onsets(grid, usd, test)
    late = starts[:, None] - times[None, :]
    near = (late <= LEAD) & (late >= -LATE)
    leads = [float(row[match].max()) for row, match in zip(late, near, strict=True) if match.any()]
    days = int(test.sum()) / _DAY
    hits = int(near.any(axis=0).sum())
    return AlarmRecord(
        budget=budget,
        threshold=threshold,
        alarms=times.size,
        onsets=starts.size,
        recall=len(leads) / starts.size if starts.size else None,
        precision=hits / times.size if times.size else None,
        lead=float(np.median(leads)) if leads else None,
        alarms_per_day=times.size / days,
        false_per_day=(times.size - hits) / days,
    )
