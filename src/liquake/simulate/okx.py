"""OKX v5 public.

https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode

_LIQUIDATIONS = "liquidation-orders"
_LIQUIDATION_TYPES = ("SWAP", "FUTURES", "MARGIN", "OPTION")
_BY_INSTRUMENT = ("mark-price", "tickers")
_IDLE = 30
"""Seconds without text in either direction after which a connection is closed; WebSocket pings do not count."""
_SNAPSHOT_AGE = 2_400 * SECOND
"""How old the liquidation is that greets the first subscriber."""

_CONTRACTS = (
    Contract("BTC-USDT-SWAP", "BTC", 1, 2, multiplier=0.01),
    Contract("BTC-USD-SWAP", "BTC", 1, 0, multiplier=100.0, inverse=True, share=0.1),
    Contract("BTC-USDT-270326", "BTC", 1, 2, multiplier=0.01, share=0.05),
    Contract("ETH-USDT-SWAP", "ETH", 2, 2, multiplier=0.1),
    Contract("ETH-USD-SWAP", "ETH", 2, 0, multiplier=10.0, inverse=True, share=0.1),
    Contract("SOL-USDT-SWAP", "SOL", 2, 2),
    Contract("XRP-USDT-SWAP", "XRP", 4, 2, multiplier=100.0),
    Contract("DOGE-USDT-SWAP", "DOGE", 5, 2, multiplier=1000.0),
    Contract("BNB-USDT-SWAP", "BNB", 1, 0, multiplier=0.01),
    Contract("ADA-USDT-SWAP", "ADA", 4, 1, multiplier=100.0),
    Contract("LINK-USDT-SWAP", "LINK", 3, 1),
    Contract("AVAX-USDT-SWAP", "AVAX", 3, 1),
    Contract("PEPE-USDT-SWAP", "PEPE", 10, 1, multiplier=10_000_000.0),
)


class OkxServer(VenueServer):
    """One port for ws.okx.com and www.okx.com."""

    name = "okx"
    rank = 3
    contracts = _CONTRACTS

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._slots = Slots(TICKS_PER_SECOND)
        self._published_kinds: set[str] = set()
        self._latest: dict[str, tuple[Published, Row]] = {}
        """The last liquidation of each instrument type: what a new subscriber gets first."""

    def sockets(self) -> Sequence[str]:
        return ("/ws/v5/public",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.get("/api/v5/public/instruments", self._instruments),)

    async def hear(self, connection: Connection, text: str) -> None:
        connection.told = self.clock.now()
        if text == "ping":
            await connection.send("pong")
            return
        request = decode(text)
        arguments = request.get("args") if request else None
        if request is None or request.get("op") not in ("subscribe", "unsubscribe") or not isinstance(arguments, list):
            await connection.send(_error(connection, "60012", f"Invalid request: {text[:200]}"))
            return
        for argument in arguments:
            await self._operate(connection, request, argument if isinstance(argument, dict) else {})

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        if self.throttled:
            self._slots.add(contract, order)
        else:
            await self._push([_read(contract, order)])

    async def tell(self, now: int, count: int) -> None:
        # At most one order per contract and second, the latest of it; contracts that are due together share a message.
        due = [_read(contract, max(orders, key=_time)) for contract, orders in self._slots.due(count)]
        for kind in ("SWAP", "FUTURES"):
            await self._push([read for read in due if read[1]["instType"] == kind])
        if count % TICKS_PER_SECOND == 0:
            await self._prices(now)
            for connection in list(self.connections):
                if now - max(connection.heard, connection.told) > _IDLE * SECOND:
                    await connection.close(4004, b"No data received in 30s.")

    async def announce_close(self, after: float = 1.0) -> None:
        await super().announce_close(after)
        message = "The connection will soon be closed for a service upgrade. Please reconnect."
        for connection in list(self.connections):
            notice = {"event": "notice", "code": "64008", "msg": message, "connId": _id(connection)}
            await connection.send(encode(notice))

    async def _operate(self, connection: Connection, request: Row, argument: Row) -> None:
        known = self._argument(argument)
        if known is None:
            what = ",".join(f"{name}:{value}" for name, value in argument.items()).removeprefix("channel:")
            message = f"Wrong URL or channel:{what} doesn't exist. Please use the correct URL, channel and parameters."
            await connection.send(_error(connection, "60018", message))
            return
        operation, topic = request["op"], _topic(known)
        numbered = {"id": request["id"]} if "id" in request else {}
        await connection.send(encode({**numbered, "event": operation, "arg": known, "connId": _id(connection)}))
        if operation == "unsubscribe":
            connection.topics.pop(topic, None)
            return
        connection.topics[topic] = known
        if known["channel"] == _LIQUIDATIONS:
            await self._replay(connection, known)

    def _argument(self, argument: Row) -> Row | None:
        """The argument without what the venue does not use; `None` when there is no such channel."""
        channel, symbol = argument.get("channel"), argument.get("instId")
        if channel == _LIQUIDATIONS and argument.get("instType") in _LIQUIDATION_TYPES:
            return {"channel": channel, "instType": argument["instType"]}
        if channel in _BY_INSTRUMENT and symbol in self.listing.by_symbol:
            return {"channel": channel, "instId": symbol}
        if channel == "index-tickers" and any(_family(contract) == symbol for contract in self.listing.contracts):
            return {"channel": channel, "instId": symbol}
        return None

    async def _replay(self, connection: Connection, argument: Row) -> None:
        """The first message after subscribing is an old one, with its own time."""
        kind = argument["instType"]
        if kind not in self._latest:
            self._latest |= self._history(kind)
        if kind not in self._latest or not self.speaks:
            return
        event, row = self._latest[kind]
        frame = encode({"arg": argument, "data": [row]})
        if kind in self._published_kinds:
            await connection.send(frame)
        else:
            self._published_kinds.add(kind)
            await self.deliver([event], lambda other: frame if other is connection else None)

    def _history(self, kind: str) -> dict[str, tuple[Published, Row]]:
        contract = next((contract for contract in self.listing.contracts if _kind(contract) == kind), None)
        if contract is None:
            return {}
        price = self.market.price(contract.asset)
        order = Order(
            self.market.start - _SNAPSHOT_AGE,
            self.name,
            contract.asset,
            Side.LONG,
            price,
            price * 0.996,
            1_500.0 / price,
            1_500.0,
        )
        return {kind: _read(contract, order)}

    async def _push(self, read: Sequence[tuple[Published, Row]]) -> None:
        if not read:
            return
        kind = read[0][1]["instType"]
        argument = {"channel": _LIQUIDATIONS, "instType": kind}
        frame, topic = encode({"arg": argument, "data": [row for _, row in read]}), _topic(argument)
        events = [event for event, _ in read]
        if await self.deliver(events, lambda connection: frame if topic in connection.topics else None):
            self._latest[kind] = read[-1]
            self._published_kinds.add(kind)

    async def _prices(self, now: int) -> None:
        for contract in self.listing.contracts:
            for channel in _BY_INSTRUMENT:
                await self._price({"channel": channel, "instId": contract.symbol}, contract, now)
        for family, contract in {_family(contract): contract for contract in self.listing.contracts}.items():
            await self._price({"channel": "index-tickers", "instId": family}, contract, now)

    async def _price(self, argument: Row, contract: Contract, now: int) -> None:
        topic = _topic(argument)
        if self.wanted(topic):
            row = self._price_row(argument, contract) | {"ts": str(now // MILLISECOND)}
            await self.send_topic(topic, encode({"arg": argument, "data": [row]}))

    def _price_row(self, argument: Row, contract: Contract) -> Row:
        price, symbol = self.market.price(contract.asset), argument["instId"]
        if argument["channel"] == "mark-price":
            return {"instId": symbol, "instType": _kind(contract), "markPx": contract.price_text(price)}
        if argument["channel"] == "index-tickers":
            return {"instId": symbol, "idxPx": contract.price_text(price * 0.9999)}
        quoted = self.market.quote(contract.asset)
        contracts = price / contract.multiplier if contract.inverse else 1.0 / contract.multiplier
        return {
            "instId": symbol,
            "instType": _kind(contract),
            "last": contract.price_text(price),
            "bidPx": contract.price_text(quoted.bid),
            "bidSz": f"{quoted.bid_amount * contracts:.2f}",
            "askPx": contract.price_text(quoted.ask),
            "askSz": f"{quoted.ask_amount * contracts:.2f}",
        }

    def hostile(self) -> Sequence[str | bytes]:
        good = {"bkLoss": "0", "bkPx": "80000", "ccy": "", "posSide": "long", "side": "sell", "sz": "1"}
        when = str(self.clock.now() // MILLISECOND)
        wrong: tuple[Row, ...] = (
            {"sz": "NaN"},
            {"bkPx": "-1"},
            {"sz": None},
            {"bkPx": "Infinity"},
            {"ts": "soon"},
            {"sz": []},
        )
        row = {"instFamily": "BTC-USDT", "instId": "BTC-USDT-SWAP", "instType": "SWAP", "uly": "BTC-USDT"}
        argument = {"channel": _LIQUIDATIONS, "instType": "SWAP"}
        details = [[{**good, "ts": when, **change}] for change in wrong]
        return [encode({"arg": argument, "data": [{**row, "details": detail}]}) for detail in details]

    async def _instruments(self, request: web.Request) -> web.Response:
        kind = request.query.get("instType")
        if kind is None:
            return web.json_response({"code": "50014", "msg": "Parameter instType can not be empty.", "data": []})
        rows = [_info(contract) for contract in self.listing.contracts if _kind(contract) == kind]
        return web.json_response({"code": "0", "msg": "", "data": rows})


def _time(order: Order) -> int:
    return order.ts


def _id(connection: Connection) -> str:
    return f"sim{connection.number:05d}"


def _error(connection: Connection, code: str, message: str) -> str:
    return encode({"event": "error", "code": code, "msg": message, "connId": _id(connection)})


def _topic(argument: Row) -> str:
    return ":".join(argument.values())


def _kind(contract: Contract) -> str:
    return "SWAP" if contract.symbol.endswith("-SWAP") else "FUTURES"


def _family(contract: Contract) -> str:
    return contract.symbol.rpartition("-")[0]


def _read(contract: Contract, order: Order) -> tuple[Published, Row]:
    """The order in the documented shape, and the truth about it."""
    when = str(order.ts // MILLISECOND)
    position, side = ("long", "sell") if order.side is Side.LONG else ("short", "buy")
    size, price = contract.size_text(order), contract.price_text(order.bankruptcy_price)
    amount, usd = contract.worth(size, price)
    ts = int(when) * MILLISECOND
    event = Published("okx", contract.symbol, order.side, float(price), amount, usd, ts, float(size))
    detail = {"bkLoss": "0", "bkPx": price, "ccy": "", "posSide": position, "side": side, "sz": size, "ts": when}
    family = _family(contract)
    row = {
        "details": [detail],
        "instFamily": family,
        "instId": contract.symbol,
        "instType": _kind(contract),
        "uly": family,
    }
    return event, row


def _info(contract: Contract) -> Row:
    family, kind = _family(contract), _kind(contract)
    quote = family.partition("-")[2]
    return {
        "instType": kind,
        "instId": contract.symbol,
        "instFamily": family,
        "uly": family,
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": contract.asset if contract.inverse else quote,
        "ctVal": f"{contract.multiplier:.2f}".rstrip("0").rstrip("."),
        "ctMult": "1",
        "ctValCcy": "USD" if contract.inverse else contract.asset,
        "ctType": "inverse" if contract.inverse else "linear",
        "state": "live",
        "tickSz": f"{10.0**-contract.price_decimals:.{contract.price_decimals}f}",
        "lotSz": f"{10.0**-contract.size_decimals:.{contract.size_decimals}f}",
    }
