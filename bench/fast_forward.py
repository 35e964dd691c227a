"""An event loop whose time leaps: real sockets and tasks, without the waiting.

When nothing is ready, the loop's time goes on to the next timer at once. Both ends of every socket must live in this
loop, where what is sent is ready to be read by then; time spent in other threads does not count.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_IDLE = 0.05
"""Seconds of the wall clock between two looks while only another thread can go on."""


class _Leaping(selectors.DefaultSelector):
    """Polls, and counts as passed what it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or (timeout is not None and timeout <= 0.0):
            return ready
        if timeout is None:
            return super().select(_IDLE)
        self.elapsed += timeout
        return ready


class FastForwardLoop(asyncio.SelectorEventLoop):
    """Starts at 0. It is its own clock, `now` beginning at `start`, UTC nanoseconds."""

    def __init__(self, start: int) -> None:
        self._leaping = _Leaping()
        self._start = start
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the start, as timers see them."""
        return self._leaping.elapsed

    def now(self) -> int:
        """UTC nanoseconds."""
        return self._start + round(self._leaping.elapsed * 1e9)


def run(work: Coroutine[Any, Any, _Result], loop: FastForwardLoop) -> _Result:
    """`work` to its end on `loop`, which is closed after it."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work)
