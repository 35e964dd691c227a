"""One writer per journal, on this machine."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from liquake.errors import JournalBusy

_ATTEMPTS, _APART = 5, 0.02
"""Seconds."""


class WriterLock:
    """Held from construction to `release`, or until the process dies in whatever way.

    On a file of its own beside the journal: SQLite's locks belong to a process, not to a connection, and closing any
    descriptor of the database drops them (https://www.sqlite.org/howtocorrupt.html, 2.2). The file stays behind;
    removing it would let two processes each lock another file of the same name.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + "-lock")
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        if not self._taken():
            holder = os.read(self._descriptor, 20).decode(errors="replace")
            os.close(self._descriptor)
            raise JournalBusy(journal, holder)
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def _taken(self) -> bool:
        """Whether it could be had: asked more than once, for `is_written` has it for a moment."""
        for _ in range(_ATTEMPTS):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                time.sleep(_APART)
        return False

    def release(self) -> None:
        """Let another writer in."""
        os.close(self._descriptor)


def is_written(journal: Path) -> bool:
    """Whether some process writes `journal` at this moment."""
    try:
        descriptor = os.open(journal.with_name(journal.name + "-lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)
