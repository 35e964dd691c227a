"""A decoder that scans gives the events and errors of one that does not, whatever the frame is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquake.model import Event, Instruments, Liquidation, Trade
from liquake.venues import shape
from liquake.venues.frames import decoded
from liquake.venues.registry import find_venue
from liquake.venues.venue import Decoder
from tests.property.shapes import shaped
from tests.property.shapes.values import Shaped
from tests.property.test_decoders import mutated, retyped, seeds
from tests.venues.cases import RECEIVED, cases_of

pytestmark = pytest.mark.skipif(not shape.compiled(), reason="the package was built without a C compiler")

SHAPED = shaped()
VENUES = sorted({each.venue for each in SHAPED})
EVERY = pytest.mark.parametrize("each", SHAPED, ids=lambda each: each.documented[:40])
EVERY_VENUE = pytest.mark.parametrize("venue", VENUES)


@st.composite
def changed(draw: st.DrawFn, each: Shaped) -> bytes:
    """A frame of the documented shape, as it is or with some of its bytes changed, cut out or doubled."""
    frame = bytearray(draw(each.frames).encode())
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(frame)))
        frame[start : start + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from((b" ", b"\\", b'"', b",", b"e", b"0", b"\\u0041", b"{}"))
        )
    return bytes(frame)


def decoder_of(venue: str) -> Decoder:
    return find_venue(venue).decoder("main", Instruments(cases_of(venue).instruments))


def both(venue: str, *frames: bytes) -> tuple[list[Event], list[Event]]:
    """What is made of `frames`, one after another, with the scanner, and without it."""
    with pytest.MonkeyPatch.context() as patch:
        scanning = decoder_of(venue)
        scanned = [event for frame in frames for event in scanning.decode(frame, RECEIVED)]
        patch.setenv(shape.PURE, "1")
        reading = decoder_of(venue)
        return scanned, [event for frame in frames for event in reading.decode(frame, RECEIVED)]


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=400)
def test_frames_of_the_documented_shape_and_near_it(each: Shaped, data: st.DataObject) -> None:
    scanned, read = both(each.venue, data.draw(changed(each)))
    assert scanned == read


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_frames_that_follow_one_another(each: Shaped, data: st.DataObject) -> None:
    scanned, read = both(each.venue, *data.draw(st.lists(changed(each), min_size=2, max_size=8)))
    assert scanned == read


@EVERY_VENUE
@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_recorded_frames_and_changes_of_them(venue: str, data: st.DataObject) -> None:
    scanned, read = both(venue, data.draw(st.sampled_from(seeds(venue)) | mutated(venue) | retyped(venue)))
    assert scanned == read


@EVERY
def test_the_documented_shape_is_scanned_and_nothing_shorter_or_longer(each: Shaped) -> None:
    scan, frame = each.shape.scan, each.documented.encode()
    assert scan is not None
    assert scan(frame) is not None
    assert {scan(frame[:end]) for end in range(len(frame))} == {None}
    assert scan(frame + b"\n") is None
    scanned, read = both(each.venue, frame)
    assert scanned == read
    assert all(isinstance(event, Liquidation | Trade) for event in scanned)
    keys = [event.key for event in scanned if isinstance(event, Liquidation)]
    assert len(set(keys)) == len(keys)


WITHOUT = """
import sys
sys.modules["liquake.venues._scan"] = None
from liquake.model import Instruments
from liquake.venues import find_venue, shape
from liquake.venues.frames import decoded
assert not shape.compiled()
print(decoded(find_venue("{venue}").decoder("main", Instruments()), {frame!r}, {received}))
"""


@EVERY
def test_where_the_scanner_was_not_built_everything_is_decoded_all_the_same(each: Shaped) -> None:
    venue, frame = each.venue, each.documented.encode()
    script = WITHOUT.format(venue=venue, frame=frame, received=RECEIVED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(decoded(find_venue(venue).decoder("main", Instruments()), frame, RECEIVED))
