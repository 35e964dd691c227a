"""Deribit: trades that were liquidations, which the venue says an hour later. The socket carries prices only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

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
from liquake.venues.venue import (
    Connection,
    Decoder,
    Endpoint,
    Facts,
    Heartbeat,
    Limits,
    Milliseconds,
    Poll,
    Positive,
    Request,
    Subscription,
    Symbol,
    Venue,
)

_DOCUMENTATION = "https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_currency_and_time"
_CONNECT = "https://docs.deribit.com/articles/json-rpc-overview"
_HEARTBEAT = "https://docs.deribit.com/api-reference/session-management/public-set_heartbeat"
_HISTORY = "https://history.deribit.com/api/v2/public/get_last_trades_by_currency_and_time"
_INSTRUMENTS = "https://www.deribit.com/api/v2/public/get_instruments?currency=any&kind=future&expired=false"
_TRADES, _TICKERS = "trades.", "ticker."
# The ids of our requests, by which their answers are told apart.
_HEARTBEATS, _PRICES, _TESTING = 1, 2, 3

# "direction": Trade direction of the taker. "liquidation": "M" when maker side of trade was under liquidation, "T" when
# taker side was under liquidation, "MT" when both sides of trade were under liquidation (_DOCUMENTATION).
_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL = PriceBasis.FILL
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_DOLLARS = frozenset(("USD", "USDC", "USDT"))
# Futures are settled in one of these; USDC has those of every coin.
_CURRENCIES = ("BTC", "ETH", "USDC")
_PAGE = 1000
_LONGEST = 1_800_000
"""Milliseconds asked for at first: about as long as a page reaches on a busy day."""


class _Trade(msgspec.Struct, gc=False):
    """In the order in which the venue writes the fields, which msgspec finds them in fastest."""

    timestamp: Milliseconds
    price: Positive
    amount: Positive
    direction: Literal["buy", "sell"]
    instrument_name: Symbol
    trade_id: Symbol
    liquidation: Literal["M", "T", "MT"] | None = None


class _Ticker(msgspec.Struct, gc=False):
    instrument_name: Symbol
    timestamp: Milliseconds
    mark_price: Positive
    index_price: Positive | None = None
    last_price: Positive | None = None


class _Parameters(msgspec.Struct, gc=False):
    channel: str
    data: list[_Trade] | _Ticker


class _Frame(msgspec.Struct, gc=False):
    method: Literal["subscription"]
    params: _Parameters


_read = msgspec.json.Decoder(_Frame, strict=False).decode


class _Failure(msgspec.Struct):
    code: int | None = None
    message: str = ""


class _Answer(msgspec.Struct):
    """What JSON-RPC answers to a request."""

    id: str | int | None = None
    result: object = None
    error: _Failure | None = None


class _Page(msgspec.Struct):
    trades: list[_Trade]
    has_more: bool = False


class _History(msgspec.Struct):
    result: _Page | None = None
    error: _Failure | None = None


class _End(msgspec.Struct):
    has_more: bool = False


class _Ended(msgspec.Struct):
    """Of a page whether another follows, without its trades: these are read once."""

    result: _End


# BTC-PERPETUAL and BTC-25DEC26 are paid in the coin, SOL_USDC-PERPETUAL in dollars. Options end in their strike and
# C or P; combinations have letters of their own in the middle.
_FUTURE = re.compile(r"^(?P<base>[A-Za-z0-9]+)(_(?P<quote>[A-Z0-9]+))?-(PERPETUAL|\d{1,2}[A-Z]{3}\d\d)$")
_OPTION = re.compile(r"-[0-9d]+-[CP]$")


@lru_cache(maxsize=4096)
def _by_grammar(symbol: str) -> Instrument | None:
    """What the venue's naming says of a contract that its instruments answer has not listed; `None` for no name."""
    if found := _FUTURE.match(symbol):
        asset, bundle = unbundle(found["base"])
        if found["quote"] is None:
            return Instrument(symbol, asset, _INVERSE, 1.0, bundle)
        return Instrument(symbol, asset, _LINEAR, 1.0 if found["quote"] in _DOLLARS else None, bundle)
    base = re.split("[-_]", symbol)[0]
    return Instrument(symbol, base, _LINEAR, None) if base and symbol.isprintable() else None


# Whose position it was, taker before maker, and which: by the taker's direction and the flag.
_LIQUIDATED = {
    ("sell", "T"): (("T", _LONG),),
    ("sell", "M"): (("M", _SHORT),),
    ("sell", "MT"): (("T", _LONG), ("M", _SHORT)),
    ("buy", "T"): (("T", _SHORT),),
    ("buy", "M"): (("M", _LONG),),
    ("buy", "MT"): (("T", _SHORT), ("M", _LONG)),
}


class DeribitDecoder(Decoder):
    """Reads tickers, and trades with the flag: as the live stream had them until 2020, and as REST answers."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            told = _read(frame).params
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        if isinstance(told.data, _Ticker):
            return self._prices(told.data, frame, ts_recv) if told.channel.startswith(_TICKERS) else ()
        return self.trades(told.data, frame, ts_recv) if told.channel.startswith(_TRADES) else ()

    def trades(self, trades: Iterable[_Trade], frame: bytes | str, ts_recv: int) -> list[Event]:
        """The liquidations among `trades`."""
        events: list[Event] = []
        for trade in trades:
            # An option's price is no price of the coin, and a long put no long: options are left out.
            if (flag := trade.liquidation) is not None and not _OPTION.search(trade.instrument_name):
                events += self._liquidations(trade, flag, frame, ts_recv)
        return events

    def _liquidations(self, trade: _Trade, flag: str, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        symbol, moment = trade.instrument_name, trade.timestamp
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"),)
        events: list[Event] = []
        for who, side in _LIQUIDATED[trade.direction, flag]:
            # "trade_id": Unique (per currency) trade identifier.
            identity = f"{symbol}|{trade.trade_id}|{who}"
            # "amount": For perpetual and inverse futures the amount is in USD units. For options and linear futures it
            # is the underlying base currency coin. ("contracts" is the one that needs a contract's size.)
            event = normalised(
                self.venue, instrument, side, trade.price, _FILL, trade.amount, moment, ts_recv, identity
            )
            events.append(event or self.ahead(frame, ts_recv, moment))
        return events

    def _prices(self, ticker: _Ticker, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        symbol = ticker.instrument_name
        instrument = self._listed(symbol) or _by_grammar(symbol)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {symbol!a} cannot be one"),)
        told = (
            (PriceKind.MARK, ticker.mark_price),
            (PriceKind.INDEX, ticker.index_price),
            (PriceKind.LAST, ticker.last_price),
        )
        return self.prices(instrument, told, ticker.timestamp, frame, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed event of a channel: answers, heartbeats, other channels, what is broken."""
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither an event nor an answer of Deribit"),)
        method, parameters = message.get("method"), message.get("params")
        if method is None:
            return self._answer(message, frame, ts_recv)
        if not isinstance(parameters, dict) or method not in ("heartbeat", "subscription"):
            return (self.failure(frame, ts_recv, "neither an event nor an answer of Deribit"),)
        if method == "heartbeat":
            # "respond to test_request messages by sending a /api/v2/public/test request", or "the API server will
            # immediately close the connection" (_HEARTBEAT).
            if parameters.get("type") == "test_request":
                self.replies.append(_TEST)
            return ()
        return self._odd(parameters, frame, ts_recv)

    def _odd(self, parameters: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Each row of a channel by itself, so that a bad one leaves the others standing."""
        channel, data = parameters.get("channel"), parameters.get("data")
        if not isinstance(channel, str):
            return (self.failure(frame, ts_recv, "channel is not text"),)
        if channel.startswith(_TICKERS):
            try:
                return self._prices(msgspec.convert(data, _Ticker, strict=False), frame, ts_recv)
            except ValueError as error:
                return (self.failure(frame, ts_recv, str(error)),)
        if not channel.startswith(_TRADES):
            return ()
        return self._odd_trades(data if isinstance(data, list) else [data], frame, ts_recv)

    def _odd_trades(self, rows: list[object], frame: bytes | str, ts_recv: int) -> list[Event]:
        events: list[Event] = []
        for row in rows:
            try:
                events += self.trades((msgspec.convert(row, _Trade, strict=False),), frame, ts_recv)
            except ValueError as error:
                events.append(self.failure(frame, ts_recv, str(error)))
        return events

    def _answer(self, message: dict[str, object], frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        try:
            answer = msgspec.convert(message, _Answer)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        topic = "" if answer.id is None else str(answer.id)
        if answer.error is not None:
            reason = f"{answer.error.code or ''} {answer.error.message}".strip()
            return (self.status(FeedState.REJECTED, ts_recv, topic, reason),)
        result = answer.result
        if isinstance(result, dict):
            rows = result.get("trades")
            return self._odd_trades(rows, frame, ts_recv) if isinstance(rows, list) else ()
        if result == []:
            # Channels that do not exist are left out of the answer, without an error.
            return (self.status(FeedState.REJECTED, ts_recv, topic, "none of the channels exists"),)
        if isinstance(result, list) or result == "ok":
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        return (self.failure(frame, ts_recv, "neither an event nor an answer of Deribit"),)


def _request(identity: int, method: str, parameters: object) -> str:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": identity, "method": method, "params": parameters}).decode()


_TEST = _request(_TESTING, "public/test", {})


class _Listed(msgspec.Struct):
    instrument_name: str
    base_currency: str
    quote_currency: str
    instrument_type: str = ""
    kind: str = "future"


class _InstrumentsAnswer(msgspec.Struct):
    result: list[_Listed]


def _instrument(row: _Listed) -> Instrument:
    # contract_size is left alone: it turns `contracts` into `amount`, and `amount` is what is read.
    asset, bundle = unbundle(row.base_currency)
    in_dollars = 1.0 if row.quote_currency in _DOLLARS else None
    inverse = row.instrument_type == "reversed" or (not row.instrument_type and row.quote_currency == "USD")
    return Instrument(row.instrument_name, asset, _INVERSE if inverse else _LINEAR, in_dollars, bundle)


class Deribit(Venue):
    """Deribit's perpetuals and futures."""

    name = "deribit"
    title = "Deribit"
    price_basis = PriceBasis.FILL
    coverage = Coverage(
        CoverageKind.DELAYED,
        "Deribit says of a trade that it was a liquidation only about an hour after it: nothing of it is live.",
        source=_DOCUMENTATION,
        delay=3600.0,
    )
    heartbeat = Heartbeat(every=20.0, frame=_TEST, dead_after=60.0, stale_after=30.0)
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=30.0)
    endpoints = (Endpoint("wss://www.deribit.com/ws/api/v2", None, None, _CONNECT),)
    facts = Facts(
        channel="history of trades with the field liquidation, asked for an hour behind",
        side="direction is the taker's; T: it was the liquidated one, M: the other was, MT: both were",
        unit="amount counts dollars (inverse) or coins (linear)",
        price="price, the fill",
        history="REST, back to 2020",
        source=_DOCUMENTATION,
    )
    # Seen to come 59.5 to 60 minutes late. Each trade is looked at seven times, should it come later still.
    poll = Poll(every=120.0, behind=coverage.delay, span=900.0)

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request(_INSTRUMENTS),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        rows = self.read(answer, _InstrumentsAnswer).result
        return [_instrument(row) for row in rows if row.kind == "future"]

    def coin(self, symbol: str) -> str | None:
        named = _by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket, of prices: trades on it come without the flag."""
        del instruments, assets
        subscriptions = (
            Subscription(_request(_HEARTBEATS, "public/set_heartbeat", {"interval": 30}), (str(_HEARTBEATS),), ()),
            Subscription(
                _request(_PRICES, "public/subscribe", {"channels": ["ticker.BTC-PERPETUAL.100ms"]}), (str(_PRICES),), ()
            ),
        )
        return [Connection("prices", self.endpoints[-1].url, subscriptions)]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return DeribitDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        del instruments
        first, last = start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND)
        return tuple(
            _window(currency, first, min(first + _LONGEST, last), last)
            for currency in _CURRENCIES
            if assets is None or currency == "USDC" or currency in assets
        )

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        del request
        events = DeribitDecoder(self.name, "history", instruments).trades(self._page(answer).trades, answer, ts_recv)
        return [event for event in events if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        """A window with more trades than a page is cut in half; what is left of the time follows."""
        address = urlsplit(request.url)
        asked = parse_qs(address.query)
        (currency,), start, end = asked["currency"], *(int(asked[f"{edge}_timestamp"][0]) for edge in ("start", "end"))
        last = int(address.fragment)
        # Pages are in order "by trade ID", which is not that of time among pairs that are paid in one currency: the time
        # of a page's last trade says nothing of what is missing.
        if self._has_more(answer) and start < end:
            return _window(currency, start, (start + end) // 2, last)
        # Twice as long, lest one crowded moment leave all that follow it short.
        length = min(2 * (end - start + 1), _LONGEST)
        return _window(currency, end + 1, min(end + length, last), last) if end < last else None

    def _has_more(self, answer: bytes) -> bool:
        return self.read(answer, _Ended, HistoryError).result.has_more

    def _page(self, answer: bytes) -> _Page:
        told = self.read(answer, _History, HistoryError)
        if told.result is None:
            raise HistoryError(self.name, f"{told.error.code} {told.error.message}" if told.error else "no result")
        return told.result


def _window(currency: str, start: int, end: int, last: int) -> Request:
    """Trades from `start` to `end`, milliseconds, both included, of all that are wanted up to `last`.

    That stands in the fragment, which is not sent.
    """
    query = {
        "currency": currency,
        "kind": "future",
        "start_timestamp": start,
        "end_timestamp": end,
        "count": _PAGE,
        "sorting": "asc",
    }
    return Request(f"{_HISTORY}?{urlencode(query)}#{last}")
