"""Lighter: the trades of every market, in which liquidations have a list of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Annotated, Literal

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
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, either, maybe, one_of, rows, skipped, written
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

_DOCUMENTATION = "https://apidocs.lighter.xyz/docs/websocket-reference"
_MARKET_DATA = "https://apidocs.lighter.xyz/docs/market-data"

# "is_maker_ask": BOOLEAN (_DOCUMENTATION). The forced order takes: where the maker asked, it bought, and closed a short.
_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL, _LINEAR = PriceBasis.FILL, ContractKind.LINEAR
_KINDS = ((PriceKind.MARK, "mark_price"), (PriceKind.INDEX, "index_price"), (PriceKind.LAST, "last_trade_price"))
# Neither is a liquidation: one closes the position of somebody else, the other everybody's of a market that ends.
_NOT_FORCED = frozenset(("trade", "deleverage", "market-settlement"))

# "market_id: Index used everywhere else" (_MARKET_DATA). These two have been there from the beginning: they stand in
# while the venue has not told its list.
_FIRST_MARKETS = {"0": "ETH", "1": "BTC"}
_BITCOIN = "1"

# "Subscriptions per connection: 100", "Max Messages Per Minute: 200" of one address (_DOCUMENTATION).
_TRADES_PER_CONNECTION = 99

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Position = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]


class _Trade(msgspec.Struct, gc=False, kw_only=True):
    """In the order in which the venue writes the fields, which msgspec finds them in fastest."""

    trade_id: _Number
    type: str = "liquidation"
    market_id: _Number
    size: Positive
    price: Positive
    usd_amount: Amount = 0.0
    is_maker_ask: bool
    timestamp: Milliseconds
    taker_position_size_before: _Position | Literal[""] = 0.0


class _Statistics(msgspec.Struct, gc=False):
    market_id: _Number
    mark_price: Amount = 0.0
    index_price: Amount = 0.0
    last_trade_price: Amount = 0.0


class _Frame(msgspec.Struct, gc=False):
    type: str
    channel: Symbol = "none"
    liquidation_trades: list[_Trade] | None = None
    market_stats: _Statistics | None = None
    timestamp: Milliseconds | None = None


_read = msgspec.json.Decoder(_Frame, strict=False).decode


def _left(*names: str, kind: object = str) -> list[object]:
    """Fields that may be there, each by itself, and are of no use to us."""
    quote = '"' if kind is str else ""
    return [maybe(f',"{name}":{quote}', skipped(kind), quote) for name in names]


def _trade(kind: str, told: Callable[[object], object]) -> tuple[object, ...]:
    """A trade of type `kind`, with `told` for what is read of it. Which others there are differs: what is 0 is left out."""
    flag = Literal["true", "false"]
    numbered = ("ask_id", "bid_id", "ask_client_id", "bid_client_id")
    return (
        '{"trade_id":',
        told(_Number),
        ',"trade_id_str":"',
        skipped(str),
        '","tx_hash":"',
        skipped(str),
        f'","type":"{kind}","market_id":',
        told(written(_Number)),
        ',"size":"',
        told(Positive),
        '","price":"',
        told(Positive),
        '","usd_amount":"',
        told(Amount),
        '"',
        *(maybe(f',"{name}":', skipped(int), f',"{name}_str":"', skipped(str), '"') for name in numbered),
        *_left("ask_account_id", "bid_account_id", kind=int),
        ',"is_maker_ask":',
        told(one_of({"true": _SHORT, "false": _LONG})),
        *_left("block_height", kind=int),
        ',"timestamp":',
        told(Milliseconds),
        *_left("taker_fee", kind=int),
        maybe(',"taker_position_size_before":"', told(_Position), '"'),
        *_left("taker_entry_quote_before"),
        *_left("taker_initial_margin_fraction_before", kind=int),
        *_left("taker_position_sign_changed", kind=flag),
        *_left("maker_fee", kind=int),
        *_left("maker_position_size_before", "maker_entry_quote_before"),
        *_left("maker_initial_margin_fraction_before", kind=int),
        *_left("maker_position_sign_changed", kind=flag),
        *_left(
            "transaction_time", "taker_allocated_margin_usdc_before", "maker_allocated_margin_usdc_before", kind=int
        ),
        "}",
    )


SHAPE = Shape(
    '{"type":"update/trade","channel":"',
    skipped(Symbol),
    '","nonce":',
    skipped(int),
    ",",
    either(('"trades":[],',), ('"trades":[', skipped(rows(*_trade("trade", skipped))), "],")),
    '"liquidation_trades":[',
    rows(*_trade("liquidation", lambda kind: kind)),
    "]}",
)
_COLUMNS = Columns(
    "trade symbol size price usd side milliseconds before", _FILL, beside="rows", identity=("symbol", "|", "trade")
)
_Forced = tuple[int, str, float, float, float, Side, int, float | None]
"""A liquidation: trade_id, market_id, size, price, usd_amount, the closed side, timestamp, taker_position_size_before."""

_ALREADY = re.compile(r"already subscribed to\W*(?P<topic>\w+:\w+)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _by_number(market: str) -> Instrument:
    """What is known of a market that the venue's list has not told: of most, not even the coin."""
    asset = _FIRST_MARKETS.get(market)
    return Instrument(market, asset or market, _LINEAR, 1.0 if asset else None, code=market)


def _closed(trade: _Trade) -> Side | None:
    """The position that `trade` closed; `None` where the taker had no such one, and so was not who was liquidated."""
    side = _SHORT if trade.is_maker_ask else _LONG
    return side if _had(side, trade.taker_position_size_before) else None


def _had(side: Side, before: float | str | None) -> bool:
    """Whether a taker with a position of `before`, where that is told, had one of `side`."""
    return not before or isinstance(before, str) or (before > 0.0) is (side is _LONG)


def _agrees(size: float, price: float, usd: float) -> bool:
    """Whether `size` and `price` are in the units of nearly all markets: then their product is `usd`, if that is told."""
    notional = size * price
    return not usd or abs(usd - notional) <= 0.01 * notional + 1e-5


class LighterDecoder(Decoder):
    """Reads `trade` and `market_stats`."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_code.get
        self._scan = SHAPE.scan
        self._make = SHAPE.maker(_COLUMNS, Contracts(venue, instruments, _by_number))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame)) is not None:
            made = self._forced(found[0], ts_recv)
            if made is not None:
                return made
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        kind = message.type
        if kind == "update/trade":
            return self._liquidations(message, frame, ts_recv)
        action, _, channel = kind.partition("/")
        if action not in ("update", "subscribed") or not channel:
            return self.examine(frame, ts_recv)
        events: list[Event] = []
        if action == "subscribed":
            events.append(self.status(FeedState.SUBSCRIBED, ts_recv, message.channel))
        if channel == "trade":
            events += self._liquidations(message, frame, ts_recv)
        elif message.market_stats is not None:
            events += self._prices(message.market_stats, message.timestamp, frame, ts_recv)
        return events

    def _forced(self, rows: tuple[_Forced, ...], ts_recv: int) -> Sequence[Event] | None:
        """The liquidations in scanned rows; `None` where these are not plain."""
        for _, _, size, price, usd, side, _, before in rows:
            if not _had(side, before) or not _agrees(size, price, usd):
                return None
        made = None if self._make is None else self._make(rows, ts_recv)
        return None if made is None else [self._named(event) for event in made]

    def _named(self, event: Event) -> Event:
        """`event` under the name of the market that it has the number of."""
        assert isinstance(event, Liquidation)
        listed = self._listed(event.instrument)
        return event if listed is None else msgspec.structs.replace(event, instrument=listed.symbol)

    def _liquidations(self, message: _Frame, frame: bytes | str, ts_recv: int) -> list[Event]:
        rows = message.liquidation_trades or ()
        return [self._liquidation(trade, frame, ts_recv) for trade in rows if trade.type not in _NOT_FORCED]

    def _liquidation(self, trade: _Trade, frame: bytes | str, ts_recv: int) -> Event:
        side = _closed(trade)
        if side is None:
            return self.failure(frame, ts_recv, "liquidation by a taker who had no such position to close")
        market, size, price, moment = str(trade.market_id), trade.size, trade.price, trade.timestamp
        instrument = self._listed(market) or _by_number(market)
        tags = () if trade.type == "liquidation" else (oddity("type", trade.type),)
        if not _agrees(size, price, trade.usd_amount):
            # A market whose size or price is in some other unit than all others': what that is worth is not said.
            instrument = msgspec.structs.replace(instrument, multiplier=None)
            tags = (*tags, oddity("usd_amount", trade.usd_amount))
        key = f"{market}|{trade.trade_id}"
        # "size": in coins, thousands of them where the name begins with 1000. "price": what was paid.
        event = normalised(self.venue, instrument, side, price, _FILL, size, moment, ts_recv, key, tags)
        return event or self.ahead(frame, ts_recv, moment)

    def _prices(self, told: _Statistics, milliseconds: int | None, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        ts_event = ts_recv if milliseconds is None else milliseconds * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, ts_event // NANOSECONDS_PER_MILLISECOND),)
        market = str(told.market_id)
        instrument = self._listed(market) or _by_number(market)
        return [
            Price(self.venue, instrument.symbol, instrument.asset, kind, price, ts_event, ts_recv)
            for kind, name in _KINDS
            if (price := getattr(told, name))
        ]

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed frame of a subscribed channel: answers, other channels, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of Lighter"),)
        if "error" in message:
            return self._refused(message["error"], ts_recv)
        kind = message.get("type")
        if kind in ("connected", "pong", "unsubscribed"):
            return ()
        if kind == "ping":
            self.replies.append('{"type":"pong"}')
            return ()
        if kind == "shutdown":
            return (self.status(FeedState.CLOSING, ts_recv, reason="shutdown"),)
        if kind in ("subscribed/trade", "update/trade"):
            return self._odd_trades(message, frame, ts_recv)
        if kind in ("subscribed/market_stats", "update/market_stats") and message.get("channel") != "market_stats:all":
            return (self.failure(frame, ts_recv, "market_stats cannot be read"),)
        if isinstance(kind, str) and kind.startswith(("subscribed/", "update/")):
            return ()
        return (self.failure(frame, ts_recv, "neither data nor an answer of Lighter"),)

    def _odd_trades(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each liquidation by itself, so that a bad one leaves the others standing."""
        rows, channel = message.get("liquidation_trades"), message.get("channel")
        if not isinstance(rows, list):
            return (self.failure(frame, ts_recv, "liquidation_trades is not a list"),)
        events: list[Event] = []
        if message["type"] == "subscribed/trade" and isinstance(channel, str):
            events.append(self.status(FeedState.SUBSCRIBED, ts_recv, channel))
        for row in rows:
            try:
                trade = msgspec.convert(row, _Trade, strict=False)
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
            else:
                if trade.type not in _NOT_FORCED:
                    events.append(self._liquidation(trade, frame, ts_recv))
        return events

    def _refused(self, error: object, ts_recv: int) -> Sequence[Event]:
        """`{"code":30005,"message":"Invalid Channel"}`: which one is seldom said."""
        told = error if isinstance(error, dict) else {}
        words = [str(told[name]) for name in ("code", "message") if isinstance(told.get(name), str | int)]
        sentence = " ".join(words) or "an error without a sentence"
        if found := _ALREADY.search(sentence):
            return (self.status(FeedState.SUBSCRIBED, ts_recv, found["topic"]),)
        return (self.status(FeedState.REJECTED, ts_recv, "", sentence),)


class _Listed(msgspec.Struct):
    symbol: Symbol
    market_id: _Number
    status: str = "active"
    market_type: str = "perp"


class _Details(msgspec.Struct):
    order_book_details: list[_Listed]


class Lighter(Venue):
    """Lighter's perpetual markets."""

    name = "lighter"
    title = "Lighter"
    price_basis = PriceBasis.FILL
    aliases = ("zklighter",)
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "Every trade is published, and those that were liquidations are in a list of their own.",
        source=_DOCUMENTATION,
    )
    # "Keepalive: send something at least every 2 minutes" (_MARKET_DATA).
    heartbeat = Heartbeat(every=25.0, frame='{"type":"ping"}', dead_after=60.0, stale_after=30.0)
    # 200 messages a minute for all sockets of an address together: at most three of them are ever subscribing.
    limits = Limits(lifetime=None, messages_per_second=1.0, connects_per_minute=60.0)
    endpoints = (Endpoint("wss://mainnet.zklighter.elliot.ai/stream", source=_DOCUMENTATION),)
    facts = Facts(
        channel="trade/{market}, liquidation_trades",
        side="the forced order takes: is_maker_ask false is a sale, which closes a long, true a short",
        unit="size counts coins, thousands of them where the name begins with 1000; dollars are price times size",
        price="price, what was paid",
        history="the latest of each market come with each subscription: short gaps are refilled",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://mainnet.zklighter.elliot.ai/api/v1/orderBookDetails"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _Details).order_book_details
        return [_instrument(row) for row in rows if row.status == "active" and row.market_type == "perp"]

    def coin(self, symbol: str) -> str | None:
        return _by_number(symbol).asset if symbol in _FIRST_MARKETS else unbundle(symbol)[0] or None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """As many sockets as the limit of subscriptions needs, each with the price of BTC as proof of life."""
        listed = (instruments or Instruments(map(_by_number, _FIRST_MARKETS))).by_code
        markets = sorted((each for each in listed if assets is None or listed[each].asset in assets), key=int)
        bitcoin = next((each for each in listed if listed[each].asset == "BTC"), _BITCOIN)
        url, price = f"{self.endpoints[-1].url}?readonly=true", _subscription("market_stats", bitcoin)
        parts = [markets[at : at + _TRADES_PER_CONNECTION] for at in range(0, len(markets), _TRADES_PER_CONNECTION)]
        return [
            Connection(
                f"trades-{nth}",
                url,
                (price, *(_subscription("trade", market, listed[market].symbol) for market in part)),
            )
            for nth, part in enumerate(parts, 1)
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return LighterDecoder(self.name, connection, instruments)


def _instrument(row: _Listed) -> Instrument:
    asset, bundle = unbundle(row.symbol)
    return Instrument(row.symbol, asset, _LINEAR, 1.0, bundle, code=str(row.market_id))


def _subscription(channel: str, market: str, *symbols: str) -> Subscription:
    frame = msgspec.json.encode({"type": "subscribe", "channel": f"{channel}/{market}"}).decode()
    return Subscription(frame, (f"{channel}:{market}",), symbols)
