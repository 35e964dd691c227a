"""The same content as text."""

from __future__ import annotations

import io
import re

import pytest

from liquake.engine.snapshot import Snapshot
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.status import Status
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, LIVE, RICH, SUBSCRIBED

GOLDEN_RICH = """\
"""
GOLDEN_SUBSCRIBED = """\
"""


def _print(snapshot: Snapshot, status: Status, *, unicode: bool = True, width: int | None = None) -> str:
    file = io.StringIO()
    PlainScreen(file, width).show(Picture(snapshot, status, View(), load_theme("dark", unicode=unicode)))
    return file.getvalue()


def test_a_fall_on_four_venues_in_80_columns() -> None:
    assert _print(RICH, DEMO) == GOLDEN_RICH


def test_connected_and_waiting_in_80_columns() -> None:
    assert _print(SUBSCRIBED, LIVE) == GOLDEN_SUBSCRIBED


def test_a_pipe_gets_no_escape_sequences_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert "\x1b" not in _print(RICH, DEMO)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(len(line) for line in _print(RICH, DEMO, width=width).splitlines()) <= width


def test_a_wider_screen_shows_more() -> None:
    assert "1 h SHORT" in _print(RICH, DEMO, width=120)
    assert "1 h SHORT" not in _print(RICH, DEMO, width=80)


def test_ascii_holds_the_same_numbers() -> None:
    def numbers(text: str) -> list[str]:
        return re.findall(r"\d[\d,.]*", text.replace("/s^2", "").replace("/s^3", "").replace("+-", " "))

    plain = _print(RICH, DEMO, unicode=False)
    assert plain.isascii()
    assert numbers(plain) == numbers(_print(RICH, DEMO).replace("²", "").replace("³", ""))


@pytest.mark.parametrize(
    ("encoding", "able"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)]
)
def test_the_encoding_decides_on_the_signs(encoding: str, able: bool) -> None:
    assert speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is able


def test_each_picture_is_one_block_that_ends_with_an_empty_line() -> None:
    assert _print(RICH, DEMO).endswith("\n\n")
    assert "\n\n" not in _print(RICH, DEMO)[:-1]
