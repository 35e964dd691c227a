"""What a Hawkes process says of the next seconds, in closed form. Batch code: needs numpy.

M_s = E[S_H | F_s] is a martingale that jumps, at an event of type j with mark w and value v, by v + w d_j(H - s), where
d_j is the expected value of its descendants in the remaining time. Hence the variance of S_H is the integral of
sum_j E[(v + w d_j(H - s))^2] E[lambda_j(s)], and both moments are linear in R because dE[R]/ds = A E[R] + b.
(Dassios and Zhao 2011; Cui, Hawkes and Yi 2020, Adv. Appl. Prob. 52:102, treat the same moments.)
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from liquake.analytics.hawkes import SPECTRAL_LIMIT, Functional, Hawkes

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_STEPS_PER_DECAY = 4


class Moments(msgspec.Struct, frozen=True):
    """Of one event's mark w and value v, w having mean one. For counts v = 1."""

    value: float = 1.0
    value_squared: float = 1.0
    value_mark: float = 1.0
    mark_squared: float = 1.0


def branching(hawkes: Hawkes) -> Array:
    """G_ij = sum_m a_ijm: mean number of direct children of type i of an event of type j."""
    return np.asarray(np.asarray(hawkes.excitation, dtype=np.float64).sum(axis=2))


def spectral_radius(hawkes: Hawkes) -> float:
    """Largest eigenvalue of the branching matrix: an upper bound on self-excitation, since a rate that merely
    changes over time fits as excitation too (Filimonov and Sornette 2015, arXiv:1308.6756)."""
    return float(np.abs(np.linalg.eigvals(branching(hawkes))).max())


def stable(hawkes: Hawkes) -> Hawkes:
    """The process with its excitation scaled down to `SPECTRAL_LIMIT` where it lies above."""
    radius = spectral_radius(hawkes)
    if radius <= SPECTRAL_LIMIT:
        return hawkes
    scaled = np.asarray(hawkes.excitation) * (SPECTRAL_LIMIT / radius)
    return msgspec.structs.replace(hawkes, excitation=nested(scaled))


def nested(values: Array) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """A three-dimensional array as tuples, for the parameters."""
    return tuple(tuple(tuple(map(float, cell)) for cell in row) for row in values)


def functional(hawkes: Hawkes, horizon: float, target: Sequence[float], moments: Moments) -> Functional:
    """Mean and variance of sum of `target`[type] x value over the next `horizon` seconds. Exact mean for any decays;
    the variance by Simpson's rule with steps of a quarter of the shortest decay."""
    generator, rates, spread = _dynamics(hawkes)
    mu = np.asarray(hawkes.background)
    goal = np.asarray(target, dtype=np.float64) * moments.value
    steps = 2 * int(np.ceil(horizon * _STEPS_PER_DECAY / min(hawkes.decays) / 2))
    move, drift, double = _propagator(generator, horizon / steps)
    ahead = _sensitivities(goal @ rates, move, drift, steps)
    descendants = ahead.reshape(steps + 1, mu.size, -1).sum(axis=2)
    second = _second_moments(np.asarray(target, dtype=np.float64), descendants, moments)[::-1]
    weights = _simpson(steps, horizon)
    inflow = _inflow(spread @ mu, move, drift, steps)
    held = drift @ inflow[:-1].sum(axis=0) + steps * double @ (spread @ mu)
    expected = mu + inflow @ rates.T
    return Functional(
        mean=tuple(map(float, ahead[-1])),
        mean_constant=float(horizon * (goal @ mu) + goal @ rates @ held),
        variance=tuple(map(float, _fold(weights[:, None] * (second @ rates), move))),
        variance_constant=float(weights @ (second * expected).sum(axis=1)),
    )


def _dynamics(hawkes: Hawkes) -> tuple[Array, Array, Array]:
    """A of dE[R]/ds = A E[R] + b, the map from R to the rates, and the map from rates to the inflow of R."""
    decays = np.asarray(hawkes.decays)
    excitation = np.asarray(hawkes.excitation, dtype=np.float64)
    types, width = excitation.shape[0], decays.size
    rates = (excitation / decays).reshape(types, types * width)
    spread = np.repeat(np.eye(types), width, axis=0)
    return spread @ rates - np.diag(np.tile(1.0 / decays, types)), rates, spread


def _propagator(generator: Array, step: float) -> tuple[Array, Array, Array]:
    """e^(A step), its integral over the step, and the integral of that."""
    size = generator.shape[0]
    block = np.zeros((3 * size, 3 * size))
    block[:size, :size] = generator * step
    block[:size, size : 2 * size] = block[size : 2 * size, 2 * size :] = np.eye(size) * step
    whole = _exponential(block)
    return whole[:size, :size], whole[:size, size : 2 * size], whole[:size, 2 * size :]


def _exponential(matrix: Array) -> Array:
    """Matrix exponential by scaling and squaring of the Taylor series."""
    squarings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-12)))) + 2)
    scaled = matrix / 2.0**squarings
    term = total = np.eye(matrix.shape[0])
    for order in range(1, 16):
        term = term @ scaled / order
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total


def _sensitivities(row: Array, move: Array, drift: Array, steps: int) -> Array:
    """Expected value to come per unit of R, with 0, 1, .. `steps` steps left."""
    ahead = np.zeros((steps + 1, row.size))
    for place in range(steps):
        ahead[place + 1] = ahead[place] + row @ drift
        row = row @ move
    return ahead


def _second_moments(target: Array, descendants: Array, moments: Moments) -> Array:
    """E[(v + w d)^2] by steps left and type."""
    cross = 2.0 * moments.value_mark * target * descendants
    return np.asarray(target**2 * moments.value_squared + cross + moments.mark_squared * descendants**2)


def _inflow(inflow: Array, move: Array, drift: Array, steps: int) -> Array:
    """E[R] after 0, 1, .. `steps` steps from R = 0, caused by the background alone."""
    states = np.zeros((steps + 1, inflow.size))
    gain = drift @ inflow
    for place in range(steps):
        states[place + 1] = move @ states[place] + gain
    return states


def _fold(rows: Array, move: Array) -> Array:
    """sum_k rows[k] move^k, by Horner's rule."""
    total = rows[-1]
    for row in rows[-2::-1]:
        total = total @ move + row
    return np.asarray(total)


def _simpson(steps: int, length: float) -> Array:
    weights = np.full(steps + 1, 2.0)
    weights[1::2] = 4.0
    weights[0] = weights[-1] = 1.0
    return np.asarray(weights * (length / steps / 3.0))
