"""Bitfinex, its public status channels.

https://docs.bitfinex.com/reference/ws-public-status
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.past import Past
from liquake.simulate.server import TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

_LIQUIDATIONS = "liq:global"
_DERIVATIVE = "deriv:"
_CHANNELS = 25
_HEARTBEAT = 15 * TICKS_PER_SECOND
_SNAPSHOT = 3
_PAGE = 500
_TAKEN_OVER = 250_000.0
"""Dollars from which the system takes a position over instead of selling it into the market."""
_IN_PARTS = 20_000.0
"""Dollars from which a position is sold in parts."""
_OLD = 5_400_000
"""Milliseconds before the start at which the liquidation happened that the first snapshot replays."""

_CONTRACTS = (
    Contract("tBTCF0:USTF0", "BTC", 1, 6),
    Contract("tBTCUSD", "BTC", 1, 6, share=0.1),
    Contract("tETHF0:USTF0", "ETH", 2, 5),
    Contract("tETHUSD", "ETH", 2, 5, share=0.1),
    Contract("tSOLF0:USTF0", "SOL", 3, 3),
    Contract("tXRPF0:USTF0", "XRP", 5, 2),
    Contract("tDOGEF0:USTF0", "DOGE", 6, 1),
    Contract("tBNBF0:USTF0", "BNB", 2, 4),
    Contract("tADAF0:USTF0", "ADA", 5, 1),
    Contract("tLINKF0:USTF0", "LINK", 4, 3),
    Contract("tAVAXF0:USTF0", "AVAX", 4, 3),
    Contract("tPEPEF0:USTF0", "PEPE", 10, 0),
)

_Position = list[object]


class BitfinexServer(VenueServer):
    """One port for the WebSocket and the REST of api-pub.bitfinex.com."""

    name = "bitfinex"
    contracts = _CONTRACTS
    share = 0.01

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._past = Past()
        self._positions, self._next_channel = 190_000_000, 100
        contract = self.listing.contracts[0]
        price = self.market.price(contract.asset)
        when = self.market.start - _OLD * MILLISECOND
        order = Order(when, self.name, contract.asset, Side.LONG, price, price, 0.02, 0.02 * price)
        for event, row in self._executions(contract, order, 1):
            self._past.add(event.ts // MILLISECOND, row, event)

    def sockets(self) -> Sequence[str]:
        return ("/ws/2",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.get("/v2/conf/{lists}", self._lists), web.get("/v2/liquidations/hist", self._history))

    async def greet(self, connection: Connection, request: web.Request) -> None:
        del request
        hello = {"event": "info", "version": 2, "serverId": f"sim-{connection.number}", "platform": {"status": 1}}
        await connection.send(encode(hello))

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        event = request.get("event") if request else None
        if request is None or event is None:
            await connection.send(encode({"event": "error", "msg": "invalid", "code": 10000}))
        elif event == "ping":
            pong = {"event": "pong", "ts": self.clock.now() // MILLISECOND, "cid": request.get("cid", 0)}
            await connection.send(encode(pong))
        elif event == "subscribe":
            await self._subscribe(connection, request)
        else:
            await connection.send(encode({"event": "error", "msg": f"unknown event: {event}", "code": 10000}))

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        self._positions += 1
        if order.usd >= _TAKEN_OVER:
            await self._send([self._position(contract, order, order.amount, match=0, sold=0)])
            return
        whole, trigger = self._position(contract, order, order.amount, match=0, sold=1)
        parts = self._executions(contract, order, 3 if order.usd >= _IN_PARTS else 1)
        self._past.add(whole.ts // MILLISECOND, trigger)
        await self._each(_LIQUIDATIONS, [trigger])
        for part in parts:
            await self._send([part])

    async def tell(self, now: int, count: int) -> None:
        if count % _HEARTBEAT == 0 and self.speaks:
            for connection in list(self.connections):
                for asked in list(connection.topics.values()):
                    await connection.send(encode([asked["channel"], "hb"]))
        if count % TICKS_PER_SECOND == 0:
            for contract in self.listing.contracts:
                await self._each(_DERIVATIVE + contract.symbol, self._status(contract, now))

    async def announce_close(self, after: float = 1.0) -> None:
        await super().announce_close(after)
        message = "Stopping. Please try to reconnect"
        for connection in list(self.connections):
            await connection.send(encode({"event": "info", "code": 20051, "msg": message}))

    async def _subscribe(self, connection: Connection, request: Row) -> None:
        key = request.get("key")
        known = key == _LIQUIDATIONS or (isinstance(key, str) and self._derivative(key) is not None)
        echoed = {"channel": request.get("channel"), "key": key}
        if request.get("channel") != "status" or not known:
            refusal = ("key: invalid", 10300)
        elif key in connection.topics:
            refusal = ("subscribe: dup", 10301)
        elif len(connection.topics) >= _CHANNELS:
            refusal = ("subscribe: limit", 10305)
        else:
            await self._open(connection, str(key))
            return
        await connection.send(encode({**echoed, "event": "error", "msg": refusal[0], "code": refusal[1]}))

    async def _open(self, connection: Connection, key: str) -> None:
        self._next_channel += 1
        channel = self._next_channel
        connection.topics[key] = {"channel": channel}
        await connection.send(encode({"event": "subscribed", "channel": "status", "chanId": channel, "key": key}))
        if not self.speaks:
            return
        contract = self._derivative(key)
        if contract is not None:
            await connection.send(encode([channel, self._status(contract, self.clock.now())]))
            return
        latest = list(islice(self._past.newest_first(), _SNAPSHOT))
        frame = encode([channel, [row for _, row, _ in latest]])
        fresh = self._past.tell(*(event.key for _, _, event in latest if event is not None))
        if fresh:
            await self.deliver(fresh, lambda other: frame if other is connection else None)
        else:
            await connection.send(frame)

    def _derivative(self, key: str) -> Contract | None:
        symbol = key.removeprefix(_DERIVATIVE)
        return self.listing.by_symbol.get(symbol) if key.startswith(_DERIVATIVE) and "F0" in symbol else None

    async def _send(self, read: Sequence[tuple[Published, _Position]]) -> None:
        """Executions, or a position that was taken over."""
        for event, row in read:
            self._past.add(event.ts // MILLISECOND, row, event)
        rows, events = [row for _, row in read], [event for event, _ in read]

        def frame(connection: Connection) -> str | None:
            asked = connection.topics.get(_LIQUIDATIONS)
            return encode([asked["channel"], rows]) if asked else None

        if await self.deliver(events, frame):
            self._past.tell(*(event.key for event in events))

    async def _each(self, key: str, content: _Position) -> None:
        """What is no liquidation, to each that asked for `key`, by its own number of the channel."""
        if not self.speaks:
            return
        for connection in list(self.connections):
            asked = connection.topics.get(key)
            if asked and await connection.send(encode([asked["channel"], content])):
                connection.told = self.clock.now()

    def _executions(self, contract: Contract, order: Order, parts: int) -> list[tuple[Published, _Position]]:
        shares = [order.amount / parts] * parts
        return [self._position(contract, order, share, 1, 1, nth) for nth, share in enumerate(shares)]

    def _position(
        self, contract: Contract, order: Order, amount: float, match: int, sold: int, later: int = 0
    ) -> tuple[Published, _Position]:
        """A row in the documented shape, and the truth about it, `later` milliseconds after the order."""
        price = float(contract.price_text(order.price))
        units = round(max(amount, 10.0**-contract.size_decimals), contract.size_decimals)
        # "Positive values means a long position, negative values means a short position".
        signed = units if order.side is Side.LONG else -units
        entry = price * (1.05 if order.side is Side.LONG else 0.95)
        when = order.ts // MILLISECOND + later
        identity = f"{self._positions}|{when}|{signed}|{match}"
        event = Published(
            self.name,
            contract.symbol,
            order.side,
            price,
            units,
            units * price,
            when * MILLISECOND,
            units,
            identity,
        )
        trigger = match == 0 and sold == 1
        paid = None if trigger else price
        row = ["pos", self._positions, when, None, contract.symbol, signed, entry, None, match, sold, None, paid]
        return event, row

    def _status(self, contract: Contract, now: int) -> _Position:
        price = self.market.price(contract.asset)
        head: _Position = [now // MILLISECOND, None, price, price * 0.9999, None, 80_000_000.0, None]
        funding: _Position = [now // MILLISECOND + 3_600_000, 0.0001, 12, None, 0.0001, None, None]
        return [*head, *funding, price, None, None, 5_000.0, None, None, None, -0.05, 0.05]

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good: _Position = ["pos", 5, when, None, "tBTCF0:USTF0", 0.5, 80_000, None, 1, 1, None, 80_000]
        wrong: tuple[tuple[int, object], ...] = ((5, "NaN"), (11, -5), (5, {}), (11, "inf"), (2, None), (4, 7))
        return [encode([100, [[*good[:at], value, *good[at + 1 :]]]]) for at, value in wrong]

    async def _lists(self, request: web.Request) -> web.Response:
        symbols = [contract.symbol.removeprefix("t") for contract in self.listing.contracts]
        answers: dict[str, list[object]] = {
            "pub:list:pair:futures": [symbol for symbol in symbols if "F0" in symbol],
            "pub:list:pair:margin": [symbol for symbol in symbols if "F0" not in symbol],
            "pub:map:currency:sym": [["UST", "USDt"], ["IOT", "IOTA"]],
        }
        return web.json_response([answers.get(name, []) for name in request.match_info["lists"].split(",")])

    async def _history(self, request: web.Request) -> web.Response:
        query = request.query
        start, end = float(query.get("start", 0)), float(query.get("end", "inf"))
        kept = [each for each in self._past.newest_first() if start <= each[0] <= end]
        if query.get("sort") == "1":
            kept.reverse()
        page = kept[: min(_PAGE, int(query.get("limit", _PAGE)))]
        fresh = self._past.tell(*(event.key for _, _, event in page if event is not None))
        self.told(fresh)
        return web.json_response([[row] for _, row, _ in page])
