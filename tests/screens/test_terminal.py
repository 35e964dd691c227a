"""On a real pseudo-terminal: what is sent, and how it is left."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


class Terminal:
    """A program on a pseudo-terminal, and all it has written."""

    def __init__(
        self,
        pulse: int | None = None,
        *,
        program: tuple[str, ...] = ("tests.screens.session",),
        size: tuple[int, int] = (24, 80),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.before = termios.tcgetattr(inner)
        self._inner = inner
        kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TEXTUAL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program, *([] if pulse is None else [str(pulse)])],
            pass_fds=() if pulse is None else (pulse,),
            cwd=ROOT,
            env={**kept, "TERM": "xterm-256color", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
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

    def vanish(self) -> None:
        """Both ends are closed, as when a window is."""
        os.close(self.fd)
        os.close(self._inner)

    def modes(self) -> list[object]:
        return termios.tcgetattr(self._inner)


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_leaving_gives_the_terminal_back_and_goes_on_in_the_same_loop(key: bytes) -> None:
    terminal = Terminal()
    try:
        terminal.wait_for(b"VELOCITY")
        terminal.press(key)
        terminal.wait_for(b"left")
        assert terminal.process.wait(DEADLINE) == 0
        assert terminal.modes() == terminal.before
        assert b"\x1b[?1049l" in terminal.written
    finally:
        terminal.close()


@pytest.mark.parametrize("size", [(24, 80), (40, 120)], ids=["80x24", "120x40"])
def test_the_program_itself_leaves_with_its_statistics(size: tuple[int, int], tmp_path: Path) -> None:
    told = {"LIQUAKE_JOURNAL": str(tmp_path / "journal.db"), "XDG_CONFIG_HOME": str(tmp_path)}
    terminal = Terminal(program=("liquake", "demo"), size=size, environment=told)
    try:
        terminal.wait_for(b"VELOCITY")
        terminal.press(b"q")
        terminal.wait_for(b"FEED HISTORY")
        assert terminal.process.wait(DEADLINE) == 0
        assert b"Traceback" not in terminal.written
    finally:
        terminal.close()


def test_colour_is_sent_by_default_and_none_under_no_color() -> None:
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = Terminal(environment=environment)
        try:
            terminal.wait_for(b"VELOCITY")
            terminal.press(b"q")
            terminal.wait_for(b"left")
            assert bool(COLOUR.search(terminal.written)) is coloured
        finally:
            terminal.close()


def test_a_terminal_that_takes_no_more_does_not_stop_the_loop_and_is_right_again_afterwards() -> None:
    beats, pulse = os.pipe()
    terminal = Terminal(pulse)
    try:
        terminal.wait_for(b"VELOCITY")
        beaten, end = 0, time.monotonic() + DEADLINE
        while beaten < 200:
            assert time.monotonic() < end
            assert select.select([beats], [], [], 10.0)[0], f"the loop stood still after {beaten} rounds"
            beaten += len(os.read(beats, 64))
        terminal.written = b""
        terminal.wait_for(b"VELOCITY")
        terminal.press(b"q")
        terminal.wait_for(b"left")
    finally:
        terminal.close()
        os.close(beats)
        os.close(pulse)


def test_a_terminal_that_goes_away_does_not_stop_the_loop() -> None:
    beats, pulse = os.pipe()
    terminal = Terminal(pulse, program=("tests.screens.session", "--counting", "0.02"))
    try:
        terminal.wait_for(b"VELOCITY")
        terminal.vanish()
        beaten, end = 0, time.monotonic() + DEADLINE
        while beaten < 400:
            assert time.monotonic() < end
            assert select.select([beats], [], [], 10.0)[0], f"the loop stood still after {beaten} rounds"
            beaten += len(os.read(beats, 64))
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(beats)
        os.close(pulse)
