from __future__ import annotations

import pytest

from liquake.engine.ledger import GAPS_REMEMBERED, HISTORY_LENGTH, OUTAGES_SHOWN, Feed, History
from liquake.engine.snapshot import Outage
from liquake.model import DecodeError, FeedState, FeedStatus, Gap

SECOND = 1_000_000_000


def status(state: FeedState, *, connection: str = "linear-1", topic: str = "", reason: str = "") -> FeedStatus:
    return FeedStatus("bybit", connection, state, SECOND, topic, reason)


def after(*statuses: FeedStatus) -> Feed:
    feed = Feed()
    for each in statuses:
        feed.status(each)
    return feed


def states(feed: Feed) -> dict[str, FeedState]:
    return {name: held.state for name, held in feed.connections.items()}


def test_each_connection_has_its_own_state() -> None:
    feed = after(
        status(FeedState.CONNECTED), status(FeedState.STALE, connection="linear-2", reason="no price for 30 s")
    )
    assert states(feed) == {"linear-1": FeedState.CONNECTED, "linear-2": FeedState.STALE}
    assert feed.connections["linear-2"].reason == "no price for 30 s"


def test_a_refused_topic_is_named_and_does_not_hide_that_others_are_subscribed() -> None:
    feed = after(
        status(FeedState.SUBSCRIBED, topic="a"), status(FeedState.REJECTED, topic="b", reason="no such symbol")
    )
    assert states(feed) == {"linear-1": FeedState.SUBSCRIBED}
    assert feed.rejected() == ("b: no such symbol",)


def test_a_connection_with_nothing_but_refusals_is_rejected_until_one_is_accepted() -> None:
    feed = after(status(FeedState.CONNECTED), status(FeedState.REJECTED, topic="b"))
    assert states(feed) == {"linear-1": FeedState.REJECTED}
    assert feed.rejected() == ("b",)
    feed.status(status(FeedState.SUBSCRIBED, topic="a"))
    assert states(feed) == {"linear-1": FeedState.SUBSCRIBED}


def test_a_topic_accepted_later_is_no_longer_refused() -> None:
    refused = status(FeedState.REJECTED, topic="b", reason="busy")
    assert after(refused, status(FeedState.SUBSCRIBED, topic="b")).rejected() == ()
    assert after(refused, status(FeedState.CONNECTING)).rejected() == ()
    assert after(refused, status(FeedState.CONNECTING, connection="linear-2")).rejected() == ("b: busy",)


def test_reconnects_count_connections_that_came_back() -> None:
    down, up = status(FeedState.DISCONNECTED), status(FeedState.CONNECTED)
    assert after(up).reconnects == 0
    assert after(up, down, up, down, up).reconnects == 2
    assert after(down, down, up).reconnects == 1


@pytest.mark.parametrize("state", [FeedState.SUBSCRIBED, FeedState.RESUMED])
def test_one_more_subscription_of_many_is_no_news(state: FeedState) -> None:
    feed = after(status(state, topic="a"))
    assert feed.status(status(FeedState.SUBSCRIBED, topic="b")) is False
    assert states(feed) == {"linear-1": state}
    assert feed.status(status(FeedState.STALE)) is True


def gap(start: int, *, recovered: bool = False) -> Gap:
    return Gap("bybit", "linear-1", start * SECOND, (start + 10) * SECOND, "disconnected", recovered)


def test_a_refilled_gap_is_taken_back_once() -> None:
    feed = Feed()
    for each in (gap(0), gap(0), gap(50), gap(0, recovered=True), gap(0, recovered=True), gap(99, recovered=True)):
        feed.gap(each)
    assert (feed.gaps, feed.gap_nanoseconds) == (1, 10 * SECOND)


def test_what_is_drawn_of_gaps_are_those_still_open_with_their_cause() -> None:
    feed = Feed()
    for each in (gap(0), gap(50), gap(0, recovered=True)):
        feed.gap(each)
    assert feed.outages() == (Outage(50 * SECOND, 60 * SECOND, "disconnected"),)


def test_of_very_many_gaps_the_latest_are_drawn() -> None:
    feed = Feed()
    for number in range(OUTAGES_SHOWN + 3):
        feed.gap(gap(20 * number))
    assert [outage.start for outage in feed.outages()] == [20 * n * SECOND for n in range(3, OUTAGES_SHOWN + 3)]


def test_gaps_are_counted_beyond_those_remembered() -> None:
    feed = Feed()
    for number in range(GAPS_REMEMBERED + 5):
        feed.gap(gap(20 * number))
    feed.gap(gap(0, recovered=True))
    assert feed.gaps == GAPS_REMEMBERED + 5


def unreadable(connection: str = "linear-1") -> DecodeError:
    return DecodeError("bybit", connection, SECOND, "not JSON", b"<")


def test_a_run_of_unreadable_frames_makes_one_line() -> None:
    history = History()
    for error in (unreadable(), unreadable(), unreadable("linear-2"), unreadable()):
        history.error(error)
    history.status(status(FeedState.SUBSCRIBED, topic="a", reason="b"))
    history.error(unreadable())
    assert [(record.connection, record.what) for record in history.records()] == [
        ("linear-1", "unreadable: not JSON"),
        ("linear-2", "unreadable: not JSON"),
        ("linear-1", "unreadable: not JSON"),
        ("linear-1", "SUBSCRIBED a: b"),
        ("linear-1", "unreadable: not JSON"),
    ]


def test_a_gap_is_written_with_its_length_and_outcome() -> None:
    history = History()
    history.gap(gap(0))
    history.gap(gap(0, recovered=True))
    assert [record.what for record in history.records()] == [
        "gap of 10.0 s, disconnected: events may be missing",
        "gap of 10.0 s, disconnected: refilled",
    ]


def test_only_the_latest_lines_are_kept() -> None:
    history = History()
    for number in range(HISTORY_LENGTH + 7):
        history.status(status(FeedState.STALE, reason=str(number)))
    assert len(history.records()) == HISTORY_LENGTH
    assert history.records()[-1].what == f"STALE {HISTORY_LENGTH + 6}"
