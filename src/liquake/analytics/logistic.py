"""Logistic regression with a ridge, and its recalibration over time. Batch code: needs numpy."""

from __future__ import annotations

import msgspec
import numpy as np

from liquake.analytics.calibration import CalibrationPrior, Recalibration
from liquake.analytics.hawkes_moments import Array, Flags

RIDGE = 1e-3
_STEPS = 60
_TOLERANCE = 1e-10


class Logistic(msgspec.Struct, frozen=True):
    """z = intercept + sum of coefficients x (columns - means) / scales."""

    intercept: float
    means: Array
    scales: Array
    coefficients: Array

    def logit(self, columns: Array) -> Array:
        """z of each row of `columns`."""
        return np.asarray((columns - self.means) @ (self.coefficients / self.scales) + self.intercept)


def fit(columns: Array, labels: Array, ridge: float = RIDGE) -> Logistic:
    """Maximum likelihood with penalty ridge / 2 x coefficient^2 per observation, no coefficient below zero.

    All inputs here grow with activity, so a negative coefficient would let silence raise a probability somewhere.
    Columns whose coefficient comes out negative are dropped, the most negative first. One that never changes gets 0.
    """
    means, scales = columns.mean(axis=0), columns.std(axis=0)
    scales = np.where(scales > 1e-12, scales, 1.0)
    standard = (columns - means) / scales
    kept = np.flatnonzero(standard.any(axis=0))
    while True:
        beta = _newton(np.column_stack((np.ones(labels.size), standard[:, kept])), labels, ridge)
        if not kept.size or beta[1:].min() >= 0.0:
            break
        kept = np.delete(kept, int(beta[1:].argmin()))
    coefficients = np.zeros(columns.shape[1])
    coefficients[kept] = beta[1:]
    return Logistic(float(beta[0]), means, scales, coefficients)


def _newton(design: Array, labels: Array, ridge: float) -> Array:
    """Newton's method, each step halved until it helps."""
    penalty = np.r_[0.0, np.full(design.shape[1] - 1, ridge)]
    share = min(max(float(labels.mean()), 1e-6), 1.0 - 1e-6)
    beta = np.r_[np.log(share / (1.0 - share)), np.zeros(design.shape[1] - 1)]
    best = _loss(design, labels, penalty, beta)
    for _ in range(_STEPS):
        forecast = sigmoid(design @ beta)
        slope = design.T @ (labels - forecast) / labels.size - penalty * beta
        curvature = (design * (forecast * (1.0 - forecast))[:, None]).T @ design / labels.size
        step = np.linalg.solve(curvature + np.diag(penalty + 1e-12), slope)
        loss = _loss(design, labels, penalty, beta + step)
        while loss > best and np.abs(step).max() > 1e-9:
            step = step / 2.0
            loss = _loss(design, labels, penalty, beta + step)
        if best - loss < _TOLERANCE:
            break
        beta, best = beta + step, loss
    return np.asarray(beta)


def _loss(design: Array, labels: Array, penalty: Array, beta: Array) -> float:
    z = design @ beta
    return float((np.logaddexp(0.0, z) - labels * z).mean() + 0.5 * (penalty * beta * beta).sum())


def sigmoid(values: Array) -> Array:
    """1 / (1 + e^-values), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -values)))


def recalibrate(
    seconds: Array, starts: Array, logits: Array, happened: Flags, prior: CalibrationPrior, horizon: float
) -> Array:
    """The probabilities an online `Recalibration` gives at `seconds`: learning at every step of the UTC clock from the
    forecast made `horizon` before, within the same stretch (`starts`), and used from the next second on."""
    learner = Recalibration(prior, horizon)
    due = np.flatnonzero(seconds % prior.step == 0.0)
    said = np.searchsorted(seconds, seconds[due] - horizon)
    known = (seconds[said] == seconds[due] - horizon) & (starts[said] == starts[due])
    alpha, gamma = np.zeros(due.size + 1), np.ones(due.size + 1)
    for place, (source, sure) in enumerate(zip(said.tolist(), known.tolist(), strict=True)):
        if sure:
            learner.learn(float(logits[source]), bool(happened[source]))
        alpha[place + 1], gamma[place + 1] = learner.alpha, learner.gamma
    latest = np.searchsorted(seconds[due], seconds, side="left")
    return sigmoid(alpha[latest] + gamma[latest] * logits)
