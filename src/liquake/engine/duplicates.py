"""Which events have been seen."""

from __future__ import annotations

REMEMBERED = 24 * 3600 * 1_000_000_000
"""Nanoseconds of event time for which a key is remembered at least: longer than a venue's history is asked for."""
CAPACITY = 50_000
"""Keys that are remembered at least as long as no older ones are: ten minutes of 83 events per second."""
FEW = 10_000
"""Keys that are remembered however old they are.

On subscribing, Kraken and dYdX repeat a market's last hundred trades and Bitfinex its last liquidations: of a quiet
market those are days old."""


class Duplicates:
    """The keys of one venue's recent events, in two generations.

    When the younger generation is full, or old and more than `few`, it becomes the elder, and the elder is forgotten: a
    key is remembered for between one and two times the limits, at the cost of a look into two sets.
    """

    __slots__ = ("_capacity", "_elder", "_few", "_recalled", "_started", "_younger")

    def __init__(self, capacity: int = CAPACITY, few: int = FEW) -> None:
        self._capacity, self._few = capacity, few
        self._younger: set[str] = set()
        self._elder: set[str] = set()
        self._recalled: set[str] = set()
        self._started = 0

    def seen(self, key: str, time: int) -> bool:
        """Whether `key` is known; if not, remember it. `time` is its event time, UTC nanoseconds."""
        younger = self._younger
        if key in younger or key in self._elder or key in self._recalled:
            return True
        held = len(younger)
        if held >= self._capacity or (held >= self._few and time >= self._started + REMEMBERED):
            self._elder, self._younger = younger, set()
            younger = self._younger
            self._started = max(time, self._started)
        elif not held:
            self._started = max(time, self._started)
        younger.add(key)
        return False

    def recalled(self, key: str) -> bool:
        """Whether `key` is known; if not, remember it for good.

        Of what happened before this process began: on connecting, a venue may send again what is hours old.
        """
        if key in self._recalled:
            return True
        self._recalled.add(key)
        return False
