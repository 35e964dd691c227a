from __future__ import annotations

import pytest

from liquake.engine.books import VenueBooks
from liquake.engine.snapshot import Activity, Derivative, Motion, Sum, WindowKinematics
from liquake.model import FeedState, FeedStatus
from tests.unit.engine.events import COVERAGES, NOON, liquidation


@pytest.mark.parametrize(
    ("age", "state"),
    [(0.0, "LIVE"), (4.9, "LIVE"), (5.0, "ACT"), (59.9, "ACT"), (60.0, "idle"), (3599.0, "idle"), (3600.0, "old")],
)
def test_activity_fades_with_age(age: float, state: str) -> None:
    assert Activity("bybit", "BTCUSDT", liquidation(0), age, Sum(), Sum(), Sum()).state == state


@pytest.mark.parametrize(("velocity", "trusted"), [(2.4, False), (2.5, True)])
def test_derivatives_are_trusted_from_five_expected_events(velocity: float, trusted: bool) -> None:
    none = Derivative(0.0, 0.0)
    motion = Motion(Derivative(velocity, 1.0), none, none)
    assert WindowKinematics(2.0, 5, 0.0, motion, motion).trusted is trusted


def test_a_venue_is_as_well_as_its_worst_connection() -> None:
    venue = VenueBooks("bybit", COVERAGES["bybit"], sample=False)
    for name, state in (
        ("linear-1", FeedState.SUBSCRIBED),
        ("linear-2", FeedState.STALE),
        ("inverse-1", FeedState.RESUMED),
    ):
        venue.feed.status(FeedStatus("bybit", name, state, NOON))
    assert venue.state(NOON, NOON).state is FeedState.STALE
