"""What every venue must do alike, whatever its frames look like."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from liquake.errors import InstrumentsError
from liquake.model import FUTURE_TOLERANCE, DecodeError, Event, FeedState, FeedStatus, Instruments, Liquidation, Price
from liquake.venues.registry import VENUES, find_venue
from liquake.venues.venue import Decoder
from tests.venues.cases import NOW, RECEIVED, Absent, Cases, Size, cases_of

ALL = {name: cases_of(name) for name in VENUES}
EVERY = pytest.mark.parametrize("venue", ALL)
SIZES = ("linear", "inverse", "unknown", "zero", "bundle", "quarterly")


def cells(field: str) -> Any:
    """One parameter per named frame in a field of the cases; an `Absent` one is skipped with its reason."""
    found = []
    for venue, cases in ALL.items():
        cell = getattr(cases, field)
        if isinstance(cell, Absent):
            found.append(pytest.param(venue, None, marks=pytest.mark.skip(reason=cell), id=venue))
        elif isinstance(cell, dict):
            found += [pytest.param(venue, content, id=f"{venue}, {name}") for name, content in cell.items()]
        else:
            found.append(pytest.param(venue, cell, id=venue))
    return pytest.mark.parametrize(("venue", "cell"), found)


def decoder(venue: str) -> Decoder:
    return find_venue(venue).decoder("main", Instruments(ALL[venue].instruments))


def decode(venue: str, frame: bytes, ts_recv: int = RECEIVED) -> Sequence[Event]:
    return decoder(venue).decode(frame, ts_recv)


def only(events: Sequence[Event]) -> Liquidation:
    """The one liquidation that is all of `events`."""
    (event,) = events
    assert isinstance(event, Liquidation), event
    return event


def one_error(events: Sequence[Event]) -> DecodeError:
    (event,) = events
    assert isinstance(event, DecodeError), event
    return event


def liquidation_frames(cases: Cases) -> Iterator[bytes]:
    yield from (frame for frame, _ in cases.sides.values())
    yield from (size.frame for name in SIZES if isinstance(size := getattr(cases, name), Size))
    yield from (cell for cell in (cases.twins,) if not isinstance(cell, Absent))
    yield from (cell[0] for cell in (cases.batch, cases.first) if not isinstance(cell, Absent))


@cells("sides")
def test_the_side_is_of_the_position(venue: str, cell: Any) -> None:
    frame, side = cell
    assert only(decode(venue, frame)).side is side


@pytest.mark.parametrize("unit", SIZES)
@EVERY
def test_a_size_becomes_coins_and_dollars(venue: str, unit: str) -> None:
    size = getattr(ALL[venue], unit)
    if isinstance(size, Absent):
        pytest.skip(size)
    event = only(decode(venue, size.frame))
    assert event.asset == size.asset
    assert event.amount == (None if size.amount is None else pytest.approx(size.amount))
    assert event.usd == (None if size.usd is None else pytest.approx(size.usd))


@cells("linear")
def test_both_times_are_kept_in_nanoseconds(venue: str, cell: Size) -> None:
    event = only(decode(venue, cell.frame))
    happened = RECEIVED if isinstance(ALL[venue].later, Absent) else NOW * 1_000_000
    assert (event.ts_event, event.ts_recv) == (happened, RECEIVED)
    assert event.venue == venue


@cells("batch")
def test_a_message_gives_all_of_its_liquidations(venue: str, cell: Any) -> None:
    frame, sides = cell
    events = decode(venue, frame)
    assert [event.side for event in events if isinstance(event, Liquidation)] == list(sides)
    assert len(events) == len(sides)
    assert len({event.key for event in events if isinstance(event, Liquidation)}) == len(sides)


@cells("twins")
def test_two_equal_liquidations_of_one_message_both_count(venue: str, cell: bytes) -> None:
    first, second = decode(venue, cell)
    assert isinstance(first, Liquidation)
    assert isinstance(second, Liquidation)
    assert (first.usd, first.ts_event) == (second.usd, second.ts_event)
    assert first.key != second.key


@cells("first")
def test_what_the_first_frame_replays_keeps_its_own_time(venue: str, cell: Any) -> None:
    frame, milliseconds = cell
    # Where the first frame is the acknowledgement too, its status is told with what it replays.
    told = [event for event in decode(venue, frame) if not isinstance(event, FeedStatus)]
    assert only(told).ts_event == milliseconds * 1_000_000


@cells("silent")
def test_says_nothing_of(venue: str, cell: bytes) -> None:
    assert list(decode(venue, cell)) == []


@cells("no_liquidation")
def test_sees_neither_liquidation_nor_error_in(venue: str, cell: bytes) -> None:
    assert not [event for event in decode(venue, cell) if isinstance(event, Liquidation | DecodeError)]


@cells("acknowledged")
def test_an_acknowledgement_names_its_topic(venue: str, cell: Any) -> None:
    frame, topic = cell
    assert list(decode(venue, frame)) == [FeedStatus(venue, "main", FeedState.SUBSCRIBED, RECEIVED, topic)]


@cells("rejected")
def test_a_refusal_is_surfaced_by_name(venue: str, cell: Any) -> None:
    frame, topic, word = cell
    (status,) = decode(venue, frame)
    assert isinstance(status, FeedStatus)
    assert (status.state, status.topic) == (FeedState.REJECTED, topic)
    assert word in status.reason


@cells("closing")
def test_an_announced_end_is_told(venue: str, cell: bytes) -> None:
    (status,) = decode(venue, cell)
    assert isinstance(status, FeedStatus)
    assert status.state is FeedState.CLOSING


@cells("strange")
def test_an_undocumented_value_keeps_the_event_and_becomes_a_tag(venue: str, cell: Any) -> None:
    frame, tags = cell
    assert only(decode(venue, frame)).tags == tags


@cells("half_broken")
def test_a_broken_row_leaves_the_others_standing(venue: str, cell: Any) -> None:
    frame, good, bad = cell
    kinds = [type(event) for event in decode(venue, frame)]
    assert (kinds.count(Liquidation), kinds.count(DecodeError), len(kinds)) == (good, bad, good + bad)


@cells("broken")
def test_is_one_error(venue: str, cell: bytes) -> None:
    error = one_error(decode(venue, cell))
    assert (error.venue, error.connection, error.ts, error.frame) == (venue, "main", RECEIVED, cell)
    assert error.reason


@cells("later")
def test_a_time_ahead_of_ours_is_an_error_beyond_the_tolerance(venue: str, cell: Any) -> None:
    later, edge = cell, (RECEIVED + FUTURE_TOLERANCE) // 1_000_000
    assert only(decode(venue, later(edge))).ts_event == edge * 1_000_000
    assert "ahead" in one_error(decode(venue, later(edge + 1))).reason
    assert "ahead" in one_error(decode(venue, later(99_999_999_999_999))).reason


@EVERY
def test_prices_prove_that_the_feed_is_alive(venue: str) -> None:
    frame, wanted = ALL[venue].prices
    events = decode(venue, frame)
    prices = [event for event in events if isinstance(event, Price)]
    assert {price.kind: price.price for price in prices} == wanted
    assert {price.asset for price in prices} == {"BTC"}
    assert len(prices) == len(events)


@EVERY
def test_the_same_frame_again_gives_the_same_keys(venue: str) -> None:
    reading, other = decoder(venue), decoder(venue)
    for frame in liquidation_frames(ALL[venue]):
        keys = [event.key for event in reading.decode(frame, RECEIVED) if isinstance(event, Liquidation)]
        again = [event.key for event in reading.decode(frame, RECEIVED + 10**9) if isinstance(event, Liquidation)]
        elsewhere = [event.key for event in other.decode(frame, RECEIVED + 2 * 10**9) if isinstance(event, Liquidation)]
        assert keys
        assert keys == again == elsewhere


@EVERY
def test_text_reads_as_its_bytes_do(venue: str) -> None:
    for frame in liquidation_frames(ALL[venue]):
        assert list(decoder(venue).decode(frame.decode(), RECEIVED)) == list(decode(venue, frame))


@EVERY
def test_a_truncated_frame_is_one_error(venue: str) -> None:
    frame = ALL[venue].linear.frame
    for length in range(len(frame)):
        assert one_error(decode(venue, frame[:length])).frame == frame[:length]


@EVERY
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
def test_what_is_no_message_is_one_error(venue: str, frame: bytes) -> None:
    assert one_error(decode(venue, frame)).frame == frame[:4096]


@EVERY
def test_of_an_oversized_frame_little_is_kept(venue: str) -> None:
    error = one_error(decode(venue, b'{"x":"' + b"y" * 5_000_000 + b'"}'))
    assert len(error.frame) == 4096
    assert len(error.reason) < 400


@EVERY
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
def test_a_number_that_is_none_is_one_error(venue: str, number: bytes) -> None:
    frame = ALL[venue].linear.frame
    price = next(text for text in (b'"64000.00"', b'"64000.0"', b'"64000"', b"64000.0", b"64000") if text in frame)
    assert frame.count(price) == 1
    if venue in ("binance", "aster") and number == b"null":
        pytest.skip("a missing average price falls back to the limit")
    assert one_error(decode(venue, frame.replace(price, number))).reason


@EVERY
def test_garbage_between_good_frames_changes_nothing(venue: str) -> None:
    reading, chance = decoder(venue), random.Random(11)
    frames = [size.frame for name in SIZES if isinstance(size := getattr(ALL[venue], name), Size)]
    wanted = [event for frame in frames for event in decode(venue, frame)]
    found: list[Event] = []
    for frame in frames:
        reading.decode(chance.randbytes(40), RECEIVED)
        reading.decode(frame[: len(frame) // 2], RECEIVED)
        found += reading.decode(frame, RECEIVED)
    assert found == wanted


@EVERY
def test_an_answer_about_instruments_is_read(venue: str) -> None:
    cases = ALL[venue]
    read = Instruments(find_venue(venue).read_instruments(cases.answer))
    assert {symbol: read[symbol] for symbol in cases.answered} == cases.answered
    assert not read.keys() & set(cases.absent_from_answer)


@EVERY
@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"\xff", b"<html>", b"[" * 100_000], ids=repr)
def test_an_answer_that_is_none_is_refused_with_the_venue_s_name(venue: str, answer: bytes) -> None:
    if answer == b"[]" and ALL[venue].answer.startswith(b"["):
        pytest.skip("a list without contracts is an answer of this venue")
    with pytest.raises(InstrumentsError, match=venue):
        find_venue(venue).read_instruments(answer)


@EVERY
def test_every_connection_has_a_name_of_its_own_and_acknowledgements_that_differ(venue: str) -> None:
    connections = find_venue(venue).connections(Instruments(ALL[venue].instruments), None)
    assert connections
    assert len({connection.name for connection in connections}) == len(connections)
    for connection in connections:
        names = [name for subscription in connection.subscriptions for name in subscription.acks]
        assert len(set(names)) == len(names)
        assert connection.url.startswith("wss://")


@EVERY
def test_connections_lead_to_an_endpoint_that_is_not_retired(venue: str) -> None:
    today = datetime(2026, 11, 20, tzinfo=UTC).date()
    valid = [end.url for end in find_venue(venue).endpoints if end.valid_until is None or end.valid_until >= today]
    for connection in find_venue(venue).connections(Instruments(), None):
        assert connection.url.partition("?")[0] in valid


@EVERY
def test_the_facts_are_told_and_sourced(venue: str) -> None:
    told = find_venue(venue)
    assert told.facts.source.startswith("https://")
    assert told.coverage.sentence.endswith(".")
    assert all((told.facts.channel, told.facts.side, told.facts.unit, told.facts.price, told.facts.history))
