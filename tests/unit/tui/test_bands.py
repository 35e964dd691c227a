"""Between what and what the last hour is said to lie, and where nothing is said from above."""

from __future__ import annotations

import re

import msgspec
import pytest

from liquake.engine.snapshot import ALL, Cell, MarketCoverage, Snapshot, Sum, Understatement, VenueState
from liquake.model import CoverageKind, Side
from liquake.tui import export
from liquake.tui.bands import TITLE, WIDTH, Band, bands, orders, sentence, usd, words
from liquake.tui.pages import PAGES
from liquake.tui.picture import Picture, View
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, NOW, SUBSCRIBED, feed

DARK = load_theme("dark")
RANGE = re.compile(r"\$\S+-\d|to \?")
ENDS = ("least", "most")
SHOWN = Sum(200, 0.0, 21_000_000.0)
SAID = Understatement("binance", ALL, 200, 21_000_000.0, 214.3, 22_400_000.0, False, 390.2, 34_130_000.0)
FEEDS = (feed("binance", events=200), feed("bybit", events=30))


def kept(kind: CoverageKind, *, lost: float = 0.0, refused: bool = False) -> MarketCoverage:
    below = kind is not CoverageKind.COMPLETE
    return MarketCoverage(kind, {"1h": 1.0 - lost / 3600.0}, {"1h": lost}, below, refused)


def snapshot(
    binance: Sum = SHOWN,
    *,
    said: Understatement | None = SAID,
    feeds: tuple[VenueState, ...] = FEEDS,
    coverage: dict[str, MarketCoverage] | None = None,
) -> Snapshot:
    known = {"binance": kept(CoverageKind.THROTTLED), "bybit": kept(CoverageKind.COMPLETE), **(coverage or {})}
    return msgspec.structs.replace(
        SUBSCRIBED,
        now=NOW,
        venues=feeds,
        cells=tuple(
            Cell(venue, Side.LONG, ALL, {"1h": total, "all": total})
            for venue, total in (("binance", binance), ("bybit", Sum(30, 0.0, 4_000_000.0)))
        ),
        understatements=() if said is None else (said,),
        coverage={ALL: known},
    )


def told(moment: Snapshot, venue: str = "binance") -> str:
    return words(bands(moment, ALL), venue, DARK)


def test_a_throttled_venue_is_said_to_lie_between_two_sums() -> None:
    assert told(snapshot()) == "$22.4M-34.1M"
    assert words(bands(snapshot(), ALL), "binance", DARK, dollars=False) == "214-391"


def test_of_a_venue_without_a_throttle_the_sum_says_all() -> None:
    assert told(snapshot(), "bybit") == ""
    alone = snapshot(Sum(), said=None, feeds=(feed("bybit", events=30),))
    assert bands(alone, ALL) == {}


def test_all_venues_together_have_the_ends_added() -> None:
    assert told(snapshot(), ALL) == "$26.4M-38.1M"


@pytest.mark.parametrize("room", [kept(CoverageKind.COMPLETE, lost=5.0), kept(CoverageKind.DELAYED)])
def test_together_they_have_no_upper_end_where_one_was_not_wholly_heard(room: MarketCoverage) -> None:
    moment = snapshot(coverage={"bybit": room})
    assert (told(moment), told(moment, ALL)) == ("$22.4M-34.1M", "≥$26.4M to ?")


def test_a_throttled_venue_that_showed_nothing_had_nothing_if_it_was_heard() -> None:
    feeds = (*FEEDS, feed("okx"))
    quiet = snapshot(feeds=feeds, coverage={"okx": kept(CoverageKind.THROTTLED)})
    deaf = snapshot(feeds=feeds, coverage={"okx": kept(CoverageKind.THROTTLED, lost=60.0)})
    assert (told(quiet, ALL), told(deaf, ALL)) == ("$26.4M-38.1M", "≥$26.4M to ?")


def test_a_sample_that_is_in_no_sum_opens_no_end() -> None:
    apart, counted = feed("hyperliquid", sampled=3), feed("hyperliquid", events=3)
    assert told(snapshot(feeds=(*FEEDS, apart)), ALL) == "$26.4M-38.1M"
    assert told(snapshot(feeds=(*FEEDS, counted)), ALL) == "≥$26.4M to ?"


def test_what_nothing_was_estimated_of_is_what_was_shown_at_least() -> None:
    assert told(snapshot(said=None)) == "≥$21.0M to ?"
    assert told(snapshot(said=msgspec.structs.replace(SAID, usd_at_most=None))) == "≥$22.4M to ?"


@pytest.mark.parametrize(
    ("room", "upper"),
    [
        (kept(CoverageKind.THROTTLED, lost=36.0), True),
        (kept(CoverageKind.THROTTLED, lost=37.0), False),
        (kept(CoverageKind.THROTTLED, refused=True), False),
    ],
    ids=["a short gap", "a long one", "contracts refused"],
)
def test_there_is_no_upper_end_of_what_was_not_heard(room: MarketCoverage, upper: bool) -> None:
    assert ("to ?" not in told(snapshot(coverage={"binance": room}))) is upper


def test_of_orders_of_unknown_size_only_their_number_is_bounded() -> None:
    found = bands(snapshot(Sum(200, 0.0, 21_000_000.0, unsized=1)), ALL)["binance"]
    assert found == Band((214.3, 390.2), (22_400_000.0, None))


def test_an_estimate_that_is_behind_the_sum_beside_it_has_no_upper_end() -> None:
    assert told(snapshot(Sum(212, 0.0, 23_000_000.0))) == "$23.0M-34.1M"
    assert told(snapshot(Sum(260, 0.0, 40_000_000.0))) == "≥$40.0M to ?"


def test_a_single_number_is_said_where_nothing_was_hidden() -> None:
    assert usd((127_000.0, 127_001.0), "≥") == "$127k"
    assert orders((3, 3), "≥") == "3"


@pytest.mark.parametrize("ends", [(9_999_999.0, 999_400_000.0), (0.0, 5.5), (999_999.0, None), (1e9, 2.22e9)], ids=str)
def test_dollars_keep_to_their_column(ends: tuple[float, float | None]) -> None:
    assert len(usd(ends, "≥")) <= 14 < WIDTH == len(TITLE)


@pytest.mark.parametrize(
    ("page", "panel", "width"),
    [
        ("overview", "by-exchange", 118),
        ("cumulative", "sums-by-venue", 98),
        ("cumulative", "sums-by-venue", 150),
    ],
)
def test_tables_with_room_for_it_show_it(page: str, panel: str, width: int) -> None:
    picture = Picture(snapshot(), DEMO, View(page=page), DARK)
    text = PAGES[page].panels[panel](picture, width, 30).text(30).plain
    rows = {next(name for name in ("binance", "bybit", "ALL") if name in line): line for line in _sums(text)}
    assert "$22.4M-34.1M" in rows["binance"]
    assert "$26.4M-38.1M" in rows["ALL"]
    assert not RANGE.search(rows["bybit"])


def _sums(text: str) -> list[str]:
    return [line for line in text.split("\n") if "$" in line and not line.startswith("  LONG")]


def test_a_narrow_table_leaves_it_out_whole() -> None:
    picture = Picture(snapshot(), DEMO, View(page="overview"), DARK)
    drawn = PAGES["overview"].panels["by-exchange"](picture, 78, 12).text(12).plain
    assert TITLE not in drawn
    assert not RANGE.search(drawn)


def test_a_table_of_events_counts_orders() -> None:
    picture = Picture(snapshot(), DEMO, View(page="cumulative", sums_in_dollars=False), DARK)
    assert "214-391" in PAGES["cumulative"].panels["sums-by-venue"](picture, 98, 30).text(30).plain


def test_exports_have_both_ends_and_leave_what_nobody_knows_empty() -> None:
    rows = export.rows(Picture(snapshot(), DEMO, View(page="overview", window="1h"), DARK), "by-exchange")[1]
    ends = {
        (row["venue"], row["side"]): [row[f"hour_{unit}_at_{end}"] for unit in ("events", "usd") for end in ENDS]
        for row in rows
    }
    assert ends["binance", "BOTH"] == [214.3, 390.2, 22_400_000.0, 34_130_000.0]
    assert ends["binance", "LONG"] == ends["bybit", "BOTH"] == [None] * 4
    assert ends[ALL, "BOTH"] == [244.3, 420.2, 26_400_000.0, 38_130_000.0]


def test_a_sentence_tells_what_was_shown_and_what_it_really_was() -> None:
    said = "200 events shown, 214-391 really; $21.0M shown, $22.4M-34.1M really"
    assert sentence(SAID, None, "≥") == said
    missed = sentence(SAID, kept(CoverageKind.THROTTLED, lost=100.0), ">=")
    assert missed == "200 events shown, >=214 to ? really; $21.0M shown, >=$22.4M to ? really"
