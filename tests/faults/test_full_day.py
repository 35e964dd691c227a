"""A quarter of an hour of the market on every venue through everything that goes wrong: what was sent is held, or its gap is."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.day import Account, day

from liquake.venues import VENUES

FAULTS = (
    "drop",
    "close",
    "garbage",
    "moved, the old address silent",
    "moved, the old address refusing",
)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Account]:
    path: Path = tmp_path_factory.mktemp("day") / "journal.db"
    return day(900.0, "busy", seed=5, assets=("BTC", "ETH"), pace=140.0, path=path)


@pytest.mark.timeout(300)
def test_every_venue_suffers_every_fault(accounts: dict[str, Account]) -> None:
    assert accounts.keys() == VENUES.keys()
    for venue, held in accounts.items():
        assert held.published > 5, venue
        assert all(held.faults[fault] for fault in FAULTS), (venue, held.faults)
        assert held.repeated > 0, venue
        # Of Deribit no socket tells a liquidation: it is asked again for what it has told before.
        assert VENUES[venue].poll or (held.faults["duplicate"] and held.faults["replay"]), (venue, held.faults)


def test_nothing_is_held_that_was_not_published_nor_on_the_other_side(accounts: dict[str, Account]) -> None:
    assert {venue: (held.extra, held.mistaken) for venue, held in accounts.items()} == dict.fromkeys(VENUES, (0, 0))


def test_what_was_published_and_is_not_held_was_sent_within_a_gap_that_the_ledger_holds(
    accounts: dict[str, Account],
) -> None:
    assert {venue: held.unaccounted for venue, held in accounts.items() if held.unaccounted} == {}


def test_where_a_venue_has_a_history_nothing_is_lost_but_what_it_has_not(accounts: dict[str, Account]) -> None:
    for venue in ("bitfinex", "bitget", "deribit", "dydx", "gate", "kraken"):
        assert accounts[venue].lost == 0, venue
        assert accounts[venue].refilled > 3, venue
