"""What a screen shows beside the engine's snapshot: how the program itself is doing.

Times are UTC nanoseconds of the session's clock: the wall's when live, the recording's in a replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from liquake.engine.snapshot import Quantiles
from liquake.model.alert import Action, Alert, Level


class Mode(StrEnum):
    """Where the events come from."""

    LIVE = "LIVE"
    DEMO = "DEMO"
    """Simulated venues on this machine: none of it happened."""
    REPLAY = "REPLAY"


class JournalStatus(msgspec.Struct, frozen=True):
    """How much is kept, and how much not yet."""

    rows: int = 0
    """Acknowledged by the disk."""
    pending: int = 0
    """Given to the journal, not yet acknowledged."""
    dropped: int = 0
    """Given up because the journal could not keep pace or failed: lost for good."""
    last_commit: int | None = None
    error: str = ""


class Status(msgspec.Struct, frozen=True):
    """The session around the engine."""

    mode: Mode
    version: str
    now: int
    """The session's clock, also while the picture is frozen."""
    started: int
    """When the session began."""
    journal: JournalStatus | None = None
    """`None` where nothing is kept."""
    redis: str = "off"
    database: str = "off"
    state_latency: Quantiles = Quantiles()
    """Milliseconds from our receipt of a frame to its events being in the engine."""
    refresh: float = 2.0
    """Seconds between two pictures."""
    scenario: str = ""
    seed: int | None = None
    recording: str = ""
    """Name of the file being replayed."""
    speed: float | None = None
    """Recording seconds per second; `None` as fast as it goes."""
    progress: float | None = None
    """Share of the recording already replayed, 0 to 1."""
    ended: bool = False
    """Whether the recording is over: what is shown will not change any more."""
    alerts: tuple[Alert, ...] = ()
    """What was worth telling, the newest last."""
    alerting: bool = True
    """Whether this session looks for alerts: where it does not, having none means nothing."""
    actions: Mapping[tuple[Level, str], Action] = {}
    """What traders are known to do at each level of a signal in each regime, `NO_REGIME` too."""

    @property
    def runtime(self) -> float:
        """Seconds since the session began."""
        return (self.now - self.started) / 1e9
