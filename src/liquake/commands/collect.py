"""`liquake collect`: a run without a screen, which says what happens, a line each."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import liquake
from liquake.app import gathering, perform
from liquake.clock import WallClock
from liquake.collector import Collector
from liquake.config import Settings
from liquake.errors import SettingError
from liquake.log import Log
from liquake.storage.journal import Journal, default_path
from liquake.tiers import sinks_of
from liquake.tui.status import Mode, Status
from liquake.venues import find_venues


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
