"""Colour by meaning."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.style import Style

from liquake.model import CoverageKind, FeedState, Side
from liquake.tui.palettes import GROUNDS, PALETTES
from liquake.tui.theme import ASCII, WORDS, in_trouble, load_theme

SILENCE_PROVES_NOTHING = {FeedState.STALE, FeedState.DISCONNECTED, FeedState.DARK, FeedState.REJECTED}


def _red_green(style: Style) -> tuple[int, int]:
    assert style.color is not None
    red, green, _ = style.color.get_truecolor()
    return red, green


def test_long_liquidations_are_red_and_short_ones_green() -> None:
    theme = load_theme("dark")
    red, green = _red_green(theme.side(Side.LONG))
    assert red > 2 * green
    red, green = _red_green(theme.side(Side.SHORT))
    assert green > 2 * red


@pytest.mark.parametrize("name", PALETTES)
def test_every_palette_answers_every_token(name: str) -> None:
    assert load_theme(name).styles.keys() == load_theme("dark").styles.keys()


def test_mono_has_no_colour() -> None:
    styles = load_theme("mono").styles.values()
    assert all(style.color is None and style.bgcolor is None for style in styles)


def test_the_venues_have_four_different_colours() -> None:
    theme = load_theme("dark")
    assert len({theme.venue(name) for name in ("binance", "bybit", "okx", "hyperliquid")}) == 4


def test_a_venue_nobody_foresaw_has_the_same_colour_in_every_process() -> None:
    code = "from liquake.tui.theme import load_theme; print(load_theme('dark').venue('kraken'))"
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert runs == {f"{load_theme('dark').venue('kraken')}\n".encode()}


@pytest.mark.parametrize("state", FeedState)
def test_every_state_of_a_feed_has_a_word_and_a_colour(state: FeedState) -> None:
    assert WORDS[state]
    assert isinstance(load_theme("dark").feed(state), Style)
    assert in_trouble(state) == (state in SILENCE_PROVES_NOTHING)


@pytest.mark.parametrize(
    ("kind", "state", "mark"),
    [
        (CoverageKind.COMPLETE, FeedState.SUBSCRIBED, "="),
        (CoverageKind.THROTTLED, FeedState.SUBSCRIBED, "≥"),
        (CoverageKind.DELAYED, FeedState.SUBSCRIBED, "d"),
        (CoverageKind.SAMPLE, FeedState.SUBSCRIBED, "~"),
        (CoverageKind.DARK, FeedState.SUBSCRIBED, "!"),
        (CoverageKind.COMPLETE, FeedState.STALE, "!"),
        (CoverageKind.SAMPLE, FeedState.DISCONNECTED, "!"),
    ],
)
def test_the_mark_says_what_a_number_covers_and_trouble_comes_first(
    kind: CoverageKind, state: FeedState, mark: str
) -> None:
    assert load_theme("dark").coverage(kind, state) == mark


def test_the_ascii_signs_are_ascii() -> None:
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__struct_fields__)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255.0 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("token", ["text", "strong", "number", "muted", "side.long", "side.short", "state.trouble"])
def test_words_and_numbers_stand_out_from_their_ground(name: str, token: str) -> None:
    color = load_theme(name)[token].color
    assert color is not None
    light, dark = sorted((_luminance(color.name), _luminance(GROUNDS[name].background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= (3.5 if token == "muted" else 4.5)
