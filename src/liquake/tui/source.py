"""Where a screen gets its pictures from."""

from __future__ import annotations

from typing import Protocol

from liquake.engine.snapshot import Snapshot
from liquake.tui.status import Status


class Source(Protocol):
    """A running session. Both calls return at once: the screen asks from the event loop that also reads the sockets."""

    def snapshot(self) -> Snapshot:
        """The engine at this moment."""
        ...

    def status(self) -> Status:
        """The session around it at this moment."""
        ...
