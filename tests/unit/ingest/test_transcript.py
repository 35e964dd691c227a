"""Raw frames are kept as they came, and give again what they gave."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from liquake.engine.engine import Engine
from liquake.errors import OutputError, RecordingError
from liquake.ingest.transcript import Transcript, is_transcript, read_lines, read_span, read_transcript
from liquake.model import (
    ContractKind,
    DecodeError,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Instrument,
    Instruments,
    Liquidation,
    PriceBasis,
    Side,
)
from liquake.venues import Venue, find_venue

OKX = find_venue("okx")
NOW = 1_790_000_000_000_000_000
SWAP = Instrument("SOL-USDT-SWAP", "SOL", ContractKind.LINEAR, 0.5)


def frame(contracts: str, milliseconds: int = NOW // 1_000_000) -> bytes:
    detail = {"side": "buy", "posSide": "short", "bkPx": "50", "sz": contracts, "ts": str(milliseconds)}
    row = {"instId": "SOL-USDT-SWAP", "details": [detail]}
    return json.dumps({"arg": {"channel": "liquidation-orders"}, "data": [row]}).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frames.jsonl.gz"


def kept(path: Path, work: Callable[[Transcript, Venue], None]) -> list[Event]:
    """The events of what `work` has had written down."""
    with Transcript(path, [OKX], "1.2") as transcript:
        work(transcript, transcript.venues[0])
        assert transcript.trouble == ""
    return list(read_transcript(path))


def test_frames_give_again_what_they_gave_with_the_contracts_of_their_time(path: Path) -> None:
    given: list[Event] = []

    def work(transcript: Transcript, venue: Venue) -> None:
        instruments = Instruments([SWAP])
        decoder = venue.decoder("public", instruments)
        for count, multiplier in ((1, 0.5), (2, 0.5), (3, 2.0)):
            instruments.update([Instrument("SOL-USDT-SWAP", "SOL", ContractKind.LINEAR, multiplier)])
            content = frame(str(count))
            events = decoder.decode(content, NOW + count)
            transcript.receive(events, content, "public", NOW + count)
            given.extend(events)

    assert kept(path, work) == given
    assert [event.amount for event in given if isinstance(event, Liquidation)] == [0.5, 1.0, 6.0]
    assert sum(bool(line.instruments) for _, line in read_lines(path)) == 2
    assert read_span(path) == (NOW + 1, NOW + 3)


def test_what_no_frame_carried_is_kept_as_the_event_it_was(path: Path) -> None:
    told: list[Event] = [
        FeedStatus("okx", "public", FeedState.CONNECTED, NOW),
        Gap("okx", "public", NOW, NOW + 5, "the connection broke"),
        DecodeError("okx", "history", NOW + 6, "no answer", b"\xff"),
        Liquidation("okx", "A-B", "A", Side.LONG, 2.0, PriceBasis.FILL, 1.0, 2.0, NOW, NOW + 7, 1.0, "7", ("late",)),
    ]
    assert kept(path, lambda transcript, _: transcript.receive(told, b"", "public", NOW)) == told


def test_a_frame_that_gives_nothing_is_kept_too_and_one_that_is_no_text(path: Path) -> None:
    frames = [b"pong", b"\x1f\x8b\xff", "text é".encode()]

    def work(transcript: Transcript, venue: Venue) -> None:
        decoder = venue.decoder("public", Instruments())
        for content in frames:
            decoder.decode(content, NOW)
        decoder.decode("pong", NOW)

    kept(path, work)
    assert [line.frame for _, line in read_lines(path)] == [*frames, b"pong"]
    assert {line.socket for _, line in read_lines(path)} == {1}


def test_two_sockets_of_one_connection_have_decoders_of_their_own(path: Path) -> None:
    def ticker(**fields: str) -> bytes:
        data = {"symbol": "BTCUSDT", **fields}
        return json.dumps({"topic": "tickers.BTCUSDT", "type": "delta", "ts": NOW // 1_000_000, "data": data}).encode()

    with Transcript(path, [find_venue("bybit")], "1") as transcript:
        old, new = (transcript.venues[0].decoder("linear-1", Instruments()) for _ in range(2))
        given = [*old.decode(ticker(markPrice="64000"), NOW), *new.decode(ticker(markPrice="65000"), NOW)]
        given += old.decode(ticker(openInterest="5"), NOW)
    assert [getattr(event, "price", None) for event in given] == [64_000.0, 65_000.0, 64_000.0]
    assert list(read_transcript(path)) == given


def test_what_was_flushed_outlives_a_kill(path: Path) -> None:
    transcript = Transcript(path, [OKX], "1")
    decoder = transcript.venues[0].decoder("public", Instruments([SWAP]))
    for count in range(1, 40):
        decoder.decode(frame(str(count)), NOW + count)
    transcript.flush()
    whole = path.read_bytes()
    assert len(list(read_transcript(path))) == 39
    path.write_bytes(whole[:-40])
    assert 0 < len(list(read_transcript(path))) <= 39
    transcript.close()


def test_every_cut_of_a_file_gives_a_beginning_of_its_events(path: Path) -> None:
    def work(transcript: Transcript, venue: Venue) -> None:
        decoder = venue.decoder("public", Instruments([SWAP]))
        for count in range(1, 6):
            decoder.decode(frame(str(count)), NOW + count)
            transcript.flush()

    events = kept(path, work)
    whole = path.read_bytes()
    for size in range(len(whole) - 8, 20, -7):
        path.write_bytes(whole[:size])
        part = list(read_transcript(path))
        assert part == events[: len(part)]


def test_an_unpacked_file_reads_as_the_packed_one(path: Path, tmp_path: Path) -> None:
    events = kept(path, lambda _, venue: void(venue.decoder("public", Instruments([SWAP])).decode(frame("1"), NOW)))
    plain = tmp_path / "frames.jsonl"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert is_transcript(path)
    assert is_transcript(plain)
    assert list(read_transcript(plain)) == events != []


def void(_: object) -> None:
    """For a lambda that returns nothing."""


@pytest.mark.parametrize(
    "content", [b"", b"ts_ms,venue\n", b"\x1f\x8b no gzip", b'{"raw":"x"}\n', b"SQLite format 3\x00"]
)
def test_another_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert not is_transcript(tmp_path / "other")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        is_transcript(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"transcript":9,"version":"3","venues":[]}\n', "format 9"),
        (b'{"transcript":"x"}\n', "does not begin like a transcript"),
        (b'{"transcript":1,"version":"1","venues":[]}\n{"ts":"soon"}\n', "line 2"),
    ],
)
def test_a_line_that_is_none_is_told_by_its_number(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(text)
    with pytest.raises(RecordingError, match=words):
        list(read_transcript(path))


def test_damaged_compression_is_told(path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"transcript":1,"version":"1","venues":[]}\n' + zlib.compress(b"x" * 9) * 400))
    packed[60:64] = b"\xff\xff\xff\xff"
    path.write_bytes(packed)
    with pytest.raises(RecordingError):
        list(read_transcript(path))


def test_a_file_that_is_there_is_not_written_over(path: Path, tmp_path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(OutputError, match="give another"):
        Transcript(path, [OKX], "1")
    assert path.read_text() == "mine"
    with pytest.raises(OutputError, match="No such file"):
        Transcript(tmp_path / "nowhere" / "x.gz", [OKX], "1")


class Full:
    """A device without room."""

    def write(self, text: bytes) -> int:
        raise OSError(28, "No space left on device")

    def flush(self, mode: int = 0) -> None:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        pass


def test_a_file_that_takes_no_more_is_trouble_and_ends_no_feed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Transcript(path, [OKX], "1") as transcript:
        monkeypatch.setattr(transcript, "_packed", Full())
        (event,) = transcript.venues[0].decoder("public", Instruments([SWAP])).decode(frame("3"), NOW)
        transcript.flush()
    assert isinstance(event, Liquidation)
    assert transcript.trouble == "No space left on device"


def test_the_same_engine_comes_to_the_same_state(path: Path) -> None:
    live = Engine({"okx": OKX.coverage})

    def work(transcript: Transcript, venue: Venue) -> None:
        decoder = venue.decoder("public", Instruments([SWAP]))
        for count in range(1, 60):
            for event in decoder.decode(frame(str(count % 7 + 1), NOW // 1_000_000 + count), NOW + count * 1_000_000):
                live.apply(event)

    again = Engine({"okx": OKX.coverage})
    for event in kept(path, work):
        again.apply(event)
    assert again.statistics() == live.statistics()
    assert live.statistics().total.events == 59
