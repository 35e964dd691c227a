"""One run: the engine, the journal, and what a screen asks of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence

import msgspec

from liquake.alerts.actions import action_table
from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.analytics.latency import Latency
from liquake.clock import SECOND, Clock
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Episode, Latest, Moment, Snapshot, Statistics
from liquake.ingest.replay import Replay
from liquake.model import Event, Liquidation, Price, Quote, Trade
from liquake.model.alert import Alert
from liquake.storage.journal import Journal
from liquake.tiers import Tiers
from liquake.tui.status import JournalStatus, Status

ALERTS = 200
"""Alerts kept for whoever looks."""


class Run:
    """A source of pictures with an engine of its own, and the journal behind it.

    `receive` is the way of every event, from sockets and recordings alike. It is called from the event loop alone.
    """

    def __init__(
        self, engine: Engine, clock: Clock, status: Status, journal: Journal | None, assets: Collection[str] | None
    ) -> None:
        self.engine, self.clock, self.journal, self.assets = engine, clock, journal, assets
        self.replay: Replay | None = None
        self.tiers = Tiers()
        self.notifier = Notifier()
        self.alerts: deque[Alert] = deque(maxlen=ALERTS)
        """Those of this run, the newest last."""
        self._earlier: tuple[Alert, ...] = ()
        self.recalled = 0
        """Liquidations of before that it was told of at the start."""
        self.hear: Callable[[Event], None] | None = None
        """Told of every event that is no price."""
        self.mode = status.mode
        self.fault = ""
        """What an estimator of the engine failed with last: it may cost numbers, never the feed, nor what is kept."""
        self.alerting = True
        """Whether anybody looks at alerts."""
        self._heeded = 0
        self._status = status
        self._latency = Latency()
        self._journal_trouble = ""

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Apply `events` and keep them; those of assets nobody asked for are left out."""
        if self.assets is not None:
            events = [event for event in events if self.wanted(event)]
        # Kept first: what the engine makes of it can be made again.
        if self.journal is not None:
            self.journal.record(events, frame or None, connection)
        apply = self.engine.apply
        for event in events:
            try:
                apply(event)
            except Exception as fault:
                self.fault = f"{fault!r}"
        self._latency.update(self.clock.now() - ts_recv)
        if self.hear is not None:
            for event in events:
                if not isinstance(event, Price):
                    self.hear(event)

    def tend(self) -> None:
        """Let a second without events pass too, and look for alerts."""
        try:
            self.engine.advance(self.clock.now())
            self.heed()
        except Exception as fault:
            self.fault = f"{fault!r}"

    def heed(self) -> None:
        """Look for what deserves an alert: once a second, however often a screen looks."""
        markets = tuple({risk.market for risk in self.engine.risks()})
        snapshot = self.engine.snapshot(self.clock.now(), markets, activity=())
        raised = self.notifier.update(situation_of(snapshot))
        self.alerts += raised
        self.tiers.tell(raised)
        if self.journal is not None:
            self.journal.note(raised, snapshot.episodes)

    def restore(self, alerts: Sequence[Alert], episodes: Sequence[Episode]) -> None:
        """Go on from what the journal kept of the run before; what holds now was told by that one."""
        now = self.clock.now()
        self._earlier = tuple(alerts[-ALERTS:])
        # One that was open has lost sight of its end.
        over = [msgspec.structs.replace(held, end=held.last) if held.end is None else held for held in episodes]
        self.engine.restore(sorted(over, key=lambda episode: episode.end or episode.last))
        self.notifier.resume(alerts, over, now)
        self.notifier.acquaint(situation_of(self.snapshot()))

    def emit(self, event: Event) -> None:
        """Apply one event of a recording; look for alerts in each of its seconds that holds a liquidation.

        So the alerts of a recording are the same at every speed, and its quiet hours cost nothing.
        """
        if not self.wanted(event):
            return
        self.engine.apply(event)
        second = self.clock.now() // SECOND
        if self.alerting and isinstance(event, Liquidation) and second > self._heeded:
            self._heeded = second
            self.heed()

    def begin_again(self, engine: Engine) -> None:
        """Forget everything that was emitted: a recording goes back."""
        self.engine, self.notifier, self._heeded = engine, Notifier(), 0
        self.alerts.clear()

    def wanted(self, event: Event) -> bool:
        """Whether `event` is of an asset that was asked for."""
        assets = self.assets
        return assets is None or not isinstance(event, Liquidation | Price | Quote | Trade) or event.asset in assets

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """The engine at this moment. Of a recording, only the venues that are in it."""
        snapshot = self.engine.snapshot(self.clock.now(), markets, charts, largest)
        if self.replay is None:
            return snapshot
        seen = tuple(venue for venue in snapshot.venues if venue.last_recv is not None or venue.connections)
        return msgspec.structs.replace(snapshot, venues=seen)

    def moment(self, markets: Sequence[str] | None = None) -> Moment:
        """Motion of `markets`, of all where `None`, and risk at this moment."""
        return self.engine.moment(self.clock.now(), markets)

    def latest(self) -> Latest:
        """The tape at this moment."""
        return self.engine.latest()

    def statistics(self) -> Statistics:
        """The run so far."""
        return self.engine.statistics()

    def status(self) -> Status:
        """The run around the engine."""
        replay = self.replay
        return msgspec.structs.replace(
            self._status,
            now=self.clock.now(),
            journal=self._journal_status(),
            redis=self.tiers.words("redis"),
            database=self.tiers.words("database"),
            publishing=self.tiers.publishing(),
            state_latency=self._latency.value(),
            alerts=(*self._earlier, *self.alerts)[-ALERTS:],
            actions=action_table(),
            speed=None if replay is None else replay.speed,
            progress=None if replay is None else replay.progress,
            ended=replay is not None and replay.finished,
            fault=self.fault,
        )

    def seek(self, seconds: float) -> bool:
        """Move a recording by `seconds` of its own time. Whether there is one that can be moved there."""
        return self.replay is not None and self.replay.seek(self.clock.now() + round(seconds * SECOND))

    def set_speed(self, speed: float | None) -> bool:
        """Let a recording run at `speed` seconds per second. Whether there is one."""
        if self.replay is not None:
            self.replay.speed = speed
        return self.replay is not None

    def without_journal(self, trouble: str) -> None:
        """Say on every picture why nothing is kept."""
        self._journal_trouble = trouble

    def _journal_status(self) -> JournalStatus | None:
        if self.journal is None:
            return JournalStatus(error=self._journal_trouble) if self._journal_trouble else None
        kept = self.journal.statistics()
        last = None if kept.commit_age is None else self.clock.now() - round(kept.commit_age * SECOND)
        lost = kept.dropped + kept.dropped_frames + kept.refused
        return JournalStatus(kept.rows, kept.pending, lost, last, kept.trouble)
