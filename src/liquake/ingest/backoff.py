"""How long to wait before the next attempt."""

from __future__ import annotations

from random import Random


class Backoff:
    """Exponential delays with full jitter, so that a venue's restart is not answered by every client at once.

    Reset it after data, never after a mere connection: a venue that accepts and then drops at once would be hammered.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    def __init__(self, first: float, most: float, random: Random) -> None:
        self.first, self.most = first, most
        self.attempts = 0
        self._random = random

    def next(self) -> float:
        """Seconds to wait now: between half the ceiling and the ceiling, which doubles up to `most`."""
        ceiling = min(self.most, self.first * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        return ceiling * (0.5 + 0.5 * self._random.random())

    def reset(self) -> None:
        """Begin again with `first`."""
        self.attempts = 0
