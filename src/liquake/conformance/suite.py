"""The suite itself. It is a class to derive from, so that a plug-in's tests are these tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from liquake.conformance.cases import NOW, RECEIVED, Absent, Cases, Size
from liquake.conformance.recorded import check_file
from liquake.errors import InstrumentsError
from liquake.model import FUTURE_TOLERANCE, DecodeError, Event, FeedState, FeedStatus, Instruments, Liquidation, Price
from liquake.venues import Decoder, Venue

SIZES = ("linear", "inverse", "unknown", "zero", "bundle", "quarterly", "quanto")
PRICES = (b'"64000.00"', b'"64000.0"', b'"64000"', b"64000.0", b"64000")
Test = TypeVar("Test", bound=Callable[..., None])


class Subject:
    """A venue under test, with its cases."""

    def __init__(self, venue: Venue, cases: Cases) -> None:
        self.venue, self.name, self.cases = venue, venue.name, cases

    def decoder(self) -> Decoder:
        """A fresh one, which knows the instruments of the cases."""
        return self.venue.decoder("main", Instruments(self.cases.instruments))

    def decode(self, frame: bytes, ts_recv: int = RECEIVED) -> Sequence[Event]:
        """What a fresh decoder makes of `frame`."""
        return self.decoder().decode(frame, ts_recv)

    def sizes(self) -> Iterator[Size]:
        """Those that apply."""
        yield from (size for name in SIZES if isinstance(size := getattr(self.cases, name), Size))

    def liquidation_frames(self) -> Iterator[bytes]:
        """Frames with at least one liquidation."""
        cases = self.cases
        yield from (frame for frame, _ in cases.sides.values())
        yield from (size.frame for size in self.sizes())
        yield from (cell for cell in (cases.twins,) if not isinstance(cell, Absent))
        yield from (cell[0] for cell in (cases.batch, cases.first) if not isinstance(cell, Absent))


def cells(field: str) -> Callable[[Test], Test]:
    """A test of every frame in a field of the cases; an `Absent` one is skipped with its reason."""

    def marked(test: Test) -> Test:
        test.cells = field  # type: ignore[attr-defined]
        return test

    return marked


def _parameters(subject: Subject, field: str) -> Iterator[Any]:
    cell = getattr(subject.cases, field)
    if isinstance(cell, Absent):
        yield pytest.param(subject, None, marks=pytest.mark.skip(reason=cell), id=subject.name)
    elif isinstance(cell, Mapping):
        yield from (pytest.param(subject, content, id=f"{subject.name}, {name}") for name, content in cell.items())
    elif field == "fixtures":
        yield from (pytest.param(subject, path, id=f"{subject.name}, {path.name}") for path in cell)
    else:
        yield pytest.param(subject, cell, id=subject.name)


def only(events: Sequence[Event]) -> Liquidation:
    """The one liquidation that is all of `events`."""
    (event,) = events
    assert isinstance(event, Liquidation), event
    return event


def one_error(events: Sequence[Event]) -> DecodeError:
    """The one error that is all of `events`."""
    (event,) = events
    assert isinstance(event, DecodeError), event
    return event


class Conformance:
    """Derive from it a class whose name begins with `Test`, and give `subjects`."""

    subjects: ClassVar[Mapping[Venue, Cases]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for each venue, or for each of its cells."""
        subjects = [Subject(venue, cases) for venue, cases in self.subjects.items()]
        field = getattr(metafunc.function, "cells", None)
        if field is not None:
            found = [each for subject in subjects for each in _parameters(subject, field)]
            metafunc.parametrize(("subject", "cell"), found)
        elif "subject" in metafunc.fixturenames:
            metafunc.parametrize("subject", subjects, ids=[subject.name for subject in subjects])

    @cells("sides")
    def test_the_side_is_of_the_position(self, subject: Subject, cell: Any) -> None:
        frame, side = cell
        assert only(subject.decode(frame)).side is side

    @cells("maker")
    def test_where_the_maker_was_liquidated_or_speaks_the_side_is_turned(self, subject: Subject, cell: Any) -> None:
        frame, side = cell
        assert only(subject.decode(frame)).side is side

    @cells("basis")
    def test_a_price_says_what_it_is_the_price_of(self, subject: Subject, cell: Any) -> None:
        frame, basis, price = cell
        event = only(subject.decode(frame))
        assert (event.price_basis, event.price) == (basis, price)

    @cells("deleveraged")
    def test_deleveraging_is_no_liquidation(self, subject: Subject, cell: bytes) -> None:
        assert list(subject.decode(cell)) == []

    @pytest.mark.parametrize("unit", SIZES)
    def test_a_size_becomes_coins_and_dollars(self, subject: Subject, unit: str) -> None:
        size = getattr(subject.cases, unit)
        if isinstance(size, Absent):
            pytest.skip(size)
        event = only(subject.decode(size.frame))
        assert event.asset == size.asset
        assert event.amount == (None if size.amount is None else pytest.approx(size.amount))
        assert event.usd == (None if size.usd is None else pytest.approx(size.usd))

    @cells("linear")
    def test_both_times_are_kept_in_nanoseconds(self, subject: Subject, cell: Size) -> None:
        event = only(subject.decode(cell.frame))
        happened = RECEIVED if isinstance(subject.cases.later, Absent) else NOW * 1_000_000
        assert (event.ts_event, event.ts_recv) == (happened, RECEIVED)
        assert event.venue == subject.name

    @cells("batch")
    def test_a_message_gives_all_of_its_liquidations(self, subject: Subject, cell: Any) -> None:
        frame, sides = cell
        events = subject.decode(frame)
        assert [event.side for event in events if isinstance(event, Liquidation)] == list(sides)
        assert len(events) == len(sides)
        assert len({event.key for event in events if isinstance(event, Liquidation)}) == len(sides)

    @cells("twins")
    def test_two_equal_liquidations_of_one_message_both_count(self, subject: Subject, cell: bytes) -> None:
        first, second = subject.decode(cell)
        assert isinstance(first, Liquidation)
        assert isinstance(second, Liquidation)
        assert (first.usd, first.ts_event) == (second.usd, second.ts_event)
        assert first.key != second.key

    @cells("first")
    def test_what_the_first_frame_replays_keeps_its_own_time(self, subject: Subject, cell: Any) -> None:
        frame, milliseconds = cell
        # Where the first frame is the acknowledgement too, its status is told with what it replays.
        told = [event for event in subject.decode(frame) if not isinstance(event, FeedStatus)]
        assert only(told).ts_event == milliseconds * 1_000_000

    @cells("silent")
    def test_says_nothing_of(self, subject: Subject, cell: bytes) -> None:
        assert list(subject.decode(cell)) == []

    @cells("no_liquidation")
    def test_sees_neither_liquidation_nor_error_in(self, subject: Subject, cell: bytes) -> None:
        assert not [event for event in subject.decode(cell) if isinstance(event, Liquidation | DecodeError)]

    @cells("acknowledged")
    def test_an_acknowledgement_names_its_topic(self, subject: Subject, cell: Any) -> None:
        frame, topic = cell
        assert list(subject.decode(frame)) == [FeedStatus(subject.name, "main", FeedState.SUBSCRIBED, RECEIVED, topic)]

    @cells("rejected")
    def test_a_refusal_is_surfaced_by_name(self, subject: Subject, cell: Any) -> None:
        frame, topic, word = cell
        (status,) = subject.decode(frame)
        assert isinstance(status, FeedStatus)
        assert (status.state, status.topic) == (FeedState.REJECTED, topic)
        assert word in status.reason

    @cells("closing")
    def test_an_announced_end_is_told(self, subject: Subject, cell: bytes) -> None:
        (status,) = subject.decode(cell)
        assert isinstance(status, FeedStatus)
        assert status.state is FeedState.CLOSING

    @cells("strange")
    def test_an_undocumented_value_keeps_the_event_and_becomes_a_tag(self, subject: Subject, cell: Any) -> None:
        frame, tags = cell
        assert only(subject.decode(frame)).tags == tags

    @cells("half_broken")
    def test_a_broken_row_leaves_the_others_standing(self, subject: Subject, cell: Any) -> None:
        frame, good, bad = cell
        kinds = [type(event) for event in subject.decode(frame)]
        assert (kinds.count(Liquidation), kinds.count(DecodeError), len(kinds)) == (good, bad, good + bad)

    @cells("broken")
    def test_is_one_error(self, subject: Subject, cell: bytes) -> None:
        error = one_error(subject.decode(cell))
        assert (error.venue, error.connection, error.ts, error.frame) == (subject.name, "main", RECEIVED, cell)
        assert error.reason

    @cells("later")
    def test_a_time_ahead_of_ours_is_an_error_beyond_the_tolerance(self, subject: Subject, cell: Any) -> None:
        later, edge = cell, (RECEIVED + FUTURE_TOLERANCE) // 1_000_000
        assert only(subject.decode(later(edge))).ts_event == edge * 1_000_000
        assert "ahead" in one_error(subject.decode(later(edge + 1))).reason
        assert "ahead" in one_error(subject.decode(later(99_999_999_999_999))).reason

    def test_prices_prove_that_the_feed_is_alive(self, subject: Subject) -> None:
        frame, wanted = subject.cases.prices
        events = subject.decode(frame)
        prices = [event for event in events if isinstance(event, Price)]
        assert {price.kind: price.price for price in prices} == wanted
        assert {price.asset for price in prices} == {"BTC"}
        assert len(prices) == len(events)

    def test_the_same_frame_again_gives_the_same_keys(self, subject: Subject) -> None:
        reading, other = subject.decoder(), subject.decoder()
        for frame in subject.liquidation_frames():
            keys = [event.key for event in reading.decode(frame, RECEIVED) if isinstance(event, Liquidation)]
            again = [event.key for event in reading.decode(frame, RECEIVED + 10**9) if isinstance(event, Liquidation)]
            elsewhere = [
                event.key for event in other.decode(frame, RECEIVED + 2 * 10**9) if isinstance(event, Liquidation)
            ]
            assert keys
            assert keys == again == elsewhere

    def test_text_reads_as_its_bytes_do(self, subject: Subject) -> None:
        for frame in subject.liquidation_frames():
            assert list(subject.decoder().decode(frame.decode(), RECEIVED)) == list(subject.decode(frame))

    def test_a_truncated_frame_is_one_error(self, subject: Subject) -> None:
        frame = subject.cases.linear.frame
        for length in range(len(frame)):
            assert one_error(subject.decode(frame[:length])).frame == frame[:length]

    @pytest.mark.parametrize(
        "frame",
        [
            b"",
            b"null",
            b"0",
            b'"text"',
            b"[1, 2",
            b"\xff\xfe\x00",
            b'{"e":"\xc3\x28"}',
            b"NaN",
            b"[" * 100_000,
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        ],
        ids=[
            "nothing",
            "null",
            "a number",
            "a text",
            "cut",
            "no UTF-8",
            "bad UTF-8 in a text",
            "NaN",
            "deep",
            "deep and whole",
        ],
    )
    def test_what_is_no_message_is_one_error(self, subject: Subject, frame: bytes) -> None:
        assert one_error(subject.decode(frame)).frame == frame[:4096]

    def test_of_an_oversized_frame_little_is_kept(self, subject: Subject) -> None:
        error = one_error(subject.decode(b'{"x":"' + b"y" * 5_000_000 + b'"}'))
        assert len(error.frame) == 4096
        assert len(error.reason) < 400

    @pytest.mark.parametrize(
        "number",
        [
            b"NaN",
            b'"NaN"',
            b"Infinity",
            b'"inf"',
            b'"-Infinity"',
            b"1e400",
            b'"1e400"',
            b"-5",
            b'"-5"',
            b"true",
            b"null",
            b"{}",
            b"[]",
        ],
    )
    def test_a_number_that_is_none_is_one_error(self, subject: Subject, number: bytes) -> None:
        frame = subject.cases.linear.frame
        price = next(text for text in PRICES if text in frame)
        assert frame.count(price) == 1
        if number in subject.cases.excused:
            pytest.skip(subject.cases.excused[number])
        assert one_error(subject.decode(frame.replace(price, number))).reason

    def test_garbage_between_good_frames_changes_nothing(self, subject: Subject) -> None:
        reading, chance = subject.decoder(), random.Random(11)
        frames = [size.frame for size in subject.sizes()]
        wanted = [event for frame in frames for event in subject.decode(frame)]
        found: list[Event] = []
        for frame in frames:
            reading.decode(chance.randbytes(40), RECEIVED)
            reading.decode(frame[: len(frame) // 2], RECEIVED)
            found += reading.decode(frame, RECEIVED)
        assert found == wanted

    def test_an_answer_about_instruments_is_read(self, subject: Subject) -> None:
        cases = subject.cases
        read = Instruments(subject.venue.read_instruments(cases.answer))
        assert {symbol: read[symbol] for symbol in cases.answered} == cases.answered
        assert not read.keys() & set(cases.absent_from_answer)

    @pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"\xff", b"<html>", b"[" * 100_000], ids=repr)
    def test_an_answer_that_is_none_is_refused_with_the_venue_s_name(self, subject: Subject, answer: bytes) -> None:
        if answer == b"[]" and subject.cases.answer.startswith(b"["):
            pytest.skip("a list without contracts is an answer of this venue")
        with pytest.raises(InstrumentsError, match=subject.name):
            subject.venue.read_instruments(answer)

    def test_every_connection_has_a_name_of_its_own_and_acknowledgements_that_differ(self, subject: Subject) -> None:
        connections = subject.venue.connections(Instruments(subject.cases.instruments), None)
        assert connections
        assert len({connection.name for connection in connections}) == len(connections)
        for connection in connections:
            names = [name for subscription in connection.subscriptions for name in subscription.acks]
            assert len(set(names)) == len(names)
            assert connection.url.startswith("wss://")

    def test_connections_lead_to_an_endpoint_that_is_not_retired(self, subject: Subject) -> None:
        today = datetime(2026, 11, 20, tzinfo=UTC).date()
        valid = [end.url for end in subject.venue.endpoints if end.valid_until is None or end.valid_until >= today]
        for connection in subject.venue.connections(Instruments(), None):
            assert connection.url.partition("?")[0] in valid

    def test_the_facts_are_told_and_sourced(self, subject: Subject) -> None:
        told = subject.venue
        assert told.facts.source.startswith("https://")
        assert told.coverage.sentence.endswith(".")
        assert all((told.facts.channel, told.facts.side, told.facts.unit, told.facts.price, told.facts.history))

    @cells("fixtures")
    def test_every_line_recorded_gives_what_is_expected(self, subject: Subject, cell: Path) -> None:
        check_file(subject.venue, cell, subject.cases.assumed)
