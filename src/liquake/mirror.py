"""A screen on the journal that another process of this machine writes: the same events into an engine of one's own.

What the journal does not hold the screen does not show: trades per second, quotes, and more than one price a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from liquake.alerts.actions import action_table
from liquake.app import engine_of, models_of
from liquake.clock import SECOND, Clock
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ConnectionState, Latest, Snapshot
from liquake.errors import JournalError
from liquake.ingest.replay import moment
from liquake.markets import asset_named
from liquake.model import FeedState, Liquidation
from liquake.model.alert import Alert
from liquake.outage import cut_off
from liquake.recall import RECORD, recall
from liquake.run import ALERTS, Run
from liquake.storage.lock import is_written
from liquake.storage.notes import Course
from liquake.storage.reader import JournalReader
from liquake.tui.source import Source
from liquake.tui.status import ELSEWHERE, JournalStatus, Mode, Status
from liquake.venues import find_venues

_LOOK_EVERY = 0.1
"""Seconds between two looks for more."""
_ALERTS_EVERY = 1.0
_PAGE = 2048
"""Rows after which the event loop has its turn."""


class Mirror(Source):
    """Shows what the process that writes the journal at `path` shows. Once that is gone, every feed is DOWN.

    It begins with the rows that process began with, and follows its course: what was recalled there is recalled here,
    and what was received there is applied here, in the same order.
    """

    def __init__(self, path: Path, settings: Settings, status: Status, clock: Clock) -> None:
        self._path, self._settings, self._clock = path, settings, clock
        self._course: Course | None = None
        self._cursor = 0
        self._kept = 0
        """Liquidations that the other process has kept since it began."""
        self._tended = 0
        self._due = 0.0
        self._trouble = "reading"
        self._since = clock.now()
        self._status = status
        self.mirrored = Run(Engine({}), clock, status, None, None)
        """The run with the engine of one's own; another once the other process has begun anew."""
        self._alerts: tuple[Alert, ...] = ()

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """As of the other process, or one without numbers."""
        if not self._trouble:
            return self.mirrored.snapshot(markets, charts, largest)
        feed = ConnectionState("journal", FeedState.DISCONNECTED, self._since, self._trouble)
        return cut_off(self.mirrored.snapshot(()).venues, feed, self._clock.now())

    def latest(self) -> Latest:
        """The tape of the same."""
        return Latest((), 0) if self._trouble else self.mirrored.latest()

    @property
    def exchanges(self) -> tuple[str, ...]:
        """Those that the other process listens to."""
        return () if self._course is None else self._course.exchanges

    def status(self) -> Status:
        """The session around it."""
        journal = JournalStatus(rows=self._kept, error=self._trouble and f"{self._path}: {self._trouble}")
        mode = self._status.mode if self._course is None else Mode(self._course.mode)
        return msgspec.structs.replace(
            self._status,
            mode=mode,
            now=self._clock.now(),
            journal=journal,
            redis=ELSEWHERE,
            database=ELSEWHERE,
            alerts=self._alerts,
            actions=action_table(),
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                with JournalReader(self._path) as reader:
                    await self._follow(reader)
            except JournalError as error:
                self._say(error.why)
            await asyncio.sleep(1.0)

    async def _follow(self, reader: JournalReader) -> None:
        while await asyncio.to_thread(is_written, self._path):
            course = await asyncio.to_thread(reader.course)
            if course is None:
                self._say("its writer is of an older liquake: update it")
            elif course != self._course:
                await self._begin(reader, course)
            else:
                await self._read(reader)
                self._tend(reader)
            await asyncio.sleep(_LOOK_EVERY)
        if self._course is not None and not self._trouble:
            await self._read(reader)
        self._say("nobody writes it any more: start a collector with `liquake collect`")

    async def _begin(self, reader: JournalReader, course: Course) -> None:
        """Know what the other knew when it began."""
        venues = find_venues(course.exchanges)
        chosen = {venue.name for venue in venues}
        assets = frozenset(asset_named(name) for name in course.symbols) or None
        told = msgspec.structs.replace(
            self._settings, symbols=course.symbols, samples=course.samples, models=course.models
        )
        engine = engine_of(venues, told, models_of(told, Mode(course.mode)))
        run = self.mirrored = Run(engine, self._clock, self._status, None, assets)
        # Those of the other are in its journal.
        run.alerting = False
        self._say("reading what was there")
        await recall(
            run.engine, reader, course.recalled, course.first, lambda event: run.wanted(event) and event.venue in chosen
        )
        before = [held for held in reader.episodes(course.started - RECORD) if held.start < course.started]
        run.engine.restore([held for held in before if held.end is not None])
        self._cursor, self._kept, self._tended, self._course = course.first - 1, 0, 0, course

    async def _read(self, reader: JournalReader) -> None:
        """Apply what has come since."""
        newest, began = await asyncio.to_thread(reader.newest), self._cursor
        while self._cursor < newest:
            end = min(self._cursor + _PAGE, newest)
            for event in await asyncio.to_thread(reader.between, self._cursor + 1, end + 1):
                self._pass(moment(event))
                self.mirrored.emit(event)
                self._kept += isinstance(event, Liquidation)
            self._cursor = end
            if self._trouble:
                self._trouble = f"reading what was there: {(end - began) / (newest - began):.0%}"
        self._say("")

    def _pass(self, now: int) -> None:
        """Let time pass to `now`, UTC nanoseconds, a second at a time."""
        if now - self._tended >= SECOND:
            self._tended = now
            self.mirrored.engine.advance(now)

    def _tend(self, reader: JournalReader) -> None:
        """Let time pass, and once a second take in the alerts of the other."""
        now, due = self._clock.now(), asyncio.get_running_loop().time()
        self.mirrored.engine.advance(now)
        if due >= self._due:
            self._due = due + _ALERTS_EVERY
            self._alerts = tuple(reader.alerts(now - RECORD)[-ALERTS:])

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble, self._since = trouble, self._clock.now()
