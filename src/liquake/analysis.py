"""An engine on the Redis stream of another machine's collector, which does what the collector's own would.

The stream carries liquidations alone. Without prices the regime goes by these alone, and no screen shows a price. How
the feeds stand the collectors say beside it.

Part of the composition root: imported where its client is known to be installed.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection, Sequence

import msgspec

from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.clock import SECOND, Clock
from liquake.config import Settings
from liquake.engine.engine import STALE, Engine
from liquake.engine.snapshot import Moment, Snapshot
from liquake.errors import SinkError
from liquake.log import Log
from liquake.model import Gap, Liquidation
from liquake.storage.current import StateWriter
from liquake.storage.feeds import Feeds, fallen_silent, read_feeds, told_of
from liquake.storage.group import Analyst
from liquake.storage.redis import connect, disconnect
from liquake.storage.sink import ended

_LOOK_EVERY = 1.0
_REMEMBERED = 600 * SECOND
"""Nanoseconds whose alerts are found again on taking over: longer than any matter stays the same one by itself."""


class Analysis:
    """One member of those who analyse the stream told of in `settings`, each with an engine made by `begin`.

    Of the stream it takes the events of `venues`, and of `assets`, of all where `None`.
    """

    def __init__(
        self,
        settings: Settings,
        log: Log,
        clock: Clock,
        begin: Callable[[], Engine],
        *,
        venues: Collection[str],
        assets: Collection[str] | None,
    ) -> None:
        self._redis, self._log, self._clock, self._make = settings.redis, log, clock, begin
        self._venues, self._assets = venues, assets
        self._left_out: set[str] = set()
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._writer = StateWriter(settings.redis, self.moment, self.snapshot)
        self._analyst = Analyst(settings.redis, self._name, self._begin, self._take, self._writer)
        self._feeds: list[Feeds] = []
        self._forsaken = False
        """Whether `feeds` are what remains of collectors that say nothing any more."""
        self._feeds_trouble = ""
        self._begin()

    def _begin(self) -> None:
        self.engine, self._notifier = self._make(), Notifier()
        self._began, self._heeded, self._received, self._caught_up = self._clock.now(), 0, 0, False
        self._writer.acquaint(None)
        self._interrupted: set[tuple[str, int]] = set()

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = ()) -> Snapshot:
        """The engine at this moment, as of `Engine.snapshot`, on feeds as they stand for the collectors."""
        return told_of(self.engine.snapshot(self._clock.now(), markets, charts), self._feeds)

    def moment(self, markets: Sequence[str] | None = None) -> Moment:
        """Its motion and risk at this moment, on the same feeds."""
        return told_of(self.engine.moment(self._clock.now(), markets), self._feeds)

    async def prove(self) -> None:
        """Raises `SinkRefused` or `SinkDown` where the server does not let us in or is not there."""
        client, _ = await connect(self._redis)
        await disconnect(client)

    async def run(self) -> None:
        """Until cancelled."""
        beside = [asyncio.create_task(work) for work in (self._tend(), self._hear())]
        try:
            await self._analyst.run()
        finally:
            await ended(*beside)

    async def _hear(self) -> None:
        """Know how the feeds stand, through every failure, until cancelled."""
        while True:
            client = None
            try:
                client, _ = await connect(self._redis)
                while True:
                    self._learn(await read_feeds(client))
                    await asyncio.sleep(_LOOK_EVERY)
            except SinkError as error:
                self._feeds_trouble = str(error)
            finally:
                if client is not None:
                    await disconnect(client)
            await asyncio.sleep(_LOOK_EVERY)

    def _learn(self, said: list[Feeds]) -> None:
        self._feeds_trouble = ""
        if said:
            self._feeds, self._forsaken = said, False
            self._interrupt()
        elif not self._forsaken:
            self._feeds = [fallen_silent(feeds, self._clock.now()) for feeds in self._feeds]
            self._forsaken = True

    def _interrupt(self) -> None:
        """Tell the engine of each gap that has come about under it: what it counts by the second starts afresh there."""
        if not self._analyst.leading:
            return
        for venue in (venue for feeds in self._feeds for venue in feeds.venues if venue.venue in self._venues):
            for gap in venue.outages:
                if gap.end > self._began and (venue.venue, gap.end) not in self._interrupted:
                    self._interrupted.add((venue.venue, gap.end))
                    self.engine.apply(Gap(venue.venue, "", gap.start, gap.end, gap.cause))

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            # Before, the engine is somewhere in the past: it goes by the events.
            if self._analyst.leading:
                self._catch_up()
                now = self._clock.now()
                self.engine.advance(now)
                self._heed(now, fresh=True)

    def _take(self, event: Liquidation, fresh: bool) -> None:
        if event.venue not in self._venues:
            self._leave_out(event.venue)
        elif self._assets is None or event.asset in self._assets:
            if self._analyst.leading:
                self._catch_up()
                # Received here and now. What the stream held up for long then counts, but nothing bursts.
                self.engine.apply(msgspec.structs.replace(event, ts_recv=self._clock.now()))
            else:
                self._retrace(event, fresh and event.ts_recv > self._began - STALE)

    def _retrace(self, event: Liquidation, fresh: bool) -> None:
        """Go the way of the one before with an event of the stream. What only the `fresh` ones bring is told."""
        if fresh:
            self._catch_up()
        self.engine.apply(event)
        self._received = event.ts_recv
        if event.ts_recv > self._began - _REMEMBERED and event.ts_recv // SECOND > self._heeded:
            self._heed(event.ts_recv, fresh=fresh)

    def _catch_up(self) -> None:
        """Nothing that has come up until here is to be told: the one before has done that."""
        if not self._caught_up:
            self._caught_up = True
            self._writer.acquaint(self.engine.notices())
            self._heed(self._received, fresh=False)

    def _heed(self, now: int, *, fresh: bool) -> None:
        """Look for what deserves an alert, and publish it where it is `fresh`."""
        self._heeded = now // SECOND
        markets = tuple({risk.market for risk in self.engine.risks()})
        for alert in self._notifier.update(situation_of(self._situated(now, markets))):
            if fresh:
                self._writer.tell(alert)

    def _situated(self, now: int, markets: Sequence[str]) -> Snapshot:
        return told_of(self.engine.snapshot(now, markets, activity=()), self._feeds)

    def _leave_out(self, venue: str) -> None:
        if venue not in self._left_out:
            self._left_out.add(venue)
            self._log.write(
                "left out", self._clock.now(), venue=venue, mend="name it with --exchanges, as for the collector"
            )

    async def tell(self, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
        """Log whether this one is at work, until `stop` is set or `working` ends."""
        said: tuple[bool, str] | None = None
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and not working.done():
                state = self._analyst.leading, self._analyst.trouble or self._feeds_trouble
                if state != said:
                    said = state
                    what = "at work" if state[0] else "waiting"
                    fields = {"name": self._name, "redis": self._analyst.address, "trouble": state[1]}
                    self._log.write(what, self._clock.now(), **fields)
                await asyncio.wait((stopping, working), timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
