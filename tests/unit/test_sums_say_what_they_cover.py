"""Wherever what a complete and a throttled venue showed is added up, it is said to be a lower bound."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
import pytest

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Moment, Snapshot
from liquake.model import (
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    FeedStatus,
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    Throttle,
)
from liquake.storage.current import velocity
from liquake.tui import export
from liquake.tui.pages import PAGES, wanted
from liquake.tui.picture import Picture, View
from liquake.tui.statistics import statistics_csv, statistics_object, statistics_text
from liquake.tui.status import Mode, Status
from liquake.tui.theme import load_theme

NOON, SECOND = 1_790_000_040 * 1_000_000_000, 1_000_000_000
COVERAGES = {
    "bybit": Coverage(CoverageKind.COMPLETE, "Everything."),
    "binance": Coverage(CoverageKind.THROTTLED, "One a second.", throttle=Throttle.LARGEST, interval=1.0),
    "hyperliquid": Coverage(CoverageKind.SAMPLE, "A vault's."),
}
# Whole and apart, no two of these sums are alike in their first three digits.
USD = {"bybit": 3_000_000.0, "binance": 1_570_000.0, "hyperliquid": 250_000.0}
MIXED, ALONE = USD["bybit"] + USD["binance"], USD["bybit"]
_SUM = re.compile(r"(?P<before>.?)\$(?:4\.57M|4,570,000)")
_BOUND = "\N{GREATER-THAN OR EQUAL TO}"


def events() -> Iterator[Event]:
    for venue in COVERAGES:
        yield FeedStatus(venue, "main", FeedState.SUBSCRIBED, NOON)
    yield Price("bybit", "BTCUSDT", "BTC", PriceKind.MARK, 50_000.0, NOON, NOON)
    for number, (venue, usd) in enumerate(USD.items(), 1):
        ts = NOON + 20 * SECOND + number * SECOND // 5
        yield Liquidation(
            venue,
            "BTCUSDT",
            "BTC",
            Side.LONG,
            50_000.0,
            PriceBasis.FILL,
            usd / 50_000.0,
            usd,
            ts,
            ts + 1,
            id=str(number),
        )


@cache
def engine() -> Engine:
    found = Engine(COVERAGES)
    for event in events():
        found.apply(event)
    return found


def picture(page: str, market: str) -> Picture:
    view = View(page=page, market=market, window="all", threshold=0.0)
    now = NOON + 25 * SECOND
    snapshot = engine().snapshot(now, *wanted(view))
    status = Status(Mode.LIVE, "1", now, NOON)
    return Picture(snapshot, status, view, load_theme("dark"))


@cache
def drawn(page: str, market: str) -> Mapping[str, str]:
    """Every panel of the page at its roomiest."""
    shown = picture(page, market)
    return {name: draw(shown, 200, 60).text(60).plain for name, draw in PAGES[page].panels.items()}


@pytest.mark.parametrize("market", [ALL, "BTCUSDT"])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_a_mixed_sum_as_if_it_were_whole(page: str, market: str) -> None:
    for name, text in drawn(page, market).items():
        title, _, _ = text.partition("\n")
        bare = [found for found in _SUM.finditer(text) if found["before"] != _BOUND]
        assert not bare or f"{_BOUND} at least" in title, (name, text)


def test_the_pages_do_show_mixed_sums() -> None:
    showing = {page for page in PAGES if any(_SUM.search(text) for text in drawn(page, ALL).values())}
    assert showing >= {"monitor", "overview", "cumulative", "market", "charts"}
    assert f"{_BOUND}$" in drawn("glance", ALL)["numbers"]


@pytest.mark.parametrize("market", [ALL, "BTCUSDT"])
@pytest.mark.parametrize("page", PAGES)
def test_no_table_exports_a_mixed_sum_without_saying_so(page: str, market: str) -> None:
    for panel in PAGES[page].panels:
        for row in export.rows(picture(page, market), panel)[1]:
            assert not mixed(row) or row["at_least"] is True, (panel, row)


def mixed(row: Mapping[str, object]) -> bool:
    return any(value == pytest.approx(MIXED) for value in row.values() if isinstance(value, float))


def test_tables_leave_samples_out_of_their_sums() -> None:
    [row] = export.rows(picture("market", ALL))[1]
    assert (row["hour_usd"], row["hour_events"]) == (MIXED, 2)


def test_sums_say_how_much_of_the_time_was_heard_and_which_part_is_a_bound() -> None:
    rows = [
        row for row in export.rows(picture("cumulative", ALL))[1] if row["window"] == "1h" and row["side"] == "BOTH"
    ]
    told = {(row["venue"], row["market"]): row for row in rows}
    whole = told[ALL, "BTCUSDT"]
    assert whole["heard_share"] == pytest.approx(25 / 3600)
    assert (whole["coverage"], whole["at_least"]) == ("THROTTLED", True)
    assert whole["at_least_share"] == pytest.approx(USD["binance"] / MIXED)
    bybit = told["bybit", ALL]
    assert (bybit["coverage"], bybit["at_least"], bybit["at_least_share"]) == ("COMPLETE", False, 0.0)


def test_a_session_says_it_of_each_sum_in_every_form() -> None:
    statistics = engine().statistics()
    told = statistics_object(statistics)
    sums = [told, told["by_market"]["BTCUSDT"], *(told["by_venue"][venue] for venue in ("bybit", "binance"))]
    assert [(each["usd"], each["at_least"]) for each in sums] == [
        (MIXED, True),
        (MIXED, True),
        (ALONE, False),
        (USD["binance"], True),
    ]
    text = statistics_text(statistics, {name: COVERAGES[name] for name in USD})
    assert {found["before"] for found in _SUM.finditer(text)} == {_BOUND}
    assert {(peak["usd"], peak["at_least"]) for peak in told["peaks"]} >= {(MIXED, True)}
    rows = list(csv.DictReader(io.StringIO(statistics_csv(statistics))))
    longs = {row["venue"]: (row["coverage"], row["at_least"]) for row in rows if row["side"] == "LONG"}
    assert longs == {"bybit": ("COMPLETE", "False"), "binance": ("THROTTLED", "True")}


def keys_of(moment: Moment) -> Mapping[str, Mapping[str, object]]:
    """What the keys of velocity hold."""
    return {each.key: each.fields for each in velocity(moment)}


def test_keys_of_redis_say_it_beside_the_sums() -> None:
    keys = keys_of(engine().moment(NOON + 25 * SECOND))
    for market in (ALL, "BTCUSDT"):
        fields = keys[f"velocity:{market}:current"]
        assert fields["60s_usd"] == MIXED
        assert (fields["at_least"], fields["coverage"]) == (1, "THROTTLED")
        assert fields["1h_heard"] == pytest.approx(25 / 3600)


def test_what_is_published_whole_has_the_coverage_in_it() -> None:
    snapshot = engine().snapshot(NOON + 25 * SECOND)
    read = msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)
    assert read.coverage["BTCUSDT"][ALL].at_least("5m")
    assert set(read.coverage["BTCUSDT"]) == {ALL, *COVERAGES}


def test_alone_a_complete_venue_is_not_belittled() -> None:
    whole = Engine({"bybit": COVERAGES["bybit"]})
    for event in events():
        if event.venue == "bybit":
            whole.apply(event)
    view = View(page="overview")
    now = NOON + 25 * SECOND
    shown = Picture(whole.snapshot(now, *wanted(view)), Status(Mode.LIVE, "1", now, NOON), view, load_theme("dark"))
    for draw in PAGES["overview"].panels.values():
        assert _BOUND not in draw(shown, 200, 60).text(60).plain
    assert keys_of(whole.moment(now))["velocity:ALL:current"]["at_least"] == 0


def test_while_a_complete_venue_is_away_the_latest_sums_are_lower_bounds_too() -> None:
    whole = Engine({"bybit": COVERAGES["bybit"]})
    for event in events():
        if event.venue == "bybit":
            whole.apply(event)
    whole.apply(FeedStatus("bybit", "main", FeedState.DISCONNECTED, NOON + 22 * SECOND))
    now = NOON + 25 * SECOND
    assert keys_of(whole.moment(now))["velocity:ALL:current"]["at_least"] == 1
    shown = Picture(whole.snapshot(now), Status(Mode.LIVE, "1", now, NOON), View(), load_theme("dark"))
    title, _, _ = PAGES["monitor"].panels["velocity"](shown, 200, 60).text(60).plain.partition("\n")
    assert f"{_BOUND} at least" in title


def test_a_sample_that_counts_makes_sums_lower_bounds() -> None:
    sampled = Engine({name: COVERAGES[name] for name in ("bybit", "hyperliquid")}, include_samples=True)
    for event in events():
        if event.venue != "binance":
            sampled.apply(event)
    snapshot = sampled.snapshot(NOON + 25 * SECOND)
    assert keys_of(sampled.moment(snapshot.now))["velocity:ALL:current"]["at_least"] == 1
    assert snapshot.coverage[ALL][ALL].lower_bound
