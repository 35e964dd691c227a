"""One connection of a venue, for as long as the program runs: reconnects, rotates, and says what may be missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random

import aiohttp

from liquake.clock import Clock
from liquake.ingest.backoff import Backoff
from liquake.ingest.link import Link, Receiver, Tempo
from liquake.ingest.turnstile import Turnstile
from liquake.model import FeedState, FeedStatus, Gap, Instruments
from liquake.venues import Connection, Venue


class Session:
    """Keeps one `Connection` open, whatever happens to its sockets.

    Every change is told to `receiver` as an event, in the same stream as the data; of a gap `missed` is told too, who may
    refill it. `run` ends only by cancellation.
    """

    def __init__(
        self,
        venue: Venue,
        connection: Connection,
        instruments: Instruments,
        clock: Clock,
        receiver: Receiver,
        *,
        tempo: Tempo | None = None,
        lifetime: float | None = None,
        random: Random | None = None,
        turnstile: Turnstile | None = None,
        missed: Callable[[Gap], object] | None = None,
    ) -> None:
        self.venue, self.connection, self.instruments = venue, connection, instruments
        self._clock, self._receiver, self._tempo = clock, receiver, tempo or Tempo()
        self._backoff = Backoff(self._tempo.backoff_first, self._tempo.backoff_most, random or Random())
        self._lifetime = lifetime or self._allowed_lifetime()
        self._turnstile = turnstile or Turnstile(venue.limits.connects_per_minute)
        self._missed = missed
        self._broken_at: int | None = None
        self._broken_why = ""
        self._changed = asyncio.Event()
        self.link: Link | None = None
        """The newest socket."""

    def change(self, connection: Connection) -> None:
        """Subscribe to what `connection` says from now on, without a gap."""
        if connection != self.connection:
            self.connection = connection
            self._changed.set()

    async def run(self, client: aiohttp.ClientSession) -> None:
        """Connect, read, reconnect, for ever."""
        while True:
            self._tell(FeedState.CONNECTING)
            await self._turn()
            why = await self._live(client)
            self._tell(FeedState.DISCONNECTED, why)
            await asyncio.sleep(self._backoff.next())

    async def _live(self, client: aiohttp.ClientSession) -> str:
        """Read one link after another until one ends without its successor being up; the reason."""
        link, reading = self._open(client)
        try:
            while True:
                successor = await self._successor(client, link, reading)
                if successor is None:
                    return self._ended(link, reading)
                # The old socket is read until the new one is subscribed: duplicates are dropped by key, gaps are not.
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                link, reading = successor
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _turn(self) -> None:
        """Wait until the venue may be connected to again."""
        await asyncio.sleep(self._turnstile.admit(asyncio.get_running_loop().time()))

    def _open(self, client: aiohttp.ClientSession) -> tuple[Link, asyncio.Task[str]]:
        decoder = self.venue.decoder(self.connection.name, self.instruments)
        link = self.link = Link(
            self.venue, self.connection, decoder, self._clock, self._receiver, self._tempo, self._missed
        )
        return link, asyncio.create_task(link.run(client))

    def _ended(self, link: Link, reading: asyncio.Task[str]) -> str:
        why = reading.result()
        if link.told_until and self._broken_at is None:
            self._broken_at, self._broken_why = link.told_until, why
        return why

    async def _successor(
        self, client: aiohttp.ClientSession, link: Link, reading: asyncio.Task[str]
    ) -> tuple[Link, asyncio.Task[str]] | None:
        """Wait until `link` must be replaced and its successor is subscribed; `None` if `link` ended first."""
        if not await self._settled(link, reading):
            return None
        self._report_gap(link.ready_at)
        if not await self._due(link, reading):
            return None
        while not reading.done():
            await self._turn()
            successor, opening = self._open(client)
            if await self._settled(successor, opening):
                self._lose(link.stale_until(successor.ready_at))
                return successor, opening
            await asyncio.wait((reading,), timeout=self._backoff.next())
        return None

    async def _settled(self, link: Link, reading: asyncio.Task[str]) -> bool:
        """Whether `link` came to be subscribed and gave data before it ended."""
        await self._wait(reading, link.healthy())
        if reading.done():
            return False
        self._backoff.reset()
        return True

    async def _due(self, link: Link, reading: asyncio.Task[str]) -> bool:
        """Wait until the link should be replaced: its time is up, the venue says so, or the subscriptions changed."""
        await self._wait(reading, link.closing.wait(), self._changed.wait(), seconds=self._lifetime)
        self._changed.clear()
        return not reading.done()

    async def _wait(
        self, reading: asyncio.Task[str], *others: Coroutine[object, object, object], seconds: float | None = None
    ) -> None:
        """Until the link ends, or one of `others` does, or `seconds` are over."""
        tasks = [asyncio.create_task(other) for other in others]
        try:
            await asyncio.wait((reading, *tasks), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _report_gap(self, end: int) -> None:
        """After a reconnect: what lies between the last frame before and the new subscription may be missing."""
        if self._broken_at is None:
            return
        self._lose(Gap(self.venue.name, self.connection.name, self._broken_at, end, self._broken_why))
        self._tell(FeedState.RESUMED, "subscribed again")
        self._broken_at = None

    def _lose(self, gap: Gap | None) -> None:
        if gap is None:
            return
        self._receiver((gap,), b"", self.connection.name, self._clock.now())
        if self._missed is not None:
            self._missed(gap)

    def _allowed_lifetime(self) -> float | None:
        lifetime = self.venue.limits.lifetime
        return None if lifetime is None else max(lifetime - self._tempo.rotation_margin, lifetime / 2.0)

    def _tell(self, state: FeedState, reason: str = "") -> None:
        now = self._clock.now()
        status = FeedStatus(self.venue.name, self.connection.name, state, now, "", reason)
        self._receiver((status,), b"", self.connection.name, now)
