"""Positions by the price that liquidates them."""

from __future__ import annotations

from math import exp, floor
from random import Random

import pytest

from liquake.model import Side
from liquake.simulate.ladder import CELLS, Ladder

HOUR = 3600.0


def cell(log_price: float) -> int:
    return floor(log_price * CELLS)


@pytest.mark.parametrize(("side", "towards"), [(Side.LONG, -1), (Side.SHORT, 1)])
def test_a_position_is_touched_once_when_the_price_passes_it_from_its_side(side: Side, towards: int) -> None:
    ladder = Ladder(side, HOUR)
    ladder.put(5.0 + towards * 0.01005, 1000.0)
    here, away, beyond = cell(5.0), cell(5.0 - towards * 0.02), cell(5.0 + towards * 0.02)
    assert ladder.take(here, away) == 0.0
    assert ladder.take(away, beyond) == pytest.approx(1000.0)
    assert ladder.take(away, beyond) == 0.0


def test_the_cell_the_price_stops_in_is_left_standing() -> None:
    ladder = Ladder(Side.LONG, HOUR)
    ladder.put(4.99005, 1000.0)
    assert ladder.take(cell(5.0), cell(4.99005)) == 0.0
    assert ladder.take(cell(4.99005), cell(4.9890)) == pytest.approx(1000.0)


def test_owners_close_positions_at_a_constant_rate() -> None:
    ladder = Ladder(Side.SHORT, HOUR)
    ladder.put(5.01, 1000.0)
    ladder.age_to(HOUR)
    ladder.put(5.02, 1000.0)
    assert ladder.usd == pytest.approx(1000.0 * exp(-1.0) + 1000.0)


def test_new_longs_are_liquidated_below_and_new_shorts_above_their_entry() -> None:
    longs, shorts = Ladder(Side.LONG, HOUR), Ladder(Side.SHORT, HOUR)
    for ladder in (longs, shorts):
        ladder.open(5.0, 1e6, Random(1))
    everything_below, everything_above = cell(5.0 - 1.0), cell(5.0 + 1.0)
    assert longs.take(cell(5.0), everything_below) == pytest.approx(1e6)
    assert shorts.take(cell(5.0), everything_above) == pytest.approx(1e6)


def test_density_counts_what_comes_next_per_unit_of_log_price() -> None:
    ladder = Ladder(Side.LONG, HOUR)
    ladder.put(4.9995, 600.0)
    ladder.put(4.9, 9e9)
    assert ladder.density(5.0, width=30) == pytest.approx(600.0 / 0.003)
