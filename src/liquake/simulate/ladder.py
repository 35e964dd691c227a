"""Where leveraged positions would be liquidated: dollars on a grid of prices."""

from __future__ import annotations

from math import exp, floor
from random import Random

from liquake.model import Side

CELLS = 10_000
"""Grid cells per unit of log price: a cell is one basis point."""

_LEVERAGES = ((100, 0.05), (50, 0.10), (25, 0.14), (15, 0.19), (10, 0.26), (5, 0.18), (3, 0.08))
_MAINTENANCE = 0.004
_NEAREST = 0.003
DISTANCES = tuple((max(1 / leverage - _MAINTENANCE, _NEAREST), weight) for leverage, weight in _LEVERAGES)
"""How far from entry, in log price, positions are liquidated, and the share of the notional that is."""


class Ladder:
    """The open positions of one side, by the price that liquidates them.

    They are closed by their owners at a constant rate. Instead of shrinking every cell all the time, the dollars are
    kept as they would have been at time zero, and `_scale` brings them to now.
    """

    def __init__(self, side: Side, life: float) -> None:
        self._life = life
        self._away = -1 if side is Side.LONG else 1
        self._cells: dict[int, float] = {}
        self._scale = 1.0

    def age_to(self, seconds: float) -> None:
        """Close what owners close until `seconds` after the start."""
        self._scale = exp(-seconds / self._life)

    def open(self, log_price: float, usd: float, rng: Random) -> None:
        """Add `usd` of new positions entered at `log_price`, over all leverages."""
        for distance, weight in DISTANCES:
            self.put(log_price + self._away * distance * (0.6 + 0.8 * rng.random()), usd * weight)

    def put(self, log_price: float, usd: float) -> None:
        """Add `usd` that is liquidated at `log_price`."""
        cell = floor(log_price * CELLS)
        self._cells[cell] = self._cells.get(cell, 0.0) + usd / self._scale

    def take(self, before: int, after: int) -> float:
        """Remove and return the dollars between two prices, as the price goes from cell `before` to cell `after`."""
        pop = self._cells.pop
        cells = range(after + 1, before + 1) if self._away < 0 else range(before, after)
        return sum([pop(cell, 0.0) for cell in cells]) * self._scale

    def density(self, log_price: float, width: int = 30) -> float:
        """Dollars per unit of log price over the `width` cells that come next."""
        first = floor(log_price * CELLS)
        ahead = range(first - width + 1, first + 1) if self._away < 0 else range(first, first + width)
        return sum(self._cells.get(cell, 0.0) for cell in ahead) * self._scale / width * CELLS

    @property
    def usd(self) -> float:
        """All that is open."""
        return sum(self._cells.values()) * self._scale
