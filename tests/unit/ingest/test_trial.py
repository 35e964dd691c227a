"""What a link on trial brings counts; what it says of itself waits."""

from __future__ import annotations

from collections.abc import Sequence

from liquake.ingest.trial import Trial
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Gap, Price, PriceKind, Scope
from tests.unit.ingest.toy import liquidation

Told = tuple[Sequence[Event], bytes, str, int]
PRICE = Price("toy", "BTC", "BTC", PriceKind.MARK, 100.0, 1, 1)
UNREADABLE = DecodeError("toy", "only", 1, "no words", b"{")


def status(state: FeedState, topic: str = "", reason: str = "") -> FeedStatus:
    return FeedStatus("toy", "only", state, 1, topic, reason)


def trial() -> tuple[Trial, list[Told]]:
    told: list[Told] = []
    return Trial(lambda events, frame, connection, ts: told.append((events, frame, connection, ts))), told


def test_what_the_venue_says_is_passed_on_at_once() -> None:
    on_trial, told = trial()
    brought: list[Event] = [liquidation(5, 6), UNREADABLE, PRICE]
    for number, event in enumerate(brought):
        on_trial((event,), b"frame", "only", number)
    assert told == [((event,), b"frame", "only", number) for number, event in enumerate(brought)]


def test_a_frame_of_both_kinds_is_told_once() -> None:
    on_trial, told = trial()
    subscribed = status(FeedState.SUBSCRIBED, "a")
    on_trial((subscribed, PRICE), b"frame", "only", 1)
    on_trial.taken(9)
    assert told == [((PRICE,), b"frame", "only", 1), ((subscribed,), b"", "only", 9)]


def test_what_it_says_of_itself_is_said_in_order_once_it_is_taken() -> None:
    on_trial, told = trial()
    states: list[Event] = [
        status(FeedState.CONNECTED),
        status(FeedState.SUBSCRIBED, "a"),
        Scope("toy", "only", 1, None),
    ]
    for event in states:
        on_trial((event,), b"frame", "only", 1)
    assert told == []
    on_trial.taken(9)
    assert told == [((event,), b"frame", "only", 9) for event in states]
    on_trial.taken(10)
    assert len(told) == 3


def test_its_silence_is_no_gap_of_the_feed() -> None:
    on_trial, told = trial()
    on_trial((Gap("toy", "only", 1, 2, "no price"),), b"", "only", 2)
    on_trial.taken(9)
    assert told == []


def test_what_it_was_refused_is_known_before() -> None:
    on_trial, _ = trial()
    on_trial((status(FeedState.SUBSCRIBED, "a"), status(FeedState.REJECTED, "b", "no such channel")), b"", "only", 1)
    on_trial((PRICE, status(FeedState.REJECTED, "c", "too many")), b"", "only", 1)
    assert on_trial.refused == {"b": "no such channel", "c": "too many"}
