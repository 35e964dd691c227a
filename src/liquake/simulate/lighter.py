"""Lighter: the trades of every market by its number, with the liquidations among them.

https://apidocs.lighter.xyz/docs/websocket-reference
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode
from liquake.simulate.tape import Tape

_CHANNELS = ("trade", "market_stats")
_SUBSCRIPTIONS = 100
_MESSAGES_PER_MINUTE = 200
_IDLE = 120
"""Seconds without a message from the client after which a connection is cut."""
_REPLAYED = 20
_REPEATED_SHARE = 0.3
"""Of the updates with ordinary trades, those that tell the last liquidation again."""
_ADL_SHARE = 0.01

# A market's symbol here is its number: that is what every message calls it by. Its name is only on the list.
_CONTRACTS = (
    Contract("0", "ETH", 2, 4),
    Contract("1", "BTC", 1, 5),
    Contract("2", "SOL", 3, 3),
    Contract("3", "DOGE", 6, 0),
    Contract("4", "PEPE", 6, 0, bundle=1000),
    Contract("7", "XRP", 6, 0),
    Contract("8", "LINK", 5, 1),
    Contract("9", "AVAX", 4, 2),
    Contract("25", "BNB", 4, 2),
    Contract("39", "ADA", 5, 1),
)


class LighterServer(VenueServer):
    """One port for mainnet.zklighter.elliot.ai."""

    name = "lighter"
    contracts = _CONTRACTS
    share = 0.06

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._tape = Tape(_REPLAYED)
        self._last: dict[str, Row] = {}
        self._heard: deque[int] = deque()
        self._trades = 26_000_000_000
        self._nonce = 18_000_000_000

    def sockets(self) -> Sequence[str]:
        return ("/stream",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.get("/api/v1/orderBookDetails", self._details),)

    async def greet(self, connection: Connection, request: web.Request) -> None:
        del request
        await connection.send(encode({"session_id": f"sim-{connection.number}", "type": "connected"}))

    async def hear(self, connection: Connection, text: str) -> None:
        if self._too_many():
            await connection.send(_error(30009, "Too Many Websocket Messages!"))
            return
        request = decode(text) or {}
        kind, channel = request.get("type"), request.get("channel")
        if kind == "ping":
            await connection.send('{"type":"pong"}')
        elif kind == "subscribe" and isinstance(channel, str):
            await self._subscribe(connection, channel.replace("/", ":"))
        elif kind == "unsubscribe" and isinstance(channel, str):
            topic = channel.replace("/", ":")
            connection.topics.pop(topic, None)
            await connection.send(encode({"type": "unsubscribed", "channel": topic}))
        elif kind != "pong":
            await connection.send(_error(30001, "Invalid Type"))

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        row = self._trade(contract, order, "liquidation")
        event = self._published(contract, order, row)
        rows = [row, self._trade(contract, order, "deleverage")] if self.rng.random() < _ADL_SHARE else [row]
        told = await self._send(contract, [], rows, [event])
        self._tape.add(contract.symbol, row, event if self._truth and not told else None)
        if told:
            self._last[contract.symbol] = row

    async def tell(self, now: int, count: int) -> None:
        if count % TICKS_PER_SECOND:
            return
        for contract in self.listing.contracts:
            topic = f"market_stats:{contract.symbol}"
            if self.wanted(topic):
                await self.send_topic(topic, self._statistics(contract, "update"))
            if self.wanted(f"trade:{contract.symbol}") and self.rng.random() < 0.5:
                await self._ordinary(contract, now)
        for connection in list(self.connections):
            if now - connection.heard > _IDLE * SECOND:
                connection.cut()

    def _too_many(self) -> bool:
        now = self.clock.now()
        self._heard.append(now)
        while now - self._heard[0] > 60 * SECOND:
            self._heard.popleft()
        return len(self._heard) > _MESSAGES_PER_MINUTE

    async def _subscribe(self, connection: Connection, topic: str) -> None:
        channel, _, market = topic.partition(":")
        if channel not in _CHANNELS:
            await connection.send(_error(30005, "Invalid Channel"))
        elif market not in self.listing.by_symbol:
            await connection.send(_error(30005, "Invalid Channel:  (marketId)"))
        elif topic in connection.topics:
            await connection.send(_error(30003, f"Already Subscribed to : {topic}"))
        elif len(connection.topics) >= _SUBSCRIPTIONS:
            await connection.send(_error(30007, "Too Many Subscriptions!"))
        else:
            connection.topics[topic] = {}
            contract = self.listing.by_symbol[market]
            statistics = channel == "market_stats"
            if statistics:
                await connection.send(self._statistics(contract, "subscribed"))
            else:
                await self._replay(connection, contract)

    async def _replay(self, connection: Connection, contract: Contract) -> None:
        rows = self._tape.latest(contract.symbol, _REPLAYED)
        # A connection that is being cut takes nothing any more, though it still asks.
        if await connection.send(self._frame("subscribed", contract, [], rows)) and self._truth:
            self.told(self._tape.told(contract.symbol, rows))

    async def _ordinary(self, contract: Contract, now: int) -> None:
        price, usd = self.market.price(contract.asset), self.rng.expovariate(1 / 900.0)
        side = self.rng.choice((Side.LONG, Side.SHORT))
        order = Order(now, self.name, contract.asset, side, price, price, usd / price, usd)
        last = self._last.get(contract.symbol)
        again = [last] if last and self.rng.random() < _REPEATED_SHARE else []
        await self._send(contract, [self._trade(contract, order, "trade")], again, ())

    async def _send(
        self, contract: Contract, rows: Sequence[Row], forced: Sequence[Row], events: Sequence[Published]
    ) -> bool:
        """Whether anybody who asked for the market was told."""
        topic = f"trade:{contract.symbol}"
        if not self.wanted(topic):
            self.miss(events)
            return False
        frame = self._frame("update", contract, rows, forced)
        return await self.deliver(events, lambda connection: frame if topic in connection.topics else None)

    def _frame(self, action: str, contract: Contract, rows: Sequence[Row], forced: Sequence[Row]) -> str:
        self._nonce += 1
        head = {"type": f"{action}/trade", "channel": f"trade:{contract.symbol}", "nonce": self._nonce}
        return encode({**head, "trades": rows, "liquidation_trades": forced})

    def _statistics(self, contract: Contract, action: str) -> str:
        price = contract.price_text(self.market.price(contract.asset))
        told = {
            "symbol": _name(contract),
            "market_id": int(contract.symbol),
            "index_price": contract.price_text(self.market.price(contract.asset) * 0.9999),
            "mark_price": price,
            "last_trade_price": price,
            "open_interest": "86574362.972120",
            "funding_rate": "0.0011",
        }
        when = self.clock.now() // MILLISECOND
        message = {"channel": f"market_stats:{contract.symbol}", "market_stats": told, "timestamp": when}
        return encode({**message, "type": f"{action}/market_stats"})

    def _trade(self, contract: Contract, order: Order, kind: str) -> Row:
        self._trades += 1
        size, price = contract.size_text(order), contract.price_text(order.price)
        sold = order.side is Side.LONG
        return {
            "trade_id": self._trades,
            "trade_id_str": str(self._trades),
            "tx_hash": f"{self.rng.getrandbits(320):080x}",
            "type": kind,
            "market_id": int(contract.symbol),
            "size": size,
            "price": price,
            "usd_amount": f"{float(size) * float(price):.6f}",
            "ask_account_id": 71,
            "bid_account_id": 72,
            # The forced order takes: a long is sold to a maker's bid.
            "is_maker_ask": not sold,
            "block_height": 300_000_000 + self._nonce % 10**6,
            "timestamp": order.ts // MILLISECOND,
            "taker_position_size_before": size if sold else f"-{size}",
            "transaction_time": order.ts // 1000,
        }

    def _published(self, contract: Contract, order: Order, row: Row) -> Published:
        amount, usd = contract.worth(row["size"], row["price"])
        ts, price, size = row["timestamp"] * MILLISECOND, float(row["price"]), float(row["size"])
        key = f"{contract.symbol}|{row['trade_id']}"
        return Published(self.name, _name(contract), order.side, price, amount, usd, ts, size, key)

    def hostile(self) -> Sequence[str | bytes]:
        good = {
            "trade_id": 1,
            "type": "liquidation",
            "market_id": 1,
            "size": "1",
            "price": "80000",
            "is_maker_ask": True,
        }
        good["timestamp"] = self.clock.now() // MILLISECOND
        wrong: tuple[Row, ...] = (
            {"size": "NaN"},
            {"price": "-5"},
            {"is_maker_ask": "yes"},
            {"timestamp": 1},
            {"taker_position_size_before": "3"},
        )
        message = {"channel": "trade:1", "type": "update/trade", "trades": []}
        return [encode({**message, "liquidation_trades": [{**good, **change}]}) for change in wrong]

    async def _details(self, request: web.Request) -> web.Response:
        del request
        rows = [
            {
                "symbol": _name(contract),
                "market_id": int(contract.symbol),
                "market_type": "perp",
                "status": "active",
                "supported_size_decimals": contract.size_decimals,
                "supported_price_decimals": contract.price_decimals,
                "quote_multiplier": 1,
            }
            for contract in self.listing.contracts
        ]
        return web.json_response({"code": 200, "order_book_details": rows, "spot_order_book_details": []})


def _name(contract: Contract) -> str:
    return f"{contract.bundle}{contract.asset}" if contract.bundle > 1 else contract.asset


def _error(code: int, message: str) -> str:
    return encode({"error": {"code": code, "message": message}})
