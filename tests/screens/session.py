"""A monitor on a still moment inside an event loop that was already running, for tests that need a real terminal."""

from __future__ import annotations

import asyncio
import os
import sys

from liquake.tui.app import MonitorApp, Options
from tests.screens.sources import FixedSource


async def _work(pulse: int | None) -> None:
    """What else the loop does, for instance reading sockets: one byte into the pipe `pulse` each time."""
    while True:
        await asyncio.sleep(0.02)
        if pulse is not None:
            os.write(pulse, b".")


async def session(pulse: int | None) -> None:
    """Show the moment until the reader leaves, beside other work of the same loop."""
    beside = asyncio.create_task(_work(pulse))
    await MonitorApp(FixedSource(), Options(refresh=0.02)).run_async()
    assert not beside.done()
    beside.cancel()
    print("left")  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(session(int(sys.argv[1]) if len(sys.argv) > 1 else None))
