"""Numbers as text. The examples of the module run here too."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.tui import formats, table

NUMBERS = st.floats(min_value=-1e14, max_value=1e14, allow_nan=False)


@pytest.mark.parametrize("module", [formats, table], ids=lambda module: module.__name__)
def test_the_examples_in_the_documentation_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("read", [formats.dollars, formats.exact_dollars, formats.short])
@given(value=NUMBERS)
def test_a_number_reads_negative_only_if_it_is(read: Callable[[float], str], value: float) -> None:
    assert read(value).startswith("-") == (value < 0.0)


@given(value=NUMBERS)
def test_a_short_number_keeps_its_width_and_three_digits(value: float) -> None:
    text = formats.short(value)
    assert len(text.removeprefix("-")) <= 6
    scale = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1.0)
    read = float(text.rstrip("kMBT").replace(",", "")) * scale
    assert read == pytest.approx(value, rel=0.0051, abs=0.0051)


@given(value=st.floats(-1e9, 1e9), error=st.floats(1e-4, 1e9))
def test_a_measurement_reads_back_within_its_own_precision(value: float, error: float) -> None:
    texts = formats.measurement(value, error, signed=True)
    scale = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(texts[0][-1], 1.0)
    read, noise = (float(text.rstrip("kMBT").replace(",", "")) * scale for text in texts)
    assert noise >= error * 0.999999
    assert abs(read - value) <= noise
    # What reads as nothing has no direction.
    assert texts[0][0] == ("-" if read < 0 else "+" if read > 0 else "0")


@given(value=st.floats(1e-6, 1e9))
def test_an_error_never_reads_as_none(value: float) -> None:
    assert not re.fullmatch(r"[0.,]+[kMB]?", formats.measurement(0.0, value, signed=False)[1])


@given(seconds=st.floats(0.0, 9e6))
def test_an_age_fits_its_column(seconds: float) -> None:
    assert len(formats.age(seconds)) <= 6


@given(milliseconds=st.floats(0.0, 9e6))
def test_a_latency_always_has_a_unit(milliseconds: float) -> None:
    assert re.fullmatch(r"(<0\.01 m|[\d.]+ m?)s|\d+m\d\ds|\d+h\d\dm", formats.latency(milliseconds))


@pytest.mark.parametrize("read", [formats.dollars, formats.exact_dollars])
def test_unknown_dollars_are_a_word(read: Callable[[float | None], str]) -> None:
    assert read(None) == "unknown"


def test_unknown_coins_are_words_and_never_zero() -> None:
    assert formats.coins(None, "BTC") == "size unknown"
    assert formats.exact_coins(None, "BTC") == "unknown BTC"
