"""Hyperliquid: public trades of the market, and those liquidations that watched accounts took part in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from liquake.errors import InstrumentsError
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
    Price,
    PriceBasis,
    PriceKind,
    Side,
    TakerSide,
    Trade,
    normalised,
)
from liquake.model.instrument import unbundle
from liquake.venues.shape import Columns, Contracts, Shape, maybe, one_of, or_null, passing, rows, skipped
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
    parse,
)

_SUBSCRIPTIONS = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"
_LIMITS = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits"

_VAULTS = (
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#retrieve-details-for-a-vault"
)

# HLP, the venue's own liquidity provider. The vaults below it are told by the venue: its liquidators take backstops, its
# market makers have part in liquidations on the book.
_PROVIDER = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"
# "Maximum of 10 unique users across user-specific websocket subscriptions" (_LIMITS).
_USERS = 10
# Those known in November 2026 and before: what room is left is theirs.
_WATCHED = (
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
    "0x63c621a33714ec48660e32f2374895c8026a3a00",
    "0x010461c14e146ac35fe42271bdc1134ee31c703a",
    "0x31ca8395cf837de08b24da3f660e77761dfb974b",
    "0x469f690213c467c39a23efacfd2816896009d7d8",
)
_LARGE = (
    *("BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE", "BNB", "SUI", "ADA", "LINK", "AVAX", "LTC", "AAVE", "ENA", "TRX"),
    *("NEAR", "ZEC", "PUMP", "FARTCOIN", "kPEPE", "kBONK", "kSHIB"),
)
_PRICED = "BTC"

_BUY, _SELL = TakerSide.BUY, TakerSide.SELL
_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL, _LINEAR = PriceBasis.FILL, ContractKind.LINEAR
_MARK, _INDEX = PriceKind.MARK, PriceKind.INDEX

# `dir` is how the venue's own page describes a fill. One outside the order book names the position that was taken over.
_NAMED = {
    "Liquidated Cross Long": _LONG,
    "Liquidated Isolated Long": _LONG,
    "Liquidated Cross Short": _SHORT,
    "Liquidated Isolated Short": _SHORT,
}
_CLOSED = {"Close Long": _LONG, "Close Short": _SHORT}
_DELEVERAGED = "Auto-Deleveraging"

# Channels without a fill, a trade or a mark price. `allMids` has middles of the book alone, which are no price of ours.
_OTHERS = frozenset(
    (
        "activeAssetData",
        "activeSpotAssetCtx",
        "allDexsAssetCtxs",
        "allDexsClearinghouseState",
        "allMids",
        "bbo",
        "candle",
        "clearinghouseState",
        "l2Book",
        "notification",
        "openOrders",
        "orderUpdates",
        "pong",
        "twapStates",
        "userFundings",
        "userNonFundingLedgerUpdates",
        "userTwapHistory",
        "userTwapSliceFills",
        "webData2",
        "webData3",
    )
)
# What an event of a user holds, one of them. Its `liquidation` has neither coin, side nor price: the fills have them.
_USER_EVENTS = frozenset(("fills", "funding", "liquidation", "nonUserCancel", "twapHistory", "twapSliceFills"))


_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Trade(msgspec.Struct, gc=False):
    coin: Symbol
    side: Literal["B", "A"]
    px: Positive
    sz: Positive
    time: Milliseconds
    tid: _Id


class _Forced(msgspec.Struct, gc=False):
    liquidatedUser: str = ""  # noqa: N815 - the venue's name
    method: str = ""


class _Fill(msgspec.Struct, gc=False):
    """Most fills are no liquidations and may be of anything the venue settles: those may be at a price of 0."""

    coin: Symbol
    side: Literal["B", "A"]
    px: Amount
    sz: Amount
    time: Milliseconds
    dir: str = ""
    hash: str = ""
    tid: _Id = 0
    crossed: bool | None = None
    liquidation: _Forced | None = None


class _Fills(msgspec.Struct, gc=False):
    fills: list[_Fill]
    user: str = ""


class _Prices(msgspec.Struct, gc=False):
    markPx: Positive  # noqa: N815 - the venue's name
    oraclePx: Amount = 0.0  # noqa: N815 - the venue's name


class _Context(msgspec.Struct, gc=False):
    coin: Symbol
    ctx: _Prices


class _TradesFrame(msgspec.Struct, gc=False, tag_field="channel", tag="trades"):
    data: list[_Trade]


class _UserFillsFrame(msgspec.Struct, gc=False, tag_field="channel", tag="userFills"):
    data: _Fills


class _ContextFrame(msgspec.Struct, gc=False, tag_field="channel", tag="activeAssetCtx"):
    data: _Context


_read = msgspec.json.Decoder(_TradesFrame | _UserFillsFrame | _ContextFrame, strict=False).decode

_TAKERS = {"B": _BUY, "A": _SELL}
_Traded = tuple[str, TakerSide, float, float, int, int]
"""A trade: coin, side, px, sz, time, tid."""

TRADES = Shape(
    '{"channel":"trades","data":[',
    rows(
        '{"coin":"',
        Symbol,
        '","side":"',
        one_of(_TAKERS),
        '","px":"',
        Positive,
        '","sz":"',
        Positive,
        '","time":',
        Milliseconds,
        ',"hash":"',
        skipped(str),
        '","tid":',
        _Id,
        ',"users":["',
        skipped(str),
        '","',
        skipped(str),
        '"]}',
    ),
    "]}",
)

# Fills of accounts that were on the other side of a liquidation on the book, or of none: these name no position.
FILLS = Shape(
    '{"channel":"userFills","data":{',
    maybe('"isSnapshot":', skipped(Literal["true", "false"]), ","),
    '"user":"',
    passing(str),
    '","fills":[',
    rows(
        '{"coin":"',
        Symbol,
        '","px":"',
        Positive,
        '","sz":"',
        Positive,
        '","side":"',
        one_of({"A": _SHORT, "B": _LONG}),
        '","time":',
        Milliseconds,
        ',"startPosition":"',
        skipped(str),
        '","dir":"',
        skipped(Literal["Open Long", "Open Short", "Close Long", "Close Short", "Long > Short", "Short > Long"]),
        '","closedPnl":"',
        skipped(str),
        '","hash":"',
        skipped(str),
        '","oid":',
        skipped(int),
        ',"crossed":',
        skipped(Literal["true", "false"]),
        ',"fee":"',
        skipped(str),
        '","tid":',
        Annotated[int, msgspec.Meta(ge=1)],
        maybe(',"cloid":"', skipped(str), '"'),
        maybe(',"liquidation":{"liquidatedUser":"', passing(str), '","markPx":"', skipped(str), '","method":"market"}'),
        ',"feeToken":"',
        skipped(str),
        '","twapId":',
        skipped(or_null(float)),
        maybe(',"builderFee":"', skipped(str), '"'),
        "}",
    ),
    "]}}",
)
_COLUMNS = Columns(
    "symbol price size side milliseconds tid forced",
    _FILL,
    beside="user rows",
    identity=("symbol", "|", "milliseconds", "|", "tid"),
)

# "xyz:CRWV" is CRWV on the exchange that xyz runs within the venue; "@142" and "PURR/USDC" are spot pairs.
_PERPETUAL = re.compile(r"^(?:[a-z][a-z0-9]*:)?(?P<base>[A-Za-z0-9]{1,24})$")
_WHERE = re.compile(r"\{.*\}", re.DOTALL)


@lru_cache(maxsize=4096)
def _perpetual(coin: str) -> Instrument | None:
    """The contract that `coin` names, sized in coins or thousands of them; `None` where it names none."""
    found = _PERPETUAL.match(coin)
    if found is None:
        return None
    asset, bundle = unbundle(found["base"])
    return Instrument(coin, asset, _LINEAR, 1.0, bundle)


def _liquidated(fill: _Fill, forced: _Forced, user: str) -> Side | None:
    """Which position `fill`, of `user` where that is known, is of the liquidation of; `None` where that stays open.

    `side` is of the account the fill belongs to, which is the liquidated one or the one that took the other side:
    "B = Bid = Buy, A = Ask = Short. Side is aggressing side for trades"
    (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/notation).
    """
    sold = fill.side == "A"
    side = None
    if user and forced.liquidatedUser:
        own = user.lower() == forced.liquidatedUser.lower()
        side = _LONG if sold is own else _SHORT
    elif fill.crossed is False:
        # A forced order takes; who made was its counterparty.
        side = _SHORT if sold else _LONG
    elif fill.crossed and forced.method == "market" and _CLOSED.get(fill.dir) is (_LONG if sold else _SHORT):
        side = _CLOSED[fill.dir]
    named = _NAMED.get(fill.dir)
    if named is None or side is None:
        return named or side
    return named if named is side else None


def _traded(row: _Trade) -> _Traded:
    return row.coin, _TAKERS[row.side], row.px, row.sz, row.time, row.tid


class HyperliquidDecoder(Decoder):
    """Reads trades, mark prices, and the fills of accounts: on their channels, alone or in arrays."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan_trades, self._scan_fills = TRADES.scan, FILLS.scan
        self._make = FILLS.maker(_COLUMNS, Contracts(venue, instruments, _perpetual))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan_trades is not None and (found := self._scan_trades(frame)) is not None:
            return self._trades(found[0], frame, ts_recv)
        if self._scan_fills is not None and (found := self._scan_fills(frame)) is not None:
            user, fills = found
            made = self._taken(user, fills, ts_recv)
            if made is not None:
                return made
        try:
            message = _read(frame)
        except (ValueError, RecursionError):
            return self._examine(frame, ts_recv)
        if isinstance(message, _TradesFrame):
            return self._trades([_traded(row) for row in message.data], frame, ts_recv)
        if isinstance(message, _UserFillsFrame):
            return self._fills(message.data, frame, ts_recv)
        return self._prices(message.data, frame, ts_recv)

    def _instrument(self, coin: str) -> Instrument | None:
        return self._listed(coin) or _perpetual(coin)

    def _taken(self, user: str, fills: tuple[tuple[Any, ...], ...], ts_recv: int) -> Sequence[Event] | None:
        """The liquidations among scanned fills of `user`; `None` where they may be its own, or are not plain."""
        liquidated = {fill[-1] for fill in fills}
        own = not user or any(each is not None and each.lower() in ("", user.lower()) for each in liquidated)
        return None if own or self._make is None else self._make(fills, ts_recv)

    def _trades(self, rows: Iterable[_Traded], frame: bytes | str, ts_recv: int) -> list[Event]:
        venue, latest = self.venue, ts_recv + FUTURE_TOLERANCE
        events: list[Event] = []
        for coin, side, price, size, milliseconds, identity in rows:
            instrument = self._listed(coin) or _perpetual(coin)
            ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
            if instrument is None:
                events.append(self.failure(frame, ts_recv, f"coin {coin!a} is not the name of a perpetual"))
            elif ts_event > latest:
                events.append(self.ahead(frame, ts_recv, milliseconds))
            else:
                amount, usd = size * instrument.bundle, size * price
                # "For a globally unique trade id, use (block_time, coin, tid)" (_SUBSCRIPTIONS).
                told = coin, milliseconds, identity
                events.append(Trade(venue, coin, instrument.asset, side, price, amount, usd, ts_event, ts_recv, told))
        return events

    def _fills(self, data: _Fills, frame: bytes | str, ts_recv: int) -> list[Event]:
        return [
            event for fill in data.fills if fill.liquidation for event in self._fill(fill, data.user, frame, ts_recv)
        ]

    def _fill(self, fill: _Fill, user: str, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """The liquidation that `fill` is a part of, if it is."""
        forced = fill.liquidation
        if forced is None or fill.dir == _DELEVERAGED:
            return ()
        instrument = self._instrument(fill.coin)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"coin {fill.coin!a} is not the name of a perpetual"),)
        if not fill.px or not fill.sz:
            return (self.failure(frame, ts_recv, "forced fill without a price (px) or a size (sz)"),)
        side = _liquidated(fill, forced, user)
        if side is None:
            return (self.failure(frame, ts_recv, f"forced fill {fill.dir!a} does not tell which side was liquidated"),)
        # Both parties' fills of one trade have its `tid`: watching both must not count it twice.
        told = fill.tid or f"{fill.hash}|{forced.liquidatedUser}|{fill.px}|{fill.sz}"
        key = f"{fill.coin}|{fill.time}|{told}"
        # "sz" is in coins; USD = px * sz.
        event = normalised(
            self.venue, instrument, side, fill.px, _FILL, fill.sz, fill.time, ts_recv, key, _tags(forced.method)
        )
        return (event or self.ahead(frame, ts_recv, fill.time),)

    def _prices(self, data: _Context, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Mark and oracle price. Their frame has no time, so they are as of its receipt."""
        instrument = self._instrument(data.coin)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"coin {data.coin!a} is not the name of a perpetual"),)
        mark = Price(self.venue, data.coin, instrument.asset, _MARK, data.ctx.markPx, ts_recv, ts_recv)
        if not data.ctx.oraclePx:
            return (mark,)
        return mark, Price(self.venue, data.coin, instrument.asset, _INDEX, data.ctx.oraclePx, ts_recv, ts_recv)

    def _examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed frame of a subscribed channel: answers, bare fills, other channels, broken ones."""
        try:
            message = parse(frame)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if isinstance(message, list):
            return self._rows(message, _Fill, "", frame, ts_recv)
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of Hyperliquid"),)
        if "channel" not in message:
            return self._rows([message], _Fill, "", frame, ts_recv)
        channel, data = message["channel"], message.get("data")
        if channel == "subscriptionResponse":
            return self._acknowledged(data, ts_recv)
        if channel == "error":
            return self._refused(data, ts_recv)
        if channel in ("userFills", "user", "userEvents"):
            return self._user_event(data, frame, ts_recv)
        return self._other(channel, data, frame, ts_recv)

    def _other(self, channel: object, data: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if channel == "trades" and isinstance(data, list):
            return self._rows(data, _Trade, "", frame, ts_recv)
        if channel == "activeAssetCtx":
            return self._rows([data], _Context, "", frame, ts_recv)
        if isinstance(channel, str) and channel in _OTHERS:
            return ()
        name = ascii(channel) if isinstance(channel, str) else "that is no text"
        return (self.failure(frame, ts_recv, f"channel {name} is not known, or not with such data"),)

    def _user_event(self, data: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if not isinstance(data, dict) or data.keys().isdisjoint(_USER_EVENTS):
            return (self.failure(frame, ts_recv, "neither fills nor another event of a user"),)
        fills, user = data.get("fills", []), data.get("user", "")
        if not isinstance(fills, list) or not isinstance(user, str):
            return (self.failure(frame, ts_recv, "fills are not a list, or their user is not an address"),)
        return self._rows(fills, _Fill, user, frame, ts_recv)

    def _rows(
        self,
        rows: list[object],
        kind: type[_Trade] | type[_Fill] | type[_Context],
        user: str,
        frame: bytes | str,
        ts_recv: int,
    ) -> Sequence[Event]:
        return [event for row in rows for event in self._row(row, kind, user, frame, ts_recv)]

    def _row(
        self,
        row: object,
        kind: type[_Trade] | type[_Fill] | type[_Context],
        user: str,
        frame: bytes | str,
        ts_recv: int,
    ) -> Sequence[Event]:
        """Of one row, so that one that is bad leaves the others standing."""
        try:
            read = msgspec.convert(row, kind, strict=False)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if isinstance(read, _Fill):
            return self._fill(read, user, frame, ts_recv)
        if isinstance(read, _Trade):
            return self._trades((_traded(read),), frame, ts_recv)
        return self._prices(read, frame, ts_recv)

    def _acknowledged(self, data: object, ts_recv: int) -> Sequence[Event]:
        if not isinstance(data, dict) or data.get("method") != "subscribe":
            return ()
        return (self.status(FeedState.SUBSCRIBED, ts_recv, _topic(data.get("subscription"))),)

    def _refused(self, data: object, ts_recv: int) -> Sequence[Event]:
        """Errors are sentences; those of subscriptions quote what was sent: `Invalid subscription {"type":..}`."""
        sentence = data if isinstance(data, str) else "an error without a sentence"
        topic = _quoted_topic(sentence)
        if sentence.startswith("Already subscribed"):
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        return (self.status(FeedState.REJECTED, ts_recv, topic, sentence),)


def _tags(method: str) -> tuple[str, ...]:
    if method == "market":
        return ()
    return (method,) if method == "backstop" else (oddity("method", method),)


def _topic(subscription: object) -> str:
    """How a subscription is called in statuses: "trades:BTC", "userFills:0x..". Empty where it is not one."""
    if not isinstance(subscription, dict):
        return ""
    parts = [part for name in ("type", "coin", "user") if isinstance(part := subscription.get(name), str)]
    # Addresses come back in upper or lower case.
    return ":".join(part.lower() if part.startswith("0x") else part for part in parts)


def _quoted_topic(sentence: str) -> str:
    found = _WHERE.search(sentence)
    if found is None:
        return ""
    try:
        quoted = parse(found[0])
    except ValueError:
        return ""
    return _topic(quoted.get("subscription", quoted) if isinstance(quoted, dict) else quoted)


class _Listed(msgspec.Struct):
    name: str
    isDelisted: bool = False  # noqa: N815 - the venue's name


class _Children(msgspec.Struct):
    childAddresses: list[Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{40}$")]]  # noqa: N815 - the venue's name


class _Relationship(msgspec.Struct):
    data: _Children


class _VaultDetails(msgspec.Struct):
    """`"relationship":{"type":"parent","data":{"childAddresses":[..]}}` (_VAULTS)."""

    relationship: _Relationship


class _Meta(msgspec.Struct):
    universe: list[_Listed]


def _subscription(kind: str, **of: str) -> Subscription:
    subscription = {"type": kind, **of}
    frame = msgspec.json.encode({"method": "subscribe", "subscription": subscription}).decode()
    return Subscription(frame, (_topic(subscription),), None if kind == "userFills" else ())


class Hyperliquid(Venue):
    """Hyperliquid perpetuals. No public channel has its liquidations; what is seen is a sample."""

    name = "hyperliquid"
    title = "Hyperliquid"
    price_basis = PriceBasis.FILL
    rank = 4
    coverage = Coverage(
        CoverageKind.SAMPLE,
        "No public channel has liquidations: only a small sample is seen, those with the venue's vaults (HLP).",
        source=_SUBSCRIPTIONS,
    )
    # A connection to which the venue has had nothing to send for 60 s is closed; it answers pings:
    # https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats
    heartbeat = Heartbeat(every=20.0, frame='{"method":"ping"}', dead_after=50.0, stale_after=30.0)
    # 2,000 messages and 30 new connections per minute (_LIMITS), shared by everything behind one address.
    limits = Limits(lifetime=None, messages_per_second=20.0, connects_per_minute=30.0)
    endpoints = (Endpoint("wss://api.hyperliquid.xyz/ws", source=_SUBSCRIPTIONS),)
    facts = Facts(
        channel="trades (market activity); userFills of the venue's own vaults, which it lists (sample of liquidations)",
        side="side is the watched account's own: where it took the other side, A (sold) means a liquidated short",
        unit="sz counts coins, thousands of them where the name begins with k; dollars are px times sz",
        price="px, what was paid",
        history="by account alone: a gap stays a gap",
        source=_SUBSCRIPTIONS,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://api.hyperliquid.xyz/info", '{"type":"meta"}'),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        try:
            rows = msgspec.json.decode(answer, type=_Meta).universe
        except (ValueError, RecursionError) as error:
            raise InstrumentsError(self.name, str(error)) from None
        found = (_perpetual(row.name) for row in rows if not row.isDelisted)
        return [instrument for instrument in found if instrument is not None]

    def account_requests(self) -> tuple[Request, ...]:
        body = msgspec.json.encode({"type": "vaultDetails", "vaultAddress": _PROVIDER}).decode()
        return (Request("https://api.hyperliquid.xyz/info", body),)

    def read_accounts(self, answer: bytes) -> list[str]:
        """The vaults below HLP, in small letters."""
        try:
            told = msgspec.json.decode(answer, type=_VaultDetails).relationship.data.childAddresses
        except (ValueError, RecursionError) as error:
            raise InstrumentsError(self.name, str(error)) from None
        return [address.lower() for address in told]

    def coin(self, symbol: str) -> str | None:
        named = _perpetual(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket for the trades of `assets`, of the large ones where `None`, and one for the sample.

        Only listed coins are asked for: the venue may close a connection that asks for another.
        """
        fallback = (instrument for coin in _LARGE if (instrument := _perpetual(coin)) is not None)
        listed = instruments or Instruments(fallback)
        coins = [coin for coin in listed if (coin in _LARGE if assets is None else listed[coin].asset in assets)]
        url = self.endpoints[-1].url
        price = _subscription("activeAssetCtx", coin=_PRICED)
        # Those of the user come first: market makers, of whom the venue publishes no list.
        users = tuple(dict.fromkeys(user.lower() for user in (*instruments.accounts, *_WATCHED)))[:_USERS]
        fills = (_subscription("userFills", user=user) for user in users)
        trades = (_subscription("trades", coin=coin) for coin in coins)
        return [Connection("sample", url, (price, *fills)), Connection("market", url, (price, *trades))]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return HyperliquidDecoder(self.name, connection, instruments)
