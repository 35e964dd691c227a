"""Forced orders of either product, with what says which and without it."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.binance import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, symbols

SYMBOL = symbols("BTCUSDT", "ETHUSD_PERP", "1000PEPEUSDT", "BTCUSD", "BTCUSD_PERP", "BTC-USDT-SWAP")


@st.composite
def frame(draw: st.DrawFn) -> str:
    symbol = draw(SYMBOL)
    product = draw(st.sampled_from(("", *(f',"ps":"{symbol}","st":{number}' for number in (0, 1, 2, 3)))))
    side, kind, force = draw(any_of("SELL", "BUY")), draw(any_of("LIMIT", "MARKET")), draw(any_of("IOC", "GTC"))
    status, moment = draw(any_of("FILLED", "PARTIALLY_FILLED", "NEW")), draw(TIME)
    asked, limit, paid, last, filled = (draw(NUMBER) for _ in range(5))
    return (
        f'{{"stream":"!forceOrder@arr","data":{{"e":"forceOrder","E":{moment},"o":{{"s":"{symbol}","S":"{side}",'
        f'"o":"{kind}","f":"{force}","q":"{asked}","p":"{limit}","ap":"{paid}","X":"{status}","l":"{last}",'
        f'"z":"{filled}","T":{moment}{product}}}}}}}'
    )


DOCUMENTED = (
    '{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1790000000100,"o":{"s":"BTCUSDT","S":"SELL",'
    '"o":"LIMIT","f":"IOC","q":"0.5","p":"61000.1","ap":"61200.4","X":"FILLED","l":"0.25","z":"0.5","T":1790000000090,'
    '"ps":"BTCUSDT","st":1}}}'
)
# Venues that took over the protocol have the shape, and its frames without the last fields.
SHAPED = tuple(Shaped(venue, SHAPE, DOCUMENTED, frame()) for venue in ("aster", "binance"))
