from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import asyncpg
import msgspec
import pytest

from liquake.model import Event, FeedState, FeedStatus, Liquidation, PriceBasis
from liquake.storage.check import Finding, check_journal, check_store
from liquake.storage.journal import Journal
from liquake.storage.redis import STREAM
from liquake.storage.sink import Follower, Sink
from tests.unit.storage.conftest import Store, at_start, client_of
from tests.unit.storage.events import SECOND, START, every_kind, liquidation, price

Following = Callable[[Sink, Path], AbstractAsyncContextManager[Follower]]


def sound(number: int) -> Liquidation:
    """A liquidation whose dollars are coins times price."""
    return msgspec.structs.replace(liquidation(number), amount=0.125, usd=512.5)


def wrong(path: Path, events: list[Event]) -> list[tuple[str, str]]:
    """Rule and place of what is wrong in a journal of `events`."""
    with Journal(path) as journal:
        journal.record(events)
    return [(finding.rule, finding.place) for finding in check_journal(path) if not finding.ok]


def test_a_sound_journal_has_nothing_wrong(tmp_path: Path) -> None:
    assert wrong(tmp_path / "j.db", every_kind()) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("values", {"price": -4100.0, "amount": None}),
        ("values", {"amount": 0.0}),
        ("values", {"usd": 3e9, "amount": 3e9 / 4100.0}),
        ("values", {"usd": float("inf"), "amount": None}),
        ("times", {"ts_event": START // 1000}),
        ("times", {"ts_event": START + 7200 * SECOND}),
        ("units", {"amount": 12.5}),
        ("units", {"amount": 125.0}),
        ("units", {"usd": 5.125}),
        ("units", {"usd": 700.0}),
        ("prices", {"price": 41.0, "amount": None}),
    ],
)
def test_what_cannot_be_is_found(rule: str, changes: dict[str, float | None], tmp_path: Path) -> None:
    event = msgspec.structs.replace(sound(5), **changes)
    found = wrong(tmp_path / "j.db", [price(1), sound(2), event])
    assert (rule, "okx") in found
    if rule != "prices":
        assert {name for name, _ in found} <= {rule, "units", "prices"}


def test_a_thousand_coins_to_a_quoted_unit_and_entry_prices_are_no_fault(tmp_path: Path) -> None:
    bundled = msgspec.structs.replace(sound(5), instrument="1000PEPEUSDT", amount=125.0)
    entry = msgspec.structs.replace(sound(6), price=41.0, price_basis=PriceBasis.ENTRY, amount=None)
    assert wrong(tmp_path / "j.db", [price(1), bundled, entry]) == []


def test_a_silence_that_the_ledger_does_not_explain_is_found(tmp_path: Path) -> None:
    assert wrong(tmp_path / "j.db", [price(0), price(121_000)]) == [("gaps", "okx")]


def test_a_silence_that_ends_with_a_reconnect_is_explained(tmp_path: Path) -> None:
    back = FeedStatus("okx", "public-1", FeedState.CONNECTING, START + 120_500 * 1_000_000)
    assert wrong(tmp_path / "j.db", [price(0), back, price(121_000)]) == []


@pytest.mark.parametrize("change", ["UPDATE hours SET usd = usd + 0.02", "DELETE FROM minutes"])
def test_sums_that_are_not_those_of_the_rows_are_found(change: str, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    assert wrong(path, [sound(1), sound(2)]) == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()
    assert [finding.rule for finding in check_journal(path) if not finding.ok] == ["sums"]


async def broken(store: Store) -> None:
    """Take one row out of the store behind its back."""
    if store.url.startswith("redis"):
        async with client_of(store.url) as client:
            await client.xtrim(STREAM, maxlen=9, approximate=False)
        return
    connection = await asyncpg.connect(store.url)
    await connection.execute("DELETE FROM liquake.liquidations WHERE size = 3")
    await connection.close()


def faults(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.place, finding.detail) for finding in findings if not finding.ok]


async def test_a_store_is_held_against_the_journal_by_day_venue_and_side(
    store: Store, following: Following, tmp_path: Path
) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([sound(number) for number in range(10)])
    async with following(store.make(), path) as follower:
        await follower.drained()
    assert faults(await check_store(store.make(), path, at_start())) == []
    await broken(store)
    assert faults(await check_store(store.make(), path, at_start())) == [
        ("rows and dollars", "2025-10-09 okx LONG", "9 rows of 10, 4,612.50 USD of 5,125.00")
    ]


async def test_a_store_that_is_late_is_found(store: Store, following: Following, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([sound(1)])
        async with following(store.make(), path) as follower:
            journal.flush()
            await follower.drained()
        journal.record([sound(2)])
    ((rule, _, detail),) = faults(await check_store(store.make(), path, at_start() + SECOND))
    assert (rule, detail) == ("cursor", "1 rows to come, for 61 s")
