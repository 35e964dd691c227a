"""`liquake analyze`: the engine's numbers of a stream that others fill."""

from __future__ import annotations

import asyncio
import sys

from liquake.app import perform
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import SettingError
from liquake.log import Log
from liquake.tiers import redis_of


def analyze(settings: Settings) -> int:
    """Keep the engine's numbers of a stream that others fill."""
    return asyncio.run(_analyze(settings))


async def _analyze(settings: Settings) -> int:
    if not settings.redis:
        raise SettingError("redis", "", "give the address of the stream with --redis: redis://host:6379/0")
    redis_of("redis", settings.redis).check(settings.redis)
    from liquake.analysis import Analysis

    analysis = Analysis(settings, Log(sys.stderr.buffer), WallClock().now)
    await analysis.prove()
    await perform(analysis.run(), settings, analysis.tell)
    return 0
