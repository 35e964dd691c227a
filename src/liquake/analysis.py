"""An engine on the Redis stream of another machine's collector.

Part of the composition root: imported where its client is known to be installed.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Snapshot
from liquake.log import Log
from liquake.storage.current import StateWriter
from liquake.storage.group import Analyst
from liquake.storage.redis import connect, disconnect
from liquake.venues import VENUES

_LOOK_EVERY = 1.0


class Analysis:
    """One member of those who analyse the stream told of in `settings`."""

    def __init__(self, settings: Settings, log: Log, now: Callable[[], int]) -> None:
        self._settings, self._log, self._now = settings, log, now
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._begin()
        writer = StateWriter(settings.redis, self.snapshot)
        self._analyst = Analyst(
            settings.redis, self._name, self._begin, lambda event: self._engine.apply(event), writer
        )

    def _begin(self) -> None:
        coverages = {venue.name: venue.coverage for venue in VENUES.values()}
        self._engine = Engine(coverages, include_samples=self._settings.samples)

    def snapshot(self) -> Snapshot:
        """The engine at this moment."""
        return self._engine.snapshot(self._now())

    async def prove(self) -> None:
        """Raises `SinkRefused` or `SinkDown` where the server does not let us in or is not there."""
        client, _ = await connect(self._settings.redis)
        await disconnect(client)

    async def run(self) -> None:
        """Until cancelled."""
        await self._analyst.run()

    async def tell(self, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
        """Log whether this one is at work, until `stop` is set or `working` ends."""
        said: tuple[bool, str] | None = None
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and not working.done():
                state = self._analyst.leading, self._analyst.trouble
                if state != said:
                    said = state
                    what = "at work" if state[0] else "waiting"
                    self._log.write(what, self._now(), name=self._name, redis=self._analyst.address, trouble=state[1])
                await asyncio.wait((stopping, working), timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
