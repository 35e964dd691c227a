"""Alerts, what is published, and cascades over time: everything that happened, none of it more than is known."""

from __future__ import annotations

import msgspec
import pytest

from liquake.alerts.actions import action_table
from liquake.engine.snapshot import Level, Regime, Snapshot
from liquake.model import FeedState
from liquake.tui import export
from liquake.tui.panels.alerts import alerts
from liquake.tui.panels.episodes import episodes_chart
from liquake.tui.panels.footer import footer
from liquake.tui.panels.regime import outlook
from liquake.tui.panels.risk import action, cascade_risk
from liquake.tui.panels.signals import messages
from liquake.tui.picture import Panel, Picture, View
from liquake.tui.status import Publishing, Sending, Status
from liquake.tui.theme import load_theme
from tests.screens.moments import ALERTS, ATTACHED, DEMO, LIVE, NOW, RICH, SUBSCRIBED, ago, feed

DARK = load_theme("dark")
WELL = tuple(msgspec.structs.replace(feed(name), last_liquidation=ago(5.0)) for name in ("binance", "bybit"))


def _picture(snapshot: Snapshot = RICH, status: Status = DEMO, **view: object) -> Picture:
    return Picture(snapshot, status, View(**view), DARK)  # type: ignore[arg-type]


def _lines(panel: Panel, picture: Picture, width: int = 118, height: int = 60) -> list[str]:
    return panel(picture, width, height).text(height).plain.split("\n")


def _line(lines: list[str], *words: str) -> str:
    return next(line for line in lines if all(word in line for word in words))


def _sending(publishing: Publishing) -> Status:
    return msgspec.structs.replace(DEMO, redis="ok", publishing=publishing)


def _footer(publishing: Publishing) -> str:
    second = footer(_picture(status=_sending(publishing)), 300, 3).text(3).plain.split("\n")[1]
    return second.partition("signals ")[2].partition("  engine")[0]


class TestAlerts:
    def test_the_newest_comes_first_and_a_roomy_panel_has_a_line_for_each(self) -> None:
        lines = _lines(alerts, _picture(), 140)[1:]
        assert [line[:8] for line in lines] == ["14:02:46", "14:02:45", "14:02:26"]
        assert lines[0].endswith("within 60 s, base rate 0.4% (over budget)")

    def test_a_narrow_panel_wraps_the_sentence_whole(self) -> None:
        lines = _lines(alerts, _picture(), 38)
        assert max(map(len, lines)) <= 38
        assert ALERTS[1].text in " ".join(line.strip() for line in lines)

    def test_a_chosen_market_keeps_those_about_feeds(self) -> None:
        lines = _lines(alerts, _picture(market="ETHUSDT"))[1:]
        assert ["okx" in line for line in lines] == [True, False]
        assert not any("BTCUSDT" in line for line in lines)

    @pytest.mark.parametrize("status", [LIVE, ATTACHED])
    def test_having_none_is_said(self, status: Status) -> None:
        assert "No alert so far" in _lines(alerts, _picture(status=status))[1]


class TestMessages:
    def test_signals_and_alerts_stand_in_one_order_of_time(self) -> None:
        times = [line[:8] for line in _lines(messages, _picture()) if line[:2].isdigit()]
        assert times == sorted(times, reverse=True)
        assert len(times) == len(ALERTS) + len(RICH.notices)

    def test_without_redis_it_is_said_that_nothing_is_sent(self) -> None:
        lines = _lines(messages, _picture(), 78)
        assert lines[1].endswith("shown, not sent; --redis URL sends")
        assert _line(lines, "WARNING", "FEED").rstrip().endswith("shown")

    def test_sent_is_what_went_out_and_the_rest_waits_for_a_redis_that_is_away(self) -> None:
        away = Publishing(Sending.HERE, "redis://desk: it does not answer", ago(50.0))
        lines = _lines(messages, _picture(status=_sending(away)))
        assert lines[1].endswith("waiting, redis://desk: it does not answer")
        assert _line(lines, "INSTITUTIONAL").rstrip().endswith("sent")
        assert _line(lines, "WARNING", "FEED").rstrip().endswith("waiting")
        assert _line(lines, "alert", "CRITICAL").rstrip().endswith("waiting, over budget")
        assert _footer(away).endswith("3 sent, 3 waiting")

    @pytest.mark.parametrize(
        ("by", "words", "word"),
        [
            (Sending.HERE, "sent to Redis", "sent"),
            (Sending.UNWANTED, "shown, not sent: --keys off", "shown"),
            (Sending.ANOTHER, "sent by another collector", "by another"),
            (Sending.ELSEWHERE, "sent, ok", "sent"),
        ],
    )
    def test_a_redis_to_feed_does_not_mean_that_messages_go_out(self, by: Sending, words: str, word: str) -> None:
        lines = _lines(messages, _picture(status=_sending(Publishing(by, until=NOW))))
        assert lines[1].endswith(words)
        assert _line(lines, "WARNING", "FEED").rstrip().endswith(word)

    def test_what_an_earlier_run_told_is_not_called_sent_by_this_one(self) -> None:
        told = msgspec.structs.replace(ALERTS[0], ts=DEMO.started - 1)
        status = msgspec.structs.replace(_sending(Publishing(Sending.HERE, until=NOW)), alerts=(told,))
        assert _line(_lines(messages, _picture(status=status)), "INSTITUTIONAL").rstrip().endswith("earlier")

    def test_each_carries_what_it_was_made_of(self) -> None:
        text = " ".join(" ".join(_lines(messages, _picture())).split())
        assert "Inputs: probability 0.611, base_rate 0.0042, horizon_s 60, threshold_usd 2,500,000." in text
        assert "7 of 12 such alerts in 30 days came with a cascade" in text
        assert "asked 50.0%, confirmed by two reads" in text
        assert "without a probability: raised by burst" in text
        assert "highest WATCH" in text

    def test_an_all_clear_says_whether_a_cascade_came(self) -> None:
        assert "a cascade came" in _line(_lines(messages, _picture()), "all clear")

    @pytest.mark.parametrize("status", [LIVE, ATTACHED])
    def test_before_anything_happened_it_says_what_it_waits_for(self, status: Status) -> None:
        assert "Nothing so far" in _lines(messages, _picture(SUBSCRIBED, status))[2]

    def test_the_file_holds_every_message_with_its_inputs(self) -> None:
        name, rows = export.rows(_picture(page="signals"))
        assert (name, len(rows)) == ("messages", len(ALERTS) + len(RICH.notices))
        loud = next(row for row in rows if row["rule"] == "CASCADE")
        assert (loud["channel"], loud["outcome"]) == ("liquake:alerts", "shown, over budget")
        assert '"probability":0.611' in str(loud["inputs"])


class TestAction:
    def test_it_is_of_the_loudest_level_in_this_regime_with_its_reason(self) -> None:
        words = " ".join(line.plain for line in action(_picture(), 78, 3))
        expected = action_table()[Level.CRITICAL, "STRESSED"]
        assert "not advice" in words
        assert f"{expected.do}. Why: {expected.reason}." in words

    def test_nothing_is_called_usual_while_nobody_can_know(self) -> None:
        unknown = tuple(
            msgspec.structs.replace(risk, level=Level.NONE, probability=None, reason="warming up")
            for risk in RICH.risks
        )
        lost = (feed("okx", FeedState.DISCONNECTED),)
        for change in ({"risks": unknown}, {"risks": ()}, {"venues": lost}):
            assert action(_picture(msgspec.structs.replace(RICH, **change)), 78, 3) == []

    def test_what_does_not_fit_ends_in_an_ellipsis(self) -> None:
        (line,) = action(_picture(), 78, 1)
        assert line.plain.endswith("…")
        assert line.cell_len <= 78

    @pytest.mark.parametrize("level", Level)
    @pytest.mark.parametrize("regime", Regime)
    def test_every_entry_fits_its_three_lines_on_the_smallest_screen(self, level: Level, regime: Regime) -> None:
        assert RICH.regime is not None
        risks = tuple(msgspec.structs.replace(risk, level=level) for risk in RICH.risks)
        state = msgspec.structs.replace(RICH.regime, level=regime)
        lines = action(_picture(msgspec.structs.replace(RICH, risks=risks, regime=state)), 78, 3)
        assert len(lines) == 3
        assert not any("…" in line.plain for line in lines)

    def test_it_stands_below_the_risks(self) -> None:
        assert _line(_lines(cascade_risk, _picture(), 78, 9), "Some now").startswith("Some now (not advice): stand")


class TestOutlook:
    def test_a_fresh_alert_has_the_second_line(self) -> None:
        assert _lines(outlook, _picture(), 78, 2)[1].startswith("ALERT  14:02:46 CRITICAL CASCADE")

    def test_an_old_alert_gives_way_to_the_state_of_it_all(self) -> None:
        old = tuple(msgspec.structs.replace(alert, ts=ago(900.0)) for alert in ALERTS)
        status = msgspec.structs.replace(DEMO, alerts=old)
        assert "okx STALE" in _lines(outlook, _picture(status=status), 78, 2)[1]
        well = msgspec.structs.replace(RICH, venues=WELL)
        assert _lines(outlook, _picture(well, status), 78, 2)[1].startswith("ALERT  13:48:27")

    def test_what_some_do_has_what_is_left(self) -> None:
        assert _lines(outlook, _picture(), 98, 3)[2].startswith("Some now")

    def test_a_level_without_a_probability_says_what_raised_it(self) -> None:
        risks = (msgspec.structs.replace(RICH.risks[2], market="ALL", probability=None, because="burst"),)
        line = _lines(outlook, _picture(msgspec.structs.replace(RICH, risks=risks)))[0]
        assert line.startswith("RISK  CRITICAL all markets (burst), without a probability")


class TestEpisodes:
    def test_what_goes_on_ends_in_an_arrow_at_now_and_what_is_over_before(self) -> None:
        recent = msgspec.structs.replace(RICH, started=ago(3600.0))
        lines = _lines(episodes_chart, _picture(recent), 78)
        running, over = _line(lines, "BTC", "LONG"), _line(lines, "SOL", "SHORT")
        assert running[lines[1].index("now") + 2] == "▶"
        assert "▶" not in over
        assert "▒" in over
        assert "≥$3.80M" in running
        assert "$3.60M" in running

    def test_a_short_line_of_time_still_says_how_long_it_is(self) -> None:
        recent = msgspec.structs.replace(RICH, started=ago(5400.0))
        assert _lines(episodes_chart, _picture(recent), 37)[1].split() == ["market", "90", "min", "now", "USD"]

    def test_the_time_before_anybody_watched_is_blank(self) -> None:
        started = msgspec.structs.replace(RICH, started=ago(450.0))
        bar = _line(_lines(episodes_chart, _picture(started), 78), "BTC", "LONG")[16:]
        blank = len(bar) - len(bar.lstrip(" "))
        assert bar[blank] == "─"
        assert blank > 10

    def test_a_roomy_panel_says_which_venues_it_was_on(self) -> None:
        assert "bybit 100%" in _line(_lines(episodes_chart, _picture()), "BTC", "LONG")

    def test_the_file_holds_what_is_drawn(self) -> None:
        name, rows = export.rows(_picture(page="charts"), "episodes-chart")
        assert (name, [row["market"] for row in rows]) == ("episodes", ["BTCUSDT"])
        assert rows[0]["usd_at_least"] == 3_804_000.0
