"""What the ledger of a journal says of a time, beside the rows that are exported from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

import liquake
from liquake.cli import main
from liquake.engine.snapshot import ALL
from liquake.ledger import Covered
from liquake.model import CoverageKind, Event, FeedState, FeedStatus, Gap, Listing, Scope
from liquake.storage.journal import Journal
from tests.unit.storage.events import SECOND, START, liquidation

CONNECTING, UP, DOWN = FeedState.CONNECTING, FeedState.SUBSCRIBED, FeedState.DISCONNECTED


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def when(seconds: float) -> datetime:
    return datetime.fromtimestamp(START // SECOND, UTC) + timedelta(seconds=seconds)


def status(venue: str, state: FeedState, seconds: float, connection: str = "main") -> FeedStatus:
    return FeedStatus(venue, connection, state, at(seconds))


def gap(venue: str, start: float, end: float, *, recovered: bool = False) -> Gap:
    return Gap(venue, "main", at(start), at(end), "closed by the venue with code 1006", recovered)


def sold(seconds: float, venue: str, asset: str = "BTC") -> Event:
    event = liquidation(round(seconds * 1000), venue=venue)
    return msgspec.structs.replace(event, asset=asset, id=f"{venue}-{asset}-{seconds}")


DAY: list[Event] = [
    status("bybit", CONNECTING, 0.0),
    status("okx", CONNECTING, 0.0),
    status("bybit", UP, 0.0),
    status("okx", UP, 0.0),
    Listing("bybit", "instruments", at(0.0), ("BTC", "ETH")),
    Scope("bybit", "main", at(0.0), ("BTC",), ("ETH",)),
    sold(10.0, "bybit"),
    sold(11.0, "okx"),
    sold(12.0, "okx", "ETH"),
    sold(13.0, "okx", "SOL"),
    status("bybit", DOWN, 200.0),
    gap("bybit", 200.0, 300.0),
    status("bybit", UP, 300.0),
    gap("okx", 400.0, 500.0),
    gap("okx", 400.0, 500.0, recovered=True),
    status("okx", DOWN, 900.0),
    sold(1000.0, "bybit"),
]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "day.db"
    with Journal(path) as journal:
        journal.record(DAY)
    return path


def by_place(rows: list[Covered]) -> dict[tuple[str, str], Covered]:
    return {(row.venue, row.market): row for row in rows}


def test_it_is_of_all_venues_of_each_and_of_each_market(journal: Path) -> None:
    rows = by_place(liquake.coverage(journal))
    assert list(rows)[:3] == [(ALL, ALL), ("bybit", ALL), ("okx", ALL)]
    shares = {place: round(row.heard_share, 6) for place, row in rows.items()}
    assert (shares[ALL, ALL], shares["bybit", ALL], shares["okx", ALL]) == (0.8, 0.9, 0.9)
    # Of ETH bybit refused the contract; it lists no SOL, so none of it is missing there.
    assert (shares["bybit", "ETHUSDT"], shares[ALL, "ETHUSDT"]) == (0.0, 0.0)
    assert ("bybit", "SOLUSDT") not in rows
    assert rows["bybit", "ETHUSDT"].refused


def test_a_complete_and_a_throttled_venue_add_up_to_a_lower_bound(journal: Path) -> None:
    whole = by_place(liquake.coverage(journal, start=when(10.0), end=when(150.0)))
    assert (whole["bybit", "BTCUSDT"].at_least, whole["bybit", "BTCUSDT"].coverage) == (False, CoverageKind.COMPLETE)
    assert (whole[ALL, "BTCUSDT"].at_least, whole[ALL, "BTCUSDT"].coverage) == (True, CoverageKind.THROTTLED)
    assert (whole["okx", ALL].throttle, whole["okx", ALL].interval) == ("latest", 1.0)
    assert whole["bybit", ALL].rule_since == "2025-02-20"


def test_gaps_are_rows_with_their_cause_and_whether_they_were_refilled(journal: Path) -> None:
    rows = by_place(liquake.coverage(journal))
    [stayed] = rows["bybit", ALL].gaps
    [refilled] = rows["okx", ALL].gaps
    assert (stayed.start, stayed.end, stayed.recovered) == (at(200.0), at(300.0), False)
    assert (refilled.cause, refilled.recovered) == ("closed by the venue with code 1006", True)
    assert rows["bybit", ALL].at_least


def test_a_gap_stands_beside_the_markets_that_its_connection_brought(journal: Path) -> None:
    rows = by_place(liquake.coverage(journal))
    assert len(rows["bybit", "BTCUSDT"].gaps) == 1
    assert rows["bybit", "ETHUSDT"].gaps == ()
    assert rows[ALL, "BTCUSDT"].gaps == ()


def test_a_time_is_judged_by_itself_though_a_gap_in_it_was_told_later(journal: Path) -> None:
    rows = by_place(liquake.coverage(journal, start=when(200.0), end=when(250.0)))
    assert (rows["bybit", ALL].heard_share, rows["okx", ALL].heard_share) == (0.0, 1.0)
    assert (rows["bybit", ALL].start, rows["bybit", ALL].end) == (at(200.0), at(250.0))
    assert rows["okx", ALL].gaps == ()
    assert by_place(liquake.coverage(journal, start=when(10.0), end=when(100.0)))["bybit", "BTCUSDT"].at_least is False


def test_it_can_be_narrowed_to_venues_and_markets(journal: Path) -> None:
    rows = liquake.coverage(journal, venues=["bybit"], markets=["BTC"])
    assert [(row.venue, row.market) for row in rows] == [("bybit", "BTCUSDT")]


def test_an_empty_journal_says_nothing_and_one_without_a_ledger_that_it_was_made(tmp_path: Path) -> None:
    Journal(tmp_path / "empty.db").close()
    assert liquake.coverage(tmp_path / "empty.db") == []
    with Journal(tmp_path / "rows.db") as journal:
        journal.record([sold(1.0, "bybit"), sold(101.0, "bybit"), sold(50.0, "mtgox")])
    rows = by_place(liquake.coverage(tmp_path / "rows.db"))
    assert (rows["bybit", ALL].heard_share, rows["bybit", ALL].at_least) == (1.0, False)
    # Of a venue that is not known nobody knows what it withholds.
    assert (rows["mtgox", ALL].heard_share, rows["mtgox", ALL].at_least) == (1.0, True)


def test_the_rest_of_a_longer_ledger_begins_with_a_feed_that_was_up(tmp_path: Path) -> None:
    with Journal(tmp_path / "rest.db") as journal:
        journal.record([sold(0.0, "bybit"), gap("bybit", 50.0, 60.0), sold(100.0, "bybit")])
    assert by_place(liquake.coverage(tmp_path / "rest.db"))["bybit", ALL].heard_share == 0.9


def test_an_export_lies_beside_what_its_sums_cover(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = journal.with_name("fall.csv")
    told = ["--journal", str(journal), "--output", str(output), "--symbols", "BTC"]
    assert main(["export", *told]) == 0
    beside = journal.with_name("fall.csv.coverage.json")
    assert str(beside) in capsys.readouterr().out
    rows = {row["venue"]: row for row in json.loads(beside.read_text())}
    assert set(rows) == {ALL, "bybit", "okx"}
    assert (rows["bybit"]["coverage"], rows[ALL]["at_least"]) == ("COMPLETE", True)
    assert rows[ALL]["heard_share"] == pytest.approx(0.8)


def test_a_check_says_it_and_finds_no_fault_in_a_gap(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--journal", str(journal), "--json"])
    rows = {row["place"]: row for row in json.loads(capsys.readouterr().out) if row["rule"] == "coverage"}
    assert all(row["ok"] for row in rows.values())
    assert rows["bybit"]["detail"] == (
        "complete, heard 90.0% of the time, a lower bound; 1 of 1 gaps not refilled; some contracts refused"
    )
    assert rows["okx"]["detail"].startswith("throttled, heard 90.0% of the time, a lower bound; 0 of 1")
    # A market of which nothing else was heard than of its venue has no line.
    assert set(rows) == {ALL, "bybit", "okx", "ALL ETHUSDT", "bybit ETHUSDT"}


def test_a_venue_that_was_given_up_is_not_heard_for_the_rest(tmp_path: Path) -> None:
    with Journal(tmp_path / "given-up.db") as journal:
        journal.record([status("okx", CONNECTING, 0.0), status("bybit", CONNECTING, 0.0)])
        journal.record([status("okx", UP, 0.0), status("bybit", UP, 0.0), sold(100.0, "okx"), sold(1000.0, "bybit")])
    row = by_place(liquake.coverage(tmp_path / "given-up.db"))["okx", ALL]
    assert row.heard_share == pytest.approx(0.1)
    assert [gap.cause for gap in row.gaps] == ["nothing was kept of it any more"]
