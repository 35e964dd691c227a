"""From conditions to alerts: each level of a matter is told once, and the day has a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from liquake.alerts.actions import action_for
from liquake.alerts.budget import DAY, PER_DAY, DayBudget
from liquake.alerts.record import Verdicts
from liquake.alerts.rules import RULES, SECOND, Condition, Rule
from liquake.alerts.situation import Situation, coverage_of
from liquake.engine.snapshot import Episode
from liquake.model import Side
from liquake.model.alert import Alert, AlertRule, Level

HOLD = 60 * SECOND
"""A level is left once nothing has held it for so long."""
COOLDOWN = 300 * SECOND
"""A matter that comes back so soon after it ended is the same one."""

_Subject = tuple[AlertRule, str, Side | None, str]
"""Rule, market, side, venue."""


class _Matter:
    """What goes on about one subject: the level it stands at, and the highest that was told."""

    __slots__ = ("ended", "held", "level", "since", "told")

    def __init__(self, ts: int) -> None:
        self.since = ts
        self.level = self.told = Level.NONE
        self.held: dict[Level, int] = {}
        self.ended: int | None = None

    def update(self, ts: int, deserved: Level, held: Level) -> None:
        for level in Level:
            if Level.NONE < level <= max(deserved, held):
                self.held[level] = ts
        self.level = max(self.level, deserved)
        while self.level > Level.NONE and ts - self.held[self.level] >= HOLD:
            self.level = Level(self.level - 1)


class Notifier:
    """Takes situations in order of time and gives the alerts that each brings.

    One alert per level of a matter: a matter lasts while any level of it stands, while a cascade episode of its market
    and side is open, and for `COOLDOWN` after. What is over the day's budget comes with `within_budget` false.
    """

    def __init__(
        self, rules: Sequence[Rule] = RULES, per_day: Mapping[AlertRule, Mapping[Level, int]] = PER_DAY
    ) -> None:
        self._rules = rules
        self.budget = DayBudget(per_day)
        self.verdicts = Verdicts()
        self._matters: dict[_Subject, _Matter] = {}
        self._before: Situation | None = None

    def update(self, now: Situation) -> tuple[Alert, ...]:
        """What `now` brings, the loudest first. The first situation brings nothing: there is none before it."""
        before, self._before = self._before, now
        self.verdicts.update(now.now, now.episodes)
        if before is None or now.now <= before.now:
            return ()
        if before.now // DAY != now.now // DAY:
            self.verdicts.forget(now.now)
        found = [condition for rule in self._rules for condition in rule(before, now)]
        alerts = [alert for condition in found if (alert := self._met(condition, now)) is not None]
        self._settle(now, {_subject(condition) for condition in found})
        return tuple(sorted(alerts, key=lambda alert: -alert.level))

    def resume(self, alerts: Iterable[Alert], episodes: Iterable[Episode], now: int) -> None:
        """Go on after a restart at `now` from what the journal kept: budget and record are as if there had been none."""
        kept = sorted(alerts, key=lambda alert: alert.ts)
        self.budget.resume(alert for alert in kept if alert.ts > now - DAY)
        for alert in kept:
            self.verdicts.raised(alert)
            if now - alert.ts < HOLD + COOLDOWN:
                self._go_on(alert)
        self.verdicts.update(now, episodes)

    def acquaint(self, now: Situation) -> None:
        """Take what holds at the start as told: it is of before, and whoever kept it told of it."""
        self._before = now
        for condition in (condition for rule in self._rules for condition in rule(now, now)):
            if condition.deserved > Level.NONE:
                matter = self._matters.setdefault(_subject(condition), _Matter(now.now))
                matter.update(now.now, condition.deserved, condition.held)
                matter.told = max(matter.told, condition.deserved)

    def _go_on(self, alert: Alert) -> None:
        """The matter of an alert told a moment ago is still the same one."""
        venue = alert.venue if alert.rule is AlertRule.FEED else ""
        subject = alert.rule, alert.market, alert.side, venue
        matter = self._matters.setdefault(subject, _Matter(alert.ts))
        matter.update(alert.ts, alert.level, alert.level)
        matter.told = max(matter.told, alert.level)

    def _met(self, condition: Condition, now: Situation) -> Alert | None:
        subject = _subject(condition)
        matter = self._matters.get(subject)
        if matter is None:
            if condition.deserved is Level.NONE:
                return None
            matter = self._matters[subject] = _Matter(now.now)
        matter.update(now.now, condition.deserved, condition.held)
        if condition.deserved <= matter.told:
            return None
        matter.told = condition.deserved
        return self._alert(condition, matter, now)

    def _alert(self, condition: Condition, matter: _Matter, now: Situation) -> Alert:
        rule, level = condition.rule, condition.deserved
        who = "-".join(filter(None, (condition.market, condition.side, condition.venue)))
        alert = Alert(
            key=f"{rule}-{who or 'ALL'}-{matter.since // 1_000_000}-{level.name}",
            rule=rule,
            level=level,
            ts=now.now,
            market=condition.market,
            side=condition.side,
            venue=condition.venue,
            text=condition.text,
            inputs=condition.inputs,
            coverage=coverage_of(now),
            record=self.verdicts.value(rule, level, now.now),
            action=action_for(rule, _signal(condition, now), now.regime.name if now.regime else None),
            within_budget=self.budget.spend(rule, level, now.now),
        )
        self.verdicts.raised(alert)
        return alert

    def _settle(self, now: Situation, found: set[_Subject]) -> None:
        """Let time pass for what no rule spoke of, and close what is over."""
        for subject, matter in list(self._matters.items()):
            if subject not in found:
                matter.update(now.now, Level.NONE, Level.NONE)
            if matter.level > Level.NONE or _open(subject, now.episodes):
                matter.ended = None
            elif matter.ended is None:
                matter.ended = now.now
            elif now.now - matter.ended >= COOLDOWN:
                del self._matters[subject]


def _signal(condition: Condition, now: Situation) -> Level:
    """The loudest signal of the condition's market, and of its side where it has one."""
    return max(
        (
            risk.level
            for risk in now.risks
            if condition.market in {"ALL", risk.market} and condition.side in {None, risk.side}
        ),
        default=Level.NONE,
    )


def _subject(condition: Condition) -> _Subject:
    # Two venues may each print a large one of the same cascade: that is one matter. A feed is its venue's.
    venue = condition.venue if condition.rule is AlertRule.FEED else ""
    return condition.rule, condition.market, condition.side, venue


def _open(subject: _Subject, episodes: Iterable[Episode]) -> bool:
    _, market, side, _ = subject
    return any(
        episode.end is None and episode.market == market and side in {None, episode.side} for episode in episodes
    )
