"""Trades of a coin, and fills of an account, of which some are parts of liquidations, now and then of its own."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.hyperliquid.frames import FILLS, TRADES
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, symbols, usually

COIN = symbols("BTC", "kPEPE", "xyz:CRWV", "@142", "PURR/USDC", "SOL")
SIDE = any_of("A", "B")
IDENTITY = usually(st.integers(1, 4), st.sampled_from((0, -1, 2**63 - 1, 2**63, "null")))
USER = usually(st.sampled_from(("0xa1", "0xa2", "0xa3", "0xa4", "0xA1")), st.just(""))
DIRECTION = usually(
    st.sampled_from(("Open Long", "Open Short", "Close Long", "Close Short")),
    st.sampled_from(("Liquidated Cross Long", "Auto-Deleveraging", "Buy", "Long > Short")),
)


@st.composite
def trade(draw: st.DrawFn) -> str:
    return (
        f'{{"coin":"{draw(COIN)}","side":"{draw(SIDE)}","px":"{draw(NUMBER)}","sz":"{draw(NUMBER)}","time":{draw(TIME)},'
        f'"hash":"0x7","tid":{draw(IDENTITY)},"users":["0x1","0x2"]}}'
    )


@st.composite
def trades(draw: st.DrawFn) -> str:
    return f'{{"channel":"trades","data":[{draw(some(trade()))}]}}'


@st.composite
def fill(draw: st.DrawFn) -> str:
    method = draw(any_of("market", "market", "market", "market", "backstop"))
    forced = f',"liquidation":{{"liquidatedUser":"{draw(USER)}","markPx":"{draw(NUMBER)}","method":"{method}"}}'
    forced = draw(st.sampled_from(("", forced, forced)))
    if draw(st.integers(0, 9)) == 7:
        forced = f',"cloid":"0x5"{forced}'
    fee = draw(st.sampled_from(("", ',"builderFee":"0.1"')))
    return (
        f'{{"coin":"{draw(COIN)}","px":"{draw(NUMBER)}","sz":"{draw(NUMBER)}","side":"{draw(SIDE)}","time":{draw(TIME)},'
        f'"startPosition":"-0.5","dir":"{draw(DIRECTION)}","closedPnl":"0.0","hash":"0x7","oid":9,'
        f'"crossed":{draw(any_of("true", "false"))},"fee":"-0.1","tid":{draw(IDENTITY)}{forced},"feeToken":"USDC",'
        f'"twapId":{draw(st.sampled_from(("null", "5")))}{fee}}}'
    )


@st.composite
def fills(draw: st.DrawFn) -> str:
    snapshot = draw(st.sampled_from(("", '"isSnapshot":true,')))
    return f'{{"channel":"userFills","data":{{{snapshot}"user":"{draw(USER)}","fills":[{draw(some(fill()))}]}}}}'


TAPE = (
    '{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"61200.0","sz":"0.25","time":1790000000090,"hash":"0x7",'
    '"tid":31,"users":["0xa1","0xa2"]}]}'
)
TAKEN = (
    '{"channel":"userFills","data":{"user":"0xa1","fills":[{"coin":"BTC","px":"61200.0","sz":"0.25","side":"A",'
    '"time":1790000000090,"startPosition":"-0.5","dir":"Open Short","closedPnl":"0.0","hash":"0x7","oid":9,"crossed":false,'
    '"fee":"0.1","tid":31,"liquidation":{"liquidatedUser":"0xa2","markPx":"61190.0","method":"market"},"feeToken":"USDC",'
    '"twapId":null}]}}'
)
SHAPED = (Shaped("hyperliquid", TRADES, TAPE, trades()), Shaped("hyperliquid", FILLS, TAKEN, fills()))
