"""One client's WebSocket, as a simulated venue holds it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

PATIENCE = 1.0
"""Seconds that the answer to a closing frame is waited for."""
_UNREAD = 4 << 20
"""Bytes a client may be behind."""


class Connection:
    """One client's WebSocket, and what it has subscribed to."""

    def __init__(
        self, number: int, path: str, socket: web.WebSocketResponse, transport: asyncio.Transport, now: int
    ) -> None:
        self.number, self.path, self.opened = number, path, now
        self.heard = self.told = now
        """When it last sent us text, and when we last sent it any: UTC nanoseconds."""
        self.topics: dict[str, dict[str, Any]] = {}
        self.count = 0
        """Messages it sent in the second `counted`."""
        self.counted = 0
        self.mute = False
        """Whether it is told everything but liquidations."""
        self._socket, self._transport = socket, transport
        self._closing = False
        self.since = 0
        """When it was opened by the simulation's clock, UTC nanoseconds."""
        # A client that does not read must not hold up the others: writing never waits, and who falls behind is cut.
        transport.set_write_buffer_limits(high=2 * _UNREAD)

    @property
    def open(self) -> bool:
        """Whether it still takes messages."""
        return not (self._closing or self._socket.closed or self._transport.is_closing())

    async def send(self, frame: str | bytes) -> bool:
        """Send one message; tell whether the connection still took it."""
        if not self.open:
            return False
        if self._transport.get_write_buffer_size() > _UNREAD:
            self.abort()
            return False
        try:
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)
        except ConnectionError:
            return False
        return True

    async def ping(self, payload: bytes) -> None:
        """Send a WebSocket ping."""
        if self.open:
            await self._socket.ping(payload)

    async def pong(self, payload: bytes) -> None:
        """Answer a WebSocket ping."""
        if self.open:
            await self._socket.pong(payload)

    async def close(self, code: int, reason: bytes = b"") -> None:
        """Send a closing frame and give the client a moment to answer it.

        Not aiohttp's own `close`: called beside a `receive`, that cuts the transport before the client can answer.
        """
        if self._closing or self._transport.is_closing():
            return
        self._closing = True
        await self._socket.send_frame(code.to_bytes(2, "big") + reason, WSMsgType.CLOSE)
        asyncio.get_running_loop().call_later(PATIENCE, self._transport.close)

    async def closed(self) -> None:
        """The client's closing frame has come, or its connection is gone."""
        if self._closing:
            self._transport.close()
        else:
            await self._socket.close()

    def cut(self) -> None:
        """End the TCP connection without a closing handshake. What was sent before still arrives.

        Our direction is shut down first: closing with unread input would reset the connection, and the client would
        lose what it has not read yet, which the truth says it was sent.
        """
        if self._closing or self._transport.is_closing():
            return
        self._closing = True
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(PATIENCE, self._transport.abort)

    def abort(self) -> None:
        """Close the TCP connection and forget what could not be sent yet."""
        self._transport.abort()
