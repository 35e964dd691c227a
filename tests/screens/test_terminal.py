"""On a real pseudo-terminal: what is sent, and how it is left."""

from __future__ import annotations

import os
import re
import select
import time
from pathlib import Path

import pytest

from tests.screens.terminal import DEADLINE, Terminal

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_leaving_gives_the_terminal_back_and_goes_on_in_the_same_loop(key: bytes) -> None:
    terminal = Terminal()
    try:
        terminal.wait_for(b"VELOCITY")
        terminal.press(key)
        terminal.wait_for(b"left")
        assert terminal.process.wait(DEADLINE) == 0
        assert terminal.modes() == terminal.modes_before
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
