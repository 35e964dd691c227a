"""Batches of trades, of which some are liquidations."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.dydx import SHAPE
from tests.property.shapes.values import NUMBER, Shaped, any_of, some, symbols, usually

MARKET = symbols("BTC-USD", "1000PEPE-USD", "ETH-EUR", "FARTCOIN,RAYDIUM,9BB6-USD", "USD")
ODD_MOMENTS = (
    "2026-09-21T12:53:20Z",
    "2026-09-21T12:53:20.0900Z",
    "2026-09-21 12:53:20.090Z",
    "2026-09-21T12:53:20.090+00:00",
    "2026-02-29T00:00:00.000Z",
    "2024-02-29T23:59:59.999Z",
    "2000-02-29T00:00:00.000Z",
    "1900-02-29T00:00:00.000Z",
    "2026-09-21T24:00:00.000Z",
    "2026-09-21T12:60:00.000Z",
    "2026-09-21T12:00:60.000Z",
    "2026-00-21T12:00:00.000Z",
    "2026-12-32T12:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2099-01-01T00:00:00.000Z",
    "20x6-09-21T12:53:20.090Z",
)
MOMENT = usually(st.integers(0, 999).map("2026-09-21T12:13:20.{:03}Z".format), st.sampled_from(ODD_MOMENTS))


@st.composite
def row(draw: st.DrawFn) -> str:
    kind = draw(any_of("LIQUIDATED", "LIQUIDATED", "LIMIT", "DELEVERAGED", "TWAP_SUBORDER"))
    height = draw(st.sampled_from(("", ',"createdAtHeight":"105810227"')))
    return (
        f'{{"id":"{draw(symbols("0a", "0b"))}","size":"{draw(NUMBER)}","price":"{draw(NUMBER)}",'
        f'"side":"{draw(any_of("BUY", "SELL"))}","createdAt":"{draw(MOMENT)}","type":"{kind}"{height}}}'
    )


@st.composite
def frame(draw: st.DrawFn) -> str:
    kind = draw(any_of("channel_batch_data", "channel_batch_data", "channel_data", "subscribed"))
    return (
        f'{{"type":"{kind}","connection_id":"c","message_id":{draw(st.integers(0, 9))},"id":"{draw(MARKET)}",'
        f'"channel":"v4_trades","version":"2.4.0","contents":[{{"trades":[{draw(some(row()))}]}}]}}'
    )


BATCH = (
    '{"type":"channel_batch_data","connection_id":"c","message_id":7,"id":"BTC-USD","channel":"v4_trades","version":"2.4.0",'
    '"contents":[{"trades":[{"id":"064e","size":"0.25","price":"61200","side":"SELL","createdAt":"2026-09-21T12:13:20.090Z",'
    '"type":"LIQUIDATED"},{"id":"064f","size":"1","price":"61201","side":"BUY","createdAt":"2026-09-21T12:13:20.090Z",'
    '"type":"LIMIT"}]}]}'
)
SHAPED = (Shaped("dydx", SHAPE, BATCH, frame()),)
