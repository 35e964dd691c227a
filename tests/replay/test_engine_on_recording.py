from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL
from liquake.model import Coverage, CoverageKind, Liquidation, PriceBasis, Side

MILLISECOND = 1_000_000
OKX = {"okx": Coverage(CoverageKind.THROTTLED, "At most one order per contract and second.")}


@pytest.fixture(scope="module")
def recording(shared: Path) -> list[Liquidation]:
    """The liquidations of an OKX recording of 24 hours, in order of arrival."""
    with gzip.open(shared / "data" / "okx_mar2026.csv.gz", "rt", newline="") as file:
        return [
            Liquidation(
                venue="okx",
                instrument=row["symbol"],
                asset=row["symbol"].split("-")[0],
                side=Side(row["side"]),
                price=float(row["price"]),
                price_basis=PriceBasis.BANKRUPTCY,
                amount=float(row["base_amount"]),
                usd=float(row["usd"]),
                ts_event=int(row["ts_ms"]) * MILLISECOND,
                ts_recv=0,
                id=row["arrival"],
            )
            for row in csv.DictReader(file)
        ]


def engine_after(events: list[Liquidation]) -> Engine:
    engine = Engine(OKX)
    for event in events:
        engine.apply(event)
    return engine


def test_a_recorded_day_has_its_known_sums(recording: list[Liquidation]) -> None:
    statistics = engine_after(recording).statistics()
    assert statistics.total.events == 5_816
    assert statistics.total.usd == pytest.approx(27_526_274.61, abs=0.005)
    assert {side: held.events for side, held in statistics.by_side.items()} == {"LONG": 1_812, "SHORT": 4_004}
    bitcoin = statistics.by_market["BTCUSDT"]
    assert bitcoin["LONG"].amount == pytest.approx(46.7603, abs=5e-5)
    assert bitcoin["SHORT"].amount == pytest.approx(79.5244, abs=5e-5)
    assert statistics.latency.count == 0
    assert statistics.duplicates == statistics.total.unsized == 0


def test_peaks_of_a_recorded_day_are_those_of_a_search(recording: list[Liquidation]) -> None:
    events = sorted((event.ts_event, event.usd or 0.0) for event in recording)
    for peak in engine_after(recording).statistics().peaks:
        width, first, usd, most, richest = round(peak.window * 1e9), 0, 0.0, 0, 0.0
        for number, (end, dollars) in enumerate(events):
            usd += dollars
            while events[first][0] <= end - width:
                usd -= events[first][1]
                first += 1
            most, richest = max(most, number + 1 - first), max(richest, usd)
        assert peak.events == most
        assert peak.usd == pytest.approx(richest, rel=1e-9)


@pytest.mark.parametrize("every", [1, 7, 500])
def test_the_hash_of_a_recorded_day_does_not_know_how_often_it_was_read(
    recording: list[Liquidation], every: int
) -> None:
    left_alone, looked_at = engine_after(recording[:1_500]), Engine(OKX)
    newest = 0
    for number, event in enumerate(recording[:1_500]):
        looked_at.apply(event)
        newest = max(newest, event.ts_event)
        if number % every == 0:
            looked_at.snapshot(newest, ["BTCUSDT"])
    assert looked_at.statistics() == left_alone.statistics()


def test_windows_of_a_recorded_day_add_up_to_its_markets(recording: list[Liquidation]) -> None:
    snapshot = engine_after(recording).snapshot(max(event.ts_event for event in recording))
    for name in ("5m", "15m", "1h", "4h", "24h", "all"):
        over_all = sum(cell.sums[name].events for cell in snapshot.cells if cell.market == ALL)
        by_market = sum(cell.sums[name].events for cell in snapshot.cells if cell.market != ALL)
        assert over_all == by_market
    largest = [event.usd or 0.0 for event in snapshot.largest]
    assert largest == sorted(largest, reverse=True)
    assert largest[0] > 0.0
