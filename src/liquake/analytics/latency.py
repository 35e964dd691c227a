"""Percentiles of delays, from a histogram of logarithmic buckets."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from math import log

import msgspec

_RATIO = 1.05
_SMALLEST = 1_000.0
"""Nanoseconds: the first bucket is everything up to a microsecond."""
_PER_LOG = 1.0 / log(_RATIO)
_BUCKETS = 850
"""Reaches 1.05^849 us, some thirty thousand years."""


class Quantiles(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds, from a histogram with buckets of 5 %. `count` 0 means none measured."""

    count: int = 0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0


class Latency:
    """Delays since the start, each bucket 5 % wider than the one before."""

    __slots__ = ("_buckets", "_count", "_worst", "reset_reason")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every delay. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._buckets = array("q", bytes(8 * _BUCKETS))
        self._count = 0
        self._worst = 0

    def update(self, delay: int) -> None:
        """Add one delay in nanoseconds. A negative one, of a clock ahead of ours, counts as none."""
        self._count += 1
        if delay > self._worst:
            self._worst = delay
        self._buckets[int(log(delay / _SMALLEST) * _PER_LOG) + 1 if delay > _SMALLEST else 0] += 1

    def value(self) -> Quantiles:
        """The percentiles of everything added. Each is the upper edge of its bucket: up to 5 % more than the truth."""
        if not self._count:
            return Quantiles()
        reached = list(accumulate(self._buckets))
        middle, tail = (self._edge(bisect_left(reached, share * self._count)) for share in (0.50, 0.99))
        return Quantiles(self._count, middle, tail, self._worst / 1e6)

    def _edge(self, bucket: int) -> float:
        return min(_SMALLEST * _RATIO**bucket, self._worst) / 1e6

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self._count, self._worst, self._buckets.tolist()


def merged(latencies: Iterable[Latency]) -> Latency:
    """All of them as one."""
    result = Latency()
    for latency in latencies:
        result._count += latency._count
        result._worst = max(result._worst, latency._worst)
        result._buckets = array("q", map(int.__add__, result._buckets, latency._buckets))
    return result
