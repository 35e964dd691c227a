"""dYdX v4: the indexer's socket and REST.

https://docs.dydx.xyz/indexer-client/websockets#trades and
https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/socks
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import WSCloseCode, web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, Slots, VenueServer, decode, encode
from liquake.simulate.tape import Tape

_CHANNELS = ("v4_trades", "v4_markets")
_TRADES_LIMIT = 32
_ATTEMPTS = 2
"""To subscribe to the same market in a second: the next has the connection closed."""
_SNAPSHOT = 100
_KEPT = 5_000
_PING_EVERY = 30
_ADL_SHARE = 0.01

_CONTRACTS = (
    Contract("BTC-USD", "BTC", 0, 4),
    Contract("ETH-USD", "ETH", 1, 3),
    Contract("SOL-USD", "SOL", 2, 1),
    Contract("XRP-USD", "XRP", 4, 0),
    Contract("DOGE-USD", "DOGE", 5, 0),
    Contract("BNB-USD", "BNB", 1, 2),
    Contract("ADA-USD", "ADA", 4, 0),
    Contract("LINK-USD", "LINK", 3, 0),
    Contract("AVAX-USD", "AVAX", 3, 1),
    Contract("PEPE-USD", "PEPE", 10, 0),
)


class DydxServer(VenueServer):
    """One port for indexer.dydx.trade."""

    name = "dydx"
    contracts = _CONTRACTS
    share = 0.03

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        # "BATCH_SEND_INTERVAL_MS: 250": the nearest whole number of ticks.
        self._slots = Slots(3)
        self._tape = Tape(_KEPT)
        self._events = 0
        self._messages: dict[int, int] = {}
        self._attempts: dict[tuple[int, str], list[int]] = {}

    def sockets(self) -> Sequence[str]:
        return ("/v4/ws",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/v4/perpetualMarkets", self._markets),
            web.get("/v4/trades/perpetualMarket/{ticker}", self._history),
        )

    async def greet(self, connection: Connection, request: web.Request) -> None:
        del request
        await connection.send(encode({"type": "connected", "connection_id": _id(connection), "message_id": 0}))

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        kind = request.get("type") if request else None
        if request is None:
            await self._refuse(connection, "Invalid message: could not parse")
        elif kind is None:
            await self._refuse(connection, "Invalid message: type is required")
        elif kind in ("subscribe", "unsubscribe"):
            await self._operate(connection, request, subscribing=kind == "subscribe")
        elif kind != "ping":
            await self._refuse(connection, f"Invalid message type: {kind}")

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        if self.throttled:
            self._slots.add(contract, order)
        else:
            await self._send_trades(contract, [order])

    async def tell(self, now: int, count: int) -> None:
        for contract, orders in self._slots.due(count):
            await self._send_trades(contract, orders)
        if count % TICKS_PER_SECOND == 0:
            await self._oracle()
            await self._ordinary(now)
        if count % (_PING_EVERY * TICKS_PER_SECOND) == 0:
            for connection in list(self.connections):
                await connection.ping(b"")

    async def _operate(self, connection: Connection, request: Row, subscribing: bool) -> None:
        channel, market = request.get("channel"), request.get("id")
        wrong = None
        if not channel:
            wrong = "Invalid subscribe message: channel is required"
        elif channel not in _CHANNELS:
            wrong = f"Invalid channel: {channel}"
        elif channel == "v4_trades" and not isinstance(market, str):
            wrong = f"Invalid id: {market}"
        if wrong is not None:
            await self._refuse(connection, wrong)
            return
        market = market if channel == "v4_trades" else "v4_markets"
        if subscribing:
            await self._subscribe(connection, str(channel), str(market), bool(request.get("batched")))
            return
        connection.topics.pop(f"{channel}-{market}", None)
        await connection.send(encode({**self._envelope(connection, "unsubscribed", channel), "id": market}))

    async def _subscribe(self, connection: Connection, channel: str, market: str, batched: bool) -> None:
        topic = f"{channel}-{market}"
        if channel == "v4_trades" and market not in self.listing.by_symbol:
            await self._refuse(connection, f"Invalid subscription id for channel: ({topic})")
        elif sum(name.startswith("v4_trades-") for name in connection.topics) >= _TRADES_LIMIT and channel != market:
            await self._refuse(
                connection, f"Per-connection subscription limit reached for {channel} (limit={_TRADES_LIMIT})."
            )
        elif self._too_often(connection, topic):
            await self._refuse(
                connection, f"Too many subscribe attempts for channel {topic}. Please  reconnect and try again."
            )
            await connection.close(WSCloseCode.POLICY_VIOLATION, b'{"message":"Rate limited"}')
        elif topic in connection.topics:
            await self._refuse(connection, f"Invalid subscribe message: already subscribed ({topic})")
        else:
            connection.topics[topic] = {"batched": batched}
            envelope = self._envelope(connection, "subscribed", channel)
            if channel == market:
                await connection.send(encode({**envelope, "contents": {"markets": self._listed()}}))
                return
            rows = self._tape.latest(market, _SNAPSHOT)
            # A connection that is being cut takes nothing any more, though it still asks.
            if await connection.send(encode({**envelope, "id": market, "contents": {"trades": rows}})):
                self._replayed(market, rows)

    def _too_often(self, connection: Connection, topic: str) -> bool:
        now = self.clock.now()
        recent = [at for at in self._attempts.get((connection.number, topic), ()) if now - at < SECOND]
        self._attempts[connection.number, topic] = [*recent, now]
        return len(recent) >= _ATTEMPTS

    def _replayed(self, market: str, rows: Sequence[Row]) -> None:
        if self._truth:
            self.told(self._tape.told(market, rows))

    async def _send_trades(self, contract: Contract, orders: Sequence[Order]) -> None:
        read = [self._read(contract, order) for order in orders]
        rows = [row for _, row in read]
        if self.rng.random() < _ADL_SHARE:
            rows.append(self._trade(contract, orders[-1], "DELEVERAGED"))
        told = await self._send(contract, rows, [event for event, _ in read])
        for event, row in read:
            self._tape.add(contract.symbol, row, event if self._truth and not told else None)

    async def _send(self, contract: Contract, rows: Sequence[Row], events: Sequence[Published]) -> bool:
        """Whether anybody who asked for the market was told."""
        topic = f"v4_trades-{contract.symbol}"
        if not self.wanted(topic):
            self.miss(events)
            return False

        def frame(connection: Connection) -> str | None:
            asked = connection.topics.get(topic)
            if asked is None:
                return None
            kind = "channel_batch_data" if asked["batched"] else "channel_data"
            contents = [{"trades": rows}] if asked["batched"] else {"trades": rows}
            envelope = self._envelope(connection, kind, "v4_trades")
            # In the order of the fields on the wire: type, connection_id, message_id, id, channel, version, contents.
            channel = envelope.pop("channel")
            named = {"id": contract.symbol, "channel": channel, "version": "2.4.0"}
            return encode({**envelope, **named, "contents": contents})

        return await self.deliver(events, frame)

    async def _ordinary(self, now: int) -> None:
        for contract in self.listing.contracts:
            if self.wanted(f"v4_trades-{contract.symbol}") and self.rng.random() < 0.5:
                price = self.market.price(contract.asset)
                usd = self.rng.expovariate(1 / 800.0)
                order = Order(now, self.name, contract.asset, Side.LONG, price, price, usd / price, usd)
                row = self._trade(contract, order, self.rng.choice(("LIMIT", "LIMIT", "TWAP_SUBORDER")))
                row["side"] = self.rng.choice(("BUY", "SELL"))
                self._tape.add(contract.symbol, row)
                await self._send(contract, [row], ())

    async def _oracle(self) -> None:
        prices = {
            contract.symbol: {"oraclePrice": f"{self.market.price(contract.asset):.10g}", "marketId": number}
            for number, contract in enumerate(self.listing.contracts)
        }
        message = {"connection_id": "sim", "message_id": 0, "channel": "v4_markets", "version": "1.0.0"}
        contents = {"oraclePrices": prices}
        await self.send_topic(
            "v4_markets-v4_markets", encode({"type": "channel_data", **message, "contents": contents})
        )

    def _read(self, contract: Contract, order: Order) -> tuple[Published, Row]:
        row = self._trade(contract, order, "LIQUIDATED")
        amount, usd = contract.worth(row["size"], row["price"])
        ts, price, size = order.ts // MILLISECOND * MILLISECOND, float(row["price"]), float(row["size"])
        return Published(self.name, contract.symbol, order.side, price, amount, usd, ts, size, row["id"]), row

    def _trade(self, contract: Contract, order: Order, kind: str) -> Row:
        self._events += 1
        return {
            "id": f"{105_000_000 + order.ts // SECOND % 10**6:08x}00000002{self._events:08x}",
            "size": contract.size_text(order),
            "price": contract.price_text(order.price),
            # The taker is the account that is liquidated: it sells what it was long.
            "side": "SELL" if order.side is Side.LONG else "BUY",
            "createdAt": _written(order.ts),
            "type": kind,
            "createdAtHeight": str(105_000_000 + order.ts // SECOND % 10**6),
        }

    def _listed(self) -> dict[str, Row]:
        return {
            contract.symbol: {
                "clobPairId": str(number),
                "ticker": contract.symbol,
                "status": "ACTIVE",
                "oraclePrice": f"{self.market.price(contract.asset):.10g}",
                "tickSize": f"{10.0**-contract.price_decimals:.10f}",
                "stepSize": f"{10.0**-contract.size_decimals:.4f}",
                "marketType": "CROSS",
            }
            for number, contract in enumerate(self.listing.contracts)
        }

    def _envelope(self, connection: Connection, kind: str, channel: object) -> Row:
        number = self._messages[connection.number] = self._messages.get(connection.number, 0) + 1
        return {"type": kind, "connection_id": _id(connection), "message_id": number, "channel": channel}

    async def _refuse(self, connection: Connection, message: str) -> None:
        told = {"type": "error", "message": message, "connection_id": _id(connection), "message_id": 1}
        await connection.send(encode(told))

    def hostile(self) -> Sequence[str | bytes]:
        good = {"id": "0a", "side": "SELL", "size": "1", "price": "80000", "type": "LIQUIDATED"}
        good["createdAt"] = _written(self.clock.now())
        wrong: tuple[Row, ...] = ({"size": "NaN"}, {"price": "-5"}, {"side": 1}, {"createdAt": "soon"}, {"id": None})
        message = {"type": "channel_data", "channel": "v4_trades", "id": "BTC-USD"}
        return [encode({**message, "contents": {"trades": [{**good, **change}]}}) for change in wrong]

    async def _markets(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"markets": self._listed()})

    async def _history(self, request: web.Request) -> web.Response:
        market = request.match_info["ticker"]
        if market not in self.listing.by_symbol:
            error = {"msg": "ticker must be a valid ticker (BTC-USD, etc)", "param": "ticker", "location": "params"}
            return web.json_response({"errors": [error]}, status=400)
        before, limit = request.query.get("createdBeforeOrAt", "9999"), int(request.query.get("limit", 1000))
        rows = [row for row in self._tape.latest(market, _KEPT) if row["createdAt"] <= before][: min(limit, 1000)]
        self._replayed(market, rows)
        return web.json_response({"trades": rows})


def _id(connection: Connection) -> str:
    return f"sim-{connection.number}"


def _written(ts: int) -> str:
    moment = datetime.fromtimestamp(ts // MILLISECOND / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
