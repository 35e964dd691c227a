"""Kraken Futures: the whole trade tape, in which each trade says whether it was a liquidation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
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
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, either, maybe, one_of, passing, skipped
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
)

_DOCUMENTATION = "https://docs.kraken.com/exchange/api-reference/futures-websocket/trade"
_HISTORY = "https://docs.kraken.com/api-reference/market-data/get-trade-history"
_CONNECT = "https://docs.kraken.com/exchange/api-reference/futures-websocket"

# "side": The classification of the taker side in the matched trade; "type": "liquidation" if it is a result of a user being
# liquidated from their position (_DOCUMENTATION). The liquidation order is the taker: its sell closes a long. A position
# that is terminated or assigned is handed on to somebody else, without an order in the market.
_LONG, _SHORT = Side.LONG, Side.SHORT
_LIQUIDATION = "liquidation"
_FILL = PriceBasis.FILL
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE

_PRODUCTS_PER_FRAME = 50
_PAGE = 100
_PROOF_OF_LIFE = "PF_XBTUSD"
# What to ask for while the instruments are not known.
_MAJORS = ("XBT", "ETH", "SOL", "XRP", "DOGE", "ADA", "AVAX", "LINK", "LTC", "SUI")
_INVERSE_MAJORS = ("XBT", "ETH", "SOL", "XRP", "LTC")
_ALIASES = {"XBT": "BTC", "XDG": "DOGE"}


class _Trade(msgspec.Struct, gc=False, tag_field="feed", tag="trade"):
    uid: Symbol
    side: Literal["buy", "sell"]
    type: str
    time: Milliseconds
    qty: Positive
    price: Positive
    product_id: Symbol


class _Snapshot(msgspec.Struct, gc=False, tag_field="feed", tag="trade_snapshot"):
    """The trades before the subscription, newest first."""

    product_id: Symbol
    trades: list[_Trade]


class _Ticker(msgspec.Struct, gc=False, tag_field="feed", tag="ticker"):
    product_id: Symbol
    time: Milliseconds
    markPrice: Positive | None = None  # noqa: N815 - the venue's name
    index: Amount | None = None
    last: Amount | None = None


_read = msgspec.json.Decoder(_Trade | _Snapshot | _Ticker, strict=False).decode
_Feeds = _Trade | _Snapshot | _Ticker

# What the documentation lists. Of a trade that is no liquidation nothing is told.
_TYPES = ("fill", _LIQUIDATION, "assignment", "termination", "block")
_FORCED = {
    f'{word}","type":"{kind}': side if kind == _LIQUIDATION else None
    for word, side in (("sell", _LONG), ("buy", _SHORT))
    for kind in _TYPES
}
_NUMBER = maybe(',"seq":', skipped(int))
# As the documentation has it, and as it comes since 2026: with the number last.
SHAPE = Shape(
    "{",
    either(('"product_id":"', Symbol, '","feed":"trade"'), ('"feed":"trade","product_id":"', Symbol, '"')),
    ',"uid":"',
    passing(Symbol),
    '","side":"',
    one_of(_FORCED),
    '"',
    _NUMBER,
    ',"time":',
    Milliseconds,
    ',"qty":',
    Positive,
    ',"price":',
    Positive,
    _NUMBER,
    "}",
)
_COLUMNS = Columns("symbol id side milliseconds size price", _FILL, identity=("id",), unique=True)


class _Answer(msgspec.Struct):
    event: str
    feed: str = ""
    product_ids: list[str] = []
    message: str = ""


_SYMBOL = re.compile(r"^(?P<kind>P[IFV]|F[IFV])_(?P<base>[A-Z0-9]{2,}?)(?P<quote>USD|XBT|EUR|GBP|USDT|USDC)(_\d{6})?$")
_NAMED = re.compile(r"`([^`]+)`")
_QUIET = frozenset(("info", "pong", "unsubscribed", "challenge"))


def _coin(base: str) -> tuple[str, float]:
    """The asset and bundle in the venue's name of a coin: XBT is BTC."""
    asset, bundle = unbundle(base)
    return _ALIASES.get(asset, asset), bundle


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name at all.

    PI_ and FI_ are inverse, counted in dollars; PF_ and FF_ linear, counted in coins; all else stays open.
    """
    if found := _SYMBOL.match(symbol):
        asset, bundle = _coin(found["base"])
        known = found["kind"][1] != "V" and found["quote"] in ("USD", "USDT", "USDC")
        inverse = found["kind"][1] == "I"
        return Instrument(symbol, asset, _INVERSE if inverse else _LINEAR, 1.0 if known else None, bundle)
    return Instrument(symbol, symbol, _LINEAR, None) if symbol and symbol.isprintable() else None


class KrakenDecoder(Decoder):
    """Reads `trade`, the `trade_snapshot` before it, and `ticker`. Trades that are no liquidations are not told."""

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
            return self.examine(frame, ts_recv)
        if message.__class__ is _Trade:
            if message.type != _LIQUIDATION:
                return ()
            return (self._liquidation(message, frame, ts_recv),)
        return self._told(message, frame, ts_recv)

    def _told(self, message: _Feeds, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if isinstance(message, _Snapshot):
            rows = (row for row in reversed(message.trades) if row.type == _LIQUIDATION)
            return [self._liquidation(row, frame, ts_recv) for row in rows]
        if isinstance(message, _Ticker):
            return self._prices(message, frame, ts_recv)
        return (self._liquidation(message, frame, ts_recv),) if message.type == _LIQUIDATION else ()

    def _liquidation(self, row: _Trade, frame: bytes | str, ts_recv: int) -> Event:
        instrument = self._listed(row.product_id) or _by_grammar(row.product_id)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {row.product_id!a} cannot be one")
        side = _LONG if row.side == "sell" else _SHORT
        # "qty": The quantity of the traded product; "price": The price that the product got traded (_DOCUMENTATION).
        event = normalised(self.venue, instrument, side, row.price, _FILL, row.qty, row.time, ts_recv, row.uid)
        return event or self.ahead(frame, ts_recv, row.time)

    def _prices(self, ticker: _Ticker, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        instrument = self._listed(ticker.product_id) or _by_grammar(ticker.product_id)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {ticker.product_id!a} cannot be one"),)
        told = ((PriceKind.MARK, ticker.markPrice), (PriceKind.INDEX, ticker.index), (PriceKind.LAST, ticker.last))
        return self.prices(instrument, told, ticker.time, frame, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not well-formed data of a subscribed feed: answers, other feeds, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of Kraken Futures"),)
        if "event" in message:
            return self._answer(message, frame, ts_recv)
        feed = message.get("feed")
        rows = message.get("trades")
        if feed == "trade_snapshot" and isinstance(rows, list):
            return [event for row in reversed(rows) for event in self._odd(row, frame, ts_recv)]
        if isinstance(feed, str) and feed not in ("trade", "trade_snapshot", "ticker"):
            return ()
        return self._odd(message, frame, ts_recv)

    def _odd(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """A message, or a row of a snapshot by itself, so that a bad one leaves the others standing."""
        try:
            return self._told(msgspec.convert(message, _Feeds, strict=False), frame, ts_recv)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            answer = msgspec.convert(message, _Answer)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if answer.event in ("subscribed", "subscribed_failed"):
            state = FeedState.SUBSCRIBED if answer.event == "subscribed" else FeedState.REJECTED
            topics = [_topic(answer.feed, product) for product in answer.product_ids] or [answer.feed]
            return [self.status(state, ts_recv, topic, answer.message) for topic in topics]
        if answer.event in ("alert", "error"):
            named = _NAMED.search(answer.message)
            topic = _topic(answer.feed or "trade", named[1]) if named else answer.feed
            return (self.status(FeedState.REJECTED, ts_recv, topic, answer.message),)
        if answer.event in _QUIET:
            return ()
        return (self.failure(frame, ts_recv, "neither data nor an answer of Kraken Futures"),)


def _topic(feed: str, product: str) -> str:
    """What a subscription to one product is called in a status: "trade:PF_XBTUSD"."""
    return f"{feed}:{product}"


class _Listed(msgspec.Struct):
    symbol: str
    type: str = ""
    base: str = ""
    quote: str = ""
    contractSize: float | None = 1.0  # noqa: N815 - the venue's name
    tradeable: bool = True


class _InstrumentsAnswer(msgspec.Struct):
    instruments: list[_Listed]


def _instrument(row: _Listed) -> Instrument | None:
    """`None` for an index, which nobody can hold."""
    symbol = row.symbol.upper()
    guess = _by_grammar(symbol)
    if guess is None or not row.type.startswith(("futures_inverse", "flexible_futures", "futures_vanilla")):
        return None
    asset, bundle = _coin(row.base.upper()) if row.base else (guess.asset, guess.bundle)
    if row.type == "futures_inverse":
        return Instrument(symbol, asset, _INVERSE, row.contractSize, bundle)
    dollars = row.quote.upper() in ("USD", "USDT", "USDC") if row.quote else guess.multiplier is not None
    return Instrument(symbol, asset, _LINEAR, row.contractSize if dollars else None, bundle)


class _Past(msgspec.Struct):
    """A row of the history, which names the trade as the tape does and most else otherwise."""

    time: datetime
    side: Literal["buy", "sell"]
    price: Positive
    size: Positive
    uid: Symbol
    type: str = ""


class _Page(msgspec.Struct):
    history: list[_Past]


class Kraken(Venue):
    """Kraken Futures: linear PF_ and inverse PI_ perpetuals, and their fixed maturities FF_ and FI_."""

    name = "kraken"
    title = "Kraken"
    price_basis = PriceBasis.FILL
    aliases = ("kraken_futures", "krakenfutures", "cryptofacilities")
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "Every trade is published and says whether it was a liquidation. Positions that are assigned or terminated "
        "instead are not in it.",
        None,
        source=_DOCUMENTATION,
    )
    # "Send a ping at least every 60 seconds to keep the connection open" (_CONNECT). A ticker comes about every second.
    heartbeat = Heartbeat(every=30.0, frame=None, dead_after=75.0, stale_after=30.0)
    # 100 requests per second on a socket, far more than is needed:
    # https://docs.kraken.com/api/docs/guides/futures-rate-limits/#websocket-limits
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=30.0, requests_per_minute=60.0)
    endpoints = (Endpoint("wss://futures.kraken.com/ws/v1", None, None, _DOCUMENTATION),)
    facts = Facts(
        channel="trade, rows of type liquidation",
        side="side is the taker's, which is the liquidation order's: sell closes a long, buy a short",
        unit="qty counts dollars for PI_ and FI_ (inverse), coins for PF_ and FF_ (linear)",
        price="price, what was paid",
        history="REST, 100 trades a page, at most 7 days or until the engine last restarted",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://futures.kraken.com/derivatives/api/v3/instruments"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _InstrumentsAnswer).instruments
        # A product that is not traded is refused.
        return [instrument for row in rows if row.tradeable and (instrument := _instrument(row))]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets, with a price stream as proof of life."""
        products = _products(instruments, assets)
        frames = [
            products[first : first + _PRODUCTS_PER_FRAME] for first in range(0, len(products), _PRODUCTS_PER_FRAME)
        ]
        trades = (_subscription("trade", each) for each in frames)
        ticker = _subscription("ticker", [_PROOF_OF_LIFE])
        return [Connection("trades", self.endpoints[0].url, (ticker, *trades))]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return KrakenDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        # "returns the most recent 100 trades prior to the specified lastTime value" (_HISTORY): from the end to the start.
        first, last = start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND) + 1
        return tuple(_history(product, first, last) for product in _products(instruments, assets))

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        product, start, _ = _asked(request)
        instrument = instruments.by_symbol.get(product) or _by_grammar(product)
        found: list[Liquidation] = []
        for row in reversed(self._page(answer)):
            when = _milliseconds(row.time)
            if instrument is None or row.type != _LIQUIDATION or when < start:
                continue
            side = _LONG if row.side == "sell" else _SHORT
            event = normalised(self.name, instrument, side, row.price, _FILL, row.size, when, ts_recv, row.uid)
            if event is not None:
                found.append(event)
        return found

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        product, start, last = _asked(request)
        times = [_milliseconds(row.time) for row in self._page(answer)]
        if len(times) < _PAGE or min(times) <= start:
            return None
        # Trades of the oldest millisecond may be on both sides of the page's edge: asked for again, unless nothing else is.
        oldest = min(times)
        before = oldest + 1 if oldest + 1 < last else oldest
        return _history(product, start, before) if before < last else None

    def _page(self, answer: bytes) -> list[_Past]:
        return self.read(answer, _Page, HistoryError).history


def _products(instruments: Instruments, assets: Collection[str] | None) -> list[str]:
    if instruments:
        return [name for name, each in instruments.items() if assets is None or each.asset in assets]
    return list(_unlisted(assets))


def _unlisted(assets: Collection[str] | None) -> Iterator[str]:
    own = {asset: name for name, asset in _ALIASES.items() if name in _MAJORS}
    if assets is None:
        yield from (f"PF_{name}USD" for name in _MAJORS)
        yield from (f"PI_{name}USD" for name in _INVERSE_MAJORS)
        return
    for asset in assets:
        name = own.get(asset, asset)
        yield f"PF_{name}USD"
        if name in _INVERSE_MAJORS:
            yield f"PI_{name}USD"


def _subscription(feed: str, products: Sequence[str]) -> Subscription:
    frame = msgspec.json.encode({"event": "subscribe", "feed": feed, "product_ids": products}).decode()
    symbols = tuple(products) if feed == "trade" else ()
    return Subscription(frame, tuple(_topic(feed, product) for product in products), symbols)


def _milliseconds(time: datetime) -> int:
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _history(product: str, start: int, last: int) -> Request:
    """The page before `last`; both in milliseconds. What stands behind # is for us: it is not sent."""
    moment = datetime.fromtimestamp(last / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    address = "https://futures.kraken.com/derivatives/api/v3/history"
    return Request(f"{address}?symbol={quote(product)}&lastTime={moment}#{start}-{last}")


def _asked(request: Request) -> tuple[str, int, int]:
    """The product, start and end of a request of ours. Raises `HistoryError`."""
    found = re.search(r"history\?symbol=([^&]+)&lastTime=[^#]+#(\d+)-(\d+)$", request.url)
    if found is None:
        raise HistoryError("kraken", f"{request.url} is not one of its requests")
    return found[1], int(found[2]), int(found[3])
