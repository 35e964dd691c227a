"""What was not heard is hatched, never drawn as zero."""

from __future__ import annotations

import msgspec

from liquake.engine.snapshot import ALL, Charts, Outage, Series, Snapshot
from liquake.model import FeedState
from liquake.tui.outages import Stretch, away, heard, stretches, unheard
from liquake.tui.panels.charts import sides_chart, velocity_chart
from liquake.tui.panels.episodes import episodes_chart
from liquake.tui.picture import Panel, Picture, View
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, NOW, RICH, ago, feed

DOWN = Outage(ago(100.0), ago(60.0), "disconnected")


def _snapshot(*down: str) -> Snapshot:
    """Five minutes with four liquidations a second, of which the venues called `down` saw none for 40 s."""
    venues = tuple(feed(name, outages=(DOWN,) if name in down else ()) for name in ("binance", "bybit"))
    zeros, fours, dollars = (0,) * 300, (4,) * 300, (4.0,) * 300
    seconds = Series(1.0, NOW, fours, zeros, dollars, (0.0,) * 300, dollars)
    minutes = Series(60.0, NOW, fours[:240], zeros[:240], dollars[:240], (0.0,) * 240, dollars[:240])
    charts = {ALL: Charts(seconds, minutes)}
    return msgspec.structs.replace(RICH, venues=venues, charts=charts, started=ago(1000.0), episodes=())


def _lines(panel: Panel, snapshot: Snapshot, width: int = 118, height: int = 12) -> list[str]:
    picture = Picture(snapshot, DEMO, View(), load_theme("dark"))
    return panel(picture, width, height).text(height).plain.split("\n")


class TestStretches:
    def test_what_the_ledger_holds_and_what_goes_on_now_both_count(self) -> None:
        assert stretches(RICH) == [Stretch("okx", ago(400.0), ago(395.8)), Stretch("okx", ago(12.3), NOW)]

    def test_a_sample_is_in_no_sum_so_that_its_absence_is_in_none(self) -> None:
        sample = feed("hyperliquid", FeedState.DISCONNECTED, outages=(DOWN,))
        assert stretches(msgspec.structs.replace(RICH, venues=(sample,))) == []
        assert heard(RICH) == {"binance", "bybit", "okx"}

    def test_a_venue_is_away_while_any_moment_between_lies_in_its_stretch(self) -> None:
        known = [Stretch("okx", 10, 20)]
        spans = ((0, 10), (0, 11), (19, 30), (20, 30))
        assert [bool(away(known, *span)) for span in spans] == [False, True, True, False]

    def test_nobody_is_heard_only_where_all_are_away_at_once(self) -> None:
        both = frozenset({"okx", "bybit"})
        apart = [Stretch("okx", 10, 20), Stretch("bybit", 20, 30)]
        together = [Stretch("okx", 10, 21), Stretch("bybit", 20, 30)]
        assert not unheard(apart, both, 0, 40)
        assert unheard(together, both, 0, 40)
        assert not unheard(together, both, 21, 40)
        assert not unheard(together, frozenset(), 0, 40)


class TestVelocityChart:
    def test_one_feed_down_is_marked_at_the_foot_and_the_line_goes_on(self) -> None:
        down, whole = _lines(velocity_chart, _snapshot("bybit")), _lines(velocity_chart, _snapshot())
        assert "╱ bybit down" in down[0]
        assert [line.count("╱") > 10 for line in down[1:-1]] == [False] * 9 + [True]
        assert [line.replace("╱", " ").rstrip() for line in down[1:]] == [line.rstrip() for line in whole[1:]]

    def test_with_no_feed_heard_there_is_no_line_and_the_hatching_goes_all_the_way(self) -> None:
        title, *rows = _lines(velocity_chart, _snapshot("bybit", "binance"))
        assert "╱ 2 feeds down" in title
        hatched = rows[0].index("╱")
        assert {line[hatched : hatched + 14] for line in rows[:-1]} == {"╱" * 14}

    def test_without_a_gap_nothing_is_hatched(self) -> None:
        assert not any("╱" in line for line in _lines(velocity_chart, _snapshot()))


def test_minutes_in_which_a_feed_was_down_are_hatched_where_no_column_stands() -> None:
    rows = _lines(sides_chart, _snapshot("bybit", "binance"))[1:-1]
    assert all("╱" in line for line in rows[5:])
    assert "╱" in _lines(sides_chart, _snapshot("bybit"))[-2]
    assert not any("╱" in line for line in _lines(sides_chart, _snapshot()))


def test_the_line_of_time_names_each_venue_that_was_down() -> None:
    lines = _lines(episodes_chart, _snapshot("bybit"))
    assert "No cascade so far" in lines[1]
    assert lines[2].startswith("bybit ")
    assert lines[2].endswith("was down")
    assert "╱" in lines[2]
