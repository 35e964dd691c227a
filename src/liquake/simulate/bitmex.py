"""BitMEX: a table of open liquidation orders, told by its changes.

https://www.bitmex.com/app/wsAPI
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

_TABLE = "liquidation"
_TYPES = {"orderID": "guid", "symbol": "symbol", "side": "symbol", "price": "float", "leavesQty": "long"}
_STANDS = 2 * SECOND
"""How long an order is in the table."""
_GROWING = 0.25
"""The part of orders that are amended upwards while they stand."""

_CONTRACTS = (
    Contract("XBTUSD", "BTC", 1, 0, inverse=True),
    Contract("XBTUSDT", "BTC", 1, 0, multiplier=1e-6, share=0.6),
    Contract("ETHUSDT", "ETH", 2, 0, multiplier=1e-5),
    Contract("SOLUSDT", "SOL", 2, 0, multiplier=1e-4),
    Contract("XRPUSDT", "XRP", 4, 0, multiplier=1e-2),
    Contract("DOGEUSDT", "DOGE", 5, 0),
    Contract("BNBUSDT", "BNB", 2, 0, multiplier=1e-5),
    Contract("ADAUSDT", "ADA", 5, 0, multiplier=1e-2),
    Contract("LINKUSDT", "LINK", 3, 0, multiplier=1e-3),
    Contract("AVAXUSDT", "AVAX", 3, 0, multiplier=1e-3),
    Contract("PEPEUSDT", "PEPE", 9, 0, multiplier=100.0),
)


class _Open(msgspec.Struct):
    """An order in the table."""

    contract: Contract
    side: Side
    row: Row
    until: int
    growth: int = 0
    """Contracts that will be added to it."""


class BitmexServer(VenueServer):
    """One port for ws.bitmex.com and www.bitmex.com."""

    name = "bitmex"
    share = 0.05
    contracts = _CONTRACTS

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._orders: dict[str, _Open] = {}

    def sockets(self) -> Sequence[str]:
        return ("/realtime",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.get("/api/v1/instrument/active", self._active), web.get("/api/v1/liquidation", self._open))

    async def greet(self, connection: Connection, request: web.Request) -> None:
        welcome = {"info": "Welcome to the BitMEX Realtime API.", "version": "2.0.0", "timestamp": self._now()}
        await connection.send(
            encode({**welcome, "docs": "https://www.bitmex.com/app/wsAPI", "heartbeatEnabled": False})
        )
        topics = [topic for topic in request.query.get("subscribe", "").split(",") if topic]
        await self._subscribe(connection, {"op": "subscribe", "args": topics}, topics)

    async def hear(self, connection: Connection, text: str) -> None:
        if text == "ping":
            await connection.send("pong")
            return
        request = decode(text)
        operation = request.get("op") if request else None
        if request is None or operation not in ("subscribe", "unsubscribe"):
            await connection.send(_refusal("Unrecognized request. See the docs or send 'help' for more details.", {}))
            return
        told = request.get("args", ())
        topics = [told] if isinstance(told, str) else [topic for topic in told if isinstance(topic, str)]
        if operation == "subscribe":
            await self._subscribe(connection, request, topics)
            return
        for topic in topics:
            connection.topics.pop(topic, None)
            await connection.send(encode({"success": True, "unsubscribe": topic, "request": request}))

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        contracts = int(contract.size_text(order))
        growth = round(contracts * 0.4) if self.throttled and self.rng.random() < _GROWING else 0
        identity = str(UUID(int=self.rng.getrandbits(128), version=4))
        row = {
            "orderID": identity,
            "symbol": contract.symbol,
            # The side of the order: it buys back what a short owed.
            "side": "Sell" if order.side is Side.LONG else "Buy",
            "price": float(contract.price_text(order.bankruptcy_price)),
            "leavesQty": contracts - growth,
        }
        opened = _Open(contract, order.side, row, self.clock.now() + _STANDS, growth)
        if await self._counted(opened, "insert", row, contracts - growth, identity):
            self._orders[identity] = opened

    async def tell(self, now: int, count: int) -> None:
        for identity, order in list(self._orders.items()):
            if now >= order.until:
                del self._orders[identity]
                await self._change(order, "delete", {})
            elif now >= order.until - _STANDS // 2:
                await self._amend(identity, order)
        if count % TICKS_PER_SECOND == 0:
            for contract in self.listing.contracts:
                topics = ("instrument", f"instrument:{contract.symbol}")
                await self._send(topics, _changed("instrument", "update", [self._prices(contract)]))

    async def _amend(self, identity: str, order: _Open) -> None:
        """Half way through an order grows, or is filled in part and moved towards the market."""
        row = order.row
        if order.growth:
            growth, order.growth = order.growth, 0
            row["leavesQty"] += growth
            changes = {"leavesQty": row["leavesQty"]}
            await self._counted(order, "update", changes, growth, f"{identity}|{row['leavesQty']}")
        elif self.rng.random() < 0.1:
            row["leavesQty"] = max(1, row["leavesQty"] // 2)
            row["price"] = float(order.contract.price_text(self.market.price(order.contract.asset)))
            await self._change(order, "update", {"price": row["price"], "leavesQty": row["leavesQty"]})

    async def _counted(self, order: _Open, action: str, changes: Row, contracts: int, identity: str) -> bool:
        """Tell of `contracts` that are new in the market."""
        row, contract = order.row, order.contract
        amount, usd = contract.worth(str(contracts), str(row["price"]))
        now = self.clock.now() // MILLISECOND * MILLISECOND
        size = float(contracts)
        event = Published(self.name, contract.symbol, order.side, row["price"], amount, usd, now, size, identity)
        frame = _changed(_TABLE, action, [{**_named(row), **changes}])
        topics = (_TABLE, f"{_TABLE}:{contract.symbol}")
        return await self.deliver([event], lambda connection: frame if _asked(connection, topics) else None)

    async def _change(self, order: _Open, action: str, changes: Row) -> None:
        topics = (_TABLE, f"{_TABLE}:{order.contract.symbol}")
        await self._send(topics, _changed(_TABLE, action, [{**_named(order.row), **changes}]))

    async def _send(self, topics: Sequence[str], frame: str) -> None:
        for topic in topics:
            await self.send_topic(topic, frame)

    async def _subscribe(self, connection: Connection, request: Row, topics: Sequence[str]) -> None:
        for topic in topics:
            table, _, symbol = topic.partition(":")
            if table not in (_TABLE, "instrument"):
                await connection.send(_refusal(f"Unknown table: {table}", request))
                continue
            if symbol and symbol not in self.listing.by_symbol:
                await connection.send(_refusal(f"Unknown or expired symbol: {symbol}", request))
                continue
            connection.topics[topic] = {}
            await connection.send(encode({"success": True, "subscribe": topic, "request": request}))
            if self.speaks:
                await connection.send(self._partial(table, symbol))

    def _partial(self, table: str, symbol: str) -> str:
        """The table as it stands."""
        if table == _TABLE:
            rows = [order.row for order in self._orders.values() if symbol in ("", order.contract.symbol)]
            return encode(
                {"table": table, "action": "partial", "keys": ["orderID"], "types": _TYPES, "filter": {}, "data": rows}
            )
        listed = [contract for contract in self.listing.contracts if symbol in ("", contract.symbol)]
        rows = [_info(contract) | self._prices(contract) for contract in listed]
        return encode({"table": table, "action": "partial", "keys": ["symbol"], "data": rows})

    def _prices(self, contract: Contract) -> Row:
        price = float(contract.price_text(self.market.price(contract.asset)))
        return {
            "symbol": contract.symbol,
            "markPrice": price,
            "fairPrice": price,
            "lastPrice": price,
            "indicativeSettlePrice": float(contract.price_text(price / contract.bundle * 0.9999)),
            "timestamp": self._now(),
        }

    def _now(self) -> str:
        """The time in the form of the venue."""
        moment = datetime.fromtimestamp(self.clock.now() // MILLISECOND / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def hostile(self) -> Sequence[str | bytes]:
        good = {"orderID": "h", "symbol": "XBTUSD", "side": "Buy", "price": 80000.0, "leavesQty": 100}
        wrong: tuple[Row, ...] = (
            {"leavesQty": "NaN"},
            {"price": -5},
            {"side": "Long"},
            {"price": {}},
            {"symbol": 7},
            {"orderID": None},
            {"leavesQty": 0},
        )
        return [_changed(_TABLE, "insert", [{**good, **change}]) for change in wrong]

    async def _active(self, request: web.Request) -> web.Response:
        del request
        spot = {"symbol": "XBT_USDT", "typ": "IFXXXP", "state": "Open", "underlying": "XBT", "quoteCurrency": "USDT"}
        quanto = {"symbol": "ETHUSD", "typ": "FFWCSX", "state": "Open", "underlying": "ETH", "quoteCurrency": "USD"}
        others = [spot, {**quanto, "settlCurrency": "XBt", "isQuanto": True, "isInverse": False, "multiplier": 100}]
        return web.json_response([*map(_info, self.listing.contracts), *others])

    async def _open(self, request: web.Request) -> web.Response:
        del request
        return web.json_response([order.row for order in self._orders.values()])


def _asked(connection: Connection, topics: Sequence[str]) -> bool:
    return any(topic in connection.topics for topic in topics)


def _changed(table: str, action: str, rows: Sequence[Row]) -> str:
    return encode({"table": table, "action": action, "data": rows})


def _named(row: Row) -> Row:
    return {"orderID": row["orderID"], "symbol": row["symbol"]}


def _refusal(error: str, request: Row) -> str:
    return encode({"status": 400, "error": error, "meta": {}, "request": request})


def _info(contract: Contract) -> Row:
    asset = "XBT" if contract.asset == "BTC" else contract.asset
    row: Row = {
        "symbol": contract.symbol,
        "rootSymbol": asset,
        "state": "Open",
        "typ": "FFWCSX",
        "underlying": asset,
        "quoteCurrency": "USD" if contract.inverse else "USDT",
        "settlCurrency": "XBt" if contract.inverse else "USDt",
        "isQuanto": False,
        "isInverse": contract.inverse,
        "multiplier": -100_000_000 if contract.inverse else 1,
    }
    return row if contract.inverse else row | {"underlyingToPositionMultiplier": 1.0 / contract.multiplier}
