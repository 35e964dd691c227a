"""What a venue has published or would tell when asked: the past that snapshots and histories are made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TypeVar

from liquake.simulate.contracts import Published
from liquake.simulate.server import Row

_KEPT = 20_000
_Kept = TypeVar("_Kept")


def insert(kept: deque[_Kept], new: _Kept, time: Callable[[_Kept], int]) -> None:
    """Add `new` to `kept`, which is in order of `time`: what arrives late goes before what overtook it."""
    later = []
    while kept and time(kept[-1]) > time(new):
        later.append(kept.pop())
    kept.append(new)
    kept.extend(reversed(later))


class Past:
    """The rows of one venue, as sent, in order of time; with each that is a liquidation, the truth about it."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, Row | list[object], Published | None]] = deque(maxlen=_KEPT)
        self._untold: dict[str, Published] = {}

    def add(self, milliseconds: int, row: Row | list[object], event: Published | None = None) -> None:
        """Remember `row`. Its liquidation counts as untold until `tell` is called with its key."""
        if len(self._rows) == _KEPT and (forgotten := self._rows[0][2]) is not None:
            self._untold.pop(forgotten.key, None)
        insert(self._rows, (milliseconds, row, event), itemgetter(0))
        if event is not None:
            self._untold[event.key] = event

    def tell(self, *keys: str) -> list[Published]:
        """Those of `keys` that nobody had been told; now somebody has."""
        return [event for key in keys if (event := self._untold.pop(key, None)) is not None]

    def newest_first(self) -> Iterator[tuple[int, Row | list[object], Published | None]]:
        """Times in milliseconds, rows, and liquidations."""
        return reversed(self._rows)
