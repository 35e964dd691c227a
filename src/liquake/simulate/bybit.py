"""Bybit v5 public, linear and inverse.

https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode

_PATH = "/v5/public/"
_ARGUMENTS_LENGTH = 21_000
_IDLE = 600
"""Seconds without a message from the client after which a connection is cut."""
_PAGE = 4
"""Instruments per page at most, whatever is asked for: so few that every client has to turn pages."""
_KINDS = ("allLiquidation", "tickers")

_CONTRACTS = (
    Contract("BTCUSDT", "BTC", 2, 3),
    Contract("BTCUSD", "BTC", 2, 0, inverse=True, share=0.08),
    Contract("ETHUSDT", "ETH", 2, 2),
    Contract("ETHUSD", "ETH", 2, 0, inverse=True, share=0.08),
    Contract("SOLUSDT", "SOL", 3, 1),
    Contract("XRPUSDT", "XRP", 4, 1),
    Contract("DOGEUSDT", "DOGE", 5, 0),
    Contract("BNBUSDT", "BNB", 2, 2),
    Contract("ADAUSDT", "ADA", 4, 0),
    Contract("LINKUSDT", "LINK", 3, 1),
    Contract("AVAXUSDT", "AVAX", 4, 1),
    Contract("1000PEPEUSDT", "PEPE", 7, 0, bundle=1000),
)


class BybitServer(VenueServer):
    """One port for stream.bybit.com and api.bybit.com."""

    name = "bybit"
    rank = 2
    contracts = _CONTRACTS

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._slots = Slots(TICKS_PER_SECOND // 2)
        self._sequence = 24_000_000_000

    def sockets(self) -> Sequence[str]:
        return (f"{_PATH}linear", f"{_PATH}inverse")

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.get("/v5/market/instruments-info", self._instruments),)

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        if request is None:
            await connection.send(
                encode({"success": False, "ret_msg": "Params Error", "conn_id": _id(connection), "op": ""})
            )
            return
        operation = request.get("op")
        if operation == "ping":
            await connection.send(self._answer(connection, request, "pong"))
        elif operation == "subscribe":
            await self._subscribe(connection, request)
        elif operation == "unsubscribe":
            for topic in request.get("args", ()):
                connection.topics.pop(topic, None)
            await connection.send(self._answer(connection, request))
        else:
            await connection.send(self._answer(connection, request, f"Invalid op: {operation}", success=False))

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        if self.throttled:
            self._slots.add(contract, order)
        else:
            await self._batch(contract, [order])

    async def tell(self, now: int, count: int) -> None:
        for contract, orders in self._slots.due(count):
            await self._batch(contract, orders)
        if count % TICKS_PER_SECOND == 0:
            for contract in self.listing.contracts:
                await self._delta(contract, now)
            for connection in list(self.connections):
                if now - connection.heard > _IDLE * SECOND:
                    connection.cut()

    async def _subscribe(self, connection: Connection, request: Row) -> None:
        topics = [topic for topic in request.get("args", ()) if isinstance(topic, str)]
        wrong = next((reason for topic in topics if (reason := self._refusal(connection, topic))), None)
        if sum(map(len, topics)) > _ARGUMENTS_LENGTH:
            wrong = "args size > 21000"
        if wrong is not None or not topics:
            await connection.send(self._answer(connection, request, wrong or "Params Error", success=False))
            return
        connection.topics.update((topic, {}) for topic in topics)
        await connection.send(self._answer(connection, request))
        for topic in topics:
            if topic.startswith("tickers."):
                await self._snapshot(connection, topic)

    def _refusal(self, connection: Connection, topic: str) -> str | None:
        """Why the whole request is refused, if it is."""
        kind, _, symbol = topic.partition(".")
        if kind not in _KINDS:
            return f"error:handler not found,topic:{topic}"
        contract = self.listing.by_symbol.get(symbol)
        if contract is None or contract.inverse != connection.path.endswith("inverse"):
            return f"Invalid symbol :[{topic}]"
        return None

    def _answer(self, connection: Connection, request: Row, message: str = "", success: bool = True) -> str:
        return encode(
            {
                "success": success,
                "ret_msg": message,
                "conn_id": _id(connection),
                "req_id": request.get("req_id", ""),
                "op": request["op"],
            }
        )

    async def _batch(self, contract: Contract, orders: Sequence[Order]) -> None:
        read = [_read(contract, order) for order in orders]
        seen: dict[str, int] = {}
        events = []
        for event, _ in read:
            ordinal = seen[event.key] = seen.get(event.key, -1) + 1
            events.append(_with_ordinal(event, ordinal) if ordinal else event)
        topic = f"allLiquidation.{contract.symbol}"
        when = self.clock.now() // MILLISECOND
        frame = encode({"topic": topic, "type": "snapshot", "ts": when, "data": [row for _, row in read]})
        await self.deliver(events, lambda connection: frame if topic in connection.topics else None)

    def _ticker(self, contract: Contract) -> Row:
        price, quoted = self.market.price(contract.asset), self.market.quote(contract.asset)
        unit = contract.bundle if not contract.inverse else 1.0 / price
        return {
            "symbol": contract.symbol,
            "tickDirection": "PlusTick",
            "lastPrice": contract.price_text(price),
            "markPrice": contract.price_text(price),
            "indexPrice": contract.price_text(price * 0.9999),
            "bid1Price": contract.price_text(quoted.bid),
            "bid1Size": f"{quoted.bid_amount / unit:.3f}",
            "ask1Price": contract.price_text(quoted.ask),
            "ask1Size": f"{quoted.ask_amount / unit:.3f}",
            "fundingRate": "0.0001",
        }

    async def _snapshot(self, connection: Connection, topic: str) -> None:
        if self.speaks:
            ticker = self._ticker(self.listing.by_symbol[topic.partition(".")[2]])
            await connection.send(self._ticker_frame(topic, "snapshot", ticker, self.clock.now()))

    async def _delta(self, contract: Contract, now: int) -> None:
        """Only what changed: the prices most times, the sizes alone some times."""
        topic = f"tickers.{contract.symbol}"
        if not self.wanted(topic):
            return
        ticker = self._ticker(contract)
        changed = (
            ("bid1Size", "ask1Size")
            if self.rng.random() < 0.2
            else tuple(name for name in ticker if name.endswith("Price"))
        )
        delta = {name: ticker[name] for name in ("symbol", *changed)}
        await self.send_topic(topic, self._ticker_frame(topic, "delta", delta, now))

    def _ticker_frame(self, topic: str, kind: str, ticker: Row, now: int) -> str:
        self._sequence += 1
        return encode({"topic": topic, "type": kind, "data": ticker, "cs": self._sequence, "ts": now // MILLISECOND})

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good = {"T": when, "s": "BTCUSDT", "S": "Buy", "v": "0.01", "p": "80000"}
        wrong: tuple[Row, ...] = ({"v": "NaN"}, {"p": "-5"}, {"v": {}}, {"p": "inf"}, {"T": None}, {"s": 7})
        message = {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": when}
        return [encode({**message, "data": [{**good, **change}]}) for change in wrong]

    async def _instruments(self, request: web.Request) -> web.Response:
        category = request.query.get("category", "")
        if category not in ("linear", "inverse"):
            return _result(10001, "params error: category invalid", {}, self.clock.now())
        listed = [contract for contract in self.listing.contracts if contract.inverse == (category == "inverse")]
        first = int(request.query.get("cursor") or 0)
        after = first + min(_PAGE, int(request.query.get("limit", 500)))
        rows = [_info(contract) for contract in listed[first:after]]
        cursor = str(after) if after < len(listed) else ""
        return _result(0, "OK", {"category": category, "list": rows, "nextPageCursor": cursor}, self.clock.now())


def _id(connection: Connection) -> str:
    return f"sim-{connection.number}"


def _result(code: int, message: str, result: Row, now: int) -> web.Response:
    body = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now // MILLISECOND}
    return web.json_response(body)


def _read(contract: Contract, order: Order) -> tuple[Published, Row]:
    """The order in the documented shape, and the truth about it."""
    when = order.ts // MILLISECOND
    # "Position side. Buy,Sell. When you receive a Buy update, this means that a long position has been liquidated"
    side = "Buy" if order.side is Side.LONG else "Sell"
    size, price = contract.size_text(order), contract.price_text(order.bankruptcy_price)
    amount, usd = contract.worth(size, price)
    ts = when * MILLISECOND
    event = Published("bybit", contract.symbol, order.side, float(price), amount, usd, ts, float(size))
    return event, {"T": when, "s": contract.symbol, "S": side, "v": size, "p": price}


def _with_ordinal(event: Published, ordinal: int) -> Published:
    return msgspec.structs.replace(event, id=f"{event.key}|{ordinal}")


def _info(contract: Contract) -> Row:
    base = f"{contract.bundle}{contract.asset}" if contract.bundle > 1 else contract.asset
    return {
        "symbol": contract.symbol,
        "contractType": "InversePerpetual" if contract.inverse else "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USD" if contract.inverse else "USDT",
        "settleCoin": contract.asset if contract.inverse else "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "priceScale": str(contract.price_decimals),
        "lotSizeFilter": {"qtyStep": f"{10.0**-contract.size_decimals:.{contract.size_decimals}f}"},
    }
