"""How often the alerts of a rule were right."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from liquake.engine.snapshot import Episode
from liquake.model.alert import Alert, AlertRule, Level, TrackRecord

_SECOND = 1_000_000_000
WAIT = 300 * _SECOND
"""Nanoseconds after an alert within which a cascade makes it right."""
DAYS = 30
_KEPT = DAYS * 86_400 * _SECOND
FORETELLING = frozenset(
    {
        AlertRule.CASCADE,
        AlertRule.VELOCITY_SPIKE,
        AlertRule.JERK,
        AlertRule.INSTITUTIONAL,
        AlertRule.REGIME_CHANGE,
    }
)
"""Rules whose alerts are taken to say that a cascade is here or near. FEED states a fact."""

_Kind = tuple[AlertRule, Level]


def concerns(alert: Alert, episode: Episode) -> bool:
    """Whether `episode` went on at some time from `alert` until `WAIT` after it, in its market and on its side.

    An episode already open counts: a detection is right too. Lead times are the matter of `liquake score`.
    """
    market = alert.market in {"ALL", "", episode.market} and (alert.side is None or alert.side is episode.side)
    return market and episode.start <= alert.ts + WAIT and (episode.end is None or episode.end >= alert.ts)


class Verdicts:
    """The alerts of the last thirty days and what became of them, by rule and level."""

    def __init__(self) -> None:
        self._pending: list[tuple[Alert, bool]] = []
        self._settled: dict[_Kind, deque[tuple[int, bool]]] = {}
        self._first: int | None = None

    def raised(self, alert: Alert) -> None:
        """Wait for what becomes of `alert`, whether it was sent or not."""
        self._first = alert.ts if self._first is None else self._first
        if alert.rule in FORETELLING:
            self._pending.append((alert, False))

    def update(self, now: int, episodes: Iterable[Episode]) -> None:
        """Take the `episodes` known at `now`, UTC nanoseconds, and settle the alerts that have waited long enough."""
        if not self._pending:
            return
        known = tuple(episodes)
        waiting = []
        for alert, right in self._pending:
            right = right or any(concerns(alert, episode) for episode in known)
            if now - alert.ts > WAIT:
                self._settled.setdefault((alert.rule, alert.level), deque()).append((alert.ts, right))
            else:
                waiting.append((alert, right))
        self._pending = waiting

    def value(self, rule: AlertRule, level: Level, now: int) -> TrackRecord | None:
        """The record of one rule and level as of `now`; `None` for a rule that foretells nothing."""
        if rule not in FORETELLING:
            return None
        recent = [right for ts, right in self._settled.get((rule, level), ()) if ts > now - _KEPT]
        seen = 0.0 if self._first is None else (now - self._first) / (_KEPT / DAYS)
        return TrackRecord(sum(recent), len(recent), min(seen, float(DAYS)))

    def forget(self, now: int) -> None:
        """Let go of what is older than thirty days at `now`."""
        for settled in self._settled.values():
            while settled and settled[0][0] <= now - _KEPT:
                settled.popleft()
