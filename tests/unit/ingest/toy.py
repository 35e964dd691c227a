"""A venue of a few words, and its server on loopback: what a session does shows without any exchange's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from liquake.ingest.link import Tempo
from liquake.model import (
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Instrument,
    Instruments,
    Price,
    PriceKind,
)
from liquake.venues import Connection, Decoder, Heartbeat, Limits, Request, Subscription, Venue
from liquake.venues.venue import Facts

HURRIED = Tempo(
    handshake=2.0,
    acknowledgement=0.3,
    backoff_first=0.01,
    backoff_most=0.05,
    healthy_frames=2,
    rotation_margin=0.0,
    watch=0.02,
)


class ToyDecoder(Decoder):
    """`ok TOPIC`, `no TOPIC`, `closing`, `pong`, `hello` (which wants `here` for an answer), or a price."""

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        words = frame.decode() if isinstance(frame, bytes) else frame
        verb, _, rest = words.partition(" ")
        states = {"ok": FeedState.SUBSCRIBED, "no": FeedState.REJECTED, "closing": FeedState.CLOSING}
        if verb in states:
            return (FeedStatus(self.venue, self.connection, states[verb], ts_recv, rest),)
        if verb == "hello":
            self.replies.append("here")
        if verb in ("pong", "hello"):
            return ()
        return (Price(self.venue, "BTC", "BTC", PriceKind.MARK, float(words), ts_recv, ts_recv),)


class ToyVenue(Venue):
    """Sends a text ping, wants prices, takes its time limits from the test."""

    name = "toy"
    title = "Toy"
    coverage = Coverage(CoverageKind.COMPLETE, "everything")
    limits = Limits(lifetime=None, messages_per_second=1000.0, connects_per_minute=6000.0)
    facts = Facts("toy", "", "", "", "", "")
    endpoints = ()

    def __init__(self, heartbeat: Heartbeat) -> None:
        self.heartbeat = heartbeat  # type: ignore[misc]

    def instrument_requests(self) -> tuple[Request, ...]:
        return ()

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        raise NotImplementedError

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        raise NotImplementedError

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return ToyDecoder(self.name, connection, instruments)

    def retry(self, rejected: FeedStatus, subscription: Subscription) -> tuple[Subscription, ...]:
        good = rejected.topic.removesuffix("+bad")
        return (Subscription(f"sub {good}", (good,)),) if good != rejected.topic else ()


PATIENT = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=30.0)


def connection_to(url: str, *topics: str) -> Connection:
    """A connection that subscribes each of `topics`."""
    return Connection("only", url, tuple(Subscription(f"sub {topic}", (topic,)) for topic in topics or ("a",)))


class ToyServer:
    """Acknowledges and sends a price every few milliseconds, unless the test tells it otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.received: list[str] = []
        self.greeting: Callable[[int], str | bytes | None] = lambda nth: None
        """What the nth connection is sent first, as a text frame."""
        self.answering = True
        self.pricing = True
        self.refuse: set[str] = set()
        self.ignore: set[str] = set()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        self.sockets.append(socket)
        greeting = self.greeting(self.opened)
        if greeting is not None:
            await socket._writer.send_frame(  # type: ignore[union-attr]
                greeting.encode() if isinstance(greeting, str) else greeting, WSMsgType.TEXT
            )
        pricing = asyncio.create_task(self._price(socket))
        try:
            async for message in socket:
                await self._answer(socket, message.data)
        finally:
            pricing.cancel()
            self.sockets.remove(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, text: str) -> None:
        self.received.append(text)
        if not self.answering:
            return
        if text == "ping":
            await socket.send_str("pong")
        elif text.startswith("sub "):
            topic = text.removeprefix("sub ")
            if topic not in self.ignore:
                await socket.send_str(f"{'no' if topic in self.refuse else 'ok'} {topic}")

    async def _price(self, socket: web.WebSocketResponse) -> None:
        while True:
            await asyncio.sleep(0.005)
            if self.pricing and self.answering and not socket.closed:
                await socket.send_str("100.5")

    async def drop(self) -> None:
        """Close every connection there is."""
        for socket in tuple(self.sockets):
            await socket.close(code=1012)


@asynccontextmanager
async def toy_server() -> AsyncIterator[ToyServer]:
    """A `ToyServer` on a free port."""
    server = ToyServer()
    application = web.Application()
    application.router.add_get("/", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"ws://{host}:{port}/"
    try:
        yield server
    finally:
        await runner.cleanup()


class Heard:
    """What the receiver got, and a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._came = asyncio.Event()

    def __call__(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        self.events += events
        self._came.set()

    @property
    def states(self) -> list[FeedState]:
        return [event.state for event in self.events if isinstance(event, FeedStatus)]

    @property
    def statuses(self) -> list[FeedStatus]:
        return [event for event in self.events if isinstance(event, FeedStatus)]

    @property
    def gaps(self) -> list[Gap]:
        return [event for event in self.events if isinstance(event, Gap)]

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until `condition` holds after some event; fails with what was heard when it does not."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s; heard {self.statuses} {self.gaps}") from None
