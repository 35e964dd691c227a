"""`liquake replay`: a recording through the same engine and screens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import liquake
from liquake.app import engine_of, models_of, perform
from liquake.clock import ManualClock
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.errors import JournalError, RecordingError
from liquake.ingest import transcript
from liquake.ingest.recording import is_journal, read_csv, read_span
from liquake.ingest.replay import Replay
from liquake.ingest.transcript import is_transcript
from liquake.markets import assets_of
from liquake.model import Event, Liquidation, Price
from liquake.run import Run
from liquake.storage.reader import JournalReader, read_journal
from liquake.terminal import full_screen, leave, on_terminal
from liquake.tui.statistics import statistics_json
from liquake.tui.status import Mode, Status
from liquake.venues import VENUES, find_venues


def replay(settings: Settings, file: Path, speed: float | None, *, as_json: bool) -> int:
    """A recording through the same engine and screens."""
    try:
        return asyncio.run(_replay(settings, file, speed, as_json=as_json))
    except JournalError as error:
        raise RecordingError(file, error.why) from None


async def _replay(settings: Settings, file: Path, speed: float | None, *, as_json: bool) -> int:
    assets = await assets_of(settings.symbols, (), {}, _assets_in(file) if settings.symbols else frozenset())
    events, span = _recording(file)
    clock = ManualClock(span[0] if span else 0)
    status = Status(
        Mode.REPLAY,
        liquake.__version__,
        clock.now(),
        clock.now(),
        refresh=settings.refresh,
        recording=file.name,
        speed=speed,
    )
    # Those asked for and those it holds: a model speaks only where it was fitted on just the venues it is given.
    names = {venue.name for venue in find_venues(settings.exchanges)} | _venues_in(file)
    known = tuple(venue for venue in VENUES.values() if venue.name in names)

    def fresh() -> Engine:
        return engine_of(known, settings, models_of(settings, Mode.REPLAY))

    run = Run(fresh(), clock, status, None, assets)

    def again() -> Iterator[Event]:
        run.begin_again(fresh())
        return _events(file)

    run.replay = Replay(events, run.emit, clock, speed=speed, span=span, again=again)
    run.alerting = not as_json
    if as_json:
        await run.replay.run()
        sys.stdout.write(statistics_json(run.statistics()) + "\n")
        return 0
    await perform(run.replay.run(stay=full_screen(settings)), settings, on_terminal(run, settings))
    statistics = run.statistics()
    seen = {*statistics.by_venue, *statistics.sampled}
    leave(run, [venue for venue in known if venue.name in seen], settings)
    return 0


def _recording(file: Path) -> tuple[Iterator[Event], tuple[int, int] | None]:
    """The events of a recording and when the first and last were received. Raises `RecordingError`."""
    if is_transcript(file):
        return _events(file), transcript.read_span(file)
    if not is_journal(file):
        return _events(file), read_span(file)
    with JournalReader(file) as reader:
        return _events(file), reader.span()


def _events(file: Path) -> Iterator[Event]:
    if is_transcript(file):
        return transcript.read_transcript(file)
    return iter(read_journal(file) if is_journal(file) else read_csv(file))


def _venues_in(file: Path) -> frozenset[str]:
    """The venues a recording has liquidations of."""
    if is_journal(file):
        with JournalReader(file) as reader:
            return frozenset(venue for venue, _, _ in reader.totals())
    return frozenset(event.venue for event in _events(file) if isinstance(event, Liquidation))


def _assets_in(file: Path) -> frozenset[str]:
    """The assets a recording speaks of."""
    return frozenset(event.asset for event in _recording(file)[0] if isinstance(event, Liquidation | Price))
