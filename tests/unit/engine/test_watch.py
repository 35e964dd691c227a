"""What the engine says of the seconds: risks, episodes, regime, dependence, what throttled venues leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import log
from random import Random

import msgspec
import pytest

from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.analytics.hawkes import Branching
from liquake.analytics.hawkes import Cell as Influence
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Episode, Level, Notification, Risk, Snapshot, Status
from liquake.model import Coverage, CoverageKind, Event, Gap, Liquidation, Side, Throttle
from liquake.model.tape import Source
from tests.unit.engine.events import MINUTE, NOON, SECOND, liquidation, price

FEEDS = {
    "binance": Coverage(CoverageKind.THROTTLED, "", throttle=Throttle.LARGEST, interval=1.0),
    "bybit": Coverage(CoverageKind.COMPLETE, ""),
    "okx": Coverage(CoverageKind.THROTTLED, "", throttle=Throttle.LATEST, interval=1.0),
    "hyperliquid": Coverage(CoverageKind.SAMPLE, ""),
}
VENUES = ("binance", "bybit", "okx")


@cache
def simulated() -> tuple[Model, ...]:
    return tuple(models.shipped(name) for name in models.names() if name.startswith("simulated"))


def engine_after(*events: Event, given: tuple[Model, ...] = (), feeds: Mapping[str, Coverage] = FEEDS) -> Engine:
    engine = Engine(feeds, models=given)
    for event in events:
        engine.apply(event)
    return engine


def background(seconds: float, start: float = 0.0, rate: float = 1.0, seed: int = 1) -> list[Liquidation]:
    """Small orders of either side on any venue, at random."""
    random, at, events = Random(seed), start, []
    while (at := at + random.expovariate(rate)) < start + seconds:
        venue, side = random.choice(VENUES), random.choice(tuple(Side))
        usd = random.lognormvariate(7.0, 1.0)
        events.append(liquidation(at, venue=venue, side=side, usd=usd, amount=usd / 60_000.0, key=f"{seed}-{at}"))
    return events


def sweep(start: float, events: int = 60, usd: float = 200_000.0) -> list[Liquidation]:
    """Longs, four a second."""
    return [
        liquidation(start + number / 4, venue=VENUES[number % 3], usd=usd, key=f"sweep-{number}")
        for number in range(events)
    ]


def risk(snapshot: Snapshot, market: str = ALL, side: Side = Side.LONG, horizon: float = 60.0) -> Risk:
    [found] = [each for each in snapshot.risks if (each.market, each.side, each.horizon) == (market, side, horizon)]
    return found


def episodes(snapshot: Snapshot, market: str = ALL) -> list[Episode]:
    return [each for each in snapshot.episodes if each.market == market]


def test_without_a_model_there_is_a_reason_and_no_probability() -> None:
    snapshot = engine_after(*background(120.0)).snapshot(NOON + 121 * SECOND)
    assert len(snapshot.risks) == 4 * 2 * 2
    assert {each.probability for each in snapshot.risks} == {None}
    assert {each.reason for each in snapshot.risks} == {"no model has been fitted"}


def test_a_model_of_other_feeds_is_refused_and_says_why() -> None:
    feeds = {name: FEEDS[name] for name in ("binance", "bybit")}
    held = risk(engine_after(*background(120.0), given=simulated(), feeds=feeds).snapshot(NOON + 121 * SECOND))
    assert held.probability is None
    assert "it was fitted on binance, bybit, okx, the feeds are binance, bybit" in held.reason


def test_a_model_of_some_of_the_feeds_forecasts_for_those_alone_and_names_them() -> None:
    """Large orders elsewhere change nothing of what it says; what a cascade over all feeds is, they do."""
    known = [*background(300.0), *sweep(300.0)]
    elsewhere = [liquidation(100.0 + n, venue="gate", usd=5e6, key=f"gate-{n}") for n in range(200)]
    more = {**FEEDS, "gate": Coverage(CoverageKind.COMPLETE, "")}
    alone = engine_after(*known, given=simulated()).snapshot(NOON + 316 * SECOND)
    together = sorted([*known, *elsewhere], key=lambda event: event.ts_event)
    beside = engine_after(*together, given=simulated(), feeds=more).snapshot(NOON + 316 * SECOND)
    for side in Side:
        said, same = risk(alone, side=side), risk(beside, side=side)
        assert said.probability is not None
        assert (same.probability, same.threshold) == pytest.approx((said.probability, said.threshold))
        assert (said.venues, same.venues) == ((), VENUES)
    assert episodes(beside)[0].start < episodes(alone)[0].start


def test_a_model_of_simulated_markets_says_so_and_names_what_it_stands_in_for() -> None:
    given = (models.shipped("binance-60s-long"), *simulated())
    held = risk(engine_after(*background(120.0), given=given).snapshot(NOON + 121 * SECOND))
    assert held.model == "simulated-60s-long"
    assert "simulated" in held.provenance
    assert held.refused == ("binance-60s-long: binance published under the rule 'latest' in training, now 'largest'",)


def test_the_first_minute_has_no_probability_and_the_first_hour_says_that_it_is_early() -> None:
    engine = engine_after(*background(50.0), given=simulated())
    early = risk(engine.snapshot(NOON + 51 * SECOND))
    assert early.probability is None
    assert early.score is None
    assert early.reason.startswith("warming up")
    for event in background(200.0, start=50.0, seed=2):
        engine.apply(event)
    later = risk(engine.snapshot(NOON + 251 * SECOND))
    assert later.probability is not None
    assert later.reason == ""
    assert later.warming == "warming up 4 of 60 min"


def test_six_contributions_add_up_to_the_probability() -> None:
    engine = engine_after(*background(300.0), *sweep(300.0), given=simulated())
    held = risk(engine.snapshot(NOON + 316 * SECOND))
    assert held.probability is not None
    assert len(held.contributions) == 6
    total = held.intercept + sum(held.contributions.values())
    assert total == pytest.approx(log(held.probability / (1.0 - held.probability)))


def test_a_sweep_raises_the_probability_of_its_side_opens_an_episode_and_is_said_once() -> None:
    engine = engine_after(*background(300.0), given=simulated())
    quiet = risk(engine.snapshot(NOON + 300 * SECOND))
    for event in sweep(300.0):
        engine.apply(event)
    snapshot = engine.snapshot(NOON + 316 * SECOND)
    held, other = risk(snapshot), risk(snapshot, side=Side.SHORT)
    assert quiet.probability is not None
    assert held.probability is not None
    assert other.probability is not None
    assert held.probability > 10.0 * quiet.probability
    assert held.probability > 3.0 * other.probability
    assert held.level >= Level.WARNING
    assert held.because in {"two reads", "burst"}
    assert quiet.because == ""
    assert held.episode is not None
    assert (held.episode.side, held.episode.end) == (Side.LONG, None)
    assert set(held.episode.by_venue) == set(VENUES)
    assert held.level == risk(snapshot, horizon=300.0).level
    said = [n for n in snapshot.notices if isinstance(n, Notification) and (n.market, n.side) == (ALL, Side.LONG)]
    assert len({notice.level for notice in said}) == len(said) >= 1
    assert len({notice.key for notice in said}) == 1


def test_an_episode_starts_when_the_dollars_of_a_minute_reach_the_threshold() -> None:
    engine = engine_after(*background(30.0), *sweep(30.0), given=simulated())
    [episode] = episodes(engine.snapshot(NOON + 46 * SECOND))
    inside = [event for event in (*background(30.0), *sweep(30.0)) if event.side is Side.LONG]
    spent, start = 0.0, 0
    for event in inside:
        spent += event.usd or 0.0
        if spent >= episode.threshold:
            start = event.ts_event
            break
    assert episode.start == start
    assert episode.threshold == risk(engine.snapshot(NOON + 46 * SECOND)).threshold


def test_an_episode_ends_by_the_clock_alone() -> None:
    engine = engine_after(*background(30.0), *sweep(30.0), given=simulated())
    engine.advance(NOON + 400 * SECOND)
    [episode] = episodes(engine.snapshot(NOON + 400 * SECOND))
    assert episode.end is not None
    assert episode.usd == pytest.approx(
        sum(e.usd or 0.0 for e in (*background(30.0), *sweep(30.0)) if e.side is Side.LONG)
    )
    assert risk(engine.snapshot(NOON + 400 * SECOND)).episode is None


def test_how_often_the_time_is_told_changes_nothing() -> None:
    events = [*background(100.0), *sweep(100.0), *background(200.0, start=300.0, seed=3)]
    seldom, often = Engine(FEEDS, models=simulated()), Engine(FEEDS, models=simulated())
    for event in events:
        seldom.apply(event)
        for part in range(1, 4):
            often.advance(event.ts_event - SECOND + part * SECOND // 4)
        often.apply(event)
    for moment in range(0, 700 * SECOND, SECOND // 3):
        often.advance(NOON + moment)
    seldom.advance(NOON + 700 * SECOND)
    often.advance(NOON + 700 * SECOND)
    assert seldom.snapshot(NOON + 700 * SECOND) == often.snapshot(NOON + 700 * SECOND)


def test_after_an_hour_without_a_word_the_past_is_not_held_to_be_known() -> None:
    engine = engine_after(*background(4000.0, rate=0.2), given=simulated())
    assert risk(engine.snapshot(NOON + 4001 * SECOND)).warm == 1.0
    engine.advance(NOON + 12_000 * SECOND)
    engine.apply(liquidation(12_000.0, key="after"))
    engine.apply(liquidation(12_010.0, key="later"))
    assert risk(engine.snapshot(NOON + 12_010 * SECOND)).warm < 0.01


def test_a_market_nobody_watches_has_no_risk_and_the_watched_have_their_own() -> None:
    engine = Engine(FEEDS, watched=("ETHUSDT",), models=simulated())
    for event in background(120.0):
        engine.apply(event)
    snapshot = engine.snapshot(NOON + 121 * SECOND)
    assert {each.market for each in snapshot.risks} == {ALL, "ETHUSDT"}


def test_significance_is_of_three_windows_side_by_side_with_what_is_not_settled() -> None:
    crowd = [liquidation(29.0 + number / 30.0, key=f"crowd-{number}") for number in range(25)]
    engine = engine_after(*background(29.0, rate=0.4), *crowd)
    row = engine.snapshot(NOON + 31 * SECOND).kinematics[ALL][2]
    assert row.window == 2.0
    assert row.significance.acceleration > 3.0
    assert row.significance.velocity > 5.0


@pytest.mark.parametrize(("watched", "word"), [(500.0, None), (700.0, Status.RAPID)])
def test_a_velocity_has_no_word_before_the_usual_one_is_known(watched: float, word: Status | None) -> None:
    crowd = [liquidation(watched + number / 30.0, key=f"crowd-{number}") for number in range(25)]
    engine = engine_after(*background(watched, rate=0.4), *crowd)
    row = engine.snapshot(NOON + round((watched + 2.0) * SECOND)).kinematics[ALL][2]
    assert (row.window, row.status) == (2.0, word)


def test_a_burst_of_any_length_is_found() -> None:
    engine = engine_after(*background(900.0, rate=0.2), *sweep(900.0))
    burst = engine.snapshot(NOON + 916 * SECOND).bursts[ALL]
    assert burst.z > 6.0
    assert 10.0 <= burst.seconds <= 20.0


def test_ranks_stand_on_the_markets_own_week_once_it_is_long_enough() -> None:
    engine = engine_after(*background(400.0))
    assert engine.snapshot(NOON + 401 * SECOND).kinematics[ALL][1].ranks is not None
    assert engine.snapshot(NOON + 401 * SECOND).kinematics[ALL][4].ranks is None


def test_the_regime_goes_by_one_instrument_while_it_speaks() -> None:
    ticks = [price(second, 60_000.0) for second in range(900)]
    noise = [price(second + 0.5, 66_000.0, venue="okx", instrument="BTC-USDT-SWAP") for second in range(900)]
    engine = engine_after(*sorted([*ticks, *noise], key=lambda event: event.ts_event))
    regime = engine.snapshot(NOON + 900 * SECOND).regime
    assert regime is not None
    assert regime.price == 60_000.0
    assert regime.volatility == 0.0
    for second in range(20):
        engine.apply(price(930 + second, 66_000.0, venue="okx", instrument="BTC-USDT-SWAP"))
    after = engine.snapshot(NOON + 955 * SECOND).regime
    assert after is not None
    assert after.price == 66_000.0


def test_venues_that_fire_together_are_seen_to_and_samples_are_left_out() -> None:
    random, events = Random(3), []
    for number in range(600):
        at = random.uniform(0.0, 1200.0)
        events.append(liquidation(at, venue="binance", key=f"a{number}"))
        events.append(liquidation(at + 0.4, venue="bybit", key=f"b{number}"))
        events.append(liquidation(random.uniform(0.0, 1200.0), venue="okx", key=f"c{number}"))
    engine = engine_after(*sorted(events, key=lambda event: event.ts_event))
    held = engine.snapshot(NOON + 1201 * SECOND).dependence
    assert held is not None
    assert held.venues == VENUES
    pairs = {(each.first, each.second): each for each in held.long}
    assert pairs["binance", "bybit"].significant
    assert not pairs["binance", "okx"].significant


def test_a_gap_makes_the_venue_start_afresh_in_the_correlations() -> None:
    engine = engine_after(*background(900.0))
    before = engine.snapshot(NOON + 901 * SECOND).dependence
    engine.apply(Gap("okx", "public-1", NOON + 890 * SECOND, NOON + 901 * SECOND, "reconnect"))
    after = engine.snapshot(NOON + 901 * SECOND).dependence
    assert before is not None
    assert after is not None
    assert {each.coincidences > 0.0 for each in before.long} == {True}
    assert [each.coincidences > 0.0 for each in after.long] == [True, False, False]


def test_a_refit_comes_in_as_a_value() -> None:
    engine = engine_after(*background(60.0))
    engine.advance(NOON + 62 * SECOND)
    tape = engine.recent()
    assert len(tape) == len(background(60.0))
    assert list(tape.ts) == sorted(tape.ts)
    cell = Influence(tape.sources[0], tape.sources[1], 0.2, 0.1, 0.3)
    fitted = Branching((cell,), 0.4, len(tape), tape.ts[0], tape.ts[-1])
    engine.adopt(fitted)
    held = engine.snapshot(NOON + 61 * SECOND).dependence
    assert held is not None
    assert held.branching == fitted


def test_the_tape_for_a_refit_knows_who_was_liquidated_where() -> None:
    engine = engine_after(liquidation(0, venue="okx", side=Side.SHORT, usd=5.0), liquidation(9, venue="bybit"))
    engine.advance(NOON + MINUTE)
    tape = engine.recent()
    assert [tape.sources[kind] for kind in tape.source] == [Source("okx", Side.SHORT), Source("bybit", Side.LONG)]
    assert list(tape.usd) == [5.0, 30_000.0]


def test_throttled_venues_have_lower_bounds_and_complete_ones_none() -> None:
    events = [
        liquidation(second + 0.5, venue=venue, key=f"{venue}{second}") for second in range(60) for venue in VENUES
    ]
    engine = engine_after(*events)
    engine.advance(NOON + 100 * SECOND)
    found = {(each.venue, each.market): each for each in engine.snapshot(NOON + 100 * SECOND).understatements}
    assert {venue for venue, _ in found} == {"binance", "okx"}
    held = found["okx", "BTCUSDT"]
    assert held.events == 60
    assert held.usd == 60 * 30_000.0
    assert held.events_at_least >= held.events
    assert held.usd_at_least >= held.usd
    assert held.saturated
    engine.advance(NOON + 4000 * SECOND)
    assert engine.snapshot(NOON + 4000 * SECOND).understatements == ()


def test_where_each_side_has_a_throttle_of_its_own_two_prints_of_a_second_are_not_two_seconds() -> None:
    def least(sides: Sequence[Side]) -> float:
        coverage = Coverage(CoverageKind.THROTTLED, "", throttle=Throttle.LARGEST, interval=1.0, per_side=True)
        engine = Engine({"bitget": coverage})
        for second in range(0, 30, 2):
            for side in sides:
                engine.apply(liquidation(second + 0.5, venue="bitget", side=side, usd=1_000.0, key=f"{second}{side}"))
        engine.advance(NOON + 100 * SECOND)
        return next(each.usd_at_least for each in engine.snapshot(NOON + 100 * SECOND).understatements)

    # What the intervals that were taken tell of more is within its error: at least is what was shown.
    alone = least([Side.LONG])
    assert 15_000.0 <= alone < 25_000.0
    assert least([Side.LONG, Side.SHORT]) == pytest.approx(2.0 * alone)


def test_a_snapshot_of_it_all_can_be_encoded() -> None:
    engine = engine_after(*background(120.0), *sweep(120.0), given=simulated())
    assert b'"risks"' in msgspec.json.encode(engine.snapshot(NOON + 140 * SECOND))


def test_what_a_venue_replays_on_connecting_is_no_burst_and_no_warm_up() -> None:
    old = [
        liquidation(-2400.0 - number, venue="okx", usd=9e6, delay=2401.0 + number, key=number) for number in range(9)
    ]
    engine = engine_after(price(0.0), *old, *background(30.0), given=simulated())
    snapshot = engine.snapshot(NOON + 31 * SECOND)
    assert snapshot.events == 9 + len(background(30.0))
    assert snapshot.episodes == ()
    assert snapshot.bursts[ALL].z < 5.0
    assert risk(snapshot).warm < 60.0 / 3600.0


def test_what_is_large_is_of_the_market_itself_and_needs_a_thousand() -> None:
    few = engine_after(*background(900.0))
    assert few.snapshot(NOON + 910 * SECOND).large_usd == {}
    events = background(1300.0)
    snapshot = engine_after(*events).snapshot(NOON + 1310 * SECOND)
    sizes = sorted(event.usd or 0.0 for event in events)
    assert set(snapshot.large_usd) == {"BTCUSDT"}
    assert sizes[-20] < snapshot.large_usd["BTCUSDT"] <= 1.05 * sizes[-1]
