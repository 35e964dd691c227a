"""Rows of a topic."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.bybit import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols

SYMBOL = symbols("BTCUSDT", "BTCUSD", "1000PEPEUSDT", "SOL-26DEC26", "X-EUR-SWAP")


@st.composite
def row(draw: st.DrawFn) -> str:
    side = draw(any_of("Buy", "Sell"))
    return f'{{"T":{draw(TIME)},"s":"{draw(SYMBOL)}","S":"{side}","v":"{draw(NUMBER)}","p":"{draw(NUMBER)}"}}'


@st.composite
def frame(draw: st.DrawFn) -> str:
    topic = f"allLiquidation.{draw(SYMBOL)}"
    return f'{{"topic":"{topic}","type":"snapshot","ts":{draw(TIME)},"data":[{draw(some(row()))}]}}'


DOCUMENTED = (
    '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1790000000100,"data":[{"T":1790000000090,'
    '"s":"BTCUSDT","S":"Buy","v":"0.5","p":"61200.4"},{"T":1790000000090,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"61200.4"}]}'
)
SHAPED = (Shaped("bybit", SHAPE, DOCUMENTED, frame()),)
