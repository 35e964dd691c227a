"""How much likelier a cascade has been in each regime than on average: counted, not assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from liquake.errors import StateError

_SCHEMA = 1
PRIOR = (0.3, 0.6, 1.0, 2.0, 5.0, 12.0)
"""The multiplier of each level, calmest first, until data speak: the order is expected, the sizes are guesses."""
TIME_SHARES = (0.3, 0.4, 0.2, 0.08, 0.018, 0.002)
"""How much of the time the levels hold by their definition as ranks."""
PRIOR_EPISODES = 50.0
"""What the prior is worth in all, spread over the levels as time is."""


class RiskMultiplier:
    """Episodes that began in each level against those to be expected from the time spent in it.

    Shrunken towards `PRIOR` and made monotone by pooling neighbours that are out of order (pool adjacent violators;
    Ayer et al. 1955, Ann. Math. Statist. 26:641). For display: the probability has its own features, and multiplying
    it by this would count them twice.
    """

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget what was counted, and keep `reason` to be shown."""
        self.reason = reason
        self._seconds = [0.0] * len(PRIOR)
        self._episodes = [0] * len(PRIOR)

    def update(self, level: int, seconds: float) -> None:
        """Add `seconds` spent in `level`."""
        self._seconds[level] += seconds

    def episode(self, level: int) -> None:
        """Count an episode that began out of `level`: the one that held before it, which it cannot have caused."""
        self._episodes[level] += 1

    def value(self) -> tuple[float, ...]:
        """One multiplier per level, never falling."""
        per_second = sum(self._episodes) / max(sum(self._seconds), 1.0)
        weights = [
            per_second * seconds + PRIOR_EPISODES * share
            for seconds, share in zip(self._seconds, TIME_SHARES, strict=True)
        ]
        lifts = [
            (episodes + PRIOR_EPISODES * share * prior) / weight
            for episodes, share, prior, weight in zip(self._episodes, TIME_SHARES, PRIOR, weights, strict=True)
        ]
        return tuple(monotone(lifts, weights))

    @property
    def episodes(self) -> int:
        """How many were counted."""
        return sum(self._episodes)

    def to_dict(self) -> dict[str, Any]:
        """A plain form for the journal."""
        return {"schema": _SCHEMA, "seconds": list(self._seconds), "episodes": list(self._episodes)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote. Raises `StateError` when it was written in another form."""
        if kept.get("schema") != _SCHEMA:
            raise StateError("risk multiplier", f"schema {kept.get('schema')!r}, this version reads {_SCHEMA}")
        multiplier = cls()
        multiplier._seconds, multiplier._episodes = list(kept["seconds"]), list(kept["episodes"])
        return multiplier


def monotone(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The never falling sequence nearest to `values` in weighted squares.

    >>> monotone([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    [1.0, 2.5, 2.5, 4.0]
    """
    pools: list[tuple[float, float, int]] = []
    for pair in zip(values, weights, strict=True):
        value, weight, size = *pair, 1
        while pools and pools[-1][0] > value:
            before, heavy, many = pools.pop()
            value = (before * heavy + value * weight) / (heavy + weight)
            weight, size = weight + heavy, size + many
        pools.append((value, weight, size))
    return [value for value, _, size in pools for _ in range(size)]
