"""What is shown is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquake.analytics.features import Component
from liquake.analytics.regime import Regime
from liquake.analytics.significance import Status
from liquake.engine.snapshot import TOTAL_WINDOWS
from liquake.model import PriceBasis
from liquake.model.alert import AlertRule, Level

PAGE = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text()
WORDS = [
    *(word.value for word in Status),
    *(regime.name for regime in Regime),
    *(rule.value for rule in AlertRule),
    *(level.name for level in Level if level > Level.NONE),
    *(component.value for component in Component if component is not Component.USD),
    *(basis.value.lower() for basis in PriceBasis),
    *(window[:-1] + " " + window[-1] for window in TOTAL_WINDOWS if window != "all"),
]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_on_a_screen_stands_on_the_page_of_numbers(word: str) -> None:
    assert word in PAGE


@pytest.mark.parametrize("path", sorted({part.split("`")[0] for part in PAGE.split("`")[1::2] if part.endswith(".py")}))
def test_the_code_it_names_is_there(path: str) -> None:
    assert (Path(__file__).parents[2] / "src" / "liquake" / path).is_file()
