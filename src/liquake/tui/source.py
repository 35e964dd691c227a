"""Where a screen gets its pictures from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from liquake.engine.snapshot import Latest, Snapshot
from liquake.tui.status import Status


class Source(Protocol):
    """A running session. Both calls return at once: the screen asks from the event loop that also reads the sockets."""

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """The engine at this moment: kinematics and sums of `markets`, of all where `None`, sums of the `largest` too,
        series of `charts`.
        """
        ...

    def latest(self) -> Latest:
        """The tape at this moment: cheap enough to ask for twice a second."""
        ...

    def seek(self, seconds: float) -> bool:
        """Move a recording by `seconds` of its own time. Whether there is one that can be moved there.

        Never, unless it says otherwise: what another process writes is the present.
        """
        del seconds
        return False

    def set_speed(self, speed: float | None) -> bool:
        """Let a recording run at `speed` seconds per second, `None` for as fast as it goes. Whether there is one."""
        del speed
        return False

    def status(self) -> Status:
        """The session around it at this moment."""
        ...
