"""One writer per journal, on this machine."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from liquake.errors import JournalBusy


class WriterLock:
    """Held from construction to `release`, or until the process dies in whatever way.

    On a file of its own beside the journal: SQLite's locks belong to a process, not to a connection, and closing any
    descriptor of the database drops them (https://www.sqlite.org/howtocorrupt.html, 2.2). The file stays behind;
    removing it would let two processes each lock another file of the same name.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + "-lock")
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 20).decode(errors="replace")
            os.close(self._descriptor)
            raise JournalBusy(journal, holder) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Let another writer in."""
        os.close(self._descriptor)
