"""Text for a reader who may take no more for a while, or go away."""

from __future__ import annotations

import os
import select
import time
from io import UnsupportedOperation
from typing import TextIO

_PATIENCE = 1.0
"""Seconds that a reader who takes nothing has for the last words, before they are dropped."""
_LOOK_EVERY = 0.1


def hung_up(descriptor: int) -> bool:
    """Whether the terminal at `descriptor` is gone for good: its window closed, its connection broken."""
    # Where terminals cannot be polled the answer is POLLNVAL, which says nothing of the window.
    return any(found & (select.POLLHUP | select.POLLERR) for _, found in _events(descriptor, 0, 0.0))


def takes_more(descriptor: int) -> bool:
    """Whether anyone reads what is written to the terminal at `descriptor`."""
    return bool(_events(descriptor, select.POLLOUT, 0.0))


def _events(descriptor: int, asked: int, patience: float) -> list[tuple[int, int]]:
    """What of `asked` has happened to `descriptor`; errors and a hang-up are told of unasked."""
    asking = select.poll()
    asking.register(descriptor, asked)
    return asking.poll(patience * 1000.0)


class Output:
    """A text file that writes as much as its reader takes, and nothing once a terminal is gone.

    Writing waits for a reader who takes no more, so it belongs into a thread: the event loop has sockets to read.
    """

    def __init__(self, file: TextIO) -> None:
        self._file, self._terminal = file, file.isatty()
        self._descriptor = _opened_again(file)
        self._leaving = False
        self.gone = False

    def write(self, text: str) -> None:
        """Write, while anybody is there. Raises `OSError` where it is no terminal."""
        if self._descriptor is None:
            self._file.write(text)
            return
        left = text.encode(self._file.encoding, self._file.errors or "replace")
        taken = time.monotonic()
        while left and not self.gone:
            try:
                if _events(self._descriptor, select.POLLOUT, _LOOK_EVERY):
                    left = left[os.write(self._descriptor, left[: select.PIPE_BUF]) :]
                    taken = time.monotonic()
                elif self._leaving and time.monotonic() - taken > _PATIENCE:
                    self.gone = True
            except BlockingIOError:
                continue
            except OSError:
                if not self._terminal:
                    raise
                self.gone = True

    def flush(self) -> None:
        """Nothing is held back."""

    def leave(self) -> None:
        """From now on wait for the reader a moment only."""
        self._leaving = True

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None and self._descriptor != self._file.fileno():
            os.close(self._descriptor)

    @property
    def encoding(self) -> str:
        """What text becomes."""
        return self._file.encoding

    def isatty(self) -> bool:
        """Whether it is a terminal, or was one."""
        return self._terminal

    def fileno(self) -> int:
        """The terminal's."""
        return self._file.fileno()


def _opened_again(file: TextIO) -> int | None:
    """The same terminal, of which writing takes no longer than it has room. That is not to be set on the one we were
    given: it is also the shell's. `None` for what is no file of the system.
    """
    try:
        given = file.fileno()
    except UnsupportedOperation:
        return None
    try:
        return os.open(os.ttyname(given), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        # No terminal, or another user's, after su.
        return given
