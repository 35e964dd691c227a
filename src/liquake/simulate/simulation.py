"""The simulated venues as one: a market, a server per venue, and the time that moves them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from heapq import heappop, heappush
from itertools import count
from random import Random

import msgspec

from liquake.clock import Clock, WallClock
from liquake.errors import UnknownVenue
from liquake.simulate.assets import ASSET_NAMES
from liquake.simulate.contracts import Published
from liquake.simulate.faults import Faults
from liquake.simulate.market import Market
from liquake.simulate.order import VENUE_SHARES, Order
from liquake.simulate.presets import even_load, find_preset
from liquake.simulate.registry import SERVERS
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Setting, VenueServer

_TICK = SECOND // TICKS_PER_SECOND
_AHEAD = SECOND // 2
"""How far the market is computed ahead of the time at which its orders are published."""
_FORGIVEN = 5 * SECOND
"""A longer standstill of the machine is left out instead of caught up with."""


class Simulation:
    """A market and the venues on which it is traded.

    Simulated time is the clock's: `serve` keeps up with it by itself, or is told not to and `advance` is called.
    """

    def __init__(
        self,
        preset: str = "calm",
        seed: int = 0,
        venues: Iterable[str] | None = None,
        clock: Clock | None = None,
        *,
        assets: Iterable[str] = ASSET_NAMES,
        rate: float | None = None,
        throttled: bool = True,
        faults: Faults | Mapping[str, Faults] | None = None,
        truth: bool = True,
    ) -> None:
        """Raises `UnknownScenario` and `UnknownVenue`. All venues are simulated where none is named.

        `rate` replaces the preset by that many events per second, evenly spaced over the chosen venues.
        `throttled=False` sends every event at once in a frame of its own. `faults` are for every venue, or by venue.
        `truth=False` keeps no record of what was published, for runs without an end.
        """
        self.clock = clock or WallClock()
        self.seed = seed
        chosen = tuple(SERVERS if venues is None else dict.fromkeys(venues))
        settings = even_load(rate) if rate is not None else find_preset(preset)
        self.market = Market(settings, seed, self.clock.now(), assets)
        self.servers: dict[str, VenueServer] = {}
        self._shuffles: dict[str, float] = {}
        for name in chosen:
            if name not in SERVERS:
                raise UnknownVenue(name, SERVERS)
            own = (faults.get(name) if isinstance(faults, Mapping) else faults) or Faults(outages=settings.outages)
            self._shuffles[name] = own.shuffle
            self.servers[name] = SERVERS[name](Setting(self.market, self.clock, seed, throttled, own, truth))
        self._spread = rate is not None
        self._others = {name: server.share for name, server in self.servers.items() if name not in VENUE_SHARES}
        self._elsewhere = Random(f"{seed} venues")
        self._orders: list[tuple[int, int, Order]] = []
        """A heap: when each is published, and a number so that no two are equal."""
        self._numbers = count()
        self._waits = Random(f"{seed} waits")
        self._given = 0
        self._halted = False
        self._next_tick = self.market.start + _TICK
        self._ticks = 0

    @property
    def published(self) -> list[Published]:
        """What all venues sent, once per event; each venue's in order."""
        return [event for server in self.servers.values() for event in server.published]

    @property
    def sent(self) -> dict[tuple[str, str], int]:
        """When each event was sent first, in nanoseconds of the simulation's clock, by venue and key."""
        return {(event.venue, event.key): event.sent for event in reversed(self.published)}

    @asynccontextmanager
    async def serve(self, run: bool = True) -> AsyncIterator[dict[str, str]]:
        """Open a port per venue and give their addresses, "http://127.0.0.1:port", by venue.

        With `run`, time goes on by itself as long as the context is open.
        """
        async with AsyncExitStack() as stack:
            addresses = {}
            for name, server in self.servers.items():
                addresses[name] = await server.start()
                stack.push_async_callback(server.stop)
            if run:
                task = asyncio.create_task(self.run(), name="simulation")
                stack.push_async_callback(_cancel, task)
            yield addresses

    async def run(self) -> None:
        """Go on as the clock does, until cancelled."""
        while True:
            now = self.clock.now()
            if now - self._next_tick > _FORGIVEN:
                self._skip_to(now)
            await self.advance(now)
            moment = min(self._next_tick, self._orders[0][0] if self._orders else self._next_tick)
            await asyncio.sleep(max(0.0, (moment - self.clock.now()) / SECOND))

    async def advance(self, until: int) -> None:
        """Let everything happen that is due by `until`, UTC nanoseconds, in order of time."""
        while True:
            if self._orders and self._orders[0][0] <= min(until, self._next_tick):
                await self.publish(heappop(self._orders)[2])
            elif self._next_tick <= until:
                await self._tick()
            else:
                return

    async def publish(self, order: Order) -> None:
        """Execute `order` on its venue, now; on none when its venue is not simulated."""
        server = self.servers.get(order.venue)
        if server is not None:
            await server.publish(msgspec.structs.replace(order, ts=server.clock.at(order.ts)))

    def halt(self) -> None:
        """Let the venues go on without any further order."""
        self._halted = True
        self._orders.clear()

    async def _tick(self) -> None:
        now = self._next_tick
        placed = self.placed(self.market.step(now + _AHEAD))
        for order in () if self._halted else placed:
            heappush(self._orders, (order.ts + self._wait(order.venue), next(self._numbers), order))
        self._ticks += 1
        self._next_tick += _TICK
        for server in self.servers.values():
            await self.wake(server, now, self._ticks)

    async def wake(self, server: VenueServer, now: int, count: int) -> None:
        """Let a tenth of a second pass for `server`."""
        await server.tick(now, count)

    def _wait(self, venue: str) -> int:
        """Nanoseconds until an order of `venue` reaches its feed."""
        shuffle = self._shuffles.get(venue, 0.0)
        return round(self._waits.random() * shuffle * SECOND) if shuffle else 0

    def placed(self, orders: list[Order]) -> list[Order]:
        """`orders` of the market on the venues that execute them.

        An even load goes to the chosen venues in turn, so that its rate is what was asked for.

        Of any other load each venue that is not the market's own gets its share.
        """
        if not self._spread:
            return [self._moved(order) for order in orders] if self._others else orders
        names = tuple(self.servers)
        placed = []
        for order in orders:
            placed.append(_at(order, names[self._given % len(names)]))
            self._given += 1
        return placed

    def _moved(self, order: Order) -> Order:
        drawn = self._elsewhere.random() * (1.0 + sum(self._others.values()))
        for name, share in self._others.items():
            drawn -= share
            if drawn < 0.0:
                return _at(order, name)
        return order

    def _skip_to(self, now: int) -> None:
        self.market.step(now)
        self._orders.clear()
        self._next_tick = now


def _at(order: Order, venue: str) -> Order:
    return Order(order.ts, venue, order.asset, order.side, order.price, order.bankruptcy_price, order.amount, order.usd)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
