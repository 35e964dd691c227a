"""Signals: confirmed going up, patient going down, each level said once, within a budget."""

from __future__ import annotations

import json
from itertools import pairwise
from math import exp, log
from random import Random

import pytest

from liquake.analytics.signals import RULES, AlarmBudget, Digest, Level, Notification, Signal, leave_below
from liquake.errors import StateError
from liquake.model import Side

SECOND = 1_000_000_000
READ = SECOND // 10
DAY = 86_400 * SECOND


class Reads:
    """A signal read ten times a second."""

    def __init__(self) -> None:
        self.signal, self.ts = Signal("BTCUSDT", Side.LONG), DAY
        self.said: list[Notification | Digest] = []

    def hold(self, seconds: float, probability: float | None, **state: float) -> list[Notification | Digest]:
        """The same state for so long; gives what was said in it."""
        before = len(self.said)
        for _ in range(round(seconds * 10)):
            episode = bool(state.get("episode"))
            said = self.signal.update(self.ts, probability, state.get("burst_z", 0.0), episode, state.get("rank", 0.0))
            self.said += [said] if said else []
            self.ts += READ
        return self.said[before:]


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.mark.parametrize(
    ("probability", "level"),
    [
        (0.0499, Level.NONE),
        (0.05, Level.WATCH),
        (0.20, Level.WARNING),
        (0.4999, Level.WARNING),
        (0.50, Level.CRITICAL),
        (0.80, Level.EXTREME),
    ],
)
def test_levels_follow_the_probability(reads: Reads, probability: float, level: Level) -> None:
    reads.hold(0.2, probability)
    assert reads.signal.value() is level


def test_one_read_is_not_enough(reads: Reads) -> None:
    reads.hold(0.1, 0.9)
    reads.hold(0.1, 0.01)
    reads.hold(0.1, 0.9)
    assert reads.signal.value() is Level.NONE
    assert reads.said == []


def test_the_lower_of_two_reads_is_confirmed(reads: Reads) -> None:
    reads.hold(0.1, 0.9)
    reads.hold(0.1, 0.3)
    assert reads.signal.value() is Level.WARNING


def test_a_burst_needs_no_second_read(reads: Reads) -> None:
    (said,) = reads.hold(0.1, 0.6, burst_z=6.0)
    assert isinstance(said, Notification)
    assert (said.level, said.because, said.probability, said.threshold) == (Level.CRITICAL, "burst", 0.6, 0.5)


def test_each_level_is_said_once_on_the_way_up_and_the_end_is_summed_up(reads: Reads) -> None:
    for probability in (0.1, 0.3, 0.1, 0.3, 0.6, 0.9, 0.6, 0.9):
        reads.hold(2, probability)
    reads.hold(1, 0.9, episode=True)
    assert [said.level for said in reads.said if isinstance(said, Notification)] == [1, 2, 3, 4]
    start = reads.said[0]
    reads.hold(61, 0.001)
    digest = reads.said[-1]
    assert isinstance(digest, Digest)
    assert isinstance(start, Notification)
    assert (digest.key, digest.highest, digest.peak_probability, digest.right) == (start.key, Level.EXTREME, 0.9, True)
    assert (digest.start, reads.signal.value(), reads.signal.key) == (start.ts, Level.NONE, None)
    assert len(reads.said) == 5


def test_a_level_reached_again_by_the_same_signal_is_not_said_again(reads: Reads) -> None:
    reads.hold(1, 0.6)
    reads.hold(400, 0.25)
    assert reads.signal.value() is Level.WARNING
    assert reads.hold(1, 0.6) == []
    assert reads.signal.value() == Level.CRITICAL


def test_a_level_is_left_only_after_a_minute_well_under_its_threshold(reads: Reads) -> None:
    reads.hold(0.2, 0.25)
    almost = leave_below(0.20)
    assert log(almost / (1 - almost)) == pytest.approx(log(0.25) - 0.7)
    reads.hold(600, almost + 1e-6)
    assert reads.signal.value() is Level.WARNING
    reads.hold(59.9, almost - 1e-6)
    assert reads.signal.value() is Level.WARNING
    reads.hold(0.1, almost - 1e-6)
    assert reads.signal.value() is Level.WATCH


def test_coming_back_within_the_cooldown_is_not_said_unless_louder(reads: Reads) -> None:
    reads.hold(1, 0.25)
    reads.hold(61, 0.001)
    assert [type(said) for said in reads.said] == [Notification, Digest]
    assert reads.hold(1, 0.25) == []
    assert reads.signal.value() is Level.WARNING
    (louder,) = reads.hold(1, 0.55)
    assert isinstance(louder, Notification)
    assert louder.level is Level.CRITICAL


def test_after_the_cooldown_it_is_said_again(reads: Reads) -> None:
    reads.hold(1, 0.25)
    reads.hold(300, 0.001)
    (said,) = reads.hold(1, 0.25)
    assert isinstance(said, Notification)
    assert said.key == reads.signal.key != reads.said[0].key


def test_an_open_episode_in_a_market_never_so_stressed_is_extreme_at_once(reads: Reads) -> None:
    reads.hold(0.1, 0.3, episode=True, rank=0.998)
    assert reads.signal.value() is Level.NONE
    reads.hold(0.1, 0.01, episode=True, rank=0.9981)
    assert reads.signal.value() is Level.EXTREME


def test_without_a_model_bursts_are_watched_and_episodes_warned_of(reads: Reads) -> None:
    reads.hold(1, None, burst_z=5.9)
    assert reads.signal.value() is Level.NONE
    reads.hold(0.1, None, burst_z=6.1)
    assert reads.signal.value() is Level.WATCH
    reads.hold(0.1, None, episode=True)
    assert reads.signal.value() is Level.WARNING
    assert [said.because for said in reads.said if isinstance(said, Notification)] == ["burst", "episode"]
    reads.hold(61, None)
    assert isinstance(reads.said[-1], Digest)


def test_a_days_budget_holds_and_what_is_over_it_says_so(reads: Reads) -> None:
    for _ in range(20):
        reads.hold(2, 0.3)
        reads.hold(305, 0.001)
    told = [said.within_budget for said in reads.said if isinstance(said, Notification)]
    assert told == [True] * 4 + [False] * 16
    # By then the budget asks for more than 0.3.
    reads.ts += DAY
    reads.hold(2, 0.45)
    last = reads.said[-1]
    assert isinstance(last, Notification)
    assert last.within_budget


def test_reset_falls_silent_and_keeps_the_budget(reads: Reads) -> None:
    reads.hold(1, 0.9)
    reads.signal.reset("gap")
    assert (reads.signal.value(), reads.signal.key, reads.signal.reason) == (Level.NONE, None, "gap")
    assert reads.hold(1, 0.01) == []


def wandering(days: float, seed: int, busy: float) -> list[tuple[int, float]]:
    """A probability that wanders in logits, once a second."""
    random, logit, tape = Random(seed), -4.0, []
    for second in range(round(days * 86_400)):
        logit += -0.02 * (logit + 4.0) + random.gauss(0.0, busy)
        tape.append((second * SECOND, 1.0 / (1.0 + exp(-logit))))
    return tape


def slow_alarms(tape: list[tuple[int, float]], threshold: float) -> int:
    """Alarms of one threshold by the words of the rule."""
    alarms, raised, below, last = 0, False, 0, -DAY
    for (_, before), (ts, now) in pairwise(tape):
        below = below + 1 if now < leave_below(threshold) else 0
        if raised and below >= 60:
            raised = False
        if not raised and min(before, now) >= threshold:
            raised, below = True, 0
            if ts - last >= 300 * SECOND:
                alarms, last = alarms + 1, ts
    return alarms


def test_the_threshold_of_the_day_is_the_loosest_that_kept_the_budget() -> None:
    tape = wandering(1.0, seed=8, busy=0.4)
    budget = AlarmBudget()
    for ts, probability in tape:
        budget.update(ts, probability)
    budget.update(DAY, 0.01)
    for level, rule in RULES.items():
        allowed = max(rule.per_day, 1.0)
        kept = 1.0
        for threshold in reversed(AlarmBudget.GRID):
            if slow_alarms(tape, threshold) > allowed:
                break
            kept = threshold
        assert budget.value(level) == max(rule.probability, kept)
        assert budget.value(level) > rule.probability


def test_a_quiet_fortnight_leaves_the_rules_as_they_are() -> None:
    budget = AlarmBudget()
    for ts, probability in wandering(1.1, seed=3, busy=0.01):
        budget.update(ts, probability)
    assert {level: budget.value(level) for level in RULES} == {level: rule.probability for level, rule in RULES.items()}


def test_a_cascade_cannot_raise_its_own_bar_and_a_fortnight_later_it_is_forgotten() -> None:
    budget = AlarmBudget()
    for alarm in range(100):
        for second in range(3):
            budget.update((alarm * 600 + second) * SECOND, 0.9)
        budget.update((alarm * 600 + 70) * SECOND, 0.001)
        budget.update((alarm * 600 + 140) * SECOND, 0.001)
    assert budget.value(Level.WARNING) == 0.20
    budget.update(DAY, 0.01)
    assert budget.value(Level.WARNING) > 0.9
    late = budget.to_dict()
    for day in range(2, 15):
        budget.update(day * DAY, 0.01)
    assert budget.value(Level.WARNING) > 0.20
    budget.update(15 * DAY, 0.01)
    assert budget.value(Level.WARNING) == 0.20
    again = AlarmBudget()
    again.restore(json.loads(json.dumps(late)))
    assert again.value(Level.WARNING) > 0.9
    again.update(15 * DAY, 0.01)
    assert again.to_dict() == budget.to_dict()
    with pytest.raises(StateError, match="alarm budget"):
        again.restore({})
    budget.reset("model changed")
    assert budget.reason == "model changed"
