"""A simulated venue: one loopback port for its REST and its WebSocket.

What venues share is here: connections, faults, and the truth about what was sent. What a venue *is* is in its own
module, written from its documents and independently of the client's decoder, so that the two check each other.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, ClassVar

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from liquake.clock import Clock
from liquake.simulate.connection import PATIENCE, Connection
from liquake.simulate.contracts import Contract, Listing, Published
from liquake.simulate.faults import GARBAGE, Farewell, FaultName, Faults, Timetable, VenueClock
from liquake.simulate.market import Market
from liquake.simulate.order import Order
from liquake.simulate.presets import Health

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Row = dict[str, Any]

SECOND = 1_000_000_000
TICKS_PER_SECOND = 10
_CLOSE_AFTER = 1.0
"""Seconds between the announcement of a close and the close."""
_LARGEST_REQUEST = 1 << 20
_REPLAYED_AFTER = 3 * SECOND
"""After a connection was opened: by then it has subscribed."""

FrameFor = Callable[[Connection], str | bytes | None]
"""The frame that a connection should get, if any."""


class Setting(msgspec.Struct, frozen=True):
    """What a simulation gives each of its servers."""

    market: Market
    clock: Clock
    seed: int
    throttled: bool
    faults: Faults
    truth: bool


class VenueServer(ABC):
    """A venue on a loopback port. `publish` and `tick` are its only inputs besides its clients."""

    name: ClassVar[str]
    contracts: ClassVar[tuple[Contract, ...]]
    """Everything it lists, for all simulated coins."""
    rank: ClassVar[int] = 50
    """Where it stands among the others: the lower the earlier, and by name where ranks are equal."""
    share: ClassVar[float] = 0.05
    """How many orders come to it for each that comes to one of the market's own venues (`VENUE_SHARES`)."""
    lifetime: float | None = None
    """Seconds after which a connection is closed."""

    def __init__(self, setting: Setting) -> None:
        faults = setting.faults
        self.market, self.throttled = setting.market, setting.throttled
        self.rng = Random(f"{setting.seed} {self.name}")
        self.clock = VenueClock(setting.clock, faults.skew, Random(self.name).random())
        """The venue's own, which may be wrong."""
        self.listing = Listing(tuple(c for c in self.contracts if c.asset in self.market.coins), self.rng)
        self.health = Health.HEALTHY
        self.duplicating = faults.duplicate
        self.published: list[Published] = []
        """What was sent, once per event, in order of sending."""
        self.missed: list[Published] = []
        """What it would have sent: nobody was connected, or nobody could hear it."""
        self.suffered: Counter[str] = Counter()
        """How often each fault has come about."""
        self.connections: list[Connection] = []
        self.opened = 0
        """Connections ever opened."""
        self._mute = False
        """Whether those that connect will not be told of liquidations."""
        self._timetable = Timetable(faults, self.name)
        self._time = setting.clock
        self._truth = setting.truth
        self._closing: int | None = None
        self._last_frame: str | bytes = ""
        self._recovered = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._sent_before: deque[FrameFor] = deque(maxlen=faults.replay)
        self._newcomers: deque[Connection] = deque()
        self._forsaken: list[Connection] = []
        """Those at an address that has been given up, and says nothing."""
        self._ports: list[int] = []
        """The newest last."""
        self._farewell: Farewell | None = None
        """Of all ports but the newest; `None` where they redirect."""

    @abstractmethod
    def sockets(self) -> Sequence[str]:
        """Paths at which a WebSocket may be opened."""

    @abstractmethod
    def pages(self) -> Sequence[web.RouteDef]:
        """The REST requests it answers."""

    @abstractmethod
    async def hear(self, connection: Connection, text: str) -> None:
        """One text message from a client."""

    @abstractmethod
    async def publish(self, order: Order) -> None:
        """An order was executed: send it, or keep it for the end of its interval."""

    @abstractmethod
    async def tell(self, now: int, count: int) -> None:
        """Every tenth of a second: prices, trades, and what waited. `count` counts the ticks."""

    async def greet(self, connection: Connection, request: web.Request) -> None:
        """A WebSocket was opened."""
        del connection, request

    def hostile(self) -> Sequence[str | bytes]:
        """Frames in the venue's own shape whose values cannot be."""
        return ()

    async def announce_close(self, after: float = _CLOSE_AFTER) -> None:
        """Close every connection `after` seconds from now, with a word before where the venue gives one."""
        self._closing = self.clock.now() + round(after * SECOND)

    def drop(self) -> None:
        """Cut every connection."""
        for connection in self.connections:
            connection.cut()

    async def garbage(self, everything: bool = False) -> int:
        """Send every connection one unreadable frame, or one of each kind; return how many each was sent."""
        frames: list[str | bytes] = [*GARBAGE, *self.hostile()]
        if self._last_frame:
            frames.append(self._last_frame[: len(self._last_frame) * 2 // 3])
        chosen = frames if everything else [self.rng.choice(frames)]
        if self.health is Health.HALF_OPEN:
            return 0
        for connection in list(self.connections):
            for frame in chosen:
                await connection.send(frame)
        return len(chosen)

    def become(self, health: Health) -> None:
        """Fail in the way of `health`, or recover."""
        self.health = health
        if health is not Health.HALF_OPEN:
            self._recovered.set()
            self._recovered = asyncio.Event()

    def mute(self, newcomers: bool = True) -> None:
        """Tell those connected, and with `newcomers` whoever connects, of no liquidation: all else goes on, a history too."""
        self._mute = newcomers
        for connection in self.connections:
            connection.mute = True

    def unmute(self) -> None:
        """Tell everybody again of what happens from now on."""
        self._mute = False
        for connection in self.connections:
            connection.mute = False

    @property
    def speaks(self) -> bool:
        """Whether data goes out at all."""
        return self.health in (Health.HEALTHY, Health.REFUSING)

    async def tick(self, now: int, count: int) -> None:
        """A tenth of a second has passed; it is `now`, UTC nanoseconds."""
        elapsed = (now - self.market.start) / SECOND
        health = self._timetable.health(elapsed)
        if health is not None and health is not self.health:
            self.become(health)
            if health is Health.REFUSING:
                self.drop()
        for fault in self._timetable.due(elapsed):
            self.suffered[fault] += 1
            await self._suffer(fault)
        for farewell in self._timetable.moves(elapsed):
            await self.move(farewell)
        await self._replay_due(now)
        now = self.clock.at(now)
        await self._close_due(now)
        await self.tell(now, count)

    async def _suffer(self, fault: FaultName) -> None:
        if fault == "drop":
            self.drop()
        elif fault == "close":
            await self.announce_close()
        else:
            await self.garbage()

    async def _close_due(self, now: int) -> None:
        announced = self._closing is not None and now >= self._closing
        if announced:
            self._closing = None
        for connection in list(self.connections):
            old = self.lifetime is not None and now - connection.opened > self.lifetime * SECOND
            if announced or old:
                await connection.close(WSCloseCode.GOING_AWAY)

    async def deliver(self, events: Sequence[Published], frame_for: FrameFor) -> bool:
        """Send `events`, in the frame that each connection should get, and keep the truth about it.

        What happens while nobody is connected, or while the venue says nothing, is only kept as `missed`: then `False`.
        """
        hearing = [connection for connection in self.connections if not (events and connection.mute)]
        if not self.speaks or not hearing:
            self.miss(events)
            return False
        copies = 0
        if events:
            self._sent_before.append(frame_for)
        try:
            for connection in hearing:
                frame = frame_for(connection)
                if frame is not None and await connection.send(frame):
                    copies += 1
                    connection.told = self.clock.now()
                    self._last_frame = frame
                    if self.duplicating:
                        self.suffered["duplicate"] += await connection.send(frame)
        finally:
            # A simulation that is ended between two sockets has sent to the first.
            self.told(events, copies)
        return True

    def told(self, events: Iterable[Published], copies: int = 1) -> None:
        """Keep the truth: `events` were sent now, to so many connections, or in answer to a request."""
        if self._truth:
            now = self._time.now()
            self.published += [msgspec.structs.replace(event, sent=now, subscribed=copies) for event in events]

    def miss(self, events: Iterable[Published]) -> None:
        """Keep the truth: `events` would be sent now, if anybody could hear it."""
        if self._truth:
            now = self._time.now()
            self.missed += [msgspec.structs.replace(event, sent=now) for event in events]

    async def _replay_due(self, now: int) -> None:
        """Send who connected a little ago what others were sent before."""
        while self._newcomers and now >= self._newcomers[0].since + _REPLAYED_AFTER:
            connection = self._newcomers.popleft()
            if not self.speaks or connection not in self.connections:
                continue
            for frame_for in tuple(self._sent_before):
                frame = frame_for(connection)
                self.suffered["replay"] += frame is not None and await connection.send(frame)

    async def send_topic(self, topic: str, frame: str | bytes) -> None:
        """Send a frame that is not a liquidation to those who asked for `topic`."""
        if not self.speaks:
            return
        for connection in list(self.connections):
            if topic in connection.topics and await connection.send(frame):
                connection.told = self.clock.now()

    def wanted(self, topic: str) -> bool:
        """Whether anybody has asked for `topic`."""
        return any(topic in connection.topics for connection in self.connections)

    async def start(self) -> str:
        """Open the port; return its address, "http://127.0.0.1:port"."""
        app = web.Application()
        app.add_routes([web.get(path, self._through(self._socket)) for path in self.sockets()])
        app.add_routes([web.route(page.method, page.path, self._through(page.handler)) for page in self.pages()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await self._open_port()
        return self.address

    @property
    def address(self) -> str:
        """Where it is now: "http://127.0.0.1:port"."""
        return f"http://127.0.0.1:{self._ports[-1]}"

    async def _open_port(self) -> None:
        assert self._runner is not None
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        (port,) = {address[1] for address in self._runner.addresses} - set(self._ports)
        self._ports.append(port)

    async def move(self, farewell: Farewell | None) -> None:
        """Go to a new address and leave the old one to its `farewell`; with `None`, have it point to the new one."""
        self._farewell = farewell
        if farewell is None:
            for connection in self._forsaken:
                connection.cut()
            return
        self.suffered[f"moved, the old address {farewell.lower()}"] += 1
        if self._runner is not None:
            await self._open_port()
        if farewell is Farewell.REFUSING:
            self.drop()
        else:
            self._forsaken += self.connections
            self.connections.clear()

    async def stop(self) -> None:
        """Close everything."""
        self.become(Health.REFUSING)
        for connection in [*self.connections, *self._forsaken]:
            connection.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    def _through(self, handler: Any) -> Handler:
        """`handler` behind the venue's health."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.health is Health.HALF_OPEN:
                await self._recovered.wait()
            given_up = _port(request) != self._ports[-1]
            if given_up and self._farewell is None:
                raise web.HTTPPermanentRedirect(f"{self.address}{request.path_qs}")
            if self.health is Health.REFUSING or (given_up and self._farewell is Farewell.REFUSING):
                _transport(request).close()
                return web.Response()
            response: web.StreamResponse = await handler(request)
            return response

        return guarded

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            autoping=False, autoclose=False, compress=False, timeout=PATIENCE, max_msg_size=_LARGEST_REQUEST
        )
        await socket.prepare(request)
        self.opened += 1
        connection = Connection(self.opened, request.path, socket, _transport(request), self.clock.now())
        connection.since = self._time.now()
        connection.mute = self._mute
        (self.connections if _port(request) == self._ports[-1] else self._forsaken).append(connection)
        self._newcomers.append(connection)
        try:
            await self.greet(connection, request)
            await self._converse(connection, socket)
        finally:
            for held in (self.connections, self._forsaken):
                if connection in held:
                    held.remove(connection)
        return socket

    async def _converse(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if self.health is Health.HALF_OPEN:
                continue
            if message.type is WSMsgType.PING:
                await connection.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                connection.heard = self.clock.now()
                await self.hear(connection, message.data)
        if self.health is Health.HALF_OPEN:
            await self._recovered.wait()
        await connection.closed()


def _transport(request: web.Request) -> asyncio.Transport:
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    return transport


def _port(request: web.Request) -> int:
    """That was asked."""
    transport = request.transport
    return 0 if transport is None else int(transport.get_extra_info("sockname")[1])


def encode(value: object) -> str:
    """JSON text."""
    return msgspec.json.encode(value).decode()


def decode(text: str) -> Any:
    """What a client sent, or `None` when it is not a JSON object."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


class Slots:
    """Orders that wait for the end of an interval, one interval per contract, spread over the ticks."""

    def __init__(self, ticks: int) -> None:
        self._ticks = ticks
        self._waiting: dict[str, tuple[Contract, list[Order]]] = {}
        self._phases: dict[str, int] = {}

    def add(self, contract: Contract, order: Order) -> None:
        """Keep `order` for the end of its contract's interval."""
        self._waiting.setdefault(contract.symbol, (contract, []))[1].append(order)

    def due(self, count: int) -> list[tuple[Contract, list[Order]]]:
        """The contracts whose interval ends with tick `count`, with the orders of the interval in order of time."""
        ready = [symbol for symbol in self._waiting if (count + self._phase(symbol)) % self._ticks == 0]
        return [self._waiting.pop(symbol) for symbol in ready]

    def take(self, contract: Contract) -> list[Order]:
        """The orders of `contract` that wait, before their interval is over."""
        return self._waiting.pop(contract.symbol, (contract, []))[1]

    def _phase(self, symbol: str) -> int:
        return self._phases.setdefault(symbol, len(self._phases) % self._ticks)
