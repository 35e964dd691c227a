"""In a terminal that keeps its own picture of ours: what it shows at any moment is one whole picture."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
WATCHED = 10.0
REFRESH = 0.5

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[list[str]]:
    """The command of a tmux server of our own, on a socket that nobody else uses."""
    command = ["tmux", "-S", str(tmp_path / "socket"), "-f", os.devnull]
    yield command
    subprocess.run([*command, "kill-server"], check=False, capture_output=True)


def _captured(server: list[str]) -> str:
    return subprocess.run([*server, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout


def _numbers(frame: str) -> tuple[str, str] | None:
    """The one number at the top and at the bottom of a picture."""
    top, bottom = re.search(r"([\d,]+) events", frame), re.search(r"journal ([\d,]+) kept", frame)
    return None if top is None or bottom is None else (top[1], bottom[1])


def test_no_frame_is_blank_or_made_of_two_pictures(server: list[str]) -> None:
    program = f"{sys.executable} -m tests.screens.session --counting {REFRESH}"
    path = f"PYTHONPATH={ROOT / 'src'}:{ROOT}"
    session = ["new-session", "-d", "-x", "120", "-y", "40", "-c", str(ROOT)]
    subprocess.run([*server, *session, f"env -u NO_COLOR -u COLUMNS -u LINES {path} {program}"], check=True)
    end = time.monotonic() + DEADLINE
    while (numbers := _numbers(_captured(server))) is None or numbers[0] < "1,000,003":
        assert time.monotonic() < end, _captured(server)
    seen, end = set(), time.monotonic() + WATCHED
    while time.monotonic() < end:
        frame = _captured(server)
        numbers = _numbers(frame)
        assert numbers is not None, frame
        assert numbers[0] == numbers[1], frame
        assert all(part in frame for part in ("VELOCITY", "EXCHANGE ACTIVITY", "TAPE", "1 monitor")), frame
        seen.add(numbers[0])
    assert len(seen) > 1
