"""What a venue that replays its latest trades to each new subscriber has to replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from liquake.simulate.contracts import Published

Row = dict[str, Any]


class Tape:
    """The latest `length` rows of each contract, and which liquidations among them nobody has been told yet."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._rows: dict[str, deque[Row]] = {}
        self._untold: dict[str, list[tuple[Row, Published]]] = {}

    def add(self, symbol: str, row: Row, untold: Published | None = None) -> None:
        """Keep `row`. `untold` is the truth about it where it was a liquidation and no connection took it."""
        self._rows.setdefault(symbol, deque(maxlen=self._length)).append(row)
        if untold is not None:
            self._untold.setdefault(symbol, []).append((row, untold))

    def latest(self, symbol: str, count: int) -> list[Row]:
        """The latest `count` rows, newest first."""
        return list(self._rows.get(symbol, ()))[: -count - 1 : -1]

    def told(self, symbol: str, rows: Sequence[Row]) -> list[Published]:
        """Somebody has taken `rows`: the truth about those of them that nobody had been told before."""
        numbers = {id(row) for row in rows}
        waiting = self._untold.pop(symbol, [])
        self._untold[symbol] = [(row, event) for row, event in waiting if id(row) not in numbers]
        return [event for row, event in waiting if id(row) in numbers]
