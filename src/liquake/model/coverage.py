"""What a venue's feed promises, and how it falls short."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec


class CoverageKind(StrEnum):
    """How much of a venue's liquidations its feed shows."""

    COMPLETE = "COMPLETE"
    """The venue says that every liquidation is published."""
    THROTTLED = "THROTTLED"
    """Some are withheld by a rule: sums are lower bounds."""
    DELAYED = "DELAYED"
    """Published long after the event."""
    SAMPLE = "SAMPLE"
    """Only those of watched accounts: kept out of totals by default."""
    DARK = "DARK"
    """Nothing arrives although it should."""


class Throttle(StrEnum):
    """Which order survives when a venue publishes at most one per symbol and interval."""

    NONE = "none"
    LATEST = "latest"
    LARGEST = "largest"


class Coverage(msgspec.Struct, frozen=True):
    """What one venue's feed promises since a date."""

    kind: CoverageKind
    sentence: str
    """What the feed does not contain, in words for a trader."""
    since: date | None = None
    """First day the rule held, where known."""
    throttle: Throttle = Throttle.NONE
    interval: float = 0.0
    """Seconds over which the throttle lets one order per symbol through; 0 without a throttle."""
    source: str = ""
    """Address of the documented sentence."""
    per_side: bool = False
    """Whether the throttle lets one long and one short through, not one order of either side."""

    @property
    def lower_bound(self) -> bool:
        """Whether sums over this feed are only "at least"."""
        return self.kind is not CoverageKind.COMPLETE
