"""`liquake monitor` and the commands of one page: the venues themselves, or another source of the same pictures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import liquake
from liquake.app import perform, watch
from liquake.clock import WallClock
from liquake.commands.demo import demo
from liquake.commands.replay import replay
from liquake.config import Settings
from liquake.ingest.recording import is_journal
from liquake.mirror import Mirror
from liquake.storage.lock import is_written
from liquake.terminal import leave, on_terminal
from liquake.tiers import redis_of
from liquake.tui.status import Mode, Status
from liquake.venues import find_venue


def monitor(settings: Settings) -> int:
    """Watch the venues themselves, or what another process makes of them."""
    if settings.source == "live":
        return asyncio.run(watch(settings, Mode.LIVE, settings.endpoints))
    if settings.source == "demo":
        return demo(settings)
    if "://" in settings.source:
        return asyncio.run(_attach(settings))
    file = Path(settings.source)
    if is_journal(file) and is_written(file):
        return asyncio.run(_mirror(settings, file))
    return replay(settings, file, 1.0, as_json=False)


async def _attach(settings: Settings) -> int:
    redis = redis_of("source", settings.source)
    redis.check(settings.source, "source")
    from liquake.attach import Attached

    clock = WallClock()
    status = Status(Mode.LIVE, liquake.__version__, clock.now(), clock.now(), refresh=settings.refresh)
    attached = Attached(settings.source, status, clock.now)
    await attached.prove()
    await perform(attached.run(), settings, on_terminal(attached, settings))
    return 0


async def _mirror(settings: Settings, journal: Path) -> int:
    clock = WallClock()
    status = Status(Mode.LIVE, liquake.__version__, clock.now(), clock.now(), refresh=settings.refresh)
    mirror = Mirror(journal, settings, status, clock)
    await perform(mirror.run(), settings, on_terminal(mirror, settings))
    leave(mirror.mirrored, [find_venue(name) for name in mirror.exchanges], settings)
    return 0
