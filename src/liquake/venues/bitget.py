"""Bitget, unified API v3: liquidations of all its futures, the largest of each side, pair and second."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import msgspec

from liquake.errors import HistoryError
from liquake.model import (
    NANOSECONDS_PER_MILLISECOND,
    ContractKind,
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    Instrument,
    Instruments,
    Liquidation,
    PriceBasis,
    PriceKind,
    Side,
    Throttle,
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
    parse,
)

_DOCUMENTATION = "https://www.bitget.com/api-doc/uta/websocket/public/Liquidation-Channel"
_HISTORY = "https://www.bitget.com/api-doc/uta/public/Get-Liquidations"
_CONNECT = "https://www.bitget.com/api-doc/uta/guide"

# "side: Position side. buy Long position liquidation, sell Short position liquidation" (_DOCUMENTATION).
_LONG, _SHORT = Side.LONG, Side.SHORT
# "price: Liquidation price", by its decimals computed and not traded.
_BANKRUPTCY = PriceBasis.BANKRUPTCY
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_DOLLARS = frozenset(("USD", "USDT", "USDC"))

_CATEGORIES = ("usdt-futures", "usdc-futures", "coin-futures")
_PAGE = 100
_UNIT_OPEN = "amount unit not documented"


class _Argument(msgspec.Struct, gc=False):
    topic: str
    instType: str = ""  # noqa: N815 - the venue's name
    symbol: str = ""

    @property
    def name(self) -> str:
        """What the channel is called in a status: "liquidation:usdt-futures"."""
        return f"{self.topic}:{self.symbol or self.instType}"


class _Row(msgspec.Struct, gc=False):
    symbol: Symbol
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    ts: Milliseconds


class _Frame(msgspec.Struct, gc=False):
    arg: _Argument
    data: list[_Row]


_read = msgspec.json.Decoder(_Frame, strict=False).decode

# As it comes.
SHAPE = Shape(
    '{"action":"',
    skipped(str),
    '","arg":{"instType":"',
    skipped(str),
    '","topic":"liquidation"},"data":[',
    rows(
        '{"symbol":"',
        Symbol,
        '","side":"',
        one_of({"buy": _LONG, "sell": _SHORT}),
        '","price":"',
        Positive,
        '","amount":"',
        Positive,
        '","ts":"',
        Milliseconds,
        '"}',
    ),
    '],"ts":',
    skipped(int),
    "}",
)
_COLUMNS = Columns("symbol side price size milliseconds", _BANKRUPTCY, beside="rows", in_dollars=True)


class _Prices(msgspec.Struct, gc=False):
    lastPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    markPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name
    indexPrice: Positive | Literal[""] | None = None  # noqa: N815 - the venue's name


class _Ticker(msgspec.Struct, gc=False):
    arg: _Argument
    data: list[_Prices]
    ts: Milliseconds


class _Answer(msgspec.Struct):
    event: str
    arg: _Argument | None = None
    code: str | int = ""
    msg: str = ""


_LINEAR_SYMBOL = re.compile(r"^(?P<base>\w+?)(USDT|USDC|PERP)(_?[A-Z]?\d{2,6})?$")
_INVERSE_SYMBOL = re.compile(r"^(?P<base>[A-Z0-9]+?)USD(_?[FGHJKMNQUVXZ]?\d{2,6})?$")


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name at all.

    BTCUSDT and BTCPERP (USDC) are linear, BTCUSD and BTCUSDZ26 are paid in the coin.
    """
    if found := _LINEAR_SYMBOL.match(symbol):
        asset, bundle = unbundle(found["base"])
        return Instrument(symbol, asset, _LINEAR, 1.0, bundle)
    if found := _INVERSE_SYMBOL.match(symbol):
        return Instrument(symbol, found["base"], _INVERSE, 1.0)
    return Instrument(symbol, symbol, _LINEAR, None) if symbol and symbol.isprintable() else None


@lru_cache(maxsize=4096)
def _in_quote(instrument: Instrument) -> Instrument:
    """`instrument` as its liquidations are counted: one dollar each, which is what an inverse contract of 1 is.

    "amount: Liquidation amount. Unit: quote coin" (_DOCUMENTATION), of linear contracts as of those paid in the coin.
    """
    dollars = None if instrument.multiplier is None else 1.0
    return msgspec.structs.replace(instrument, kind=_INVERSE, multiplier=dollars)


class BitgetDecoder(Decoder):
    """Reads `liquidation` and `ticker`."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, _by_grammar))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self._examine(frame, ts_recv)
        if message.arg.topic == "liquidation":
            return self._liquidations(message.data, frame, ts_recv)
        return self._examine(frame, ts_recv)

    def _liquidations(self, rows: list[_Row], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        venue, listed = self.venue, self._listed
        events: list[Event] = []
        for row in rows:
            instrument = listed(row.symbol) or _by_grammar(row.symbol)
            if instrument is None:
                events.append(self.failure(frame, ts_recv, f"symbol {row.symbol!a} cannot be one"))
                continue
            side = _LONG if row.side == "buy" else _SHORT
            counted = _in_quote(instrument)
            event = normalised(venue, counted, side, row.price, _BANKRUPTCY, row.amount, row.ts, ts_recv)
            events.append(event or self.ahead(frame, ts_recv, row.ts))
        return distinct(events)

    def _prices(self, ticker: _Ticker, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        symbol = ticker.arg.symbol
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"),)
        told = [
            (kind, price or None)
            for row in ticker.data
            for kind, price in (
                (PriceKind.MARK, row.markPrice),
                (PriceKind.INDEX, row.indexPrice),
                (PriceKind.LAST, row.lastPrice),
            )
        ]
        return self.prices(instrument, told, ticker.ts, frame, ts_recv)

    def _examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not well-formed liquidations: prices, answers, other topics, what is broken."""
        if frame in (b"pong", "pong"):
            return ()
        try:
            message = parse(frame)
            if isinstance(message, dict) and "event" in message:
                return self._answer(msgspec.convert(message, _Answer, strict=False), frame, ts_recv)
            if not isinstance(message, dict) or "arg" not in message:
                return (self.failure(frame, ts_recv, "neither data nor an answer of Bitget"),)
            argument = msgspec.convert(message["arg"], _Argument)
            if argument.topic == "ticker":
                return self._prices(msgspec.convert(message, _Ticker, strict=False), frame, ts_recv)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if argument.topic != "liquidation":
            return ()
        rows = message.get("data")
        if not isinstance(rows, list):
            return (self.failure(frame, ts_recv, "liquidations without a list of them"),)
        return distinct([self._odd_row(row, frame, ts_recv) for row in rows])

    def _odd_row(self, row: object, frame: bytes | str, ts_recv: int) -> Event:
        """A row by itself, so that a bad one leaves the others standing."""
        try:
            return self._liquidations([msgspec.convert(row, _Row, strict=False)], frame, ts_recv)[0]
        except ValueError as error:
            return self.failure(frame, ts_recv, str(error))

    def _answer(self, answer: _Answer, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        topic = answer.arg.name if answer.arg else ""
        if answer.event == "subscribe":
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        if answer.event == "error":
            return (self.status(FeedState.REJECTED, ts_recv, topic, f"{answer.code} {answer.msg}".strip()),)
        if answer.event == "unsubscribe":
            return ()
        return (self.failure(frame, ts_recv, "neither data nor an answer of Bitget"),)


class _Listed(msgspec.Struct):
    symbol: str
    baseCoin: str  # noqa: N815 - the venue's name
    quoteCoin: str  # noqa: N815 - the venue's name
    category: str = ""
    status: str = "online"


class _InstrumentsAnswer(msgspec.Struct):
    data: list[_Listed]


def _instrument(row: _Listed) -> Instrument:
    asset, bundle = unbundle(row.baseCoin.upper())
    kind = _INVERSE if row.category.upper() == "COIN-FUTURES" else _LINEAR
    return Instrument(row.symbol, asset, kind, 1.0 if row.quoteCoin.upper() in _DOLLARS else None, bundle)


class _Past(msgspec.Struct):
    rows: list[_Row] = msgspec.field(name="list")
    cursor: str | None = None


class _HistoryAnswer(msgspec.Struct):
    data: _Past


class Bitget(Venue):
    """Bitget's USDT, USDC and coin-margined futures, of classic and unified accounts alike."""

    name = "bitget"
    title = "Bitget"
    price_basis = PriceBasis.BANKRUPTCY
    aliases = ("bitget_uta", "bitget_futures")
    coverage = Coverage(
        CoverageKind.THROTTLED,
        "At most the largest long and the largest short of each pair and second are published: sums are lower bounds. "
        "Prices are computed, not fills.",
        date(2026, 6, 23),
        Throttle.LARGEST,
        1.0,
        _DOCUMENTATION,
        per_side=True,
    )
    # "send a string ping and expect a string pong every 30 seconds"; without one for 2 minutes the connection is cut
    # (_CONNECT).
    heartbeat = Heartbeat(every=25.0, frame="ping", dead_after=60.0, stale_after=20.0)
    # "up to 10 messages per second" (_CONNECT), pings included.
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=60.0, requests_per_minute=120.0)
    endpoints = (Endpoint("wss://ws.bitget.com/v3/ws/public", None, None, _DOCUMENTATION),)
    facts = Facts(
        channel="liquidation, instType usdt-futures, usdc-futures and coin-futures",
        side="side is the position's: buy is a liquidated long, sell a short",
        unit="amount counts the quote coin: it is dollars, and coins are amount / price",
        price="price, of which is said only that it is the liquidation's: not a fill",
        history="REST of 3 days, which does not say in which unit: events are refilled, their amounts stay open",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        address = "https://api.bitget.com/api/v3/market/instruments?category="
        return tuple(Request(address + category.upper()) for category in _CATEGORIES)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _InstrumentsAnswer).data
        return [_instrument(row) for row in rows if row.status != "offline"]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets: the channel takes no symbol."""
        del instruments, assets
        topics = [
            _Argument("ticker", "usdt-futures", "BTCUSDT"),
            *(_Argument("liquidation", category) for category in _CATEGORIES),
        ]
        return [Connection("public", self.endpoints[0].url, tuple(_subscription(topic) for topic in topics))]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BitgetDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        """The newest page of each category, from which `next_history` goes back to `start`: pages take no times."""
        del instruments, assets
        first, last = start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND)
        return tuple(_history(category.upper(), "", first, last) for category in _CATEGORIES)

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        _, start, end = _asked(request)
        found: list[Event] = []
        for row in self._page(answer).rows:
            instrument = instruments.by_symbol.get(row.symbol) or _by_grammar(row.symbol)
            if instrument is None or not start <= row.ts <= end:
                continue
            # The page (_HISTORY) gives no unit of amount, and public collectors read it as coins and as dollars.
            uncounted = msgspec.structs.replace(instrument, multiplier=None)
            side = _LONG if row.side == "buy" else _SHORT
            event = normalised(
                self.name, uncounted, side, row.price, _BANKRUPTCY, row.amount, row.ts, ts_recv, None, (_UNIT_OPEN,)
            )
            if event is not None:
                found.append(event)
        return [event for event in distinct(found) if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        category, start, end = _asked(request)
        page = self._page(answer)
        # The rows of a page are not quite in order of time: a page is the last one when all of it is too old.
        if not page.cursor or not page.rows or max(row.ts for row in page.rows) < start:
            return None
        following = _history(category, page.cursor, start, end)
        return following if following != request else None

    def _page(self, answer: bytes) -> _Past:
        return self.read(answer, _HistoryAnswer, HistoryError).data


def _subscription(topic: _Argument) -> Subscription:
    named = {"symbol": topic.symbol} if topic.symbol else {}
    argument = {"instType": topic.instType, "topic": topic.topic, **named}
    symbols = None if topic.topic == "liquidation" else ()
    return Subscription(msgspec.json.encode({"op": "subscribe", "args": [argument]}).decode(), (topic.name,), symbols)


def _history(category: str, cursor: str, start: int, end: int) -> Request:
    """A page of 100; times in milliseconds. What stands behind # is for us: it is not sent."""
    address = f"https://api.bitget.com/api/v3/market/liquidations?category={category}&limit={_PAGE}"
    after = f"&cursor={quote(cursor, safe='')}" if cursor else ""
    return Request(f"{address}{after}#{start}-{end}")


def _asked(request: Request) -> tuple[str, int, int]:
    """The category, start and end of a request of ours. Raises `HistoryError`."""
    found = re.search(r"liquidations\?category=([A-Z-]+)&[^#]*#(\d+)-(\d+)$", request.url)
    if found is None:
        raise HistoryError("bitget", f"{request.url} is not one of its requests")
    return found[1], int(found[2]), int(found[3])
