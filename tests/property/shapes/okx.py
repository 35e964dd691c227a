"""Details of a contract."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.okx import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols

SYMBOL = symbols("BTC-USDT-SWAP", "BTC-USD-SWAP", "X-EUR-SWAP", "BTCUSDT")


@st.composite
def detail(draw: st.DrawFn) -> str:
    position, side = draw(any_of("long", "short", "net")), draw(any_of("sell", "buy"))
    return (
        f'{{"bkLoss":"{draw(NUMBER)}","bkPx":"{draw(NUMBER)}","ccy":"","posSide":"{position}","side":"{side}",'
        f'"sz":"{draw(NUMBER)}","ts":"{draw(TIME)}"}}'
    )


@st.composite
def frame(draw: st.DrawFn) -> str:
    symbol = draw(SYMBOL)
    return (
        f'{{"arg":{{"channel":"liquidation-orders","instType":"SWAP"}},"data":[{{"details":[{draw(some(detail()))}],'
        f'"instFamily":"{symbol}","instId":"{symbol}","instType":"SWAP","uly":"{symbol}"}}]}}'
    )


DOCUMENTED = (
    '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"61200.4",'
    '"ccy":"","posSide":"long","side":"sell","sz":"50","ts":"1790000000090"}],"instFamily":"BTC-USDT",'
    '"instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}]}'
)
SHAPED = (Shaped("okx", SHAPE, DOCUMENTED, frame()),)
