"""Rows of one product."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.bitget import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols

SYMBOL = symbols("BTCUSDT", "BTCUSD", "1000PEPEUSDT", "BTCPERP", "X-EUR")


@st.composite
def row(draw: st.DrawFn) -> str:
    side = draw(any_of("buy", "sell"))
    return (
        f'{{"symbol":"{draw(SYMBOL)}","side":"{side}","price":"{draw(NUMBER)}","amount":"{draw(NUMBER)}",'
        f'"ts":"{draw(TIME)}"}}'
    )


@st.composite
def frame(draw: st.DrawFn) -> str:
    topic = draw(any_of("liquidation", "liquidation", "ticker"))
    return (
        f'{{"action":"update","arg":{{"instType":"usdt-futures","topic":"{topic}"}},"data":[{draw(some(row()))}],'
        f'"ts":{draw(TIME)}}}'
    )


DOCUMENTED = (
    '{"action":"update","arg":{"instType":"usdt-futures","topic":"liquidation"},"data":[{"symbol":"BTCUSDT","side":"buy",'
    '"price":"61200.4","amount":"37.75","ts":"1790000000090"},{"symbol":"ETHUSDT","side":"sell","price":"2200.25",'
    '"amount":"12.5","ts":"1790000000080"}],"ts":1790000000100}'
)
SHAPED = (Shaped("bitget", SHAPE, DOCUMENTED, frame()),)
