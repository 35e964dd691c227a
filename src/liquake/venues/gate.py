"""Gate: every liquidation order of perpetual contracts settled in USDT and in BTC, market-wide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from liquake.errors import HistoryError
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
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    Throttle,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, either, loose, opposite, rows, skipped
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

_DOCUMENTATION = "https://www.gate.com/docs/developers/futures/ws/en/#public-liquidates-api"
_CHANGES = "https://www.gate.com/docs/developers/futures/ws/zh_CN/"
_REST = "https://www.gate.com/docs/developers/apiv4/en/#query-liquidation-order-history"
_LIQUIDATIONS = "futures.public_liquidates"
_TICKERS = "futures.tickers"

_LONG, _SHORT = Side.LONG, Side.SHORT
_LIMIT = PriceBasis.LIMIT
_LINEAR, _INVERSE, _QUANTO = ContractKind.LINEAR, ContractKind.INVERSE, ContractKind.QUANTO
_DOLLARS = frozenset(("USDT", "USDC", "USD1"))
_SECOND = 1_000_000_000
# "The time interval between from and to is maximum 3600" (_REST).
_WINDOW = 3600
_PAGE = 1000
# Fewer digits are seconds: "time" was given in them before 2026-08-20, and is in milliseconds since (_CHANGES).
_FIRST_MILLISECOND = 10**12

_Size = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]
_Time = Annotated[int, msgspec.Meta(ge=10**9, le=10**14)]
_Told = Amount | Literal[""] | None


class _Row(msgspec.Struct, gc=False):
    """A liquidation (`size`, `price`, a time) or a ticker (`last` and its like)."""

    contract: Symbol
    size: _Size | None = None
    price: Positive | None = None
    time_ms: _Time | None = None
    time: _Time | None = None
    last: _Told = None
    mark_price: _Told = None
    index_price: _Told = None


class _Frame(msgspec.Struct, gc=False):
    channel: str
    event: Literal["update", "all"]
    result: list[_Row]
    time_ms: Milliseconds | None = None


_read = msgspec.json.Decoder(_Frame, strict=False).decode

_CHANNEL = f'"channel":"{_LIQUIDATIONS}","event":"update"'
_TIMES = (skipped(int), ',"time_ms":', skipped(Milliseconds))
# The documentation has the channel first in some of its examples, and the time in others. Prices and sizes are in quotes
# where decimals are asked for. The size is of the order: its opposite is the position's.
SHAPE = Shape(
    "{",
    either((f'{_CHANNEL},"time":', *_TIMES), ('"time":', *_TIMES, f",{_CHANNEL}")),
    ',"result":[',
    rows(
        '{"price":',
        loose(Positive),
        ',"size":',
        loose(opposite(_Size)),
        ',"time_ms":',
        Milliseconds,
        ',"contract":"',
        Symbol,
        '"}',
    ),
    "]}",
)
_COLUMNS = Columns(
    "price size milliseconds symbol",
    _LIMIT,
    beside="rows",
    identity=("symbol", "|", "size", "|", "price", "|", "second"),
)


class _Past(msgspec.Struct, gc=False):
    """A row of the REST history, which no row of the socket looks like: it has the two prices by their own names."""

    contract: Symbol
    time: _Time
    size: _Size
    order_price: Positive
    fill_price: Amount = 0.0
    order_size: _Size | None = None


class _Error(msgspec.Struct):
    code: int | str = ""
    message: str = ""


class _Answer(msgspec.Struct):
    channel: str = ""
    event: str = ""
    error: _Error | None = None


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the name says of a contract that is not listed; `None` for no name. Only of BTC_USD is the size known."""
    base, _, quote = symbol.partition("_")
    if not base or not symbol.isprintable():
        return None
    asset, bundle = unbundle(base)
    if symbol == "BTC_USD":
        return Instrument(symbol, asset, _INVERSE, 1.0)
    return Instrument(symbol, asset, _QUANTO if quote == "USD" else _LINEAR, None, bundle)


def _told_apart(events: list[Event]) -> list[Event]:
    """`events` of one message, with an ordinal in the id of those that agree in it with an earlier one.

    An id has the second only, since the history has no more: unlike elsewhere, equal ids may have unequal times.
    """
    # Where no two ids are equal there is nothing to tell apart, and that is cheap to see.
    if len(events) < 2 or len({event.id for event in events if isinstance(event, Liquidation)}) == len(events):
        return events
    seen: dict[str, int] = {}
    for index, event in enumerate(events):
        if event.__class__ is Liquidation:
            ordinal = seen.get(event.key, 0)
            seen[event.key] = ordinal + 1
            if ordinal:
                events[index] = msgspec.structs.replace(event, id=f"{event.key}|{ordinal}")
    return events


class GateDecoder(Decoder):
    """Reads `futures.public_liquidates`, `futures.tickers`, and answers of the REST history."""

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
        if message.channel == _LIQUIDATIONS:
            rows = message.result
            if len(rows) == 1:
                return (self._liquidation(rows[0], frame, ts_recv),)
            return _told_apart([self._liquidation(row, frame, ts_recv) for row in rows])
        if message.channel == _TICKERS:
            return self._prices(message, frame, ts_recv)
        return ()

    def _liquidation(self, row: _Row, frame: bytes | str, ts_recv: int) -> Event:
        symbol, size, price, time = row.contract, row.size, row.price, row.time_ms or row.time
        if not size or price is None or time is None:
            return self.failure(frame, ts_recv, "liquidation without a size, a price or a time")
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one")
        if time < _FIRST_MILLISECOND:
            time *= 1000
        # The socket's size is of the order, and a forced sale closes a long: 6 of 6 events compared with the history,
        # whose size is of the position, had the opposite sign. "price: order price" (_DOCUMENTATION).
        side = _LONG if size < 0.0 else _SHORT
        key = f"{symbol}|{-size}|{price}|{time // 1000}"
        event = normalised(self.venue, instrument, side, price, _LIMIT, abs(size), time, ts_recv, key)
        return event or self.ahead(frame, ts_recv, time)

    def past(self, row: _Past, frame: bytes | str, ts_recv: int) -> Event:
        """The liquidation in a row of the history, with the key the stream gives it."""
        symbol = row.contract
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one")
        if not row.size:
            return self.failure(frame, ts_recv, "liquidation of no position")
        # "size: User position size", "order_size: Number of forced liquidation orders", "fill_price: Liquidation order
        # average taker price" (_REST): here a positive size is a long. The stream shows the order's size and price.
        side, size = (_LONG if row.size > 0.0 else _SHORT), abs(row.order_size or row.size)
        price, basis = (row.fill_price, PriceBasis.FILL) if row.fill_price else (row.order_price, _LIMIT)
        time = row.time if row.time >= _FIRST_MILLISECOND else row.time * 1000
        key = f"{symbol}|{size if side is _LONG else -size}|{row.order_price}|{time // 1000}"
        event = normalised(self.venue, instrument, side, price, basis, size, time, ts_recv, key)
        return event or self.ahead(frame, ts_recv, time)

    def _prices(self, message: _Frame, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if message.time_ms is None:
            return (self.failure(frame, ts_recv, "tickers without a time"),)
        ts_event = message.time_ms * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, message.time_ms),)
        return [event for row in message.result for event in self._ticker(row, ts_event, frame, ts_recv)]

    def _ticker(self, row: _Row, ts_event: int, frame: bytes | str, ts_recv: int) -> Iterator[Event]:
        instrument = self._listed(row.contract) or _by_grammar(row.contract)
        if instrument is None:
            yield self.failure(frame, ts_recv, f"symbol {row.contract!a} cannot be one")
            return
        for kind, price in (
            (PriceKind.MARK, row.mark_price),
            (PriceKind.INDEX, row.index_price),
            (PriceKind.LAST, row.last),
        ):
            if price:
                yield Price(self.venue, row.contract, instrument.asset, kind, price, ts_event, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not well-formed data of a subscribed channel: answers, the history, other channels, what is broken."""
        if isinstance(message, list):
            return _told_apart([self._odd_past(row, frame, ts_recv) for row in message])
        if not isinstance(message, dict) or not isinstance(message.get("channel"), str):
            return (self.failure(frame, ts_recv, "neither data nor an answer of Gate"),)
        if message.get("event") not in ("update", "all"):
            return self._answer(message, frame, ts_recv)
        rows = message.get("result")
        if message["channel"] == _LIQUIDATIONS:
            listed = rows if isinstance(rows, list) else [rows]
            return _told_apart([self._odd_row(row, frame, ts_recv) for row in listed])
        if message["channel"] == _TICKERS:
            return (self.failure(frame, ts_recv, "tickers cannot be read"),)
        return ()

    def _odd_row(self, row: object, frame: bytes | str, ts_recv: int) -> Event:
        """A row by itself, so that a bad one leaves the others standing."""
        try:
            return self._liquidation(msgspec.convert(row, _Row, strict=False), frame, ts_recv)
        except ValueError as error:
            return self.failure(frame, ts_recv, str(error))

    def _odd_past(self, row: object, frame: bytes | str, ts_recv: int) -> Event:
        try:
            return self.past(msgspec.convert(row, _Past, strict=False), frame, ts_recv)
        except ValueError as error:
            return self.failure(frame, ts_recv, str(error))

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """ "you only need to check if `error` field is null" (_DOCUMENTATION)."""
        try:
            answer = msgspec.convert({name: message.get(name) for name in _Answer.__struct_fields__}, _Answer)
        except ValueError:
            return (self.failure(frame, ts_recv, "neither data nor an answer of Gate"),)
        if answer.error is not None:
            reason = f"{answer.error.code} {answer.error.message}".strip()
            return (self.status(FeedState.REJECTED, ts_recv, answer.channel, reason),)
        if answer.event == "subscribe":
            return (self.status(FeedState.SUBSCRIBED, ts_recv, answer.channel),)
        if answer.event == "unsubscribe" or answer.channel == "futures.pong":
            return ()
        return (self.failure(frame, ts_recv, "neither data nor an answer of Gate"),)


class _Listed(msgspec.Struct):
    name: str
    quanto_multiplier: float | Literal[""] = 0.0
    type: str = "direct"
    status: str = "trading"


def _instrument(row: _Listed) -> Instrument:
    base, _, quote = row.name.partition("_")
    asset, bundle = unbundle(base)
    multiplier = row.quanto_multiplier or None
    if row.type == "inverse" or quote == "USD":
        # Inverse contracts have no multiplier and are of one dollar; one that has it pays so many coins of another.
        kind = _QUANTO if multiplier else _INVERSE
        return Instrument(row.name, asset, kind, None if multiplier else 1.0, bundle)
    return Instrument(row.name, asset, _LINEAR, multiplier if quote in _DOLLARS else None, bundle)


class Gate(Venue):
    """Gate's perpetual contracts settled in USDT and in BTC."""

    name = "gate"
    title = "Gate"
    price_basis = PriceBasis.LIMIT
    aliases = ("gateio", "gate.io", "gate_io", "gate.com")
    # Change log of 2026-08-20: orders of one contract within a period are pushed together in an array, and those beside
    # the first are no longer dropped; the period is 1 s by default, and 20 orders are pushed at once (_CHANGES).
    coverage = Coverage(
        CoverageKind.THROTTLED,
        "At most one liquidation per contract and second by Gate's documentation; its change log of 2026-08-20 says that "
        "none is left out any more, which nobody has held against the history yet. Prices are those of the orders, "
        "about 0.3 % from the fills. Contracts settled in USD1 and delivery futures are not read.",
        throttle=Throttle.LATEST,
        interval=1.0,
        source=_CHANGES,
    )
    heartbeat = Heartbeat(every=15.0, frame='{"time":1,"channel":"futures.ping"}', dead_after=45.0, stale_after=60.0)
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=60.0, requests_per_minute=600.0)
    endpoints = (
        Endpoint("wss://fx-ws.gateio.ws/v4/ws/usdt", None, None, _DOCUMENTATION),
        Endpoint("wss://fx-ws.gateio.ws/v4/ws/btc", None, None, _DOCUMENTATION),
    )
    facts = Facts(
        channel="futures.public_liquidates, all contracts",
        side="the sign of size is of the order: negative sells and closes a long; in the REST history it is of the "
        "position: positive is a long",
        unit="size counts contracts of quanto_multiplier coins (linear) or 1 dollar (BTC_USD)",
        price="price of the liquidation order; the history has the average fill",
        history="REST, windows of an hour",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        address = "https://api.gateio.ws/api/v4/futures/{}/contracts?limit={}"
        return tuple(Request(address.format(settle, _PAGE)) for settle in ("usdt", "btc"))

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        return [_instrument(row) for row in self._contracts(answer) if row.status != "delisted"]

    def next_page(self, request: Request, answer: bytes) -> Request | None:
        if len(self._contracts(answer)) < _PAGE:
            return None
        first, _, offset = request.url.partition("&offset=")
        return Request(f"{first}&offset={int(offset or 0) + _PAGE}")

    def _contracts(self, answer: bytes) -> list[_Listed]:
        return self.read(answer, list[_Listed])

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """A socket per settlement currency whatever the assets: "!all" is of all its contracts."""
        del instruments, assets
        return [
            Connection(
                endpoint.url.rpartition("/")[2],
                endpoint.url,
                (_subscription(_TICKERS, ticker), _subscription(_LIQUIDATIONS, "!all")),
                # Without it sizes are whole numbers, and parts of contracts are lost.
                (("X-Gate-Size-Decimal", "1"),),
            )
            for endpoint, ticker in zip(self.endpoints, ("BTC_USDT", "BTC_USD"), strict=True)
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return GateDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        """Of all contracts at once, whatever the assets."""
        del instruments, assets
        first, last = start // _SECOND, -(-end // _SECOND)
        return tuple(
            _past_request(settle, since, min(since + _WINDOW, last))
            for settle in ("usdt", "btc")
            for since in range(first, max(last, first + 1), _WINDOW)
        )

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        del request
        decoder = GateDecoder(self.name, "history", instruments)
        events = _told_apart([decoder.past(row, answer, ts_recv) for row in self._rows(answer)])
        return [event for event in events if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        """A full page is the newest part of its window: ask again for what is before its oldest row."""
        rows = self._rows(answer)
        parts = urlsplit(request.url)
        since, until = (int(parse_qs(parts.query)[name][0]) for name in ("from", "to"))
        # Whether `to` is part of the window is not said: the second that was cut is asked for again, whole.
        before = min((row.time for row in rows), default=since) + 1
        if len(rows) < _PAGE or not since < before < until:
            return None
        return _past_request(parts.path.split("/")[-2], since, before)

    def _rows(self, answer: bytes) -> list[_Past]:
        return self.read(answer, list[_Past], HistoryError)


def _subscription(channel: str, contract: str) -> Subscription:
    # "time" is required and not looked at without a signature; the documentation's own examples have 123456.
    request = {"time": 1, "channel": channel, "event": "subscribe", "payload": [contract]}
    return Subscription(msgspec.json.encode(request).decode(), (channel,), None if channel == _LIQUIDATIONS else ())


def _past_request(settle: str, since: int, until: int) -> Request:
    address = f"https://api.gateio.ws/api/v4/futures/{settle}/liq_orders"
    return Request(f"{address}?from={since}&to={until}&limit={_PAGE}")
