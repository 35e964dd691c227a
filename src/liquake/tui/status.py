"""What a screen shows beside the engine's snapshot: how the program itself is doing.

Times are UTC nanoseconds of the session's clock: the wall's when live, the recording's in a replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from liquake.engine.snapshot import Quantiles
from liquake.model.alert import Action, Alert, Level

ELSEWHERE = "the collector's"
"""Of a store that belongs to the process whose numbers these are: how it does is not known here."""


class Mode(StrEnum):
    """Where the events come from."""

    LIVE = "LIVE"
    DEMO = "DEMO"
    """Simulated venues on this machine: none of it happened."""
    REPLAY = "REPLAY"


class Sending(StrEnum):
    """Who publishes signals and alerts to Redis."""

    NOBODY = "NOBODY"
    """There is none to publish to."""
    UNWANTED = "UNWANTED"
    """This run was told to leave it (`--keys off`)."""
    HERE = "HERE"
    ANOTHER = "ANOTHER"
    """A second collector is at work, which has its own of them."""
    ELSEWHERE = "ELSEWHERE"
    """These are a collector's, read from where it publishes them."""


class Publishing(msgspec.Struct, frozen=True):
    """Whether signals and alerts go out on the channels of Redis."""

    by: Sending = Sending.NOBODY
    trouble: str = ""
    """Why nothing goes out at present."""
    until: int | None = None
    """What was said until then is out; `None` where nothing is yet."""

    @property
    def wanted(self) -> bool:
        """Whether they are to go out."""
        return self.by not in (Sending.NOBODY, Sending.UNWANTED)


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
    publishing: Publishing = Publishing()
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
    missing: str = "the next picture has them"
    """What to say where the numbers of a market that was just chosen are not in the picture."""
    fault: str = ""
    """What the engine failed with: some number may be wrong until the next start. Empty where it did not."""
    ended: bool = False
    """Whether the recording is over: what is shown will not change any more."""
    alerts: tuple[Alert, ...] = ()
    """What was worth telling, the newest last."""
    actions: Mapping[tuple[Level, str], Action] = {}
    """What traders are known to do at each level of a signal in each regime, `NO_REGIME` too."""

    @property
    def runtime(self) -> float:
        """Seconds since the session began."""
        return (self.now - self.started) / 1e9
