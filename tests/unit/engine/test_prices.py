from __future__ import annotations

import pytest

from liquake.engine.prices import Prices, coins_per_unit
from liquake.model import Price, PriceKind
from tests.unit.engine.events import price


def after(*updates: Price) -> Prices:
    prices = Prices()
    for update in updates:
        prices.update(update, update.ts_event)
    return prices


def test_the_latest_price_wins_and_says_whose_it_is() -> None:
    held = after(price(0, 60_000.0), price(1, 60_100.0, venue="okx")).value()["BTCUSDT"]
    assert (held.price, held.venue) == (60_100.0, "okx")


def test_a_price_that_comes_late_is_ignored() -> None:
    assert after(price(1, 60_100.0), price(0, 60_000.0)).value()["BTCUSDT"].price == 60_100.0


def test_a_mark_price_stands_until_it_is_old() -> None:
    mark, last = price(0, 60_000.0), price(9.9, 60_100.0, kind=PriceKind.LAST)
    assert after(mark, last).value()["BTCUSDT"].price == 60_000.0
    old = price(10, 60_200.0, kind=PriceKind.LAST)
    assert after(mark, last, old).value()["BTCUSDT"].price == 60_200.0
    assert after(mark, old, price(10.1, 60_300.0)).value()["BTCUSDT"].price == 60_300.0


@pytest.mark.parametrize(
    ("instrument", "asset", "coins"),
    [
        ("BTCUSDT", "BTC", 1.0),
        ("BTC-USD-SWAP", "BTC", 1.0),
        ("1000PEPEUSDT", "PEPE", 1_000.0),
        ("SHIB1000USDT", "SHIB", 1_000.0),
        ("1MBABYDOGEUSDT", "BABYDOGE", 1_000_000.0),
        ("kPEPE", "PEPE", 1_000.0),
        ("1INCHUSDT", "1INCH", 1.0),
        ("BTCUSDT_270326", "BTC", 1.0),
        ("@107", "HYPE", 1.0),
    ],
)
def test_prices_of_bundles_become_prices_of_coins(instrument: str, asset: str, coins: float) -> None:
    assert coins_per_unit(instrument, asset) == coins
    quoted = price(0, 12.0, instrument=instrument, asset=asset)
    assert after(quoted).value()[f"{asset}USDT"].price == 12.0 / coins
