"""How many notifications a day may bring."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from liquake.model.alert import Alert, AlertRule, Level

DAY = 86_400 * 1_000_000_000

PER_DAY: Mapping[AlertRule, Mapping[Level, int]] = {
    AlertRule.CASCADE: {Level.WARNING: 3, Level.CRITICAL: 2, Level.EXTREME: 1},
    AlertRule.VELOCITY_SPIKE: {Level.WATCH: 2, Level.WARNING: 2},
    AlertRule.JERK: {Level.WATCH: 1},
    AlertRule.INSTITUTIONAL: {Level.WATCH: 3, Level.WARNING: 2},
    AlertRule.REGIME_CHANGE: {Level.WATCH: 2, Level.WARNING: 2, Level.CRITICAL: 1},
    AlertRule.FEED: {Level.WATCH: 3, Level.WARNING: 4, Level.CRITICAL: 2},
}
"""Each rule and level has its own, over all markets: noise of one never silences another."""


class DayBudget:
    """Lets at most so many of each rule and level through in any 24 hours."""

    def __init__(self, per_day: Mapping[AlertRule, Mapping[Level, int]] = PER_DAY) -> None:
        self._per_day = per_day
        self._spent: dict[tuple[AlertRule, Level], deque[int]] = {}

    @property
    def total(self) -> int:
        """The most notifications in any 24 hours, whatever happens."""
        return sum(sum(levels.values()) for levels in self._per_day.values())

    def spend(self, rule: AlertRule, level: Level, ts: int) -> bool:
        """Whether one more fits at `ts`, UTC nanoseconds; it is then spent."""
        spent = self._spent.setdefault((rule, level), deque())
        while spent and spent[0] <= ts - DAY:
            spent.popleft()
        if len(spent) >= self._per_day.get(rule, {}).get(level, 0):
            return False
        spent.append(ts)
        return True

    def resume(self, alerts: Iterable[Alert]) -> None:
        """Count what was sent before a restart, oldest first."""
        for alert in alerts:
            if alert.within_budget:
                self._spent.setdefault((alert.rule, alert.level), deque()).append(alert.ts)
