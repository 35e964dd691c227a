"""What is known of a market is what is known of the connections that bring it, and of the venue's list."""

from __future__ import annotations

import pytest

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, MarketCoverage
from liquake.model import Coverage, CoverageKind, Event, FeedState, FeedStatus, Gap, Listing, Scope, market_of
from tests.unit.engine.events import COVERAGES, NOON, SECOND

DELAYED = Coverage(CoverageKind.DELAYED, "An hour late.", delay=100.0)


def at(seconds: float) -> int:
    return NOON + round(seconds * SECOND)


def status(state: FeedState, seconds: float, connection: str = "linear", venue: str = "bybit") -> FeedStatus:
    return FeedStatus(venue, connection, state, at(seconds))


def scope(
    seconds: float,
    *assets: str,
    connection: str = "linear",
    venue: str = "bybit",
    refused: tuple[str, ...] | None = (),
    every: bool = False,
) -> Scope:
    return Scope(venue, connection, at(seconds), None if every else assets, refused)


def listing(seconds: float, *assets: str, venue: str = "bybit") -> Listing:
    return Listing(venue, "instruments", at(seconds), assets)


def gap(start: float, end: float, connection: str = "linear", *, recovered: bool = False) -> Gap:
    return Gap("bybit", connection, at(start), at(end), "code 1006", recovered)


def up(connection: str = "linear", venue: str = "bybit", seconds: float = 0.0) -> FeedStatus:
    return status(FeedState.SUBSCRIBED, seconds, connection, venue)


def rows(
    seconds: float, *events: Event, coverages: dict[str, Coverage] = COVERAGES
) -> dict[str, dict[str, MarketCoverage]]:
    """By venue and asset."""
    engine = Engine(coverages)
    for event in events:
        engine.apply(event)
    found: dict[str, dict[str, MarketCoverage]] = {}
    told = engine.snapshot(at(seconds), [market_of(asset) for asset in ("BTC", "ETH", "XRP")]).coverage
    for market, venues in told.items():
        for venue, row in venues.items():
            found.setdefault(venue, {})[market.removesuffix("USDT")] = row
    return found


def shares(seconds: float, *events: Event, venue: str = "bybit") -> dict[str, float]:
    """Of the whole run, by asset."""
    return {asset: row.covered["all"] for asset, row in rows(seconds, *events)[venue].items()}


def test_without_a_word_on_it_a_connection_brings_every_market() -> None:
    assert shares(100.0, up(), gap(0.0, 50.0)) == {"ALL": 0.5, "BTC": 0.5, "ETH": 0.5, "XRP": 0.5}


def test_an_outage_costs_the_markets_of_its_connection() -> None:
    both = (up(), scope(0.0, "BTC", "ETH"), up("inverse"), scope(0.0, "BTC", connection="inverse"))
    found = shares(100.0, *both, status(FeedState.DISCONNECTED, 75.0, "inverse"))
    assert found == {"ALL": 0.75, "BTC": 0.75, "ETH": 1.0, "XRP": 0.0}
    assert shares(100.0, *both, gap(10.0, 60.0, "inverse"))["ETH"] == 1.0
    assert shares(100.0, *both, gap(10.0, 60.0, "inverse"))["BTC"] == 0.5


def test_a_connection_of_prices_alone_costs_no_liquidation() -> None:
    prices = (up("prices"), scope(0.0, connection="prices"))
    lost = status(FeedState.DISCONNECTED, 50.0, "prices")
    assert shares(100.0, up(), scope(0.0, every=True), *prices, lost)["ALL"] == 1.0
    assert shares(100.0, up(), scope(0.0, every=True), *prices, gap(0.0, 90.0, "prices"))["BTC"] == 1.0


def test_a_gap_goes_by_what_its_connection_brought_then() -> None:
    moved = (scope(60.0, "ETH"), scope(60.0, "BTC", connection="linear-2"))
    found = shares(100.0, up(), scope(0.0, "BTC"), gap(0.0, 50.0), *moved)
    assert found["BTC"] == 0.5
    assert found["ETH"] == 0.4


def test_a_market_that_is_brought_later_was_not_heard_before() -> None:
    assert shares(100.0, up(), scope(0.0, "BTC"), scope(25.0, "BTC", "ETH"))["ETH"] == 0.75


def test_a_market_that_is_dropped_is_not_heard_until_it_is_brought_again() -> None:
    gone = (up(), scope(0.0, "BTC", "ETH"), scope(40.0, "BTC"))
    assert shares(100.0, *gone)["ETH"] == 0.4
    assert rows(100.0, *gone)["bybit"]["ETH"].kind is CoverageKind.DARK
    assert shares(100.0, *gone, scope(60.0, "BTC", "ETH"))["ETH"] == 0.8


def test_of_a_market_that_the_venue_does_not_list_nothing_can_be_missing() -> None:
    found = rows(100.0, up(), scope(0.0, "BTC"), listing(0.0, "BTC"))
    assert set(found["bybit"]) == {"ALL", "BTC"}
    assert found[ALL]["XRP"].covered["all"] == 1.0


def test_a_market_listed_since_owes_nothing_of_the_time_before() -> None:
    events = (up(), listing(0.0, "BTC"), scope(0.0, "BTC"), listing(50.0, "BTC", "XRP"), scope(75.0, "BTC", "XRP"))
    # The list at 0 s did not have it: it may have been there from the next moment on.
    assert rows(100.0, *events)["bybit"]["XRP"].since == NOON
    later = (*events[:3], listing(40.0, "BTC"), *events[3:])
    found = rows(100.0, *later)["bybit"]["XRP"]
    assert (found.since, found.lost["all"]) == (at(40.0), 35.0)
    assert found.covered["all"] == pytest.approx(25 / 60)


def test_a_market_that_was_delisted_owes_nothing_after() -> None:
    events = (up(), listing(0.0, "BTC", "ETH"), scope(0.0, "BTC", "ETH"), listing(50.0, "BTC"), scope(50.0, "BTC"))
    found = rows(100.0, *events)["bybit"]["ETH"]
    assert (found.covered["all"], found.lost["all"], found.kind) == (1.0, 0.0, CoverageKind.COMPLETE)


def test_what_is_refused_makes_a_lower_bound_and_nothing_but_refusals_darkness() -> None:
    found = rows(100.0, up(), scope(0.0, "BTC", "ETH", refused=("ETH", "XRP")))["bybit"]
    assert {asset: row.refused for asset, row in found.items()} == {"ALL": True, "BTC": False, "ETH": True, "XRP": True}
    assert (found["BTC"].at_least("all"), found["ETH"].at_least("all")) == (False, True)
    assert (found["ETH"].kind, found["XRP"].kind) == (CoverageKind.COMPLETE, CoverageKind.DARK)
    anything = rows(100.0, up(), scope(0.0, every=True, refused=None))["bybit"]
    assert anything["BTC"].refused


def test_together_venues_cover_what_each_of_them_heard() -> None:
    events = (
        *(up(), scope(0.0, "BTC"), gap(10.0, 30.0)),
        *(up("market", "binance"), scope(0.0, every=True, venue="binance", connection="market")),
        status(FeedState.DISCONNECTED, 80.0, "market", "binance"),
        up("sample", "hyperliquid", 90.0),
    )
    found = rows(100.0, *events)
    assert found[ALL]["BTC"].covered["all"] == pytest.approx(0.6)
    assert found[ALL]["BTC"].lost["all"] == pytest.approx(40.0)
    assert (found[ALL]["BTC"].kind, found[ALL]["BTC"].lower_bound) == (CoverageKind.THROTTLED, True)
    assert found["hyperliquid"]["BTC"].covered["all"] == pytest.approx(0.1)


def test_of_venues_that_were_never_tried_there_is_no_row() -> None:
    assert set(rows(10.0, up())) == {ALL, "bybit"}


def test_what_a_delayed_venue_has_not_said_yet_is_not_covered() -> None:
    engine = Engine({"deribit": DELAYED})
    engine.apply(up("history", "deribit"))
    row = engine.snapshot(at(400.0), []).coverage[ALL]["deribit"]
    assert row.covered["5m"] == pytest.approx(200 / 300)
    assert row.covered["all"] == 0.75
    assert row.lost["all"] == pytest.approx(100.0)


def test_of_all_markets_the_largest_are_covered_unless_some_are_asked_for() -> None:
    engine = Engine(COVERAGES)
    engine.apply(up())
    assert set(engine.snapshot(at(1.0)).coverage) == {ALL}
    assert set(engine.snapshot(at(1.0), ["SOLUSDT"]).coverage) == {ALL, "SOLUSDT"}


def test_together_the_others_are_covered_though_one_of_them_is_late() -> None:
    engine = Engine({"deribit": DELAYED, "bybit": COVERAGES["bybit"]})
    for event in (up(), up("history", "deribit"), gap(100.0, 200.0)):
        engine.apply(event)
    whole = engine.snapshot(at(400.0), []).coverage[ALL][ALL]
    assert (whole.covered["all"], whole.kind, whole.lower_bound) == (0.75, CoverageKind.DELAYED, True)


def test_after_a_restart_a_market_is_heard_once_it_is_brought_again() -> None:
    before = (up(), scope(0.0, "BTC", "ETH"))
    nobody = Gap("bybit", "", at(40.0), at(50.0), "liquake was not running")
    assert shares(100.0, *before, nobody, up(seconds=51.0), scope(80.0, "BTC", "ETH"))["BTC"] == pytest.approx(0.6)
    # As soon as that: what a history is asked for reaches further.
    assert shares(100.0, *before, nobody, up(seconds=51.0), scope(52.0, "BTC", "ETH"))["BTC"] == pytest.approx(0.9)
    assert shares(100.0, *before, nobody, up(seconds=51.0))["BTC"] == pytest.approx(0.4)
