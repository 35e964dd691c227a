"""One open socket, from handshake to close."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from math import inf

import aiohttp
import msgspec

from liquake.clock import SECOND, Clock
from liquake.ingest.moving import MovingPrices
from liquake.ingest.subscribed import Subscribed
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Gap, Price
from liquake.venues import Connection, Decoder, Venue

Receiver = Callable[[Sequence[Event], bytes, str, int], None]
"""Takes the events of one frame, the frame itself (empty for events no frame carried), the name of the connection, and
our clock at the receipt."""

_BIGGEST_FRAME = 16 * 1024 * 1024
# A peer that no longer answers is not waited for: after this many seconds the transport is cut.
_CLOSE_PATIENCE = 1.0
HANDSHAKE_REFUSED = "the handshake was refused"
"""How the end of a link begins that the venue did not want."""


class Tempo(msgspec.Struct, frozen=True):
    """How patient a session is. Seconds, but for `healthy_frames`; tests hurry it."""

    handshake: float = 10.0
    acknowledgement: float = 10.0
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    healthy_frames: int = 3
    """Frames with data after which the back-off starts over."""
    rotation_margin: float = 600.0
    """Before the end of a connection's allowed lifetime that it is replaced."""
    first_ping: float | None = None
    """After the handshake; `None` for as long as between two pings."""
    history_after: float = 5.0
    """After a gap before the venue is asked for it: its history lags behind its stream."""
    history_again: float = 300.0
    """After it did not tell until it is asked again; this doubles, and the next gap asks sooner."""
    asked_first: float = 30.0
    """Without a liquidation from the sockets of a venue that has a history, until that is asked whether there was one."""
    asked_most: float = 180.0
    """Between two such questions, once the silence has been long."""
    grace: float = 15.0
    """For which a history is not asked yet. What no socket has brought after twice that time it will not bring."""
    renewed_first: float = 600.0
    """After sockets that bring no liquidations were replaced, until they are again; this doubles."""
    watch: float = 0.25
    """Between two looks at whether the socket still lives."""


class Link:
    """One socket of a venue: opened, subscribed, kept alive, read until it ends.

    `run` returns why it ended. `closing` is set when the venue has announced that it will close, or the link should be
    replaced for another reason.
    """

    def __init__(
        self,
        venue: Venue,
        connection: Connection,
        decoder: Decoder,
        clock: Clock,
        receiver: Receiver,
        tempo: Tempo,
        missed: Callable[[Gap], object] | None = None,
    ) -> None:
        self.venue, self.connection = venue, connection
        self._stale_after = venue.heartbeat.stale_after if connection.priced else inf
        self.closing = asyncio.Event()
        self.last_recv = 0
        """Our clock at the last frame of any kind; 0 before the first."""
        self.ready_at = 0
        """Our clock when every subscription was acknowledged or refused and, where prices are due, one had changed; 0
        before. A venue that tells nothing may acknowledge, and answer with the prices of that moment."""
        self.beats = 0
        """Answers to our pings, and pings of the venue's. After a ping, a frame that tells nothing counts as its answer."""
        self._pinged = False
        self._decoder, self._clock, self._tempo = decoder, clock, tempo
        self.receiver = receiver
        self.missed = missed
        self._awaited = {ack: subscription for subscription in connection.subscriptions for ack in subscription.acks}
        self._subscribed = Subscribed(venue, connection, decoder.instruments)
        self._refused: asyncio.Queue[FeedStatus] = asyncio.Queue()
        self.granted: set[str] = set()
        """The topics that the venue acknowledged."""
        self._last_price = self._last_told = 0
        self._moving = MovingPrices()
        self._stale_since: int | None = None
        """When the last price came before the prices stopped."""
        self._end = ""
        self._ready = asyncio.Event()
        self._data_frames = 0
        self._enough = asyncio.Event()

    async def run(self, client: aiohttp.ClientSession) -> str:
        """Open, subscribe and read until the socket ends; the reason, as words for a user."""
        try:
            async with asyncio.timeout(self._tempo.handshake):
                socket = await client.ws_connect(
                    self.connection.url,
                    headers=self.connection.headers,
                    autoping=False,
                    max_msg_size=_BIGGEST_FRAME,
                    decode_text=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_PATIENCE),
                )
        except TimeoutError:
            return f"no handshake within {self._tempo.handshake:g} s"
        except aiohttp.WSServerHandshakeError as error:
            return f"{HANDSHAKE_REFUSED} with HTTP {error.status}"
        except aiohttp.ClientConnectorError as error:
            return f"cannot connect: {error.host}:{error.port} {_reason(error.os_error)}"
        except (aiohttp.ClientError, OSError) as error:
            return f"cannot connect: {error}"
        try:
            return await self._live(socket)
        finally:
            await socket.close()

    async def healthy(self) -> None:
        """Wait until every subscription is acknowledged or refused, and data has come: a price, where prices are due."""
        await self._ready.wait()
        await self._enough.wait()

    @property
    def told_until(self) -> int:
        """Our clock when the link last showed that it tells what it should; 0 where it never opened.

        An answer to a ping shows that of those connections alone that have nothing else to say: an address that has been
        given up may go on answering.
        """
        if self._stale_since is not None:
            return self._stale_since
        return self.last_recv if self._stale_after == inf else self._last_told

    def stale_until(self, end: int) -> Gap | None:
        """What may be missing up to `end` because the prices have stopped; `None` where they have not."""
        if self._stale_since is None:
            return None
        return Gap(self.venue.name, self.connection.name, self._stale_since, end, self._silence(self._stale_after))

    async def _live(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> str:
        self.last_recv = self._last_price = self._last_told = self._clock.now()
        self._tell(FeedState.CONNECTED)
        self._check_ready()
        helpers = [
            asyncio.create_task(work(socket)) for work in (self._subscribe, self._beat, self._watch, self._expect)
        ]
        try:
            return self._end or await self._read(socket)
        finally:
            await _end(helpers)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> str:
        while True:
            message = await socket.receive()
            kind = message.type
            if kind is aiohttp.WSMsgType.TEXT or kind is aiohttp.WSMsgType.BINARY:
                self._take(message.data)
                if self._decoder.replies:
                    await self._reply(socket)
            elif kind is aiohttp.WSMsgType.PING:
                self.beats += 1
                self.last_recv = self._clock.now()
                await socket.pong(message.data)
            elif kind is aiohttp.WSMsgType.PONG:
                self.beats += 1
                self.last_recv = self._clock.now()
            else:
                return self._end or self._why(socket.close_code, message.data)

    async def _reply(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        replies = tuple(self._decoder.replies)
        self._decoder.replies.clear()
        for frame in replies:
            await socket.send_str(frame)

    def _why(self, code: int | None, fault: object) -> str:
        if isinstance(fault, Exception):
            now = self._clock.now()
            reason = f"unreadable frame: {fault}"
            self.receiver((self._decoder.failure(b"", now, reason),), b"", self.connection.name, now)
            return reason
        if code is None or code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
            return "the connection broke"
        return f"closed by the venue with code {int(code)}"

    def _take(self, frame: bytes) -> None:
        now = self._clock.now()
        self.last_recv = now
        # A decoder's own fault may cost one frame, never the feed.
        try:
            events = self._decoder.decode(frame, now)
        except Exception as fault:
            events = (self._decoder.failure(frame, now, f"the decoder failed: {fault!r}"),)
        if not events:
            self.beats += self._pinged or bool(self._decoder.replies)
            # Where liquidations are rare, the pings that a venue wants answered show that the socket is of use.
            if self._decoder.replies:
                self._count()
            return
        self.receiver(events, frame, self.connection.name, now)
        self._hear(events, now)
        self._count()
        if self._data_frames == 1 and not self.connection.subscriptions:
            # Subscribed by the address itself: what arrives is the only acknowledgement there is.
            self._tell(FeedState.SUBSCRIBED, "by its address", self.connection.name)
        if self._stale_since is not None and self._last_price > self._stale_since:
            self._resume(now)

    def _hear(self, events: Sequence[Event], now: int) -> None:
        for event in events:
            kind = type(event)
            if kind is not DecodeError:
                self._last_told = now
            if kind is FeedStatus:
                self._heed(event)  # type: ignore[arg-type]
            elif kind is Price:
                self._last_price = now
        if not self._moving.found:
            self._moving.take(events)
            self._check_ready()

    def _resume(self, now: int) -> None:
        gap = self.stale_until(now)
        assert gap is not None
        self.receiver((gap,), b"", self.connection.name, now)
        self._stale_since = None
        self._tell(FeedState.RESUMED, "prices again")
        if self.missed is not None:
            self.missed(gap)

    def _count(self) -> None:
        self._data_frames += 1
        if self._data_frames >= self._tempo.healthy_frames:
            self._enough.set()

    def _heed(self, status: FeedStatus) -> None:
        if status.state is FeedState.CLOSING:
            self.closing.set()
        elif status.state is FeedState.SUBSCRIBED:
            self.granted.add(status.topic)
            self._subscribed.taken(status.topic)
            self._settle(status.topic)
        elif status.state is FeedState.REJECTED:
            self._refused.put_nowait(status)

    def _settle(self, ack: str) -> None:
        self._awaited.pop(ack, None)
        if self._ready.is_set():
            # The answer came late.
            self.tell_scope()
        self._check_ready()

    def _check_ready(self) -> None:
        priced = self._stale_after == inf or self._moving.found
        if priced and not self._awaited and not self._ready.is_set():
            self.ready_at = self._clock.now()
            self._ready.set()
            self.tell_scope()

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        for subscription in self.connection.subscriptions:
            await self._send(socket, subscription.frame)
        while True:
            refused = await self._refused.get()
            whole = self._awaited.get(refused.topic)
            parts = self.venue.retry(refused, whole) if whole else ()
            self._subscribed.refused(refused.topic, parts)
            for part in parts:
                self._awaited.update(dict.fromkeys(part.acks, part))
                await self._send(socket, part.frame)
            self._settle(refused.topic)

    async def _expect(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Report by name what the venue neither acknowledges nor refuses."""
        del socket
        sending = len(self.connection.subscriptions) / self.venue.limits.messages_per_second
        await asyncio.sleep(self._tempo.acknowledgement + sending)
        for ack in tuple(self._awaited):
            self._tell(FeedState.REJECTED, f"not acknowledged within {self._tempo.acknowledgement:g} s", ack)
            self._subscribed.refused(ack, ())
            self._settle(ack)

    async def _send(self, socket: aiohttp.ClientWebSocketResponse[bool], frame: str) -> None:
        await socket.send_str(frame)
        await asyncio.sleep(1.0 / self.venue.limits.messages_per_second)

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        heartbeat, first = self.venue.heartbeat, self._tempo.first_ping
        await asyncio.sleep(heartbeat.every if first is None else first)
        while True:
            self._pinged = True
            if heartbeat.frame is None:
                await socket.ping()
            else:
                await socket.send_str(heartbeat.frame)
            await asyncio.sleep(heartbeat.every)

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """End the link when nothing arrives at all; report it stale when prices stop, and end it if they stay away."""
        heartbeat = self.venue.heartbeat
        while True:
            await asyncio.sleep(self._tempo.watch)
            now = self._clock.now()
            silent, priceless = (now - self.last_recv) / SECOND, (now - self._last_price) / SECOND
            if silent > heartbeat.dead_after:
                self._end = f"nothing arrived for {heartbeat.dead_after:g} s, not even heartbeats"
                await socket.close()
            elif priceless > 2.0 * self._stale_after:
                self._end = self._silence(2.0 * self._stale_after)
                await socket.close()
            elif priceless > self._stale_after and self._stale_since is None:
                self._stale_since = self._last_price
                self._tell(FeedState.STALE, self._silence(self._stale_after))

    @staticmethod
    def _silence(seconds: float) -> str:
        return f"no price for {seconds:g} s although the socket lives"

    def _tell(self, state: FeedState, reason: str = "", topic: str = "") -> None:
        now = self._clock.now()
        status = FeedStatus(self.venue.name, self.connection.name, state, now, topic, reason)
        self.receiver((status,), b"", self.connection.name, now)

    def tell_scope(self) -> None:
        """Tell what the connection brings, where that is not what was said last."""
        if (scope := self._subscribed.news(self._clock.now())) is not None:
            self.receiver((scope,), b"", self.connection.name, scope.ts)


def _reason(error: OSError) -> str:
    """What the system says, without the address it repeats."""
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return text[:1].lower() + text[1:]


async def _end(helpers: Sequence[asyncio.Task[None]]) -> None:
    """Cancel and collect the helpers. That a socket broke under one is no news; anything else is a fault of ours."""
    for task in helpers:
        task.cancel()
    for outcome in await asyncio.gather(*helpers, return_exceptions=True):
        if isinstance(outcome, Exception) and not isinstance(outcome, (OSError, aiohttp.ClientError)):
            raise outcome
