"""Late events are put in order, and none is lost."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.arrivals import Arrivals

SECOND = 1_000_000_000


@given(st.lists(st.integers(0, 100 * SECOND), max_size=60))
def test_what_comes_out_is_everything_in_order(times: list[int]) -> None:
    arrivals: Arrivals[int] = Arrivals()
    settled = [event for index, ts in enumerate(times) for event in arrivals.push(ts, index)]
    settled += arrivals.settle_all()
    assert [ts for ts, _ in settled] == sorted(ts for ts, _ in settled)
    assert sorted(item for _, item in settled) == list(range(len(times)))


@given(st.lists(st.integers(0, 20 * SECOND), max_size=60), st.randoms(use_true_random=False))
def test_within_the_watermark_nothing_changes_its_time(times: list[int], random: Random) -> None:
    arrivals: Arrivals[None] = Arrivals()
    late = sorted(times, key=lambda ts: ts + random.random() * 0.99 * SECOND)
    settled = [ts for at in late for ts, _ in arrivals.push(at, None)] + [ts for ts, _ in arrivals.settle_all()]
    assert settled == sorted(times)


def test_an_event_later_than_that_counts_at_the_oldest_open_moment() -> None:
    arrivals: Arrivals[str] = Arrivals(watermark=1.0)
    arrivals.push(10 * SECOND, "on time")
    assert list(arrivals.push(2 * SECOND, "late")) == [(9 * SECOND, "late")]


def test_pending_events_can_be_seen_without_taking_them() -> None:
    arrivals: Arrivals[str] = Arrivals()
    arrivals.push(10 * SECOND, "a")
    arrivals.push(10 * SECOND + 5, "b")
    assert arrivals.pending(10 * SECOND) == [(10 * SECOND, "a")]
    assert [item for _, item in arrivals.settle_all()] == ["a", "b"]
    assert arrivals.settle_all() == ()
