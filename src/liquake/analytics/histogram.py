"""What is usual here: a histogram of magnitudes that forgets.

Buckets grow by 5 %, so every quantile is right to 2.5 % whatever the scale (DDSketch, Masson et al. 2019,
arXiv:1908.10693). Older samples weigh less by forward decay (Cormode et al. 2009, ICDE): a newer sample is added with
more weight instead of every bucket being multiplied down, so one sample costs one addition and the order of arrival
does not matter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp, floor, isfinite, log
from typing import Any, Self

from liquake.errors import StateError

_SECOND = 1_000_000_000
WEEK = 7 * 86_400.0
_MOST = log(1e12)
"""Logarithm of the importance at which everything is scaled down, far from the end of the floats."""
_SCHEMA = 1


class DecayedHistogram:
    """Ranks and quantiles of what a magnitude has been, a sample `half_life` seconds old counting half.

    Values at or below `least` share one bucket: magnitudes that are nought most of the time, like the intensity of a
    quiet market, keep their ranks. Weights are in samples of now.

    >>> sizes = DecayedHistogram()
    >>> for size in range(1, 1001):
    ...     sizes.update(size, ts=0)
    >>> round(sizes.rank(900), 2), round(sizes.quantile(0.5) / 500, 1)
    (0.91, 1.0)
    """

    def __init__(self, half_life: float = WEEK, ratio: float = 1.05, least: float = 1e-9) -> None:
        self._half_life, self._ratio, self._least = half_life, ratio, least
        self._growth = log(ratio)
        self._per_ns = log(2.0) / (half_life * _SECOND)
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget everything, and keep `reason` to be shown."""
        self.reason = reason
        self._origin = self._newest = 0
        self._below = self._total = 0.0
        self._low = 0
        self._weights: list[float] = []

    def update(self, value: float, ts: int, weight: float = 1.0) -> None:
        """Add one sample of time `ts`, UTC nanoseconds. Late ones weigh what they would have weighed in time.

        A value that is not a finite number is left out.
        """
        if not isfinite(value) or weight <= 0.0:
            return
        mass = weight * self._importance(ts)
        self._total += mass
        if value <= self._least:
            self._below += mass
        else:
            self._weights[self._place(self._bucket(value))] += mass

    def prime(self, quantiles: Sequence[float], ts: int, weight: float) -> None:
        """Start from a shipped baseline: equally spaced `quantiles`, together as heavy as `weight` samples of `ts`.

        It then fades as any sample does, while the market's own samples take over.
        """
        for value in quantiles:
            self.update(value, ts, weight / len(quantiles))

    def rank(self, value: float) -> float:
        """The share of the weight that lies below `value`, half of its own bucket included: 0 to 1.

        `value` counts as one more sample of the newest time, so that few samples cannot make an extreme: the largest
        of nine ranks 0.95, not 1.
        """
        one = exp((self._newest - self._origin) * self._per_ns)
        if value <= self._least:
            return (0.5 * (self._below + one)) / (self._total + one)
        place = self._bucket(value) - self._low
        below = self._below + sum(self._weights[: max(place, 0)])
        equal = self._weights[place] if 0 <= place < len(self._weights) else 0.0
        return (below + 0.5 * (equal + one)) / (self._total + one)

    def quantile(self, share: float) -> float:
        """The value below which `share` (0 to 1) of the weight lies, to half a bucket; 0 when nothing is known."""
        goal = share * self._total
        if not self._weights or goal <= self._below:
            return 0.0
        reached = list(accumulate(self._weights, initial=self._below))
        # Rounding can leave the sum of the buckets below the total.
        return self._middle(min(bisect_left(reached, goal), len(self._weights)) - 1)

    def weight(self, now: int) -> float:
        """How many samples of `now` all that is held is worth."""
        return self._total * exp(-(now - self._origin) * self._per_ns)

    def to_dict(self) -> dict[str, Any]:
        """A plain form for the journal; `from_dict` gives the same histogram back, bit for bit."""
        return {
            "schema": _SCHEMA,
            "half_life": self._half_life,
            "ratio": self._ratio,
            "least": self._least,
            "origin": self._origin,
            "newest": self._newest,
            "below": self._below,
            "total": self._total,
            "low": self._low,
            "weights": list(self._weights),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """The histogram that `to_dict` wrote. Raises `StateError` when it was written in another form."""
        if kept.get("schema") != _SCHEMA:
            raise StateError("histogram", f"schema {kept.get('schema')!r}, this version reads {_SCHEMA}")
        histogram = cls(kept["half_life"], kept["ratio"], kept["least"])
        histogram.reason = kept["reason"]
        histogram._origin, histogram._newest = kept["origin"], kept["newest"]
        histogram._below, histogram._total = kept["below"], kept["total"]
        histogram._low, histogram._weights = kept["low"], list(kept["weights"])
        return histogram

    def _importance(self, ts: int) -> float:
        """The weight of a sample of `ts` on the scale of `_origin`."""
        if self._total == 0.0:
            self._origin = self._newest = ts
        self._newest = max(self._newest, ts)
        exponent = (ts - self._origin) * self._per_ns
        if exponent > _MOST:
            self._rescale(exp(-exponent))
            self._origin = ts
            return 1.0
        return exp(exponent)

    def _rescale(self, factor: float) -> None:
        self._below *= factor
        self._total *= factor
        self._weights = [mass * factor for mass in self._weights]

    def _bucket(self, value: float) -> int:
        return floor(log(value / self._least) / self._growth)

    def _middle(self, place: int) -> float:
        return float(self._least * self._ratio ** (self._low + place + 0.5))

    def _place(self, bucket: int) -> int:
        """Where in the list `bucket` is, once the list has been grown to hold it."""
        if not self._weights:
            self._low = bucket
        if bucket < self._low:
            self._weights[:0] = [0.0] * (self._low - bucket)
            self._low = bucket
        place = bucket - self._low
        if place >= len(self._weights):
            self._weights.extend([0.0] * (place + 1 - len(self._weights)))
        return place
