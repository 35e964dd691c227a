"""Gate futures v4, settled in USDT and in BTC.

https://www.gate.com/docs/developers/futures/ws/en/
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec
from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.past import insert
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode

_PATH = "/v4/ws/"
_LIQUIDATIONS, _TICKERS = "futures.public_liquidates", "futures.tickers"
_ALL = "!all"
_BATCH = 20
"""Liquidations of one contract that are pushed at once, without waiting for the end of the second."""
_WINDOW = 3600
_KEPT = 50_000

_CONTRACTS = (
    Contract("BTC_USDT", "BTC", 1, 0, multiplier=0.0001),
    Contract("BTC_USD", "BTC", 1, 0, inverse=True, share=0.05),
    Contract("ETH_USDT", "ETH", 2, 0, multiplier=0.01),
    Contract("SOL_USDT", "SOL", 2, 1),
    Contract("XRP_USDT", "XRP", 4, 0, multiplier=10.0),
    Contract("DOGE_USDT", "DOGE", 5, 0, multiplier=10.0),
    Contract("BNB_USDT", "BNB", 1, 0, multiplier=0.001),
    Contract("ADA_USDT", "ADA", 4, 0, multiplier=10.0),
    Contract("LINK_USDT", "LINK", 3, 0),
    Contract("AVAX_USDT", "AVAX", 3, 0),
    Contract("PEPE_USDT", "PEPE", 10, 0, multiplier=10_000_000.0),
)


class GateServer(VenueServer):
    """One port for fx-ws.gateio.ws and api.gateio.ws."""

    name = "gate"
    contracts = _CONTRACTS
    share = 0.06

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._slots = Slots(TICKS_PER_SECOND)
        self._waiting: dict[str, int] = {}
        self._decimal: set[int] = set()
        """The connections that asked for sizes with decimals."""
        self._past: deque[tuple[Published, Row]] = deque(maxlen=_KEPT)
        self._told: set[str] = set()

    def sockets(self) -> Sequence[str]:
        return (f"{_PATH}usdt", f"{_PATH}btc")

    def pages(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/api/v4/futures/{settle}/contracts", self._list),
            web.get("/api/v4/futures/{settle}/liq_orders", self._history),
        )

    async def greet(self, connection: Connection, request: web.Request) -> None:
        if request.headers.get("X-Gate-Size-Decimal") == "1":
            self._decimal.add(connection.number)

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        if request is None or not isinstance(request.get("time"), int):
            await connection.send(self._answer({}, {"code": 1, "message": "invalid argument struct"}))
        elif request.get("channel") == "futures.ping":
            await connection.send(self._frame("futures.pong", "", None))
        elif request.get("event") in ("subscribe", "unsubscribe"):
            await self._operate(connection, request)
        else:
            await connection.send(self._answer(request, {"code": 2, "message": "unknown event"}))

    async def _operate(self, connection: Connection, request: Row) -> None:
        channel, payload = request.get("channel"), request.get("payload")
        if channel not in (_LIQUIDATIONS, _TICKERS) or not isinstance(payload, list) or not payload:
            await connection.send(self._answer(request, {"code": 2, "message": "invalid argument"}))
            return
        unknown = [each for each in payload if not self._listed_at(connection.path, each)]
        if unknown:
            await connection.send(self._answer(request, {"code": 2, "message": f"unknown contract {unknown[0]}"}))
            return
        for each in payload:
            if request["event"] == "subscribe":
                connection.topics[f"{channel}:{each}"] = {}
            else:
                connection.topics.pop(f"{channel}:{each}", None)
        await connection.send(self._answer(request))

    def _listed_at(self, path: str, symbol: str) -> bool:
        return symbol == _ALL or (symbol in self.listing.by_symbol and path.endswith(_settle(symbol)))

    def _frame(self, channel: str, event: str, result: object) -> str:
        now = self.clock.now()
        head = {"time": now // SECOND, "time_ms": now // MILLISECOND, "channel": channel, "event": event}
        return encode({**head, "result": result})

    def _answer(self, request: Row, error: Row | None = None) -> str:
        now = self.clock.now()
        head = {"time": now // SECOND, "time_ms": now // MILLISECOND}
        body = {"channel": request.get("channel", ""), "event": request.get("event", ""), "error": error}
        return encode({**head, **body, "result": None if error else {"status": "success"}})

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        insert(self._past, _read_past(contract, order), _when)
        if not self.throttled:
            await self._push(contract, [order])
            return
        self._slots.add(contract, order)
        self._waiting[contract.symbol] = self._waiting.get(contract.symbol, 0) + 1
        if self._waiting[contract.symbol] >= _BATCH:
            await self._push(contract, self._slots.take(contract))

    async def tell(self, now: int, count: int) -> None:
        del now
        for contract, orders in self._slots.due(count):
            await self._push(contract, orders)
        if count % TICKS_PER_SECOND == 0:
            for contract in self.listing.contracts:
                await self._ticker(contract)

    async def _push(self, contract: Contract, orders: Sequence[Order]) -> None:
        """The orders of one contract as one array; those alike are told apart by their place among them."""
        self._waiting.pop(contract.symbol, None)
        seen: dict[str, int] = {}
        events = []
        for order in orders:
            event = _read(contract, order)
            ordinal = seen[event.key] = seen.get(event.key, -1) + 1
            events.append(msgspec.structs.replace(event, id=f"{event.key}|{ordinal}") if ordinal else event)
        exact = self._frame(_LIQUIDATIONS, "update", [_row(contract, order, True) for order in orders])
        whole = self._frame(_LIQUIDATIONS, "update", [_row(contract, order, False) for order in orders])

        def frame_for(connection: Connection) -> str | None:
            wanted = {f"{_LIQUIDATIONS}:{_ALL}", f"{_LIQUIDATIONS}:{contract.symbol}"} & connection.topics.keys()
            if not wanted or not connection.path.endswith(_settle(contract.symbol)):
                return None
            return exact if connection.number in self._decimal else whole

        if await self.deliver(events, frame_for) and self._truth:
            self._told.update(event.key for event in events)

    async def _ticker(self, contract: Contract) -> None:
        topic = f"{_TICKERS}:{contract.symbol}"
        if not self.wanted(topic):
            return
        price = contract.price_text(self.market.price(contract.asset))
        index = contract.price_text(self.market.price(contract.asset) * 0.9999)
        row = {"contract": contract.symbol, "last": price, "mark_price": price, "index_price": index}
        await self.send_topic(topic, self._frame(_TICKERS, "update", [{**row, "funding_rate": "0.0001"}]))

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good = {"price": "80000", "size": "-10", "time_ms": when, "contract": "BTC_USDT"}
        wrong: tuple[Row, ...] = ({"size": "NaN"}, {"price": "-5"}, {"size": {}}, {"price": "inf"}, {"time_ms": None})
        return [self._frame(_LIQUIDATIONS, "update", [{**good, **change}]) for change in wrong]

    async def _list(self, request: web.Request) -> web.Response:
        settle, query = request.match_info["settle"], request.query
        rows = [_info(contract) for contract in self.listing.contracts if _settle(contract.symbol) == settle]
        first = int(query.get("offset", 0))
        return web.json_response(rows[first : first + int(query.get("limit", 100))])

    async def _history(self, request: web.Request) -> web.Response:
        now, query = self.clock.now() // SECOND, request.query
        until = int(query.get("to", now))
        since = int(query.get("from", until - _WINDOW))
        if until - since > _WINDOW:
            error = {"label": "INVALID_PARAM_VALUE", "message": "range from/to must in 1 hour"}
            return web.json_response(error, status=400)
        found = [
            (event, row)
            for event, row in reversed(self._past)
            if since <= row["time"] <= until
            and _settle(event.instrument) == request.match_info["settle"]
            and query.get("contract", event.instrument) == event.instrument
        ][: int(query.get("limit", 100))]
        self._now_told([event for event, _ in found])
        return web.json_response([row for _, row in found])

    def _now_told(self, events: Sequence[Published]) -> None:
        """What no socket was told is published by being asked for."""
        for event in events if self._truth else ():
            if event.key not in self._told:
                self._told.add(event.key)
                self.told([event])


def _when(kept: tuple[Published, Row]) -> int:
    return kept[0].ts


def _settle(symbol: str) -> str:
    return "btc" if symbol.endswith("_USD") else "usdt"


def _signed(contract: Contract, order: Order) -> str:
    """The size of the order: a forced sale closes a long."""
    return f"-{contract.size_text(order)}" if order.side is Side.LONG else contract.size_text(order)


def _row(contract: Contract, order: Order, exact: bool) -> Row:
    """As it is pushed: "size" of the order, in whole contracts unless the client asked for decimals."""
    size = _signed(contract, order)
    return {
        "price": contract.price_text(order.bankruptcy_price),
        "size": size if exact else int(float(size)),
        "time_ms": order.ts // MILLISECOND,
        "contract": contract.symbol,
    }


def _read_past(contract: Contract, order: Order) -> tuple[Published, Row]:
    """As the history has it: "size: User position size", "order_size" of the order, the price that was paid."""
    event, size, paid = _read(contract, order), _signed(contract, order), contract.price_text(order.price)
    amount, usd = contract.worth(contract.size_text(order), paid)
    row = {
        "time": order.ts // SECOND,
        "contract": contract.symbol,
        "size": size.removeprefix("-") if order.side is Side.LONG else f"-{size}",
        "order_size": size,
        "order_price": contract.price_text(order.bankruptcy_price),
        "fill_price": paid,
        "left": "0",
    }
    ts = order.ts // SECOND * SECOND
    return msgspec.structs.replace(event, price=float(paid), amount=amount, usd=usd, ts=ts), row


def _read(contract: Contract, order: Order) -> Published:
    """The truth about `order` as it is pushed. Without ids, an event is its contract, position, price and second."""
    size, price = contract.size_text(order), contract.price_text(order.bankruptcy_price)
    amount, usd = contract.worth(size, price)
    ts = order.ts // MILLISECOND * MILLISECOND
    position = float(size) if order.side is Side.LONG else -float(size)
    key = f"{contract.symbol}|{position}|{float(price)}|{order.ts // SECOND}"
    return Published("gate", contract.symbol, order.side, float(price), amount, usd, ts, float(size), key)


def _info(contract: Contract) -> Row:
    return {
        "name": contract.symbol,
        "type": "inverse" if contract.inverse else "direct",
        "quanto_multiplier": "0" if contract.inverse else f"{contract.multiplier:.6f}".rstrip("0").rstrip("."),
        "order_price_round": f"{10.0**-contract.price_decimals:.{contract.price_decimals}f}",
        "in_delisting": False,
        "status": "trading",
    }
