"""A session's statistics as text and as JSON."""

from __future__ import annotations

import json
from datetime import date

import msgspec
import pytest

from liquake.engine.snapshot import (
    ALL,
    FeedCoverage,
    MarketCoverage,
    Outage,
    Quantiles,
    Statistics,
    Sum,
    Understatement,
)
from liquake.model import Coverage, CoverageKind, Throttle
from liquake.tui.statistics import statistics_json, statistics_object, statistics_text
from tests.screens.moments import COVERAGES, NOW, STATISTICS, ago

NOBODY = Statistics(None, None, Sum(), {}, {}, {}, {}, (), (), Quantiles(), {}, {}, 0, 0, (), "empty")
ONE_MARKET = msgspec.structs.replace(
    STATISTICS,
    total=Sum(5816, 0.0, 27_526_274.61),
    by_side={"LONG": Sum(1812, 0.0, 9_000_000.0), "SHORT": Sum(4004, 0.0, 18_526_274.61)},
    by_market={"BTCUSDT": {"LONG": Sum(1812, 46.7603, 9_000_000.0), "SHORT": Sum(4004, 79.5244, 18_526_274.61)}},
    by_venue={"okx": {"LONG": Sum(1812, 0.0, 9_000_000.0), "SHORT": Sum(4004, 0.0, 18_526_274.61)}},
    by_venue_market={
        "okx": {"BTCUSDT": {"LONG": Sum(1812, 46.7603, 9_000_000.0), "SHORT": Sum(4004, 79.5244, 18_526_274.61)}}
    },
)


def _text(statistics: Statistics = STATISTICS) -> str:
    return statistics_text(statistics, COVERAGES)


def test_exact_figures_are_in_the_text() -> None:
    text = _text(ONE_MARKET)
    assert "5,816 events, 1,812 LONG and 4,004 SHORT, ≥$27,526,274.61" in text
    assert "BTC 46.7603 LONG and 79.5244 SHORT" in text


def test_coins_of_several_assets_are_not_added() -> None:
    result = statistics_object(STATISTICS)
    assert result["amount"] is None
    assert result["by_side"]["LONG"]["amount"] is None
    assert result["by_venue"]["bybit"]["by_side"]["SHORT"]["amount"] is None


def test_coins_of_one_market_are() -> None:
    result = statistics_object(STATISTICS)
    assert result["by_market"]["BTCUSDT"]["by_side"]["LONG"]["amount"] == 14.25
    assert result["by_market"]["BTCUSDT"]["amount"] == 25.375
    assert result["by_venue"]["okx"]["amount"] == 3.5
    assert statistics_object(ONE_MARKET)["by_side"]["SHORT"]["amount"] == 79.5244


def test_what_has_no_known_size_is_null_and_unknown_never_zero() -> None:
    unsized = msgspec.structs.replace(
        STATISTICS, by_market={"DOGEUSDT": {"LONG": Sum(2, 0.0, 0.0, 2)}}, by_venue_market={}
    )
    doge = statistics_object(unsized)["by_market"]["DOGEUSDT"]["by_side"]["LONG"]
    assert (doge["events"], doge["usd"], doge["amount"]) == (2, None, None)
    line = next(line for line in _text(unsized).splitlines() if line.startswith("DOGEUSDT") and "LONG" in line)
    assert line.split()[3:6] == ["unknown", "unknown", "DOGE"]


@pytest.mark.parametrize("group", ["by_side", "by_venue", "by_market"])
def test_each_group_has_events_dollars_and_coins(group: str) -> None:
    for entry in statistics_object(STATISTICS)[group].values():
        assert {"events", "usd", "amount"} <= entry.keys()


def test_the_object_has_the_promised_keys() -> None:
    promised = {"events", "usd", "by_side", "by_venue", "by_market", "peaks", "latency", "state_hash"}
    assert promised <= statistics_object(STATISTICS).keys()


def test_the_json_does_not_depend_on_the_order_in_which_venues_and_markets_were_met() -> None:
    def backwards(mapping: dict[str, object]) -> dict[str, object]:
        return dict(reversed(mapping.items()))

    other = msgspec.structs.replace(
        STATISTICS,
        by_venue=backwards(dict(STATISTICS.by_venue)),
        by_market=backwards(dict(STATISTICS.by_market)),
        by_venue_market=backwards(dict(STATISTICS.by_venue_market)),
        latency_by_venue=backwards(dict(STATISTICS.latency_by_venue)),
    )
    assert statistics_json(other) == statistics_json(STATISTICS)


def test_the_json_is_one_line_that_any_reader_takes() -> None:
    text = statistics_json(STATISTICS)
    assert "\n" not in text
    assert json.loads(text) == statistics_object(STATISTICS)


def test_sums_over_throttled_feeds_are_at_least() -> None:
    text = _text()
    assert "≥$250,000.00" in text
    assert "≥$2,000,000.25" in text
    assert "≥$1,000,000.25" not in text


def test_samples_stand_apart() -> None:
    assert "hyperliquid sample seen, in no sum above: 3 events, $60,300.00" in _text()
    assert "hyperliquid" not in statistics_object(STATISTICS)["by_venue"]


def test_each_feed_says_what_it_does_not_contain() -> None:
    text = _text()
    assert all(coverage.sentence in text for coverage in COVERAGES.values())


def test_without_unicode_the_text_is_ascii() -> None:
    assert statistics_text(STATISTICS, COVERAGES, unicode=False).isascii()


def test_a_session_without_a_liquidation_says_so() -> None:
    text = statistics_text(NOBODY, {})
    assert "nothing seen" in text
    assert "not measured" in text
    assert statistics_object(NOBODY)["by_side"]["LONG"] == {"events": 0, "usd": 0.0, "amount": None, "unsized": 0}


def test_many_markets_are_cut_and_counted() -> None:
    sides = {"LONG": Sum(1, 1.0, 10.0)}
    many = {f"COIN{index}USDT": sides for index in range(33)}
    assert "and 13 more, all in the totals" in _text(msgspec.structs.replace(STATISTICS, by_market=many))
    assert len(statistics_object(msgspec.structs.replace(STATISTICS, by_market=many))["by_market"]) == 33


GAPS = (Outage(NOW, NOW + 10**10, "code 1006"), Outage(NOW, NOW + 10**10, "nothing arrived", recovered=True))


def _kept(*gaps: Outage, state: CoverageKind = CoverageKind.COMPLETE, share: float = 1.0) -> Statistics:
    kept = FeedCoverage(COVERAGES["bybit"], state, share, gaps)
    only = {"bybit": STATISTICS.by_venue["bybit"]}
    return msgspec.structs.replace(STATISTICS, by_venue=only, coverage={"bybit": kept})


def test_gaps_are_rows_with_cause_and_outcome() -> None:
    lines = _text(_kept(*GAPS, share=0.98765)).splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("COVERAGE"))
    assert lines[place + 1].startswith("bybit")
    assert lines[place + 1].endswith("heard 98.7%")
    assert lines[place + 2].endswith("of 10 s: not refilled; code 1006")
    assert lines[place + 3].endswith("of 10 s: refilled; nothing arrived")
    found = statistics_object(_kept(*GAPS, share=0.98765))["coverage"]["bybit"]
    assert (found["heard_share"], found["lower_bound"]) == (0.98765, True)
    assert [(gap["cause"], gap["refilled"]) for gap in found["gaps"]] == [
        ("code 1006", False),
        ("nothing arrived", True),
    ]


@pytest.mark.parametrize(
    ("statistics", "least"),
    [
        (_kept(), False),
        (_kept(GAPS[1]), False),
        (_kept(GAPS[0]), True),
        (_kept(state=CoverageKind.DARK), True),
    ],
)
def test_a_sum_of_a_complete_venue_is_at_least_that_where_a_gap_stayed_or_it_is_dark(
    statistics: Statistics, least: bool
) -> None:
    rows = [line for line in _text(statistics).splitlines() if line.startswith("bybit") and " LONG" in line]
    assert ("≥" in rows[0]) is least
    assert statistics_object(statistics)["coverage"]["bybit"]["lower_bound"] is least


def test_the_rule_of_a_throttled_venue_is_told_with_its_date() -> None:
    promise = Coverage(CoverageKind.THROTTLED, "Some.", date(2026, 1, 2), Throttle.LATEST, 1.0)
    kept = msgspec.structs.replace(STATISTICS, coverage={"okx": FeedCoverage(promise, promise.kind, 1.0)})
    assert "throttled (latest per 1 s) since 2026-01-02: heard 100%" in _text(kept)
    assert statistics_object(kept)["coverage"]["okx"]["since"] == "2026-01-02"


def test_the_session_is_the_time_that_was_watched_and_not_that_of_what_a_venue_repeats() -> None:
    older = msgspec.structs.replace(STATISTICS, first=ago(90 * 60.0))
    (line,) = [line for line in _text(older).splitlines() if line.startswith("Session")]
    assert line.endswith("00:12:35")
    assert statistics_object(older)["watched_ms"] == [ago(755.0) // 1_000_000, NOW // 1_000_000]


SAID = (
    Understatement("okx", ALL, 2, 250_000.0, 2.0, 250_000.0, False, 5.4, 912_345.678),
    Understatement("okx", "BTCUSDT", 2, 250_000.0, 2.6, 260_000.0, True),
)
ESTIMATED = msgspec.structs.replace(STATISTICS, understatements=SAID)


def test_the_last_hour_of_throttled_venues_is_said_from_below_and_above() -> None:
    line = "okx         2 events shown, 2-6 really; $250k shown, $250k-912k really"
    text = _text(ESTIMATED)
    assert line in text.splitlines()
    assert "19 of 20" in text
    assert "LAST HOUR" not in _text()


def test_the_object_has_both_ends_and_null_where_nobody_can_tell() -> None:
    whole, bitcoin = statistics_object(ESTIMATED)["last_hour"]
    assert (whole["venue"], whole["market"], whole["events"], whole["usd"]) == ("okx", ALL, 2, 250_000.0)
    assert (whole["events_at_least"], whole["events_at_most"]) == (2, 6)
    assert (whole["usd_at_least"], whole["usd_at_most"]) == (250_000.0, 912_345.68)
    assert (bitcoin["market"], bitcoin["events_at_most"], bitcoin["usd_at_most"]) == ("BTCUSDT", None, None)
    assert statistics_object(STATISTICS)["last_hour"] == []


def test_of_a_last_hour_that_was_not_heard_nothing_is_said_from_above() -> None:
    deaf = MarketCoverage(CoverageKind.THROTTLED, {"1h": 0.9, "all": 0.9}, {"1h": 360.0}, True)
    missed = msgspec.structs.replace(ESTIMATED, markets={ALL: {"okx": deaf}})
    assert "okx         2 events shown, ≥2 to ? really; $250k shown, ≥$250k to ? really" in _text(missed).splitlines()
    assert [hour["usd_at_most"] for hour in statistics_object(missed)["last_hour"]] == [None, None]
