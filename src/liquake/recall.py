"""What a journal knows of the last day, told to an engine that begins: a restart must not look like a quiet market."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from liquake.analytics.totals import TOTAL_WINDOWS
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.model import FeedEvent, Gap, Liquidation
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.notes import Course
from liquake.storage.reader import JournalReader
from liquake.venues import find_venues

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


class Resumed(NamedTuple):
    """What a journal told."""

    liquidations: int
    gaps: tuple[Gap, ...]
    """In which nobody listened: for who can ask the venues for them."""


async def resume(run: Run, journal: Journal, settings: Settings) -> Resumed:
    """Tell `run` what its `journal` knows, before anything comes in.

    Nothing of it is recorded again or told again. That nobody listened since is in the ledger as a gap of each venue.
    Raises `JournalError`.
    """
    now, last = run.clock.now(), journal.newest
    chosen = tuple(venue.name for venue in find_venues(settings.exchanges))
    with JournalReader(journal.path) as reader:
        span, first = reader.span(), await asyncio.to_thread(reader.first_since, now - WINDOW)
        recalled = await recall(
            run.engine, reader, first, last + 1, lambda event: run.wanted(event) and event.venue in chosen
        )
        run.engine.remember(await asyncio.to_thread(reader.keys, first, REPEATED))
        away = [] if span is None else await asyncio.to_thread(_away, reader, run.engine, chosen, span[1])
        journal.begin(
            Course(
                recalled=first,
                first=last + 1,
                started=now,
                mode=str(run.mode),
                exchanges=chosen,
                symbols=settings.symbols,
                samples=settings.samples,
                models=settings.models,
            )
        )
        gaps = tuple(_gaps(away, now))
        if gaps:
            run.receive(gaps, b"", "", now)
        # After the gaps: that liquake was not running is no news to whoever started it.
        run.restore(reader.alerts(now - RECORD), reader.episodes(now - RECORD))
    return Resumed(recalled, gaps)


def _gaps(away: Iterable[tuple[str, int]], now: int) -> Iterator[Gap]:
    return (Gap(venue, "", since, now, "liquake was not running") for venue, since in away if now - since > _SHORT)


def _away(reader: JournalReader, engine: Engine, chosen: Collection[str], last: int) -> list[tuple[str, int]]:
    """Of each of the `chosen` venues that was listened to before, since when it is not; `last` is the journal's last row.

    A venue that the last run did not listen to is as old as its own last row.
    """
    course = reader.course()
    # Courses of older versions may hold what was asked for instead of names: "all".
    listened = None if course is None else {venue.name for venue in find_venues(course.exchanges)}
    found = []
    for venue in reader.venues():
        if venue in chosen:
            until = last if listened is None or venue in listened else reader.last_heard(venue)
            found.append((venue, engine.silent_since(venue, until)))
    return found


async def recall(
    engine: Engine,
    reader: JournalReader,
    first: int,
    end: int,
    wanted: Callable[[Liquidation | FeedEvent], bool],
) -> int:
    """Tell `engine` the liquidations from row `first` up to and without `end`, and when the feeds were heard; how many."""
    engine.stood(event for event in await asyncio.to_thread(reader.states, first) if wanted(event))
    count = 0
    for low in range(first, end, _PAGE):
        for event in await asyncio.to_thread(reader.remembered, low, min(low + _PAGE, end)):
            count += wanted(event) and engine.recall(event)
    return count
