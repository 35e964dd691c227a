"""What Aster has otherwise than Binance, whose protocol it took over."""

from __future__ import annotations

from liquake.model import Instruments, Liquidation, Throttle
from liquake.venues.registry import find_venue
from tests.venues.aster_cases import frame
from tests.venues.cases import RECEIVED


def test_liquidations_and_a_price_come_on_one_socket_without_routing() -> None:
    (connection,) = find_venue("asterdex").connections(Instruments(), {"ETH"})
    assert connection.url == "wss://fstream.asterdex.com/stream?streams=!forceOrder@arr/btcusdt@markPrice@1s"


def test_the_latest_of_a_second_is_what_is_published() -> None:
    coverage = find_venue("aster").coverage
    assert (coverage.throttle, coverage.interval, coverage.lower_bound) == (Throttle.LATEST, 1.0, True)


def test_events_are_of_the_venue_itself() -> None:
    (event,) = find_venue("aster").decoder("market", Instruments()).decode(frame(), RECEIVED)
    assert isinstance(event, Liquidation)
    assert (event.venue, event.asset) == ("aster", "BTC")


def test_binance_and_aster_go_by_their_own_names() -> None:
    assert find_venue("binance").title == "Binance"
    assert find_venue("binance_coinm").name == "binance"
    assert find_venue("aster").title == "Aster"
