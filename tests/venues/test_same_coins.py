"""One position as every venue would write it: by the thousand, in contracts, in dollars. It is as many coins everywhere."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from liquake.model import Instruments, Liquidation, Side
from liquake.venues.registry import VENUES, find_venue
from tests.venues import (
    aster_cases,
    binance_cases,
    bitfinex_cases,
    bitget_cases,
    bitmex_cases,
    bybit_cases,
    deribit_cases,
    dydx_cases,
    gate_cases,
    htx_cases,
    hyperliquid_cases,
    kraken_cases,
    lighter_cases,
    okx_cases,
)
from tests.venues.cases import RECEIVED, text

PRICE = 0.00001
COINS = 3_000_000.0
DOLLARS = 30.0

# A long of three million PEPE at 0.00001 dollars, and the venue's own word of its contracts where sizes need it.
PEPE: Mapping[str, tuple[bytes, bytes | None]] = {
    "binance": (binance_cases.frame(s="1000PEPEUSDT", z="3000", ap="0.0100000"), None),
    "bybit": (bybit_cases.frame(s="1000PEPEUSDT", v="3000", p="0.0100000"), None),
    "okx": (
        okx_cases.frame("PEPE-USDT-SWAP", sz="0.3", bkPx="0.00001"),
        text({"code": "0", "msg": "", "data": [okx_cases.listed("PEPE-USDT-SWAP", "linear", "10000000", "PEPE")]}),
    ),
    "hyperliquid": (hyperliquid_cases.frame(coin="kPEPE", sz="3000", px="0.01"), None),
    "aster": (aster_cases.frame(s="1000PEPEUSDT", z="3000", ap="0.0100000"), None),
    "bitfinex": (bitfinex_cases.frame(symbol="tPEPEF0:USTF0", amount=3e6, price=1e-5), None),
    "bitget": (bitget_cases.frame(symbol="PEPEUSDT", amount="30.0", price="0.00001"), None),
    "bitmex": (
        bitmex_cases.frame(symbol="PEPEUSDT", leavesQty=30_000, price=0.00001),
        text(
            [
                {
                    **bitmex_cases.LISTED,
                    "symbol": "PEPEUSDT",
                    "underlying": "PEPE",
                    "underlyingToPositionMultiplier": 0.01,
                }
            ]
        ),
    ),
    "deribit": (
        deribit_cases.frame(instrument_name="PEPE_USDC-PERPETUAL", amount=3e6, contracts=3, price=0.00001),
        None,
    ),
    "dydx": (dydx_cases.frame("PEPE-USD", size="3000000", price="0.00001"), None),
    "gate": (
        gate_cases.frame(contract="PEPE_USDT", size="-0.3", price="0.00001"),
        text([{"name": "PEPE_USDT", "type": "direct", "quanto_multiplier": "10000000", "status": "trading"}]),
    ),
    "htx": (
        htx_cases.frame(contract_code="PEPE-USDT", volume=3_000, price="0.00001"),
        text({"status": "ok", "data": [{"contract_code": "PEPE-USDT", "contract_size": 1000, "contract_status": 1}]}),
    ),
    "kraken": (kraken_cases.frame(product_id="PF_PEPEUSD", qty=3e6, price=0.00001), None),
    "lighter": (
        lighter_cases.frame(
            market_id=24, size="3000", price="0.010000", usd_amount="30.000000", taker_position_size_before="9000"
        ),
        text({"code": 200, "order_book_details": [{**lighter_cases.LISTED, "symbol": "1000PEPE", "market_id": 24}]}),
    ),
}

# The same of bitcoin: 8,000 dollars at 64,000, of contracts that are paid in it.
PAID_IN_COIN: Mapping[str, bytes] = {
    "binance": binance_cases.coin_margined(z="80", ap="64000.0"),
    "bybit": bybit_cases.frame(s="BTCUSD", v="8000"),
    "bitget": bitget_cases.frame("coin-futures", symbol="BTCUSD", amount="8000"),
    "bitmex": bitmex_cases.frame(symbol="XBTUSD", leavesQty=8_000),
    "deribit": deribit_cases.inverse(amount=8_000.0),
    "gate": gate_cases.frame(contract="BTC_USD", size="-8000"),
    "htx": htx_cases.frame(contract_code="BTC-USD", volume=80),
    "kraken": kraken_cases.frame(product_id="PI_XBTUSD", qty=8_000),
}


def told(venue: str, frame: bytes, instruments: Instruments) -> Liquidation:
    (event,) = find_venue(venue).decoder("main", instruments).decode(frame, RECEIVED)
    assert isinstance(event, Liquidation), event
    return event


@pytest.mark.parametrize("venue", VENUES)
def test_a_cheap_token_is_as_many_coins_and_dollars_on_every_venue(venue: str) -> None:
    frame, answer = PEPE[venue]
    listed = [] if answer is None else find_venue(venue).read_instruments(answer)
    event = told(venue, frame, Instruments(listed))
    assert (event.asset, event.side) == ("PEPE", Side.LONG)
    assert event.amount == pytest.approx(COINS)
    assert event.usd == pytest.approx(DOLLARS)


@pytest.mark.parametrize("venue", PAID_IN_COIN)
def test_a_contract_paid_in_its_coin_is_dollars_and_as_many_coins_as_they_buy(venue: str) -> None:
    event = told(venue, PAID_IN_COIN[venue], Instruments())
    assert (event.asset, event.side) == ("BTC", Side.LONG)
    assert event.amount == pytest.approx(0.125)
    assert event.usd == pytest.approx(8_000.0)


# 8,000 dollars of a coin whose contracts are of 10 dollars each, and not of 100 as bitcoin's.
OF_TEN_DOLLARS: Mapping[str, bytes] = {
    "binance": binance_cases.coin_margined(s="ETHUSD_PERP", ps="ETHUSD", z="800", ap="4000.0"),
    "htx": htx_cases.frame(contract_code="ETH-USD", volume=800, price="4000.0"),
}


@pytest.mark.parametrize("venue", OF_TEN_DOLLARS)
def test_contracts_of_other_coins_are_of_ten_dollars_before_the_list_has_come(venue: str) -> None:
    event = told(venue, OF_TEN_DOLLARS[venue], Instruments())
    assert event.asset == "ETH"
    assert event.amount == pytest.approx(2.0)
    assert event.usd == pytest.approx(8_000.0)


@pytest.mark.parametrize("venue", ["okx", "bitmex", "gate", "htx"])
def test_a_multiplier_that_changes_counts_from_the_next_frame_on_and_leaves_the_key_alone(venue: str) -> None:
    frame, answer = PEPE[venue]
    assert answer is not None
    instruments = Instruments()
    decoder = find_venue(venue).decoder("main", instruments)

    def decoded() -> Liquidation:
        (event,) = decoder.decode(frame, RECEIVED)
        assert isinstance(event, Liquidation)
        return event

    unknown = decoded()
    assert (unknown.amount, unknown.usd) == (None, None)
    (listed,) = find_venue(venue).read_instruments(answer)
    instruments.update([listed])
    known = decoded()
    assert known.amount == pytest.approx(COINS)
    assert listed.multiplier is not None
    halved = type(listed)(listed.symbol, listed.asset, listed.kind, listed.multiplier / 2.0, listed.bundle)
    instruments.update([halved])
    after = decoded()
    assert after.amount == pytest.approx(COINS / 2.0)
    assert after.usd == pytest.approx(DOLLARS / 2.0)
    assert unknown.key == known.key == after.key
