"""Bitfinex: liquidations of derivatives and margin pairs, of which each comes as a trigger and as executions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal

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
from liquake.venues.shape import Columns, Contracts, Shape, ending, one_of, or_null, rows, skipped
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
    distinct,
    oddity,
    parse,
)

_DOCUMENTATION = "https://docs.bitfinex.com/reference/ws-public-status"
_HISTORY = "https://docs.bitfinex.com/reference/rest-public-liquidations"
_CONNECT = "https://docs.bitfinex.com/docs/ws-general"

# "AMOUNT: Size of the position. Positive values means a long position, negative values means a short position"
# (_HISTORY).
_LONG, _SHORT = Side.LONG, Side.SHORT
_LINEAR = ContractKind.LINEAR
_DOLLARS = frozenset(("USD", "USDT", "USDC"))
# "IS_MATCH: 0: initial liquidation trigger, 1: market execution", "IS_MARKET_SOLD: 0: position acquired by the system, 1:
# direct sell into the market" (_HISTORY). A trigger is of the whole position, its executions are of the parts: only the
# parts are counted, and a trigger only where the system took the position and there will be none.
_TRIGGER, _EXECUTION = 0, 1
_ACQUIRED, _SOLD = 0, 1

_PROOF_OF_LIFE = "tBTCF0:USTF0"
_KEYS = ("deriv:" + _PROOF_OF_LIFE, "liq:global")
_PAGE = 500
# "20051: Stop/Restart Websocket Server (please reconnect)" (_CONNECT).
_RESTART = 20051
# The venue's short names of coins, where its own list of them has not come yet.
_ALIASES = {
    "ALG": "ALGO",
    "ATO": "ATOM",
    "DSH": "DASH",
    "IOT": "IOTA",
    "MNA": "MANA",
    "QTM": "QTUM",
    "UDC": "USDC",
    "UST": "USDT",
}

_Moment = Annotated[float, msgspec.Meta(ge=1e12, le=1e14)]
"""Milliseconds since 1970, with a fraction at times."""
_Signed = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]


class _Row(msgspec.Struct, array_like=True, gc=False):
    kind: Literal["pos"]
    position: int
    time: _Moment
    _third: object
    symbol: Symbol
    amount: _Signed
    base_price: Amount | None
    _seventh: object
    is_match: int
    is_market_sold: int | None = None
    _tenth: object = None
    price_acquired: Amount | None = None


class _Rows(msgspec.Struct, array_like=True, gc=False):
    channel: int
    rows: list[_Row]


class _Status(msgspec.Struct, array_like=True, gc=False):
    """What a derivative is worth."""

    time: _Moment
    _first: object
    last: Amount | None
    spot: Amount | None


_read = msgspec.json.Decoder(_Rows, strict=False).decode
_MARK_AT = 14

# Of derivatives. Positions that the system took over are rare, and not here.
SHAPE = Shape(
    "[",
    skipped(int),
    ",[",
    rows(
        '["pos",',
        int,
        ",",
        Milliseconds,
        ',null,"',
        ending(Symbol, "F0"),
        '",',
        _Signed,
        ",",
        skipped(Amount),
        ",null,",
        one_of({f"{_EXECUTION},{_SOLD}": _EXECUTION, f"{_TRIGGER},{_SOLD}": None}),
        ",null,",
        or_null(Positive),
        "]",
    ),
    "]]",
)
_COLUMNS = Columns(
    "position milliseconds symbol size forced price",
    PriceBasis.FILL,
    beside="rows",
    identity=("position", "|", "milliseconds", "|", "size", "|", "forced"),
)


class _Answer(msgspec.Struct):
    event: str
    key: str = ""
    chanId: int = 0  # noqa: N815 - the venue's name
    code: int | str = 0
    msg: str = ""


_SYMBOL = re.compile(r"^t(?:(?P<base>\w{2,}):(?P<quote>\w{2,})|(?P<short>\w{3})(?P<money>\w{3}))$")


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a pair that its lists have not named; `None` for no name at all.

    tBTCF0:USTF0 is the BTC derivative in Tether, tBTCUSD and tLINK:USD are margin pairs.
    """
    found = _SYMBOL.match(symbol)
    if found is None:
        return Instrument(symbol, symbol, _LINEAR, None) if symbol and symbol.isprintable() else None
    return _instrument(symbol, found["base"] or found["short"], found["quote"] or found["money"], {})


def _instrument(symbol: str, base: str, quote: str, coins: dict[str, str]) -> Instrument:
    asset, money = _coin(base, coins), _coin(quote, coins)
    return Instrument(symbol, asset, _LINEAR, 1.0 if money in _DOLLARS else None)


def _coin(name: str, coins: dict[str, str]) -> str:
    """The asset in the venue's name of it: F0 marks a derivative's."""
    bare = name.removesuffix("F0") or name
    return (coins.get(bare) or _ALIASES.get(bare, bare)).upper()


class BitfinexDecoder(Decoder):
    """Reads `status` of `liq:global` and of derivatives. Learns from the acknowledgements which channel is which."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._channels: dict[int, str] = {}
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, _by_grammar))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            rows = _read(frame).rows
        except (ValueError, RecursionError):
            return self._examine(frame, ts_recv)
        return self._liquidations(rows, frame, ts_recv)

    def _liquidations(self, rows: list[_Row], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        return distinct([self._liquidation(row, frame, ts_recv) for row in rows if not _sold_in_parts(row)])

    def _liquidation(self, row: _Row, frame: bytes | str, ts_recv: int) -> Event:
        instrument = self._listed(row.symbol) or _by_grammar(row.symbol)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {row.symbol!a} cannot be one")
        priced = _price(row)
        if priced is None or not row.amount:
            return self.failure(frame, ts_recv, "a position without an amount or without any price")
        return _event(self.venue, instrument, row, *priced, ts_recv) or self.ahead(frame, ts_recv, int(row.time))

    def _examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a list of positions: a single one, prices, heartbeats, answers, REST answers, what is broken."""
        try:
            message = parse(frame)
            if isinstance(message, dict):
                return self._answer(msgspec.convert(message, _Answer), frame, ts_recv)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if isinstance(message, list) and message:
            if isinstance(message[0], list):
                return self._rows([row for page in message for row in _nested(page)], frame, ts_recv)
            if isinstance(message[0], int) and len(message) > 1:
                return self._channel(message[0], message[1], frame, ts_recv)
        return (self.failure(frame, ts_recv, "neither data nor an answer of Bitfinex"),)

    def _channel(self, channel: int, content: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if isinstance(content, str):
            # "hb", or the update of a channel that was not asked for, such as "te" of trades.
            return ()
        if not isinstance(content, list):
            return (self.failure(frame, ts_recv, "a channel's content is not a list"),)
        key = self._channels.get(channel, "")
        nested = list(_nested(content))
        if key == _KEYS[1] or any(isinstance(row, list) and row[:1] == ["pos"] for row in nested):
            return self._rows(nested, frame, ts_recv)
        # The only prices asked for, also where a recording begins after the acknowledgement.
        symbol = key.removeprefix("deriv:") or _PROOF_OF_LIFE
        return self._prices(symbol, content, frame, ts_recv)

    def _rows(self, rows: Sequence[object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each row by itself, so that a bad one leaves the others standing."""
        events: list[Event] = []
        for row in rows:
            try:
                told = msgspec.convert(row, _Row, strict=False)
                if not _sold_in_parts(told):
                    events.append(self._liquidation(told, frame, ts_recv))
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
        return distinct(events)

    def _prices(self, symbol: str, content: list[object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"),)
        try:
            # [0] TIME_MS, [2] DERIV_PRICE, [3] SPOT_PRICE, [14] MARK_PRICE (_DOCUMENTATION).
            status = msgspec.convert(content[:4], _Status, strict=False)
            marks = content[_MARK_AT : _MARK_AT + 1]
            mark = msgspec.convert(marks[0] if marks else None, Amount | None, strict=False)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        told = ((PriceKind.MARK, mark), (PriceKind.INDEX, status.spot), (PriceKind.LAST, status.last))
        return self.prices(instrument, told, int(status.time), frame, ts_recv)

    def _answer(self, answer: _Answer, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if answer.event == "subscribed":
            self._channels[answer.chanId] = answer.key
            return (self.status(FeedState.SUBSCRIBED, ts_recv, answer.key),)
        if answer.event == "error":
            reason = f"{answer.code or ''} {answer.msg}".strip()
            return (self.status(FeedState.REJECTED, ts_recv, answer.key, reason),)
        if answer.event == "info" and answer.code == _RESTART:
            return (self.status(FeedState.CLOSING, ts_recv, reason=answer.msg),)
        if answer.event in ("info", "pong", "conf", "unsubscribed"):
            return ()
        return (self.failure(frame, ts_recv, "neither data nor an answer of Bitfinex"),)


def _nested(content: object) -> Iterator[object]:
    """The rows in `content`, which is one of them or holds them."""
    if isinstance(content, list) and content and isinstance(content[0], list):
        yield from content
    else:
        yield content


def _sold_in_parts(row: _Row) -> bool:
    """Whether `row` is a trigger of which the executions are still to come."""
    return row.is_match == _TRIGGER and row.is_market_sold == _SOLD


def _price(row: _Row) -> tuple[float, PriceBasis] | None:
    if row.price_acquired:
        return row.price_acquired, PriceBasis.FILL
    # "BASE_PRICE: The price at which user entered the position" (_HISTORY).
    return (row.base_price, PriceBasis.ENTRY) if row.base_price else None


def _event(
    venue: str, instrument: Instrument, row: _Row, price: float, basis: PriceBasis, ts_recv: int
) -> Liquidation | None:
    """The liquidation in `row`; `None` where its time has not come yet."""
    match, amount, milliseconds = row.is_match, row.amount, int(row.time)
    tags = () if "F0" in row.symbol else ("margin",)
    if match != _EXECUTION:
        if match != _TRIGGER:
            tags = (*tags, oddity("IS_MATCH", match))
        elif row.is_market_sold != _ACQUIRED:
            tags = (*tags, oddity("IS_MARKET_SOLD", row.is_market_sold))
    # No row has an identity of its own: a position has many.
    identity = f"{row.position}|{milliseconds}|{amount}|{match}"
    side, size = (_LONG, amount) if amount > 0 else (_SHORT, -amount)
    return normalised(venue, instrument, side, price, basis, size, milliseconds, ts_recv, identity, tags)


class Bitfinex(Venue):
    """Bitfinex's derivatives and margin pairs."""

    name = "bitfinex"
    title = "Bitfinex"
    price_basis = PriceBasis.FILL
    aliases = ("bitfinex_derivatives",)
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "Bitfinex states no limit of its liquidation feed. Executions are counted, and triggers only where the "
        "system took the position over.",
        None,
        source=_DOCUMENTATION,
    )
    # "If there is no activity in the channel for 15 seconds, the Websocket server will send you a heartbeat message"
    # (_CONNECT). The status of a derivative comes every few seconds.
    heartbeat = Heartbeat(every=20.0, frame='{"event":"ping"}', dead_after=45.0, stale_after=60.0)
    # "20 connections per minute" of the public socket, "25 channels" each, "3 reqs/min" of the history.
    limits = Limits(lifetime=None, messages_per_second=2.0, connects_per_minute=15.0, requests_per_minute=3.0)
    endpoints = (Endpoint("wss://api-pub.bitfinex.com/ws/2", None, None, _CONNECT),)
    facts = Facts(
        channel="status, key liq:global",
        side="the sign of AMOUNT is the position's: positive is a liquidated long, negative a short",
        unit="AMOUNT counts coins",
        price="PRICE_ACQUIRED, what was paid; the base price, at which it had been opened, where that is missing",
        history="REST, 3 requests per minute: gaps are refilled",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        lists = "pub:list:pair:futures,pub:list:pair:margin,pub:map:currency:sym"
        return (Request(f"https://api-pub.bitfinex.com/v2/conf/{lists}"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        futures, margin, names = self.read(answer, tuple[list[str], list[str], list[tuple[str, str]]])
        coins = dict(names)
        found = ((f"t{pair}", _SYMBOL.match(f"t{pair}")) for pair in (*futures, *margin))
        return [
            _instrument(symbol, match["base"] or match["short"], match["quote"] or match["money"], coins)
            for symbol, match in found
            if match
        ]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets: the feed is of all pairs."""
        del instruments, assets
        return [Connection("status", self.endpoints[0].url, tuple(_subscription(key) for key in _KEYS))]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BitfinexDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        """One request whatever the assets: the history is of all pairs."""
        del instruments, assets
        return (_history(start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND)),)

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        _asked(request)
        events: list[Event] = []
        for row in self._page(answer):
            instrument = instruments.by_symbol.get(row.symbol) or _by_grammar(row.symbol)
            priced = _price(row)
            if instrument is None or priced is None or not row.amount or _sold_in_parts(row):
                continue
            event = _event(self.name, instrument, row, *priced, ts_recv)
            if event is not None:
                events.append(event)
        return [event for event in distinct(events) if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        start, end = _asked(request)
        times = [int(row.time) for row in self._page(answer)]
        if len(times) < _PAGE:
            return None
        # Rows of the last millisecond may be on both sides of the page's edge: asked for again, unless nothing else is.
        last = max(times)
        after = last if last > start else last + 1
        return _history(after, end) if after <= end else None

    def _page(self, answer: bytes) -> list[_Row]:
        return [row for rows in self.read(answer, list[list[_Row]], HistoryError) for row in rows]


def _subscription(key: str) -> Subscription:
    return Subscription(
        msgspec.json.encode({"event": "subscribe", "channel": "status", "key": key}).decode(),
        (key,),
        None if key == _KEYS[1] else (),
    )


def _history(start: int, end: int) -> Request:
    """The oldest page from `start` to `end`, both in milliseconds."""
    address = "https://api-pub.bitfinex.com/v2/liquidations/hist"
    return Request(f"{address}?start={start}&end={end}&limit={_PAGE}&sort=1")


def _asked(request: Request) -> tuple[int, int]:
    """Start and end of a request of ours. Raises `HistoryError`."""
    found = re.search(r"hist\?start=(\d+)&end=(\d+)&", request.url)
    if found is None:
        raise HistoryError("bitfinex", f"{request.url} is not one of its requests")
    return int(found[1]), int(found[2])
