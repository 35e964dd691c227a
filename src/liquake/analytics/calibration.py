"""Online recalibration: the probability learns from what happened after it was given."""

from __future__ import annotations

from math import exp, log

import msgspec

DAY = 86400.0


class CalibrationPrior(msgspec.Struct, frozen=True):
    """How far and how fast the map p = sigma(alpha + gamma z) may move.

    Chosen in three forward-chained folds of the training part of the January 2023 recording: looser priors and faster
    drifts followed single episodes and lost ranking at onset.
    """

    alpha_variance: float = 0.05
    gamma_variance: float = 0.0025
    alpha_drift: float = 0.02
    """Variance added per day."""
    gamma_drift: float = 0.002
    step: float = 10.0
    """Seconds between two labels."""
    spacing: float = 300.0
    """Seconds that separate two episodes: labels closer than this repeat each other, so each weighs step / spacing."""


class Recalibration:
    """Extended Kalman filter of a two-parameter logistic map; its state starts at the identity.

    Same family as online Platt scaling (Gupta and Ramdas, arXiv:2305.00070).
    """

    __slots__ = ("_covariance", "_prior", "_step", "_weight", "alpha", "gamma")

    def __init__(self, prior: CalibrationPrior, horizon: float) -> None:
        self._prior = prior
        self.alpha, self.gamma = 0.0, 1.0
        self._covariance = (prior.alpha_variance, 0.0, prior.gamma_variance)
        self._weight = min(1.0, prior.step / max(horizon, prior.spacing))
        self._step = prior.step / DAY

    def learn(self, logit: float, happened: bool) -> None:
        """After `logit` was forecast one step's label came in."""
        prior, (aa, ag, gg) = self._prior, self._covariance
        aa += prior.alpha_drift * self._step
        gg += prior.gamma_drift * self._step
        forecast = sigmoid(self.alpha + self.gamma * logit)
        by_alpha, by_gamma = aa + ag * logit, ag + gg * logit
        curvature = self._weight * forecast * (1.0 - forecast)
        scale = 1.0 + curvature * (by_alpha + by_gamma * logit)
        surprise = self._weight * (happened - forecast) / scale
        self.alpha += by_alpha * surprise
        self.gamma += by_gamma * surprise
        shrink = curvature / scale
        self._covariance = (aa - shrink * by_alpha**2, ag - shrink * by_alpha * by_gamma, gg - shrink * by_gamma**2)


def sigmoid(value: float) -> float:
    """1 / (1 + e^-value), without overflow."""
    if value >= 0.0:
        return 1.0 / (1.0 + exp(-value))
    grown = exp(value)
    return grown / (1.0 + grown)


def logit(share: float) -> float:
    """Inverse of `sigmoid`, for a share strictly between 0 and 1."""
    return log(share / (1.0 - share))


class RiskScale:
    """Percentile of the probability in its own decayed history: the 0 to 100 of the risk score.

    A histogram over the logit in steps of 0.1; forward decay, so that a past observation is never touched again.
    """

    HALF_LIFE = 30.0 * DAY
    LOW, WIDTH, BUCKETS = -15.0, 0.1, 300
    _RESCALE = 1e12

    def __init__(self, knots: tuple[float, ...], weight: float) -> None:
        """Start from evenly spaced quantiles `knots` of the logit in training, worth `weight` observations."""
        self._weights = [0.0] * self.BUCKETS
        self._unit = 1.0
        for knot in knots:
            self._weights[self._bucket(knot)] += weight / len(knots)

    def _bucket(self, value: float) -> int:
        return min(max(int((value - self.LOW) / self.WIDTH), 0), self.BUCKETS - 1)

    def update(self, value: float, elapsed: float) -> None:
        """One observation, `elapsed` seconds after the one before."""
        self._unit *= 2.0 ** (elapsed / self.HALF_LIFE)
        if self._unit > self._RESCALE:
            self._weights = [weight / self._unit for weight in self._weights]
            self._unit = 1.0
        self._weights[self._bucket(value)] += self._unit

    def value(self, value: float) -> float:
        """Share of past observations below `value`, in per cent; those in the same bucket count half."""
        bucket = self._bucket(value)
        below = sum(self._weights[:bucket]) + 0.5 * self._weights[bucket]
        return min(100.0, 100.0 * below / (sum(self._weights) or 1.0))
