"""Binance futures: the merged all-market stream of forced orders, USDT-margined and coin-margined."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import ClassVar, Literal

import msgspec

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
    Throttle,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, maybe, one_of, skipped
from liquake.venues.venue import (
    Amount,
    Connection,
    Decoder,
    Endpoint,
    Facts,
    Heartbeat,
    Limits,
    Milliseconds,
    Positive,
    Request,
    Subscription,
    Symbol,
    Venue,
    oddity,
)

_DOCUMENTATION = (
    "https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/"
    "All-Market-Liquidation-Order-Streams"
)
_SPLIT = "https://developers.binance.com/docs/derivatives/change-log"
_COIN_MARGINED_STREAMS = (
    "https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams"
)
_STREAMS = "!forceOrder@arr/btcusdt@markPrice@1s"
_COIN_STREAMS = ("!forceOrder@arr", "btcusd_perp@markPrice@1s")

# `S` is the side of the forced order ("S":"SELL", // Side, among "o" Order Type and "f" Time in Force, in the page
# above): the venue sells what it takes from a long and buys back what a short owed.
_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL, _LIMIT = PriceBasis.FILL, PriceBasis.LIMIT
_MARK, _INDEX, _LAST = PriceKind.MARK, PriceKind.INDEX, PriceKind.LAST
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_USDT_MARGINED, _COIN_MARGINED = 1, 2

# The enums of https://developers.binance.com/docs/derivatives/usds-margined-futures/common-definition. A value outside
# them keeps the event and becomes a tag.
_Status = Literal["FILLED", "PARTIALLY_FILLED", "NEW", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"]
_Type = Literal["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
_TimeInForce = Literal["IOC", "GTC", "FOK", "GTX", "GTD", "RPI"]
_KNOWN = {"X": frozenset(_Status.__args__), "o": frozenset(_Type.__args__), "f": frozenset(_TimeInForce.__args__)}  # type: ignore[attr-defined]

# Streams without liquidations. Trades with X=ADL or INSURANCE_FUND are among them: deleveraging is not liquidation.
_OTHERS = frozenset(
    (
        "trade",
        "bookTicker",
        "depthUpdate",
        "kline",
        "continuous_kline",
        "24hrTicker",
        "24hrMiniTicker",
        "compositeIndex",
        "assetIndexUpdate",
        "contractInfo",
        "indexPriceUpdate",
        "indexPrice_kline",
        "markPrice_kline",
    )
)


class _Order(msgspec.Struct, gc=False):
    """In the order in which the venue writes the fields, which msgspec finds them in fastest."""

    s: Symbol
    S: Literal["SELL", "BUY"]
    z: Positive
    T: Milliseconds
    o: _Type = "LIMIT"
    f: _TimeInForce = "IOC"
    p: Amount = 0.0
    ap: Amount = 0.0
    X: _Status = "FILLED"
    st: int = 0


class _ForceOrder(msgspec.Struct, gc=False, tag_field="e", tag="forceOrder"):
    o: _Order
    st: int = 0


class _MarkPrice(msgspec.Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    s: Symbol
    p: Positive
    E: Milliseconds
    i: Amount = 0.0


class _AggregateTrade(msgspec.Struct, gc=False, tag_field="e", tag="aggTrade"):
    s: Symbol
    p: Positive
    T: Milliseconds


_Prices = _MarkPrice | _AggregateTrade


class _Frame(msgspec.Struct, gc=False):
    """As `/stream` sends it, in `data`, or as `/ws` does, bare."""

    e: Literal["forceOrder"] | None = None
    data: _ForceOrder | _MarkPrice | _AggregateTrade | None = None
    o: _Order | None = None
    st: int = 0


_read = msgspec.json.Decoder(_Frame, strict=False).decode

# A filled order as it comes on `/stream`; with its last two fields since 2026-06-30, which say whose contract it is.
SHAPE = Shape(
    '{"stream":"',
    skipped(str),
    '","data":{"e":"forceOrder","E":',
    skipped(int),
    ',"o":{"s":"',
    Symbol,
    '","S":"',
    one_of({"SELL": _LONG, "BUY": _SHORT}),
    '","o":"',
    skipped(_Type),
    '","f":"',
    skipped(_TimeInForce),
    '","q":"',
    skipped(str),
    '","p":"',
    skipped(Amount),
    '","ap":"',
    Positive,
    '","X":"',
    skipped(_Status),
    '","l":"',
    skipped(str),
    '","z":"',
    Positive,
    '","T":',
    Milliseconds,
    maybe(',"ps":"', skipped(str), '","st":', one_of({str(_USDT_MARGINED): _LINEAR, str(_COIN_MARGINED): _INVERSE})),
    "}}}",
)
_COLUMNS = Columns("symbol side price size milliseconds kind", _FILL)

_COIN_MARGINED_SYMBOL = re.compile(r"^(?P<base>\w+)USD_(PERP|\d{6})$")
_USDT_MARGINED_SYMBOL = re.compile(r"^(?P<base>\w+?)(USDT|USDC|BUSD|FDUSD|USD1|USDE)(_\d{6})?$")
_DOLLARS = frozenset(("USD", "USDT", "USDC", "BUSD", "FDUSD", "USD1", "USDE"))


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name."""
    if found := _COIN_MARGINED_SYMBOL.match(symbol):
        base = found["base"]
        # "BTCUSD contract size 100 USD, others 10 USD": https://www.binance.com/en/support/faq/detail/360039304272
        return Instrument(symbol, base, _INVERSE, 100.0 if base == "BTC" else 10.0)
    return stablecoin_margined(symbol)


@lru_cache(maxsize=4096)
def stablecoin_margined(symbol: str) -> Instrument | None:
    """What the name of a contract says where all contracts are counted in coins; `None` for no name."""
    if found := _USDT_MARGINED_SYMBOL.match(symbol):
        asset, bundle = unbundle(found["base"])
        return Instrument(symbol, asset, _LINEAR, 1.0, bundle)
    return Instrument(symbol, symbol, _LINEAR, None) if symbol.isprintable() else None


def _words(value: object) -> str:
    """`value` as text if it is a plain one: to write out a nested one can take more depth than Python has."""
    return str(value) if isinstance(value, str | int | float) else ""


class BinanceDecoder(Decoder):
    """Reads `!forceOrder@arr`, mark prices and aggregate trades: bare, in the stream envelope, or in arrays.

    `by_name` says what a contract is that the instruments answer has not listed: venues that took over the protocol
    have names of their own.
    """

    def __init__(
        self,
        venue: str,
        connection: str,
        instruments: Instruments,
        by_name: Callable[[str], Instrument | None] = _by_grammar,
    ) -> None:
        super().__init__(venue, connection, instruments)
        self._listed, self._by_name = instruments.by_symbol.get, by_name
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, by_name))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        data = message.data
        if data.__class__ is _ForceOrder:
            order = data.o
            return (self._liquidation(order, order.st or data.st, frame, ts_recv, ()),)
        if data is not None:
            return self._prices(data, frame, ts_recv)  # type: ignore[arg-type]
        if message.e is not None and message.o is not None:
            return (self._liquidation(message.o, message.o.st or message.st, frame, ts_recv, ()),)
        return self.examine(frame, ts_recv)

    def _liquidation(
        self, order: _Order, product: int | str, frame: bytes | str, ts_recv: int, tags: tuple[str, ...]
    ) -> Event:
        symbol = order.s
        instrument = self._listed(symbol) or self._by_name(symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one")
        if product and product != (_COIN_MARGINED if instrument.kind is _INVERSE else _USDT_MARGINED):
            # Coins of one product would be counted as contracts of the other.
            instrument = msgspec.structs.replace(instrument, multiplier=None)
            tags = (*tags, oddity("st", product))
        # "ap": Average Price, which was paid; "p": Price, the limit of the order.
        price, basis = order.ap, _FILL
        if not price:
            price, basis = order.p, _LIMIT
            if not price:
                return self.failure(frame, ts_recv, "forced order has neither an average price (ap) nor a limit (p)")
        side = _LONG if order.S == "SELL" else _SHORT
        # "z": Order Filled Accumulated Quantity, in coins if USDT-margined, in contracts if coin-margined.
        event = normalised(self.venue, instrument, side, price, basis, order.z, order.T, ts_recv, None, tags)
        return event or self.ahead(frame, ts_recv, order.T)

    def _prices(self, data: _MarkPrice | _AggregateTrade, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        instrument = self._listed(data.s) or self._by_name(data.s)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {data.s!a} cannot be one"),)
        marked = isinstance(data, _MarkPrice)
        milliseconds = data.E if isinstance(data, _MarkPrice) else data.T
        ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, milliseconds),)
        kind = _MARK if marked else _LAST
        price = Price(self.venue, data.s, instrument.asset, kind, data.p, ts_event, ts_recv)
        if isinstance(data, _MarkPrice) and data.i:
            return price, Price(self.venue, data.s, instrument.asset, _INDEX, data.i, ts_event, ts_recv)
        return (price,)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed event of a subscribed stream: answers, arrays, other streams, what is broken."""
        if isinstance(message, dict) and "stream" in message:
            message = message.get("data")
        rows = message if isinstance(message, list) else [message]
        return [event for row in rows for event in self._row(row, frame, ts_recv)]

    def _row(self, row: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if not isinstance(row, dict):
            return (self.failure(frame, ts_recv, "neither an event nor an answer of this protocol"),)
        kind = row.get("e")
        if kind is None:
            return self._answer(row, frame, ts_recv)
        if kind == "forceOrder":
            return (self._odd_order(row, frame, ts_recv),)
        if kind in ("markPriceUpdate", "aggTrade"):
            try:
                return self._prices(msgspec.convert(row, _Prices, strict=False), frame, ts_recv)
            except ValueError as error:
                return (self.failure(frame, ts_recv, str(error)),)
        if isinstance(kind, str) and kind in _OTHERS:
            return ()
        return (self.failure(frame, ts_recv, f"event {_words(kind)!a} is not known"),)

    def _odd_order(self, row: dict[str, object], frame: bytes | str, ts_recv: int) -> Event:
        """A forced order in an array, or with enum values this version does not know: those become tags."""
        event, order, tags = dict(row), row.get("o"), []
        product: int | str = 0
        if isinstance(order, dict):
            event["o"] = order = dict(order)
            for field, values in _KNOWN.items():
                value = order.get(field)
                if isinstance(value, str) and value not in values:
                    tags.append(oddity(field, order.pop(field)))
            for holder in (event, order):
                told = holder.get("st")
                if isinstance(told, str) and not told.isdecimal():
                    product = told
                    del holder["st"]
        try:
            forced = msgspec.convert(event, _ForceOrder, strict=False)
        except ValueError as error:
            return self.failure(frame, ts_recv, str(error))
        return self._liquidation(forced.o, product or forced.o.st or forced.st, frame, ts_recv, tuple(tags))

    def _answer(self, row: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """`{"result":null,"id":1}`, or `{"error":{"code":2,"msg":".."},"id":1}` with or without its inner object."""
        topic = _words(row.get("id"))
        if "result" in row:
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),) if row["result"] is None else ()
        error = row.get("error", row)
        if isinstance(error, dict) and "msg" in error:
            return (
                self.status(
                    FeedState.REJECTED, ts_recv, topic, f"{_words(error.get('code'))} {_words(error['msg'])}".strip()
                ),
            )
        return (self.failure(frame, ts_recv, "neither an event nor an answer of this protocol"),)


class _Symbol(msgspec.Struct):
    symbol: str
    baseAsset: str  # noqa: N815 - the venue's name
    quoteAsset: str  # noqa: N815 - the venue's name
    contractSize: Positive | None = None  # noqa: N815 - the venue's name; coin-margined contracts alone have it


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


def _instrument(row: _Symbol) -> Instrument:
    asset, bundle = unbundle(row.baseAsset)
    # The other product's contracts, whose sizes are coins, are quoted in a stablecoin, and may come to have the field too.
    if row.contractSize is not None and row.quoteAsset == "USD":
        return Instrument(row.symbol, asset, _INVERSE, row.contractSize)
    return Instrument(row.symbol, asset, _LINEAR, 1.0 if row.quoteAsset in _DOLLARS else None, bundle)


def merged_stream(url: str) -> Connection:
    """All liquidations, and a price as proof of life, subscribed by the address itself."""
    return Connection("market", f"{url}?streams={_STREAMS}", ())


def _coin_margined(url: str) -> Connection:
    frame = msgspec.json.encode({"method": "SUBSCRIBE", "params": _COIN_STREAMS, "id": 1}).decode()
    # It is said to bring no contract of its own: without it nothing is missing while the other is up.
    return Connection("coin-margined", url, (Subscription(frame, ("1",), ()),))


class Binance(Venue):
    """Binance USDT-margined futures, and the coin-margined ones that its merged stream carries since 2026-06-30."""

    name = "binance"
    title = "Binance"
    recorded_as: ClassVar[tuple[str, ...]] = ("binance_usdm", "binance_coinm")
    price_basis = PriceBasis.FILL
    aliases: ClassVar[tuple[str, ...]] = ("binance_usdm", "binance_coinm")
    rank = 1
    coverage = Coverage(
        CoverageKind.THROTTLED,
        "At most one liquidation per symbol and second is published, the largest: sums are lower bounds, "
        "far too low in a cascade.",
        date(2026, 4, 14),
        Throttle.LARGEST,
        1.0,
        source=_DOCUMENTATION,
    )
    # Mark prices come every second. Its own pings, every 3 minutes, are answered by the WebSocket library.
    heartbeat = Heartbeat(every=20.0, frame=None, dead_after=45.0, stale_after=15.0)
    # "A single connection is only valid for 24 hours", "10 incoming messages per second", 300 attempts per 5 minutes.
    limits = Limits(lifetime=24 * 3600.0, messages_per_second=5.0, connects_per_minute=60.0)
    endpoints: ClassVar[tuple[Endpoint, ...]] = (
        Endpoint("wss://fstream.binance.com/stream", None, date(2026, 4, 22), _SPLIT),
        Endpoint(
            "wss://fstream.binance.com/market/stream",
            date(2026, 3, 6),
            None,
            _SPLIT,
            follows="wss://fstream.binance.com/stream",
        ),
        Endpoint("wss://dstream.binance.com/stream", None, None, _COIN_MARGINED_STREAMS),
    )
    facts = Facts(
        channel="!forceOrder@arr",
        side="S is the side of the forced order: SELL closes a long, BUY a short",
        unit="z counts coins; contracts of 100 (BTC) or 10 dollars where st is 2 (coin-margined)",
        price="ap, what was paid on average; p, the limit, where ap is missing",
        history="none: a gap stays a gap",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (
            Request("https://fapi.binance.com/fapi/v1/exchangeInfo"),
            Request("https://dapi.binance.com/dapi/v1/exchangeInfo"),
        )

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _ExchangeInfo).symbols
        return [_instrument(row) for row in rows]

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket on each host, whatever the assets: either carries all of both products, told apart by `st`.

        That the first carries the coin-margined ones is documented, and nobody has shown a frame of it: the second is
        there lest they be missing, or the first be given up unnoticed. What both tell has one key, and counts once.
        """
        del instruments, assets
        return [merged_stream(self.endpoints[1].url), _coin_margined(self.endpoints[2].url)]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BinanceDecoder(self.name, connection, instruments)
