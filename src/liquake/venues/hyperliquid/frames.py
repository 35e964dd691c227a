"""What the venue sends: the fields that are read, and the shapes of trades and of fills."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from liquake.model import PriceBasis, Side, TakerSide
from liquake.venues.shape import Columns, Shape, maybe, one_of, or_null, passing, rows, skipped
from liquake.venues.venue import Amount, Milliseconds, Positive, Symbol

_Identity = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class TradeRow(msgspec.Struct, gc=False):
    coin: Symbol
    side: Literal["B", "A"]
    px: Positive
    sz: Positive
    time: Milliseconds
    tid: _Identity


class Forced(msgspec.Struct, gc=False):
    liquidatedUser: str = ""  # noqa: N815 - the venue's name
    method: str = ""


class Fill(msgspec.Struct, gc=False):
    """Most fills are no liquidations and may be of anything the venue settles: those may be at a price of 0."""

    coin: Symbol
    side: Literal["B", "A"]
    px: Amount
    sz: Amount
    time: Milliseconds
    dir: str = ""
    hash: str = ""
    tid: _Identity = 0
    crossed: bool | None = None
    liquidation: Forced | None = None


class Fills(msgspec.Struct, gc=False):
    fills: list[Fill]
    user: str = ""


class _Prices(msgspec.Struct, gc=False):
    markPx: Positive  # noqa: N815 - the venue's name
    oraclePx: Amount = 0.0  # noqa: N815 - the venue's name


class Context(msgspec.Struct, gc=False):
    coin: Symbol
    ctx: _Prices


class TradesFrame(msgspec.Struct, gc=False, tag_field="channel", tag="trades"):
    data: list[TradeRow]


class FillsFrame(msgspec.Struct, gc=False, tag_field="channel", tag="userFills"):
    data: Fills


class ContextFrame(msgspec.Struct, gc=False, tag_field="channel", tag="activeAssetCtx"):
    data: Context


read = msgspec.json.Decoder(TradesFrame | FillsFrame | ContextFrame, strict=False).decode

TAKERS = {"B": TakerSide.BUY, "A": TakerSide.SELL}
Traded = tuple[str, TakerSide, float, float, int, int]
"""A trade: coin, side, px, sz, time, tid."""

TRADES = Shape(
    '{"channel":"trades","data":[',
    rows(
        '{"coin":"',
        Symbol,
        '","side":"',
        one_of(TAKERS),
        '","px":"',
        Positive,
        '","sz":"',
        Positive,
        '","time":',
        Milliseconds,
        ',"hash":"',
        skipped(str),
        '","tid":',
        _Identity,
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
        one_of({"A": Side.SHORT, "B": Side.LONG}),
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
COLUMNS = Columns(
    "symbol price size side milliseconds tid forced",
    PriceBasis.FILL,
    beside="user rows",
    identity=("symbol", "|", "milliseconds", "|", "tid"),
)


def traded(row: TradeRow) -> Traded:
    """What the scanner makes of the same row."""
    return row.coin, TAKERS[row.side], row.px, row.sz, row.time, row.tid
