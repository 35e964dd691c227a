"""Velocity, acceleration and jerk of a stream of events, with their standard errors.

At each time scale three exponential sums are chained. With tau = W/2 and the Erlang kernels
g_k(u) = (u/tau)^k exp(-u/tau) / (k! tau), each of integral 1,

    S_k(t) = sum over events of w_i g_k(t - t_i),  k = 0, 1, 2
    velocity S0,  acceleration (S0 - S1) / tau,  jerk (S0 - 2 S1 + S2) / tau^2

The k-th is exactly the k-th time derivative of the rate after smoothing by an Erlang kernel of order k + 1; it lags by
(k + 1) tau. Campbell's theorem gives its standard error under a Poisson stream: sqrt(rate C(2k, k) / W^(2k+1)).
tau = W/2 is where this equals the error of the k-th difference of adjacent windows of length W.
"""

from __future__ import annotations

from math import exp, sqrt

import msgspec

KINEMATIC_WINDOWS = (0.1, 0.5, 2.0, 10.0, 60.0)
"""Seconds. Each is W = 2 tau of its smoothing chain."""

SQUARES_TIME_CONSTANT = 300.0
"""Seconds over which the rate of squared dollars is averaged: ten times the slowest tau, so that one large event moves
the errors of all scales alike, and short enough to follow the hour of the day."""

_Scale = tuple[float, float, float, float, float, float, float]
"""1/tau, then S0, S1, S2 of the count and S0, S1, S2 of the dollars."""

_SECONDS = 1e-9
_NO_ERROR = 0.0, 0.0, 0.0
"""Derivatives of nothing are none from zero."""
_RATES = tuple(2.0 / window for window in KINEMATIC_WINDOWS)
_ERRORS = tuple(
    (sqrt(1.0 / window), sqrt(2.0 / window**3), sqrt(6.0 / window**5))  # C(2k, k) = 1, 2, 6
    for window in KINEMATIC_WINDOWS
)


class Derivative(msgspec.Struct, frozen=True, gc=False):
    """One derivative of the event count or of the dollars, with its standard error under a Poisson stream."""

    value: float
    error: float

    @property
    def significant(self) -> bool:
        """Whether the value is at least two standard errors from zero."""
        return self.error > 0.0 and abs(self.value) >= 2.0 * self.error


class Motion(msgspec.Struct, frozen=True, gc=False):
    """Velocity (per s), acceleration (per s^2) and jerk (per s^3) of one stream at one time scale."""

    velocity: Derivative
    acceleration: Derivative
    jerk: Derivative


class Kinematics:
    """Motion of one stream at every scale of `KINEMATIC_WINDOWS`: of its count and of its dollars.

    Events may come in any order: each is absorbed exactly, whatever its age. An update costs the same at any rate.

    >>> kinematics = Kinematics()
    >>> for second in (0, 1):
    ...     kinematics.update(second * 1_000_000_000, 1.0)
    >>> counts, dollars = kinematics.value(2_000_000_000)[2]
    >>> f"{counts.velocity.value:.6f} {counts.acceleration.value:.6f} {counts.jerk.value:.6f}"
    '0.503215 -0.135335 -0.319275'
    """

    __slots__ = ("_scales", "_squares", "_time", "reset_reason")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every event. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._time = 0
        self._scales: list[_Scale] = [(rate, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) for rate in _RATES]
        self._squares = 0.0

    def update(self, time: int, usd: float) -> None:
        """Absorb an event of `usd` dollars at `time`, UTC nanoseconds."""
        if time < self._time:
            self._absorb_late((self._time - time) * _SECONDS, usd)
            return
        if time == self._time:
            self._absorb_another(usd)
            return
        elapsed = (time - self._time) * _SECONDS
        self._time = time
        self._squares = self._squares * exp(-elapsed / SQUARES_TIME_CONSTANT) + usd * usd / SQUARES_TIME_CONSTANT
        self._scales = _step(self._scales, elapsed, 1.0, usd)

    def _absorb_another(self, usd: float) -> None:
        """An event of the same moment: nothing has decayed, and in a burst every other event is one."""
        self._squares += usd * usd / SQUARES_TIME_CONSTANT
        self._scales = [
            (rate, n0 + rate, n1, n2, u0 + rate * usd, u1, u2) for rate, n0, n1, n2, u0, u1, u2 in self._scales
        ]

    def _absorb_late(self, age: float, usd: float) -> None:
        self._squares += usd * usd / SQUARES_TIME_CONSTANT * exp(-age / SQUARES_TIME_CONSTANT)
        scales = []
        for rate, n0, n1, n2, u0, u1, u2 in self._scales:
            x = age * rate
            g0 = rate * exp(-x)
            g1 = g0 * x
            g2 = g1 * x * 0.5
            scales.append((rate, n0 + g0, n1 + g1, n2 + g2, u0 + usd * g0, u1 + usd * g1, u2 + usd * g2))
        self._scales = scales

    def value(self, now: int) -> list[tuple[Motion, Motion]]:
        """Motion of the count and of the dollars at `now`, one pair per scale.

        `now` is not before the newest event: the sums cannot run backwards without losing their digits.
        """
        return [(_motion(numbers[:9]), _motion(numbers[9:])) for numbers in self.numbers(now)]

    def numbers(self, now: int) -> list[tuple[float, ...]]:
        """The same for whoever reads hundreds of markets many times a second: one tuple per scale, of the count and then of
        the dollars velocity, acceleration and jerk, each with its error and how many of those it is from zero."""
        if now < self._time:
            raise ValueError(f"kinematics cannot be read at {now}: an event at {self._time} is already in them")
        elapsed = (now - self._time) * _SECONDS
        squares = self._squares * exp(-elapsed / SQUARES_TIME_CONSTANT)
        found = list[tuple[float, ...]]()
        for (first, second, third), (rate, n0, n1, n2, u0, u1, u2) in zip(_ERRORS, self._scales, strict=True):
            # As `_step`, written out once more, like all of this: it is what such a reader waits for.
            x = elapsed * rate
            decay = exp(-x)
            half = 0.5 * x
            n2 = decay * (n2 + x * (n1 + half * n0))
            n1 = decay * (n1 + x * n0)
            n0 = decay * n0
            u2 = decay * (u2 + x * (u1 + half * u0))
            u1 = decay * (u1 + x * u0)
            u0 = decay * u0
            root, weight = sqrt(n0), sqrt(_intensity(squares, n0, u0))
            n2, u2 = (n0 - 2.0 * n1 + n2) * rate * rate, (u0 - 2.0 * u1 + u2) * rate * rate
            n1, u1 = (n0 - n1) * rate, (u0 - u1) * rate
            e0, e1, e2 = root * first, root * second, root * third
            w0, w1, w2 = weight * first, weight * second, weight * third
            s0, s1, s2 = (n0 / e0, abs(n1) / e1, abs(n2) / e2) if root > 0.0 else _NO_ERROR
            z0, z1, z2 = (abs(u0) / w0, abs(u1) / w1, abs(u2) / w2) if weight > 0.0 else _NO_ERROR
            found.append((n0, e0, s0, n1, e1, s1, n2, e2, s2, u0, w0, z0, u1, w1, z1, u2, w2, z2))
        return found

    def copy(self) -> Kinematics:
        """One that goes on from here by itself."""
        other = Kinematics.__new__(Kinematics)
        other.reset_reason = self.reset_reason
        other._time, other._scales, other._squares = self._time, self._scales, self._squares
        return other

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self._time, self._squares, self._scales


def _step(scales: list[_Scale], elapsed: float, count: float, usd: float) -> list[_Scale]:
    """The sums `elapsed` seconds later, where `count` events of `usd` dollars come in."""
    later = []
    for rate, n0, n1, n2, u0, u1, u2 in scales:
        x = elapsed * rate
        decay = exp(-x)
        half = 0.5 * x
        later.append(
            (
                rate,
                decay * n0 + rate * count,
                decay * (n1 + x * n0),
                decay * (n2 + x * (n1 + half * n0)),
                decay * u0 + rate * usd,
                decay * (u1 + x * u0),
                decay * (u2 + x * (u1 + half * u0)),
            )
        )
    return later


def _intensity(squares: float, count_rate: float, usd_rate: float) -> float:
    """The rate of squared dollars that errors are made of.

    Never less than usd_rate^2 / count_rate, which the sum of squares under the same kernel cannot be below
    (Cauchy-Schwarz): without this the first large event after a quiet hour would look many errors wide.
    """
    return max(squares, usd_rate * usd_rate / count_rate) if count_rate > 0.0 else squares


def _motion(numbers: tuple[float, ...]) -> Motion:
    velocity, of_velocity, _, acceleration, of_acceleration, _, jerk, of_jerk, _ = numbers
    return Motion(
        Derivative(velocity, of_velocity), Derivative(acceleration, of_acceleration), Derivative(jerk, of_jerk)
    )
