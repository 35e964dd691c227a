"""Hyperliquid: trades without a marker, and fills of single addresses that carry liquidations.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from aiohttp import WSCloseCode, web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

PROVIDER = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"
"""HLP, the parent of those below."""
VAULTS = (
    "0x010461c14e146ac35fe42271bdc1134ee31c703a",
    "0x31ca8395cf837de08b24da3f660e77761dfb974b",
    "0x469f690213c467c39a23efacfd2816896009d7d8",
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
)
"""The children of the HLP vault: two strategies that make markets, one more, and four liquidators."""
_MAKERS, _LIQUIDATORS = VAULTS[:2], VAULTS[3:]

_MAKER_SHARE = 0.35
"""Of the parts of a market liquidation, those that a watched maker takes."""
_BACKSTOP_SHARE = 0.02
_ADL_SHARE = 0.01
_USERS = 10
_QUIET = 60
"""Seconds without a message to the client after which its connection is closed."""
_REPLAYED = 10
_SNAPSHOT = 5

_CONTRACTS = (
    Contract("BTC", "BTC", 1, 5),
    Contract("ETH", "ETH", 2, 4),
    Contract("SOL", "SOL", 3, 2),
    Contract("XRP", "XRP", 5, 0),
    Contract("DOGE", "DOGE", 6, 0),
    Contract("BNB", "BNB", 2, 3),
    Contract("ADA", "ADA", 5, 0),
    Contract("LINK", "LINK", 4, 1),
    Contract("AVAX", "AVAX", 4, 2),
    Contract("kPEPE", "PEPE", 6, 0, bundle=1000),
)


class HyperliquidServer(VenueServer):
    """One port for api.hyperliquid.xyz."""

    name = "hyperliquid"
    rank = 4
    contracts = _CONTRACTS

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._recent: dict[str, deque[Row]] = {
            contract.symbol: deque(maxlen=_REPLAYED) for contract in self.listing.contracts
        }
        self._fills: dict[str, deque[Row]] = {vault: deque(maxlen=_SNAPSHOT) for vault in VAULTS}

    def sockets(self) -> Sequence[str]:
        return ("/ws",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (web.post("/info", self._info),)

    async def hear(self, connection: Connection, text: str) -> None:
        request = decode(text)
        method = request.get("method") if request else None
        if request is None or method not in ("ping", "subscribe", "unsubscribe"):
            await connection.send(_error(f"Error parsing JSON into valid websocket request: {text[:200]}"))
        elif method == "ping":
            connection.told = self.clock.now()
            await connection.send('{"channel":"pong"}')
        else:
            await self._operate(connection, request)

    async def publish(self, order: Order) -> None:
        contract = self.listing.pick(order.asset)
        chance = self.rng.random()
        if chance < _BACKSTOP_SHARE:
            await self._backstop(contract, order)
            return
        if chance < _BACKSTOP_SHARE + _ADL_SHARE:
            await self._deleverage(contract, order)
        for part in self._parts(order):
            await self._filled(contract, order, part)

    async def tell(self, now: int, count: int) -> None:
        if count % 5 == 0:
            await self._market_activity(now)
        if count % TICKS_PER_SECOND == 0:
            await self._contexts()
            for connection in list(self.connections):
                if now - connection.told > _QUIET * SECOND:
                    await connection.close(WSCloseCode.OK, b"Inactive")

    async def _operate(self, connection: Connection, request: Row) -> None:
        subscription = request.get("subscription")
        kind = subscription.get("type") if isinstance(subscription, dict) else None
        if not isinstance(subscription, dict) or kind not in ("trades", "activeAssetCtx", "userFills", "allMids"):
            await connection.send(_error(f"Invalid subscription {encode(subscription)}"))
            return
        if kind in ("trades", "activeAssetCtx") and subscription.get("coin") not in self.listing.by_symbol:
            connection.cut()
            return
        topic = _topic(subscription)
        watched = {name for name in connection.topics if name.startswith("userFills:")}
        if kind == "userFills" and len(watched | {topic}) > _USERS:
            await connection.send(_error(f"Cannot track more than {_USERS} total users."))
            return
        await connection.send(encode({"channel": "subscriptionResponse", "data": request}))
        if request["method"] == "unsubscribe":
            connection.topics.pop(topic, None)
            return
        connection.topics[topic] = subscription
        await self._replay(connection, kind, subscription)

    async def _replay(self, connection: Connection, kind: str, subscription: Row) -> None:
        """What comes first is from the past."""
        if not self.speaks:
            return
        if kind == "trades":
            symbol = subscription["coin"]
            if not self._recent[symbol]:
                past = self.clock.now() - 5 * SECOND
                self._recent[symbol] += [
                    self._trade(self.listing.by_symbol[symbol], past + n * SECOND) for n in range(3)
                ]
            await connection.send(encode({"channel": "trades", "data": list(self._recent[symbol])}))
        elif kind == "userFills":
            user = subscription["user"]
            fills = list(self._fills.get(user.lower(), ()))
            await connection.send(
                encode({"channel": "userFills", "data": {"isSnapshot": True, "user": user, "fills": fills}})
            )

    def _parts(self, order: Order) -> list[Order]:
        """The order as the makers took it: one to three fills."""
        cuts = sorted(self.rng.random() for _ in range(self.rng.choice((0, 0, 1, 2))))
        shares = [after - before for before, after in zip([0.0, *cuts], [*cuts, 1.0], strict=True)]
        return [
            Order(
                order.ts,
                order.venue,
                order.asset,
                order.side,
                order.price,
                order.bankruptcy_price,
                order.amount * s,
                order.usd * s,
            )
            for s in shares
        ]

    async def _filled(self, contract: Contract, order: Order, part: Order) -> None:
        """One maker's part of a liquidation on the market: public as a trade, and as a fill if the maker is watched."""
        forced = "A" if order.side is Side.LONG else "B"
        trade = self._trade(contract, order.ts, part, forced)
        await self._print_trade(contract, trade)
        if self.rng.random() >= _MAKER_SHARE:
            return
        # The fill is the counterparty's: it bought what a liquidated long had to sell.
        bought = order.side is Side.LONG
        direction = self.rng.choice(("Open Long", "Close Short") if bought else ("Open Short", "Close Long"))
        fill = self._fill(contract, trade, "B" if bought else "A", direction, crossed=False)
        await self._tell_user(self.rng.choice(_MAKERS), order.side, contract, self._liquidated(fill, "market"))

    async def _backstop(self, contract: Contract, order: Order) -> None:
        """A liquidator vault takes over the whole position; nothing reaches the book."""
        bought = order.side is Side.LONG
        trade = self._trade(contract, order.ts, order, "B" if bought else "A")
        word = f"Liquidated {self.rng.choice(('Cross', 'Isolated'))} {'Long' if bought else 'Short'}"
        fill = self._fill(contract, trade, "B" if bought else "A", word, crossed=True)
        await self._tell_user(self.rng.choice(_LIQUIDATORS), order.side, contract, self._liquidated(fill, "backstop"))

    async def _deleverage(self, contract: Contract, order: Order) -> None:
        """Auto-deleveraging is not a liquidation of the one it happens to."""
        trade = self._trade(contract, order.ts, order, "A")
        fill = self._fill(contract, trade, "A", "Auto-Deleveraging", crossed=False)
        await self._tell_user(self.rng.choice(_MAKERS), None, contract, fill)

    async def _tell_user(self, user: str, side: Side | None, contract: Contract, fill: Row) -> None:
        topic = f"userFills:{user}"
        events = []
        if side is not None:
            amount, usd = contract.worth(fill["sz"], fill["px"])
            ts, size = fill["time"] * MILLISECOND, float(fill["sz"])
            key = f"{contract.symbol}|{fill['time']}|{fill['tid']}"
            events.append(
                Published("hyperliquid", contract.symbol, side, float(fill["px"]), amount, usd, ts, size, key)
            )

        def frame(connection: Connection) -> str | None:
            asked = connection.topics.get(topic)
            return encode({"channel": "userFills", "data": {"user": asked["user"], "fills": [fill]}}) if asked else None

        if await self.deliver(events, frame):
            self._fills[user].append(fill)

    async def _market_activity(self, now: int) -> None:
        for contract in self.listing.contracts:
            if not self.wanted(f"trades:{contract.symbol}"):
                continue
            expected = min(self.market.trades_per_second(contract.asset) * 0.5, 4.0)
            for _ in range(int(expected + self.rng.random())):
                trade = self._trade(contract, now)
                await self._print_trade(contract, trade)
                if self.rng.random() < 0.02:
                    fill = self._fill(contract, trade, "B", "Open Long", crossed=False)
                    await self._tell_user(self.rng.choice(_MAKERS), None, contract, fill)

    async def _print_trade(self, contract: Contract, trade: Row) -> None:
        if self.speaks:
            self._recent[contract.symbol].append(trade)
            await self.send_topic(f"trades:{contract.symbol}", encode({"channel": "trades", "data": [trade]}))

    async def _contexts(self) -> None:
        mids = {
            contract.symbol: contract.price_text(self.market.price(contract.asset))
            for contract in self.listing.contracts
        }
        if self.wanted("allMids:"):
            await self.send_topic("allMids:", encode({"channel": "allMids", "data": {"mids": mids}}))
        for contract in self.listing.contracts:
            topic = f"activeAssetCtx:{contract.symbol}"
            if self.wanted(topic):
                data = {"coin": contract.symbol, "ctx": self._context(contract)}
                await self.send_topic(topic, encode({"channel": "activeAssetCtx", "data": data}))

    def _context(self, contract: Contract) -> Row:
        price, quoted = self.market.price(contract.asset), self.market.quote(contract.asset)
        text = contract.price_text(price)
        return {
            "funding": "0.0000125",
            "openInterest": f"{2e9 / price / contract.bundle:.2f}",
            "prevDayPx": text,
            "dayNtlVlm": "1500000000.0",
            "premium": "0.0001",
            "oraclePx": contract.price_text(price * 0.9999),
            "markPx": text,
            "midPx": text,
            "impactPxs": [contract.price_text(quoted.bid), contract.price_text(quoted.ask)],
        }

    def _trade(self, contract: Contract, ts: int, order: Order | None = None, taker: str | None = None) -> Row:
        price = order.price if order else self.market.price(contract.asset)
        usd = order.usd if order else self.rng.expovariate(1 / 2_500.0)
        size = max(usd / price / contract.bundle, 10.0**-contract.size_decimals)
        return {
            "coin": contract.symbol,
            "side": taker or self.rng.choice("AB"),
            "px": contract.price_text(price),
            "sz": f"{size:.{contract.size_decimals}f}",
            "time": ts // MILLISECOND,
            "hash": f"0x{self.rng.getrandbits(256):064x}",
            "tid": self.rng.getrandbits(50),
            "users": [self._address(), self._address()],
        }

    def _fill(self, contract: Contract, trade: Row, side: str, direction: str, crossed: bool) -> Row:
        return {
            "coin": contract.symbol,
            "px": trade["px"],
            "sz": trade["sz"],
            "side": side,
            "time": trade["time"],
            "startPosition": "0.0",
            "dir": direction,
            "closedPnl": "0.0",
            "hash": trade["hash"],
            "oid": self.rng.getrandbits(38),
            "crossed": crossed,
            "fee": "0.0",
            "tid": trade["tid"],
            "feeToken": "USDC",
            "twapId": None,
        }

    def _liquidated(self, fill: Row, method: str) -> Row:
        """`fill` as a part of a liquidation, with that where the venue writes it."""
        forced = {"liquidatedUser": self._address(), "markPx": fill["px"], "method": method}
        last = {name: fill[name] for name in ("feeToken", "twapId")}
        return {**{name: told for name, told in fill.items() if name not in last}, "liquidation": forced, **last}

    def _address(self) -> str:
        return f"0x{self.rng.getrandbits(160):040x}"

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good: Row = {
            "coin": "BTC",
            "px": "80000",
            "sz": "0.1",
            "side": "B",
            "time": when,
            "dir": "Open Long",
            "crossed": False,
        }
        good |= {
            "hash": "0x0",
            "tid": 1,
            "liquidation": {"liquidatedUser": "0x0", "markPx": "80000", "method": "market"},
        }
        wrong: tuple[Row, ...] = (
            {"sz": "NaN"},
            {"px": "-1"},
            {"sz": []},
            {"px": "1e999"},
            {"time": "soon"},
            {"coin": 5},
        )
        fills = [{**good, **change} for change in wrong]
        return [encode({"channel": "userFills", "data": {"user": VAULTS[0], "fills": [fill]}}) for fill in fills]

    async def _info(self, request: web.Request) -> web.Response:
        asked = decode(await request.text()) or {}
        universe = [
            {"name": contract.symbol, "szDecimals": contract.size_decimals, "maxLeverage": 40, "marginTableId": 40}
            for contract in self.listing.contracts
        ]
        if asked.get("type") == "meta":
            return web.json_response({"universe": universe, "marginTables": []})
        if asked.get("type") == "metaAndAssetCtxs":
            contexts = [self._context(contract) for contract in self.listing.contracts]
            return web.json_response([{"universe": universe, "marginTables": []}, contexts])
        if asked.get("type") == "vaultDetails" and str(asked.get("vaultAddress")).lower() == PROVIDER:
            relationship = {"type": "parent", "data": {"childAddresses": VAULTS}}
            details = {"name": "Hyperliquidity Provider (HLP)", "vaultAddress": PROVIDER, "isClosed": False}
            return web.json_response({**details, "relationship": relationship})
        return web.Response(status=422, text="Failed to deserialize the JSON body into the target type")


def _topic(subscription: Row) -> str:
    return f"{subscription['type']}:{str(subscription.get('user', '')).lower() or subscription.get('coin', '')}"


def _error(message: str) -> str:
    return encode({"channel": "error", "data": message})
