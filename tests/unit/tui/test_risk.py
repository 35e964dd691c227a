"""What the page of risks says, and that no number stands where there is none."""

from __future__ import annotations

import msgspec

from liquake.engine.snapshot import Snapshot
from liquake.tui import export
from liquake.tui.panels.cascades import cascades
from liquake.tui.panels.correlation import correlation
from liquake.tui.panels.regime import outlook, regime
from liquake.tui.panels.risk import cascade_risk
from liquake.tui.picture import Panel, Picture, View
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, RICH, RISKS, SIMULATED, SUBSCRIBED

DARK = load_theme("dark")


def _lines(panel: Panel, snapshot: Snapshot = RICH, width: int = 118, **view: object) -> list[str]:
    picture = Picture(snapshot, DEMO, View(**view), DARK)  # type: ignore[arg-type]
    return panel(picture, width, 20).text(20).plain.split("\n")


def _line(lines: list[str], *words: str) -> str:
    return next(line for line in lines if all(word in line for word in words))


class TestCascadeRisk:
    def test_a_chance_stands_beside_the_usual_one_and_its_parts_point_where_they_move_it(self) -> None:
        row = _line(_lines(cascade_risk), "BTCUSDT", "LONG", "60 s").split()
        assert row[4:8] == ["63.4%", "0.4%", "CRITICAL", "97"]
        assert row[8:] == ["▲2.54", "▲1.52", "▲0.90", "·", "▼0.31", "·"]

    def test_the_smallest_terminal_shows_every_part(self) -> None:
        assert _line(_lines(cascade_risk, width=78), "BTCUSDT", "63.4%").endswith("▲2.5 ▲1.5 ▲0.9    · ▼0.3    ·")

    def test_without_a_probability_there_is_a_reason_and_no_number(self) -> None:
        row = _line(_lines(cascade_risk), "ETHUSDT", "SHORT")
        assert "binance-60s: fitted on another throttle" in row
        assert "%" not in row

    def test_the_loudest_market_comes_first(self) -> None:
        assert [line.split()[0] for line in _lines(cascade_risk)[2:5]] == ["BTCUSDT", "BTCUSDT", "ETHUSDT"]

    def test_the_page_has_every_horizon_and_the_monitor_the_nearest(self) -> None:
        assert [line.split()[0] for line in _lines(cascade_risk, page="risk")[2:7]] == ["BTCUSDT"] * 3 + ["ETHUSDT"] * 2
        assert not any("300 s" in line for line in _lines(cascade_risk))

    def test_whose_experience_speaks_is_readable_on_the_smallest_terminal(self) -> None:
        assert any(SIMULATED in line for line in _lines(cascade_risk, width=78))

    def test_slow_rates_without_their_level_are_said(self) -> None:
        assert "warming up 21 of 60 min: errs on the low side" in _lines(cascade_risk)[0]

    def test_one_market_is_shown_alone(self) -> None:
        assert not any("BTCUSDT" in line for line in _lines(cascade_risk, market="ETHUSDT"))

    def test_before_any_market_is_watched_it_says_what_it_waits_for(self) -> None:
        assert "No market is watched yet" in _lines(cascade_risk, SUBSCRIBED)[1]


class TestCascades:
    def test_what_goes_on_is_on_top_then_the_newest(self) -> None:
        starts = [line[:8] for line in _lines(cascades)[1:6]]
        assert starts == ["14:02:24", "14:02:46", "13:38:27", "13:33:37", "13:33:27"]

    def test_a_notice_over_budget_says_so(self) -> None:
        assert "over budget" in _line(_lines(cascades), "CRITICAL")

    def test_a_narrow_line_ends_with_a_whole_number(self) -> None:
        assert _line(_lines(cascades, width=68), "goes on").rstrip().endswith("in 88")


class TestRegime:
    def test_each_measure_has_a_line(self) -> None:
        lines = _lines(regime)
        assert "warming up 3.1 h / 24 h" in lines[0]
        assert _line(lines, "STRESSED").endswith("for 1m35s, by intensity")
        assert _line(lines, "BTC").split(maxsplit=1)[1] == "$66,851.2 -1.72% in 15 min"

    def test_a_multiplier_without_a_cascade_behind_it_is_called_assumed(self) -> None:
        assert RICH.regime is not None
        prior = msgspec.structs.replace(RICH, regime=msgspec.structs.replace(RICH.regime, episodes=0))
        assert "assumed" in _line(_lines(regime, prior), "multiplier")

    def test_while_it_warms_up_there_is_no_level_and_what_is_known_is_shown(self) -> None:
        assert RICH.regime is not None
        fresh = msgspec.structs.replace(RICH.regime, level=None, since=None, multiplier=None, warm=300.0)
        young = msgspec.structs.replace(RICH, regime=fresh)
        lines = _lines(regime, young)
        assert "warming up 0.1 h / 6 h" in lines[0]
        assert _line(lines, "level").split(maxsplit=1)[1] == "WARMING UP"
        assert "not known" in _line(lines, "multiplier")
        assert "4.2% a day" in _line(lines, "volatility")
        assert "REGIME  WARMING UP   0.1 h / 6 h" in _lines(outlook, young)[0]

    def test_one_line_names_the_loudest_risk_and_the_regime(self) -> None:
        line = _lines(outlook)[0]
        assert line.startswith("RISK  CRITICAL BTCUSDT LONG 71.2% in 300 s (usual 0.4%)   REGIME  STRESSED")


class TestCorrelation:
    def test_below_the_diagonal_is_r_and_above_it_what_is_proved(self) -> None:
        lines = _lines(correlation)
        assert lines[2].split() == ["binance", "·", "together", "not", "proved"]
        assert lines[4].split() == ["okx", "+0.31", "insufficient", "·"]

    def test_a_close_pair_is_called_out_with_the_venue_that_comes_first(self) -> None:
        assert "bybit before binance r 0.83 in 300 s" in _lines(correlation)


def test_the_table_behind_the_risks_keeps_the_unknown_unknown() -> None:
    name, rows = export.rows(Picture(RICH, DEMO, View(page="risk"), DARK))
    assert (name, len(rows)) == ("risk", len(RISKS))
    unknown = next(row for row in rows if row["reason"])
    assert unknown["probability"] is None
    assert unknown["log_odds_rate"] is None
