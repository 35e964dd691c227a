from __future__ import annotations

import msgspec
import pytest

from liquake.alerts import rules
from liquake.alerts.rules import Condition
from liquake.alerts.situation import coverage_of
from liquake.model import FeedState, Side
from liquake.model.alert import Level
from tests.unit.alerts.situations import at, feed, liquidation, regime, risk, speeds

NONE, WATCH, WARNING, CRITICAL = Level.NONE, Level.WATCH, Level.WARNING, Level.CRITICAL


def levels(found: list[Condition]) -> list[tuple[Level, Level]]:
    return [(condition.deserved, condition.held) for condition in found]


def test_a_cascade_alert_is_the_signal_with_its_numbers() -> None:
    (found,) = rules.cascade(at(0), at(1, risks=(risk(WARNING), risk(NONE, side=Side.SHORT))))
    assert (found.deserved, found.held, found.side) == (WARNING, WARNING, Side.LONG)
    assert found.text == ("BTCUSDT long liquidations: 30% that $650,000 or more follow within 60 s, base rate 0.5%")
    assert found.inputs["probability"] == 0.3


def test_a_cascade_alert_without_a_model_claims_no_probability() -> None:
    (found,) = rules.cascade(at(0), at(1, risks=(risk(WATCH, probability=None),)))
    assert "no probability" in found.text
    assert "probability" not in found.inputs


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (5.1, 5.1, [(WATCH, WATCH)]),
        (4.9, 5.1, [(NONE, WATCH)]),
        (5.1, 4.9, [(NONE, WATCH)]),
        (5.1, 3.4, []),
    ],
)
def test_a_velocity_spike_is_confirmed_to_enter_and_needs_less_to_stay(
    before: float, now: float, expected: list[tuple[Level, Level]]
) -> None:
    found = list(rules.velocity_spike(at(0, speeds=speeds(before)), at(1, speeds=speeds(now))))
    assert levels(found) == expected


def test_a_spike_that_is_rare_in_the_markets_own_week_is_a_warning() -> None:
    rare, less = speeds(6.0, rank=0.9995), speeds(6.0, rank=0.995)
    (found,) = rules.velocity_spike(at(0, speeds=rare), at(1, speeds=rare))
    assert found.deserved is WARNING
    assert "faster than 99.95 % of its week" in found.text
    assert levels(list(rules.velocity_spike(at(0, speeds=rare), at(1, speeds=less)))) == [(WATCH, WARNING)]


def test_a_spike_in_one_window_alone_is_none() -> None:
    short, long = speeds(6.0)["BTCUSDT"]
    lone = {"BTCUSDT": (short, msgspec.structs.replace(long, velocity_z=1.0))}
    assert not list(rules.velocity_spike(at(0, speeds=lone), at(1, speeds=lone)))


def test_jerk_never_goes_above_watch() -> None:
    wild = speeds(0.0, jerk_z=40.0)
    assert levels(list(rules.jerk(at(0, speeds=wild), at(1, speeds=wild)))) == [(WATCH, WATCH)]
    assert levels(list(rules.jerk(at(0, speeds=speeds(0.0)), at(1, speeds=wild)))) == [(NONE, WATCH)]
    assert not list(rules.jerk(at(0, speeds=wild), at(1, speeds=speeds(0.0, jerk_z=3.0))))


@pytest.mark.parametrize(
    ("usd", "usual", "expected"),
    [
        (99_000.0, 5_000.0, []),  # under the floor
        (101_000.0, 5_000.0, [WATCH]),
        (101_000.0, 200_000.0, []),  # usual in this market
        (2_000_000.0, 200_000.0, [WARNING]),
        (900_000.0, None, []),  # nothing known of this market's sizes
        (1_000_000.0, None, [WATCH]),
        (None, 5_000.0, []),
    ],
)
def test_an_institutional_liquidation_is_large_for_its_own_market(
    usd: float | None, usual: float | None, expected: list[Level]
) -> None:
    large = {} if usual is None else {"BTCUSDT": usual}
    found = rules.institutional(at(0), at(1, recent=(liquidation(usd, 0.5),), large_usd=large))
    assert [condition.deserved for condition in found] == expected


def test_a_large_liquidation_is_told_once_though_it_stays_on_the_tape_and_among_the_largest() -> None:
    old, new = liquidation(5e6, -100.0), liquidation(6e6, 0.5)
    first = list(rules.institutional(at(0, recent=(old,)), at(1, recent=(new, old, new))))
    assert [condition.inputs["usd"] for condition in first] == [6e6]
    assert not list(rules.institutional(at(1, recent=(new,)), at(2, recent=(new, old))))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("CALM", []), ("ACTIVE", []), ("VOLATILE", [WATCH]), ("STRESSED", [WARNING]), ("EXTREME", [CRITICAL])],
)
def test_a_regime_is_told_from_volatile_on(name: str, expected: list[Level]) -> None:
    found = list(rules.regime_change(at(0, regime=regime("NORMAL")), at(1, regime=regime(name))))
    assert [condition.deserved for condition in found] == expected
    assert all("after NORMAL" in condition.text for condition in found)


def test_a_dark_feed_is_told_at_once_and_a_dropped_one_after_half_a_minute() -> None:
    live = feed(venue="okx")
    for state, seconds, expected in (
        (FeedState.DARK, 1.0, [WARNING]),
        (FeedState.DISCONNECTED, 29.0, []),
        (FeedState.DISCONNECTED, 30.0, [WARNING]),
        (FeedState.STALE, 31.0, [WARNING]),
        (FeedState.CONNECTING, 31.0, []),
    ):
        found = rules.feed(at(0), at(seconds, feeds=(feed(state), live)))
        assert [condition.deserved for condition in found] == expected


def test_no_feed_left_is_critical_and_a_sample_does_not_count_as_one() -> None:
    sample = msgspec.structs.replace(feed(venue="hyperliquid"), counted=False)
    found = list(rules.feed(at(0), at(60, feeds=(feed(FeedState.STALE), sample))))
    assert [condition.deserved for condition in found] == [CRITICAL, WARNING]


def test_a_gap_is_told_with_its_length() -> None:
    (found,) = rules.feed(at(0, feeds=(feed(gaps=1),)), at(1, feeds=(feed(gaps=2),)))
    assert (found.deserved, found.held) == (WATCH, NONE)
    assert "a gap of 7 s" in found.text


def test_coverage_names_who_is_heard_who_leaves_out_and_who_is_down() -> None:
    throttled = msgspec.structs.replace(feed(venue="binance"), lower_bound=True)
    situation = at(0, feeds=(throttled, feed(), feed(FeedState.DARK, venue="okx")))
    assert coverage_of(situation) == ">= binance, bybit; okx dark"
    assert coverage_of(at(0)) == "no venue"
