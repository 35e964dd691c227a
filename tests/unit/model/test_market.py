"""What a user may call a market."""

from __future__ import annotations

import pytest

from liquake.model import asset_of, market_of


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("BTC", "BTC"),
        (" btc ", "BTC"),
        ("BTCUSDT", "BTC"),
        ("ethusdc", "ETH"),
        ("btc-usdt-swap", "BTC"),
        ("BTC-USD-SWAP", "BTC"),
        ("BTC/USD", "BTC"),
        ("BTC/USDT:USDT", "BTC"),
        ("BTCUSD_PERP", "BTC"),
        ("BTC-PERPETUAL", "BTC"),
        ("BTCPERP", "BTC"),
        ("BTCUSDT_260626", "BTC"),
        ("BTC-USDT-260626", "BTC"),
        ("BTCUSDT-26JUN26", "BTC"),
        ("BTC-26JUN26", "BTC"),
        ("BTCUSDM26", "BTC"),
        ("1000PEPEUSDT", "PEPE"),
        ("SHIB1000USDT", "SHIB"),
        ("kPEPE", "PEPE"),
        ("KAVA", "KAVA"),
        ("kava", "KAVA"),
        ("1INCHUSDT", "1INCH"),
        ("BNBUSD", "BNB"),
        ("PERP", "PERP"),
        ("PERPUSDT", "PERP"),
        ("USDC", "USDC"),
        ("FDUSD", "FDUSD"),
        ("USDCUSDT", "USDC"),
        ("PF_XBTUSD", "BTC"),
        ("PI_ETHUSD", "ETH"),
        ("FI_XBTUSD_270326", "BTC"),
        ("PF_PEPEUSD", "PEPE"),
        ("XBTUSD", "BTC"),
        ("XBTUSDT", "BTC"),
        ("xbt", "BTC"),
        ("PI", "PI"),
        ("PIUSDT", "PI"),
        ("tBTCF0:USTF0", "BTC"),
        ("tETHUSD", "ETH"),
        ("tLINK:USD", "LINK"),
        ("TIAUSDT", "TIA"),
        ("TRXUSD", "TRX"),
        ("xyz:CRWV", "CRWV"),
        ("\u5e01\u5b89\u4eba\u751fUSDT", "\u5e01\u5b89\u4eba\u751f"),
    ],
)
def test_every_spelling_means_one_asset(name: str, asset: str) -> None:
    assert asset_of(name) == asset


@pytest.mark.parametrize(
    "name", ["", " ", "?", "-", "BTC USDT", "BTC;DROP", "b\u200bg", "BTC,ETH", "b\u0007g", "\x1b[31m"]
)
def test_what_cannot_be_a_name_is_none(name: str) -> None:
    assert asset_of(name) is None


@pytest.mark.parametrize("asset", ["BTC", "PEPE", "USDC", "FDUSD", "1INCH", "PERP"])
def test_the_name_of_a_market_means_its_asset(asset: str) -> None:
    assert asset_of(market_of(asset)) == asset
