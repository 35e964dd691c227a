"""OKX: liquidation orders of all swaps and futures, market-wide."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal

import msgspec

from liquake.model import (
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
    oddity,
)

_DOCUMENTATION = "https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel"
_CONNECT = "https://www.okx.com/docs-v5/en/#overview-websocket-connect"
_SERVICE_UPGRADE = "64008"

# "posSide": Position mode side, "side": Order side (the page above). The position is what was liquidated; where the
# account holds one net position, the forced order closes it: sell closes a long.
_LONG, _SHORT = Side.LONG, Side.SHORT
_POSITIONS = {"long": _LONG, "short": _SHORT}
_BANKRUPTCY = PriceBasis.BANKRUPTCY
_LINEAR, _INVERSE, _QUANTO = ContractKind.LINEAR, ContractKind.INVERSE, ContractKind.QUANTO
_DOLLARS = frozenset(("USD", "USDT", "USDC"))


class _Detail(msgspec.Struct, gc=False):
    bkPx: Positive  # noqa: N815 - the venue's name
    side: Literal["buy", "sell"]
    sz: Positive
    ts: Milliseconds
    posSide: Literal["long", "short", "net", ""] = "net"  # noqa: N815 - the venue's name


class _Row(msgspec.Struct, gc=False):
    instId: Symbol  # noqa: N815 - the venue's name
    details: list[_Detail] | None = None
    markPx: Positive | None = None  # noqa: N815 - the venue's name
    idxPx: Positive | None = None  # noqa: N815 - the venue's name
    last: Positive | None = None
    ts: Milliseconds | None = None


class _Named(msgspec.Struct, gc=False):
    """What a row has at least. The retired channel names the contract in the argument, and details are the rows."""

    instId: Symbol | None = None  # noqa: N815 - the venue's name
    details: list[object] | None = None


class _Frame(msgspec.Struct, gc=False):
    data: list[_Row]


_read = msgspec.json.Decoder(_Frame, strict=False).decode

# What closes a position by an order of its own side is odd, and not here.
SHAPE = Shape(
    '{"arg":{"channel":"liquidation-orders","instType":"',
    skipped(str),
    '"},"data":[{"details":[',
    rows(
        '{"bkLoss":"',
        skipped(str),
        '","bkPx":"',
        Positive,
        '","ccy":"',
        skipped(str),
        '","posSide":"',
        one_of(
            {
                'long","side":"sell': _LONG,
                'short","side":"buy': _SHORT,
                'net","side":"sell': _LONG,
                'net","side":"buy': _SHORT,
            }
        ),
        '","sz":"',
        Positive,
        '","ts":"',
        Milliseconds,
        '"}',
    ),
    '],"instFamily":"',
    skipped(str),
    '","instId":"',
    Symbol,
    '","instType":"',
    skipped(str),
    '","uly":"',
    skipped(str),
    '"}]}',
)
_COLUMNS = Columns("price side size milliseconds", _BANKRUPTCY, beside="rows symbol")


class _Argument(msgspec.Struct):
    channel: str = ""
    instType: str = ""  # noqa: N815 - the venue's name
    instId: str = ""  # noqa: N815 - the venue's name

    @property
    def topic(self) -> str:
        """What the channel is called in a status: "liquidation-orders:SWAP"."""
        return f"{self.channel}:{self.instId or self.instType}"


class _Answer(msgspec.Struct):
    event: str
    arg: _Argument | None = None
    code: str = ""
    msg: str = ""


_TOPICS = (
    {"channel": "liquidation-orders", "instType": "SWAP"},
    {"channel": "liquidation-orders", "instType": "FUTURES"},
    {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
)
_REFUSED = re.compile(r"channel:(?P<channel>[\w-]+)(,inst(Id|Type):(?P<what>[\w-]+))?")


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """A contract whose multiplier is not known: an asset, and no amounts. `None` for what cannot be a symbol."""
    base, _, rest = symbol.partition("-")
    if not base or not symbol.isprintable():
        return None
    asset, bundle = unbundle(base)
    return Instrument(symbol, asset, _INVERSE if rest.startswith("USD-") else _LINEAR, None, bundle)


class OkxDecoder(Decoder):
    """Reads `liquidation-orders`, the flat rows of the old `liquidations`, and prices."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, _by_grammar))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            rows = _read(frame).data
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        events: list[Event] = []
        for row in rows:
            symbol, details = row.instId, row.details
            instrument = self._listed(symbol) or _by_grammar(symbol)
            if instrument is None:
                events.append(self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"))
            elif details is not None:
                self._liquidations(details, instrument, frame, ts_recv, events)
            elif prices := self._prices(row, instrument, frame, ts_recv):
                events += prices
            else:
                return self.examine(frame, ts_recv)
        return distinct(events)

    def _liquidations(
        self, details: list[_Detail], instrument: Instrument, frame: bytes | str, ts_recv: int, events: list[Event]
    ) -> None:
        venue = self.venue
        for detail in details:
            closed = _LONG if detail.side == "sell" else _SHORT
            side = _POSITIONS.get(detail.posSide, closed)
            tags = () if side is closed else (oddity("side", detail.side),)
            # "sz": Quantity of liquidation, in contracts. "bkPx": the price of the transaction with the liquidation
            # account.
            event = normalised(
                venue, instrument, side, detail.bkPx, _BANKRUPTCY, detail.sz, detail.ts, ts_recv, None, tags
            )
            events.append(event or self.ahead(frame, ts_recv, detail.ts))

    def _prices(self, row: _Row, instrument: Instrument, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if row.ts is None:
            return ()
        told = ((PriceKind.MARK, row.markPx), (PriceKind.INDEX, row.idxPx), (PriceKind.LAST, row.last))
        return self.prices(instrument, told, row.ts, frame, ts_recv)

    def examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """As any other, but for the answer to a ping, which is no JSON."""
        return () if frame in (b"pong", "pong") else super().examine(frame, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not well-formed data of a subscribed channel: answers, old shapes, other channels, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of OKX"),)
        if "event" in message:
            return self._answer(message, frame, ts_recv)
        argument, rows = message.get("arg"), message.get("data")
        if not isinstance(argument, dict) or not isinstance(rows, list):
            return (self.failure(frame, ts_recv, "neither data nor an answer of OKX"),)
        if argument.get("channel") not in ("liquidation-orders", "liquidations", "mark-price"):
            return ()
        return distinct([event for row in rows for event in self._odd_row(row, argument, frame, ts_recv)])

    def _odd_row(self, row: object, argument: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each event of a row by itself, so that a bad one leaves the others standing."""
        try:
            named = msgspec.convert(row, _Named, strict=False)
            symbol = named.instId or msgspec.convert(argument.get("instId"), Symbol)
            instrument = self._listed(symbol) or _by_grammar(symbol)
            if instrument is None:
                return (self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"),)
            if argument.get("channel") == "mark-price":
                marked = msgspec.convert(row, _Row, strict=False)
                return self._prices(marked, instrument, frame, ts_recv) or (self.failure(frame, ts_recv, "no price"),)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        return self._odd_details([row] if named.details is None else named.details, instrument, frame, ts_recv)

    def _odd_details(
        self, details: list[object], instrument: Instrument, frame: bytes | str, ts_recv: int
    ) -> Sequence[Event]:
        events: list[Event] = []
        for detail in details:
            try:
                converted = msgspec.convert(detail, _Detail, strict=False)
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
            else:
                self._liquidations([converted], instrument, frame, ts_recv, events)
        return events

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            answer = msgspec.convert(message, _Answer, strict=False)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if answer.event == "subscribe" and answer.arg is not None:
            return (self.status(FeedState.SUBSCRIBED, ts_recv, answer.arg.topic),)
        if answer.event == "error":
            return (self.status(FeedState.REJECTED, ts_recv, _refused(answer), f"{answer.code} {answer.msg}".strip()),)
        if answer.event == "notice" and answer.code == _SERVICE_UPGRADE:
            return (self.status(FeedState.CLOSING, ts_recv, reason=answer.msg),)
        return ()


def _refused(answer: _Answer) -> str:
    """What an error speaks of: it repeats the argument only within its sentence."""
    if answer.arg is not None:
        return answer.arg.topic
    found = _REFUSED.search(answer.msg)
    return f"{found['channel']}:{found['what'] or ''}" if found else ""


class _Listed(msgspec.Struct):
    instId: str  # noqa: N815 - the venue's name
    ctVal: float | Literal[""] | None = None  # noqa: N815 - the venue's name
    ctMult: float | Literal[""] | None = None  # noqa: N815 - the venue's name
    ctType: str = ""  # noqa: N815 - the venue's name
    ctValCcy: str = ""  # noqa: N815 - the venue's name


class _InstrumentsAnswer(msgspec.Struct):
    data: list[_Listed]


def _instrument(row: _Listed) -> Instrument:
    base, _, rest = row.instId.partition("-")
    currency = rest.partition("-")[0]
    asset, bundle = unbundle(base)
    multiplier = (row.ctVal or 0.0) * (1.0 if row.ctMult in (None, "") else row.ctMult or 0.0)
    if currency and currency not in _DOLLARS:
        return Instrument(row.instId, asset, _QUANTO, None, bundle)
    if row.ctType == "inverse" and row.ctValCcy in ("USD", ""):
        return Instrument(row.instId, asset, _INVERSE, multiplier, bundle)
    if row.ctType == "linear" and row.ctValCcy in (base, ""):
        return Instrument(row.instId, asset, _LINEAR, multiplier, bundle)
    # A contract worth so much of some third currency: what that is in coins is not said here.
    return Instrument(row.instId, asset, _LINEAR, None, bundle)


class Okx(Venue):
    """OKX swaps and futures."""

    name = "okx"
    title = "OKX"
    recorded_as = ("okx_swap", "okx_futures")
    price_basis = PriceBasis.BANKRUPTCY
    aliases = ("okex",)
    rank = 3
    coverage = Coverage(
        CoverageKind.THROTTLED,
        "OKX says that this does not represent the total number of liquidations; at most about one per contract and "
        "second is published. Prices are bankruptcy prices, not fills.",
        None,
        Throttle.LATEST,
        1.0,
        source=_DOCUMENTATION,
    )
    # "the connection will break automatically if the subscription is not established or data has not been pushed for more
    # than 30 seconds" (_CONNECT); protocol pings do not count, the text "ping" does.
    heartbeat = Heartbeat(every=15.0, frame="ping", dead_after=40.0, stale_after=30.0)
    # "3 requests per second (based on IP)" to connect; 480 subscriptions an hour.
    limits = Limits(lifetime=None, messages_per_second=3.0, connects_per_minute=60.0)
    endpoints = (
        Endpoint("wss://ws.okx.com:8443/ws/v5/public", None, date(2026, 10, 30), _CONNECT),
        Endpoint("wss://ws.okx.com/ws/v5/public", None, None, _CONNECT, follows="wss://ws.okx.com:8443/ws/v5/public"),
    )
    facts = Facts(
        channel="liquidation-orders, instType SWAP and FUTURES",
        side="posSide is the position; where it is net, side is the order that closed it: sell closes a long",
        unit="sz counts contracts of ctVal x ctMult coins (linear) or dollars (inverse)",
        price="bkPx, the bankruptcy price",
        history="REST for about 7 days, undocumented by now: not used",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        address = "https://www.okx.com/api/v5/public/instruments?instType="
        return Request(f"{address}SWAP"), Request(f"{address}FUTURES")

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _InstrumentsAnswer).data
        return [_instrument(row) for row in rows]

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets: the channel is market-wide."""
        del instruments, assets
        subscriptions = tuple(
            Subscription(
                msgspec.json.encode({"op": "subscribe", "args": [topic]}).decode(),
                (msgspec.convert(topic, _Argument).topic,),
                None if "instType" in topic else (),
            )
            for topic in _TOPICS
        )
        return [Connection("public", self.endpoints[-1].url, subscriptions)]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return OkxDecoder(self.name, connection, instruments)
