"""A monitor inside an event loop that was already running, for tests that need a real terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence

import msgspec

from liquake.engine.snapshot import Snapshot
from liquake.tui.app import MonitorApp, Options
from liquake.tui.status import JournalStatus, Status
from tests.screens.sources import FixedSource


class CountingSource(FixedSource):
    """Each picture has another number, which stands at its top as events and at its bottom as rows of the journal."""

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        return msgspec.structs.replace(super().snapshot(markets, charts, largest), events=1_000_000 + self.asked)

    def status(self) -> Status:
        # Asked for before the snapshot that it is shown with.
        return msgspec.structs.replace(super().status(), journal=JournalStatus(1_000_001 + self.asked))


async def _work(pulse: int | None) -> None:
    """What else the loop does, for instance reading sockets: one byte into the pipe `pulse` each time."""
    while True:
        await asyncio.sleep(0.02)
        if pulse is not None:
            os.write(pulse, b".")


async def session(source: FixedSource, refresh: float, pulse: int | None) -> None:
    """Show `source` until the reader leaves, beside other work of the same loop."""
    beside = asyncio.create_task(_work(pulse))
    application = MonitorApp(source, Options(refresh=refresh))
    await application.run_async()
    assert not beside.done()
    if application.hung_up:
        await beside
    beside.cancel()
    print("left")  # noqa: T201 - what the test reads


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("pulse", type=int, nargs="?")
    parser.add_argument("--counting", type=float, metavar="REFRESH")
    told = parser.parse_args()
    if told.counting:
        asyncio.run(session(CountingSource(), told.counting, told.pulse))
    else:
        asyncio.run(session(FixedSource(), 0.02, told.pulse))
