"""Kraken Futures, its public trade tape and tickers.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.past import Past
from liquake.simulate.server import TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

_FEEDS = ("trade", "ticker")
_SNAPSHOT = 100
_PAGE = 100
_OLD = 1_800_000
"""Milliseconds before the start at which the liquidation happened that the first snapshot replays."""

_CONTRACTS = (
    Contract("PF_XBTUSD", "BTC", 0, 4),
    Contract("PI_XBTUSD", "BTC", 1, 0, inverse=True, share=0.1),
    Contract("FI_XBTUSD_270326", "BTC", 1, 0, inverse=True, share=0.03),
    Contract("PF_ETHUSD", "ETH", 1, 3),
    Contract("PI_ETHUSD", "ETH", 2, 0, inverse=True, share=0.1),
    Contract("PF_SOLUSD", "SOL", 3, 2),
    Contract("PF_XRPUSD", "XRP", 5, 0),
    Contract("PF_DOGEUSD", "DOGE", 6, 0),
    Contract("PF_BNBUSD", "BNB", 2, 2),
    Contract("PF_ADAUSD", "ADA", 5, 0),
    Contract("PF_LINKUSD", "LINK", 4, 1),
    Contract("PF_AVAXUSD", "AVAX", 3, 1),
    Contract("PF_PEPEUSD", "PEPE", 10, 0),
)


class KrakenServer(VenueServer):
    """One port for the WebSocket and the REST of futures.kraken.com."""

    name = "kraken"
    contracts = _CONTRACTS
    share = 0.02

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._pasts = {contract.symbol: Past() for contract in self.listing.contracts}
        self._sequence = 400_000
        for contract in self.listing.contracts[:1]:
            self._remember(contract, self._old_order(contract))

    def sockets(self) -> Sequence[str]:
        return ("/ws/v1",)

    def pages(self) -> Sequence[web.RouteDef]:
        base = "/derivatives/api/v3"
        return (web.get(f"{base}/instruments", self._instruments), web.get(f"{base}/history", self._history))

    async def greet(self, connection: Connection, request: web.Request) -> None:
        del request
        await connection.send(encode({"event": "info", "version": 1}))

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        event = request.get("event") if request else None
        if request is None or event not in ("subscribe", "unsubscribe"):
            await connection.send(encode({"event": "error", "message": "Json Error"}))
            return
        feed, products = request.get("feed"), request.get("product_ids", [])
        if feed not in _FEEDS or not isinstance(products, list):
            await connection.send(encode({"event": "error", "message": "Invalid feed"}))
            return
        for product in products:
            await self._operate(connection, event == "subscribe", feed, product)

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        event, row = self._remember(contract, order)
        frame, topic = encode(row), f"trade:{contract.symbol}"
        if await self.deliver([event], lambda connection: frame if topic in connection.topics else None):
            self._pasts[contract.symbol].tell(event.key)

    async def tell(self, now: int, count: int) -> None:
        if count % TICKS_PER_SECOND:
            return
        for contract in self.listing.contracts:
            if self.wanted(f"ticker:{contract.symbol}"):
                await self.send_topic(f"ticker:{contract.symbol}", encode(self._ticker(contract, now)))
            if self.wanted(f"trade:{contract.symbol}"):
                fill = self._fill(contract, now)
                self._pasts[contract.symbol].add(now // MILLISECOND, fill)
                await self.send_topic(f"trade:{contract.symbol}", encode(fill))

    async def _operate(self, connection: Connection, subscribing: bool, feed: str, product: object) -> None:
        contract = self.listing.by_symbol.get(product) if isinstance(product, str) else None
        if contract is None:
            message = f"Couldn't subscribe to invalid product `{product}`"
            await connection.send(encode({"event": "alert", "message": message}))
            return
        topic = f"{feed}:{product}"
        word = "subscribed" if subscribing else "unsubscribed"
        await connection.send(encode({"event": word, "feed": feed, "product_ids": [product]}))
        if not subscribing:
            connection.topics.pop(topic, None)
            return
        connection.topics[topic] = {}
        if feed == "trade":
            await self._replay(connection, contract)
        elif self.speaks:
            await connection.send(encode(self._ticker(contract, self.clock.now())))

    async def _replay(self, connection: Connection, contract: Contract) -> None:
        """The trades before the subscription, newest first."""
        if not self.speaks:
            return
        past = self._pasts[contract.symbol]
        latest = list(islice(past.newest_first(), _SNAPSHOT))
        rows = [row for _, row, _ in latest]
        frame = encode({"feed": "trade_snapshot", "product_id": contract.symbol, "trades": rows})
        fresh = past.tell(*(event.key for _, _, event in latest if event is not None))
        if fresh:
            await self.deliver(fresh, lambda other: frame if other is connection else None)
        else:
            await connection.send(frame)

    def _remember(self, contract: Contract, order: Order) -> tuple[Published, Row]:
        event, row = self._read(contract, order)
        self._pasts[contract.symbol].add(row["time"], row, event)
        return event, row

    def _read(self, contract: Contract, order: Order) -> tuple[Published, Row]:
        """The order in the documented shape, and the truth about it."""
        # The taker's side: to close a long is to sell.
        side = "sell" if order.side is Side.LONG else "buy"
        row = self._row(contract, side, "liquidation", order)
        size, price = contract.size_text(order), contract.price_text(order.price)
        amount, usd = contract.worth(size, price)
        ts = row["time"] * MILLISECOND
        uid: str = row["uid"]
        return Published(self.name, contract.symbol, order.side, float(price), amount, usd, ts, float(size), uid), row

    def _row(self, contract: Contract, side: str, kind: str, order: Order) -> Row:
        self._sequence += 1
        return {
            "feed": "trade",
            "product_id": contract.symbol,
            "uid": str(UUID(int=self.rng.getrandbits(128), version=4)),
            "side": side,
            "type": kind,
            "seq": self._sequence,
            "time": order.ts // MILLISECOND,
            "qty": float(contract.size_text(order)),
            "price": float(contract.price_text(order.price)),
        }

    def _fill(self, contract: Contract, now: int) -> Row:
        """A trade of two people who wanted it."""
        price, usd = self.market.price(contract.asset), self.rng.uniform(20.0, 900.0)
        order = Order(now, self.name, contract.asset, Side.LONG, price, price, usd / price, usd)
        return self._row(contract, self.rng.choice(("buy", "sell")), "fill", order)

    def _old_order(self, contract: Contract) -> Order:
        price = self.market.price(contract.asset)
        when = self.market.start - _OLD * MILLISECOND
        return Order(when, self.name, contract.asset, Side.SHORT, price, price, 900.0 / price, 900.0)

    def _ticker(self, contract: Contract, now: int) -> Row:
        price, quoted = self.market.price(contract.asset), self.market.quote(contract.asset)
        return {
            "time": now // MILLISECOND,
            "product_id": contract.symbol,
            "feed": "ticker",
            "bid": float(contract.price_text(quoted.bid)),
            "ask": float(contract.price_text(quoted.ask)),
            "index": price * 0.9999,
            "last": float(contract.price_text(price)),
            "markPrice": price,
            "funding_rate": 0.00001,
            "suspended": False,
        }

    def hostile(self) -> Sequence[str | bytes]:
        contract = self.listing.contracts[0]
        good = self._row(contract, "sell", "liquidation", self._old_order(contract))
        wrong: tuple[Row, ...] = (
            {"qty": "NaN"},
            {"price": -5},
            {"qty": {}},
            {"price": "inf"},
            {"time": None},
            {"product_id": 7},
        )
        return [encode({**good, **change}) for change in wrong]

    async def _instruments(self, request: web.Request) -> web.Response:
        del request
        rows = [_info(contract) for contract in self.listing.contracts]
        index = {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
        moment = _moment(self.clock.now() // MILLISECOND)
        return web.json_response({"result": "success", "serverTime": moment, "instruments": [*rows, index]})

    async def _history(self, request: web.Request) -> web.Response:
        """The 100 trades before `lastTime`, newest first."""
        past = self._pasts.get(request.query.get("symbol", ""))
        if past is None:
            return web.json_response({"result": "error", "error": "invalidArgument: symbol"})
        asked = request.query.get("lastTime")
        before = datetime.fromisoformat(asked).timestamp() * 1000 if asked else float("inf")
        page = list(islice((kept for kept in past.newest_first() if kept[0] < before), _PAGE))
        now = self.clock.now()
        fresh = past.tell(*(event.key for _, _, event in page if event is not None))
        self.told(fresh)
        rows = [_past(row) for _, row, _ in page if isinstance(row, dict)]
        return web.json_response({"result": "success", "serverTime": _moment(now // MILLISECOND), "history": rows})


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _past(row: Row) -> Row:
    """A trade of the tape as the history has it."""
    return {
        "time": _moment(row["time"]),
        "trade_id": row["seq"],
        "price": row["price"],
        "size": row["qty"],
        "side": row["side"],
        "type": row["type"],
        "uid": row["uid"],
    }


def _info(contract: Contract) -> Row:
    return {
        "symbol": contract.symbol,
        "type": "futures_inverse" if contract.inverse else "flexible_futures",
        "base": contract.asset,
        "quote": "USD",
        "pair": f"{contract.asset}:USD",
        "contractSize": 1,
        "contractValueTradePrecision": contract.size_decimals,
        "tickSize": 10.0**-contract.price_decimals,
        "tradeable": True,
    }
