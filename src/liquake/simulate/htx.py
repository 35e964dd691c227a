"""HTX derivatives: a socket of orders per product, one of market data, and all frames in gzip.

https://huobiapi.github.io/docs/usdt_swap/v1/en/
"""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Sequence

from aiohttp import WSCloseCode, web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.presets import Health
from liquake.simulate.server import TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

_LINEAR, _SWAPS, _FUTURES = "/linear-swap-notification", "/swap-notification", "/notification"
_MARKET = "/linear-swap-ws"
_ALL = "public.*.liquidation_orders"
_PING_EVERY = 5 * TICKS_PER_SECOND
_MISSED = 5
"""Pings without an answer after which a connection is closed."""
_WINDOW = 2 * 3600 * 1000
_PAGE = 20
_KEPT = 50_000

_CONTRACTS = (
    Contract("BTC-USDT", "BTC", 1, 0, multiplier=0.001),
    Contract("BTC-USD", "BTC", 1, 0, multiplier=100.0, inverse=True, share=0.06),
    Contract("BTC270326", "BTC", 1, 0, multiplier=100.0, inverse=True, share=0.03),
    Contract("ETH-USDT", "ETH", 2, 0, multiplier=0.01),
    Contract("ETH-USD", "ETH", 2, 0, multiplier=10.0, inverse=True, share=0.06),
    Contract("SOL-USDT", "SOL", 3, 0),
    Contract("XRP-USDT", "XRP", 5, 0, multiplier=10.0),
    Contract("DOGE-USDT", "DOGE", 6, 0, multiplier=100.0),
    Contract("BNB-USDT", "BNB", 2, 0, multiplier=0.01),
    Contract("ADA-USDT", "ADA", 5, 0, multiplier=10.0),
    Contract("LINK-USDT", "LINK", 3, 0, multiplier=0.1),
    Contract("AVAX-USDT", "AVAX", 3, 0),
    Contract("PEPE-USDT", "PEPE", 11, 0, multiplier=1000.0),
)


class HtxServer(VenueServer):
    """One port for all of api.hbdm.com."""

    name = "htx"
    contracts = _CONTRACTS
    share = 0.03

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._pings: dict[int, list[str]] = {}
        """The stamps of the pings that each connection has not answered."""
        self._past: deque[tuple[Published, Row]] = deque(maxlen=_KEPT)
        self._told: set[str] = set()
        self._query_id = 450_000

    def sockets(self) -> Sequence[str]:
        return (_LINEAR, _SWAPS, _FUTURES, _MARKET)

    def pages(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/linear-swap-api/v1/swap_contract_info", self._linear_list),
            web.get("/swap-api/v1/swap_contract_info", self._swap_list),
            web.get("/linear-swap-api/v3/swap_liquidation_orders", self._history),
            web.get("/swap-api/v3/swap_liquidation_orders", self._history),
        )

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text) or {}
        if connection.path == _MARKET:
            await self._hear_market(connection, request)
        elif request.get("op") == "pong":
            self._ponged(connection, encode(request.get("ts")))
        elif request.get("op") in ("sub", "unsub"):
            await connection.send(_packed(self._operate(connection, request)))
        else:
            await connection.send(_packed({"op": "error", "err-code": 2001, "err-msg": "Invalid request."}))

    def _operate(self, connection: Connection, request: Row) -> Row:
        operation, topic = request["op"], str(request.get("topic", ""))
        answer = {"op": operation, "cid": request.get("cid", ""), "topic": topic, "ts": self._now()}
        if topic not in (_ALL, *map(_topic, self._at(connection.path))):
            return {**answer, "err-code": 2011, "err-msg": "Topic does not exist."}
        if operation == "unsub":
            connection.topics.pop(topic, None)
        elif topic in connection.topics or _ALL in connection.topics:
            return {**answer, "err-code": 2014, "err-msg": "Repeated subscription."}
        else:
            connection.topics[topic] = {}
        return {**answer, "err-code": 0}

    async def _hear_market(self, connection: Connection, request: Row) -> None:
        if "pong" in request:
            self._ponged(connection, encode(request["pong"]))
            return
        topic = str(request.get("sub", ""))
        answer = {"id": request.get("id", ""), "ts": self._now()}
        if topic not in {f"market.{contract.symbol}.detail" for contract in self._at(_LINEAR)}:
            reason = {"status": "error", "err-code": "bad-request", "err-msg": f"invalid topic {topic}"}
            await connection.send(_packed({**answer, **reason}))
            return
        connection.topics[topic] = {}
        await connection.send(_packed({**answer, "status": "ok", "subbed": topic}))

    def _at(self, path: str) -> list[Contract]:
        return [contract for contract in self.listing.contracts if _path(contract) == path]

    def _now(self) -> int:
        return self.clock.now() // MILLISECOND

    def _ponged(self, connection: Connection, stamp: str) -> None:
        """A pong counts if it is one of our stamps, of the same type."""
        if stamp in self._pings.get(connection.number, ()):
            self._pings[connection.number] = []

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        event, row = _read(contract, order)
        self._query_id += 1
        self._past.append((event, {"query_id": self._query_id, **row}))
        topic = _topic(contract)
        frame = _packed({"op": "notify", "topic": topic, "ts": self._now(), "data": [row]})

        def frame_for(connection: Connection) -> bytes | None:
            wanted = connection.path == _path(contract) and connection.topics.keys() & {topic, _ALL}
            return frame if wanted else None

        if await self.deliver([event], frame_for) and self._truth:
            self._told.add(event.key)

    async def tell(self, now: int, count: int) -> None:
        del now
        if count % TICKS_PER_SECOND == 0:
            for contract in self._at(_LINEAR):
                await self._detail(contract)
        if count % _PING_EVERY == 0 and self.health is not Health.HALF_OPEN:
            self._pings = {each.number: self._pings.get(each.number, []) for each in self.connections}
            for connection in list(self.connections):
                await self._ping(connection)

    async def _ping(self, connection: Connection) -> None:
        unanswered = self._pings[connection.number]
        if len(unanswered) >= _MISSED:
            await connection.send(_packed({"op": "close", "ts": self._now()}))
            await connection.close(WSCloseCode.OK, b"Bye")
            return
        # The stamp is a text on the sockets of linear contracts, a number on all others.
        stamp: str | int = str(self._now()) if connection.path == _LINEAR else self._now()
        unanswered.append(encode(stamp))
        await connection.send(_packed({"ping": stamp} if connection.path == _MARKET else {"op": "ping", "ts": stamp}))

    async def announce_close(self, after: float = 1.0) -> None:
        await super().announce_close(after)
        for connection in list(self.connections):
            if connection.path != _MARKET:
                await connection.send(_packed({"op": "close", "ts": self._now()}))

    async def _detail(self, contract: Contract) -> None:
        topic = f"market.{contract.symbol}.detail"
        if self.wanted(topic):
            price = float(contract.price_text(self.market.price(contract.asset)))
            tick = {"id": self._now() // 1000, "open": price, "close": price, "high": price, "low": price, "vol": 12}
            await self.send_topic(topic, _packed({"ch": topic, "ts": self._now(), "tick": tick}))

    def hostile(self) -> Sequence[str | bytes]:
        good = {"contract_code": "BTC-USDT", "direction": "sell", "offset": "close", "volume": 10, "price": 80_000}
        wrong: tuple[Row, ...] = ({"volume": "NaN"}, {"price": -5}, {"volume": {}}, {"price": "inf"}, {"direction": 7})
        message = {"op": "notify", "topic": "public.BTC-USDT.liquidation_orders", "ts": self._now()}
        rows = [{**good, "created_at": self._now(), **change} for change in wrong]
        return [encode({**message, "data": [row]}) for row in rows]

    async def _linear_list(self, request: web.Request) -> web.Response:
        del request
        return self._list(self._at(_LINEAR))

    async def _swap_list(self, request: web.Request) -> web.Response:
        del request
        return self._list(self._at(_SWAPS))

    def _list(self, contracts: Sequence[Contract]) -> web.Response:
        return web.json_response({"status": "ok", "data": [_info(each) for each in contracts], "ts": self._now()})

    async def _history(self, request: web.Request) -> web.Response:
        query = request.query
        until = int(query.get("end_time", self._now()))
        since = int(query.get("start_time", until - _WINDOW))
        closed = _CLOSED.get(query.get("trade_type", ""))
        if until - since > _WINDOW or "contract" not in query or closed is None:
            return web.json_response({"code": 1347, "msg": "The query window is wrong.", "data": [], "ts": self._now()})
        before = int(query.get("from_id", self._query_id + 1))
        found = [
            (event, row)
            for event, row in reversed(self._past)
            if row["contract_code"] == query["contract"]
            and row["direction"] in closed
            and since <= row["created_at"] <= until
            and row["query_id"] < before
        ][:_PAGE]
        self._now_told([event for event, _ in found])
        return web.json_response({"code": 200, "msg": "", "data": [row for _, row in found], "ts": self._now()})

    def _now_told(self, events: Sequence[Published]) -> None:
        """What no socket was told is published by being asked for."""
        for event in events if self._truth else ():
            if event.key not in self._told:
                self._told.add(event.key)
                self.told([event])


# "trade_type": 0 all, 5 the liquidated longs, which are sold, 6 the shorts.
_CLOSED = {"0": ("sell", "buy"), "5": ("sell",), "6": ("buy",)}


def _packed(message: Row) -> bytes:
    return gzip.compress(encode(message).encode(), compresslevel=1, mtime=0)


def _path(contract: Contract) -> str:
    if not contract.inverse:
        return _LINEAR
    return _SWAPS if "-" in contract.symbol else _FUTURES


def _topic(contract: Contract) -> str:
    """Futures are subscribed by coin, swaps by contract."""
    return f"public.{contract.asset if _path(contract) == _FUTURES else contract.symbol}.liquidation_orders"


def _read(contract: Contract, order: Order) -> tuple[Published, Row]:
    """The order in the documented shape, and the truth about it."""
    when = order.ts // MILLISECOND
    size, price = contract.size_text(order), contract.price_text(order.bankruptcy_price)
    amount, usd = contract.worth(size, price)
    event = Published("htx", contract.symbol, order.side, float(price), amount, usd, when * MILLISECOND, float(size))
    row = {
        "symbol": contract.asset,
        "contract_code": contract.symbol,
        # Of the order, which closes the position: a long is sold.
        "direction": "sell" if order.side is Side.LONG else "buy",
        "offset": "close",
        "volume": int(float(size)),
        "price": float(price),
        "created_at": when,
        "amount": amount,
    }
    return event, row if contract.inverse else {**row, "trade_turnover": usd, "business_type": "swap"}


def _info(contract: Contract) -> Row:
    return {
        "symbol": contract.asset,
        "contract_code": contract.symbol,
        "contract_size": contract.multiplier,
        "price_tick": 10.0**-contract.price_decimals,
        "contract_status": 1,
    }
