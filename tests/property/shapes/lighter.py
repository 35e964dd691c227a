"""Liquidations of a market, beside trades that are none."""

from __future__ import annotations

from hypothesis import strategies as st

from liquake.venues.lighter import SHAPE
from tests.property.shapes.values import NUMBER, TIME, Shaped, any_of, some, usually

MARKET = usually(st.sampled_from((0, 1, 2, 4)), st.sampled_from(("-1", '"1"', "01", 2**63)))
WORTH = usually(st.just("right"), NUMBER)


@st.composite
def trade(draw: st.DrawFn, kind: str) -> str:
    size, price, maker_asks = draw(NUMBER), draw(NUMBER), draw(any_of("true", "false"))
    try:
        usd = f"{float(str(size)) * float(str(price)):f}" if draw(WORTH) == "right" else draw(NUMBER)
    except ValueError:
        usd = "0"
    sign = "-" if (maker_asks == "true") is (draw(st.integers(0, 9)) != 7) else ""
    before = draw(st.sampled_from(("", f',"taker_position_size_before":"{sign}{size}"')))
    extra = draw(st.sampled_from(("", ',"ask_id":5,"ask_id_str":"5"', ',"ask_account_id":7,"bid_account_id":8')))
    last = draw(st.sampled_from(("", ',"taker_position_sign_changed":true,"maker_fee":39', ',"transaction_time":17')))
    return (
        f'{{"trade_id":{draw(st.integers(0, 3))},"trade_id_str":"3","tx_hash":"0a","type":"{draw(any_of(kind))}",'
        f'"market_id":{draw(MARKET)},"size":"{size}","price":"{price}","usd_amount":"{usd}"{extra},'
        f'"is_maker_ask":{maker_asks},"block_height":5,"timestamp":{draw(TIME)}{before}{last}}}'
    )


@st.composite
def frame(draw: st.DrawFn) -> str:
    others, forced = draw(some(trade("trade"))), draw(some(trade("liquidation")))
    return (
        f'{{"type":"{draw(any_of("update/trade", "update/trade", "subscribed/trade"))}","channel":"trade:1","nonce":5,'
        f'"trades":[{others}],"liquidation_trades":[{forced}]}}'
    )


FORCED = (
    '{{"trade_id":{},"trade_id_str":"{}","tx_hash":"0a","type":"{}","market_id":1,"size":"0.25","price":"61200.4",'
    '"usd_amount":"15300.1","is_maker_ask":true,"block_height":5,"timestamp":1790000000090,'
    '"taker_position_size_before":"-0.25"}}'
)
HEAD = '{"type":"update/trade","channel":"trade:1","nonce":5,"trades":'
SHAPED = tuple(
    Shaped("lighter", SHAPE, f'{HEAD}[{trades}],"liquidation_trades":[{FORCED.format(2, 2, "liquidation")}]}}', frame())
    for trades in ("", FORCED.format(1, 1, "trade"))
)
