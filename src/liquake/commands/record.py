"""`liquake record`: raw frames to a file, for `liquake replay` and for fixtures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import liquake
from liquake.app import perform
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import OutputError
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.ingest.transcript import Transcript
from liquake.log import Log
from liquake.markets import assets_of
from liquake.model import Event, FeedStatus, Gap
from liquake.venues import find_venues
from liquake.venues.assets import KNOWN_ASSETS

FLUSH_EVERY = 0.5
"""Seconds: a process that is killed loses no more than these."""
_PROGRESS_EVERY = 60.0


def record(settings: Settings, file: Path) -> int:
    """Keep the frames of the venues in `file`, which must be a new one. Raises `OutputError`."""
    return asyncio.run(_record(settings, file))


async def _record(settings: Settings, file: Path) -> int:
    chosen = find_venues(settings.exchanges)
    assets = await assets_of(settings.symbols, chosen, settings.endpoints, KNOWN_ASSETS)
    clock = WallClock()
    with Transcript(file, chosen, liquake.__version__) as transcript:
        clerk = Clerk(transcript, Log(sys.stderr.buffer), clock)
        feeds = feeds_of(
            transcript.venues,
            clock,
            clerk.receive,
            assets=assets,
            addresses=settings.endpoints,
            accounts=settings.accounts,
        )
        clerk.say("started", version=liquake.__version__, exchanges=[venue.name for venue in chosen])
        await perform(supervise(feeds), settings, clerk.run)
    if transcript.trouble:
        raise OutputError(file, transcript.trouble)
    clerk.say("stopped", frames=transcript.frames)
    return 0


class Clerk:
    """Sees to it that what is written down gets into the file, and logs what becomes of the feeds."""

    def __init__(self, transcript: Transcript, log: Log, clock: WallClock) -> None:
        self._transcript, self._log, self._clock = transcript, log, clock

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Write down what no frame carried, and log what is of a feed."""
        self._transcript.receive(events, frame, connection, ts_recv)
        for event in events:
            if isinstance(event, FeedStatus | Gap):
                self.say("feed" if isinstance(event, FeedStatus) else "gap", **msgspec.structs.asdict(event))

    async def run(self, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
        """Until `stop` is set, `working` ends or the file takes no more."""
        stopping = asyncio.create_task(stop.wait())
        flushes = 0
        try:
            while not (stop.is_set() or working.done() or self._transcript.trouble):
                await asyncio.wait((stopping, working), timeout=FLUSH_EVERY, return_when=asyncio.FIRST_COMPLETED)
                self._transcript.flush()
                flushes += 1
                if flushes * FLUSH_EVERY % _PROGRESS_EVERY == 0:
                    self.say("progress", frames=self._transcript.frames)
        finally:
            stopping.cancel()

    def say(self, event: str, **fields: Any) -> None:
        """Log `event`, now."""
        self._log.write(event, self._clock.now(), **fields)
