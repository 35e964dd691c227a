"""`liquake collect`: a run without a screen, which says what happens, a line each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

import liquake
from liquake.app import gathering, perform
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import SettingError
from liquake.log import Log
from liquake.model import DecodeError, Event, FeedStatus, Gap
from liquake.storage.journal import Journal, default_path
from liquake.storage.sink import SinkState
from liquake.tiers import Tiers, sinks_of
from liquake.tui.status import Mode, Status
from liquake.venues import find_venues

PROGRESS_EVERY = 60.0
"""Seconds between two lines of counts."""
_LOOK_EVERY = 1.0


def collect(settings: Settings) -> int:
    """Watch the venues without a screen."""
    return asyncio.run(_collect(settings))


async def _collect(settings: Settings) -> int:
    if settings.journal == "off":
        raise SettingError("journal", "off", "what is collected goes into it: name a file, or leave it out")
    clock, log = WallClock(), Log(sys.stderr.buffer)
    now = clock.now()
    status = Status(Mode.LIVE, liquake.__version__, now, now)
    journal = Journal(Path(settings.journal) if settings.journal else default_path())
    async with gathering(settings, status, settings.endpoints, journal) as (run, work):
        collector = Collector(log, journal, run.tiers, clock.now)
        run.hear = collector.hear
        stores = [sink.address for sink in sinks_of(settings)]
        log.write(
            "started",
            now,
            version=liquake.__version__,
            exchanges=[venue.name for venue in find_venues(settings.exchanges)],
            journal=str(journal.path),
            stores=stores,
            recalled=run.recalled,
        )
        await perform(work, settings, collector.run)
        await journal.flushed()
        drained = await run.tiers.drained()
        collector.progress("stopped" if drained else "stopped with rows still to send")
    return 0


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
