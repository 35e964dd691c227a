"""What a cascade probability has to beat. Batch code: needs numpy.

The published six-component score is the weighted sum of a public liquidation aggregator (github.com/napo99/TG-Bot,
services/liquidation-aggregator/cascade_risk_calculator.py at 937585b), written anew from its thresholds: events per
second over 0.1, 10 and 60 s, differences of the 10 s rate between reads one second apart, dollars of the last minute,
and the ratio of the shortest to the longest rate. Its correlation between venues is left at 0.
"""

from __future__ import annotations

import numpy as np

from liquake.analytics import logistic
from liquake.analytics.features import FEATURES
from liquake.analytics.grid import Grid
from liquake.analytics.hawkes_moments import Array
from liquake.analytics.training import Trained

_LEVELS = (0.0, 25.0, 50.0, 75.0, 100.0)
_VELOCITY = (0.0, 2.0, 5.0, 10.0, 20.0)
_ACCELERATION = (0.0, 1.0, 3.0, 5.0, 10.0)
_JERK = (0.0, 0.5, 2.0, 5.0, 10.0)
_VOLUME = (0.0, 100e3, 500e3, 1e6, 5e6)
_LARGE_EVENT = 50e3


def forecasts(trained: Trained) -> dict[str, Array]:
    """Each comparator's probability at every second of the grid; parameters are fitted on the training part."""
    grid, model = trained.split.grid, trained.model
    score = six_weight(grid)
    rates = [place for place, name in enumerate(FEATURES) if name.startswith(("count_", "usd_"))]
    return {
        "climatology": np.full(grid.seconds.size, model.baseline.base_rate),
        "persistence": _fitted(trained, np.log1p(grid.back)[:, None]),
        "velocity_10s": _fitted(trained, velocity(grid, 10.0)[:, None]),
        "multiscale_rates": _fitted(trained, trained.columns[:, rates]),
        "six_weight_raw": score / 100.0,
        "six_weight_recalibrated": _fitted(trained, score[:, None]),
    }


def _fitted(trained: Trained, columns: Array) -> Array:
    train = trained.split.train
    linear = logistic.fit(columns[train], trained.labels[train].astype(np.float64))
    return logistic.sigmoid(linear.logit(columns))


def velocity(grid: Grid, window: float) -> Array:
    """Events per second over the last `window` seconds."""
    return grid.between(grid.events.of_side(grid.side).astype(np.float64), -window, 0.0) / window


def six_weight(grid: Grid) -> Array:
    """The published score, 0 to 100."""
    now, medium, long = (velocity(grid, window) for window in (0.1, 10.0, 60.0))
    acceleration = np.diff(medium, prepend=medium[0])
    jerk = np.diff(acceleration, prepend=acceleration[0])
    usd = grid.between(np.where(grid.events.of_side(grid.side), grid.events.usd, 0.0), -60.0, 0.0)
    volume = np.interp(usd, _VOLUME, _LEVELS)
    large = usd > _LARGE_EVENT * long * 60.0
    ratio = now / np.where(long > 0.0, long, 1.0)
    return np.asarray(
        0.25 * np.interp(0.4 * now + 0.4 * medium + 0.2 * long, _VELOCITY, _LEVELS)
        + 0.20 * np.interp(acceleration, _ACCELERATION, _LEVELS)
        + 0.15 * np.interp(jerk, _JERK, _LEVELS)
        + 0.20 * np.where(large, np.minimum(1.2 * volume, 100.0), volume)
        + 0.05 * np.interp(ratio, (0.0, 2.0, 3.0), (0.0, 50.0, 100.0))
    )
