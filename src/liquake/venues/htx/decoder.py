"""Frames of HTX to liquidations and prices, and its pings to answers.

As documented at https://huobiapi.github.io/docs/usdt_swap/v1/en/, from where what is quoted is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from liquake.model import (
    ContractKind,
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
from liquake.venues.htx.contracts import by_grammar
from liquake.venues.venue import Amount, Decoder, Milliseconds, Positive, Symbol, distinct, oddity, parse

_SUFFIX = ".liquidation_orders"

# "direction": "buy", "sell", of the order, whatever the coin-margined page's "Long or short" says: the history, whose
# trade_type 5 is "Liquidate long positions", has direction sell on them.
_LONG, _SHORT = Side.LONG, Side.SHORT
_BANKRUPTCY = PriceBasis.BANKRUPTCY
_OFFSETS = frozenset(("close", "open", "both"))
_GZIP = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b"
_BIGGEST_FRAME = 16 * 1024 * 1024
# "Repeated subscription": it is subscribed.
_REPEATED = 2014
# Less than any coin can be split into: then there is no amount.
_LEAST = 1e-18


class Row(msgspec.Struct, gc=False):
    """A liquidation order."""

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
    data: list[Row]


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

    def liquidation(self, row: Row, frame: bytes | str, ts_recv: int) -> Event:
        """The liquidation in a row of the stream or of the history: they are alike."""
        code = row.contract_code
        instrument = self._listed(code) or by_grammar(code)
        if instrument is None:
            return self.failure(frame, ts_recv, f"symbol {code!a} cannot be one")
        side = _LONG if row.direction == "sell" else _SHORT
        tags = () if row.offset in _OFFSETS else (oddity("offset", row.offset),)
        # "volume: liquidation volume (cont)", "price: bankruptcy price".
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
        instrument = self._listed(code) or by_grammar(code)
        if instrument is None:
            return (self.failure(frame, ts_recv, f"symbol {code!a} cannot be one"),)
        return self.prices(instrument, ((PriceKind.LAST, detail.tick.close),), detail.ts, frame, ts_recv)

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
                events.append(self.liquidation(msgspec.convert(row, Row, strict=False), frame, ts_recv))
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


def _with_amounts(event: Liquidation, row: Row, instrument: Instrument) -> Liquidation:
    """`event` with the amounts that the venue tells: those need no size of a contract, which may have changed."""
    # "amount: liquidation amount (token)", "trade_turnover: liquidation amount (quotation token)".
    amount = row.amount or 0.0
    turnover = row.trade_turnover if instrument.kind is ContractKind.LINEAR else None
    usd = turnover or amount * row.price
    return msgspec.structs.replace(event, amount=amount * instrument.bundle, usd=usd)
