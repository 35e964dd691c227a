"""Triggers and executions of positions, of derivatives and of margin pairs."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.bitfinex import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols, usually

SYMBOL = symbols("tBTCF0:USTF0", "tETHF0:USTF0", "tALGF0:USTF0", "tBTCF0:EURF0", "tBTCUSD", "tF0")
CHANNEL = usually(st.integers(0, 10**6), st.sampled_from((-1, '"916"', "null")))
FLAGS = usually(
    st.sampled_from(("1,1", "1,1", "0,1", "0,0")), st.sampled_from(("1,0", "2,1", "1,null", "0,null", "-1,1"))
)
PRICE = usually(NUMBER, st.sampled_from(("null", "0", "[]")))


@st.composite
def row(draw: st.DrawFn) -> str:
    position, sign = draw(st.integers(1, 3)), draw(st.sampled_from(("", "-")))
    paid = draw(PRICE)
    return (
        f'["{draw(any_of("pos"))}",{position},{draw(TIME)},null,"{draw(SYMBOL)}",{sign}{draw(NUMBER)},{draw(PRICE)},null,'
        f"{draw(FLAGS)},null,{paid}]"
    )


@st.composite
def frame(draw: st.DrawFn) -> str:
    return f"[{draw(CHANNEL)},[{draw(some(row()))}]]"


POSITION = '["pos",142397657,1790000000090,null,"tBTCF0:USTF0",{},59000.25,null,{},1,null,{}]'
SHAPED = (
    Shaped("bitfinex", SHAPE, f"[916,[{POSITION.format('-0.00268657', 1, '61200.4')}]]", frame()),
    Shaped(
        "bitfinex", SHAPE, f"[917,[{POSITION.format('12', 0, 'null')},{POSITION.format('12', 1, '61200')}]]", frame()
    ),
)
