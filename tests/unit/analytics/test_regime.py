"""The regime: its ladder by the words of the rule, and its levels on markets whose stress is known."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.regime import BOUNDS, WARM, Ladder, Regime, RegimeTracker
from liquake.errors import StateError

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def climb(ladder: Ladder, rank: float, seconds: int, start: int) -> int:
    for second in range(seconds):
        ladder.update(rank, start + second * SECOND)
    return start + seconds * SECOND


@pytest.mark.parametrize(
    ("rank", "level"),
    [
        (0.29, Regime.CALM),
        (0.30, Regime.NORMAL),
        (0.70, Regime.ACTIVE),
        (0.90, Regime.VOLATILE),
        (0.98, Regime.STRESSED),
        (0.997, Regime.STRESSED),
        (0.998, Regime.EXTREME),
    ],
)
def test_a_rank_held_for_two_readings_gives_its_level(rank: float, level: Regime) -> None:
    ladder = Ladder()
    assert ladder.update(rank, 0) is False
    ladder.update(rank, SECOND)
    assert ladder.level is level


def test_one_reading_alone_moves_nothing() -> None:
    ladder = Ladder()
    for second in range(100):
        ladder.update(0.999 if second % 2 else 0.1, second * SECOND)
    assert ladder.level is Regime.CALM


def test_it_comes_down_one_step_at_a_time_each_after_its_dwell() -> None:
    ladder = Ladder()
    climb(ladder, 0.999, 2, 0)
    assert ladder.since == SECOND
    fell = [(second - 1, ladder.level) for second in range(2, 2000) if ladder.update(0.0, second * SECOND)]
    assert fell == [(300, 4), (420, 3), (540, 2), (600, 1), (660, 0)]


def test_between_leaving_and_entering_it_stays() -> None:
    ladder, levels, now = Ladder(), [], 0
    for rank, seconds in ((0.91, 2), (0.851, 1000), (0.849, 2)):
        now = climb(ladder, rank, seconds, now)
        levels.append(ladder.level)
    assert levels == [Regime.VOLATILE, Regime.VOLATILE, Regime.ACTIVE]


@given(st.lists(st.floats(0.0, 1.0), max_size=200))
def test_steps_down_are_single_and_steps_up_are_deserved_twice(ranks: list[float]) -> None:
    ladder = Ladder()
    for index, rank in enumerate(ranks):
        before = ladder.level
        changed = ladder.update(rank, index * 30 * SECOND)
        assert changed == (ladder.level != before)
        if ladder.level > before:
            assert min(ranks[index - 1], rank) >= BOUNDS[ladder.level].enter
        if ladder.level < before:
            assert ladder.level == before - 1
            assert rank < BOUNDS[before].leave


def test_the_level_of_a_while_ago_is_known() -> None:
    ladder = Ladder()
    now = climb(ladder, 0.5, 100, 0)
    climb(ladder, 0.999, 100, now)
    assert ladder.before(0) is Regime.CALM
    assert ladder.before(50 * SECOND) is Regime.NORMAL
    assert ladder.before(100 * SECOND) is Regime.NORMAL
    assert ladder.before(101 * SECOND) is Regime.EXTREME


class Market:
    """A market of steady chance: liquidations, a price that wanders, and a book."""

    def __init__(self, seed: int = 1) -> None:
        self.random, self.tracker, self.second = Random(seed), RegimeTracker(), 0
        self.price, self.levels = 50_000.0, [0] * 6

    def run(self, hours: float, rate: float = 0.2, volatility: float = 1e-4, depth: float = 1e6) -> None:
        """Told the time every five seconds: what a reading stands for is the time since the last."""
        end = self.second + round(hours * 3600)
        while self.second < end:
            self.second += 5
            now, random = self.second * SECOND, self.random
            for _ in range(int(random.random() < rate * 5 % 1) + int(rate * 5)):
                self.tracker.liquidation(random.lognormvariate(8.0, 1.0), now)
            self.price *= 1.0 + random.gauss(0.0, volatility)
            self.tracker.price(self.price, now)
            size = depth * random.lognormvariate(0.0, 0.3)
            self.tracker.quote("okx", self.price - 0.5, size, self.price + 0.5, size, now)
            self.tracker.advance(now)
            self.levels[self.tracker.ladder.level] += 1


@pytest.fixture(scope="module")
def steady() -> Market:
    market = Market()
    market.run(30)
    return market


def test_a_steady_market_is_seldom_stressed_and_not_always_active(steady: Market) -> None:
    shares = [count / sum(steady.levels) for count in steady.levels]
    assert shares[Regime.EXTREME] <= 0.02
    assert shares[Regime.STRESSED] + shares[Regime.EXTREME] <= 0.08
    assert shares[Regime.CALM] + shares[Regime.NORMAL] >= 0.5


def test_warming_up_is_said_until_a_day_has_been_seen(steady: Market) -> None:
    fresh = Market()
    fresh.run(7.0)
    assert fresh.tracker.value().warming == "warming up 7.0 h / 24 h"
    assert (steady.tracker.value().warming, steady.tracker.value().warm) == ("", WARM)


def test_in_its_first_hours_it_has_no_level_whatever_happens_and_shows_what_it_measures() -> None:
    market = Market()
    market.run(0.15)
    market.run(0.6, rate=30, volatility=1e-2, depth=1e3)
    state = market.tracker.value()
    assert (state.level, state.since, state.multiplier, state.name) == (None, None, None, "WARMING UP")
    assert state.warming == "warming up 0.7 h / 6 h"
    assert state.ranks
    assert None not in (state.volatility, state.trend, state.price)


def test_an_episode_before_there_is_a_level_is_charged_to_none() -> None:
    market = Market()
    market.run(1.0)
    market.tracker.episode(market.second * SECOND)
    assert market.tracker.value().episodes == 0


def test_six_hours_of_history_cannot_make_an_extreme() -> None:
    market = Market()
    market.run(6.1)
    market.run(0.05, rate=30, volatility=1e-2, depth=1e3)
    level = market.tracker.value().level
    assert level is not None
    assert Regime.NORMAL < level < Regime.EXTREME


def test_a_cascade_is_extreme_and_what_drives_it_is_named(steady: Market) -> None:
    kept = steady.tracker.to_dict()
    market = Market(seed=2)
    market.second = steady.second
    market.tracker.restore(json.loads(json.dumps(kept)))
    market.run(1.0)
    assert market.tracker.ladder.level < Regime.EXTREME
    market.run(30 / 3600, rate=20, volatility=3e-3, depth=5e4)
    assert market.tracker.ladder.level >= Regime.STRESSED
    market.run(0.1, rate=20, volatility=3e-3, depth=5e4)
    state = market.tracker.value()
    assert state.level is Regime.EXTREME
    assert state.ranks[state.driver] == max(state.ranks.values()) > 0.99
    assert state.liquidity is not None
    assert state.liquidity < 0.1
    assert state.multiplier == pytest.approx(12.0)


def test_an_episode_is_charged_to_the_level_before_it(steady: Market) -> None:
    market = Market(seed=2)
    market.second = steady.second
    market.tracker.restore(steady.tracker.to_dict())
    market.run(0.5)
    before = market.tracker.ladder.level
    start = market.second + 30
    market.run(0.02, rate=20, volatility=3e-3)
    assert market.tracker.ladder.level > before
    market.tracker.episode(start * SECOND)
    assert [int(level == before) for level in Regime] == market.tracker.multipliers.to_dict()["episodes"]


def test_what_cannot_be_measured_is_left_out() -> None:
    tracker = RegimeTracker()
    for second in range(100):
        tracker.liquidation(1000.0, second * SECOND)
        tracker.advance(second * SECOND)
    state = tracker.value()
    assert set(state.ranks) == {"intensity", "dollars"}
    assert (state.volatility, state.liquidity, state.trend, state.price, state.change) == (None,) * 5


def test_order_of_arrival_within_the_watermark_does_not_matter() -> None:
    random = Random(5)
    events = [(second * SECOND + random.randrange(SECOND), 1000.0 * (1 + second % 7)) for second in range(600)]
    arrivals = sorted((ts + round(random.random() * 0.99 * SECOND), ts, usd) for ts, usd in events)
    states = []
    for tape in ([(ts, ts, usd) for ts, usd in events], arrivals):
        tracker, waiting = RegimeTracker(), list(tape)
        for second in range(1, 700):
            while waiting and waiting[0][0] <= second * SECOND:
                _, ts, usd = waiting.pop(0)
                tracker.liquidation(usd, ts)
            tracker.advance(second * SECOND)
        states.append(tracker.value())
    assert states[0].ranks == pytest.approx(states[1].ranks, rel=1e-9)
    assert states[0].rank == pytest.approx(states[1].rank, rel=1e-9)


def test_reading_changes_nothing() -> None:
    tracker = RegimeTracker()
    tracker.liquidation(5.0, SECOND)
    tracker.advance(10 * SECOND)
    kept = tracker.to_dict()
    assert tracker.value() == tracker.value()
    assert tracker.to_dict() == kept


def test_reset_forgets_the_present_and_keeps_what_is_usual(steady: Market) -> None:
    tracker = RegimeTracker()
    tracker.restore(steady.tracker.to_dict())
    tracker.price(5.0, SECOND)
    tracker.liquidation(5.0, SECOND)
    tracker.quote("okx", 99.0, 1e5, 100.0, 1e5, SECOND)
    tracker.reset("gap")
    assert tracker.books["okx"].spread(SECOND) is None
    state = tracker.value()
    assert (tracker.reason, state.level, state.ranks, state.price) == ("gap", Regime.CALM, {}, None)
    assert state.warm == WARM


def test_a_baseline_is_worth_a_day() -> None:
    tracker = RegimeTracker({"intensity": [0.1 * step for step in range(1, 101)]})
    tracker.advance(SECOND)
    assert tracker.histories["intensity"].weight(0) == pytest.approx(288.0, rel=0.01)
    assert tracker.value().ranks["intensity"] < 0.01


def test_what_is_usual_for_the_hour_is_less_of_a_stress() -> None:
    ranks = []
    for habit in (1.0, 3.0):
        tracker = RegimeTracker({"intensity": [0.01 * step for step in range(1, 101)]})
        tracker.hours.restore({"schema": 1, "days": 10_000, "mean": [habit] * 24})
        for event in range(180):
            tracker.liquidation(1.0, event * SECOND)
        tracker.advance(181 * SECOND)
        ranks.append(tracker.value().ranks["intensity"])
    usual, busy = ranks
    assert usual == pytest.approx(3.0 * busy, rel=0.2)


def test_another_form_is_refused_and_changes_nothing(steady: Market) -> None:
    tracker = RegimeTracker()
    kept = steady.tracker.to_dict() | {"multipliers": {"schema": 0}}
    before = tracker.to_dict()
    with pytest.raises(StateError, match="risk multiplier"):
        tracker.restore(kept)
    assert tracker.to_dict() == before
