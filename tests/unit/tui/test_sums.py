"""Sums, and how far they can be relied on."""

from __future__ import annotations

import msgspec
import pytest

from liquake.engine.snapshot import ALL, Cell, Outage, Snapshot, Sum
from liquake.model import FeedState, Side
from liquake.tui.panels.overview import by_side
from liquake.tui.picture import Picture, View
from liquake.tui.sums import sampled, tally
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, NOW, SUBSCRIBED, ago, feed


def snapshot(state: FeedState = FeedState.SUBSCRIBED, *outages: Outage, since: float = 754.0) -> Snapshot:
    sums = dict.fromkeys(("5m", "1h", "all"), Sum(3, 0.0, 300.0))
    return msgspec.structs.replace(
        SUBSCRIBED,
        now=NOW,
        venues=(feed("bybit", state, since=since, outages=outages),),
        cells=(Cell("bybit", Side.LONG, ALL, sums),),
    )


@pytest.mark.parametrize(("window", "least"), [("5m", False), ("1h", True), ("all", True)])
def test_a_gap_makes_the_sums_of_the_windows_it_lies_in_lower_bounds(window: str, least: bool) -> None:
    gap = Outage(ago(1_000.0), ago(900.0), "code 1006")
    assert tally(snapshot(FeedState.SUBSCRIBED, gap), ALL, window).least() is least


@pytest.mark.parametrize("state", [FeedState.DARK, FeedState.DISCONNECTED, FeedState.STALE])
def test_while_a_complete_venue_is_not_heard_its_sums_are_lower_bounds(state: FeedState) -> None:
    assert tally(snapshot(state, since=60.0), ALL, "5m").least()
    assert not tally(snapshot(), ALL, "5m").least()


def test_a_sample_that_is_in_the_sums_makes_them_lower_bounds_and_is_called_what_it_is() -> None:
    apart, counted = feed("hyperliquid", sampled=3), feed("hyperliquid", events=3)
    cells = (Cell("hyperliquid", Side.LONG, ALL, {"5m": Sum(3, 0.0, 300.0)}),)
    left_out = msgspec.structs.replace(SUBSCRIBED, now=NOW, venues=(apart,), cells=())
    taken_in = msgspec.structs.replace(SUBSCRIBED, now=NOW, venues=(counted,), cells=cells)
    assert tally(taken_in, ALL, "5m").least()
    assert (sampled(left_out), sampled(taken_in)) == ("sample, not in totals", "sample, in totals")
    assert not tally(left_out, ALL, "5m").sum().events


def test_a_rate_is_of_what_happened_while_somebody_watched() -> None:
    replayed = Cell("bybit", Side.LONG, ALL, dict.fromkeys(("5m", "1h"), Sum(9, 0.0, 900.0)), Sum(2, 0.0, 20.0))
    young = msgspec.structs.replace(snapshot(), started=ago(600.0), cells=(replayed,))
    assert tally(young, ALL, "5m").watched == Sum(9, 0.0, 900.0)
    assert tally(young, ALL, "1h").watched == Sum(2, 0.0, 20.0)


LOPSIDED = msgspec.structs.replace(
    SUBSCRIBED,
    now=NOW,
    venues=(feed("binance", events=4), feed("bybit", events=4)),
    cells=(
        Cell("binance", Side.LONG, ALL, {"5m": Sum(4, 0.0, 400.0), "1h": Sum(4, 0.0, 400.0)}),
        Cell("bybit", Side.LONG, ALL, {"5m": Sum(4, 0.0, 400.0, 1)}),
    ),
)
"""Longs alone: of a venue that withholds some, and of one that tells all, a size of which is not known."""


@pytest.mark.parametrize(
    ("venue", "side", "least"),
    [
        ("binance", Side.LONG, True),
        ("binance", Side.SHORT, True),
        ("bybit", Side.LONG, True),
        ("bybit", Side.SHORT, False),
        (None, Side.SHORT, True),
        ("okx", Side.SHORT, False),
    ],
)
def test_no_event_of_one_side_is_a_lower_bound_where_the_venue_withholds_some(
    venue: str | None, side: Side, least: bool
) -> None:
    assert tally(LOPSIDED, ALL, "5m").least(venue, side) is least


@pytest.mark.parametrize(
    ("venue", "marks"), [("binance", "≥$400 ≥4 ≥$0 ≥0"), ("bybit", "≥$400 ≥4 $0 0"), ("ALL", "≥$800 ≥8 ≥$0 ≥0")]
)
def test_dollars_and_events_of_a_side_are_bounds_together(venue: str, marks: str) -> None:
    picture = Picture(LOPSIDED, DEMO, View(window="5m"), load_theme("dark"))
    lines = by_side(picture, 118, 12).text(12).plain.split("\n")
    found = next(line.split() for line in lines if venue in line)
    assert " ".join(word for word in found if word.strip("≥$").isdigit()) == marks
