"""Bitget, unified API v3 public.

https://www.bitget.com/api-doc/uta/websocket/public/Liquidation-Channel
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from aiohttp import WSCloseCode, web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.past import Past
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode

_CATEGORIES = ("usdt-futures", "usdc-futures", "coin-futures")
_IDLE = 120
"""Seconds without a ping after which a connection is cut."""
_MESSAGES_PER_SECOND = 10
_PAGE = 100

_CONTRACTS = (
    Contract("BTCUSDT", "BTC", 1, 4),
    Contract("BTCPERP", "BTC", 1, 4, share=0.05),
    Contract("BTCUSD", "BTC", 1, 4, inverse=True, share=0.08),
    Contract("ETHUSDT", "ETH", 2, 2),
    Contract("ETHUSD", "ETH", 2, 2, inverse=True, share=0.08),
    Contract("SOLUSDT", "SOL", 3, 1),
    Contract("XRPUSDT", "XRP", 4, 0),
    Contract("DOGEUSDT", "DOGE", 5, 0),
    Contract("BNBUSDT", "BNB", 2, 2),
    Contract("ADAUSDT", "ADA", 4, 0),
    Contract("LINKUSDT", "LINK", 3, 1),
    Contract("AVAXUSDT", "AVAX", 3, 1),
    Contract("PEPEUSDT", "PEPE", 10, 0),
)

_Read = tuple[Published, Row]


class BitgetServer(VenueServer):
    """One port for ws.bitget.com and api.bitget.com."""

    name = "bitget"
    contracts = _CONTRACTS
    share = 0.08

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._slots = Slots(TICKS_PER_SECOND)
        self._pasts = {category: Past() for category in _CATEGORIES}

    def sockets(self) -> Sequence[str]:
        return ("/v3/ws/public",)

    def pages(self) -> Sequence[web.RouteDef]:
        base = "/api/v3/market"
        return (web.get(f"{base}/instruments", self._instruments), web.get(f"{base}/liquidations", self._history))

    async def hear(self, connection: Connection, text: str) -> None:
        if not await self._within_limit(connection):
            return
        if text == "ping":
            await connection.send("pong")
            return
        request = decode(text)
        arguments = request.get("args") if request else None
        if request is None or request.get("op") not in ("subscribe", "unsubscribe") or not isinstance(arguments, list):
            await connection.send(encode({"event": "error", "code": "30003", "msg": "INVALID op"}))
            return
        for argument in arguments:
            await self._operate(connection, request["op"], argument if isinstance(argument, dict) else {})

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        if self.throttled:
            self._slots.add(contract, order)
        else:
            await self._push([_read(contract, order)])

    async def tell(self, now: int, count: int) -> None:
        # At most the largest long and the largest short of each pair and second; pairs that are due together share a push.
        due = [_read(contract, order) for contract, orders in self._slots.due(count) for order in _largest(orders)]
        for category in _CATEGORIES:
            await self._push([read for read in due if _category(read[0].instrument) == category])
        if count % TICKS_PER_SECOND == 0:
            for contract in self.listing.contracts:
                await self._ticker(contract, now)
            for connection in list(self.connections):
                if now - connection.heard > _IDLE * SECOND:
                    connection.cut()

    async def _within_limit(self, connection: Connection) -> bool:
        second = self.clock.now() // SECOND
        connection.count = connection.count + 1 if connection.counted == second else 1
        connection.counted = second
        if connection.count <= _MESSAGES_PER_SECOND:
            return True
        await connection.close(WSCloseCode.POLICY_VIOLATION, b"request too many")
        return False

    async def _operate(self, connection: Connection, operation: str, argument: Row) -> None:
        topic = self._topic(argument)
        if topic is None:
            what = ",".join(f"{name}:{value}" for name, value in argument.items())
            refusal = {"event": "error", "arg": argument, "code": "30001", "msg": f"{what} doesn't exist"}
            await connection.send(encode({**refusal, "op": operation}))
            return
        await connection.send(encode({"event": operation, "arg": argument, "connId": f"sim{connection.number}"}))
        if operation == "unsubscribe":
            connection.topics.pop(topic, None)
        else:
            connection.topics[topic] = argument

    def _topic(self, argument: Row) -> str | None:
        kind, category, symbol = argument.get("topic"), argument.get("instType"), argument.get("symbol")
        if category not in _CATEGORIES:
            return None
        if kind == "liquidation":
            return f"liquidation:{category}"
        if kind == "ticker" and symbol in self.listing.by_symbol and _category(str(symbol)) == category:
            return f"ticker:{symbol}"
        return None

    async def _push(self, read: Sequence[_Read]) -> None:
        if not read:
            return
        category = _category(read[0][0].instrument)
        past = self._pasts[category]
        for event, row in read:
            past.add(int(row["ts"]), row, event)
        argument = {"instType": category, "topic": "liquidation"}
        when = self.clock.now() // MILLISECOND
        frame = encode({"action": "update", "arg": argument, "data": [row for _, row in read], "ts": when})
        topic, events = f"liquidation:{category}", [event for event, _ in read]
        if await self.deliver(events, lambda connection: frame if topic in connection.topics else None):
            past.tell(*(event.key for event in events))

    async def _ticker(self, contract: Contract, now: int) -> None:
        topic = f"ticker:{contract.symbol}"
        if not self.wanted(topic):
            return
        price, quoted = self.market.price(contract.asset), self.market.quote(contract.asset)
        row = {
            "lastPrice": contract.price_text(price),
            "markPrice": contract.price_text(price),
            "indexPrice": contract.price_text(price * 0.9999),
            "bid1Price": contract.price_text(quoted.bid),
            "bid1Size": f"{quoted.bid_amount:.4f}",
            "ask1Price": contract.price_text(quoted.ask),
            "ask1Size": f"{quoted.ask_amount:.4f}",
            "fundingRate": "0.0001",
        }
        argument = {"instType": _category(contract.symbol), "symbol": contract.symbol, "topic": "ticker"}
        frame = encode({"action": "snapshot", "arg": argument, "data": [row], "ts": now // MILLISECOND})
        await self.send_topic(topic, frame)

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good = {"symbol": "BTCUSDT", "side": "buy", "price": "80000", "amount": "500", "ts": str(when)}
        wrong: tuple[Row, ...] = (
            {"amount": "NaN"},
            {"price": "-5"},
            {"amount": {}},
            {"price": "inf"},
            {"ts": None},
            {"symbol": 7},
        )
        argument = {"instType": "usdt-futures", "topic": "liquidation"}
        message = {"action": "update", "arg": argument, "ts": when}
        return [encode({**message, "data": [{**good, **change}]}) for change in wrong]

    async def _instruments(self, request: web.Request) -> web.Response:
        category = request.query.get("category", "").lower()
        if category not in _CATEGORIES:
            return _answer("40020", "Parameter category error", None, self.clock.now())
        rows = [_info(contract) for contract in self.listing.contracts if _category(contract.symbol) == category]
        return _answer("00000", "success", rows, self.clock.now())

    async def _history(self, request: web.Request) -> web.Response:
        """The newest first, in pages; the cursor is how many were told."""
        past = self._pasts.get(request.query.get("category", "").lower())
        if past is None:
            return _answer("40020", "Parameter category error", None, self.clock.now())
        first, size = int(request.query.get("cursor") or 0), min(_PAGE, int(request.query.get("limit", _PAGE)))
        page = list(islice(past.newest_first(), first, first + size))
        now = self.clock.now()
        fresh = past.tell(*(event.key for _, _, event in page if event is not None))
        self.told(fresh)
        cursor = str(first + size) if len(page) == size else ""
        return _answer("00000", "success", {"list": [row for _, row, _ in page], "cursor": cursor}, now)


def _answer(code: str, message: str, data: object, now: int) -> web.Response:
    return web.json_response({"code": code, "msg": message, "requestTime": now // MILLISECOND, "data": data})


def _category(symbol: str) -> str:
    if symbol.endswith("PERP"):
        return "usdc-futures"
    return "usdt-futures" if symbol.endswith("USDT") else "coin-futures"


def _largest(orders: Iterable[Order]) -> list[Order]:
    found: dict[Side, Order] = {}
    for order in orders:
        if order.side not in found or order.usd > found[order.side].usd:
            found[order.side] = order
    return list(found.values())


def _read(contract: Contract, order: Order) -> _Read:
    """The order in the documented shape, and the truth about it."""
    price = contract.price_text(order.bankruptcy_price)
    # "Liquidation amount. Unit: quote coin", whatever the contract.
    amount = f"{order.amount * float(price):.6f}"
    when = order.ts // MILLISECOND
    usd = float(amount)
    event = Published(
        "bitget", contract.symbol, order.side, float(price), usd / float(price), usd, when * MILLISECOND, usd
    )
    # "Position side. buy Long position liquidation, sell Short position liquidation".
    side = "buy" if order.side is Side.LONG else "sell"
    return event, {"symbol": contract.symbol, "side": side, "price": price, "amount": amount, "ts": str(when)}


def _info(contract: Contract) -> Row:
    category = _category(contract.symbol)
    return {
        "symbol": contract.symbol,
        "category": category.upper(),
        "baseCoin": contract.asset,
        "quoteCoin": {"usdt-futures": "USDT", "usdc-futures": "USDC"}.get(category, "USD"),
        "type": "perpetual",
        "pricePrecision": str(contract.price_decimals),
        "quantityPrecision": str(contract.size_decimals),
        "status": "online",
    }
