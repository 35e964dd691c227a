"""Contracts become coins and dollars, or nothing."""

from __future__ import annotations

from math import inf, nan

import pytest

from liquake.model import ContractKind, Instrument, Instruments
from liquake.model.instrument import unbundle


def contract(kind: ContractKind, multiplier: float | None, bundle: float = 1.0) -> Instrument:
    return Instrument("X", "X", kind, multiplier, bundle)


@pytest.mark.parametrize(
    ("instrument", "contracts", "price", "amount", "usd"),
    [
        (contract(ContractKind.LINEAR, 1.0), 0.25, 64_000.0, 0.25, 16_000.0),
        (contract(ContractKind.LINEAR, 0.01), 50.0, 64_000.0, 0.5, 32_000.0),
        (contract(ContractKind.LINEAR, 1.0, 1000.0), 7_000.0, 0.02, 7_000_000.0, 140.0),
        (contract(ContractKind.LINEAR, 10.0, 1000.0), 3.0, 0.0004, 30_000.0, 0.012),
        (contract(ContractKind.INVERSE, 100.0), 40.0, 50_000.0, 0.08, 4_000.0),
        (contract(ContractKind.INVERSE, 1.0), 8_000.0, 64_000.0, 0.125, 8_000.0),
        (contract(ContractKind.INVERSE, 1.0, 1000.0), 100.0, 0.5, 200_000.0, 100.0),
    ],
    ids=[
        "coins",
        "contracts",
        "thousands",
        "contracts of thousands",
        "inverse",
        "inverse of a dollar",
        "inverse thousands",
    ],
)
def test_a_size_in_coins_and_dollars(
    instrument: Instrument, contracts: float, price: float, amount: float, usd: float
) -> None:
    assert list(instrument.size(contracts, price)) == [pytest.approx(amount), pytest.approx(usd)]


@pytest.mark.parametrize("kind", ContractKind)
@pytest.mark.parametrize("multiplier", [None, 0.0, -1.0, nan, inf, -inf, 1e300, 1e-300])
def test_what_cannot_be_a_multiplier_gives_no_size(kind: ContractKind, multiplier: float | None) -> None:
    instrument = contract(kind, multiplier)
    assert instrument.multiplier is None
    assert instrument.size(5.0, 100.0) == (None, None)


def test_a_quanto_has_no_size_here() -> None:
    assert contract(ContractKind.QUANTO, 1.0).size(5.0, 100.0) == (None, None)


@pytest.mark.parametrize(
    ("base", "coin", "bundle"),
    [
        ("BTC", "BTC", 1.0),
        ("1000PEPE", "PEPE", 1000.0),
        ("10000SATS", "SATS", 10_000.0),
        ("1000000MOG", "MOG", 1_000_000.0),
        ("1MBABYDOGE", "BABYDOGE", 1_000_000.0),
        ("SHIB1000", "SHIB", 1000.0),
        ("kBONK", "BONK", 1000.0),
        ("1INCH", "1INCH", 1.0),
        ("KAVA", "KAVA", 1.0),
        ("C98", "C98", 1.0),
        ("100X", "100X", 1.0),
        ("1000", "1000", 1.0),
    ],
)
def test_bundles_of_a_thousand_and_more_are_undone(base: str, coin: str, bundle: float) -> None:
    assert unbundle(base) == (coin, bundle)


def test_instruments_are_replaced_by_symbol_and_seen_through_one_mapping() -> None:
    old, new = contract(ContractKind.LINEAR, None), contract(ContractKind.LINEAR, 0.1)
    instruments = Instruments([old])
    looked_up = instruments.by_symbol.get
    instruments.update([new, Instrument("Y", "Y", ContractKind.INVERSE, 10.0)])
    assert looked_up("X") is instruments["X"] is new
    assert (list(instruments), len(instruments)) == (["X", "Y"], 2)
