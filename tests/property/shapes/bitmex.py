"""Changes of orders, few of which are ever open: frames that follow one another tell of the same ones."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.bitmex import SHAPE
from tests.property.shapes.values import NUMBER, Shaped, any_of, some, symbols

SYMBOL = symbols("XBTUSD", "XBTUSDT", "ETHUSD", "PEPEUSDT", "XBTZ26")
CONTRACTS = st.integers(0, 5) | NUMBER


@st.composite
def row(draw: st.DrawFn) -> str:
    fields = [f'"orderID":"{draw(symbols("a", "b"))}"', f'"symbol":"{draw(SYMBOL)}"']
    if draw(st.integers(0, 3)):
        fields.append(f'"side":"{draw(any_of("Buy", "Sell"))}"')
    if draw(st.integers(0, 3)):
        fields.append(f'"price":{draw(NUMBER)}')
    if draw(st.integers(0, 3)):
        fields.append(f'"leavesQty":{draw(CONTRACTS)}')
    return "{" + ",".join(fields) + "}"


@st.composite
def frame(draw: st.DrawFn) -> str:
    action = draw(any_of("insert", "insert", "update", "update", "delete", "partial"))
    return f'{{"table":"liquidation","action":"{action}","data":[{draw(some(row()))}]}}'


OPENED = (
    '{"table":"liquidation","action":"insert","data":[{"orderID":"7c0f","symbol":"XBTUSDT","side":"Sell","price":61200.5,'
    '"leavesQty":39700}]}'
)
SHAPED = (Shaped("bitmex", SHAPE, OPENED, frame()),)
