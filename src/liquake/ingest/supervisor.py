"""The venues a run listens to: their instruments, their connections, and a session for each."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

import aiohttp
import msgspec

from liquake.clock import SECOND, Clock
from liquake.errors import InstrumentsError, Unreachable
from liquake.ingest.backfill import Backfill
from liquake.ingest.link import Receiver, Tempo
from liquake.ingest.reconciliation import Reconciliation
from liquake.ingest.rest import fetch_accounts, fetch_instruments, rerouted
from liquake.ingest.session import Session
from liquake.ingest.turnstile import Turnstile
from liquake.model import FeedState, FeedStatus, Gap, Instruments, Listing
from liquake.venues import Connection, Venue
from liquake.venues.endpoint import address, next_change

REFRESH_EVERY = 3600.0
"""Seconds between two requests for a venue's instruments: new listings, changed multipliers."""
_RETRY_EVERY = 60.0
_LOOK_EVERY = 60.0
INSTRUMENTS = "instruments"
"""In place of a connection's name: what the venue was asked for over REST before any was opened."""


class Feed:
    """One venue: its instruments, kept fresh, its sessions, and its history. `run` ends only by cancellation."""

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        receiver: Receiver,
        *,
        assets: Collection[str] | None = None,
        address: str | None = None,
        accounts: Sequence[str] = (),
        tempo: Tempo | None = None,
        lifetime: float | None = None,
    ) -> None:
        self.venue = venue
        self._accounts = tuple(accounts)
        """To be watched before those that the venue tells of."""
        self.instruments = Instruments()
        self.instruments.accounts = self._accounts
        self.sessions: dict[str, Session] = {}
        self.refusal: Unreachable | InstrumentsError | None = None
        """Why the last request for the instruments gave none."""
        self._listed: tuple[str, ...] | None = None
        self._assets, self._address = assets, address
        self._clock, self._receiver, self._tempo, self._lifetime = clock, receiver, tempo, lifetime
        self._turnstile = Turnstile(venue.limits.connects_per_minute)
        self._backfill = Backfill(venue, self.instruments, clock, receiver, assets=assets, address=address, tempo=tempo)
        asks = Reconciliation.serves(venue)
        self._reconciliation = Reconciliation(self._backfill, self._renew) if asks else None

    async def run(self, client: aiohttp.ClientSession) -> None:
        """Ask for the instruments, open the connections, and keep both up to date."""
        async with asyncio.TaskGroup() as tasks:
            fresh = await self.refresh(client)
            tasks.create_task(self._backfill.run(client))
            if self._reconciliation is not None:
                tasks.create_task(self._reconciliation.run(client))
            tasks.create_task(self._move(tasks, client))
            while True:
                self._plan(tasks, client)
                await asyncio.sleep(REFRESH_EVERY if fresh else _RETRY_EVERY)
                fresh = await self.refresh(client)

    def missed(self, gaps: Iterable[Gap]) -> None:
        """Have `gaps` of before this process refilled as far as the venue has a history, once its contracts are known."""
        for gap in gaps:
            self._backfill.missed(gap)

    async def refresh(self, client: aiohttp.ClientSession) -> bool:
        """Ask the venue for its instruments; whether it answered. A failure is told as an event, and costs no feed."""
        try:
            self.instruments.update(await fetch_instruments(client, self.venue, self._address))
            told = await fetch_accounts(client, self.venue, self._address)
            self.instruments.accounts = (*self._accounts, *told)
        except (Unreachable, InstrumentsError) as error:
            self.refusal = error
            self._tell_rejected(str(error))
            return False
        self.refusal = None
        self._tell_listing()
        return True

    def _tell_listing(self) -> None:
        assets = tuple(sorted({each.asset for each in self.instruments.values()}))
        if assets != self._listed:
            self._listed = assets
            now = self._clock.now()
            self._receiver((Listing(self.venue.name, INSTRUMENTS, now, assets),), b"", INSTRUMENTS, now)

    def _connections(self) -> list[Connection]:
        now, endpoints = self._clock.now(), self.venue.endpoints
        return [
            msgspec.structs.replace(each, url=rerouted(address(endpoints, each.url, now), self._address))
            for each in self.venue.connections(self.instruments, self._assets)
        ]

    async def _move(self, tasks: asyncio.TaskGroup, client: aiohttp.ClientSession) -> None:
        """Plan again whenever another address becomes the one to be at."""
        planned = self._clock.now()
        while (moment := next_change(self.venue.endpoints, planned)) is not None:
            left = (moment - self._clock.now()) / SECOND
            if left > 0.0:
                # In short steps: while a machine sleeps its timers stand still.
                await asyncio.sleep(min(left, _LOOK_EVERY))
                continue
            planned = moment
            self._plan(tasks, client)

    def _plan(self, tasks: asyncio.TaskGroup, client: aiohttp.ClientSession) -> None:
        """A session for every connection; those already running change over without a gap."""
        for connection in self._connections():
            running = self.sessions.get(connection.name)
            if running is not None:
                running.change(connection)
                continue
            session = Session(
                self.venue,
                connection,
                self.instruments,
                self._clock,
                self._reconciliation or self._receiver,
                tempo=self._tempo,
                lifetime=self._lifetime,
                turnstile=self._turnstile,
                missed=self._backfill.missed,
            )
            self.sessions[connection.name] = session
            tasks.create_task(session.run(client))

    def _renew(self) -> None:
        """Have every socket replaced that should bring liquidations."""
        for session in self.sessions.values():
            if not session.connection.spare:
                session.renew()

    def _tell_rejected(self, reason: str) -> None:
        now = self._clock.now()
        status = FeedStatus(self.venue.name, INSTRUMENTS, FeedState.REJECTED, now, INSTRUMENTS, reason)
        self._receiver((status,), b"", status.connection, now)


async def supervise(feeds: Sequence[Feed]) -> None:
    """Run `feeds` side by side over one client until cancelled."""
    async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as tasks:
        for feed in feeds:
            tasks.create_task(feed.run(client))


def feeds_of(
    venues: Sequence[Venue],
    clock: Clock,
    receiver: Receiver,
    *,
    assets: Collection[str] | None = None,
    addresses: Mapping[str, str] | None = None,
    accounts: Mapping[str, Sequence[str]] | None = None,
    tempo: Tempo | None = None,
    lifetime: float | None = None,
) -> list[Feed]:
    """A feed per venue. `addresses` sends a venue's connections elsewhere: to the simulator, to a proxy; `accounts` are
    watched before any other where a venue shows liquidations by account alone."""
    return [
        Feed(
            venue,
            clock,
            receiver,
            assets=assets,
            address=(addresses or {}).get(venue.name),
            accounts=(accounts or {}).get(venue.name, ()),
            tempo=tempo,
            lifetime=lifetime,
        )
        for venue in venues
    ]
