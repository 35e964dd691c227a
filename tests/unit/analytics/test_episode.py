"""Episodes, against the definition applied to every millisecond of the tape."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.episode import Episode, EpisodeThreshold, EpisodeTracker
from liquake.errors import StateError
from liquake.model import Side

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def tracker(threshold: float = 1000.0, watermark: float = 1.0) -> EpisodeTracker:
    return EpisodeTracker("BTCUSDT", Side.LONG, threshold, watermark)


def opened(episodes: EpisodeTracker) -> Episode:
    episode = episodes.value()
    assert episode is not None
    return episode


def slow_episodes(events: list[tuple[int, float]], threshold: float, until: int) -> list[tuple[int, int | None]]:
    """(start, end) in whole seconds, by looking at every second."""
    found: list[tuple[int, int | None]] = []
    above: int | None = None
    calm = 0
    for now in range(until + 1):
        back = sum(usd for ts, usd in events if now - 60 < ts <= now)
        is_open = bool(found) and found[-1][1] is None
        calm = calm + 1 if back < threshold / 4 else 0
        if back >= threshold:
            if not is_open:
                fresh = above is None or now - above >= 600
                found = [*found, (now, None)] if fresh else [*found[:-1], (found[-1][0], None)]
            above = now + 1  # Events fall on whole seconds: it stays above until the next.
        elif is_open and calm > 120:
            found[-1] = (found[-1][0], now)
    return found


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([50.0, 200.0, 300.0, 600.0, 1200.0])), max_size=25).map(
        sorted
    )
)
def test_starts_and_ends_are_those_of_the_definition(events: list[tuple[int, float]]) -> None:
    episodes, seen = tracker(watermark=0.0), dict[int, int | None]()
    changes: list[Episode] = []
    for ts, usd in events:
        changes += episodes.update(ts * SECOND, "binance", usd)
    changes += episodes.advance(4000 * SECOND)
    for change in changes:
        seen[change.start // SECOND] = change.end // SECOND if change.end is not None else None
    assert list(seen.items()) == slow_episodes(events, 1000.0, 4000)


def test_an_event_at_the_moment_of_closing_keeps_it_open() -> None:
    for late, closes in ((0, False), (1, True)):
        episodes = tracker(watermark=0.0)
        episodes.update(0, "okx", 1200.0)
        changes = episodes.update(180 * SECOND + late, "okx", 300.0)
        assert bool(changes) is closes


def test_it_opens_at_the_event_that_reaches_the_threshold_and_holds_the_minute_before() -> None:
    episodes = tracker()
    episodes.update(0, "okx", 5.0)
    episodes.update(100 * SECOND, "binance", 400.0)
    episodes.update(110 * SECOND, "bybit", 599.0)
    assert episodes.advance(119 * SECOND) == []
    episodes.update(120 * SECOND, "bybit", 1.0)
    (start,) = episodes.advance(121 * SECOND)
    assert (start.start, start.events, start.usd, start.end) == (120 * SECOND, 3, 1000.0, None)
    assert start.by_venue == {"binance": 400.0, "bybit": 600.0}
    assert start.key == "BTCUSDT-LONG-120000"


def test_it_closes_after_two_minutes_under_a_quarter() -> None:
    episodes = tracker()
    episodes.update(0, "okx", 900.0)
    episodes.update(30 * SECOND, "okx", 200.0)
    # 900 leave at 60 s: 200 remain, under 250.
    assert [change.end for change in episodes.advance(180 * SECOND)] == [None]
    (end,) = episodes.advance(181 * SECOND)
    assert end.end == 180 * SECOND
    assert (end.last, end.duration, end.peak) == (30 * SECOND, 0.0, 1100.0)


def test_a_flare_within_ten_minutes_is_the_same_episode() -> None:
    episodes = tracker(watermark=0.0)
    episodes.update(0, "okx", 1000.0)
    (closed,) = episodes.advance(300 * SECOND)
    (again,) = episodes.update(659 * SECOND, "okx", 1000.0)
    assert closed.end is not None
    assert (again.start, again.end, again.usd) == (closed.start, None, 2000.0)
    episodes.advance(1300 * SECOND)
    (new,) = episodes.update(1319 * SECOND, "okx", 1500.0)
    assert (new.start, new.usd) == (1319 * SECOND, 1500.0)


@given(st.randoms(use_true_random=False))
def test_order_of_arrival_within_the_watermark_does_not_matter(random: Random) -> None:
    events = [(round(second * SECOND * 0.7), 90.0 if 100 < second < 180 else 3.0) for second in range(400)]
    arrivals = sorted(events, key=lambda event: event[0] + random.random() * 0.99 * SECOND)
    one, other = tracker(), tracker()
    for ts, usd in events:
        one.update(ts, "okx", usd)
    for ts, usd in arrivals:
        other.update(ts, "okx", usd)
    for episodes in (one, other):
        episodes.advance(1000 * SECOND)
    assert opened(one).end is not None
    assert other.value() == one.value()


def test_how_often_time_is_told_changes_nothing() -> None:
    one, other = tracker(), tracker()
    for second in range(0, 900, 7):
        usd = 300.0 if 200 < second < 300 else 1.0
        for tenth in range(70):
            other.advance((second - 7) * SECOND + tenth * SECOND // 10)
        one.update(second * SECOND, "okx", usd)
        other.update(second * SECOND, "okx", usd)
    one.advance(900 * SECOND)
    other.advance(900 * SECOND)
    assert opened(one).end is not None
    assert one.value() == other.value()


def test_the_highest_probability_said_is_kept() -> None:
    episodes = tracker(watermark=0.0)
    episodes.advance(0, 0.99)
    episodes.update(SECOND, "okx", 1500.0)
    assert opened(episodes).peak_probability is None
    for probability in (0.4, 0.7, 0.2, None):
        episodes.advance(2 * SECOND, probability)
    assert opened(episodes).peak_probability == 0.7


def test_reset_forgets_the_open_one() -> None:
    episodes = tracker(watermark=0.0)
    episodes.update(0, "okx", 1500.0)
    episodes.reset("gap")
    assert (episodes.value(), episodes.minute, episodes.reason) == (None, 0.0, "gap")
    assert episodes.update(SECOND, "okx", 10.0) == []


def test_the_threshold_is_the_prior_until_a_day_has_been_seen_and_then_frozen_for_each() -> None:
    threshold = EpisodeThreshold(prior=650_000.0)
    for second in range(0, 49 * 3600, 60):
        threshold.update(float(second % 1000), second * SECOND)
        threshold.event(0.5, second * SECOND)
        if second < 24 * 3600:
            assert threshold.value() == 650_000.0
    frozen = threshold.value()
    assert frozen == pytest.approx(980.0, rel=0.03)
    threshold.update(1e9, 50 * HOUR)
    assert threshold.value() == frozen


def test_a_dead_market_does_not_call_a_few_events_a_cascade() -> None:
    threshold = EpisodeThreshold(prior=1.0)
    for hour in range(30):
        threshold.update(0.0, hour * HOUR)
        threshold.event(2000.0, hour * HOUR)
    assert threshold.value() == pytest.approx(200_000.0, rel=0.03)
    threshold.reset("new")
    threshold.update(5.0, 30 * HOUR + 23 * HOUR)
    threshold.update(5.0, 30 * HOUR + 25 * HOUR)
    assert threshold.value() == 1.0


def test_the_threshold_comes_back_from_the_journal() -> None:
    threshold, again = EpisodeThreshold(prior=1.0), EpisodeThreshold(prior=9.0)
    for hour in range(30):
        threshold.update(500.0 * hour, hour * HOUR)
        threshold.event(10.0, hour * HOUR)
    again.restore(json.loads(json.dumps(threshold.to_dict())))
    assert again.value() == threshold.value() > 1000.0
    for one in (threshold, again):
        one.update(1e6, 47 * HOUR)
        one.update(1e6, 49 * HOUR)
    assert again.value() == threshold.value()
    with pytest.raises(StateError):
        again.restore({"sums": {}, "sizes": {}})
