"""Deribit: trades without a word on the socket, and with it in the history once they are an hour old.

https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_currency_and_time
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from aiohttp import web

from liquake.model import Side
from liquake.simulate.connection import Connection
from liquake.simulate.contracts import MILLISECOND, Contract, Published
from liquake.simulate.order import Order
from liquake.simulate.past import insert
from liquake.simulate.server import SECOND, TICKS_PER_SECOND, Row, Setting, VenueServer, decode, encode

_MESSAGES_PER_SECOND = 20
_PAGE = 50
"""Trades per page at most, whatever is asked for: so few that every client has to turn pages."""
_KEPT = 200_000
_HEARTBEAT = "public/set_heartbeat"

_CONTRACTS = (
    Contract("BTC-PERPETUAL", "BTC", 1, 0, multiplier=10.0, inverse=True),
    Contract("BTC_USDC-PERPETUAL", "BTC", 1, 4, share=0.2),
    Contract("ETH-PERPETUAL", "ETH", 2, 0, inverse=True),
    Contract("SOL_USDC-PERPETUAL", "SOL", 3, 1),
    Contract("XRP_USDC-PERPETUAL", "XRP", 4, 0),
    Contract("DOGE_USDC-PERPETUAL", "DOGE", 5, 0),
    Contract("BNB_USDC-PERPETUAL", "BNB", 2, 2),
    Contract("ADA_USDC-PERPETUAL", "ADA", 4, 0),
    Contract("LINK_USDC-PERPETUAL", "LINK", 3, 1),
    Contract("AVAX_USDC-PERPETUAL", "AVAX", 3, 1),
    Contract("PEPE_USDC-PERPETUAL", "PEPE", 9, 0),
)


class DeribitServer(VenueServer):
    """One port for www.deribit.com and history.deribit.com."""

    name = "deribit"
    share = 0.05
    contracts = _CONTRACTS
    flagged_after = 3600.0
    """Seconds until the history says of a trade that it was a liquidation."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._trades: deque[Row] = deque(maxlen=_KEPT)
        """In order of time, each with its flag."""
        self._numbers: dict[str, int] = {}

    def sockets(self) -> Sequence[str]:
        return ("/ws/api/v2",)

    def pages(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/api/v2/public/get_instruments", self._instruments),
            web.get("/api/v2/public/get_last_trades_by_currency_and_time", self._history),
        )

    async def hear(self, connection: Connection, text: str) -> None:
        second = connection.heard // SECOND
        connection.count = connection.count + 1 if connection.counted == second else 1
        connection.counted = second
        request = decode(text)
        if request is None:
            await connection.send(encode({"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}}))
        elif connection.count > _MESSAGES_PER_SECOND:
            await connection.send(_error(request, 10028, "too_many_requests"))
        else:
            await connection.send(self._answer(connection, request))

    def _answer(self, connection: Connection, request: Row) -> str:
        method, parameters = request.get("method"), request.get("params") or {}
        if method == "public/test":
            return _result(request, {"version": "1.2.26"})
        if method == _HEARTBEAT:
            if parameters.get("interval", 0) < 10:
                return _error(request, -32602, "Invalid params")
            connection.topics[_HEARTBEAT] = {"interval": parameters["interval"], "asked": self.clock.now()}
            return _result(request, "ok")
        if method == "public/subscribe":
            channels = parameters.get("channels", ())
            if any(str(channel).endswith(".raw") for channel in channels):
                return _error(request, 13778, "raw_subscriptions_not_available_for_unauthorized")
            good = [channel for channel in channels if self._exists(channel)]
            connection.topics.update((channel, {}) for channel in good)
            return _result(request, good)
        return _error(request, -32601, "Method not found")

    def _exists(self, channel: object) -> bool:
        """Channels that do not are left out of the answer."""
        return channel in {
            name for contract in self.listing.contracts for name in (*_channels(contract), _ticker(contract))
        }

    async def publish(self, order: Order) -> None:
        if not self.speaks:
            return
        contract = self.listing.pick(order.asset)
        drawn = self.rng.random()
        flag = "T" if drawn < 0.75 else "M" if drawn < 0.95 else "MT"
        sold = (order.side is Side.LONG) is (flag != "M")
        # Sizes are counted in contracts; what is written is the amount they come to.
        size = contract.size_text(order)
        amount = float(size) * (contract.multiplier if contract.inverse else 1.0)
        row = self._trade(contract, order.ts, float(contract.price_text(order.price)), sold, amount)
        insert(self._trades, {**row, "liquidation": flag}, _when)
        events = _truth(self.name, contract, size, row, flag)
        await self._stream(contract, [row], events)

    async def _stream(self, contract: Contract, rows: Sequence[Row], events: Sequence[Published]) -> None:
        """Trades go out without their flag: whoever reads them live sees no liquidation."""
        channels = _channels(contract)

        def frame(connection: Connection) -> str | None:
            channel = next((channel for channel in channels if channel in connection.topics), None)
            return _notice(channel, rows) if channel else None

        if not await self.deliver(events, frame):
            # The history has them whether anybody was connected or not.
            self.told(events, copies=0)

    def _trade(self, contract: Contract, ts: int, price: float, sold: bool, amount: float) -> Row:
        currency = contract.symbol.partition("-")[0]
        number = self._numbers[currency] = self._numbers.get(currency, 270_000_000) + 1
        return {
            "trade_seq": number,
            "trade_id": str(number) if currency == "BTC" else f"{currency}-{number}",
            "timestamp": ts // MILLISECOND,
            "tick_direction": 2,
            "price": price,
            "mark_price": price,
            "index_price": price,
            "instrument_name": contract.symbol,
            "direction": "sell" if sold else "buy",
            "amount": amount,
        }

    async def tell(self, now: int, count: int) -> None:
        if count % TICKS_PER_SECOND == 0:
            await self._ordinary(now)
            await self._heartbeats(now)
        if count % 5 == 0:
            for contract in self.listing.contracts:
                if self.wanted(_ticker(contract)):
                    await self.send_topic(_ticker(contract), _notice(_ticker(contract), self._prices(contract, now)))

    async def _ordinary(self, now: int) -> None:
        """Every second a trade that is no liquidation: most of what is asked for is that."""
        if self.speaks:
            contract = self.rng.choice(self.listing.contracts)
            price = float(contract.price_text(self.market.price(contract.asset)))
            row = self._trade(contract, now, price, self.rng.random() < 0.5, 10.0)
            insert(self._trades, row, _when)
            for channel in _channels(contract):
                await self.send_topic(channel, _notice(channel, [row]))

    async def _heartbeats(self, now: int) -> None:
        """Ask for a sign of life every interval; who gave none for two is cut."""
        if not self.speaks:
            return
        request = encode({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})
        for connection in list(self.connections):
            beat = connection.topics.get(_HEARTBEAT)
            if beat is None:
                continue
            if now - connection.heard > 2 * beat["interval"] * SECOND:
                connection.cut()
            elif now - beat["asked"] >= beat["interval"] * SECOND:
                beat["asked"] = now
                await connection.send(request)

    def _prices(self, contract: Contract, now: int) -> Row:
        price = float(contract.price_text(self.market.price(contract.asset)))
        return {
            "timestamp": now // MILLISECOND,
            "state": "open",
            "instrument_name": contract.symbol,
            "mark_price": price,
            "last_price": price,
            "index_price": float(contract.price_text(self.market.price(contract.asset) * 0.9999)),
        }

    def hostile(self) -> Sequence[str | bytes]:
        when = self.clock.now() // MILLISECOND
        good: Row = {"trade_id": "1", "timestamp": when, "price": 80000.0, "instrument_name": "BTC-PERPETUAL"}
        good |= {"direction": "buy", "amount": 10.0, "liquidation": "T"}
        wrong: tuple[Row, ...] = (
            {"amount": "NaN"},
            {"price": -5},
            {"direction": "long"},
            {"amount": {}},
            {"timestamp": None},
            {"liquidation": "Q"},
        )
        return [_notice("trades.BTC-PERPETUAL.100ms", [{**good, **change}]) for change in wrong]

    async def _instruments(self, request: web.Request) -> web.Response:
        currency = request.query.get("currency", "")
        listed = [c for c in self.listing.contracts if currency in ("any", _currency(c))]
        return web.json_response({"jsonrpc": "2.0", "result": [_info(contract) for contract in listed]})

    async def _history(self, request: web.Request) -> web.Response:
        try:
            start, end = int(request.query["start_timestamp"]), int(request.query["end_timestamp"])
            most = min(_PAGE, int(request.query.get("count", 10)))
        except (KeyError, ValueError):
            error = {"code": -32602, "message": "Invalid params"}
            return web.json_response({"jsonrpc": "2.0", "error": error}, status=400)
        currency = request.query.get("currency", "")
        found = [
            row
            for row in self._trades
            if start <= row["timestamp"] <= end and _paid_in(row["instrument_name"]) == currency
        ]
        if request.query.get("sorting") != "asc":
            found.reverse()
        rows = [self._as_known(row) for row in found[:most]]
        return web.json_response({"jsonrpc": "2.0", "result": {"trades": rows, "has_more": len(found) > most}})

    def _as_known(self, row: Row) -> Row:
        """The trade as the history has it by now."""
        if self.clock.now() // MILLISECOND - row["timestamp"] >= self.flagged_after * 1000:
            return row
        return {name: value for name, value in row.items() if name != "liquidation"}


def _when(row: Row) -> int:
    when: int = row["timestamp"]
    return when


def _paid_in(symbol: str) -> str:
    return symbol.partition("-")[0].rpartition("_")[2]


def _currency(contract: Contract) -> str:
    return _paid_in(contract.symbol)


def _ticker(contract: Contract) -> str:
    return f"ticker.{contract.symbol}.100ms"


def _channels(contract: Contract) -> Sequence[str]:
    return f"trades.{contract.symbol}.100ms", f"trades.future.{_currency(contract)}.100ms"


def _truth(venue: str, contract: Contract, size: str, row: Row, flag: str) -> list[Published]:
    """One event for each party that was liquidated, the taker first."""
    amount, usd = contract.worth(size, str(row["price"]))
    ts, sold = row["timestamp"] * MILLISECOND, row["direction"] == "sell"
    sides = {"T": Side.LONG if sold else Side.SHORT, "M": Side.SHORT if sold else Side.LONG}
    return [
        Published(
            venue,
            contract.symbol,
            sides[who],
            row["price"],
            amount,
            usd,
            ts,
            row["amount"],
            f"{contract.symbol}|{row['trade_id']}|{who}",
        )
        for who in flag
    ]


def _notice(channel: str, data: object) -> str:
    return encode({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def _result(request: Row, result: object) -> str:
    return encode({"jsonrpc": "2.0", "id": request.get("id"), "result": result, "testnet": False})


def _error(request: Row, code: int, message: str) -> str:
    return encode({"jsonrpc": "2.0", "id": request.get("id"), "error": {"code": code, "message": message}})


def _info(contract: Contract) -> Row:
    return {
        "instrument_name": contract.symbol,
        "kind": "future",
        "future_type": "reversed" if contract.inverse else "linear",
        "instrument_type": "reversed" if contract.inverse else "linear",
        "base_currency": contract.asset,
        "quote_currency": "USD" if contract.inverse else "USDC",
        "settlement_currency": contract.asset if contract.inverse else "USDC",
        "contract_size": contract.multiplier if contract.inverse else 10.0**-contract.size_decimals,
        "settlement_period": "perpetual",
        "is_active": True,
    }
