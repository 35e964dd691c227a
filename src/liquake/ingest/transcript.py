"""Transcripts: raw frames as they came, in a compressed file, and the events that they give again.

The first line says what the file is. After it each line is one frame, or what a session knew besides: the contracts that
the venue had listed, what became of a connection, what came over REST. Decoders read a transcript as they read a socket,
so a decoder that was mended makes better events of an old one.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, cast

import msgspec

from liquake.errors import OutputError, RecordingError
from liquake.model import Event, FeedEvent, Instrument, Instruments, Liquidation
from liquake.venues import Decoder, Venue, find_venue

FORMAT = 1
_START = b'{"transcript":'
_GZIP = b"\x1f\x8b"


class Header(msgspec.Struct):
    """The first line."""

    transcript: int
    version: str
    """Of the liquake that wrote it."""
    venues: tuple[str, ...]


class Line(msgspec.Struct, omit_defaults=True):
    """One line: a frame (`raw`, or `raw_b64` where it is no text), or one of the others."""

    ts: int
    """Our clock at the receipt, UTC nanoseconds."""
    venue: str
    connection: str = ""
    socket: int = 0
    """Of the frame: sockets are counted as they are opened, for each has a decoder of its own."""
    raw: str | None = None
    raw_b64: bytes | None = None
    instruments: tuple[Instrument, ...] = ()
    """Those that were new, or not what they had been."""
    told: FeedEvent | None = None
    liquidation: Liquidation | None = None
    """One that no frame carried: from the venue's history."""

    @property
    def frame(self) -> bytes | None:
        """The frame, if this is one."""
        return self.raw_b64 if self.raw is None else self.raw.encode("utf-8", "surrogatepass")


class Transcript:
    """Writes the file at `path`, which must be a new one. Raises `OutputError`.

    What goes wrong later stands in `trouble`: the sockets must not end for it, but whoever watches can.
    """

    def __init__(self, path: Path, venues: Sequence[Venue], version: str) -> None:
        self.path = path
        self.frames = 0
        self.trouble = ""
        self.venues = [_tapped(venue, self) for venue in venues]
        """To be listened to in place of those that were given: their decoders write down what they are shown."""
        self._sockets = 0
        self._last: bytes | str = b""
        self._given: Sequence[Event] = ()
        """What was made of the last frame."""
        self._known: dict[str, tuple[int, dict[str, Instrument]]] = {}
        self._encoder = msgspec.json.Encoder()
        try:
            self._file = path.open("xb")
        except FileExistsError:
            raise OutputError(path, "there is a file of this name: give another") from None
        except OSError as error:
            raise OutputError(path, error.strerror or str(error)) from None
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0)
        self._put(Header(FORMAT, version, tuple(venue.name for venue in venues)))

    def __enter__(self) -> Transcript:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def socket(self) -> int:
        """The number of a socket that is opened now."""
        self._sockets += 1
        return self._sockets

    def take(self, decoder: Decoder, socket: int, frame: bytes | str, ts_recv: int) -> None:
        """Write down a frame that `decoder` is about to be shown, and before it what contracts are known by now."""
        self._list(decoder, ts_recv)
        self._last = frame
        self.frames += 1
        line = Line(ts_recv, decoder.venue, decoder.connection, socket)
        if isinstance(frame, str):
            line.raw = frame
        else:
            line.raw, line.raw_b64 = _written(bytes(frame))
        self._put(line)

    def gave(self, events: Sequence[Event]) -> None:
        """Remember what was made of the frame just taken: it needs no writing down."""
        self._given = events

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Write down the events that no frame carried."""
        # The frame itself is looked at too, for a decoder that failed gave nothing; empty frames are all the same one.
        if events is self._given or (frame and frame is self._last):
            return
        for event in events:
            if isinstance(event, FeedEvent):
                self._put(Line(ts_recv, event.venue, connection, told=event))
            elif isinstance(event, Liquidation):
                self._put(Line(ts_recv, event.venue, connection, liquidation=event))

    def flush(self) -> None:
        """Have everything in the file that was written down until now: a process that is killed loses no more."""
        self._guarded(lambda: self._packed.flush(zlib.Z_SYNC_FLUSH))
        self._guarded(self._file.flush)

    def close(self) -> None:
        """End the file."""
        self._guarded(self._packed.close)
        self._guarded(self._file.close)

    def _list(self, decoder: Decoder, ts_recv: int) -> None:
        revision, known = self._known.get(decoder.venue, (0, {}))
        if decoder.instruments.revision == revision:
            return
        listed = dict(decoder.instruments)
        new = tuple(each for symbol, each in listed.items() if known.get(symbol) != each)
        self._known[decoder.venue] = decoder.instruments.revision, listed
        if new:
            self._put(Line(ts_recv, decoder.venue, instruments=new))

    def _put(self, line: Line | Header) -> None:
        text = self._encoder.encode(line) + b"\n"
        self._guarded(lambda: self._packed.write(text))

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            self.trouble = self.trouble or os.strerror(error.errno or 0)


class _Tap(Decoder):
    """Writes down each frame before it is decoded."""

    def __init__(self, decoder: Decoder, transcript: Transcript) -> None:
        super().__init__(decoder.venue, decoder.connection, decoder.instruments)
        self.replies = decoder.replies
        self._decoder, self._transcript, self._socket = decoder, transcript, transcript.socket()

    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        self._transcript.take(self, self._socket, frame, ts_recv)
        events = self._decoder.decode(frame, ts_recv)
        self._transcript.gave(events)
        return events


def _tapped(venue: Venue, transcript: Transcript) -> Venue:
    """`venue` with decoders that write down what they are shown."""

    # A venue is asked for much more than decoders: everything else stays its own.
    class Tapped(type(venue)):  # type: ignore[misc]
        def decoder(self, connection: str, instruments: Instruments) -> Decoder:
            return _Tap(super().decoder(connection, instruments), transcript)

    tapped: Venue = Tapped()
    return tapped


def _written(frame: bytes) -> tuple[str | None, bytes | None]:
    """`frame` as text, or as it is where it is none."""
    try:
        return frame.decode(), None
    except UnicodeDecodeError:
        return None, frame


def is_transcript(path: Path) -> bool:
    """Whether `path` is a transcript, compressed or not. Raises `RecordingError` where it cannot be read at all."""
    try:
        with _opened(path) as file:
            return file.read(len(_START)) == _START
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    except OSError as error:
        raise RecordingError(path, f"{error.strerror}; check the path") from None


def read_lines(path: Path) -> Iterator[tuple[int, Line]]:
    """The lines after the first with their numbers; of a file that was cut off, as far as they are whole.

    Raises `RecordingError` for a line that is none.
    """
    decoder = msgspec.json.Decoder(Line)
    for number, text in _texts(path):
        if number == 1:
            _check(path, text)
            continue
        try:
            yield number, decoder.decode(text)
        except ValueError as error:
            raise RecordingError(path, f"line {number}: {error}") from None


def read_transcript(path: Path) -> Iterator[Event]:
    """The events of every line, in order, as the decoders of today read them. Raises `RecordingError`, `UnknownVenue`."""
    instruments: dict[str, Instruments] = {}
    decoders: dict[tuple[str, int], Decoder] = {}
    for _, line in read_lines(path):
        listed = instruments.setdefault(line.venue, Instruments())
        if line.instruments:
            listed.update(line.instruments)
        yield from (event for event in (line.told, line.liquidation) if event is not None)
        frame = line.frame
        if frame is not None:
            decoder = decoders.get((line.venue, line.socket))
            if decoder is None:
                decoder = find_venue(line.venue).decoder(line.connection, listed)
                decoders[line.venue, line.socket] = decoder
            yield from _decoded(decoder, frame, line.ts)


def read_span(path: Path) -> tuple[int, int] | None:
    """When the first and the last line were received, UTC nanoseconds; `None` without lines. Reads the file once."""
    first = last = None
    for _, line in read_lines(path):
        last = line.ts
        first = last if first is None else first
    return None if first is None or last is None else (first, last)


def _decoded(decoder: Decoder, frame: bytes, ts_recv: int) -> Sequence[Event]:
    decoder.replies.clear()
    # As at a socket: a decoder's own fault costs one frame.
    try:
        return decoder.decode(frame, ts_recv)
    except Exception as fault:
        return (decoder.failure(frame, ts_recv, f"the decoder failed: {fault!r}"),)


def _check(path: Path, text: bytes) -> None:
    try:
        header = msgspec.json.decode(text, type=Header)
    except ValueError as error:
        raise RecordingError(path, f"it does not begin like a transcript: {error}") from None
    if header.transcript != FORMAT:
        raise RecordingError(
            path, f"it has format {header.transcript} and this version reads {FORMAT}: take a newer one"
        )


def _texts(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with _opened(path) as file:
            for number, text in enumerate(file, 1):
                # Whatever ends without its line's end was cut off in the middle.
                if text.endswith(b"\n"):
                    yield number, text
    except EOFError:
        # Whoever wrote it was killed. What had been flushed has been read.
        return
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RecordingError(path, f"its compression is damaged ({error}): fetch it again") from None
    except OSError as error:
        raise RecordingError(path, f"{error.strerror}; check the path") from None


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")
