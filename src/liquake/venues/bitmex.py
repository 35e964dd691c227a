"""BitMEX: the table of open liquidation orders, of which each order and each rise of one is counted once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from liquake.errors import InstrumentsError
from liquake.model import (
    FUTURE_TOLERANCE,
    NANOSECONDS_PER_MILLISECOND,
    ContractKind,
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    Instrument,
    Instruments,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    normalised,
)
from liquake.model.instrument import unbundle
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
    parse,
)

_DOCUMENTATION = "https://www.bitmex.com/app/wsAPI"
_FIELDS = "https://www.bitmex.com/api/explorer/#!/Liquidation/Liquidation_get"
_TOPICS = ("liquidation", "instrument:XBTUSD")

# "side" is that of the order with which the engine takes over the position (_FIELDS: orderID, symbol, side, price,
# leavesQty): it buys back what a short owed and sells what a long held.
_LONG, _SHORT = Side.LONG, Side.SHORT
_LIMIT = PriceBasis.LIMIT
_LINEAR, _INVERSE, _QUANTO = ContractKind.LINEAR, ContractKind.INVERSE, ContractKind.QUANTO
_DOLLARS = frozenset(("USD", "USDT", "USDC"))
_OPEN_BEFORE = "open before subscribing"
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


class _Order(msgspec.Struct, gc=False):
    """An open order as the table has it, and what of it has been counted."""

    side: Side
    price: float
    counted: float


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


class BitmexDecoder(Decoder):
    """Holds the table of open liquidation orders, and reads the prices of an instrument."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._orders: dict[str, _Order] = {}

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self._examine(frame, ts_recv)
        if isinstance(message, _Marks):
            return [event for row in message.data for event in self._prices(row, frame, ts_recv)]
        return self._changed(message.action, message.data, frame, ts_recv)

    def _changed(self, action: str, rows: list[_Row], frame: bytes | str, ts_recv: int) -> list[Event]:
        events: list[Event] = []
        for row in rows:
            if action == "delete":
                # Filled or withdrawn, which is not said: what was counted is what was sent to the market.
                self._orders.pop(row.orderID, None)
            elif action == "update":
                events += self._raised(row, frame, ts_recv)
            else:
                tags = (_OPEN_BEFORE,) if action == "partial" else ()
                events.append(self._opened(row, frame, ts_recv, tags))
        return events

    def _opened(self, row: _Row, frame: bytes | str, ts_recv: int, tags: tuple[str, ...]) -> Event:
        """A new order, or one that was open before we subscribed.

        Its id is the order's alone: after a reconnect the table tells of it again with what is left by then.
        """
        if row.side is None or not row.price or not row.leavesQty:
            return self.failure(frame, ts_recv, "liquidation order lacks its side, price or leavesQty")
        known = self._orders.get(row.orderID)
        order = _Order(_SHORT if row.side == "Buy" else _LONG, row.price, row.leavesQty)
        if known is not None:
            order.counted = max(order.counted, known.counted)
        self._orders[row.orderID] = order
        return self._liquidation(row, order, row.leavesQty, row.orderID, frame, ts_recv, tags)

    def _raised(self, row: _Row, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Most updates re-price, or tell of fills by a falling `leavesQty`. Only what rises above all before is new."""
        order = self._orders.get(row.orderID)
        if order is None:
            # "drop any messages received until you have received the partial" (_DOCUMENTATION), which has the order.
            return ()
        if row.price:
            order.price = row.price
        rise = (row.leavesQty or 0.0) - order.counted
        if rise <= 0.0:
            return ()
        order.counted += rise
        identity = f"{row.orderID}|{order.counted:.15g}"
        return (self._liquidation(row, order, rise, identity, frame, ts_recv, ()),)

    def _liquidation(
        self,
        row: _Row,
        order: _Order,
        size: float,
        identity: str,
        frame: bytes | str,
        ts_recv: int,
        tags: tuple[str, ...],
    ) -> Event:
        instrument = self._listed(row.symbol) or _by_grammar(row.symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {row.symbol!a} cannot be one")
        # The table has no time: an event is as of its receipt.
        now = ts_recv // NANOSECONDS_PER_MILLISECOND
        event = normalised(self.venue, instrument, order.side, order.price, _LIMIT, size, now, ts_recv, identity, tags)
        return event or self.ahead(frame, ts_recv, now)

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
        ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, milliseconds),)
        if ts_event <= 0:
            return (self.failure(frame, ts_recv, "price is of before 1970"),)
        return [
            Price(self.venue, row.symbol, instrument.asset, kind, price, ts_event, ts_recv)
            for kind, price in told
            if price is not None
        ]

    def _examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed change of a subscribed table: answers, other tables, what is broken."""
        if frame in (b"pong", "pong"):
            return ()
        try:
            message = parse(frame)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
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
            return self._changed(action, [msgspec.convert(row, _Row, strict=False)], frame, ts_recv)
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


def _instrument(row: _Listed) -> Instrument:
    asset, bundle = _coin(row.underlying)
    if row.isQuanto:
        return Instrument(row.symbol, asset, _QUANTO, None, bundle)
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
        unit="leavesQty counts contracts: of 1 dollar (inverse), of 1/underlyingToPositionMultiplier coins (linear)",
        price="price, the limit of the order, which updates move",
        history="none: REST tells of open orders alone, a gap stays a gap",
        source=_FIELDS,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://www.bitmex.com/api/v1/instrument/active"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        try:
            rows = msgspec.json.decode(answer, type=list[_Listed], strict=False)
        except (ValueError, RecursionError) as error:
            raise InstrumentsError(self.name, str(error)) from None
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
