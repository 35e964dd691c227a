"""No bytes make a decoder raise, and no liquidation that comes out of one is other than finite, positive and sided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from math import inf
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquake.model import FUTURE_TOLERANCE, Event, Instruments, Liquidation, Price, Side, Trade
from liquake.venues.frames import read_line
from liquake.venues.registry import VENUES, find_venue
from tests.conftest import SHARED
from tests.venues.cases import RECEIVED, Absent, Size, cases_of

EVENTS = get_args(Event)
EVERY = pytest.mark.parametrize("venue", VENUES)
NOT_NUMBERS = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"0",
    b"true",
    b"null",
    b"{}",
    b"[]",
    b'""',
    b'"x"',
    b"1e17",
]
NUMBERS = b"0123456789.-"


@cache
def seeds(venue: str) -> tuple[bytes, ...]:
    """Frames of the documented shape: our own, and the recorded ones where they are."""
    cases = cases_of(venue)
    found = [frame for frame, _ in cases.sides.values()]
    found += [
        size.frame for size in (cases.linear, cases.inverse, cases.unknown, cases.bundle) if isinstance(size, Size)
    ]
    found += [*cases.silent.values(), *cases.no_liquidation.values(), *cases.broken.values(), cases.prices[0]]
    found += [cell[0] for cell in (cases.batch, cases.half_broken, cases.acknowledged) if not isinstance(cell, Absent)]
    for name in cases.recorded:
        path = SHARED / "venues" / "frames" / f"{name}.jsonl"
        if path.is_file():
            found += [read_line(line) for line in path.read_bytes().splitlines() if line.strip()]
    return tuple(found)


def sound(events: Sequence[Event], ts_recv: int) -> None:
    """Every rule that an event must keep, whatever the frame was."""
    for event in events:
        assert isinstance(event, EVENTS)
        if isinstance(event, Liquidation):
            assert event.side in (Side.LONG, Side.SHORT)
            assert 0.0 < event.price < inf
            assert (event.amount is None) == (event.usd is None)
            assert event.amount is None or 0.0 < event.amount < inf
            assert event.usd is None or 0.0 < event.usd < inf
            assert 0 < event.ts_event <= ts_recv + FUTURE_TOLERANCE
            assert event.asset
            assert event.instrument
            assert event.key
        if isinstance(event, Price | Trade):
            assert 0.0 < event.price < inf
            assert 0 < event.ts_event <= ts_recv + FUTURE_TOLERANCE


def decode(venue: str, *frames: bytes | str) -> None:
    decoder = find_venue(venue).decoder("main", Instruments(cases_of(venue).instruments))
    for frame in frames:
        sound(decoder.decode(frame, RECEIVED), RECEIVED)


@st.composite
def mutated(draw: st.DrawFn, venue: str) -> bytes:
    """A seed with bytes changed, cut out, doubled, or a number made into what is none."""
    frame = bytearray(draw(st.sampled_from(seeds(venue))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(frame)))
        length = draw(st.integers(0, 12))
        kind = draw(st.sampled_from(("change", "cut", "double", "number", "end")))
        if kind == "change":
            frame[start : start + length] = draw(st.binary(max_size=12))
        elif kind == "cut":
            del frame[start : start + length]
        elif kind == "double":
            frame[start:start] = frame[start : start + length]
        elif kind == "end":
            del frame[start:]
        else:
            _replace_number(frame, start, draw(st.sampled_from(NOT_NUMBERS)))
    return bytes(frame)


def _replace_number(frame: bytearray, start: int, by: bytes) -> None:
    """The number at or after `start`, with its quotes where it has them."""
    first = next((at for at in range(start, len(frame)) if frame[at] in NUMBERS), len(frame))
    last = next((at for at in range(first, len(frame)) if frame[at] not in NUMBERS), len(frame))
    if frame[first - 1 : first] == b'"' and frame[last : last + 1] == b'"':
        first, last = first - 1, last + 1
    frame[first:last] = by


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("1", "-1", "nan", "inf")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def retyped(draw: st.DrawFn, venue: str) -> bytes:
    """A seed that is JSON, with one value somewhere in it replaced by any other."""
    frame = draw(st.sampled_from(seeds(venue)))
    try:
        message = json.loads(frame)
    except ValueError:
        return frame
    holder = {"frame": message}
    at: object = holder
    key: object = "frame"
    while draw(st.booleans()) or at is holder:
        inner = at[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner:
            break
        at, key = inner, draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
    at[key] = draw(VALUES)  # type: ignore[index]
    return json.dumps(holder["frame"]).encode()


@EVERY
@given(frame=st.binary(max_size=200) | st.text(max_size=200))
@settings(deadline=None)
def test_any_bytes_and_any_text(venue: str, frame: bytes | str) -> None:
    decode(venue, frame)


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_broken_frames(venue: str, data: st.DataObject) -> None:
    decode(venue, *data.draw(st.lists(mutated(venue), min_size=1, max_size=4)))


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_frames_with_a_value_of_another_type(venue: str, data: st.DataObject) -> None:
    decode(venue, data.draw(retyped(venue)))


@EVERY
@given(
    line=st.binary(max_size=100)
    | st.sampled_from([b'{"raw_gzip_b64":"AAAA"}', b'{"raw":5}', b'{"raw":"\\ud800"}', b"{}"])
)
@settings(deadline=None)
def test_any_line_of_a_file(venue: str, line: bytes) -> None:
    decode(venue, read_line(line))


@EVERY
@pytest.mark.parametrize(
    "frame",
    [
        '{{"id":{0},"result":null}}',
        '{{"error":{{"code":{0},"msg":"x"}},"id":1}}',
        '{{"e":{0}}}',
        '{{"e":"forceOrder","st":{0},"o":{{"st":{0}}}}}',
        '{{"success":false,"ret_msg":"x","req_id":{0}}}',
        '{{"event":"error","code":{0}}}',
        '{{"channel":"error","data":{0}}}',
        '{{"arg":{{"channel":"liquidation-orders"}},"data":[{{"instId":{0}}}]}}',
    ],
)
def test_depths_around_where_python_gives_up(venue: str, frame: str) -> None:
    for depth in range(930, 1010):
        decode(venue, frame.format("[" * depth + "]" * depth))
