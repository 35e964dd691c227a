"""Orders of a contract, with numbers in quotes and without, in both orders of the fields before them."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.gate import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols, usually

SYMBOL = symbols("BTC_USDT", "BTC_USD", "PEPE_USDT", "ETH_USD", "BTCUSDT")


@st.composite
def number(draw: st.DrawFn, sign: str = "") -> str:
    form = draw(usually(st.sampled_from(('"{}"', "{}")), st.just('"{}')))
    return str(form).format(f"{sign}{draw(NUMBER)}")


@st.composite
def row(draw: st.DrawFn) -> str:
    size = draw(number(draw(st.sampled_from(("", "-")))))
    return f'{{"price":{draw(number())},"size":{size},"time_ms":{draw(TIME)},"contract":"{draw(SYMBOL)}"}}'


@st.composite
def frame(draw: st.DrawFn, time_first: bool) -> str:
    channel = f'"channel":"futures.public_liquidates","event":"{draw(any_of("update", "update", "all"))}"'
    times = f'"time":{draw(TIME)},"time_ms":{draw(TIME)}'
    first, second = (times, channel) if time_first else (channel, times)
    return f'{{{first},{second},"result":[{draw(some(row()))}]}}'


CHANNEL, TIMES = '"channel":"futures.public_liquidates","event":"update"', '"time":1790000000,"time_ms":1790000000100'
QUOTED = '[{"price":"61200.4","size":"-124.5","time_ms":1790000000090,"contract":"BTC_USDT"}]'
BARE = '[{"price":61200.4,"size":124,"time_ms":1790000000090,"contract":"BTC_USDT"}]'
SHAPED = (
    Shaped("gate", SHAPE, f'{{{CHANNEL},{TIMES},"result":{BARE}}}', frame(False)),
    Shaped("gate", SHAPE, f'{{{TIMES},{CHANNEL},"result":{QUOTED}}}', frame(True)),
)
