"""BitMEX: the table of open liquidation orders, of which each order and each rise of one is counted once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from liquake.errors import InstrumentsError
from liquake.model import (
    NANOSECONDS_PER_MILLISECOND,
    ContractKind,
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    Instrument,
    Instruments,
    PriceBasis,
    PriceKind,
    Side,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.model.liquidation import OPEN_BEFORE
from liquake.venues.shape import Columns, Contracts, Shape, maybe, one_of, passing, rows
from liquake.venues.venue import (
    Amount,
    Connection,
    Decoder,
    Endpoint,
    Facts,
    Heartbeat,
    Limits,
    Positive,
    Request,
    Subscription,
    Symbol,
    Venue,
    oddity,
)

_DOCUMENTATION = "https://www.bitmex.com/app/wsAPI"
_FIELDS = "https://www.bitmex.com/api/explorer/#!/Liquidation/Liquidation_get"
_TOPICS = ("liquidation", "instrument:XBTUSD")
_QUANTOS = "https://www.bitmex.com/app/contract/ETHUSD"

# "side" is that of the order with which the engine takes over the position (_FIELDS: orderID, symbol, side, price,
# leavesQty): it buys back what a short owed and sells what a long held.
_LONG, _SHORT = Side.LONG, Side.SHORT
_LIMIT = PriceBasis.LIMIT
_LINEAR, _INVERSE, _QUANTO = ContractKind.LINEAR, ContractKind.INVERSE, ContractKind.QUANTO
_DOLLARS = frozenset(("USD", "USDT", "USDC"))
_BITCOIN = "XBTUSD"
_SATOSHI = 1e-8
_BITCOIN_KNOWN = 60_000_000_000
"""Nanoseconds for which the price of a bitcoin is taken to hold: it changes every few seconds while the feed lives."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_OrderId = Symbol


class _Row(msgspec.Struct, gc=False):
    """One order: whole in `partial` and `insert`, and what changed of it in `update`."""

    orderID: _OrderId  # noqa: N815 - the venue's name
    symbol: Symbol
    side: Literal["Buy", "Sell"] | None = None
    price: Positive | None = None
    leavesQty: Amount | None = None  # noqa: N815 - the venue's name


class _Mark(msgspec.Struct, gc=False):
    """What changed of an instrument; there are a hundred columns more."""

    symbol: Symbol
    timestamp: datetime | None = None
    markPrice: Positive | None = None  # noqa: N815 - the venue's name
    indicativeSettlePrice: Positive | None = None  # noqa: N815 - the venue's name
    lastPrice: Positive | None = None  # noqa: N815 - the venue's name


class _Liquidations(msgspec.Struct, gc=False, tag_field="table", tag="liquidation"):
    action: Literal["partial", "insert", "update", "delete"]
    data: list[_Row]


class _Marks(msgspec.Struct, gc=False, tag_field="table", tag="instrument"):
    action: str
    data: list[_Mark]


class _Rows(msgspec.Struct):
    action: Literal["partial", "insert", "update", "delete"]
    data: list[object]


class _Asked(msgspec.Struct):
    args: list[str] | str = ""


class _Answer(msgspec.Struct):
    success: bool | None = None
    subscribe: str = ""
    status: int | None = None
    error: str = ""
    request: _Asked | None = None


_read = msgspec.json.Decoder(_Liquidations | _Marks, strict=False).decode

_SIDES = {"Buy": _SHORT, "Sell": _LONG}

# Changes of orders. The table as it stands, `partial`, has more beside its rows and comes once.
SHAPE = Shape(
    '{"table":"liquidation","action":"',
    Literal["insert", "update", "delete"],
    '","data":[',
    rows(
        '{"orderID":"',
        passing(_OrderId),
        '","symbol":"',
        Symbol,
        '"',
        maybe(',"side":"', one_of(_SIDES), '"'),
        maybe(',"price":', Positive),
        maybe(',"leavesQty":', Amount),
        "}",
    ),
    "]}",
)
_COLUMNS = Columns("order symbol side price size", _LIMIT, beside="action rows", identity=("order",))

_Change = tuple[str, str, Side | None, float | None, float | None]
"""A row: the order's id, symbol, the side of the position, price and leavesQty."""


_Order = tuple[str, str, Side, float, float]
"""An open order as the table has it: id, symbol, the side of the position, the price, and the contracts counted so far."""


# XBTUSD and, by the month of their delivery, XBTZ26: "Contract Size 1 USD" (https://www.bitmex.com/app/contract/XBTUSD).
_INVERSE_SYMBOL = re.compile(r"^XBT(USD|[FGHJKMNQUVXZ]\d\d)$")
_SYMBOL = re.compile(r"^(?P<base>\w+?)(USDT|USDC|USD|EUR|XBT)?([FGHJKMNQUVXZ]\d\d)?$")


def _coin(underlying: str) -> tuple[str, float]:
    asset, bundle = unbundle(underlying)
    return "BTC" if asset == "XBT" else asset, bundle


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name.

    Only the bitcoin contracts in dollars have a size that is the same for ever; all others need the answer.
    """
    if _INVERSE_SYMBOL.match(symbol):
        return Instrument(symbol, "BTC", _INVERSE, 1.0)
    if found := _SYMBOL.match(symbol):
        asset, bundle = _coin(found["base"])
        return Instrument(symbol, asset, _LINEAR, None, bundle)
    return Instrument(symbol, symbol, _LINEAR, None) if symbol.isprintable() else None


def _unmade(rows: Sequence[object], ts_recv: int) -> None:
    """In place of what makes liquidations of scanned rows, where there is no scanner: none are made."""
    del rows, ts_recv


def _change(row: _Row) -> _Change:
    return row.orderID, row.symbol, _SIDES.get(row.side or ""), row.price, row.leavesQty


class BitmexDecoder(Decoder):
    """Holds the table of open liquidation orders, and reads the prices of an instrument."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._orders: dict[str, _Order] = {}
        self._bitcoin: tuple[float, int] | None = None
        """Dollars, and when they were told, our clock."""
        self._scan = SHAPE.scan
        self._make = SHAPE.maker(_COLUMNS, Contracts(venue, instruments, _by_grammar)) or _unmade

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        scan = self._scan
        if scan is None or (found := scan(frame)) is None:
            return self._read(frame, ts_recv)
        action, rows = found
        orders = self._orders
        if action == "insert":
            events = self._make(rows, ts_recv)
            if events is None:
                return self._changed(action, rows, frame, ts_recv)
            for row in rows:
                # Nearly always it is new: then a call can be spared.
                if row[0] in orders:
                    self._open(row)
                else:
                    orders[row[0]] = row
            return events
        if action == "update":
            return self._raised(rows, frame, ts_recv)
        # As in `_changed`, without the call, which `bench/decode.py` shows.
        for row in rows:
            orders.pop(row[0], None)
        return ()

    def _read(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not scanned."""
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        if isinstance(message, _Marks):
            return self._marks(message.data, frame, ts_recv)
        return self._changed(message.action, [_change(row) for row in message.data], frame, ts_recv)

    def _changed(self, action: str, rows: Iterable[_Change], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if action == "delete":
            # Filled or withdrawn, which is not said: what was counted is what was sent to the market.
            for row in rows:
                self._orders.pop(row[0], None)
            return ()
        if action == "update":
            return self._raised(rows, frame, ts_recv)
        tags = (OPEN_BEFORE,) if action == "partial" else ()
        return [self._opened(row, frame, ts_recv, tags) for row in rows]

    def _opened(self, row: _Change, frame: bytes | str, ts_recv: int, tags: tuple[str, ...]) -> Event:
        """A new order, or one that was open before we subscribed.

        Its id is the order's alone: after a reconnect the table tells of it again with what is left by then.
        """
        identity, symbol, side, price, leaves = row
        if side is None or not price or not leaves:
            return self.failure(frame, ts_recv, "liquidation order lacks its side, price or leavesQty")
        order = identity, symbol, side, price, leaves
        self._open(order)
        return self._liquidation(order, frame, ts_recv, tags)

    def _open(self, order: _Order) -> None:
        identity, symbol, side, price, leaves = order
        known = self._orders.get(identity)
        self._orders[identity] = order if known is None else (identity, symbol, side, price, max(leaves, known[4]))

    def _raised(self, rows: Iterable[_Change], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Most updates re-price, or tell of fills by a falling `leavesQty`. Only what rises above all before is new."""
        orders = self._orders
        events: list[Event] = []
        for identity, symbol, _, price, leaves in rows:
            if (known := orders.get(identity)) is None:
                # "drop any messages received until you have received the partial" (_DOCUMENTATION), which has the order.
                continue
            _, _, side, old, counted = known
            if leaves is None or leaves <= counted:
                if price:
                    orders[identity] = identity, symbol, side, price, counted
                continue
            total = counted + (leaves - counted)
            orders[identity] = identity, symbol, side, price or old, total
            told = f"{identity}|{total:.15g}"
            more = told, symbol, side, price or old, leaves - counted
            events += self._make((more,), ts_recv) or (self._liquidation(more, frame, ts_recv),)
        return events

    def _liquidation(self, order: _Order, frame: bytes | str, ts_recv: int, tags: tuple[str, ...] = ()) -> Event:
        identity, symbol, side, price, size = order
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one")
        if instrument.kind is _QUANTO and instrument.multiplier and (bitcoin := self._dollars(ts_recv)):
            # Worth bitcoins times its price (_QUANTOS): as many coins as those bitcoins have dollars.
            coins = instrument.multiplier * bitcoin
            instrument = Instrument(symbol, instrument.asset, _LINEAR, coins, instrument.bundle)
            tags = (*tags, oddity("bitcoin", bitcoin))
        # The table has no time: an event is as of its receipt.
        now = ts_recv // NANOSECONDS_PER_MILLISECOND
        event = normalised(self.venue, instrument, side, price, _LIMIT, size, now, ts_recv, identity, tags)
        return event or self.ahead(frame, ts_recv, now)

    def _dollars(self, ts_recv: int) -> float | None:
        """Of a bitcoin, where it was told of lately."""
        if self._bitcoin is None or ts_recv - self._bitcoin[1] > _BITCOIN_KNOWN:
            return None
        return self._bitcoin[0]

    def _marks(self, rows: list[_Mark], frame: bytes | str, ts_recv: int) -> list[Event]:
        return [event for row in rows for event in self._prices(row, frame, ts_recv)]

    def _prices(self, row: _Mark, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        told = (
            (PriceKind.MARK, row.markPrice),
            (PriceKind.INDEX, row.indicativeSettlePrice),
            (PriceKind.LAST, row.lastPrice),
        )
        if not any(price for _, price in told):
            return ()
        instrument = self._listed(row.symbol) or _by_grammar(row.symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {row.symbol!a} cannot be one"),)
        if row.timestamp is None or row.timestamp.tzinfo is None:
            return (self.failure(frame, ts_recv, "price has no timestamp"),)
        milliseconds = (row.timestamp - _EPOCH) // _MILLISECOND
        if milliseconds <= 0:
            return (self.failure(frame, ts_recv, "price is of before 1970"),)
        if row.symbol == _BITCOIN and row.markPrice:
            self._bitcoin = row.markPrice, ts_recv
        return self.prices(instrument, told, milliseconds, frame, ts_recv)

    def examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """As any other, but for the answer to a ping, which is no JSON."""
        return () if frame in (b"pong", "pong") else super().examine(frame, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed change of a subscribed table: answers, other tables, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither a table nor an answer of BitMEX"),)
        table = message.get("table")
        if table is None:
            return self._answer(message, frame, ts_recv)
        if table not in ("liquidation", "instrument"):
            return () if isinstance(table, str) else (self.failure(frame, ts_recv, "table is not text"),)
        try:
            rows = msgspec.convert(message, _Rows)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        return [event for row in rows.data for event in self._odd_row(table, rows.action, row, frame, ts_recv)]

    def _odd_row(self, table: str, action: str, row: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each row by itself, so that a bad one leaves the others standing."""
        try:
            if table == "instrument":
                return self._prices(msgspec.convert(row, _Mark, strict=False), frame, ts_recv)
            return self._changed(action, [_change(msgspec.convert(row, _Row, strict=False))], frame, ts_recv)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if "info" in message:
            return ()
        try:
            answer = msgspec.convert(message, _Answer)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if answer.status is not None or answer.error:
            asked = answer.request.args if answer.request is not None else ""
            topic = asked if isinstance(asked, str) else " ".join(asked)
            return (self.status(FeedState.REJECTED, ts_recv, topic, f"{answer.status or ''} {answer.error}".strip()),)
        if answer.success and answer.subscribe:
            return (self.status(FeedState.SUBSCRIBED, ts_recv, answer.subscribe),)
        if answer.success is not None:
            return ()
        return (self.failure(frame, ts_recv, "neither a table nor an answer of BitMEX"),)


class _Listed(msgspec.Struct):
    symbol: str
    underlying: str
    quoteCurrency: str  # noqa: N815 - the venue's name
    typ: str = ""
    isInverse: bool = False  # noqa: N815 - the venue's name
    isQuanto: bool = False  # noqa: N815 - the venue's name
    underlyingToPositionMultiplier: float | None = None  # noqa: N815 - the venue's name
    settlCurrency: str = ""  # noqa: N815 - the venue's name
    multiplier: float | None = None


def _instrument(row: _Listed) -> Instrument:
    asset, bundle = _coin(row.underlying)
    if row.isQuanto:
        # "multiplier" counts satoshis per contract and dollar of the price (_QUANTOS).
        paid = row.multiplier * _SATOSHI if row.multiplier and row.settlCurrency == "XBt" else None
        return Instrument(row.symbol, asset, _QUANTO, paid if row.quoteCurrency == "USD" else None, bundle)
    in_dollars = row.quoteCurrency in _DOLLARS
    if row.isInverse:
        return Instrument(row.symbol, asset, _INVERSE, 1.0 if in_dollars else None, bundle)
    # So many contracts are one coin: 1,000,000 for XBTUSDT.
    contracts = row.underlyingToPositionMultiplier
    return Instrument(row.symbol, asset, _LINEAR, 1.0 / contracts if contracts and in_dollars else None, bundle)


class Bitmex(Venue):
    """BitMEX's perpetuals and futures."""

    name = "bitmex"
    title = "BitMEX"
    price_basis = PriceBasis.LIMIT
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "BitMEX shows every liquidation order that it sends to the market, at its limit price and without a time; an "
        "order that is withdrawn unfilled counts in full.",
        source=_DOCUMENTATION,
    )
    # The venue asks for a "ping" after 5 seconds without a message, and to reconnect without an answer in 5 more
    # (_DOCUMENTATION). The mark price of XBTUSD changes every few seconds.
    heartbeat = Heartbeat(every=5.0, frame="ping", dead_after=20.0, stale_after=60.0)
    limits = Limits(lifetime=None, messages_per_second=2.0, connects_per_minute=12.0, requests_per_minute=30.0)
    endpoints = (Endpoint("wss://ws.bitmex.com/realtime", None, None, _DOCUMENTATION),)
    facts = Facts(
        channel="liquidation (a table: partial, insert, update, delete)",
        side="side is of the forced order: Sell closes a long, Buy a short",
        unit="leavesQty counts contracts: of 1 dollar (inverse), of 1/underlyingToPositionMultiplier coins (linear), of "
        "multiplier satoshis per dollar of the price (quanto)",
        price="price, the limit of the order, which updates move",
        history="none: REST tells of open orders alone, a gap stays a gap",
        source=_FIELDS,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://www.bitmex.com/api/v1/instrument/active"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, list[_Listed])
        if not rows:
            raise InstrumentsError(self.name, "it lists nothing")
        # "typ": FFWCSX perpetuals, FFCCSX futures; IFXXXP is spot, MRXXXX an index.
        return [_instrument(row) for row in rows if row.typ.startswith("FF")]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets: the table is of all of them."""
        del instruments, assets
        subscriptions = tuple(
            Subscription(
                msgspec.json.encode({"op": "subscribe", "args": [topic]}).decode(),
                (topic,),
                None if topic == _TOPICS[0] else (),
            )
            for topic in _TOPICS
        )
        return [Connection("realtime", self.endpoints[-1].url, subscriptions)]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BitmexDecoder(self.name, connection, instruments)
