"""The rules: pure functions of two situations in a row.

Each says what a subject deserves now, by what it takes to enter a level at both moments, and what it may keep, by what
it takes to stay. What is done about it, how often and to whom, is the notifier's.

Only the calibrated probability, a regime at its extreme and the loss of every feed go above WARNING. Velocity detects;
jerk is slower than velocity at an equal number of false alarms and never goes above WATCH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from liquake.alerts.situation import Feed, Risk, Situation, Speed
from liquake.model import FeedState, Liquidation, Side, market_of
from liquake.model.alert import AlertRule, Level

SECOND = 1_000_000_000
SHORT_WINDOW, LONG_WINDOW = 2.0, 10.0
"""Seconds: a spike is one in both."""
ENTER_Z, STAY_Z = 5.0, 3.5
"""On chance alone a z of 5 comes up less than once in two days at any rate (`bench/false_alerts.py`)."""
ENTER_RANK, STAY_RANK = 0.999, 0.99
LARGE_FLOOR = 100_000.0
"""Dollars under which no liquidation is large, however small the market's others are."""
LARGE_UNKNOWN = 1_000_000.0
"""Dollars where the market's own sizes are not known yet."""
VERY_LARGE = 10.0
"""Times the threshold."""
DOWN_FOR = 30 * SECOND
"""A reconnect takes seconds and is no news."""
LATE = 10 * SECOND
"""Under way for longer, a liquidation is history: refilled after a gap, or replayed on connecting."""
REGIMES = {"VOLATILE": Level.WATCH, "STRESSED": Level.WARNING, "EXTREME": Level.CRITICAL}


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule finds of one subject."""

    rule: AlertRule
    market: str = ""
    side: Side | None = None
    venue: str = ""
    deserved: Level
    """Entered now."""
    held: Level
    """Kept, where it was entered before."""
    text: str
    inputs: Mapping[str, float | str]


Rule = Callable[[Situation, Situation], Iterator[Condition]]


def cascade(_: Situation, now: Situation) -> Iterator[Condition]:
    """The signal of each market and side, from WARNING up: it confirms and lets go by itself.

    A WATCH says that the odds are ten times the usual, and is wrong nineteen times in twenty: a screen shows it, nobody
    is called for it. It keeps a matter open that was more.
    """
    for risk in now.risks:
        if risk.level > Level.NONE:
            yield Condition(
                rule=AlertRule.CASCADE,
                market=risk.market,
                side=risk.side,
                deserved=risk.level if risk.level >= Level.WARNING else Level.NONE,
                held=risk.level,
                text=_cascade_text(risk),
                inputs=_known(
                    probability=risk.probability,
                    base_rate=risk.base_rate,
                    horizon_s=risk.horizon,
                    threshold_usd=risk.threshold_usd,
                    confirmed_by=risk.because,
                ),
            )


def _cascade_text(risk: Risk) -> str:
    subject = f"{risk.market} {risk.side.lower()} liquidations"
    if risk.probability is None:
        article = "an" if risk.because == "episode" else "a"
        return f"{subject}: {article} {risk.because} is under way; no probability: {risk.reason or 'no model'}"
    base = "" if risk.base_rate is None else f", base rate {risk.base_rate:.1%}"
    return (
        f"{subject}: {risk.probability:.0%} that ${risk.threshold_usd:,.0f} or more follow within "
        f"{risk.horizon:g} s{base}"
    )


def velocity_spike(before: Situation, now: Situation) -> Iterator[Condition]:
    """A market is faster than chance allows over a short and a longer window, at both moments."""
    for market, speeds in now.speeds.items():
        short, long = _at(speeds, SHORT_WINDOW), _at(speeds, LONG_WINDOW)
        if short is None or long is None:
            continue
        held = _spike(short, long, STAY_Z, STAY_RANK)
        if held is Level.NONE:
            continue
        earlier = before.speeds.get(market, ())
        once = _spike(_at(earlier, SHORT_WINDOW), _at(earlier, LONG_WINDOW), ENTER_Z, ENTER_RANK)
        rank = "" if long.rank is None else f", faster than {_percent(long.rank)} of its week"
        yield Condition(
            rule=AlertRule.VELOCITY_SPIKE,
            market=market,
            deserved=min(once, _spike(short, long, ENTER_Z, ENTER_RANK)),
            held=held,
            text=f"{market}: {long.velocity:.1f} liquidations/s over {long.window:g} s, z {long.velocity_z:.1f}{rank}",
            inputs=_known(
                velocity_2s_per_s=short.velocity,
                velocity_2s_z=short.velocity_z,
                velocity_10s_per_s=long.velocity,
                velocity_10s_z=long.velocity_z,
                rank_10s=long.rank,
            ),
        )


def _spike(short: Speed | None, long: Speed | None, z: float, rank: float) -> Level:
    if short is None or long is None or min(short.velocity_z, long.velocity_z) < z:
        return Level.NONE
    return Level.WARNING if long.rank is not None and long.rank >= rank else Level.WATCH


def jerk(before: Situation, now: Situation) -> Iterator[Condition]:
    """The acceleration of a market itself grows, beyond chance, over ten seconds, at both moments."""
    for market, speeds in now.speeds.items():
        speed, earlier = _at(speeds, LONG_WINDOW), _at(before.speeds.get(market, ()), LONG_WINDOW)
        if speed is None or speed.jerk_z < STAY_Z:
            continue
        confirmed = earlier is not None and min(speed.jerk_z, earlier.jerk_z) >= ENTER_Z
        yield Condition(
            rule=AlertRule.JERK,
            market=market,
            deserved=Level.WATCH if confirmed else Level.NONE,
            held=Level.WATCH,
            text=f"{market}: jerk {speed.jerk:+.3g} liquidations/s³ over {speed.window:g} s, z {speed.jerk_z:.1f}",
            inputs={"jerk_10s_per_s3": speed.jerk, "jerk_10s_z": speed.jerk_z},
        )


def institutional(before: Situation, now: Situation) -> Iterator[Condition]:
    """A liquidation, received since, that is large for its own market. It stands for a moment, so it holds nothing."""
    known = {(event.venue, event.key) for event in before.recent}
    for event in sorted(set(now.recent), key=lambda event: (event.ts_recv, event.key)):
        # An old one comes back among the largest of the hour when larger ones leave it.
        new = (event.ts_recv or event.ts_event) >= before.now and (event.venue, event.key) not in known
        if not new or event.usd is None or event.ts_recv - event.ts_event > LATE:
            continue
        market = market_of(event.asset)
        threshold = max(LARGE_FLOOR, now.large_usd[market]) if market in now.large_usd else LARGE_UNKNOWN
        if event.usd >= threshold:
            yield _large(event, market, event.usd, threshold)


def _large(event: Liquidation, market: str, usd: float, threshold: float) -> Condition:
    level = Level.WARNING if usd >= VERY_LARGE * threshold else Level.WATCH
    return Condition(
        rule=AlertRule.INSTITUTIONAL,
        market=market,
        side=event.side,
        venue=event.venue,
        deserved=level,
        held=Level.NONE,
        text=f"{market}: a {event.side.lower()} of ${usd:,.0f} was liquidated on {event.venue} at {event.coin_price:g}",
        inputs={
            "usd": usd,
            "threshold_usd": threshold,
            "price": event.coin_price,
            "price_basis": str(event.price_basis),
        },
    )


def regime_change(before: Situation, now: Situation) -> Iterator[Condition]:
    """The market is VOLATILE, STRESSED or EXTREME. The regime has its own hysteresis and dwell."""
    regime = now.regime
    level = REGIMES.get(regime.name, Level.NONE) if regime is not None else Level.NONE
    if regime is None or level is Level.NONE:
        return
    was = "" if before.regime is None or before.regime.name == regime.name else f" after {before.regime.name}"
    yield Condition(
        rule=AlertRule.REGIME_CHANGE,
        market="ALL",
        deserved=level,
        held=level,
        text=f"regime {regime.name}{was}: {regime.driver} leads, stress above {_percent(regime.rank)} of its week",
        inputs={"regime": regime.name, "rank": regime.rank, "driver": regime.driver},
    )


def feed(before: Situation, now: Situation) -> Iterator[Condition]:
    """A venue is dark, has been down for half a minute, or has left a gap; or all of them are down."""
    counted = [one for one in now.feeds if one.counted]
    lost = [one for one in counted if _lost(one, now.now)]
    if lost and len(lost) == len(counted):
        yield Condition(
            rule=AlertRule.FEED,
            deserved=Level.CRITICAL,
            held=Level.CRITICAL,
            text="every feed is down: no number on the screen is of now",
            inputs={"feeds_down": float(len(lost))},
        )
    gaps = {one.venue: one for one in before.feeds}
    for one in counted:
        if one in lost:
            yield _down(one, now.now)
        elif one.gaps > (earlier := gaps.get(one.venue, one)).gaps:
            yield _gap(one, one.gap_seconds - earlier.gap_seconds)


def _lost(one: Feed, now: int) -> bool:
    return one.state is FeedState.DARK or (one.down and now - one.since >= DOWN_FOR)


def _down(one: Feed, now: int) -> Condition:
    silent = (now - one.since) / SECOND
    why = f" ({one.reason})" if one.state is FeedState.DARK and one.reason else ""
    return Condition(
        rule=AlertRule.FEED,
        venue=one.venue,
        deserved=Level.WARNING,
        held=Level.WARNING,
        text=f"{one.venue} has been {one.state.lower()} for {silent:.0f} s{why}: its liquidations are in no number since",
        inputs={"state": str(one.state), "seconds": silent},
    )


def _gap(one: Feed, seconds: float) -> Condition:
    return Condition(
        rule=AlertRule.FEED,
        venue=one.venue,
        deserved=Level.WATCH,
        held=Level.NONE,
        text=f"{one.venue} left a gap of {seconds:.0f} s: liquidations in it may be missing",
        inputs={"gap_s": seconds, "gaps": float(one.gaps)},
    )


RULES: tuple[Rule, ...] = (cascade, velocity_spike, jerk, institutional, regime_change, feed)


def _at(speeds: tuple[Speed, ...], window: float) -> Speed | None:
    return next((speed for speed in speeds if speed.window == window), None)


def _known(**inputs: float | str | None) -> dict[str, float | str]:
    return {name: value for name, value in inputs.items() if value is not None}


def _percent(rank: float) -> str:
    """A rank as a percentage that never rounds up to the whole."""
    return f"{min(rank * 100.0, 99.99):.4g} %"
