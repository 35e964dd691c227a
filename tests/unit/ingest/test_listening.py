"""What sockets should have brought, by what they told of themselves."""

from __future__ import annotations

import msgspec
import pytest

from liquake.clock import SECOND
from liquake.ingest.listening import MARGIN, Listening
from liquake.model import FeedState, FeedStatus, Gap, Liquidation, Scope
from tests.unit.ingest.toy import liquidation

UP = 1_790_000_000 * SECOND


def at(seconds: float, asset: str = "BTC") -> Liquidation:
    """That happened so many seconds after the connection was up."""
    ts = UP + round(seconds * SECOND)
    return msgspec.structs.replace(liquidation(ts, ts), asset=asset)


def scope(*assets: str, name: str = "1", refused: tuple[str, ...] | None = (), after: float = 0.0) -> Scope:
    return Scope("toy", name, UP + round(after * SECOND), assets or None, refused)


def status(state: FeedState, name: str = "1") -> FeedStatus:
    return FeedStatus("toy", name, state, UP)


def gap(start: float, end: float, name: str = "1") -> Gap:
    return Gap("toy", name, UP + round(start * SECOND), UP + round(end * SECOND), "code 1006")


def listening(*events: FeedStatus | Scope | Gap, assets: tuple[str, ...] | None = None) -> Listening:
    held = Listening(assets)
    for event in events:
        held.state(event)
    return held


def test_listening_begins_with_the_first_connection_that_brings_liquidations() -> None:
    prices_alone = msgspec.structs.replace(scope(), assets=())
    held = listening(status(FeedState.CONNECTING), prices_alone)
    assert (held.brought, held.whole) == (None, False)
    held.state(scope(name="2", after=3.0))
    assert (held.brought, held.whole) == (UP + 3 * SECOND, True)


@pytest.mark.parametrize(
    ("again", "begun"),
    [
        (scope("BTC", after=50.0), 0),
        (scope("BTC", "ETH", after=50.0), 50),
        (scope("BTC", refused=("ETH",), after=50.0), 50),
    ],
)
def test_what_it_brings_from_now_on_it_did_not_bring_before(again: Scope, begun: int) -> None:
    assert listening(scope("BTC"), again).brought == UP + begun * SECOND


def test_the_newest_liquidation_counts_whatever_the_order() -> None:
    held = listening(scope())
    for event in (at(30), at(10)):
        held.liquidation(event)
    assert held.brought == UP + 30 * SECOND
    assert held.liquidated == {"BTC": 2}


def test_a_venue_whose_clock_runs_ahead_does_not_hide_what_comes_after() -> None:
    held = listening(scope())
    held.liquidation(msgspec.structs.replace(at(90), ts_recv=UP + 30 * SECOND))
    assert held.brought == UP + 30 * SECOND


def test_what_came_before_anything_was_said_of_the_connection_is_brought() -> None:
    held = Listening()
    held.liquidation(at(3))
    assert held.brought == UP + 3 * SECOND


@pytest.mark.parametrize("state", [FeedState.DISCONNECTED, FeedState.STALE, FeedState.CONNECTING])
def test_it_is_whole_again_once_the_gap_is_told(state: FeedState) -> None:
    held = listening(scope(), status(state))
    assert not held.whole
    held.state(scope(after=40.0))
    assert not held.whole
    held.state(gap(20, 40))
    held.state(status(FeedState.RESUMED))
    assert held.whole


def test_one_connection_that_is_away_may_be_the_one_that_would_bring_it() -> None:
    assert not listening(status(FeedState.CONNECTING), scope(), status(FeedState.CONNECTING, "2")).whole
    other_brings_none = msgspec.structs.replace(scope(name="2"), assets=())
    assert listening(scope(), other_brings_none, status(FeedState.DISCONNECTED, "2")).whole


def test_what_happened_well_after_the_last_is_owed() -> None:
    held = listening(scope())
    assert held.brought is not None
    margin = MARGIN / SECOND
    assert not held.owes(at(margin), held.brought)
    assert held.owes(at(margin + 1), held.brought)


@pytest.mark.parametrize(
    ("scopes", "assets"),
    [
        ([scope("ETH")], None),
        ([scope("BTC", refused=("BTC",))], None),
        ([scope("BTC", refused=None)], None),
        ([scope(), scope("ETH", name="2", refused=("BTC",))], None),
        ([scope()], ("ETH",)),
    ],
    ids=["not subscribed", "a contract refused", "any refused", "refused to another connection", "not asked for"],
)
def test_what_no_connection_promised_is_not_owed(scopes: list[Scope], assets: tuple[str, ...] | None) -> None:
    assert not listening(*scopes, assets=assets).owes(at(60), UP)


def test_what_lies_in_a_gap_is_missing_for_a_reason_that_is_known() -> None:
    held = listening(scope(), gap(50, 60), gap(90, 95))
    assert [second for second in range(40, 110) if not held.owes(at(second), UP)] == [*range(45, 66), *range(85, 101)]


def test_gaps_are_forgotten_with_what_was_brought_since() -> None:
    held = listening(scope(), gap(50, 60))
    held.liquidation(at(80))
    held.state(gap(90, 95))
    assert held.owes(at(55), UP)
    assert not held.owes(at(93), UP)
