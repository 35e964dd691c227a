"""Ranks and quantiles with decay, against a list of every sample with its weight."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.histogram import WEEK, DecayedHistogram
from liquake.errors import StateError

SECOND = 1_000_000_000
DAY = 86_400 * SECOND

samples = st.lists(st.tuples(st.floats(0.0, 1e9), st.integers(0, 60 * DAY)), min_size=1, max_size=60)


def slow_rank(
    value: float, seen: list[tuple[float, int]], half_life: float, width: float = 1.05
) -> tuple[float, float]:
    """The least and the most the rank of `value` can be when values within one bucket are not told apart."""
    newest = max(ts for _, ts in seen)
    masses = [(other, 0.5 ** ((newest - ts) / SECOND / half_life)) for other, ts in seen]
    total = sum(mass for _, mass in masses) + 1.0
    below = sum(mass for other, mass in masses if other < value / width)
    upto = sum(mass for other, mass in masses if other <= value * width)
    return (below + 0.5) / total, (upto + 0.5) / total


@given(samples, st.floats(1e-3, 1e9))
def test_rank_agrees_with_every_sample_weighed_by_age(seen: list[tuple[float, int]], value: float) -> None:
    histogram = DecayedHistogram(half_life=WEEK)
    for sample, ts in seen:
        histogram.update(sample, ts)
    least, most = slow_rank(value, seen, WEEK)
    assert least - 1e-9 <= histogram.rank(value) <= most + 1e-9


def test_ranks_of_a_smooth_distribution_are_right_to_half_a_per_cent() -> None:
    random, histogram = Random(7), DecayedHistogram()
    for _ in range(200_000):
        histogram.update(random.lognormvariate(9.0, 1.5), ts=0)
    ordered = sorted(random.lognormvariate(9.0, 1.5) for _ in range(200_000))
    for share in (0.01, 0.1, 0.5, 0.9, 0.99, 0.999):
        assert histogram.rank(ordered[int(share * len(ordered))]) == pytest.approx(share, abs=0.005)


def test_quantiles_are_right_to_half_a_bucket() -> None:
    histogram = DecayedHistogram()
    for value in range(1, 10_001):
        histogram.update(value, ts=0)
    for share in (0.05, 0.5, 0.95, 0.995):
        assert histogram.quantile(share) == pytest.approx(share * 10_000, rel=0.026)
    assert histogram.quantile(1.0) == pytest.approx(10_000, rel=0.026)


@given(samples, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(seen: list[tuple[float, int]], random: Random) -> None:
    one, other = DecayedHistogram(), DecayedHistogram()
    shuffled = random.sample(seen, len(seen))
    for sample, ts in seen:
        one.update(sample, ts)
    for sample, ts in shuffled:
        other.update(sample, ts)
    now = 61 * DAY
    assert other.weight(now) == pytest.approx(one.weight(now), rel=1e-9)
    assert [other.rank(v) for v in (0.0, 1.0, 1e6)] == pytest.approx([one.rank(v) for v in (0.0, 1.0, 1e6)], rel=1e-9)


def test_a_sample_a_half_life_old_counts_half() -> None:
    histogram = DecayedHistogram(half_life=3600.0)
    histogram.update(5.0, ts=0)
    assert histogram.weight(3600 * SECOND) == pytest.approx(0.5)
    assert histogram.weight(0) == 1.0
    histogram.update(50.0, ts=3600 * SECOND)
    assert histogram.weight(3600 * SECOND) == pytest.approx(1.5)


def test_a_century_of_silence_neither_overflows_nor_keeps_the_old() -> None:
    histogram = DecayedHistogram(half_life=60.0)
    histogram.update(1.0, ts=0)
    later = 36_500 * DAY
    histogram.update(100.0, ts=later)
    assert histogram.weight(later) == pytest.approx(1.0)
    assert histogram.quantile(0.01) == pytest.approx(100.0, rel=0.026)


def test_nought_has_a_rank_of_its_own() -> None:
    histogram = DecayedHistogram()
    for value in [0.0] * 80 + [3.0] * 20:
        histogram.update(value, ts=0)
    assert histogram.rank(0.0) == pytest.approx(0.4, abs=0.01)
    assert histogram.rank(3.0) == pytest.approx(0.9, abs=0.01)
    assert histogram.quantile(0.5) == 0.0


def test_few_samples_cannot_make_an_extreme() -> None:
    histogram = DecayedHistogram()
    assert histogram.rank(1e9) == 0.5
    for value in range(1, 10):
        histogram.update(value, ts=0)
    assert histogram.rank(1e9) == pytest.approx(0.95)


def test_numbers_that_are_none_are_left_out() -> None:
    histogram = DecayedHistogram()
    for value in (float("nan"), float("inf"), float("-inf")):
        histogram.update(value, ts=0)
    assert histogram.weight(0) == 0.0


def test_a_baseline_gives_way_to_the_markets_own_samples() -> None:
    histogram = DecayedHistogram()
    histogram.prime([1.0, 2.0, 4.0, 8.0], ts=0, weight=100.0)
    assert histogram.weight(0) == pytest.approx(100.0)
    before = histogram.rank(100.0)
    for _ in range(900):
        histogram.update(100.0, ts=0)
    assert before > 0.99
    assert histogram.rank(100.0) == pytest.approx(0.1 + 0.9 / 2, abs=0.01)


@given(samples)
def test_what_the_journal_keeps_comes_back_bit_for_bit(seen: list[tuple[float, int]]) -> None:
    histogram = DecayedHistogram(half_life=3600.0)
    for sample, ts in seen:
        histogram.update(sample, ts)
    again = DecayedHistogram.from_dict(json.loads(json.dumps(histogram.to_dict())))
    for one in (histogram, again):
        one.update(7.0, ts=61 * DAY)
    assert again.to_dict() == histogram.to_dict()


def test_another_form_is_refused() -> None:
    with pytest.raises(StateError, match="schema 99"):
        DecayedHistogram.from_dict({"schema": 99})


def test_reset_forgets_and_says_why() -> None:
    histogram = DecayedHistogram()
    histogram.update(1.0, ts=5)
    histogram.reset("throttle rule changed")
    assert histogram.weight(5) == 0.0
    assert histogram.reason == "throttle rule changed"
    assert histogram.to_dict() == DecayedHistogram().to_dict() | {"reason": "throttle rule changed"}


def test_reading_changes_nothing() -> None:
    histogram = DecayedHistogram()
    histogram.update(3.0, ts=0)
    before = histogram.to_dict()
    histogram.rank(1e-3), histogram.rank(1e6), histogram.quantile(0.5), histogram.weight(DAY)
    assert histogram.to_dict() == before
