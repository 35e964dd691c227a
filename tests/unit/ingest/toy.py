"""A venue of a few words, and its server on loopback: what a session does shows without any exchange's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from liquake.errors import HistoryError
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
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
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
    history_after=0.0,
)


def liquidation(ts: int, ts_recv: int) -> Liquidation:
    """The toy's liquidation of a moment, UTC nanoseconds: from stream and history alike."""
    return Liquidation("toy", "BTC", "BTC", Side.LONG, 100.0, PriceBasis.FILL, 10.0, 1_000.0, ts, ts_recv, id=str(ts))


class ToyDecoder(Decoder):
    """`ok TOPIC`, `no TOPIC`, `closing`, `pong`, `hello` (which wants `here` for an answer), `liq NANOSECONDS`, or a price."""

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
        if verb == "liq":
            return (liquidation(int(rest), ts_recv),)
        return (Price(self.venue, "BTC", "BTC", PriceKind.MARK, float(words), ts_recv, ts_recv),)


class ToyVenue(Venue):
    """Sends a text ping, wants prices, takes its time limits from the test."""

    name = "toy"
    title = "Toy"
    coverage = Coverage(CoverageKind.COMPLETE, "everything")
    limits = Limits(lifetime=None, messages_per_second=1000.0, connects_per_minute=6000.0, requests_per_minute=6000.0)
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


class ToyWithPast(ToyVenue):
    """Tells what was, two moments a page, from the server at `url`."""

    def __init__(self, heartbeat: Heartbeat, url: str, topics: tuple[str, ...] = ("a",)) -> None:
        super().__init__(heartbeat)
        self.url, self.topics = url, topics

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        return [connection_to(self.url, *self.topics)] if self.topics else []

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        return (Request(f"{self.url.replace('ws', 'http', 1)}history?start={start}&end={end}"),)

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        if b"?" in answer:
            raise HistoryError(self.name, "it asks back")
        return [liquidation(int(word), ts_recv) for word in answer.split() if word != b"more"]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        if not answer.endswith(b"more"):
            return None
        last = int(answer.split()[-2])
        return Request(
            request.url.replace(request.url[request.url.index("start=") : request.url.index("&")], f"start={last + 1}")
        )


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
        self.price_every = 0.005
        self.past: list[int] = []
        """What happened, UTC nanoseconds, as the history tells it."""
        self.asked: list[tuple[int, int]] = []
        """The start and end of each request for it."""
        self.past_status = 200
        self.past_answer: str | None = None
        """In place of a true answer."""
        self.refuse: set[str] = set()
        self.ignore: set[str] = set()
        self._muted: set[web.WebSocketResponse] = set()

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

    async def tell(self, request: web.Request) -> web.Response:
        """A page of the past."""
        start, end = int(request.query["start"]), int(request.query["end"])
        self.asked.append((start, end))
        found = sorted(ts for ts in self.past if start <= ts <= end)
        page = [str(ts) for ts in found[:2]] + (["more"] if len(found) > 2 else [])
        return web.Response(text=self.past_answer or " ".join(page), status=self.past_status)

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
            await asyncio.sleep(self.price_every)
            if self.pricing and self.answering and socket not in self._muted and not socket.closed:
                await socket.send_str("100.5")

    def mute(self, socket: web.WebSocketResponse) -> None:
        """Send no more prices on `socket`."""
        self._muted.add(socket)

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
    application.router.add_get("/history", server.tell)
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
    def liquidations(self) -> list[int]:
        """Their moments, in order of arrival."""
        return [event.ts_event for event in self.events if isinstance(event, Liquidation)]

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
