"""Every line of the recorded frames gives exactly what its author expects of it, and nothing where that is nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from liquake.model import ContractKind, DecodeError, FeedState, FeedStatus, Instrument, Instruments, Liquidation
from liquake.venues.frames import decoded, read_line
from liquake.venues.registry import VENUES, find_venue
from tests.conftest import SHARED

RECEIVED = 1_800_000_000_000_000_000
FILES = {
    "binance_usdm": "binance",
    "binance_coinm": "binance",
    "bybit": "bybit",
    "okx": "okx",
    "hyperliquid": "hyperliquid",
}
# What the files assume of contracts and no frame says: BTC swaps of 0.01 coins or 100 dollars.
ASSUMED = {
    "okx": (
        Instrument("BTC-USDT-SWAP", "BTC", ContractKind.LINEAR, 0.01),
        Instrument("BTC-USDT-211231", "BTC", ContractKind.LINEAR, 0.01),
        Instrument("BTC-USD-SWAP", "BTC", ContractKind.INVERSE, 100.0),
    )
}


def _lines() -> list[Any]:
    if not SHARED.is_dir():
        return [pytest.param("", b"", marks=pytest.mark.skip(f"recorded data is not here: {SHARED}"), id="absent")]
    found = []
    for file, venue in FILES.items():
        path = SHARED / "venues" / "frames" / f"{file}.jsonl"
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        found += [pytest.param(venue, line, id=f"{file}-{number}") for number, line in enumerate(lines, 1)]
    return found


@pytest.mark.parametrize(("venue", "line"), _lines())
def test_gives_exactly_what_is_expected(venue: str, line: bytes) -> None:
    instruments = Instruments(ASSUMED.get(venue, ()))
    events = find_venue(venue).decoder("recorded", instruments).decode(read_line(line), RECEIVED)
    liquidations = [event for event in events if isinstance(event, Liquidation)]
    expected = json.loads(line)["expected"] or []
    wanted = expected if isinstance(expected, list) else [expected]
    assert len(liquidations) == len(wanted)
    for event, want in zip(liquidations, wanted, strict=True):
        assert (event.instrument, event.side, event.ts_event // 1_000_000) == (
            want["symbol"],
            want["liquidated_side"],
            want["ts_ms"],
        )
        assert event.price == pytest.approx(want["price"], rel=1e-6)
        assert event.amount == (None if want["base_amount"] is None else pytest.approx(want["base_amount"], rel=1e-6))
        assert event.usd == (None if want["usd"] is None else pytest.approx(want["usd"], rel=1e-6))


@pytest.mark.parametrize(("venue", "line"), _lines())
def test_is_no_error_unless_the_venue_sent_one(venue: str, line: bytes) -> None:
    recorded = json.loads(line)
    events = find_venue(venue).decoder("recorded", Instruments()).decode(read_line(line), RECEIVED)
    surfaced = any(
        isinstance(event, DecodeError) or (isinstance(event, FeedStatus) and event.state is FeedState.REJECTED)
        for event in events
    )
    raw = recorded["raw"]
    refused = '"event":"error"' in raw or '"success":false' in raw or "AMBIGUOUS" in recorded["expected_by"]
    assert surfaced is refused


def test_every_venue_has_recorded_frames(shared: Path) -> None:
    assert set(FILES.values()) == set(VENUES)
    assert all((shared / "venues" / "frames" / f"{file}.jsonl").is_file() for file in FILES)


def test_a_line_decodes_to_plain_values(shared: Path) -> None:
    path = shared / "venues" / "frames" / "bybit.jsonl"
    with path.open("rb") as lines:
        frame = read_line(next(lines))
    plain = decoded(find_venue("bybit").decoder("decode", Instruments()), frame, RECEIVED)
    assert plain["errors"] == []
    assert isinstance(plain["events"], list)
    (event,) = plain["events"]
    assert (event["asset"], event["side"], event["usd"]) == ("ICP", "LONG", pytest.approx(50.9245))
