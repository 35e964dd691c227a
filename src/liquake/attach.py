"""A screen on another process's engine: the snapshot that a collector keeps in Redis.

Part of the composition root: imported where its client is known to be installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec

from liquake.alerts.actions import action_table
from liquake.engine.snapshot import ALL, ConnectionState, Latest, Snapshot
from liquake.errors import SinkError
from liquake.model import FeedState
from liquake.model.alert import Alert
from liquake.outage import cut_off
from liquake.storage.address import without_password
from liquake.storage.current import SnapshotReader
from liquake.storage.recent import RecentAlerts
from liquake.storage.redis import Client, connect, disconnect
from liquake.storage.wanted import CHARTS, want
from liquake.tui.source import Source
from liquake.tui.status import ELSEWHERE, Publishing, Sending, Status

_LOOK_EVERY = 0.2
_RETRY_EVERY = 1.0
"""Seconds between two looks, and before the next after a failure."""
_WANT_EVERY = 1.0
"""Seconds after which what the reader looks at is wanted anew; at once where it is something else."""
_ASKED = "the collector has been asked for them"
_UNASKED = "this Redis user may not ask the collector for them, which writes those of the largest markets alone"


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
        self._wanted: tuple[str, ...] = ()
        self._said: tuple[str, ...] = ()
        self._said_at = 0.0
        """What is wanted, what the collector was last asked for, and when, by the event loop's clock."""
        self._refused = False

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """What the collector's own screen shows, or one without numbers.

        Of markets that are not among the largest it asks the collector; until they come they are not in it.
        """
        self._wanted = (*(markets or ()), *(CHARTS + market for market in charts))
        if self._held is None:
            return self._blank()
        return self._held if markets is None else part_of(self._held, markets, charts, largest)

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
            missing=_UNASKED if self._refused else _ASKED,
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
                self._said, self._refused = (), False
                while True:
                    await self._want(client)
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

    async def _want(self, client: Client) -> None:
        """Ask for what the reader looks at, where that is not in it anyway."""
        now = asyncio.get_running_loop().time()
        if self._refused or not self._wanted or (self._wanted == self._said and now < self._said_at + _WANT_EVERY):
            return
        self._said, self._said_at = self._wanted, now
        self._refused = not await want(client, self._said)

    def _see(self, held: Snapshot | None, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble, self._since = trouble, self._now()
        self._held = held
        self._last = held or self._last

    def _blank(self) -> Snapshot:
        feed = ConnectionState("redis", FeedState.DISCONNECTED, self._since, self._trouble)
        return cut_off(() if self._last is None else self._last.venues, feed, self._now())


def part_of(whole: Snapshot, markets: Sequence[str], charts: Iterable[str], largest: int) -> Snapshot:
    """What is in `whole` of what an engine gives that is asked for the same, in its order."""
    summed = {market: place for place, market in enumerate((ALL, *dict.fromkeys((*markets, *whole.markets[:largest]))))}
    venues = {cell.venue: place for place, cell in enumerate(whole.cells)}
    moving = (ALL, *markets)
    return msgspec.structs.replace(
        whole,
        kinematics={market: whole.kinematics[market] for market in moving if market in whole.kinematics},
        bursts={market: whole.bursts[market] for market in moving if market in whole.bursts},
        large_usd={market: whole.large_usd[market] for market in markets if market in whole.large_usd},
        cells=tuple(
            sorted(
                (cell for cell in whole.cells if cell.market in summed),
                key=lambda cell: (venues[cell.venue], summed[cell.market]),
            )
        ),
        coverage={market: whole.coverage[market] for market in summed if market in whole.coverage},
        charts={market: whole.charts[market] for market in charts if market in whole.charts},
    )
