"""`liquake analyze`: the engine's numbers of a stream that others fill."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from liquake.app import ended, engine_of, models_of, perform, refit
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import SettingError
from liquake.log import Log
from liquake.markets import asset_named
from liquake.tiers import redis_of
from liquake.tui.status import Mode
from liquake.venues import find_venues

if TYPE_CHECKING:
    from liquake.analysis import Analysis


def analyze(settings: Settings) -> int:
    """Keep the engine's numbers of a stream that others fill."""
    return asyncio.run(_analyze(settings))


async def _analyze(settings: Settings) -> int:
    if not settings.redis:
        raise SettingError("redis", "", "give the address of the stream with --redis: redis://host:6379/0")
    redis_of("redis", settings.redis).check(settings.redis)
    from liquake.analysis import Analysis

    venues, models = find_venues(settings.exchanges), models_of(settings, Mode.LIVE)
    analysis = Analysis(
        settings,
        Log(sys.stderr.buffer),
        WallClock(),
        lambda: engine_of(venues, settings, models),
        venues={venue.name for venue in venues},
        # What is listed is for the collector to say: it is its stream.
        assets=frozenset(map(asset_named, settings.symbols)) or None,
    )
    await analysis.prove()
    await perform(_refitted(analysis), settings, analysis.tell)
    return 0


async def _refitted(analysis: Analysis) -> None:
    refitting = asyncio.create_task(refit(lambda: analysis.engine))
    try:
        await analysis.run()
    finally:
        await ended(refitting)
