"""The stream read by analysts on other machines: one at work, the others ready to take its place.

They are one consumer group, whose lag any Redis tool shows. An engine needs every event, not a share of them, so a lease
decides who reads; whoever takes over builds the engine anew from the stream, and then goes on where the group stood.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from liquake.errors import SinkError
from liquake.model import Liquidation, PriceBasis, Side
from liquake.storage.address import without_password
from liquake.storage.current import StateWriter
from liquake.storage.lease import Lease
from liquake.storage.redis import FED, STREAM, connect, disconnect, entries, explained, foreign
from liquake.storage.sink import ended

GROUP = "liquake:analyze"
LEASE = f"{{{STREAM}}}:analyst"
"""String: who is at work; expires when that one is gone."""
LEASE_SECONDS = 3.0

_READ = 500
_WAIT = 250
"""Entries read at once, and milliseconds waited for the first of them."""
_RETRY_EVERY = 0.5
_UNFED = "nobody feeds the stream, so nothing is written: start `liquake collect --redis` where the exchanges are"

_Place = tuple[int, int]
"""Of an entry in the stream: milliseconds, and which of that millisecond."""

_tags = msgspec.json.Decoder(tuple[str, ...])


def read_entry(fields: Mapping[str, str]) -> Liquidation:
    """The liquidation in the fields of a stream entry."""
    return Liquidation(
        fields["venue"],
        fields["instrument"],
        fields["asset"],
        Side(fields["side"]),
        float(fields["price"]),
        PriceBasis(fields["price_basis"]),
        float(fields["amount"]) if "amount" in fields else None,
        float(fields["usd"]) if "usd" in fields else None,
        int(fields["ts_event"]),
        int(fields["ts_recv"]),
        float(fields["size"]) if "size" in fields else None,
        fields.get("id"),
        _tags.decode(fields["tags"]) if "tags" in fields else (),
    )


class Analyst:
    """A member of the group at `url` called `name`. `begin` is called when it takes over, then `apply` per event.

    The second argument of `apply` is whether nobody has finished with the event before: those that one before had are
    there to build upon. `writer` writes what comes of it, only while this one is at work and somebody feeds the stream.
    """

    def __init__(
        self,
        url: str,
        name: str,
        begin: Callable[[], None],
        apply: Callable[[Liquidation, bool], object],
        writer: StateWriter,
    ) -> None:
        self.address = without_password(url)
        self.trouble = ""
        self.leading = False
        self._url, self._name, self._begin, self._apply, self._writer = url, name, begin, apply, writer
        self._lease = Lease(LEASE, name, LEASE_SECONDS)
        self._last = (0, 0)

    async def run(self) -> None:
        """Wait for the lease, work while it is ours, through every failure, until cancelled."""
        while True:
            client: Any = None
            try:
                client, _ = await connect(self._url)
                with explained(self.address):
                    await self._wait_and_lead(client)
            except SinkError as error:
                self.trouble = str(error)
            finally:
                self.leading = False
                if client is not None:
                    with suppress(SinkError), explained(self.address):
                        await self._lease.let_go(client)
                    await disconnect(client)
            await asyncio.sleep(_RETRY_EVERY)

    async def _wait_and_lead(self, client: Any) -> None:
        while not await self._hold(client):
            self.trouble = ""
            await asyncio.sleep(_RETRY_EVERY)
        self.trouble = ""
        await self._rebuild(client)
        self.leading = True
        writing: asyncio.Task[None] | None = None
        try:
            while await self._hold(client):
                # Where nobody listens to the exchanges every rate falls to nothing: that must not pass for a calm.
                fed = bool(await client.exists(FED))
                self.trouble = "" if fed else _UNFED
                if fed and writing is None:
                    writing = asyncio.create_task(self._writer.run())
                elif not fed and writing is not None:
                    await ended(writing)
                    writing = None
                await self._read(client)
        finally:
            if writing is not None:
                await ended(writing)

    async def _hold(self, client: Any) -> bool:
        return (await self._lease.hold(client)).ours

    async def _rebuild(self, client: Any) -> None:
        """Everything that is still in the stream, and whatever the one before had not finished."""
        self._begin()
        self._last = (0, 0)
        with suppress(ResponseError):  # it is there already
            await client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        held = asyncio.get_running_loop().time()
        finished = await self._finished(client)
        async for number, fields in entries(client):
            self._take(number, fields, finished)
            now = asyncio.get_running_loop().time()
            if now - held > LEASE_SECONDS / 3:
                held = now
                await self._hold(client)
        _, claimed, *_ = await client.xautoclaim(STREAM, GROUP, self._name, min_idle_time=0, count=100_000)
        await self._acknowledge(client, [number for number, _ in claimed])

    async def _finished(self, client: Any) -> _Place:
        """The last entry that the group is done with, and with all before it."""
        [group] = [each for each in await client.xinfo_groups(STREAM) if each["name"] in (GROUP, GROUP.encode())]
        waiting = await client.xpending(STREAM, GROUP)
        if not waiting["pending"]:
            return _place(group["last-delivered-id"])
        first, place = _place(waiting["min"])
        return first, place - 1

    async def _read(self, client: Any) -> None:
        answer = await client.xreadgroup(GROUP, self._name, {STREAM: ">"}, count=_READ, block=_WAIT)
        pages = answer.values() if isinstance(answer, dict) else [page for _, page in answer or ()]
        for page in pages:
            for number, fields in _flat(page):
                self._take(number, {name.decode(): value.decode() for name, value in fields.items()})
            await self._acknowledge(client, [number for number, _ in _flat(page)])

    def _take(self, number: bytes, fields: Mapping[str, str], finished: _Place = (0, 0)) -> None:
        """Apply an entry, unless it has been already: rebuilding reads ahead of where the group stands."""
        place = _place(number)
        if place > self._last:
            try:
                event = read_entry(fields)
            except (KeyError, ValueError):
                # To leave it out would be to make numbers of a part.
                raise foreign(self.address, number) from None
            self._last = place
            self._apply(event, place > finished)

    async def _acknowledge(self, client: Any, numbers: list[bytes]) -> None:
        if numbers:
            await client.xack(STREAM, GROUP, *numbers)


def _place(number: bytes) -> _Place:
    milliseconds, _, place = number.decode().partition("-")
    return int(milliseconds), int(place)


def _flat(page: Any) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Entries of an answer: redis-py nests them one deeper under the newer protocol."""
    for part in page:
        if isinstance(part, list):
            yield from _flat(part)
        else:
            yield part
