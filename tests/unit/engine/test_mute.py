"""Sockets that a venue's own history proves mute, beside what the others' rates say of the same silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.engine.engine import Engine
from liquake.engine.snapshot import VenueState
from liquake.ledger import coverage
from liquake.model import CoverageKind, Event, FeedState, FeedStatus, Gap, Liquidation
from liquake.model.alert import AlertRule
from liquake.model.feed import LIQUIDATIONS
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
from tests.unit.engine.test_silence import (
    COVERAGES,
    DEAF,
    LEARN,
    SECOND,
    START,
    engine_after,
    liquidation,
    subscribed,
    trading,
    venue,
)

WHY = "its history has 2 liquidations since 14:02:07 UTC that its sockets did not bring, found after 75 s"
END = LEARN + DEAF


def at(second: float) -> int:
    return START + round(second * SECOND)


def dark(since: float = LEARN) -> FeedStatus:
    return FeedStatus("okx", LIQUIDATIONS, FeedState.DARK, at(since), "", WHY)


def resumed(second: float = END) -> list[Event]:
    gap = Gap("okx", LIQUIDATIONS, at(LEARN), at(second), f"dark: {WHY}")
    return [gap, FeedStatus("okx", LIQUIDATIONS, FeedState.RESUMED, at(second), "", "a socket brings liquidations")]


def late(second: float, number: int, age: int = 60) -> Liquidation:
    """What a history tells of okx so many seconds after it happened."""
    return liquidation("okx", at(second), number, late=age * SECOND)


def others(first: int, last: int) -> Iterator[Liquidation]:
    return trading(first, last, "okx")


def held(state: VenueState) -> list[tuple[FeedState, int, str]]:
    return [(each.state, each.since, each.reason) for each in state.connections if each.name == LIQUIDATIONS]


def test_it_is_dark_since_its_sockets_last_brought_one() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()])
    state = venue(engine, LEARN + 75)
    assert (state.state, state.kind, held(state)) == (
        FeedState.DARK, CoverageKind.DARK, [(FeedState.DARK, at(LEARN), WHY)],
    )  # fmt: skip
    assert state.covered["all"] == pytest.approx(LEARN / (LEARN + 75), abs=0.01)
    [line] = [record for record in engine.statistics().feeds if record.what.startswith("DARK")]
    assert (line.venue, line.connection, line.what) == ("okx", LIQUIDATIONS, f"DARK {WHY}")


def test_what_the_history_tells_meanwhile_is_counted_and_no_sign_of_life() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()])
    before = venue(engine, LEARN + 100).events
    for number in range(5):
        engine.apply(late(LEARN + 30 + number, -1 - number))
    engine.advance(at(LEARN + 100))
    state = venue(engine, LEARN + 100)
    assert (state.events, held(state)) == (before + 5, [(FeedState.DARK, at(LEARN), WHY)])
    # Nor does it say how long the sockets take.
    assert state.latency.worst < 1_000.0


def test_nor_is_what_is_refilled_when_they_speak_again() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()], resumed())
    engine.apply(late(END - 60, -1))
    assert venue(engine, END).latency.worst < 1_000.0


def test_its_end_leaves_the_gap_that_was_told_and_a_refill_takes_it_back() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()], others(LEARN, END), resumed())
    state = venue(engine, END)
    assert (state.state, held(state), state.gaps) == (FeedState.SUBSCRIBED, [], 1)
    [outage] = state.outages
    assert (outage.start, outage.end, outage.cause) == (at(LEARN), at(END), f"dark: {WHY}")
    gap = resumed()[0]
    assert isinstance(gap, Gap)
    engine.apply(msgspec.structs.replace(gap, recovered=True))
    state = venue(engine, END)
    assert (state.outages, state.gaps) == ((), 0)
    assert state.covered["all"] == pytest.approx(1.0)


def test_a_silence_that_is_proven_is_not_weighed_against_the_others() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()], others(LEARN, END))
    assert held(venue(engine, END)) == [(FeedState.DARK, at(LEARN), WHY)]
    for event in resumed():
        engine.apply(event)
    engine.advance(at(END + 5))
    # Nothing of the silence is left that would make it dark a moment later.
    assert held(venue(engine, END + 5)) == []


def test_found_by_both_what_is_proven_is_shown_and_one_gap_is_left() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), others(LEARN, END))
    [(state, _, reason)] = held(venue(engine, END))
    assert state is FeedState.DARK
    assert "others' rates" in reason
    engine.apply(dark())
    assert held(venue(engine, END)) == [(FeedState.DARK, at(LEARN), WHY)]
    for event in (late(END - 60, -1), liquidation("okx", at(END) - SECOND, -2), *resumed()):
        engine.apply(event)
    for event in trading(END, END + 30):
        engine.apply(event)
    final = venue(engine, END + 30)
    assert (held(final), [outage.cause for outage in final.outages]) == ([], [f"dark: {WHY}"])


def test_what_ends_the_rates_doubt_alone_does_not_end_the_proof() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), others(LEARN, END), [dark()])
    # As one that is refilled right after a reconnect: not late enough to be told from one of the sockets.
    engine.apply(liquidation("okx", at(END), -1))
    engine.advance(at(END + 5))
    state = venue(engine, END + 5)
    assert (held(state), state.outages) == ([(FeedState.DARK, at(LEARN), WHY)], ())


def test_reconnecting_proves_nothing() -> None:
    engine = engine_after(subscribed(), trading(0, LEARN), [dark()])
    for state in (FeedState.DISCONNECTED, FeedState.CONNECTING, FeedState.CONNECTED, FeedState.SUBSCRIBED):
        engine.apply(FeedStatus("okx", "1", state, at(LEARN + 80)))
    assert venue(engine, LEARN + 90).state is FeedState.DARK


def test_it_is_alerted_with_what_was_missed() -> None:
    engine, notifier = engine_after(subscribed(), trading(0, LEARN)), Notifier()
    notifier.update(situation_of(engine.snapshot(at(LEARN))))
    engine.apply(dark())
    alerts = notifier.update(situation_of(engine.snapshot(at(LEARN + 75))))
    [alert] = [alert for alert in alerts if alert.rule is AlertRule.FEED]
    assert alert.venue == "okx"
    assert WHY in alert.text


def test_a_replay_of_the_journal_gives_the_same_and_its_ledger_too(tmp_path: Path) -> None:
    happened = [
        *subscribed(), *trading(0, LEARN), dark(), *others(LEARN, END), late(END - 60, -1),
        liquidation("okx", at(END) - SECOND, -2), *resumed(), *trading(END, END + 30),
    ]  # fmt: skip
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for event in happened:
            journal.record([event])
    live, replayed = engine_after(happened), Engine(COVERAGES)
    for event in read_journal(path):
        replayed.apply(event)
    assert replayed.state_hash() == live.state_hash()
    one, other = (venue(engine, END + 30) for engine in (live, replayed))
    assert (one.connections, one.outages) == (other.connections, other.outages)
    [row] = [row for row in coverage(path, venues=["okx"]) if row.market == "ALL"]
    assert [gap.cause for gap in row.gaps] == [f"dark: {WHY}"]
    assert row.heard_share == pytest.approx(1.0 - DEAF / (END + 30), abs=0.02)


def test_a_journal_that_ends_while_it_is_dark_says_since_when(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for event in (*subscribed(), *trading(0, LEARN), dark(LEARN - 200), *others(LEARN, END)):
            journal.record([event])
    [row] = [row for row in coverage(path, venues=["okx"]) if row.market == "ALL"]
    assert row.heard_share == pytest.approx((LEARN - 200) / END, abs=0.02)
    assert row.at_least
    resumed_engine = Engine(COVERAGES)
    for event in read_journal(path):
        assert not isinstance(event, Gap)
        if isinstance(event, Liquidation | FeedStatus):
            resumed_engine.recall(event)
    assert resumed_engine.silent_since("okx", at(END)) == at(LEARN - 200)
