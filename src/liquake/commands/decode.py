"""`liquake decode`: raw frames of one venue to events, a JSON line each; or to a fixture for a test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from liquake.clock import WallClock
from liquake.commands.fixture import fixture_line
from liquake.errors import InstrumentsError, OutputError, RecordingError, SettingError
from liquake.ingest.transcript import is_transcript, read_lines
from liquake.model import Instruments
from liquake.venues import Decoder, Venue, find_venue
from liquake.venues.frames import decoded, read_line


class Frame(NamedTuple):
    """One frame of a file."""

    number: int
    """Of its line."""
    content: bytes
    ts_recv: int
    source: str
    """Where it is from, in words."""
    socket: int = 0


def decode(
    venue_name: str,
    file: Path | None,
    instrument_files: Sequence[Path],
    lines: Sequence[str] = (),
    fixture: Path | None = None,
) -> int:
    """Raw frames to one JSON line each: the events in it and what could not be read. Only of `lines`, where given.

    To a new file `fixture` instead: the chosen frames with what they give.
    """
    venue = find_venue(venue_name)
    instruments = _instruments(venue, instrument_files)
    recorded = file is not None and is_transcript(file)
    with _frames(venue, file, instruments, recorded=recorded) as frames:
        if fixture is not None:
            return _write(venue, fixture, _chosen(frames, lines), instruments)
        decoders: dict[int, Decoder] = {}
        wanted = _wanted(lines)
        for frame in frames:
            decoder = decoders.setdefault(frame.socket, venue.decoder("decode", instruments))
            answer: dict[str, Any] = decoded(decoder, frame.content, frame.ts_recv)
            if wanted(frame.number):
                # In a file of frames the lines of the answer are those of the file; among others they have to be named.
                answer = {"line": frame.number, **answer} if recorded else answer
                sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.flush()
    return 0


def _instruments(venue: Venue, files: Sequence[Path]) -> Instruments:
    instruments = Instruments()
    for path in files:
        try:
            instruments.update(venue.read_instruments(path.read_bytes()))
        except OSError as error:
            raise RecordingError(path, f"{error.strerror}; give the exchange's own instruments answer") from None
        except InstrumentsError as error:
            raise RecordingError(path, f"not an instruments answer of {venue.name}: {error}") from None
    return instruments


@contextmanager
def _frames(venue: Venue, file: Path | None, instruments: Instruments, *, recorded: bool) -> Iterator[Iterable[Frame]]:
    """The frames of `venue` in `file`, in order. Of a transcript, what it tells of contracts goes to `instruments`."""
    if file is None:
        yield _plain(sys.stdin.buffer, "standard input")
    elif recorded:
        yield _recorded(venue, file, instruments)
    else:
        try:
            opened = file.open("rb")
        except OSError as error:
            raise RecordingError(file, f"{error.strerror}; give a file of frames, one per line") from None
        with opened:
            yield _plain(opened, file.name)


def _plain(lines: Iterable[bytes], name: str) -> Iterator[Frame]:
    clock = WallClock()
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Frame(number, read_line(line), clock.now(), f"{name}, line {number}")


def _recorded(venue: Venue, file: Path, instruments: Instruments) -> Iterator[Frame]:
    for number, line in read_lines(file):
        if line.venue != venue.name:
            continue
        if line.instruments:
            instruments.update(line.instruments)
        content = line.frame
        if content is not None:
            yield Frame(number, content, line.ts, f"{file.name}, line {number}, {line.connection}", line.socket)


def _wanted(lines: Sequence[str]) -> Callable[[int], bool]:
    ranges = [_range(text) for text in lines]
    return lambda number: not ranges or any(number in each for each in ranges)


def _range(text: str) -> range:
    """The numbers meant by 7 or by 7-9. Raises `SettingError`."""
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or int(first) > int(last or first):
        raise SettingError("--lines", text, "give numbers of lines like 7, or 7-9")
    return range(int(first), int(last or first) + 1)


def _chosen(frames: Iterable[Frame], lines: Sequence[str]) -> list[Frame]:
    """The frames of `lines`, all where none is given. Raises `SettingError` for one that holds no frame."""
    wanted = _wanted(lines)
    chosen = [frame for frame in frames if wanted(frame.number)]
    found = {frame.number for frame in chosen}
    for text in lines:
        if not found.intersection(_range(text)):
            raise SettingError("--lines", text, "there is no frame of this exchange in it")
    return chosen


def _write(venue: Venue, fixture: Path, frames: Sequence[Frame], instruments: Instruments) -> int:
    """As a test will read them: in order, by one decoder, which has seen nothing of what came before."""
    decoder = venue.decoder("recorded", instruments)
    texts = [fixture_line(decoder, frame.content, frame.ts_recv, frame.source) for frame in frames]
    try:
        with fixture.open("xb") as file:
            file.writelines(texts)
    except FileExistsError:
        raise OutputError(fixture, "there is a file of this name: give another") from None
    except OSError as error:
        raise OutputError(fixture, error.strerror or str(error)) from None
    words = "check each expectation by hand against the exchange's own page"
    sys.stdout.write(f"{len(texts)} frames in {fixture}: {words}\n")
    return 0
