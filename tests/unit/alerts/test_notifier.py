from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import product

from liquake.alerts.actions import action_for
from liquake.alerts.budget import DAY, PER_DAY, DayBudget
from liquake.alerts.notifier import COOLDOWN, HOLD, Notifier
from liquake.alerts.record import concerns
from liquake.alerts.rules import REGIMES
from liquake.alerts.situation import Situation, situation_of
from liquake.analytics.regime import Regime
from liquake.engine.engine import Engine
from liquake.model import Coverage, CoverageKind, FeedState, FeedStatus, Side
from liquake.model.alert import NO_REGIME, Alert, AlertRule, Level, TrackRecord
from tests.unit.alerts.situations import SECOND, START, at, episode, feed, liquidation, regime, risk, speeds

HOLD_S, COOLDOWN_S = HOLD / SECOND, COOLDOWN / SECOND


def told(notifier: Notifier, *situations: Situation) -> list[Alert]:
    return [alert for situation in situations for alert in notifier.update(situation)]


def signals(*levels: Level, start: float = 0.0, **parts: object) -> Iterator[Situation]:
    """One signal a second."""
    for place, level in enumerate(levels):
        yield at(start + place, risks=(risk(level),), **parts)


def test_each_level_of_a_cascade_is_told_once_however_the_signal_moves() -> None:
    none, watch, warning, critical = Level.NONE, Level.WATCH, Level.WARNING, Level.CRITICAL
    alerts = told(Notifier(), *signals(none, watch, warning, watch, warning, watch, critical, warning, critical, watch))
    assert [alert.level for alert in alerts] == [warning, critical]
    assert len({alert.key for alert in alerts}) == 2


def test_a_watch_is_a_signal_and_no_alert_but_keeps_open_what_was_more() -> None:
    notifier = Notifier()
    assert not told(notifier, *signals(Level.NONE, *[Level.WATCH] * 5))
    assert len(told(notifier, at(10, risks=(risk(Level.WARNING),)))) == 1
    watching = (at(10 + HOLD_S * step, risks=(risk(Level.WATCH),)) for step in range(1, 9))
    assert not told(notifier, *watching, at(11 + HOLD_S * 9, risks=(risk(Level.WARNING),)))


def test_a_level_skipped_on_the_way_up_is_not_told_on_the_way_down() -> None:
    alerts = told(Notifier(), *signals(Level.NONE, Level.CRITICAL, Level.WARNING, Level.WATCH))
    assert [alert.level for alert in alerts] == [Level.CRITICAL]


def test_a_signal_that_comes_back_within_the_cooldown_is_the_same_matter_and_later_a_new_one() -> None:
    notifier = Notifier()
    assert len(told(notifier, at(0), at(1, risks=(risk(Level.WARNING),)))) == 1
    over = 1.0 + HOLD_S
    assert not told(notifier, at(over), at(over + COOLDOWN_S - 1.0, risks=(risk(Level.WARNING),)))
    again = over + COOLDOWN_S - 1.0 + HOLD_S
    assert not told(notifier, at(again), at(again + COOLDOWN_S))
    assert len(told(notifier, at(again + COOLDOWN_S + 1.0, risks=(risk(Level.WARNING),)))) == 1


def test_an_open_episode_keeps_the_matter_open() -> None:
    notifier, going = Notifier(), (episode(0.0, None),)
    assert len(told(notifier, at(0), at(1, risks=(risk(Level.WARNING),), episodes=going))) == 1
    quiet = [at(100.0 * step, episodes=going) for step in range(1, 20)]
    assert not told(notifier, *quiet, at(2000, risks=(risk(Level.WARNING),), episodes=going))


def test_the_other_side_and_another_market_are_other_matters() -> None:
    risks = (risk(Level.WARNING), risk(Level.WARNING, side=Side.SHORT), risk(Level.WARNING, market="ETHUSDT"))
    assert len(told(Notifier(), at(0), at(1, risks=risks))) == 3


def test_the_loudest_comes_first() -> None:
    risks = (risk(Level.WARNING), risk(Level.EXTREME, side=Side.SHORT))
    assert [alert.level for alert in told(Notifier(), at(0), at(1, risks=risks))] == [Level.EXTREME, Level.WARNING]


def test_two_venues_with_large_prints_of_one_cascade_are_one_matter() -> None:
    prints = (liquidation(2e6, 0.5), liquidation(3e6, 0.6, venue="okx"))
    assert len(told(Notifier(), at(0), at(1, recent=prints))) == 1


def test_the_budget_holds_under_ten_thousand_provocations_of_every_rule() -> None:
    """Over three and a half days, each of a signal, a spike, a jerk and a dark feed in a market or venue of its own."""
    chance, notifier = random.Random(5), Notifier()
    alerts: list[Alert] = []
    for step in range(10_000):
        market = f"C{step}USDT"
        moment = 30.0 * step
        wild = {market: speeds(9.0, rank=0.9999, jerk_z=9.0)["BTCUSDT"]}
        feeds = (feed(), feed(FeedState.DARK, venue=f"v{step}", since=moment), feed(venue="okx", gaps=step))
        provoked = {
            "risks": (risk(chance.choice(list(Level)[1:]), market=market, side=chance.choice(list(Side))),),
            "speeds": wild,
            "feeds": feeds,
            "regime": regime(chance.choice(list(REGIMES))),
            "recent": (liquidation(5e6 * (1.0 + 9.0 * (step % 2)), moment + 1.0, side=chance.choice(list(Side))),),
        }
        alerts += told(notifier, at(moment, **provoked), at(moment + 1.0, **provoked))
    sent = sorted(alert.ts for alert in alerts if alert.within_budget)
    assert len(alerts) > 10_000
    busiest = max(bisect_left(sent, start + DAY) - place for place, start in enumerate(sent))
    assert busiest <= notifier.budget.total
    cascades = [alert.ts for alert in alerts if alert.within_budget and alert.rule is AlertRule.CASCADE]
    assert sum(ts < cascades[0] + DAY for ts in cascades) == sum(PER_DAY[AlertRule.CASCADE].values())


def test_a_day_holds_six_alarms_of_cascades_at_most() -> None:
    assert sum(PER_DAY[AlertRule.CASCADE].values()) == 6


def test_the_budget_is_of_any_day_not_of_the_calendars() -> None:
    budget = DayBudget({AlertRule.JERK: {Level.WATCH: 2}})
    spent = [ts for ts in range(0, 4 * DAY, DAY // 50) if budget.spend(AlertRule.JERK, Level.WATCH, ts)]
    assert spent == [day * DAY + offset for day in range(4) for offset in (0, DAY // 50)]
    assert not budget.spend(AlertRule.FEED, Level.WATCH, 0)


def test_what_is_over_budget_is_shown_and_not_sent() -> None:
    notifier = Notifier(per_day={AlertRule.CASCADE: {Level.WARNING: 1}})
    risks = tuple(risk(Level.WARNING, market=market) for market in ("BTCUSDT", "ETHUSDT"))
    assert [alert.within_budget for alert in told(notifier, at(0), at(1, risks=risks))] == [True, False]


def test_an_alert_carries_the_record_of_its_own_rule_and_level() -> None:
    notifier = Notifier()
    episodes = tuple(episode(start + 100.0, start + 400.0) for start in range(0, 60_000, 6_000))
    for start in range(0, 120_000, 6_000):
        provoked = at(start + 1.0, risks=(risk(Level.WARNING),), episodes=episodes)
        assert len(told(notifier, at(start, episodes=episodes), provoked)) == 1
        told(notifier, *(at(start + 1.0 + HOLD_S * step, episodes=episodes) for step in range(1, 9)))
    record = notifier.verdicts.value(AlertRule.CASCADE, Level.WARNING, at(120_000).now)
    assert record is not None
    assert (record.right, record.total) == (10, 20)
    assert "10 of 20 such alerts" in str(record)
    assert notifier.verdicts.value(AlertRule.CASCADE, Level.CRITICAL, at(120_000).now) == TrackRecord(0, 0, record.days)
    assert notifier.verdicts.value(AlertRule.FEED, Level.WARNING, at(120_000).now) is None


def test_few_alerts_make_no_precision() -> None:
    assert "not known yet (9 of the 10" in str(TrackRecord(9, 9, 30.0))


def test_right_is_an_episode_of_that_market_and_side_open_at_the_alert_or_within_five_minutes() -> None:
    (alert,) = told(Notifier(), at(999), at(1000, risks=(risk(Level.WARNING),)))
    assert concerns(alert, episode(1300.0, None))
    assert concerns(alert, episode(500.0, 1000.0))
    assert concerns(alert, episode(500.0, None))
    assert not concerns(alert, episode(1301.0, None))
    assert not concerns(alert, episode(500.0, 999.0))
    assert not concerns(alert, episode(1000.0, None, side=Side.SHORT))
    assert not concerns(alert, episode(1000.0, None, market="ETHUSDT"))


def test_a_restart_keeps_the_record_and_the_spent_budget() -> None:
    through, episodes = Notifier(), (episode(5.0, 90.0),)
    alerts = told(through, at(0), at(1, risks=(risk(Level.WARNING),)), at(400, episodes=episodes))
    resumed = Notifier()
    resumed.resume(alerts, episodes, at(400).now)
    for notifier in (through, resumed):
        record = notifier.verdicts.value(AlertRule.CASCADE, Level.WARNING, at(400).now)
        assert record is not None
        assert (record.right, record.total) == (1, 1)
        spent = [notifier.budget.spend(AlertRule.CASCADE, Level.WARNING, at(400).now) for _ in range(3)]
        assert spent == [True] * 2 + [False]


def test_a_feed_that_goes_dark_is_told_from_the_engines_own_snapshot() -> None:
    engine, notifier = (
        Engine({"bybit": Coverage(CoverageKind.COMPLETE, "all"), "okx": Coverage(CoverageKind.THROTTLED, "some")}),
        Notifier(),
    )
    for venue in ("bybit", "okx"):
        engine.apply(FeedStatus(venue, "1", FeedState.SUBSCRIBED, START))
    assert not told(notifier, situation_of(engine.snapshot(START + SECOND)))
    engine.apply(FeedStatus("okx", "1", FeedState.DARK, START + 2 * SECOND))
    (alert,) = told(notifier, situation_of(engine.snapshot(START + 2 * SECOND)))
    assert (alert.rule, alert.level, alert.venue) == (AlertRule.FEED, Level.WARNING, "okx")
    assert alert.coverage == "bybit; okx dark"
    assert alert.record is None


def test_every_level_and_regime_has_an_action_with_its_reason() -> None:
    regimes = [None, NO_REGIME, *(one.name for one in Regime)]
    for rule, level, name in product(AlertRule, Level, regimes):
        words = str(action_for(rule, level, name))
        assert words.startswith("What some do now: ")
        assert words.endswith(" Not advice.")
        assert "Why: " in words


def test_an_action_follows_the_signal_not_the_loudness_of_another_rule() -> None:
    calm = told(Notifier(), at(0), at(1, regime=regime("EXTREME")))
    assert calm[0].action == action_for(AlertRule.REGIME_CHANGE, Level.NONE, "EXTREME")
    wild = speeds(9.0, rank=0.9999)
    both = at(1, speeds=wild, risks=(risk(Level.CRITICAL),))
    spike = next(
        alert for alert in told(Notifier(), at(0, speeds=wild), both) if alert.rule is AlertRule.VELOCITY_SPIKE
    )
    assert spike.action == action_for(AlertRule.CASCADE, Level.CRITICAL, None)
