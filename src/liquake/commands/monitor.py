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
from liquake.terminal import on_terminal
from liquake.tiers import redis_of
from liquake.tui.status import Mode, Status


def monitor(settings: Settings) -> int:
    """Watch the venues themselves, or what another process makes of them."""
    if settings.source == "live":
        return asyncio.run(watch(settings, Mode.LIVE, settings.endpoints))
    if settings.source == "demo":
        return demo(settings)
    if "://" in settings.source:
        return asyncio.run(_attach(settings))
    return replay(settings, Path(settings.source), 1.0, as_json=False)


async def _attach(settings: Settings) -> int:
    redis = redis_of("source", settings.source)
    redis.check(settings.source)
    from liquake.attach import Attached

    clock = WallClock()
    status = Status(Mode.LIVE, liquake.__version__, clock.now(), clock.now(), refresh=settings.refresh)
    attached = Attached(settings.source, status, clock.now)
    await attached.prove()
    await perform(attached.run(), settings, on_terminal(attached, settings))
    return 0
