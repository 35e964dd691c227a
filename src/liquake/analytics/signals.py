"""From a probability to a signal that a trader can live with: few, confirmed, and each said once.

The level follows the calibrated probability, but its threshold is never below what would have kept to a budget of
alarms a day over the last fortnight. What goes up must be confirmed; what goes down must stay down for a minute.

Feed on a fixed grid of engine time (ten times a second at most), never from a screen's refresh: the grid is part of
the definition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import ceil, exp, log
from typing import Any, NamedTuple

import msgspec

from liquake.errors import StateError
from liquake.model import Side
from liquake.model.alert import Level as Level

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_SCHEMA = 1


class Rule(NamedTuple):
    """What one level asks for."""

    probability: float
    """At least, over the next minute."""
    per_day: float
    """Alarms a day that it may cost."""


RULES: Mapping[Level, Rule] = {
    Level.WATCH: Rule(0.05, 12.0),
    Level.WARNING: Rule(0.20, 4.0),
    Level.CRITICAL: Rule(0.50, 1.5),
    Level.EXTREME: Rule(0.80, 0.3),
}
HYSTERESIS = 0.7
"""In logits: a level is left once the probability is this far under its threshold..."""
HOLD = 60 * _SECOND
"""...for this long."""
COOLDOWN = 300 * _SECOND
"""Between two notifications, unless the second is of a higher level than the first."""
BURST_Z = 6.0
"""A scan this significant needs no second read, and is a WATCH on its own where there is no probability."""
EXTREME_RANK = 0.998
"""An open episode is EXTREME when the market's stress ranks above this in its own week."""


class AlarmBudget:
    """What threshold would have given at most so many alarms a day over the last `DAYS` days.

    Forty thresholds are tried on the probability as it comes, each with the confirmation, hysteresis and cooldown of
    the real thing. They are read from strict to loose and the first that breaks the budget ends the search: because
    of re-arming the number of alarms is not monotone in the threshold, so a binary search would be wrong.
    The answer is frozen for each UTC day, so that a cascade cannot raise its own bar.
    """

    DAYS = 14
    GRID = tuple(round(1.0 / (1.0 + exp(-(log(0.05 / 0.95) + 0.25 * step))), 12) for step in range(40))

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget every alarm, and keep `reason` to be shown."""
        self.reason = reason
        self._trials = [_Trial(threshold) for threshold in self.GRID]
        self._first: int | None = None
        self._day = 0
        self._days: deque[list[int]] = deque([[0] * len(self.GRID)], maxlen=self.DAYS + 1)
        self._thresholds = {level: rule.probability for level, rule in RULES.items()}

    def update(self, ts: int, probability: float) -> None:
        """Try `probability` of `ts`, UTC nanoseconds, on every threshold."""
        if self._first is None:
            self._first, self._day = ts, ts // _DAY
        if ts // _DAY > self._day:
            self._turn(ts)
        counts = self._days[-1]
        for index, trial in enumerate(self._trials):
            # Nothing looser than this is raised: neither is anything stricter.
            if probability < trial.leave and not trial.engaged:
                break
            counts[index] += trial.update(ts, probability)

    def value(self, level: Level) -> float:
        """The probability that `level` asks for today: by its rule, or more to stay within its budget."""
        return self._thresholds[level]

    def to_dict(self) -> dict[str, Any]:
        """The alarms of the fortnight, in a plain form for the journal."""
        return {
            "schema": _SCHEMA,
            "first": self._first,
            "day": self._day,
            "days": [list(counts) for counts in self._days],
            "thresholds": {level.name: threshold for level, threshold in self._thresholds.items()},
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` gave. Raises `StateError`, and changes nothing, when it is of another form."""
        if kept.get("schema") != _SCHEMA:
            raise StateError("alarm budget", f"schema {kept.get('schema')!r}, this version reads {_SCHEMA}")
        self._first, self._day = kept["first"], kept["day"]
        self._days = deque((list(counts) for counts in kept["days"]), maxlen=self.DAYS + 1)
        self._thresholds = {Level[name]: threshold for name, threshold in kept["thresholds"].items()}

    def _turn(self, ts: int) -> None:
        assert self._first is not None
        seen = min((ts - self._first) / _DAY, float(self.DAYS))
        # The day just over is one of the fortnight; those before it have moved on by as many days as have passed.
        for _ in range(min(ts // _DAY - self._day, self.DAYS + 1)):
            self._days.append([0] * len(self.GRID))
        self._day = ts // _DAY
        totals = [sum(day[index] for day in self._days) for index in range(len(self.GRID))]
        for level, rule in RULES.items():
            allowed = max(rule.per_day * max(seen, 1.0), 1.0)
            self._thresholds[level] = max(rule.probability, self._loosest(totals, allowed))

    def _loosest(self, totals: list[int], allowed: float) -> float:
        loosest = self.GRID[-1]
        for threshold, alarms in zip(reversed(self.GRID), reversed(totals), strict=True):
            if alarms > allowed:
                break
            loosest = threshold
        return loosest


class _Trial:
    """One threshold being tried: counts what would have been its alarms."""

    __slots__ = ("_alarmed", "_held", "_raised", "_ready", "leave", "threshold")

    def __init__(self, threshold: float) -> None:
        self.threshold, self.leave = threshold, leave_below(threshold)
        self._raised = self._ready = False
        self._held = 0
        self._alarmed: int | None = None

    @property
    def engaged(self) -> bool:
        """Whether a probability below `leave` would still change it."""
        return self._raised or self._ready

    def update(self, ts: int, probability: float) -> bool:
        """Whether this read raises an alarm."""
        confirmed = self._ready and probability >= self.threshold
        self._ready = probability >= self.threshold
        if probability >= self.leave:
            self._held = ts
        elif self._raised and ts - self._held >= HOLD:
            self._raised = False
        if not confirmed or self._raised:
            return False
        self._raised = True
        if self._alarmed is not None and ts - self._alarmed < COOLDOWN:
            return False
        self._alarmed = ts
        return True


class Notification(msgspec.Struct, frozen=True, tag="notification"):
    """A level was reached for the first time in a signal's life. Times are UTC nanoseconds."""

    key: str
    """Of the signal: the same from the moment it left NONE until it is back."""
    market: str
    side: Side
    level: Level
    ts: int
    probability: float | None
    threshold: float
    """What the level asks for today."""
    because: str
    """What confirmed it: "two reads", "burst" or "episode"."""
    within_budget: bool
    """Whether this is one of the first so many of its level in 24 h; what is over budget is shown but not sent."""


class Digest(msgspec.Struct, frozen=True, tag="digest"):
    """A signal is back at NONE. Times are UTC nanoseconds."""

    key: str
    market: str
    side: Side
    start: int
    end: int
    highest: Level
    peak_probability: float | None
    right: bool
    """Whether an episode was open at any time during it."""


class Signal:
    """The signal of one market and side."""

    def __init__(self, market: str, side: Side) -> None:
        self.market, self.side = market, side
        self.budget = AlarmBudget()
        self._sent: dict[Level, deque[int]] = {level: deque() for level in RULES}
        self._notified: tuple[Level, int] | None = None
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Fall back to NONE without a digest, and keep `reason` to be shown. Budget and cooldown stay."""
        self.reason = reason
        self.level = Level.NONE
        self.highest = Level.NONE
        self.since: int | None = None
        """When it left NONE."""
        self.because = ""
        """What last raised it: "two reads", "burst" or "episode"."""
        self.peak_probability: float | None = None
        self._previous = Level.NONE
        self._held = dict.fromkeys(RULES, 0)
        self._right = False

    def update(
        self, ts: int, probability: float | None, burst_z: float = 0.0, episode: bool = False, rank: float = 0.0
    ) -> Notification | Digest | None:
        """Take the state of `ts`, UTC nanoseconds.

        `probability` of a cascade within a minute, `None` without a model; `burst_z` of the scan; whether an
        `episode` is open; `rank` (0 to 1) of the market's stress in its own week.
        """
        if probability is not None:
            self.budget.update(ts, probability)
        deserved, because = self._deserved(probability, burst_z, episode, rank)
        confirmed = deserved if because != "two reads" else min(deserved, self._previous)
        self._previous = deserved
        self._hold(ts, deserved, probability)
        if self.since is not None:
            self._note(probability, episode)
        if confirmed > self.level:
            return self._raise(ts, confirmed, probability, episode, because)
        return self._lower(ts)

    def value(self) -> Level:
        """The level as of the last update."""
        return self.level

    @property
    def key(self) -> str | None:
        """Names the signal while it is not NONE."""
        return None if self.since is None else f"{self.market}-{self.side}-{self.since // 1_000_000}"

    def _deserved(self, probability: float | None, burst_z: float, episode: bool, rank: float) -> tuple[Level, str]:
        if episode and rank > EXTREME_RANK:
            return Level.EXTREME, "episode"
        burst = burst_z >= BURST_Z
        if probability is None:
            level = Level.WARNING if episode else Level.WATCH if burst else Level.NONE
            return level, "episode" if episode else "burst"
        level = max((level for level in RULES if probability >= self.budget.value(level)), default=Level.NONE)
        return level, "burst" if burst else "two reads"

    def _hold(self, ts: int, deserved: Level, probability: float | None) -> None:
        for level in RULES:
            near = probability is not None and probability >= leave_below(self.budget.value(level))
            if level <= deserved or near:
                self._held[level] = ts

    def _note(self, probability: float | None, episode: bool) -> None:
        self._right = self._right or episode
        if probability is not None:
            self.peak_probability = max(probability, self.peak_probability or 0.0)

    def _raise(
        self, ts: int, level: Level, probability: float | None, episode: bool, because: str
    ) -> Notification | None:
        if self.since is None:
            self.since = ts
            self._note(probability, episode)
        self.level, self.because = level, because
        if level <= self.highest:
            return None
        self.highest = level
        if self._notified and level <= self._notified[0] and ts - self._notified[1] < COOLDOWN:
            return None
        self._notified = (level, ts)
        key, threshold = self.key or "", self.budget.value(level)
        return Notification(
            key, self.market, self.side, level, ts, probability, threshold, because, self._affordable(level, ts)
        )

    def _affordable(self, level: Level, ts: int) -> bool:
        sent = self._sent[level]
        while sent and sent[0] <= ts - _DAY:
            sent.popleft()
        if len(sent) >= ceil(RULES[level].per_day):
            return False
        sent.append(ts)
        return True

    def _lower(self, ts: int) -> Digest | None:
        while self.level > Level.NONE and ts - self._held[self.level] >= HOLD:
            self.level = Level(self.level - 1)
        if self.level > Level.NONE or self.since is None:
            return None
        digest = Digest(
            self.key or "", self.market, self.side, self.since, ts, self.highest, self.peak_probability, self._right
        )
        self.highest, self.since, self.peak_probability, self._right = Level.NONE, None, None, False
        self.because = ""
        return digest


def leave_below(threshold: float) -> float:
    """The probability under which a level of `threshold` is left."""
    odds = threshold / (1.0 - threshold) * exp(-HYSTERESIS)
    return odds / (1.0 + odds)
