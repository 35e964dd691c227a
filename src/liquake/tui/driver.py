"""Textual's way to a terminal that may stand still or go away."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from liquake.tui.output import Output

if TYPE_CHECKING:
    from textual.app import App


class TerminalDriver(LinuxDriver):
    """Writes through `Output`, and takes no input from a terminal that is gone.

    The thread in which Textual writes would end with the first error, and the event loop wait for that thread for ever.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._output = Output(cast("TextIO", sys.__stderr__))
        self._file = cast("IO[str]", self._output)  # type: ignore[assignment]

    def run_input_thread(self) -> None:
        """Read until the end, or until the terminal is gone."""
        with suppress(OSError):
            super().run_input_thread()

    def stop_application_mode(self) -> None:
        """Give the terminal back, if it takes that."""
        self._output.leave()
        super().stop_application_mode()

    def close(self) -> None:
        """Wait for what was written."""
        super().close()
        self._output.close()
