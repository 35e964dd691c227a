"""Bybit v5: every liquidation of linear and inverse contracts, a topic per symbol."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import msgspec

from liquake.model import (
    FUTURE_TOLERANCE,
    NANOSECONDS_PER_MILLISECOND,
    ContractKind,
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    FeedStatus,
    Instrument,
    Instruments,
    Price,
    PriceBasis,
    PriceKind,
    Quote,
    Side,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, one_of, rows, skipped
from liquake.venues.venue import (
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
    distinct,
)

_DOCUMENTATION = "https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation"
_CONNECT = "https://bybit-exchange.github.io/docs/v5/ws/connect"
_CHANGES = "https://bybit-exchange.github.io/docs/changelog/v5"
_LIQUIDATIONS = "allLiquidation."
_RETIRED = "liquidation."
_TICKERS = "tickers."

# "Position side. Buy,Sell. When you receive a Buy update, this means that a long position has been liquidated" (the page
# above).
_LONG, _SHORT = Side.LONG, Side.SHORT
_BANKRUPTCY = PriceBasis.BANKRUPTCY
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE

# "Futures - args array length: Up to 21,000 characters for one public connection" (_CONNECT).
_CHARACTERS = 20_000
_TOPICS_PER_FRAME = 200
# What to ask for while the instruments are not known.
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "LINK", "LTC", "SUI")
_INVERSE_MAJORS = ("BTC", "ETH", "SOL", "XRP")


class _Row(msgspec.Struct, gc=False):
    T: Milliseconds
    s: Symbol
    S: Literal["Buy", "Sell"]
    v: Positive
    p: Positive


class _Ticker(msgspec.Struct, gc=False):
    """A snapshot, or what changed since."""

    symbol: Symbol
    lastPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    markPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    indexPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    bid1Price: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    bid1Size: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    ask1Price: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    ask1Size: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name


_KEPT = tuple(name for name in _Ticker.__struct_fields__ if name != "symbol")


class _Frame(msgspec.Struct, gc=False):
    topic: str
    ts: Milliseconds
    data: list[_Row] | _Ticker


_read = msgspec.json.Decoder(_Frame, strict=False).decode

SHAPE = Shape(
    f'{{"topic":"{_LIQUIDATIONS}',
    skipped(str),
    '","type":"',
    skipped(str),
    '","ts":',
    skipped(Milliseconds),
    ',"data":[',
    rows(
        '{"T":',
        Milliseconds,
        ',"s":"',
        Symbol,
        '","S":"',
        one_of({"Buy": _LONG, "Sell": _SHORT}),
        '","v":"',
        Positive,
        '","p":"',
        Positive,
        '"}',
    ),
    "]}",
)
_COLUMNS = Columns("milliseconds symbol side size price", _BANKRUPTCY, beside="rows")


class _Retired(msgspec.Struct, gc=False):
    """A row of `liquidation.{symbol}`, as v5 and as v2 sent it."""

    symbol: Symbol
    side: Literal["Buy", "Sell"]
    price: Positive
    size: Positive | None = None
    qty: Positive | None = None
    updatedTime: Milliseconds | None = None  # noqa: N815 - the venue's name
    time: Milliseconds | None = None


class _Answer(msgspec.Struct):
    """What the venue answers to `subscribe` and `ping`."""

    success: bool | None = None
    ret_msg: str = ""
    op: str = ""
    req_id: str = ""
    request: dict[str, object] | None = None


_INVERSE_SYMBOL = re.compile(r"^(?P<base>[A-Z0-9]+)USD([FGHJKMNQUVXZ]\d\d)?$")
_LINEAR_SYMBOL = re.compile(r"^(?P<base>\w+?)(USDT|USDC|PERP)?(-\d{1,2}[A-Z]{3}\d\d)?$")
_DOLLARS = frozenset(("USD", "USDT", "USDC"))


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name at all.

    BTCUSD and BTCUSDZ26 are inverse; BTCUSDT, BTCPERP (USDC), BTC-26DEC26 (USDC) and BTCUSDT-26DEC26 are linear.
    """
    if found := _INVERSE_SYMBOL.match(symbol):
        return Instrument(symbol, found["base"], _INVERSE, 1.0)
    if (found := _LINEAR_SYMBOL.match(symbol)) and (found[2] or found[3]):
        asset, bundle = unbundle(found["base"])
        return Instrument(symbol, asset, _LINEAR, 1.0, bundle)
    return Instrument(symbol, symbol, _LINEAR, None) if symbol and symbol.isprintable() else None


class BybitDecoder(Decoder):
    """Reads `allLiquidation`, the retired `liquidation`, and `tickers`, whose changes it merges."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, _by_grammar))
        self._tickers: dict[str, _Ticker] = {}

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        data, topic = message.data, message.topic
        if data.__class__ is list:
            if topic.startswith(_LIQUIDATIONS):
                return self._liquidations(data, frame, ts_recv)
            return ()
        if topic.startswith(_TICKERS):
            return self._prices(data, message.ts, frame, ts_recv)  # type: ignore[arg-type]
        return self.examine(frame, ts_recv) if topic.startswith((_LIQUIDATIONS, _RETIRED)) else ()

    def _liquidations(self, rows: list[_Row], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        venue, listed = self.venue, self._listed
        events: list[Event] = []
        for row in rows:
            symbol = row.s
            instrument = listed(symbol) or _by_grammar(symbol)
            if instrument is None:
                events.append(self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"))
                continue
            side = _LONG if row.S == "Buy" else _SHORT
            # "v": Executed size, in coins if linear, in dollars if inverse. "p": Bankruptcy price, the only one given.
            event = normalised(venue, instrument, side, row.p, _BANKRUPTCY, row.v, row.T, ts_recv)
            events.append(event or self.ahead(frame, ts_recv, row.T))
        return distinct(events)

    def _prices(self, change: _Ticker, milliseconds: int, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """The ticker as it stands after `change`, even where no price moved: it proves that the feed is alive."""
        instrument = self._listed(change.symbol) or _by_grammar(change.symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {change.symbol!a} cannot be one"),)
        ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, milliseconds),)
        ticker = self._tickers.setdefault(change.symbol, _Ticker(change.symbol))
        for name in _KEPT:
            value = getattr(change, name)
            if value:
                setattr(ticker, name, value)
        return tuple(_told(self.venue, instrument, ticker, ts_event, ts_recv))

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed event of a subscribed topic: answers, retired shapes, others, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither an event nor an answer of Bybit"),)
        topic = message.get("topic")
        if topic is None:
            return self._answer(message, frame, ts_recv)
        if not isinstance(topic, str):
            return (self.failure(frame, ts_recv, "topic is not text"),)
        if topic.startswith((_LIQUIDATIONS, _RETIRED)):
            data = message.get("data")
            rows = data if isinstance(data, list) else [data]
            return distinct([self._odd_row(row, frame, ts_recv) for row in rows])
        if topic.startswith(_TICKERS):
            return (self.failure(frame, ts_recv, f"{topic} cannot be read"),)
        return ()

    def _odd_row(self, row: object, frame: bytes | str, ts_recv: int) -> Event:
        try:
            return self._liquidations([_current(row)], frame, ts_recv)[0]
        except ValueError as error:
            return self.failure(frame, ts_recv, str(error))

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            answer = msgspec.convert(message, _Answer)
        except ValueError:
            return (self.failure(frame, ts_recv, "neither an event nor an answer of Bybit"),)
        if answer.ret_msg == "pong" or answer.op == "pong":
            return ()
        if answer.success is None:
            return (self.failure(frame, ts_recv, "neither an event nor an answer of Bybit"),)
        if not answer.success:
            return (self.status(FeedState.REJECTED, ts_recv, answer.req_id or answer.op, answer.ret_msg),)
        asked = answer.request.get("args") if answer.request else None
        topic = answer.req_id or (" ".join(map(str, asked)) if isinstance(asked, list) else "")
        return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)


def _current(row: object) -> _Row:
    """A row of either topic as today's. Raises `ValueError`."""
    if isinstance(row, dict) and "symbol" in row:
        old = msgspec.convert(row, _Retired, strict=False)
        row = {
            "s": old.symbol,
            "S": old.side,
            "v": old.size or old.qty,
            "p": old.price,
            "T": old.updatedTime or old.time,
        }
    return msgspec.convert(row, _Row, strict=False)


def _told(venue: str, instrument: Instrument, ticker: _Ticker, ts_event: int, ts_recv: int) -> Iterator[Event]:
    for kind, price in (
        (PriceKind.MARK, ticker.markPrice),
        (PriceKind.INDEX, ticker.indexPrice),
        (PriceKind.LAST, ticker.lastPrice),
    ):
        if price:
            yield Price(venue, ticker.symbol, instrument.asset, kind, price, ts_event, ts_recv)
    bid, ask = ticker.bid1Price, ticker.ask1Price
    if bid and ask and ticker.bid1Size and ticker.ask1Size:
        bid_amount, _ = instrument.size(ticker.bid1Size, bid)
        ask_amount, _ = instrument.size(ticker.ask1Size, ask)
        if bid_amount is not None and ask_amount is not None:
            yield Quote(venue, ticker.symbol, instrument.asset, bid, bid_amount, ask, ask_amount, ts_event, ts_recv)


class _Listed(msgspec.Struct):
    symbol: str
    baseCoin: str  # noqa: N815 - the venue's name
    quoteCoin: str  # noqa: N815 - the venue's name
    contractType: str = ""  # noqa: N815 - the venue's name
    status: str = "Trading"


class _Result(msgspec.Struct):
    rows: list[_Listed] = msgspec.field(name="list")
    nextPageCursor: str = ""  # noqa: N815 - the venue's name


class _InstrumentsInfo(msgspec.Struct):
    result: _Result


def _instrument(row: _Listed) -> Instrument:
    asset, bundle = unbundle(row.baseCoin)
    if row.contractType.startswith("Inverse") or (not row.contractType and row.quoteCoin == "USD"):
        return Instrument(row.symbol, asset, _INVERSE, 1.0, bundle)
    return Instrument(row.symbol, asset, _LINEAR, 1.0 if row.quoteCoin in _DOLLARS else None, bundle)


class Bybit(Venue):
    """Bybit's USDT, USDC and inverse contracts."""

    name = "bybit"
    title = "Bybit"
    recorded_as = ("bybit_linear", "bybit_inverse")
    price_basis = PriceBasis.BANKRUPTCY
    rank = 2
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "Bybit says that every liquidation is published, in batches every 500 ms. "
        "Prices are bankruptcy prices, not fills.",
        date(2025, 2, 20),
        source=_DOCUMENTATION,
    )
    # "we recommend that you send the ping heartbeat packet every 20 seconds" (_CONNECT).
    heartbeat = Heartbeat(every=20.0, frame='{"op":"ping"}', dead_after=45.0, stale_after=15.0)
    # "Do not frequently connect and disconnect": at most 500 connections per 5 minutes.
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=60.0)
    endpoints = (
        Endpoint("wss://stream.bybit.com/v5/public/linear", date(2025, 2, 20), None, _DOCUMENTATION),
        Endpoint("wss://stream.bybit.com/v5/public/inverse", date(2025, 2, 20), None, _DOCUMENTATION),
    )
    facts = Facts(
        channel="allLiquidation.{symbol}",
        side="S is the side of the position: Buy is a liquidated long, Sell a short",
        unit="v counts coins for linear contracts, dollars for inverse ones",
        price="p, the bankruptcy price; no fill is published",
        history="none: a gap stays a gap",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        address = "https://api.bybit.com/v5/market/instruments-info?category={}&limit=1000"
        return Request(address.format("linear")), Request(address.format("inverse"))

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        # A topic of a contract that is settled or delivered is refused, and every topic asked for with it.
        return [_instrument(row) for row in self._result(answer).rows if row.status in ("Trading", "PreLaunch")]

    def next_page(self, request: Request, answer: bytes) -> Request | None:
        cursor = self._result(answer).nextPageCursor
        first = request.url.split("&cursor=")[0]
        return Request(f"{first}&cursor={quote(cursor, safe='')}") if cursor else None

    def _result(self, answer: bytes) -> _Result:
        return self.read(answer, _InstrumentsInfo).result

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        linear, inverse = (list(_wanted(instruments, kind, assets)) for kind in (_LINEAR, _INVERSE))
        if not instruments:
            linear = [f"{asset}USDT" for asset in assets or _MAJORS]
            inverse = [f"{asset}USD" for asset in _INVERSE_MAJORS if assets is None or asset in assets]
        return [
            *_connections("linear", self.endpoints[0].url, "BTCUSDT", linear),
            *_connections("inverse", self.endpoints[1].url, "BTCUSD", inverse),
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BybitDecoder(self.name, connection, instruments)

    def retry(self, rejected: FeedStatus, subscription: Subscription) -> tuple[Subscription, ...]:
        """One bad topic has all of its request refused: ask again without it, or in halves where it is not named."""
        topics: list[str] = msgspec.json.decode(subscription.frame)["args"]
        named = re.split(r"[^\w-]+", rejected.reason)
        good = [topic for topic in topics if topic.partition(".")[2] not in named]
        if len(good) == len(topics):
            middle = len(topics) // 2
            parts = [topics[:middle], topics[middle:]] if middle else []
        else:
            parts = [good] if good else []
        return tuple(_subscription(f"{rejected.topic}.{nth}", part) for nth, part in enumerate(parts, 1))


def _wanted(instruments: Instruments, kind: ContractKind, assets: Collection[str] | None) -> Iterator[str]:
    for symbol, instrument in instruments.items():
        if instrument.kind is kind and (assets is None or instrument.asset in assets):
            yield symbol


def _connections(name: str, url: str, ticker: str, symbols: Sequence[str]) -> Iterator[Connection]:
    """As many sockets as the topics' characters need, each with a price stream of its own as proof of life."""
    if not symbols:
        return
    sockets: list[list[str]] = [[]]
    characters = 0
    for symbol in symbols:
        topic = _LIQUIDATIONS + symbol
        if characters + len(topic) + 3 > _CHARACTERS:
            sockets.append([])
            characters = 0
        sockets[-1].append(topic)
        characters += len(topic) + 3
    for nth, topics in enumerate(sockets, 1):
        yield Connection(f"{name}-{nth}", url, tuple(_subscriptions([_TICKERS + ticker], topics)))


def _subscriptions(prices: Sequence[str], topics: Sequence[str]) -> Iterator[Subscription]:
    yield _subscription("prices", prices)
    for nth, first in enumerate(range(0, len(topics), _TOPICS_PER_FRAME), 1):
        yield _subscription(f"liquidations-{nth}", topics[first : first + _TOPICS_PER_FRAME])


def _subscription(request: str, topics: Iterable[str]) -> Subscription:
    asked = list(topics)
    frame = msgspec.json.encode({"op": "subscribe", "req_id": request, "args": asked}).decode()
    symbols = tuple(topic.removeprefix(_LIQUIDATIONS) for topic in asked if topic.startswith(_LIQUIDATIONS))
    return Subscription(frame, (request,), symbols)
