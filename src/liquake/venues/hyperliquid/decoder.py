"""Frames of Hyperliquid to trades, prices and liquidations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from liquake.model import (
    FUTURE_TOLERANCE,
    NANOSECONDS_PER_MILLISECOND,
    Event,
    FeedState,
    Instrument,
    Instruments,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    Trade,
    normalised,
)
from liquake.venues.hyperliquid.contracts import perpetual
from liquake.venues.hyperliquid.frames import (
    COLUMNS,
    FILLS,
    TRADES,
    Context,
    Fill,
    Fills,
    FillsFrame,
    Forced,
    Traded,
    TradeRow,
    TradesFrame,
    read,
    traded,
)
from liquake.venues.hyperliquid.subscriptions import quoted_topic, topic_of
from liquake.venues.shape import Contracts
from liquake.venues.venue import Decoder, oddity

_LONG, _SHORT = Side.LONG, Side.SHORT
_FILL = PriceBasis.FILL
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


def _liquidated(fill: Fill, forced: Forced, user: str) -> Side | None:
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


class HyperliquidDecoder(Decoder):
    """Reads trades, mark prices, and the fills of accounts: on their channels, alone or in arrays."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        super().__init__(venue, connection, instruments)
        self._listed = instruments.by_symbol.get
        self._scan_trades, self._scan_fills = TRADES.scan, FILLS.scan
        self._make = FILLS.maker(COLUMNS, Contracts(venue, instruments, perpetual))

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        if self._scan_trades is not None and (found := self._scan_trades(frame)) is not None:
            return self._trades(found[0], frame, ts_recv)
        if self._scan_fills is not None and (found := self._scan_fills(frame)) is not None:
            user, fills = found
            made = self._taken(user, fills, ts_recv)
            if made is not None:
                return made
        try:
            message = read(frame)
        except (ValueError, RecursionError):
            return self.examine(frame, ts_recv)
        if isinstance(message, TradesFrame):
            return self._trades([traded(row) for row in message.data], frame, ts_recv)
        if isinstance(message, FillsFrame):
            return self._fills(message.data, frame, ts_recv)
        return self._prices(message.data, frame, ts_recv)

    def _instrument(self, coin: str) -> Instrument | None:
        return self._listed(coin) or perpetual(coin)

    def _taken(self, user: str, fills: tuple[tuple[Any, ...], ...], ts_recv: int) -> Sequence[Event] | None:
        """The liquidations among scanned fills of `user`; `None` where they may be its own, or are not plain."""
        liquidated = {fill[-1] for fill in fills}
        own = not user or any(each is not None and each.lower() in ("", user.lower()) for each in liquidated)
        return None if own or self._make is None else self._make(fills, ts_recv)

    def _trades(self, rows: Iterable[Traded], frame: bytes | str, ts_recv: int) -> list[Event]:
        venue, latest = self.venue, ts_recv + FUTURE_TOLERANCE
        events: list[Event] = []
        for coin, side, price, size, milliseconds, identity in rows:
            instrument = self._listed(coin) or perpetual(coin)
            ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
            if instrument is None:
                events.append(self.failure(frame, ts_recv, f"coin {coin!a} is not the name of a perpetual"))
            elif ts_event > latest:
                events.append(self.ahead(frame, ts_recv, milliseconds))
            else:
                amount, usd = size * instrument.bundle, size * price
                # "For a globally unique trade id, use (block_time, coin, tid)"
                # (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions).
                told = coin, milliseconds, identity
                events.append(Trade(venue, coin, instrument.asset, side, price, amount, usd, ts_event, ts_recv, told))
        return events

    def _fills(self, data: Fills, frame: bytes | str, ts_recv: int) -> list[Event]:
        return [
            event for fill in data.fills if fill.liquidation for event in self._fill(fill, data.user, frame, ts_recv)
        ]

    def _fill(self, fill: Fill, user: str, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
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

    def _prices(self, data: Context, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """Mark and oracle price. Their frame has no time, so they are as of its receipt."""
        instrument = self._instrument(data.coin)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"coin {data.coin!a} is not the name of a perpetual"),)
        mark = Price(self.venue, data.coin, instrument.asset, _MARK, data.ctx.markPx, ts_recv, ts_recv)
        if not data.ctx.oraclePx:
            return (mark,)
        return mark, Price(self.venue, data.coin, instrument.asset, _INDEX, data.ctx.oraclePx, ts_recv, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What is not a well-formed frame of a subscribed channel: answers, bare fills, other channels, broken ones."""
        if isinstance(message, list):
            return self._rows(message, Fill, "", frame, ts_recv)
        if not isinstance(message, dict):
            return (self.failure(frame, ts_recv, "neither data nor an answer of Hyperliquid"),)
        if "channel" not in message:
            return self._rows([message], Fill, "", frame, ts_recv)
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
            return self._rows(data, TradeRow, "", frame, ts_recv)
        if channel == "activeAssetCtx":
            return self._rows([data], Context, "", frame, ts_recv)
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
        return self._rows(fills, Fill, user, frame, ts_recv)

    def _rows(
        self,
        rows: list[object],
        kind: type[TradeRow] | type[Fill] | type[Context],
        user: str,
        frame: bytes | str,
        ts_recv: int,
    ) -> Sequence[Event]:
        return [event for row in rows for event in self._row(row, kind, user, frame, ts_recv)]

    def _row(
        self,
        row: object,
        kind: type[TradeRow] | type[Fill] | type[Context],
        user: str,
        frame: bytes | str,
        ts_recv: int,
    ) -> Sequence[Event]:
        """Of one row, so that one that is bad leaves the others standing."""
        try:
            found = msgspec.convert(row, kind, strict=False)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        if isinstance(found, Fill):
            return self._fill(found, user, frame, ts_recv)
        if isinstance(found, TradeRow):
            return self._trades((traded(found),), frame, ts_recv)
        return self._prices(found, frame, ts_recv)

    def _acknowledged(self, data: object, ts_recv: int) -> Sequence[Event]:
        if not isinstance(data, dict) or data.get("method") != "subscribe":
            return ()
        return (self.status(FeedState.SUBSCRIBED, ts_recv, topic_of(data.get("subscription"))),)

    def _refused(self, data: object, ts_recv: int) -> Sequence[Event]:
        """Errors are sentences; those of subscriptions quote what was sent: `Invalid subscription {"type":..}`."""
        sentence = data if isinstance(data, str) else "an error without a sentence"
        topic = quoted_topic(sentence)
        if sentence.startswith("Already subscribed"):
            return (self.status(FeedState.SUBSCRIBED, ts_recv, topic),)
        return (self.status(FeedState.REJECTED, ts_recv, topic, sentence),)


def _tags(method: str) -> tuple[str, ...]:
    if method == "market":
        return ()
    return (method,) if method == "backstop" else (oddity("method", method),)
