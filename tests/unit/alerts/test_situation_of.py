"""From a market to its alerts: the engine's own snapshots, once a second, through the rules."""

from __future__ import annotations

import pytest

from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import Situation, situation_of
from liquake.engine.engine import Engine
from liquake.model import Coverage, CoverageKind, FeedState, FeedStatus, Gap, Liquidation, PriceBasis, Side
from liquake.model.alert import Alert, AlertRule, Level

SECOND = 1_000_000_000
NOON = 1_790_000_040 * SECOND
COVERAGES = {"bybit": Coverage(CoverageKind.COMPLETE, ""), "okx": Coverage(CoverageKind.THROTTLED, "")}


def liquidation(at: float, usd: float) -> Liquidation:
    time = NOON + round(at * SECOND)
    amount = usd / 50_000.0
    basis = PriceBasis.BANKRUPTCY
    return Liquidation("bybit", "BTCUSDT", "BTC", Side.LONG, 50_000.0, basis, amount, usd, time, time, amount)


def watched(events: list[Liquidation | FeedStatus | Gap], seconds: int) -> tuple[list[Situation], list[Alert]]:
    """Every second's situation and every alert."""
    engine, notifier = Engine(COVERAGES, watched=("BTCUSDT",)), Notifier()
    coming = sorted(events, key=lambda event: getattr(event, "ts_recv", 0) or getattr(event, "ts", 0) or event.end)  # type: ignore[union-attr]
    situations: list[Situation] = []
    alerts: list[Alert] = []
    for second in range(1, seconds):
        now = NOON + second * SECOND
        while coming and _time(coming[0]) <= now:
            engine.apply(coming.pop(0))
        engine.advance(now)
        situations.append(situation_of(engine.snapshot(now, ["BTCUSDT"])))
        alerts += notifier.update(situations[-1])
    return situations, alerts


def _time(event: Liquidation | FeedStatus | Gap) -> int:
    if isinstance(event, Liquidation):
        return event.ts_recv
    return event.end if isinstance(event, Gap) else event.ts


@pytest.fixture(scope="module")
def burst() -> tuple[list[Situation], list[Alert]]:
    """Ten minutes with an event every five seconds, then twenty a second."""
    calm = [liquidation(5.0 * n, 10_000.0 + n) for n in range(120)]
    sweep = [liquidation(600.0 + n / 20.0, 40_000.0 + n) for n in range(400)]
    return watched([*calm, *sweep], 625)


def test_a_burst_reaches_the_rules_with_its_significance(burst: tuple[list[Situation], list[Alert]]) -> None:
    situations, _ = burst
    before, after = situations[590], situations[-1]
    fastest = {len(situation.speeds["BTCUSDT"]) for situation in (before, after)}
    assert fastest == {5}
    assert max(speed.velocity_z for speed in before.speeds["BTCUSDT"]) < 3.0
    assert max(speed.velocity_z for speed in after.speeds["BTCUSDT"]) > 5.0


def test_a_burst_is_told_and_calm_is_not(burst: tuple[list[Situation], list[Alert]]) -> None:
    _, alerts = burst
    assert alerts
    assert all(alert.ts >= NOON + 600 * SECOND for alert in alerts)
    assert AlertRule.VELOCITY_SPIKE in {alert.rule for alert in alerts}
    assert all(alert.level > Level.NONE and alert.coverage for alert in alerts)


def test_all_markets_together_have_no_velocity_of_their_own_to_tell_twice(
    burst: tuple[list[Situation], list[Alert]],
) -> None:
    situations, alerts = burst
    assert all(set(situation.speeds) == {"BTCUSDT"} for situation in situations)
    assert {alert.market for alert in alerts if alert.rule is AlertRule.VELOCITY_SPIKE} == {"BTCUSDT"}


def test_the_regime_of_a_short_session_raises_nothing(burst: tuple[list[Situation], list[Alert]]) -> None:
    situations, _ = burst
    assert {situation.regime for situation in situations} == {None}


def test_each_side_has_one_risk_whatever_the_horizons(burst: tuple[list[Situation], list[Alert]]) -> None:
    situations, _ = burst
    subjects = [(risk.market, risk.side) for risk in situations[-1].risks]
    assert len(subjects) == len(set(subjects))
    assert ("BTCUSDT", Side.LONG) in subjects
    assert all(risk.reason for risk in situations[-1].risks if risk.probability is None)


def test_a_feed_that_breaks_is_told() -> None:
    up = FeedStatus("bybit", "linear-1", FeedState.SUBSCRIBED, NOON + SECOND)
    down = FeedStatus("bybit", "linear-1", FeedState.DISCONNECTED, NOON + 10 * SECOND, reason="the connection broke")
    _, alerts = watched([up, liquidation(2.0, 1_000.0), down], 90)
    assert [alert.venue for alert in alerts if alert.rule is AlertRule.FEED] == ["bybit"]


def test_the_end_of_an_outage_and_the_beginning_of_a_run_are_no_jerk() -> None:
    busy = [liquidation(n / 20.0, 20_000.0 + n) for n in range(2_400)]
    away = Gap("bybit", "linear-1", NOON + 60 * SECOND, NOON + 80 * SECOND, "code 1006")
    heard = [event for event in busy if not away.start < event.ts_event <= away.end]
    _, alerts = watched([FeedStatus("bybit", "linear-1", FeedState.SUBSCRIBED, NOON), *heard, away], 118)
    assert [alert.text for alert in alerts if alert.rule is AlertRule.JERK] == []
