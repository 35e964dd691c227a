"""What each feed is documented to leave out: sums over those that leave nothing out are never shown as equal to the others."""

from __future__ import annotations

from math import inf

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


# What the venues allow one address: messages a second on a socket, connections a minute, REST requests a minute.
ALLOWED = {
    "binance": (10.0, 60.0, inf),
    "bybit": (inf, 100.0, inf),
    "okx": (inf, 180.0, 1_200.0),
    "hyperliquid": (2_000.0 / 60.0, 30.0, inf),
    "aster": (10.0, inf, inf),
    "bitfinex": (inf, 20.0, 3.0),
    "bitget": (10.0, inf, inf),
    "dydx": (inf, inf, 600.0),
    "htx": (40.0, inf, 4_800.0),
    # Of all sockets together, three of which subscribe at once at most.
    "lighter": (200.0 / 60.0 / 3.0, inf, inf),
}


@pytest.mark.parametrize("venue", ALLOWED)
def test_no_venue_is_asked_for_more_than_it_allows(venue: str) -> None:
    limits = VENUES[venue].limits
    asked = limits.messages_per_second, limits.connects_per_minute, limits.requests_per_minute
    assert all(ours <= theirs for ours, theirs in zip(asked, ALLOWED[venue], strict=True))
