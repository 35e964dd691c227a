"""Trades of the tape, in both orders of their fields."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.kraken import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, symbols

SYMBOL = symbols("PF_XBTUSD", "PI_XBTUSD", "PF_1000PEPEUSD", "PV_XRPXBT", "BTCUSDT")


@st.composite
def frame(draw: st.DrawFn, since_2026: bool) -> str:
    head = ['"feed":"trade"', f'"product_id":"{draw(SYMBOL)}"']
    side, kind = draw(any_of("sell", "buy")), draw(any_of("liquidation", "liquidation", "fill", "termination"))
    told = f'"uid":"{draw(symbols("a", "0f3b"))}","side":"{side}","type":"{kind}"'
    body, number = f'"time":{draw(TIME)},"qty":{draw(NUMBER)},"price":{draw(NUMBER)}', f'"seq":{draw(TIME)}'
    fields = [*reversed(head), told, body, number] if since_2026 else [*head, told, number, body]
    return "{" + ",".join(fields) + "}"


BEFORE = (
    '{"feed":"trade","product_id":"PI_XBTUSD","uid":"0f3b-1","side":"sell","type":"liquidation","seq":41799,'
    '"time":1790000000090,"qty":12000,"price":61200.5}'
)
SINCE = (
    '{"product_id":"PF_XBTUSD","feed":"trade","uid":"0f3b-2","side":"buy","type":"liquidation","time":1790000000090,'
    '"qty":0.25,"price":61200.0,"seq":41800}'
)
SHAPED = tuple(
    Shaped("kraken", SHAPE, documented, frame(since)) for documented, since in ((BEFORE, False), (SINCE, True))
)
