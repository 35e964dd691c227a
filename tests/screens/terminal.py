"""A real pseudo-terminal and a program on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0


class Terminal:
    """A program on a pseudo-terminal, and all it has written."""

    def __init__(
        self,
        pulse: int | None = None,
        *,
        program: tuple[str, ...] = ("tests.screens.session",),
        size: tuple[int, int] = (24, 80),
        environment: Mapping[str, str] = MappingProxyType({}),
        controlling: bool = False,
        before: tuple[str, ...] = (),
    ) -> None:
        """`controlling`: the terminal is that of the program's session, so that the kernel tells it of a hang-up. `before`: stands
        in front of the command.
        """
        self.fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.modes_before = termios.tcgetattr(inner)
        self._inner = inner
        kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TEXTUAL"}}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", *program, *([] if pulse is None else [str(pulse)])],
            pass_fds=() if pulse is None else (pulse,),
            cwd=ROOT,
            env={**kept, "TERM": "xterm-256color", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=_take_control if controlling else None,
        )
        self.written = b""

    def wait_for(self, words: bytes) -> None:
        """Read until `words` have been written. Raises `AssertionError` after the deadline."""
        end = time.monotonic() + DEADLINE
        while words not in self.written:
            assert time.monotonic() < end, self.written[-2000:]
            if select.select([self.fd], [], [], 0.1)[0]:
                self.written += os.read(self.fd, 65536)

    def press(self, key: bytes) -> None:
        os.write(self.fd, key)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)
        os.close(self._inner)

    def read(self) -> None:
        """Take in what is there."""
        while select.select([self.fd], [], [], 0.0)[0]:
            self.written += os.read(self.fd, 65536)

    def vanish(self) -> None:
        """Both ends are closed, as when a window is."""
        os.close(self.fd)
        os.close(self._inner)

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._inner)


def _take_control() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
