"""`liquake decode`: raw frames of one venue to events, a JSON line each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from liquake.clock import WallClock
from liquake.errors import InstrumentsError, RecordingError
from liquake.model import Instruments
from liquake.venues import find_venue
from liquake.venues.frames import decoded, read_line


def decode(venue_name: str, file: Path | None, instrument_files: Sequence[Path]) -> int:
    """Raw frames to one JSON line each: the events in it and what could not be read."""
    venue = find_venue(venue_name)
    instruments = Instruments()
    for path in instrument_files:
        try:
            instruments.update(venue.read_instruments(path.read_bytes()))
        except OSError as error:
            raise RecordingError(path, f"{error.strerror}; give the exchange's own instruments answer") from None
        except InstrumentsError as error:
            raise RecordingError(path, f"not an instruments answer of {venue.name}: {error}") from None
    decoder = venue.decoder("decode", instruments)
    clock = WallClock()
    with _lines(file) as lines:
        for line in lines:
            if line.strip():
                answer = decoded(decoder, read_line(line), clock.now())
                sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.flush()
    return 0


@contextmanager
def _lines(file: Path | None) -> Iterator[Iterable[bytes]]:
    if file is None:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise RecordingError(file, f"{error.strerror}; give a file of frames, one per line") from None
    with opened:
        yield opened
