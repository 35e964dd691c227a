"""Ranks of the motion in the market's own week."""

from __future__ import annotations

import json
from random import Random

import pytest

from liquake.analytics.significance import Status, status
from liquake.analytics.standing import Standing
from liquake.errors import StateError

SECOND = 1_000_000_000


def hours_of(standing: Standing, seconds: int, seed: int = 1) -> int:
    random = Random(seed)
    for second in range(seconds):
        for window in standing.windows:
            standing.update(window, random.random(), random.gauss(0, 1), random.gauss(0, 5), second * SECOND)
    return seconds * SECOND


def test_motions_are_ranked_by_magnitude() -> None:
    standing = Standing([2.0])
    now = hours_of(standing, 20_000)
    ranks = standing.value(2.0, 0.9, -1.96, 0.0, now)
    assert ranks is not None
    assert ranks.velocity == pytest.approx(0.9, abs=0.03)
    assert ranks.acceleration == pytest.approx(0.95, abs=0.02)
    assert ranks.jerk < 0.01


def test_no_rank_before_there_is_a_history() -> None:
    standing = Standing([0.1, 60.0])
    now = hours_of(standing, 301)
    assert standing.value(0.1, 1.0, 0.0, 0.0, now) is not None
    assert standing.value(60.0, 1.0, 0.0, 0.0, now) is None
    assert status(9.0, None) is Status.ACTIVE


def test_it_comes_back_from_the_journal() -> None:
    standing, again = Standing([0.1, 2.0]), Standing([0.1, 2.0])
    now = hours_of(standing, 700)
    again.restore(json.loads(json.dumps(standing.to_dict())))
    assert again.value(2.0, 0.5, 0.5, 0.5, now) == standing.value(2.0, 0.5, 0.5, 0.5, now) is not None
    with pytest.raises(StateError, match=r"windows \['0.1', '2.0'\], this version has \['5.0'\]"):
        Standing([5.0]).restore(standing.to_dict())


def test_reset_forgets_the_week() -> None:
    standing = Standing([0.1])
    now = hours_of(standing, 400)
    standing.reset("venues changed")
    assert (standing.value(0.1, 1.0, 0.0, 0.0, now), standing.reason) == (None, "venues changed")
