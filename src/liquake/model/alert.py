"""What is worth telling a trader who looks elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec

from liquake.model.liquidation import Side


class Level(IntEnum):
    """How loud a signal or an alert is."""

    NONE = 0
    WATCH = 1
    WARNING = 2
    CRITICAL = 3
    EXTREME = 4


class AlertRule(StrEnum):
    """Which rule found it."""

    CASCADE = "CASCADE"
    VELOCITY_SPIKE = "VELOCITY SPIKE"
    JERK = "JERK"
    INSTITUTIONAL = "INSTITUTIONAL"
    REGIME_CHANGE = "REGIME CHANGE"
    FEED = "FEED"


class TrackRecord(msgspec.Struct, frozen=True):
    """What became of the alerts of one rule and level over the last `days`."""

    right: int
    """During which, or within 300 s after which, a cascade episode of that market went on."""
    total: int
    """Whose 300 s are over."""
    days: float

    ENOUGH = 10

    def __str__(self) -> str:
        """Its precision in words; under ten alerts, that it is not known."""
        if self.total < self.ENOUGH:
            return f"precision not known yet ({self.total} of the {self.ENOUGH} alerts that are needed)"
        share = self.right / self.total
        return f"{self.right} of {self.total} such alerts in {self.days:.0f} days came with a cascade ({share:.0%})"


NO_REGIME = "UNKNOWN"
"""In place of a regime's name before there is one."""


class Action(msgspec.Struct, frozen=True):
    """What traders are known to do in such a moment, and why. Never advice."""

    do: str
    reason: str

    def __str__(self) -> str:
        """Both, as they are always shown."""
        return f"What some do now: {self.do}. Why: {self.reason}. Not advice."


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One rule reached one level. `ts` is UTC nanoseconds, engine time."""

    key: str
    """The same for the same events on every machine."""
    rule: AlertRule
    level: Level
    ts: int
    market: str = ""
    """Or "ALL"; empty where it is not about one."""
    side: Side | None = None
    """Which positions are being liquidated, where it is about one side."""
    venue: str = ""
    text: str
    """One sentence with the numbers in it."""
    inputs: Mapping[str, float | str]
    """Every number the rule looked at, the unit in its name."""
    coverage: str
    """Which venues these numbers are from, and what they leave out."""
    record: TrackRecord | None = None
    """`None` for a rule that states a fact and foretells nothing."""
    action: Action | None = None
    within_budget: bool = True
    """What is over the day's budget is shown, not sent."""
