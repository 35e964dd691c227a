"""One connection of a venue, for as long as the program runs: reconnects, rotates, and says what may be missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from random import Random

import aiohttp
import msgspec

from liquake.clock import Clock
from liquake.ingest.backoff import Backoff
from liquake.ingest.link import Link, Receiver, Tempo
from liquake.ingest.trial import Trial
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
        self._heard_at = ""
        """The address at which a link last proved good."""
        self._doubted = ""
        """The one at which the last link to fail did."""
        self.link: Link | None = None
        """The newest socket."""

    def change(self, connection: Connection) -> None:
        """Subscribe to what `connection` says from now on, where it says, without a gap."""
        if connection != self.connection:
            self.connection = connection
            self._changed.set()

    def renew(self) -> None:
        """Have the socket replaced, without a gap."""
        if self.link is not None:
            self.link.closing.set()

    async def run(self, client: aiohttp.ClientSession) -> None:
        """Connect, read, reconnect, for ever."""
        while True:
            self._tell(FeedState.CONNECTING)
            await self._turn()
            why = await self._live(client)
            if self.connection.spare and self.link is not None:
                # It may never have come so far as to say that nothing is missing without it.
                self.link.tell_scope()
            self._tell(FeedState.DISCONNECTED, why)
            await asyncio.sleep(self._backoff.next())

    async def _live(self, client: aiohttp.ClientSession) -> str:
        """Read one link after another until one ends without its successor being up; the reason."""
        link, reading = self._open(client, self._after_break())
        try:
            while True:
                successor = await self._successor(client, link, reading)
                if successor is None:
                    return self._ended(link, reading)
                # The old socket is read until the new one is subscribed: duplicates are dropped by key, gaps are not.
                await _closed(reading)
                link, reading = successor
        finally:
            await _closed(reading)

    async def _turn(self) -> None:
        """Wait until the venue may be connected to again."""
        await asyncio.sleep(self._turnstile.admit(asyncio.get_running_loop().time()))

    def _after_break(self) -> Connection:
        """What to open: where its new address was not good, the one at which it was last heard, and then again the new."""
        if self._doubted == self.connection.url and self._heard_at:
            return msgspec.structs.replace(self.connection, url=self._heard_at)
        return self.connection

    def _open(
        self, client: aiohttp.ClientSession, connection: Connection, trial: Trial | None = None
    ) -> tuple[Link, asyncio.Task[str]]:
        decoder = self.venue.decoder(connection.name, self.instruments)
        receiver, missed = (trial, None) if trial else (self._receiver, self._missed)
        link = self.link = Link(self.venue, connection, decoder, self._clock, receiver, self._tempo, missed)
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
            if (successor := await self._tried(client, link, reading)) is not None:
                return successor
            await asyncio.wait((reading,), timeout=self._backoff.next())
        return None

    async def _tried(
        self, client: aiohttp.ClientSession, link: Link, reading: asyncio.Task[str]
    ) -> tuple[Link, asyncio.Task[str]] | None:
        """A link that takes the place of `link`, which is read meanwhile; `None` where it proved no good."""
        trial = Trial(self._receiver)
        successor, opening = self._open(client, self.connection, trial)
        try:
            await self._wait((reading, opening), successor.healthy())
            why = self._fault(link, successor, opening, trial)
        except asyncio.CancelledError:
            await _closed(opening)
            raise
        if not why:
            self._take(link, successor, trial)
            return successor, opening
        await _closed(opening)
        self.link, self._doubted = link, successor.connection.url
        # Of one that has stopped bringing prices STALE has been told.
        if not reading.done() and link.stale_until(0) is None:
            self._tell(FeedState.CLOSING, _kept(link, successor, why))
        return None

    def _fault(self, link: Link, successor: Link, opening: asyncio.Task[str], trial: Trial) -> str:
        """Why `successor` cannot take the place of `link`; empty where it can."""
        if opening.done():
            return opening.result()
        if not successor.ready_at:
            return "the old connection ended first"
        if successor.connection.url != link.connection.url:
            for topic in sorted(link.granted & trial.refused.keys()):
                return f"it refuses {topic}: {trial.refused[topic]}"
        return ""

    def _take(self, link: Link, successor: Link, trial: Trial) -> None:
        successor.receiver, successor.missed = self._receiver, self._missed
        trial.taken(self._clock.now())
        self._lose(link.stale_until(successor.ready_at))

    async def _settled(self, link: Link, reading: asyncio.Task[str]) -> bool:
        """Whether `link` came to be subscribed and gave data before it ended."""
        await self._wait((reading,), link.healthy())
        if reading.done():
            self._doubted = link.connection.url
            return False
        self._backoff.reset()
        self._heard_at = link.connection.url
        return True

    async def _due(self, link: Link, reading: asyncio.Task[str]) -> bool:
        """Wait until the link should be replaced: its time is up, the venue says so, or it is not what is wanted."""
        if link.connection == self.connection:
            self._changed.clear()
            await self._wait((reading,), link.closing.wait(), self._changed.wait(), seconds=self._lifetime)
        return not reading.done()

    async def _wait(
        self,
        readings: Sequence[asyncio.Task[str]],
        *others: Coroutine[object, object, object],
        seconds: float | None = None,
    ) -> None:
        """Until one of the links ends, or one of `others` does, or `seconds` are over."""
        tasks = [asyncio.create_task(other) for other in others]
        try:
            await asyncio.wait((*readings, *tasks), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
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


def _kept(link: Link, successor: Link, why: str) -> str:
    """What is said of `link` while its successor is no good."""
    old, new = link.connection.url, successor.connection.url
    return f"not replaced yet: {why}" if old == new else f"still at {old}, for {new} is not good yet: {why}"


async def _closed(reading: asyncio.Task[str]) -> None:
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
