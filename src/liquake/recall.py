"""What a journal knows of the last day, told to an engine that begins: a restart must not look like a quiet market."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from liquake.analytics.totals import TOTAL_WINDOWS
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.model import Gap, Liquidation
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.notes import Course
from liquake.storage.reader import JournalReader
from liquake.venues import find_venue

WINDOW = round(max(seconds for seconds in TOTAL_WINDOWS.values() if seconds is not None) * 1e9)
"""Nanoseconds: the longest sum on a screen."""
REPEATED = 50_000
"""Liquidations before that window whose events are known when a venue repeats them on connecting: of a quiet market it does so
for days."""
RECORD = 30 * 86_400 * 1_000_000_000
"""Nanoseconds over which the record of the alerts is told."""
_PAGE = 2048
"""Rows after which the event loop has its turn."""
_SHORT = 1_000_000_000
"""Nanoseconds of absence that are not worth a line."""


async def resume(run: Run, journal: Journal, settings: Settings) -> int:
    """Tell `run` what its `journal` knows, before anything comes in. How many liquidations that were.

    Nothing of it is recorded again or told again. That nobody listened since is in the ledger as a gap of each venue.
    Raises `JournalError`.
    """
    now, last = run.clock.now(), journal.newest
    chosen = {find_venue(name).name for name in settings.exchanges}
    with JournalReader(journal.path) as reader:
        span, first = reader.span(), await asyncio.to_thread(reader.first_since, now - WINDOW)
        heard = await recall(
            run.engine, reader, first, last + 1, lambda event: run.wanted(event) and event.venue in chosen
        )
        run.engine.remember(await asyncio.to_thread(reader.keys, first, REPEATED))
        run.restore(reader.alerts(now - RECORD), reader.episodes(now - RECORD))
    journal.begin(
        Course(
            recalled=first,
            first=last + 1,
            started=now,
            mode=str(run.mode),
            exchanges=settings.exchanges,
            symbols=settings.symbols,
            samples=settings.samples,
            models=settings.models,
        )
    )
    if span is not None and now - span[1] > _SHORT:
        gaps = [Gap(venue, "", span[1], now, "liquake was not running") for venue in heard]
        run.receive(gaps, b"", "", now)
    return sum(heard.values())


async def recall(
    engine: Engine, reader: JournalReader, first: int, end: int, wanted: Callable[[Liquidation], bool]
) -> Mapping[str, int]:
    """Tell `engine` the liquidations from row `first` up to and without `end`; how many of each venue."""
    heard: dict[str, int] = {}
    for low in range(first, end, _PAGE):
        for event in await asyncio.to_thread(reader.liquidations, low, min(low + _PAGE, end)):
            if wanted(event) and engine.recall(event):
                heard[event.venue] = heard.get(event.venue, 0) + 1
    return heard
