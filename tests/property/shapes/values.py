"""What frames are made of: mostly what venues send, and now and then what they should not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from liquake.venues.shape import Shape
from tests.venues.cases import NOW


class Shaped(msgspec.Struct, frozen=True):
    """A shape of a venue, a frame that is in it, and frames in it and near it."""

    venue: str
    shape: Shape
    documented: str
    frames: st.SearchStrategy[str]


ODD_SYMBOLS = st.sampled_from(("", "A" * 65, "-", "é", "a b", "\\u0041"))
DECIMALS = st.decimals(0, 10**7, places=5).map(lambda number: f"{number:f}") | st.integers(0, 10**6).map(str)
ODD_NUMBERS = st.sampled_from(("0", "0.0", "-1", "1e5", "1e999", "01", "1.", "", "nan", "9007199254740993", "1" * 30))
TIMES = st.integers(NOW - 3, NOW)
ODD_TIMES = st.sampled_from((0, 10**12 - 1, 10**12, 10**14, 10**14 + 1, NOW + 10**7, 10**25, -NOW))


@st.composite
def usually(draw: st.DrawFn, common: st.SearchStrategy[object], odd: st.SearchStrategy[object]) -> object:
    # Not an end of the range, which is drawn far more often than the others.
    return draw(odd if draw(st.integers(0, 39)) == 23 else common)


def any_of(*words: str) -> st.SearchStrategy[object]:
    return usually(st.sampled_from(words), st.sampled_from(("", "other", words[0] * 2, words[0].swapcase())))


def symbols(*names: str) -> st.SearchStrategy[object]:
    return usually(st.sampled_from(names), ODD_SYMBOLS)


NUMBER, TIME = usually(DECIMALS, ODD_NUMBERS), usually(TIMES, ODD_TIMES)


@st.composite
def some(draw: st.DrawFn, row: st.SearchStrategy[str]) -> str:
    """None to four of `row`, now and then one of them twice."""
    rows: Sequence[str] = draw(st.lists(row, max_size=4))
    if rows and draw(st.integers(0, 9)) == 0:
        rows = [*rows, rows[0]]
    return ",".join(rows)
