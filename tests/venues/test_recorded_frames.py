"""Every line of the recorded frames gives exactly what its author expects of it, and nothing where that is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from liquake.conformance.recorded import check_line
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Instruments, Liquidation
from liquake.venues.frames import decoded, read_line
from liquake.venues.registry import VENUES, find_venue
from tests.conftest import SHARED
from tests.venues.cases import cases_of

OTHERS = "other_venues"
RECEIVED = 1_800_000_000_000_000_000
CASES = {venue: cases_of(venue) for venue in VENUES}


def _files() -> list[Any]:
    if not SHARED.is_dir():
        return [pytest.param("", "", marks=pytest.mark.skip(f"recorded data is not here: {SHARED}"), id="absent")]
    return [pytest.param(venue, file, id=file) for venue, cases in CASES.items() for file in cases.recorded]


def _decoded(venue: str, file: str, instruments: Instruments) -> Iterator[tuple[int, dict[str, Any], Sequence[Event]]]:
    """The lines of a file with the events they give, in order, for some venues' frames are changes."""
    decoder = find_venue(venue).decoder("recorded", instruments)
    lines = (SHARED / "venues" / "frames" / f"{file}.jsonl").read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, json.loads(line), decoder.decode(read_line(line), RECEIVED)


@pytest.mark.parametrize(("venue", "file"), _files())
def test_every_line_gives_exactly_what_is_expected(venue: str, file: str) -> None:
    for number, recorded, events in _decoded(venue, file, Instruments(CASES[venue].assumed)):
        check_line(number, recorded, events, RECEIVED)


@pytest.mark.parametrize(("venue", "file"), _files())
def test_no_line_is_an_error_unless_the_venue_sent_one(venue: str, file: str) -> None:
    for number, recorded, events in _decoded(venue, file, Instruments()):
        surfaced = any(
            isinstance(event, DecodeError) or (isinstance(event, FeedStatus) and event.state is FeedState.REJECTED)
            for event in events
        )
        assert surfaced is (CASES[venue].refuses(recorded)), number


def test_every_venue_has_recorded_frames(shared: Path) -> None:
    assert all(cases.recorded for cases in CASES.values())
    files = (file for cases in CASES.values() for file in cases.recorded)
    assert all((shared / "venues" / "frames" / f"{file}.jsonl").is_file() for file in files)


def test_no_file_of_recorded_frames_is_left_out(shared: Path) -> None:
    read = {file for cases in CASES.values() for file in cases.recorded}
    assert {path.stem for path in (shared / "venues" / "frames").glob("*.jsonl")} == read | {OTHERS}


@pytest.mark.parametrize("venue", VENUES)
def test_frames_of_exchanges_that_are_not_supported_are_nobody_s_liquidations(shared: Path, venue: str) -> None:
    lines = [line for line in (shared / "venues" / "frames" / f"{OTHERS}.jsonl").read_bytes().splitlines() if line]
    assert lines
    for line in lines:
        assert json.loads(line)["expected"] is None
        told = find_venue(venue).decoder("recorded", Instruments()).decode(read_line(line), RECEIVED)
        assert not any(isinstance(event, Liquidation) for event in told)


def test_a_line_decodes_to_plain_values(shared: Path) -> None:
    path = shared / "venues" / "frames" / "bybit.jsonl"
    with path.open("rb") as lines:
        frame = read_line(next(lines))
    plain = decoded(find_venue("bybit").decoder("decode", Instruments()), frame, RECEIVED)
    assert plain["errors"] == []
    assert isinstance(plain["events"], list)
    (event,) = plain["events"]
    assert (event["asset"], event["side"], event["usd"]) == ("ICP", "LONG", pytest.approx(50.9245))
