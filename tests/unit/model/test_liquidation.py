"""One liquidation, as all of liquake speaks of it."""

from __future__ import annotations

import msgspec
import pytest

from liquake.model import ContractKind, Instrument, Liquidation, PriceBasis, Side, normalised

NOW = 1_790_000_000_123


def told(instrument: Instrument, price: float, size: float) -> Liquidation:
    event = normalised("v", instrument, Side.LONG, price, PriceBasis.FILL, size, NOW, NOW * 1_000_000)
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("instrument", "price", "size"),
    [
        (Instrument("1000PEPEUSDT", "PEPE", ContractKind.LINEAR, 1.0, 1000.0), 0.0045, 3_000.0),
        (Instrument("1MPEPEUSDT", "PEPE", ContractKind.LINEAR, 1.0, 1e6), 4.5, 7.0),
        (Instrument("PEPE_USDT", "PEPE", ContractKind.LINEAR, 1e7, 1.0), 0.0000045, 0.3),
        (Instrument("1000PEPEUSD", "PEPE", ContractKind.INVERSE, 10.0, 1000.0), 0.0045, 12.0),
    ],
    ids=lambda value: getattr(value, "symbol", ""),
)
def test_the_price_of_a_coin_is_the_same_however_many_of_it_are_quoted_together(
    instrument: Instrument, price: float, size: float
) -> None:
    event = told(instrument, price, size)
    assert event.coin_price == pytest.approx(0.0000045)
    assert event.amount is not None
    assert event.usd == pytest.approx(event.amount * event.coin_price)


def test_an_ordinary_price_is_left_as_it_is_told() -> None:
    event = told(Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0), 64_123.4, 0.3)
    assert event.usd is not None
    rounded = msgspec.structs.replace(event, usd=event.usd * 1.004)
    assert event.coin_price == rounded.coin_price == 64_123.4


def test_of_an_unknown_size_the_price_is_as_quoted() -> None:
    assert told(Instrument("1000PEPEUSDT", "PEPE", ContractKind.LINEAR, None, 1000.0), 0.0045, 3.0).coin_price == 0.0045
