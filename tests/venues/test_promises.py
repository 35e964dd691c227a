"""What each feed is documented to leave out: sums over those that leave nothing out are never shown as equal to the others."""

from __future__ import annotations

import pytest

from liquake.model import CoverageKind, Throttle
from liquake.venues import VENUES

COMPLETE, THROTTLED = CoverageKind.COMPLETE, CoverageKind.THROTTLED
LARGEST, LATEST, NONE = Throttle.LARGEST, Throttle.LATEST, Throttle.NONE
DOCUMENTED = {
    "binance": (THROTTLED, LARGEST, 1.0, False),
    "bybit": (COMPLETE, NONE, 0.0, False),
    "okx": (THROTTLED, LATEST, 1.0, False),
    "hyperliquid": (CoverageKind.SAMPLE, NONE, 0.0, False),
    "aster": (THROTTLED, LATEST, 1.0, False),
    "bitfinex": (COMPLETE, NONE, 0.0, False),
    # "the largest long and the largest short of each pair": two a second.
    "bitget": (THROTTLED, LARGEST, 1.0, True),
    "bitmex": (COMPLETE, NONE, 0.0, False),
    "deribit": (CoverageKind.DELAYED, NONE, 0.0, False),
    "dydx": (COMPLETE, NONE, 0.0, False),
    "gate": (THROTTLED, LATEST, 1.0, False),
    "htx": (COMPLETE, NONE, 0.0, False),
    "kraken": (COMPLETE, NONE, 0.0, False),
    "lighter": (COMPLETE, NONE, 0.0, False),
}


def test_every_venue_is_in_the_table() -> None:
    assert DOCUMENTED.keys() == VENUES.keys()


@pytest.mark.parametrize("venue", DOCUMENTED)
def test_a_feed_promises_what_is_documented_of_it(venue: str) -> None:
    held = VENUES[venue].coverage
    kind, throttle, interval, per_side = DOCUMENTED[venue]
    assert (held.kind, held.throttle, held.per_side) == (kind, throttle, per_side)
    assert held.interval == interval or throttle is NONE
    assert held.lower_bound is (kind is not COMPLETE)


def test_an_hour_passes_before_deribit_tells() -> None:
    assert VENUES["deribit"].coverage.delay == 3_600.0
    assert not any(each.coverage.delay for name, each in VENUES.items() if name != "deribit")
