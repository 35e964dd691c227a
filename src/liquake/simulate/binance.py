"""Binance USDⓈ-M futures, with the COIN-M events that its all-market streams carry since 2026-06-30.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Liquidation-Order-Streams
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aiohttp import WSCloseCode, web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode

_ALL = "!forceOrder@arr"
_MESSAGES_PER_SECOND = 10

_CONTRACTS = (
    Contract("BTCUSDT", "BTC", 2, 3),
    Contract("BTCUSD_PERP", "BTC", 1, 0, multiplier=100.0, inverse=True, share=0.06),
    Contract("ETHUSDT", "ETH", 2, 3),
    Contract("ETHUSD_PERP", "ETH", 2, 0, multiplier=10.0, inverse=True, share=0.06),
    Contract("SOLUSDT", "SOL", 3, 2),
    Contract("XRPUSDT", "XRP", 4, 1),
    Contract("DOGEUSDT", "DOGE", 5, 0),
    Contract("BNBUSDT", "BNB", 2, 2),
    Contract("ADAUSDT", "ADA", 5, 0),
    Contract("LINKUSDT", "LINK", 3, 2),
    Contract("AVAXUSDT", "AVAX", 3, 1),
    Contract("1000PEPEUSDT", "PEPE", 7, 0, bundle=1000),
)


class BinanceServer(VenueServer):
    """One port for fstream, dstream, fapi and dapi."""

    name = "binance"
    rank = 1
    contracts: ClassVar[tuple[Contract, ...]] = _CONTRACTS
    lifetime = 24 * 3600.0
    ping_every = 180.0
    """Seconds between the server's WebSocket pings."""
    streams = 1024
    """That one connection may have."""
    live = "/market/"
    """What every address begins with that carries market streams."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._slots = Slots(TICKS_PER_SECOND)
        self._trade_id = 3_000_000_000

    def sockets(self) -> Sequence[str]:
        live = ("/market/ws", "/market/ws/{streams:.+}", "/market/stream")
        # Since 2026-04-23 the unrouted addresses connect, acknowledge, and carry none of the market streams.
        return (*live, "/ws", "/ws/{streams:.+}", "/stream")

    def pages(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/fapi/v1/exchangeInfo", self._linear),
            web.get("/dapi/v1/exchangeInfo", self._inverse),
        )

    async def greet(self, connection: Connection, request: web.Request) -> None:
        names = request.match_info.get("streams") or request.query.get("streams", "")
        connection.topics.update((name, {}) for name in names.split("/") if name)

    async def hear(self, connection: Connection, text: str) -> None:
        second = connection.heard // SECOND
        connection.count = connection.count + 1 if connection.counted == second else 1
        connection.counted = second
        if connection.count > _MESSAGES_PER_SECOND:
            await connection.close(WSCloseCode.POLICY_VIOLATION, b"Too many requests")
            return
        await connection.send(encode(_answer(connection, decode(text), self.streams)))

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        if self.throttled:
            self._slots.add(contract, order)
        else:
            await self._force_order(contract, order)

    async def tell(self, now: int, count: int) -> None:
        for contract, orders in self._slots.due(count):
            await self._force_order(contract, self.kept(orders))
        if count % TICKS_PER_SECOND == 0:
            await self._marks(now)
            await self._pings(now)
        if count % 5 == 0:
            await self._trades(now, 0.5)

    def kept(self, orders: Sequence[Order]) -> Order:
        """Which of the orders of a symbol's second is published: "the largest one", since 2026-04-14."""
        return max(orders, key=_usd)

    def product(self, contract: Contract) -> Row:
        """What tells the two products of a merged stream apart."""
        return {"st": 2 if contract.inverse else 1}

    async def _force_order(self, contract: Contract, order: Order) -> None:
        event, row = _read(self.name, contract, order)
        if product := self.product(contract):
            row |= {"ps": contract.symbol.removesuffix("_PERP"), **product}
        message = {"e": "forceOrder", "E": self.clock.now() // MILLISECOND, "o": row}
        own = f"{contract.symbol.lower()}@forceOrder"
        await self.deliver([event], lambda connection: self._frame(connection, (_ALL, own), message))

    async def _marks(self, now: int) -> None:
        for contract in self.listing.contracts:
            name = f"{contract.symbol.lower()}@markPrice"
            asked = [topic for topic in (name, f"{name}@1s") if self.wanted(topic)]
            message = _mark(contract, self.market.price(contract.asset), now) | self.product(contract) if asked else {}
            for topic in asked:
                await self._stream(topic, message)

    async def _trades(self, now: int, seconds: float) -> None:
        for contract in self.listing.contracts:
            topic = f"{contract.symbol.lower()}@aggTrade"
            if not self.wanted(topic):
                continue
            price = self.market.price(contract.asset)
            for _ in range(_draws(self, contract.asset, seconds)):
                await self._stream(topic, self._trade(contract, price, now))

    def _trade(self, contract: Contract, price: float, now: int) -> Row:
        self._trade_id += 1
        size = f"{max(self.rng.expovariate(1 / 2_000.0) / price / contract.bundle, 0.001):.3f}"
        when = now // MILLISECOND
        return {
            "e": "aggTrade",
            "E": when,
            "a": self._trade_id,
            "s": contract.symbol,
            "p": contract.price_text(price),
            "q": size,
            "nq": size,
            "f": self._trade_id * 2,
            "l": self._trade_id * 2 + 1,
            "T": when - 12,
            "m": self.rng.random() < 0.5,
            **self.product(contract),
        }

    async def _stream(self, topic: str, message: Row) -> None:
        if not self.speaks:
            return
        for connection in list(self.connections):
            frame = self._frame(connection, (topic,), message)
            if frame is not None:
                await connection.send(frame)

    def _frame(self, connection: Connection, topics: Sequence[str], message: Row) -> str | None:
        """`message` as this connection gets it; `None` when it asked for none of `topics` or by a retired address."""
        if not (connection.path.startswith(self.live) or _coin_margined(connection)):
            return None
        topic = next((topic for topic in topics if topic in connection.topics), None)
        if topic is None:
            return None
        return encode({"stream": topic, "data": message} if connection.path.endswith("/stream") else message)

    async def _pings(self, now: int) -> None:
        if not self.ping_every or self.health not in ("HEALTHY", "REFUSING", "SILENT"):
            return
        for connection in list(self.connections):
            age = (now - connection.opened) // SECOND
            if age and age % round(self.ping_every) == 0:
                await connection.ping(str(now // MILLISECOND).encode())

    def hostile(self) -> Sequence[str | bytes]:
        good = {"s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "1", "p": "80000", "ap": "80100"}
        good |= {"X": "FILLED", "l": "1", "z": "1"}
        when = self.clock.now() // MILLISECOND
        wrong: tuple[Row, ...] = ({"z": "NaN"}, {"ap": "-1"}, {"z": []}, {"ap": "1e999"}, {"T": "soon"}, {"s": None})
        rows = [{**good, "T": when, **change} for change in wrong]
        return [encode({"stream": _ALL, "data": {"e": "forceOrder", "E": when, "o": row}}) for row in rows]

    async def _linear(self, request: web.Request) -> web.Response:
        del request
        symbols = [
            _info(contract, "USDT") | {"status": "TRADING"}
            for contract in self.listing.contracts
            if not contract.inverse
        ]
        return web.json_response({"timezone": "UTC", "serverTime": self.clock.now() // MILLISECOND, "symbols": symbols})

    async def _inverse(self, request: web.Request) -> web.Response:
        del request
        symbols = [
            _info(contract, "USD") | {"contractStatus": "TRADING", "contractSize": int(contract.multiplier)}
            for contract in self.listing.contracts
            if contract.inverse
        ]
        return web.json_response({"timezone": "UTC", "serverTime": self.clock.now() // MILLISECOND, "symbols": symbols})


def _coin_margined(connection: Connection) -> bool:
    """Whether it is to dstream, whose addresses are not routed: those of fstream never had a stream of its contracts.

    A loopback port has no host's name to tell them apart by.
    """
    return any("usd_" in topic for topic in connection.topics)


def _usd(order: Order) -> float:
    return order.usd


def _draws(server: VenueServer, asset: str, seconds: float) -> int:
    """How many trades of `asset` happened in `seconds`; never so many that printing them is the demo's main work."""
    expected = min(server.market.trades_per_second(asset) * seconds, 5.0)
    return int(expected + server.rng.random())


def _answer(connection: Connection, request: Row | None, most: int) -> Row:
    if request is None:
        return {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
    method, number, names = request.get("method"), request.get("id"), request.get("params") or []
    if method == "LIST_SUBSCRIPTIONS":
        return {"result": list(connection.topics), "id": number}
    if method == "SUBSCRIBE":
        if len(connection.topics.keys() | set(names)) > most:
            return {"error": {"code": 2, "msg": f"Invalid request: more than {most} streams"}, "id": number}
        connection.topics.update((name, {}) for name in names)
        return {"result": None, "id": number}
    if method == "UNSUBSCRIBE":
        for name in names:
            connection.topics.pop(name, None)
        return {"result": None, "id": number}
    return {"error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`"}, "id": number}


def _read(venue: str, contract: Contract, order: Order) -> tuple[Published, Row]:
    """The order in the documented shape, and the truth about it."""
    when = order.ts // MILLISECOND
    side = "SELL" if order.side is Side.LONG else "BUY"
    size, limit, paid = (
        contract.size_text(order),
        contract.price_text(order.bankruptcy_price),
        contract.price_text(order.price),
    )
    amount, usd = contract.worth(size, paid)
    ts = when * MILLISECOND
    event = Published(venue, contract.symbol, order.side, float(paid), amount, usd, ts, float(size))
    row = {
        "s": contract.symbol,
        "S": side,
        "o": "LIMIT",
        "f": "IOC",
        "q": size,
        "p": limit,
        "ap": paid,
        "X": "FILLED",
        # The last fill of several is less than the whole: whoever reads `l` instead of `z` counts too little.
        "l": f"{float(size) / 2:.{contract.size_decimals}f}",
        "z": size,
        "T": when,
    }
    return event, row


def _mark(contract: Contract, price: float, now: int) -> Row:
    when = now // MILLISECOND
    text = contract.price_text(price)
    return {
        "e": "markPriceUpdate",
        "E": when,
        "s": contract.symbol,
        "p": text,
        "ap": text,
        "i": contract.price_text(price * 0.9999),
        "P": text,
        "r": "0.00010000",
        "T": (when // 28_800_000 + 1) * 28_800_000,
    }


def _info(contract: Contract, quote: str) -> Row:
    base = f"{contract.bundle}{contract.asset}" if contract.bundle > 1 else contract.asset
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol.removesuffix("_PERP"),
        "contractType": "PERPETUAL",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": contract.asset if contract.inverse else quote,
        "pricePrecision": contract.price_decimals,
        "quantityPrecision": contract.size_decimals,
        "onboardDate": 1569398400000,
        "deliveryDate": 4133404800000,
        "underlyingType": "COIN",
    }
