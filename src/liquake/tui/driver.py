"""Textual's way to the terminal, for a terminal that may go away."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class Output:
    """Where pictures go until the terminal is gone, and nowhere from then on.

    The thread in which Textual writes ends with the first error, and then the event loop waits for it for ever, which
    the sockets and the journal share: a closed window must not stop either.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> None:
        """Write, while anybody is there."""
        self._attempt(self._file.write, text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        """The terminal's."""
        return self._file.fileno()

    def _attempt(self, write: Any, *text: str) -> None:
        if self.gone:
            return
        try:
            write(*text)
        except OSError:
            self.gone = True


class TerminalDriver(LinuxDriver):
    """Writes through `Output`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("IO[str]", Output(cast("TextIO", sys.__stderr__)))  # type: ignore[assignment]
