"""HTX: liquidation orders of all contracts, in gzip frames whose pings want an answer."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from liquake.errors import HistoryError, InstrumentsError
from liquake.model import (
    FUTURE_TOLERANCE,
    NANOSECONDS_PER_MILLISECOND,
    ContractKind,
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    Gap,
    Instrument,
    Instruments,
    Liquidation,
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

_DOCUMENTATION = (
    "https://huobiapi.github.io/docs/usdt_swap/v1/en/#general-subscribe-liquidation-orders-no-authentication-sub"
)
_COIN_SWAPS = "https://huobiapi.github.io/docs/coin_margined_swap/v1/en/"
_COIN_FUTURES = "https://huobiapi.github.io/docs/dm/v1/en/"
_HEARTBEAT = "https://huobiapi.github.io/docs/usdt_swap/v1/en/#market-heartbeat"
_TOPIC = "public.*.liquidation_orders"
_SUFFIX = ".liquidation_orders"
_DETAIL = "market.BTC-USDT.detail"

# "direction": "buy", "sell", of the order, whatever the coin-margined page's "Long or short" says: the history, whose
# trade_type 5 is "Liquidate long positions", has direction sell on them.
_LONG, _SHORT = Side.LONG, Side.SHORT
_BANKRUPTCY = PriceBasis.BANKRUPTCY
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_OFFSETS = frozenset(("close", "open", "both"))
_GZIP = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b"
_BIGGEST_FRAME = 16 * 1024 * 1024
# "maximum query window size is 2 hours" (_DOCUMENTATION, Query Liquidation Orders).
_WINDOW = 2 * 3600 * 1000
# "Repeated subscription": it is subscribed.
_REPEATED = 2014
_OK = 200
# Less than any coin can be split into: then there is no amount.
_LEAST = 1e-18
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "LINK", "LTC", "SUI")


class _Row(msgspec.Struct, gc=False):
    contract_code: Symbol
    direction: Literal["buy", "sell"]
    volume: Positive
    price: Positive
    created_at: Milliseconds
    offset: str = "close"
    amount: Amount | None = None
    trade_turnover: Amount | None = None


class _Frame(msgspec.Struct, gc=False, tag_field="op", tag="notify"):
    topic: str
    data: list[_Row]


class _Tick(msgspec.Struct, gc=False):
    close: Positive


class _Detail(msgspec.Struct, gc=False):
    ch: str
    ts: Milliseconds
    tick: _Tick


class _Ping(msgspec.Struct, gc=False):
    """Of the order sockets by `op`, of the market sockets by `ping`."""

    op: str = ""
    ts: msgspec.Raw = msgspec.Raw(b"")
    ping: msgspec.Raw = msgspec.Raw(b"")


class _Answer(msgspec.Struct, rename="kebab"):
    op: str = ""
    topic: str = ""
    id: str = ""
    status: str = ""
    subbed: str = ""
    err_code: int | str = ""
    err_msg: str = ""


_read = msgspec.json.Decoder(_Frame, strict=False).decode
_read_detail = msgspec.json.Decoder(_Detail, strict=False).decode
_read_ping = msgspec.json.Decoder(_Ping).decode
# What is sent back must be a number or a plain text: nothing else of theirs is repeated.
_ECHOED = re.compile(rb'-?\d{1,20}|"[\w.:+-]{1,40}"')

_LINEAR_CODE = re.compile(r"^(?P<base>\w+)-(USDT|USDC|HUSD)(-\d{6})?$")
_INVERSE_CODE = re.compile(r"^(?P<base>[A-Z0-9]+?)(-USD|\d{6})$")


@lru_cache(maxsize=4096)
def _by_grammar(code: str) -> Instrument | None:
    """What the code says of a contract that is not listed; `None` for no code.

    BTC-USD and BTC261225 are inverse; BTC-USDT and BTC-USDT-261225 are linear, of a size that the code does not tell.
    """
    if found := _LINEAR_CODE.match(code):
        asset, bundle = unbundle(found["base"])
        return Instrument(code, asset, _LINEAR, None, bundle)
    if found := _INVERSE_CODE.match(code):
        base = found["base"]
        # "Contract Value (USD of one contract)": 100 of BTC, 10 of all others (_COIN_SWAPS, _COIN_FUTURES).
        return Instrument(code, base, _INVERSE, 100.0 if base == "BTC" else 10.0)
    return Instrument(code, code, _LINEAR, None) if code.isprintable() else None


def _inflated(frame: bytes | str) -> bytes | str:
    """`frame` as JSON text; HTX compresses all. Raises `ValueError`."""
    if isinstance(frame, str) or not frame.startswith(_GZIP_MAGIC):
        return frame
    inflater = zlib.decompressobj(_GZIP)
    try:
        text = inflater.decompress(frame, _BIGGEST_FRAME)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not inflater.eof:
        raise ValueError("gzip data is cut off, or holds more than a frame may")
    return text


class HtxDecoder(Decoder):
    """Reads `liquidation_orders`, `detail`, the pings of both kinds of socket, and answers of the REST history."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            content = _inflated(frame)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        try:
            message = _read(content)
        except (ValueError, RecursionError):
            return self._examine(content, frame, ts_recv)
        if message.topic.endswith(_SUFFIX):
            rows = message.data
            if len(rows) == 1:
                return (self.liquidation(rows[0], frame, ts_recv),)
            return distinct([self.liquidation(row, frame, ts_recv) for row in rows])
        return ()

    def liquidation(self, row: _Row, frame: bytes | str, ts_recv: int) -> Event:
        """The liquidation in a row of the stream or of the history: they are alike."""
        code = row.contract_code
        instrument = self._listed(code) or _by_grammar(code)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {code!a} cannot be one")
        side = _LONG if row.direction == "sell" else _SHORT
        tags = () if row.offset in _OFFSETS else (oddity("offset", row.offset),)
        # "volume: liquidation volume (cont)", "price: bankruptcy price" (_DOCUMENTATION).
        event = normalised(
            self.venue,
            instrument,
            side,
            row.price,
            _BANKRUPTCY,
            row.volume,
            row.created_at,
            ts_recv,
            None,
            tags,
        )
        if event is None:
            return self.ahead(frame, ts_recv, row.created_at)
        return _with_amounts(event, row, instrument) if (row.amount or 0.0) >= _LEAST else event

    def _price(self, detail: _Detail, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        code = detail.ch.split(".")[1]
        instrument = self._listed(code) or _by_grammar(code)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {code!a} cannot be one"),)
        ts_event = detail.ts * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, detail.ts),)
        return (Price(self.venue, code, instrument.asset, PriceKind.LAST, detail.tick.close, ts_event, ts_recv),)

    def _examine(self, content: bytes | str, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is no well-formed liquidation: pings, prices, answers, the history, other topics, what is broken."""
        if self._answered(content):
            return ()
        try:
            message = parse(content)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of HTX"),)
        channel, operation = message.get("ch"), message.get("op")
        if isinstance(channel, str):
            return self._market(channel, content, frame, ts_recv)
        if operation == "notify":
            return self._notified(message, frame, ts_recv)
        if operation == "close":
            return (self.status(FeedState.CLOSING, ts_recv, reason="HTX closes the connection"),)
        if operation is None and "data" in message:
            return self._past(message, frame, ts_recv)
        return self._answer(message, frame, ts_recv)

    def _answered(self, content: bytes | str) -> bool:
        """Whether it was a ping; its number, which is a text on some sockets, goes back exactly as it came."""
        try:
            ping = _read_ping(content)
        except (ValueError, RecursionError):
            return False
        if ping.op == "ping" and _ECHOED.fullmatch(stamp := bytes(ping.ts)):
            self.replies.append(f'{{"op":"pong","ts":{stamp.decode()}}}')
        elif not ping.op and _ECHOED.fullmatch(stamp := bytes(ping.ping)):
            self.replies.append(f'{{"pong":{stamp.decode()}}}')
        else:
            return False
        return True

    def _market(self, channel: str, content: bytes | str, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if not re.fullmatch(r"market\.[^.]+\.detail", channel):
            return ()
        try:
            return self._price(_read_detail(content), frame, ts_recv)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)

    def _notified(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        topic, rows = message.get("topic"), message.get("data")
        if not isinstance(topic, str):
            return (self.failure(frame, ts_recv, "topic is not text"),)
        if not topic.endswith(_SUFFIX):
            return ()
        return self._odd_rows(rows if isinstance(rows, list) else [rows], frame, ts_recv)

    def _past(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """The history as v3 has it, a list, and as v1 had it, a page of orders."""
        data = message["data"]
        rows = data.get("orders") if isinstance(data, dict) else data
        if not isinstance(rows, list):
            return (self.failure(frame, ts_recv, "neither data nor an answer of HTX"),)
        return self._odd_rows(rows, frame, ts_recv)

    def _odd_rows(self, rows: list[object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each row by itself, so that a bad one leaves the others standing."""
        events: list[Event] = []
        for row in rows:
            try:
                events.append(self.liquidation(msgspec.convert(row, _Row, strict=False), frame, ts_recv))
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
        return distinct(events)

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """`{"op":"sub","topic":..,"err-code":0}`, or of a market socket `{"status":"ok","subbed":..}`."""
        try:
            answer = msgspec.convert(message, _Answer)
        except ValueError:
            return (self.failure(frame, ts_recv, "neither data nor an answer of HTX"),)
        if answer.op == "unsub":
            return ()
        topic = answer.topic or answer.subbed or answer.id
        if answer.status == "ok" or (answer.op == "sub" and answer.err_code in (0, _REPEATED)):
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        if answer.err_code != "":
            return (self.status(FeedState.REJECTED, ts_recv, topic, f"{answer.err_code} {answer.err_msg}".strip()),)
        return (self.failure(frame, ts_recv, "neither data nor an answer of HTX"),)


def _with_amounts(event: Liquidation, row: _Row, instrument: Instrument) -> Liquidation:
    """`event` with the amounts that the venue tells: those need no size of a contract, which may have changed."""
    # "amount: liquidation amount (token)", "trade_turnover: liquidation amount (quotation token)" (_DOCUMENTATION).
    amount = row.amount or 0.0
    turnover = row.trade_turnover if instrument.kind is _LINEAR else None
    usd = turnover or amount * row.price
    return msgspec.structs.replace(event, amount=amount * instrument.bundle, usd=usd)


class _Listed(msgspec.Struct):
    contract_code: str
    contract_size: float
    contract_status: int = 1


class _ContractInfo(msgspec.Struct):
    data: list[_Listed]


# "0: Delisting", "8: Delivered".
_ENDED = (0, 8)


def _instrument(row: _Listed) -> Instrument:
    by_code = _by_grammar(row.contract_code) or Instrument(row.contract_code, row.contract_code, _LINEAR, None)
    if not (_LINEAR_CODE.match(row.contract_code) or _INVERSE_CODE.match(row.contract_code)):
        return by_code
    return msgspec.structs.replace(by_code, multiplier=row.contract_size)


class _Past(_Row):
    query_id: int = 0


class _History(msgspec.Struct):
    data: list[_Past]
    code: int = _OK


class Htx(Venue):
    """HTX's USDT-margined contracts, coin-margined swaps and coin-margined futures."""

    name = "htx"
    title = "HTX"
    price_basis = PriceBasis.BANKRUPTCY
    aliases = ("huobi", "htx_futures", "huobi_dm", "hbdm")
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "HTX pushes its liquidation orders as they are and states no limit. Prices are bankruptcy prices, not fills.",
        source=_DOCUMENTATION,
    )
    # The sockets of orders have no prices at all, so their absence proves nothing there. But the server pings: "every 5
    # seconds" (_HEARTBEAT), on both kinds of socket, and what does not ping is dead. When the prices stop that come on a
    # socket of their own, the history is asked for all of it.
    heartbeat = Heartbeat(every=20.0, frame=None, dead_after=20.0, stale_after=30.0)
    # "240 times every 3 second at most for each IP" of REST; a quarter of that is asked for.
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=60.0, requests_per_minute=1200.0)
    endpoints = (
        Endpoint("wss://api.hbdm.com/linear-swap-notification", None, None, _DOCUMENTATION),
        Endpoint("wss://api.hbdm.com/swap-notification", None, None, _COIN_SWAPS),
        Endpoint("wss://api.hbdm.com/notification", None, None, _COIN_FUTURES),
        Endpoint("wss://api.hbdm.com/linear-swap-ws", None, None, _HEARTBEAT),
    )
    facts = Facts(
        channel=_TOPIC,
        side="direction is of the order: sell closes a long, buy a short",
        unit="volume counts contracts; amount is in coins and trade_turnover in dollars where they are told, else "
        "volume times contract_size coins (linear) or dollars (100 of BTC, 10 of others)",
        price="the bankruptcy price; no fill is published",
        history="REST per contract, windows of 2 hours, 90 days",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        # Coin-margined futures are told by their codes alone.
        return (
            Request("https://api.hbdm.com/linear-swap-api/v1/swap_contract_info?business_type=all"),
            Request("https://api.hbdm.com/swap-api/v1/swap_contract_info"),
        )

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        try:
            rows = msgspec.json.decode(answer, type=_ContractInfo, strict=False).data
        except (ValueError, RecursionError) as error:
            raise InstrumentsError(self.name, str(error)) from None
        return [_instrument(row) for row in rows if row.contract_status not in _ENDED]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """A socket per product whatever the assets, for the topic is of all contracts, and one of prices."""
        del instruments, assets
        orders = {"op": "sub", "cid": "liquake", "topic": _TOPIC}
        prices = {"sub": _DETAIL, "id": _DETAIL}
        *products, market = self.endpoints
        names = ("linear", "coin-swaps", "coin-futures")
        return [
            *(
                Connection(name, product.url, (_subscription(orders, _TOPIC),), priced=False)
                for name, product in zip(names, products, strict=True)
            ),
            Connection("prices", market.url, (_subscription(prices, _DETAIL),)),
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return HtxDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        """One request per perpetual contract and window: "contract" is required."""
        first, last = start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND)
        return tuple(
            _past_request(code, since, min(since + _WINDOW, last))
            for code in _wanted(instruments, assets)
            for since in range(first, max(last, first + 1), _WINDOW)
        )

    def refills(self, gap: Gap) -> bool:
        """There is no history of the coin-margined futures, and when the prices fall silent all sockets may have."""
        return gap.connection in ("linear", "coin-swaps")

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        del request
        decoder = HtxDecoder(self.name, "history", instruments)
        events = distinct([decoder.liquidation(row, answer, ts_recv) for row in self._rows(answer)])
        return [event for event in events if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        # "If the query direction is prev, from_id should be the min query_id in the last query result".
        oldest = min((row.query_id for row in self._rows(answer)), default=0)
        before = parse_qs(urlsplit(request.url).query).get("from_id", ["0"])[0]
        if not oldest or oldest >= int(before) > 0:
            return None
        return Request(f"{request.url.partition('&from_id=')[0]}&from_id={oldest}")

    def _rows(self, answer: bytes) -> list[_Past]:
        try:
            history = msgspec.json.decode(answer, type=_History, strict=False)
        except (ValueError, RecursionError) as error:
            raise HistoryError(self.name, str(error)) from None
        if history.code != _OK:
            raise HistoryError(self.name, f"it answers with code {history.code}")
        return history.data


def _wanted(instruments: Instruments, assets: Collection[str] | None) -> Iterator[str]:
    if not instruments:
        yield from (f"{asset}-USDT" for asset in assets or _MAJORS)
        return
    for code, instrument in instruments.items():
        if code.count("-") == 1 and (assets is None or instrument.asset in assets):
            yield code


def _subscription(request: dict[str, str], topic: str) -> Subscription:
    return Subscription(msgspec.json.encode(request).decode(), (topic,), None if topic == _TOPIC else ())


def _past_request(code: str, since: int, until: int) -> Request:
    product = "swap-api" if code.endswith("-USD") else "linear-swap-api"
    address = f"https://api.hbdm.com/{product}/v3/swap_liquidation_orders"
    return Request(f"{address}?contract={code}&trade_type=0&start_time={since}&end_time={until}&direct=prev")
