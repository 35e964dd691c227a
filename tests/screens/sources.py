"""A session that stands still, or moves when a test says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from liquake.engine.snapshot import Latest, Snapshot
from liquake.model.alert import Alert
from liquake.tui.source import Source
from liquake.tui.status import Mode, Status
from tests.screens.moments import DEMO, RICH, SECOND


class SteeredSource(Source):
    """Where its session is a replay, it can be moved and hurried; notes where to."""

    session: Status

    def __init__(self) -> None:
        self.sought: list[float] = []

    def seek(self, seconds: float) -> bool:
        self.sought.append(seconds)
        return self.session.mode is Mode.REPLAY

    def set_speed(self, speed: float | None) -> bool:
        if self.session.mode is Mode.REPLAY:
            self.session = msgspec.structs.replace(self.session, speed=speed)
        return self.session.mode is Mode.REPLAY


class FixedSource(SteeredSource):
    """Gives the moment it holds, and counts how often it was asked."""

    def __init__(self, snapshot: Snapshot = RICH, status: Status = DEMO) -> None:
        super().__init__()
        self.now, self.session = snapshot, status
        self.asked = 0

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        self.asked += 1
        return self.now

    def latest(self) -> Latest:
        return Latest(self.now.tape, self.now.arrived)

    def status(self) -> Status:
        return self.session

    def alert(self, alert: Alert) -> None:
        """Let one more be told."""
        self.session = msgspec.structs.replace(self.session, alerts=(*self.session.alerts, alert))

    def advance(self, seconds: float, *, events: int = 0) -> None:
        """Let time pass, and `events` more liquidations be counted."""
        step = round(seconds * SECOND)
        self.now = msgspec.structs.replace(
            self.now, now=self.now.now + step, as_of=self.now.as_of + step, events=self.now.events + events
        )
        self.session = msgspec.structs.replace(self.session, now=self.session.now + step)
