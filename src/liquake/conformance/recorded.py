"""Recorded frames: each line of a file holds a frame and the liquidations that are in it.

A line is JSON: `raw` or `raw_gzip_b64`, and `expected`, which is null, an object or a list of objects of `symbol`,
`liquidated_side`, `price`, `base_amount`, `usd`, `ts_ms`. Where given, `instruments` is what the venue had told of its
contracts, and `received` our clock, UTC nanoseconds. `liquake decode --fixture` writes such lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liquake.conformance.cases import RECEIVED
from liquake.model import Event, Instrument, Instruments, Liquidation
from liquake.venues import Venue
from liquake.venues.frames import read_line


class _Told(msgspec.Struct):
    instruments: list[Instrument] = []
    received: int = RECEIVED


def check_file(venue: Venue, path: Path, assumed: Sequence[Instrument] = ()) -> None:
    """Every line of `path` gives exactly what it expects, decoded in order, as frames of one connection."""
    lines = [(number, line) for number, line in enumerate(path.read_bytes().splitlines(), 1) if line.strip()]
    assert lines, f"{path.name} holds no lines"
    instruments = Instruments(assumed)
    told = [msgspec.json.decode(line, type=_Told) for _, line in lines]
    instruments.update(each for line in told for each in line.instruments)
    decoder = venue.decoder("recorded", instruments)
    for (number, line), known in zip(lines, told, strict=True):
        events = decoder.decode(read_line(line), known.received)
        check_line(number, msgspec.json.decode(line), events, known.received)


def check_line(number: int, recorded: dict[str, Any], events: Sequence[Event], received: int) -> None:
    """`events` are what the line `recorded`, the `number`th of its file, expects of a frame `received` then."""
    liquidations = [event for event in events if isinstance(event, Liquidation)]
    wanted = list(_expected(recorded["expected"]))
    assert len(liquidations) == len(wanted), f"line {number}"
    for event, want in zip(liquidations, wanted, strict=True):
        _check_same(event, want, received, f"line {number}")


def _expected(told: Any) -> Iterator[dict[str, Any]]:
    yield from told if isinstance(told, list) else [told] if told else []


def _check_same(event: Liquidation, want: dict[str, Any], received: int, where: str) -> None:
    assert (event.instrument, event.side) == (want["symbol"], want["liquidated_side"]), where
    # Without a time of its own an event is as of its receipt.
    when = received // 1_000_000 if want["ts_ms"] is None else want["ts_ms"]
    assert event.ts_event // 1_000_000 == when, where
    assert event.price == pytest.approx(want["price"], rel=1e-6), where
    for mine, theirs in ((event.amount, want["base_amount"]), (event.usd, want["usd"])):
        assert mine == (None if theirs is None else pytest.approx(theirs, rel=1e-6)), where
