"""A run without a screen: what becomes of it goes into a log, a line each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from liquake.log import Log
from liquake.model import DecodeError, Event, FeedStatus, Gap
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.sink import SinkState
from liquake.tiers import Tiers

PROGRESS_EVERY = 60.0
"""Seconds between two lines of counts."""
_LOOK_EVERY = 1.0


class Collector:
    """Logs what becomes of the feeds, the journal and the stores behind it."""

    def __init__(self, log: Log, journal: Journal, tiers: Tiers, now: Callable[[], int]) -> None:
        self._log, self._journal, self._tiers, self._now = log, journal, tiers, now
        self._said: dict[str, tuple[str, str]] = {}

    def hear(self, event: Event) -> None:
        """Log `event` where it is one of a feed's troubles or states."""
        if isinstance(event, DecodeError):
            fields = {"venue": event.venue, "connection": event.connection, "reason": event.reason}
            self._log.write("unreadable frame", self._now(), **fields)
        elif isinstance(event, FeedStatus | Gap):
            name = "feed" if isinstance(event, FeedStatus) else "gap"
            self._log.write(name, self._now(), **msgspec.structs.asdict(event))

    async def run(self, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
        """Until `stop` is set or `working` ends."""
        stopping = asyncio.create_task(stop.wait())
        looks = 0
        try:
            while not stop.is_set() and not working.done():
                if looks * _LOOK_EVERY % PROGRESS_EVERY == 0:
                    self.progress("progress")
                self._look()
                looks += 1
                await asyncio.wait((stopping, working), timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    def progress(self, event: str) -> None:
        """Log every count."""
        kept = self._journal.statistics()
        self._log.write(
            event,
            self._now(),
            journal=msgspec.structs.asdict(kept),
            stores=[msgspec.structs.asdict(sink) for sink in self._tiers.statistics()],
        )

    def _look(self) -> None:
        """Log the journal and each store whose state is another than it was."""
        trouble = self._journal.statistics().trouble
        self._say("journal", "FAILED" if trouble else "WRITING", trouble)
        for sink in self._tiers.statistics():
            # Catching up is no news: it is what a store does after any burst.
            state = SinkState.FOLLOWING if sink.state is SinkState.CATCHING_UP else sink.state
            self._say(sink.name, str(state), sink.trouble)
        self._say("keys", *self._tiers.keys())
        window = self._tiers.window()
        self._say("window", "FAILED" if window else "", window)

    def _say(self, store: str, state: str, trouble: str) -> None:
        if self._said.get(store, ("", "")) != (state, trouble):
            self._said[store] = state, trouble
            self._log.write("store", self._now(), store=store, state=state, trouble=trouble)


def log_of(journal: Path) -> Path:
    """Where a run that has lost its terminal says what becomes of it: beside its journal."""
    return journal.with_name(journal.name + ".log")


async def collect_alone(run: Run, journal: Journal, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
    """Go on without the terminal until `stop` is set or `working` ends; the log says how to see the run again."""
    with _opened(log_of(journal.path)) as stream:
        log = Log(stream)
        collector = Collector(log, journal, run.tiers, run.clock.now)
        run.hear = collector.hear
        log.write(
            "the terminal is gone",
            run.clock.now(),
            process=os.getpid(),
            attach=f"liquake monitor --source {journal.path}",
        )
        await collector.run(stop, working)
        run.hear = None
        await journal.flushed()
        collector.progress("stopped")


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError:
        # Counting and keeping are worth more than telling.
        return Path(os.devnull).open("ab")
