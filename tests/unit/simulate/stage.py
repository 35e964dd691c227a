"""Simulated venues whose time stands still until a test moves it, and a real client in front of them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from liquake.clock import SECOND, ManualClock
from liquake.model import Side
from liquake.simulate.faults import Faults
from liquake.simulate.order import Order
from liquake.simulate.server import VenueServer
from liquake.simulate.simulation import Simulation

START = 1_790_000_000 * SECOND
DEADLINE = 5.0
Socket = aiohttp.ClientWebSocketResponse
PRICES = {"BTC": 80_000.0, "ETH": 2_500.0, "SOL": 150.0, "PEPE": 0.000005}


class Stage:
    """One venue, whose market gives out no orders of its own."""

    def __init__(
        self, simulation: Simulation, address: str, session: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        self.simulation, self.address, self.session, self.clock = simulation, address, session, clock

    @property
    def server(self) -> VenueServer:
        (server,) = self.simulation.servers.values()
        return server

    async def connect(self, path: str, **options: Any) -> Socket:
        socket: Socket = await self.session.ws_connect(self.address + path, **options)
        return socket

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass in steps of a tenth of a second, as the wall clock would."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            await self.simulation.advance(self.clock.now())
            await asyncio.sleep(0)

    async def liquidate(
        self, asset: str = "BTC", side: Side = Side.LONG, usd: float = 1_000.0, below: float = 0.003
    ) -> Order:
        """Execute one forced order now."""
        price, sign = PRICES[asset], -1.0 if side is Side.LONG else 1.0
        venue = self.server.name
        order = Order(self.clock.now(), venue, asset, side, price, price * (1.0 + sign * below), usd / price, usd)
        await self.simulation.publish(order)
        return order


@asynccontextmanager
async def stage(
    venue: str, throttled: bool = True, faults: Faults | None = None, seed: int = 1, rate: float = 1e-6
) -> AsyncIterator[Stage]:
    clock = ManualClock(START)
    simulation = Simulation(seed=seed, venues=[venue], clock=clock, rate=rate, throttled=throttled, faults=faults)
    async with simulation.serve(run=False) as addresses, aiohttp.ClientSession() as session:
        yield Stage(simulation, addresses[venue], session, clock)


def content(message: aiohttp.WSMessage) -> str:
    """The text of a message, which HTX sends in gzip."""
    if message.type is aiohttp.WSMsgType.BINARY:
        return gzip.decompress(message.data).decode()
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return str(message.data)


async def read(socket: Socket) -> Any:
    """The next message, decoded; OKX's bare words as they are."""
    text = content(await asyncio.wait_for(socket.receive(), DEADLINE))
    return text if text == "pong" else json.loads(text)


async def read_until(socket: Socket, wanted: Callable[[Any], bool]) -> Any:
    """The next message that is `wanted`."""
    while not wanted(message := await read(socket)):
        pass
    return message


async def ended(socket: Socket) -> aiohttp.WSMsgType:
    """How the connection ended, after reading off what was still in it."""
    while True:
        message = await asyncio.wait_for(socket.receive(), DEADLINE)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
            return message.type
