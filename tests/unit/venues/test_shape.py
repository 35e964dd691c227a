"""What a shape reads is what msgspec reads, and what it does not read it leaves alone."""

from __future__ import annotations

import struct
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liquake.venues import shape
from liquake.venues.shape import Scan, Shape, maybe, rows, skipped
from liquake.venues.venue import Amount, Milliseconds, Positive, Symbol

pytestmark = pytest.mark.skipif(not shape.compiled(), reason="the package was built without a C compiler")


def scan_of(*parts: object) -> Scan:
    scan = Shape(*parts).scan
    assert scan is not None
    return scan


def bits(number: float) -> bytes:
    return struct.pack("d", number)


DIGITS = st.text("0123456789", min_size=1, max_size=24)
DECIMALS = st.one_of(
    st.builds("{}.{}".format, DIGITS, DIGITS),
    DIGITS,
    st.floats(0, 1e18).map(repr),
    st.integers(0, 2**54).flatmap(lambda n: st.integers(0, 19).map(lambda d: f"{n:020}"[:-d] + "." + f"{n:020}"[-d:])),
    st.sampled_from(("", "-1", "-0", "+1", "1.", ".5", "00", "01.5", "1e3", "1E-3", "nan", "inf", "0x1", " 1", "1_0")),
)


@given(text=DECIMALS)
@example(text="9007199254740993")
@example(text="0.1234567890123456789")
@example(text="18446744073709551616")
@example(text="0.0000000000000000001")
@pytest.mark.parametrize("quote", ['"', ""])
def test_a_number_is_to_the_last_bit_what_msgspec_makes_of_it(quote: str, text: str) -> None:
    frame = f"[{quote}{text}{quote}]".encode()
    for kind in (Positive, Amount, float):
        found = scan_of(f"[{quote}", kind, f"{quote}]")(frame)
        if found is not None:
            (wanted,) = msgspec.json.decode(frame, type=list[kind], strict=False)  # type: ignore[valid-type]
            assert bits(found[0]) == bits(wanted)


@given(text=DIGITS | DECIMALS | st.integers(10**11, 10**15).map(str))
@pytest.mark.parametrize("quote", ['"', ""])
def test_an_integer_is_what_msgspec_makes_of_it(quote: str, text: str) -> None:
    frame = f"[{quote}{text}{quote}]".encode()
    for kind in (Milliseconds, int):
        found = scan_of(f"[{quote}", kind, f"{quote}]")(frame)
        if found is not None:
            assert list(found) == msgspec.json.decode(frame, type=list[kind], strict=False)  # type: ignore[valid-type]


@given(text=st.text(max_size=70) | st.text('ABCé\\"\n', max_size=6))
def test_a_text_is_what_msgspec_makes_of_it(text: str) -> None:
    frame = b'["' + text.encode("utf-8", "replace") + b'"]'
    found = scan_of('["', Symbol, '"]')(frame)
    if found is not None:
        assert list(found) == msgspec.json.decode(frame, type=list[Symbol])


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "0.1", 0.1),
        (float, "9007199254740992", 2.0**53),
        (Amount, "0", 0.0),
        (Amount, "0.00", 0.0),
        (Positive, "0.000000000000000001", 1e-18),
        (Milliseconds, "1000000000000", 10**12),
        (Milliseconds, "100000000000000", 10**14),
        (int, "0", 0),
        (str, "", ""),
        (Symbol, "A" * 64, "A" * 64),
        (Literal["STOP", "STOP_MARKET"], "STOP_MARKET", "STOP_MARKET"),
        (Literal["net", ""], "", ""),
    ],
)
def test_values_up_to_their_bounds_are_read(kind: object, text: str, value: object) -> None:
    assert scan_of("[", kind, '"]')(f'[{text}"]'.encode()) == (value,)
    assert scan_of("[", skipped(kind), '"]')(f'[{text}"]'.encode()) == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Positive, "0"),
        (Positive, "0.0000000000000000001"),
        (Amount, "1000000000000000128"),
        (Annotated[float, msgspec.Meta(le=2.0)], "2.5"),
        (Annotated[float, msgspec.Meta(ge=2.0)], "1.5"),
        (float, "9007199254740993"),
        (float, "1e3"),
        (float, "-1"),
        (float, "01"),
        (float, "1."),
        (float, ".1"),
        (Milliseconds, "999999999999"),
        (Milliseconds, "100000000000001"),
        (int, "1.0"),
        (int, "10000000000000000000"),
        (Symbol, ""),
        (Symbol, "A" * 65),
        (str, "\\u0041"),
        (str, "é"),
        (str, "\x7f"),
        (str, "\t"),
        (Literal["STOP", "STOP_MARKET"], "STOP_"),
    ],
)
def test_what_is_out_of_bounds_or_rare_is_left_alone(kind: object, text: str) -> None:
    assert scan_of("[", kind, '"]')(f'[{text}"]'.encode()) is None


def test_parts_that_may_be_left_out_are_none_then_and_count_only_as_a_whole() -> None:
    scan = scan_of('{"a":', int, maybe(',"b":', int, ',"c":', skipped(int)), "}")
    assert scan(b'{"a":1,"b":2,"c":3}') == (1, 2)
    assert scan(b'{"a":1}') == (1, None)
    assert scan(b'{"a":1,"b":2}') is None


def test_rows_come_once_or_more() -> None:
    scan = scan_of("[", rows("{", int, ":", Symbol, '"}'), "]", int)
    assert scan(b'[{1:a"}]7') == ([(1, "a")], 7)
    assert scan(b'[{1:a"},{2:b"},{3:a"}]7') == ([(1, "a"), (2, "b"), (3, "a")], 7)
    for frame in (b"[]7", b'[{1:a"},]7', b'[{1:a"} ,{2:b"}]7', b'[{1:a"},{2:b"}', b'[{1:a"},{2:'):
        assert scan(frame) is None


def test_rows_of_rows() -> None:
    scan = scan_of("[", rows("<", rows("(", int, ")"), ">"), "]")
    assert scan(b"[<(1),(2)>,<(3)>]") == ([([(1,), (2,)],), ([(3,)],)],)


@pytest.mark.parametrize("frame", ["[1]", bytearray(b"[1]"), memoryview(b"[1]"), None, 5])
def test_only_bytes_are_read(frame: Any) -> None:
    assert scan_of("[", int, "]")(b"[1]") == (1,)
    assert scan_of("[", int, "]")(frame) is None


@given(frame=st.binary(max_size=64) | st.text('[{"a1.,}]', max_size=24).map(str.encode))
def test_any_bytes(frame: bytes) -> None:
    scan = scan_of('[{"', Symbol, '":', float, maybe(",", skipped(str), '"'), "},", rows("[", int, "]"), "]")
    found = scan(frame)
    assert found is None or frame.startswith(b'[{"')


def test_every_beginning_of_a_frame_is_left_alone() -> None:
    scan = scan_of('[{"', Symbol, '":', float, maybe(",", Literal["x", "yy"], '"'), "},", rows("[", int, "]"), "]")
    frame = b'[{"abc":12.5,yy"},[1],[22]]'
    assert scan(frame) == ("abc", 12.5, "yy", [(1,), (22,)])
    assert [scan(frame[:end]) for end in range(len(frame))] == [None] * len(frame)
    assert scan(frame + b" ") is None


def test_the_same_text_again_is_the_same_object_and_others_are_not_taken_for_it() -> None:
    scan = scan_of('"', Symbol, '"')
    names = [f"NAME{number}" for number in range(5000)]
    assert [scan(f'"{name}"'.encode()) for name in names] == [(name,) for name in names]
    first, second = scan(b'"BTCUSDT"'), scan(b'"BTCUSDT"')
    assert first is not None
    assert second is not None
    assert first[0] is second[0]


def test_a_shape_of_unknown_types_is_refused() -> None:
    with pytest.raises(TypeError, match="has no place in a shape"):
        Shape("[", dict, "]")


@pytest.mark.parametrize("parts", [(), (int, "]"), ("[", rows(int), "]"), ("[", maybe(), "]")])
def test_a_sequence_begins_with_a_literal(parts: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="begins with a literal"):
        Shape(*parts)


def test_there_is_no_scanner_where_one_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Shape("[", int, "]")
    monkeypatch.setenv(shape.PURE, "1")
    assert readers.scan is None
    assert not shape.compiled()
    monkeypatch.delenv(shape.PURE)
    assert readers.scan is not None
