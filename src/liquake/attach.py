"""A screen on another process's engine: the snapshot that a collector keeps in Redis.

Part of the composition root: imported where its client is known to be installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from liquake.alerts.actions import action_table
from liquake.engine.snapshot import ConnectionState, Latest, Snapshot
from liquake.errors import SinkError
from liquake.model import FeedState
from liquake.model.alert import Alert
from liquake.outage import cut_off
from liquake.storage.address import without_password
from liquake.storage.current import SnapshotReader
from liquake.storage.recent import RecentAlerts
from liquake.storage.redis import connect, disconnect
from liquake.tui.source import Source
from liquake.tui.status import ELSEWHERE, Publishing, Sending, Status

_LOOK_EVERY = 0.1
_RETRY_EVERY = 1.0
"""Seconds between two looks, and before the next after a failure."""


class Attached(Source):
    """Shows what the collector at `url` last wrote. Once that is gone its numbers are too, and every feed is DOWN."""

    def __init__(self, url: str, status: Status, now: Callable[[], int]) -> None:
        self._url, self._status, self._now = url, status, now
        self._address = without_password(url)
        self._held: Snapshot | None = None
        self._trouble = "connecting"
        self._since = now()
        self._last: Snapshot | None = None
        self._alerts: tuple[Alert, ...] = ()

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """The collector's own, or one without numbers: it decides which markets are in it."""
        del markets, charts, largest
        return self._held or self._blank()

    def latest(self) -> Latest:
        """The tape of the same."""
        held = self.snapshot()
        return Latest(held.tape, held.arrived)

    def status(self) -> Status:
        """The session around it, with the alerts that the collector found."""
        return msgspec.structs.replace(
            self._status,
            now=self._now(),
            redis=self._trouble or f"from {self._address}",
            database=ELSEWHERE,
            publishing=Publishing(Sending.ELSEWHERE),
            alerts=self._alerts,
            actions=action_table(),
        )

    async def prove(self) -> None:
        """Raises `SinkRefused` or `SinkDown` where the server does not let us in or is not there."""
        client, _ = await connect(self._url)
        await disconnect(client)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            client = None
            try:
                client, _ = await connect(self._url)
                recent, snapshots = RecentAlerts(), SnapshotReader()
                while True:
                    self._alerts = await recent.read(client)
                    held = await snapshots.read(client)
                    self._see(held, "" if held else "no collector writes there: start one with `liquake collect`")
                    await asyncio.sleep(_LOOK_EVERY)
            except SinkError as error:
                self._see(None, str(error))
            finally:
                if client is not None:
                    await disconnect(client)
            await asyncio.sleep(_RETRY_EVERY)

    def _see(self, held: Snapshot | None, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble, self._since = trouble, self._now()
        self._held = held
        self._last = held or self._last

    def _blank(self) -> Snapshot:
        feed = ConnectionState("redis", FeedState.DISCONNECTED, self._since, self._trouble)
        return cut_off(() if self._last is None else self._last.venues, feed, self._now())
