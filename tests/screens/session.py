"""A monitor on a still moment inside an event loop that was already running, for tests that need a real terminal."""

from __future__ import annotations

import asyncio

from liquake.tui.app import MonitorApp, Options
from tests.screens.sources import FixedSource


async def session() -> None:
    """Show the moment until the reader leaves, beside other work of the same loop."""
    beside = asyncio.create_task(asyncio.sleep(3600.0))
    await MonitorApp(FixedSource(), Options(refresh=0.1)).run_async()
    assert not beside.done()
    beside.cancel()
    print("left")  # noqa: T201 - what the test reads


if __name__ == "__main__":
    asyncio.run(session())
