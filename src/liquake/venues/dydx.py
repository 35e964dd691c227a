"""dYdX v4: every trade of every market, in which liquidations are marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

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
    Price,
    PriceBasis,
    PriceKind,
    Side,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, maybe, moment, one_of, passing, rows, skipped
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
)

_DOCUMENTATION = "https://docs.dydx.xyz/indexer-client/websockets#trades"
_INDEXER = "https://github.com/dydxprotocol/v4-chain/blob/main/indexer/services"

# A trade is made of "the taker order fill" of "liquidationOrder.liquidated!", the account that was liquidated
# (_INDEXER/ender/src/handlers/order-fills/liquidation-handler.ts): its side is that account's own. Who sold was long.
_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL, _LINEAR = PriceBasis.FILL, ContractKind.LINEAR
# Of the types LIMIT, LIQUIDATED, DELEVERAGED and TWAP_SUBORDER one is a liquidation: deleveraging closes the position of
# somebody else.
_LIQUIDATED = "LIQUIDATED"
_TRADES, _MARKETS = "v4_trades", "v4_markets"
_PRICED = "BTC-USD"
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "LINK", "LTC", "SUI")

# "V4_TRADES_CHANNEL_LIMIT: parseInteger({ default: 32 })", of one connection (_INDEXER/socks/src/config.ts).
_TRADES_PER_CONNECTION = 32
_HISTORY_ROWS = 1000

# Markets that anybody may list are named after all of a token: "FARTCOIN,RAYDIUM,9BB6...PUMP-USD".
_Market = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_FIRST_MILLISECOND = 10**12


class _Trade(msgspec.Struct, gc=False):
    id: Symbol
    side: Literal["BUY", "SELL"]
    size: Positive
    price: Positive
    createdAt: _Moment  # noqa: N815 - the venue's name
    type: str = "LIMIT"


class _Trades(msgspec.Struct, gc=False):
    trades: list[_Trade]


class _Listed(msgspec.Struct, gc=False):
    oraclePrice: Amount | None = None  # noqa: N815 - the venue's name


class _Prices(msgspec.Struct, gc=False):
    """All markets at first, then what changed of them: prices are not always among it."""

    markets: dict[_Market, _Listed] = {}
    oraclePrices: dict[_Market, _Listed] = {}  # noqa: N815 - the venue's name


class _TradesFrame(msgspec.Struct, gc=False, tag_field="channel", tag=_TRADES):
    type: Literal["subscribed", "channel_data", "channel_batch_data"]
    id: _Market
    contents: _Trades | list[_Trades]


class _MarketsFrame(msgspec.Struct, gc=False, tag_field="channel", tag=_MARKETS):
    type: Literal["subscribed", "channel_data", "channel_batch_data"]
    contents: _Prices | list[_Prices]


_read = msgspec.json.Decoder(_TradesFrame | _MarketsFrame, strict=False).decode

# The trades of one block, in batches as they are asked for. Other types, and what comes with a subscription, are rare.
SHAPE = Shape(
    '{"type":"channel_batch_data","connection_id":"',
    skipped(str),
    '","message_id":',
    skipped(int),
    ',"id":"',
    _Market,
    f'","channel":"{_TRADES}","version":"',
    skipped(str),
    '","contents":[{"trades":[',
    rows(
        '{"id":"',
        passing(Symbol),
        '","size":"',
        Positive,
        '","price":"',
        Positive,
        '","side":"',
        one_of({"SELL": _LONG, "BUY": _SHORT}),
        '","createdAt":"',
        moment(_FIRST_MILLISECOND),
        '","type":"',
        one_of({_LIQUIDATED: _LIQUIDATED, "LIMIT": None, "DELEVERAGED": None, "TWAP_SUBORDER": None}),
        '"',
        maybe(',"createdAtHeight":"', skipped(str), '"'),
        "}",
    ),
    "]}]}",
)
_COLUMNS = Columns("id size price side milliseconds forced", _FILL, beside="symbol rows", identity=("id",), unique=True)

# How the venue's errors call a subscription: "(v4_trades-XYZ-USD)", "for channel v4_trades-XYZ-USD. Please", "v4_trades.".
_TOPIC = re.compile(r"\b(?P<channel>v4_[a-z]+)(-(?P<market>[^\s()]+?))?(?=[.)\s]|$)")


@lru_cache(maxsize=4096)
def _by_name(market: str) -> Instrument | None:
    """The contract of `market`: sizes are in coins, prices in dollars. `None` for what cannot be a market."""
    base, _, currency = market.rpartition("-")
    if not base or not market.isprintable():
        return None
    asset, bundle = unbundle(base.partition(",")[0])
    return Instrument(market, asset or base, _LINEAR, 1.0 if currency == "USD" else None, bundle)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


class DydxDecoder(Decoder):
    """Reads `v4_trades` and the oracle prices of `v4_markets`, single or in batches."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan = SHAPE.reader(_COLUMNS, Contracts(venue, instruments, _by_name))
        # `v4_markets` is of all markets and told on every socket: each tells the prices of its own.
        self._priced = {_PRICED}

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan is not None and (found := self._scan(frame, ts_recv)) is not None:
            return found
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        if isinstance(message, _MarketsFrame):
            return self._prices(message, ts_recv)
        return self._trades(message, frame, ts_recv)

    def _trades(self, message: _TradesFrame, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        market, contents = message.id, message.contents
        instrument = self._listed(market) or _by_name(market)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"market {market!a} cannot be one"),)
        events = [self._subscribed(_TRADES, market, ts_recv)] if message.type == "subscribed" else []
        return events + [
            self._liquidation(trade, instrument, frame, ts_recv)
            for part in (contents if isinstance(contents, list) else (contents,))
            for trade in part.trades
            if trade.type == _LIQUIDATED
        ]

    def _subscribed(self, channel: str, market: str, ts_recv: int) -> Event:
        if market:
            self._priced.add(market)
        return self.status(FeedState.SUBSCRIBED, ts_recv, _topic(channel, market))

    def _liquidation(self, trade: _Trade, instrument: Instrument, frame: bytes | str, ts_recv: int) -> Event:
        milliseconds = _milliseconds(trade.createdAt)
        if milliseconds < _FIRST_MILLISECOND:
            return self.failure(frame, ts_recv, f"{trade.createdAt:%Y-%m-%d} is before there were liquidations")
        return _forced(self.venue, trade, instrument, milliseconds, ts_recv) or self.ahead(frame, ts_recv, milliseconds)

    def _prices(self, message: _MarketsFrame, ts_recv: int) -> Sequence[Event]:
        """Oracle prices, by which the venue liquidates. Not all of their frames have a time: as of their receipt."""
        events: list[Event] = []
        if message.type == "subscribed":
            events.append(self._subscribed(_MARKETS, "", ts_recv))
        contents = message.contents
        for part in contents if isinstance(contents, list) else (contents,):
            for told in (part.markets, part.oraclePrices):
                for market in self._priced & told.keys():
                    instrument, price = self._listed(market) or _by_name(market), told[market].oraclePrice
                    if instrument is not None and price:
                        asset = instrument.asset
                        events.append(Price(self.venue, market, asset, PriceKind.INDEX, price, ts_recv, ts_recv))
        return events

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed frame of a subscribed channel: answers, other channels, what is broken."""
        if not isinstance(message, dict) or "type" not in message:
            return (self.failure(frame, ts_recv, "neither data nor an answer of dYdX"),)
        kind, channel = message["type"], message.get("channel")
        if kind in ("connected", "unsubscribed", "pong"):
            return ()
        if kind == "error":
            return self._refused(message.get("message"), ts_recv)
        if kind not in ("subscribed", "channel_data", "channel_batch_data") or not isinstance(channel, str):
            return (self.failure(frame, ts_recv, "neither data nor an answer of dYdX"),)
        if channel == _TRADES:
            return self._odd_trades(message, frame, ts_recv)
        if channel == _MARKETS:
            return (self.failure(frame, ts_recv, f"{channel} cannot be read"),)
        return ()

    def _odd_trades(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each trade by itself, so that a bad one leaves the others standing."""
        try:
            market = msgspec.convert(message.get("id"), _Market)
            rows = list(_rows(message.get("contents")))
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        instrument = self._listed(market) or _by_name(market)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"market {market!a} cannot be one"),)
        events = [self._subscribed(_TRADES, market, ts_recv)] if message["type"] == "subscribed" else []
        for row in rows:
            try:
                trade = msgspec.convert(row, _Trade, strict=False)
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
            else:
                if trade.type == _LIQUIDATED:
                    events.append(self._liquidation(trade, instrument, frame, ts_recv))
        return events

    def _refused(self, message: object, ts_recv: int) -> Sequence[Event]:
        sentence = message if isinstance(message, str) else "an error without a sentence"
        found = _TOPIC.search(sentence)
        topic = _topic(found["channel"], found["market"] or "") if found else ""
        if "already subscribed" in sentence:
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        return (self.status(FeedState.REJECTED, ts_recv, topic, sentence),)


def _forced(venue: str, trade: _Trade, instrument: Instrument, milliseconds: int, ts_recv: int) -> Liquidation | None:
    side = _LONG if trade.side == "SELL" else _SHORT
    # "size": in coins. "price": what the maker got. "id": of the event on the chain, unique over all markets.
    return normalised(venue, instrument, side, trade.price, _FILL, trade.size, milliseconds, ts_recv, trade.id)


def _rows(contents: object) -> Iterator[object]:
    """The trades in `contents`, single or batched. Raises `ValueError` where there are none to be found."""
    for part in contents if isinstance(contents, list) else (contents,):
        trades = part.get("trades") if isinstance(part, dict) else None
        if not isinstance(trades, list):
            raise ValueError("contents without a list of trades")
        yield from trades


def _topic(channel: str, market: str) -> str:
    """How a subscription is called in statuses: "v4_trades:BTC-USD", "v4_markets"."""
    return f"{channel}:{market}" if market and market != channel else channel


class _Described(msgspec.Struct):
    ticker: _Market
    status: str = "ACTIVE"


class _MarketsAnswer(msgspec.Struct):
    markets: dict[str, _Described]


class Dydx(Venue):
    """dYdX v4, the chain, through its public indexer."""

    name = "dydx"
    title = "dYdX"
    price_basis = PriceBasis.FILL
    aliases = ("dydx_v4", "dydx-v4")
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "Every trade is published, and those that were liquidations are marked.",
        source=_DOCUMENTATION,
    )
    # "Every 30 seconds, the websocket API will send a heartbeat ping control frame" (the page above), which is answered
    # below us. Oracle prices are told when they move: at night not every second.
    heartbeat = Heartbeat(every=20.0, frame=None, dead_after=50.0, stale_after=90.0)
    # Two subscriptions to the same market per second, two invalid messages; how many sockets is not said. REST: 100
    # requests per 10 s.
    limits = Limits(lifetime=None, messages_per_second=10.0, connects_per_minute=60.0, requests_per_minute=300.0)
    endpoints = (Endpoint("wss://indexer.dydx.trade/v4/ws", source=_DOCUMENTATION),)
    facts = Facts(
        channel="v4_trades of every market, type LIQUIDATED",
        side="side is that of the liquidated account, which takes: SELL closes a long, BUY a short",
        unit="size counts coins; dollars are price times size",
        price="price, what was paid",
        history="REST trades of each market, and the latest 100 with each subscription: gaps are refilled",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://indexer.dydx.trade/v4/perpetualMarkets"),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        markets = self.read(answer, _MarketsAnswer).markets.values()
        found = (_by_name(market.ticker) for market in markets if market.status != "FINAL_SETTLEMENT")
        return [instrument for instrument in found if instrument is not None]

    def coin(self, symbol: str) -> str | None:
        named = _by_name(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """As many sockets as the limit of markets needs, each with the oracle's prices as proof of life."""
        url = self.endpoints[-1].url
        price, markets = _subscription(_MARKETS), _markets(instruments, assets)
        parts = [markets[at : at + _TRADES_PER_CONNECTION] for at in range(0, len(markets), _TRADES_PER_CONNECTION)]
        return [
            Connection(f"trades-{nth}", url, (price, *(_subscription(_TRADES, market) for market in part)))
            for nth, part in enumerate(parts, 1)
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return DydxDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        since = start // NANOSECONDS_PER_MILLISECOND
        before = -(-end // NANOSECONDS_PER_MILLISECOND)
        return tuple(_page(market, before, since) for market in _markets(instruments, assets))

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        market = _asked(request)
        instrument = instruments.by_symbol.get(market) or _by_name(market)
        if instrument is None:
            raise HistoryError(self.name, f"{market!a} cannot be a market")
        since = _since(request)
        told = (
            _forced(self.name, trade, instrument, moment, ts_recv)
            for moment, trade in self._dated(answer)
            if trade.type == _LIQUIDATED and moment >= since
        )
        return [event for event in told if event is not None]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        trades = self._dated(answer)
        if len(trades) < _HISTORY_ROWS:
            return None
        oldest, since = min(moment for moment, _ in trades), _since(request)
        older = _page(_asked(request), oldest, since)
        return older if oldest >= since and older != request else None

    def _dated(self, answer: bytes) -> list[tuple[int, _Trade]]:
        """The trades in `answer` with their times in milliseconds."""
        trades = self.read(answer, _Trades, HistoryError).trades
        return [(_milliseconds(trade.createdAt), trade) for trade in trades]


def _markets(instruments: Instruments, assets: Collection[str] | None) -> list[str]:
    if not instruments:
        return [f"{asset}-USD" for asset in assets or _MAJORS]
    return [symbol for symbol, instrument in instruments.items() if assets is None or instrument.asset in assets]


def _subscription(channel: str, market: str = "") -> Subscription:
    asked: dict[str, object] = {"type": "subscribe", "channel": channel}
    if market:
        asked |= {"id": market, "batched": True}
    return Subscription(msgspec.json.encode(asked).decode(), (_topic(channel, market),), (market,) if market else ())


def _page(market: str, before: int, since: int) -> Request:
    """The trades of `market` until `before`, newest first. The venue takes no beginning (both in milliseconds): `since`
    stands in the fragment, which is for ourselves and not sent."""
    moment = datetime.fromtimestamp(before / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    address = f"https://indexer.dydx.trade/v4/trades/perpetualMarket/{quote(market, safe='')}"
    return Request(f"{address}?limit={_HISTORY_ROWS}&createdBeforeOrAt={moment}#{since}")


def _asked(request: Request) -> str:
    return unquote(urlsplit(request.url).path.rpartition("/")[2])


def _since(request: Request) -> int:
    return int(urlsplit(request.url).fragment or 0)
