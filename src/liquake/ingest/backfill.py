"""What a venue is asked about the past: after a gap, and again and again where no socket tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from enum import Enum, auto
from random import Random

import aiohttp
import msgspec

from liquake.clock import SECOND, Clock
from liquake.errors import HistoryError, Unreachable
from liquake.ingest.backoff import Backoff
from liquake.ingest.link import Receiver, Tempo
from liquake.ingest.rest import fetch, rerouted
from liquake.ingest.turnstile import Turnstile
from liquake.model import DecodeError, FeedState, FeedStatus, Gap, Instruments, Liquidation, Scope
from liquake.venues import Request, Venue
from liquake.venues.venue import Poll

HISTORY = "history"
"""In place of a connection's name: what was asked for over REST."""
REACH = 6 * 3600 * SECOND
"""Nanoseconds. What is further back may have been received and forgotten again: it would be counted twice."""
MARGIN = 5 * SECOND
"""Nanoseconds asked for on both sides of a gap: a venue publishes after the event, and its clock is not ours."""
_PAGES = 100
_ATTEMPTS = 4
_AGAIN_MOST = 3600.0
"""Seconds between two times that a gap is asked for at most."""


class _Answer(Enum):
    WHOLE = auto()
    FAILED = auto()
    """It did not come, or could not be read; later it may."""
    LACKING = auto()
    """There is none, or none of all of it."""


class Backfill:
    """Asks one venue for what its sockets missed, and tells `receiver` of it like of anything else.

    What was received before is dropped by its key downstream. Requests keep to what the venue allows. A gap is told
    again, as recovered, once every page of it has come. A failure is told as a `DecodeError` and leaves the gap, which is
    asked for again with the next one, and after a longer and longer time, until it is further back than `REACH`.
    """

    def __init__(
        self,
        venue: Venue,
        instruments: Instruments,
        clock: Clock,
        receiver: Receiver,
        *,
        assets: Collection[str] | None = None,
        address: str | None = None,
        tempo: Tempo | None = None,
        random: Random | None = None,
    ) -> None:
        self.venue = venue
        self.instruments, self.assets, self._address = instruments, assets, address
        self.clock, self.receiver, self.tempo = clock, receiver, tempo or Tempo()
        self.random = random or Random()
        self._turnstile = Turnstile(venue.limits.requests_per_minute)
        self._gaps: asyncio.Queue[Gap] = asyncio.Queue()
        self._told_until: int | None = None
        """Up to where polling has asked."""
        self._trouble = True
        """Whether the last turn of polling failed, or there was none."""

    def missed(self, gap: Gap) -> None:
        """Have `gap` refilled when its turn comes."""
        self._gaps.put_nowait(gap)

    async def run(self, client: aiohttp.ClientSession) -> None:
        """Refill what was missed, and poll where the venue wants it, for ever."""
        poll = self.venue.poll
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._refill(client))
            if poll is not None:
                tasks.create_task(self._poll(client, poll))

    async def _refill(self, client: aiohttp.ClientSession) -> None:
        failed: list[Gap] = []
        backoff = Backoff(self.tempo.history_again, _AGAIN_MOST, self.random)
        while True:
            fresh = await self._due(backoff.next() if failed else None)
            # What may fail again must not hold up what is new.
            groups = [*overlapping(fresh), *overlapping(failed)]
            failed = [gap for together in groups for gap in await self._close(client, together)]
            if not failed:
                backoff.reset()

    async def _due(self, patience: float | None) -> list[Gap]:
        """The gaps that have come; none where none does in `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                gaps = [await self._gaps.get()]
        except TimeoutError:
            return []
        await asyncio.sleep(self.tempo.history_after)
        while not self._gaps.empty():
            gaps.append(self._gaps.get_nowait())
        return gaps

    async def _close(self, client: aiohttp.ClientSession, gaps: Sequence[Gap]) -> Sequence[Gap]:
        """Ask for all that happened in `gaps`, and tell which of them are closed; those to be asked for again."""
        answer = await self._answered(client, gaps)
        if answer is _Answer.WHOLE:
            for gap in filter(self.venue.refills, gaps):
                self._tell(msgspec.structs.replace(gap, recovered=True))
        return gaps if answer is _Answer.FAILED else ()

    async def _answered(self, client: aiohttp.ClientSession, gaps: Collection[Gap]) -> _Answer:
        poll = self.venue.poll
        if poll is not None and all(gap.connection for gap in gaps):
            # Its sockets tell no liquidations: none were missed.
            return _Answer.WHOLE
        # Of one that is asked later, whoever was away did not hear what had happened before.
        behind = 0 if poll is None else round(poll.behind * SECOND)
        start, end = min(gap.start for gap in gaps) - behind, max(gap.end for gap in gaps) - behind
        earliest = self.clock.now() - REACH
        if end <= earliest:
            return _Answer.LACKING
        answer = await self._fetched(client, max(start - MARGIN, earliest), end + MARGIN)
        return _Answer.LACKING if answer is _Answer.WHOLE and start < earliest else answer

    async def _poll(self, client: aiohttp.ClientSession, poll: Poll) -> None:
        while True:
            now = self.clock.now()
            end = now - round(poll.behind * SECOND)
            start = end - round(poll.span * SECOND)
            if self._told_until is not None:
                start = max(min(start, self._told_until), now - REACH)
            if await self._fetched(client, start, end) is _Answer.WHOLE:
                self._polled(start, end, poll)
            elif not self._trouble:
                self._trouble = True
                self._status(FeedState.DISCONNECTED, "its history does not answer")
            await asyncio.sleep(poll.every)

    def _polled(self, start: int, end: int, poll: Poll) -> None:
        """Say that polling works, and what could not be made up for."""
        if self._told_until is not None and start > self._told_until:
            self._tell(Gap(self.venue.name, HISTORY, self._told_until, start, "its history did not answer for hours"))
        self._told_until = end
        if self._trouble:
            self._trouble = False
            # What the sockets bring, prices, says nothing of what is asked for.
            self._tell(Scope(self.venue.name, HISTORY, self.clock.now(), None))
            self._status(FeedState.SUBSCRIBED, f"asked every {poll.every:g} s for what is {poll.behind:g} s old")

    async def _fetched(self, client: aiohttp.ClientSession, start: int, end: int) -> _Answer:
        """Ask for everything from `start` to `end`, and pass it on."""
        requests = self.venue.history(self.instruments, self.assets, start, end)
        try:
            async for found in self.pages(client, requests, start, end):
                self.deliver(found)
        except (Unreachable, HistoryError) as error:
            self.failed(error)
            return _Answer.FAILED
        return _Answer.WHOLE if requests else _Answer.LACKING

    async def pages(
        self, client: aiohttp.ClientSession, requests: Iterable[Request], start: int, end: int
    ) -> AsyncIterator[list[Liquidation]]:
        """What happened from `start` to `end` (UTC nanoseconds) by the answers to `requests`, a page after the other.

        It is passed on to nobody. Raises `Unreachable` and `HistoryError`.
        """
        for first in requests:
            request: Request | None = first
            for _ in range(_PAGES):
                if request is None:
                    break
                answer = await self._ask(client, request)
                found = self.venue.read_history(request, answer, self.instruments, self.clock.now())
                # Some venues answer with more than they were asked for: what may be forgotten would be counted again.
                yield [event for event in found if start <= event.ts_event <= end]
                request = self.venue.next_history(request, answer)
            if request is not None:
                raise HistoryError(self.venue.name, f"more than {_PAGES} pages of {first.url}")

    async def _ask(self, client: aiohttp.ClientSession, request: Request) -> bytes:
        """The answer; a venue that has just come back may need a moment. Raises `Unreachable`."""
        backoff = Backoff(self.tempo.backoff_first, self.tempo.backoff_most, self.random)
        there = Request(rerouted(request.url, self._address), request.body)
        while True:
            await asyncio.sleep(self._turnstile.admit(asyncio.get_running_loop().time()))
            try:
                return await fetch(client, self.venue.name, there)
            except Unreachable:
                if backoff.attempts + 1 >= _ATTEMPTS:
                    raise
            await asyncio.sleep(backoff.next())

    def deliver(self, events: Collection[Liquidation]) -> None:
        """Pass on what the history told."""
        if events:
            self.receiver(tuple(events), b"", HISTORY, self.clock.now())

    def failed(self, error: Unreachable | HistoryError) -> None:
        """Tell that the history did not, or not so that it can be read."""
        self._tell(DecodeError(self.venue.name, HISTORY, self.clock.now(), str(error), b""))

    def _status(self, state: FeedState, reason: str) -> None:
        self._tell(FeedStatus(self.venue.name, HISTORY, state, self.clock.now(), HISTORY, reason))

    def _tell(self, event: Gap | FeedStatus | Scope | DecodeError) -> None:
        self.receiver((event,), b"", event.connection, self.clock.now())


def overlapping(gaps: Iterable[Gap]) -> list[list[Gap]]:
    """`gaps` in groups that share time: the sockets of a venue often break together, and one answer serves them all."""
    groups: list[list[Gap]] = []
    end = 0
    for gap in sorted(gaps, key=lambda gap: gap.start):
        if groups and gap.start <= end:
            groups[-1].append(gap)
        else:
            groups.append([gap])
        end = max(end, gap.end)
    return groups
