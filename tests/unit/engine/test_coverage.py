"""How much of the time a venue was heard."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.engine.coverage import Span, shares, unheard
from liquake.engine.engine import Engine
from liquake.engine.snapshot import TOTAL_WINDOWS, FeedCoverage, Outage, VenueState
from liquake.model import Coverage, CoverageKind, Event, FeedState, FeedStatus, Gap
from tests.unit.engine.events import COVERAGES, NOON, SECOND, liquidation


def status(state: FeedState, at: float, venue: str = "bybit", connection: str = "1") -> FeedStatus:
    return FeedStatus(venue, connection, state, NOON + round(at * SECOND))


def gap(start: float, end: float, *, recovered: bool = False, connection: str = "1") -> Gap:
    start_ns, end_ns = (NOON + round(at * SECOND) for at in (start, end))
    return Gap("bybit", connection, start_ns, end_ns, "code 1006", recovered)


def venue(at: float, *events: Event) -> VenueState:
    engine = Engine(COVERAGES)
    for event in events:
        engine.apply(event)
    [found] = [each for each in engine.snapshot(NOON + round(at * SECOND)).venues if each.venue == "bybit"]
    return found


UP = status(FeedState.SUBSCRIBED, 0.0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))), st.integers(0, 50), st.integers(0, 50))
def test_time_that_lies_in_several_outages_counts_once(outages: list[Span], start: int, end: int) -> None:
    expected = sum(any(a <= moment < b for a, b in outages) for moment in range(start, end))
    assert unheard(outages, start, end) == expected


def test_a_venue_that_was_never_up_covers_nothing() -> None:
    assert venue(60.0, status(FeedState.CONNECTING, 0.0)).covered == dict.fromkeys(TOTAL_WINDOWS, 0.0)
    assert shares([], None, NOON) == dict.fromkeys(TOTAL_WINDOWS, 0.0)


def test_a_window_longer_than_the_run_is_covered_in_part() -> None:
    covered = venue(150.0, UP).covered
    assert covered == pytest.approx(
        {"5m": 0.5, "15m": 150 / 900, "1h": 150 / 3600, "4h": 150 / 14400, "24h": 150 / 86400, "all": 1.0}
    )


def test_at_the_first_moment_all_of_nothing_is_covered() -> None:
    assert venue(0.0, UP).covered["all"] == 1.0


def test_connecting_late_costs_the_time_before() -> None:
    assert venue(100.0, status(FeedState.CONNECTING, 0.0), status(FeedState.SUBSCRIBED, 25.0)).covered["all"] == 0.75


def test_a_gap_costs_its_time_until_it_is_refilled() -> None:
    assert venue(1_000.0, UP, gap(400, 500)).covered == pytest.approx(
        {"5m": 1.0, "15m": 800 / 900, "1h": 0.25, "4h": 900 / 14400, "24h": 900 / 86400, "all": 0.9}
    )
    assert venue(1_000.0, UP, gap(400, 500), gap(400, 500, recovered=True)).covered["all"] == 1.0


def test_an_outage_that_goes_on_costs_time_through_every_attempt_to_come_back() -> None:
    tries = [
        status(state, at)
        for at in (100.0, 130.0, 160.0)
        for state in (FeedState.DISCONNECTED, FeedState.CONNECTING, FeedState.CONNECTED)
    ]
    assert venue(200.0, UP, *tries).covered["all"] == 0.5
    assert venue(200.0, UP, *tries, status(FeedState.SUBSCRIBED, 180.0), gap(100, 180)).covered["all"] == 0.6


def test_prices_that_stopped_cost_time_until_they_come_again() -> None:
    stale = status(FeedState.STALE, 100.0)
    assert venue(200.0, UP, stale).covered["all"] == 0.5
    assert venue(200.0, UP, stale, status(FeedState.RESUMED, 150.0), gap(90, 150)).covered["all"] == 0.7


def test_what_is_known_of_a_recording_without_states_is_that_it_was_made() -> None:
    assert venue(100.0, liquidation(0), liquidation(50)).covered["all"] == 1.0


def test_what_is_recalled_of_an_earlier_run_was_heard_and_the_time_between_was_not() -> None:
    engine = Engine(COVERAGES)
    for second in range(0, 50, 10):
        engine.recall(liquidation(second, delay=0.0))
    engine.apply(msgspec.structs.replace(gap(50, 80, connection=""), cause="liquake was not running"))
    engine.apply(status(FeedState.CONNECTING, 80.0))
    engine.apply(status(FeedState.SUBSCRIBED, 80.0))
    [bybit] = [each for each in engine.snapshot(NOON + 100 * SECOND).venues if each.venue == "bybit"]
    assert bybit.covered["all"] == 0.7


def kept(*events: Event) -> FeedCoverage:
    engine = Engine(COVERAGES)
    for event in events:
        engine.apply(event)
    return engine.statistics().coverage["bybit"]


def test_a_session_keeps_its_gaps_as_rows_refilled_or_not() -> None:
    found = kept(UP, gap(10, 20), gap(30, 40), gap(10, 20, recovered=True), liquidation(100, delay=0.0))
    assert found.gaps == (
        Outage(NOON + 10 * SECOND, NOON + 20 * SECOND, "code 1006", recovered=True),
        Outage(NOON + 30 * SECOND, NOON + 40 * SECOND, "code 1006"),
    )
    assert found.missing
    assert (found.share, found.state) == (0.9, CoverageKind.COMPLETE)
    assert not kept(UP, gap(10, 20), gap(10, 20, recovered=True)).missing


def test_a_gap_told_again_after_it_was_refilled_stays_refilled() -> None:
    assert not kept(UP, gap(10, 20), gap(10, 20, recovered=True), gap(10, 20)).missing


def test_venues_that_were_not_there_have_no_coverage() -> None:
    engine = Engine(COVERAGES)
    engine.apply(UP)
    assert set(engine.statistics().coverage) == {"bybit"}


@pytest.mark.parametrize("promised", [CoverageKind.COMPLETE, CoverageKind.THROTTLED])
def test_a_dark_feed_covers_what_dark_feeds_do_whatever_it_promised(promised: CoverageKind) -> None:
    engine = Engine({"bybit": Coverage(promised, "")})
    engine.apply(UP)
    assert engine.snapshot(NOON).venues[0].kind is promised
    engine.apply(status(FeedState.DARK, 10.0))
    assert engine.snapshot(NOON).venues[0].kind is CoverageKind.DARK
