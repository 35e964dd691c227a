"""Replay: any sequence of events, given out at its own pace or a faster one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from liquake.clock import SECOND, ManualClock
from liquake.errors import SettingError
from liquake.model import Event, FeedEvent, Gap

TICK = 0.05
"""Seconds between two turns of the clock while nothing happens."""
_BURST = 256
"""Events given out at most before the event loop has its turn."""


def moment(event: Event) -> int:
    """When `event` reached us, UTC nanoseconds; of a gap, when it was over."""
    if isinstance(event, Gap):
        return event.end
    if isinstance(event, FeedEvent):
        return event.ts
    return event.ts_recv


class Replay:
    """Gives `events` to `emit` in their order, and turns `clock` to the moment of each before.

    What is emitted, and what the clock then says, is the same at every speed and with every pause. The clock never
    runs back: an event from before its predecessor comes at once. Between events it moves on in steps of `tick`
    seconds, so that what decays is seen decaying.

    `span` is when the first and last event were received, where known; `now` and `sleep` are the wall's, in seconds.
    `again` makes going back possible: it undoes what has been emitted, and gives the events once more from the first.
    """

    def __init__(
        self,
        events: Iterable[Event],
        emit: Callable[[Event], object],
        clock: ManualClock,
        *,
        speed: float | None = None,
        span: tuple[int, int] | None = None,
        again: Callable[[], Iterable[Event]] | None = None,
        tick: float = TICK,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._events, self._emit, self._clock = events, emit, clock
        self._span, self._tick, self._now, self._sleep = span, tick, now, sleep
        self._again = again
        self._back: int | None = None
        """Where to go on from after beginning again."""
        self._sought = asyncio.Event()
        self.speed = speed
        self.finished = False
        self._running = asyncio.Event()
        self._running.set()
        # Where the recording would be by the wall: ahead of the clock while events are waiting to be given out.
        self._playhead = 0
        self._seen = 0.0

    @property
    def speed(self) -> float | None:
        """Recorded seconds per second of the wall; `None` for as fast as it goes. May be changed while it runs."""
        return self._speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        if speed is not None and not 0.0 < speed < float("inf"):
            raise SettingError("speed", speed, "give a number above 0, or max")
        self._speed = speed

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Stand still until `resume`."""
        self._running.clear()

    def resume(self) -> None:
        """Go on from where it stood."""
        self._running.set()

    @property
    def progress(self) -> float | None:
        """How much of the recording's time has passed, 0 to 1; `None` while not known."""
        if self.finished:
            return 1.0
        if self._span is None:
            return None
        first, last = self._span
        done = (self._clock.now() - first) / max(last - first, 1)
        return min(max(done, 0.0), 1.0)

    def seek(self, target: int) -> bool:
        """Go to the moment `target`, UTC nanoseconds, by giving out everything up to it without waiting.

        Going back begins again. Whether it can be done: not back without `again`, nor on after the end.
        """
        if target < self._clock.now():
            if self._again is None:
                return False
            self._back = target
            self._sought.set()
            return True
        self._playhead = max(self._playhead, target)
        return not self.finished

    async def run(self, *, stay: bool = False) -> None:
        """Give out everything. With `stay` the end is not the end: whoever watches may still go back."""
        events, start = self._events, None
        while True:
            await self._give_out(events, start)
            if self._back is None:
                self.finished = True
                if not stay or self._again is None:
                    return
                await self._sought.wait()
            assert self._again is not None
            events, start = self._again(), self._back
            self._back, self.finished = None, False
            self._sought.clear()

    async def _give_out(self, events: Iterable[Event], start: int | None) -> None:
        """All of `events`, without waiting up to the moment `start`; fewer when somebody goes back."""
        waiting = 0
        started = False
        for event in events:
            due = moment(event)
            if not started:
                started = True
                self._clock.set(due)
                self._playhead, self._seen = max(due, start or due), self._now()
            due = max(due, self._clock.now())
            waited = await self._reach(due)
            if self._back is not None:
                return
            waiting = 0 if waited else waiting + 1
            if waiting == _BURST:
                waiting = 0
                await self._sleep(0)
            self._clock.set(due)
            self._emit(event)

    async def _reach(self, due: int) -> bool:
        """Wait until `due` has come. Whether there was any waiting."""
        waited = False
        while True:
            if self.paused:
                await self._running.wait()
                self._seen = self._now()
                waited = True
            if self._speed is None:
                self._playhead, self._seen = due, self._now()
                return waited
            self._roll(self._speed)
            if self._playhead >= due:
                return waited
            if self._back is not None:
                return waited
            self._clock.set(self._playhead)
            await self._sleep(min((due - self._playhead) / SECOND / self._speed, self._tick))
            waited = True

    def _roll(self, speed: float) -> None:
        now = self._now()
        self._playhead += round((now - self._seen) * SECOND * speed)
        self._seen = now
