"""What a shape reads is what msgspec reads, and what it does not read it leaves alone."""

from __future__ import annotations

import struct
import sys
from types import ModuleType
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liquake.model import ContractKind, Instrument, Instruments, Liquidation, PriceBasis, Side, normalised
from liquake.venues import shape
from liquake.venues.shape import (
    Columns,
    Contracts,
    Read,
    Scan,
    Shape,
    either,
    loose,
    maybe,
    one_of,
    opposite,
    passing,
    rows,
    skipped,
)
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


def test_what_comes_in_either_of_some_ways_keeps_the_same_values() -> None:
    scan = scan_of("{", either(('"a":', int, ',"b":1'), ('"b":1,"a":', int)), ',"c":', Symbol, '"}')
    assert scan(b'{"a":5,"b":1,"c":x"}') == scan(b'{"b":1,"a":5,"c":x"}') == (5, "x")
    for frame in (b'{"c":x"}', b'{"a":5,"b":2,"c":x"}', b'{"a":5', b"{"):
        assert scan(frame) is None
    with pytest.raises(ValueError, match="differ in the number"):
        Shape("{", either(('"a":', int), ('"b":',)), "}")


def test_rows_come_once_or_more() -> None:
    scan = scan_of("[", rows("{", int, ":", Symbol, '"}'), "]", int)
    assert scan(b'[{1:a"}]7') == (((1, "a"),), 7)
    assert scan(b'[{1:a"},{2:b"},{3:a"}]7') == (((1, "a"), (2, "b"), (3, "a")), 7)
    for frame in (b"[]7", b'[{1:a"},]7', b'[{1:a"} ,{2:b"}]7', b'[{1:a"},{2:b"}', b'[{1:a"},{2:'):
        assert scan(frame) is None


def test_rows_of_rows() -> None:
    scan = scan_of("[", rows("<", rows("(", int, ")"), ">"), "]")
    assert scan(b"[<(1),(2)>,<(3)>]") == (((((1,), (2,)),), (((3,),),)),)


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
    assert scan(frame) == ("abc", 12.5, "yy", ((1,), (22,)))
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


def test_one_of_some_texts_is_kept_as_what_it_means() -> None:
    scan = scan_of('["', one_of({'a","x': 1, "a": 2, "ab": None}), '"]')
    assert [scan(frame) for frame in (b'["a","x"]', b'["a"]', b'["ab"]', b'["b"]')] == [(1,), (2,), (None,), None]


SIDES = {"L": Side.LONG, "S": Side.SHORT}
NOW = 1_790_000_000_000
RECEIVED = NOW * 1_000_000
CONTRACTS = (
    Instrument("COIN", "COIN", ContractKind.LINEAR, 1.0),
    Instrument("TENTH", "TENTH", ContractKind.LINEAR, 0.1),
    Instrument("DOLLARS", "DOLLARS", ContractKind.INVERSE, 100.0),
    Instrument("THOUSAND", "PEPE", ContractKind.LINEAR, 1.0, 1000.0),
    Instrument("UNKNOWN", "UNKNOWN", ContractKind.LINEAR, None),
)
ROW = ("(", Symbol, '" ', one_of(SIDES), " ", Positive, " ", Positive, " ", Milliseconds, ")")
NAMES = "symbol side price size milliseconds"


def by_name(symbol: str) -> Instrument | None:
    return Instrument(symbol, symbol.lower(), ContractKind.LINEAR, 1.0) if symbol.startswith("NAMED") else None


def reader(*parts: object, row: str = NAMES, beside: str = "", **others: Any) -> Read:
    columns = Columns(row, PriceBasis.FILL, beside, **others)
    read = Shape(*parts).reader(columns, Contracts("toy", Instruments(CONTRACTS), by_name))
    assert read is not None
    return read


def expected(symbol: str, side: Side, price: float, size: float, milliseconds: int) -> Liquidation | None:
    instrument = next(contract for contract in CONTRACTS if contract.symbol == symbol)
    return normalised("toy", instrument, side, price, PriceBasis.FILL, size, milliseconds, RECEIVED)


@given(price=st.floats(1e-6, 1e6).map(lambda p: round(p, 6)).filter(bool), size=st.integers(1, 10**9))
@pytest.mark.parametrize("symbol", ["COIN", "TENTH", "DOLLARS"])
def test_an_event_is_what_its_normalisation_makes_of_it(symbol: str, price: float, size: int) -> None:
    for mark, side in SIDES.items():
        event = expected(symbol, side, price, size / 1000, NOW)
        found = reader(*ROW)(f'({symbol}" {mark} {price:f} {size / 1000} {NOW})'.encode(), RECEIVED)
        assert found == (event,)
        assert found is not None
        assert found[0].key == event.key if event else False
        assert (found[0].id, found[0].tags) == (None, ())


def test_rows_are_one_event_each_and_a_symbol_may_stand_beside_them() -> None:
    first, second = f'(COIN" L 2.5 4 {NOW})', f'(TENTH" S 2.5 4 {NOW + 1})'
    wanted = (expected("COIN", Side.LONG, 2.5, 4.0, NOW), expected("TENTH", Side.SHORT, 2.5, 4.0, NOW + 1))
    assert reader("<", rows(*ROW), ">", beside="rows")(f"<{first},{second}>".encode(), RECEIVED) == wanted
    named = reader("<", rows("(", *ROW[3:]), ">", Symbol, '"', row="side price size milliseconds", beside="rows symbol")
    assert named(f'<(L 2.5 4 {NOW})>COIN"'.encode(), RECEIVED) == wanted[:1]


@pytest.mark.parametrize(
    "frame",
    [
        f'<(THOUSAND" L 2.5 4 {NOW})>',
        f'<(UNKNOWN" L 2.5 4 {NOW})>',
        f'<(ABSENT" L 2.5 4 {NOW})>',
        f'<(COIN" L 2.5 4 {NOW}),(ABSENT" L 2.5 4 {NOW + 1})>',
        f'<(COIN" L 2.5 4 {NOW}),(TENTH" L 2.5 4 {NOW})>',
        f'<(COIN" L 2.5 4 {NOW}),(COIN" L 3.5 4 {NOW}),(COIN" S 2.5 4 {NOW})>',
        "<" + ",".join(f'(COIN" L {price}.5 4 {NOW})' for price in range(40)) + ">",
        f'<(COIN" L 2.5 4 {NOW + 600_001})>',
        '<(COIN" L 2.5 4 99999999999999)>',
        '<(COIN" L 2.5 4 0)>',
    ],
)
def test_what_takes_more_than_a_multiplication_is_for_the_general_way(frame: str) -> None:
    assert reader("<", rows(*ROW), ">", beside="rows")(frame.encode(), RECEIVED) is None


def test_rows_may_come_in_any_order_of_time_and_at_one_time_where_they_differ() -> None:
    told = ((2.5, 4.0, NOW), (2.5, 4.0, NOW - 1), (3.5, 4.0, NOW), (3.5, 5.0, NOW), (2.5, 4.0, NOW - 2))
    frame = ",".join(f'(COIN" L {price} {size} {when})' for price, size, when in told)
    found = reader("<", rows(*ROW), ">", beside="rows")(f"<{frame}>".encode(), RECEIVED)
    assert found == tuple(expected("COIN", Side.LONG, price, size, when) for price, size, when in told)


def test_rows_without_a_side_are_no_liquidations() -> None:
    sides = {**SIDES, "fill": None}
    read = reader("<", rows("(", Symbol, '" ', one_of(sides), *ROW[4:]), ">", beside="rows")
    frame = f'<(ABSENT" fill 2.5 4 99999999999999),(COIN" L 2.5 4 {NOW}),(COIN" fill 2.5 4 {NOW})>'
    assert read(frame.encode(), RECEIVED) == (expected("COIN", Side.LONG, 2.5, 4.0, NOW),)
    assert read(f'<(COIN" fill 2.5 4 {NOW})>'.encode(), RECEIVED) == ()


@pytest.mark.parametrize(("symbol", "coins"), [("COIN", 1.6), ("TENTH", 1.6), ("DOLLARS", 1.6)])
def test_a_venue_may_count_dollars_whatever_the_contract(symbol: str, coins: float) -> None:
    found = reader(*ROW, in_dollars=True)(f'({symbol}" L 2.5 4 {NOW})'.encode(), RECEIVED)
    assert found is not None
    assert [(event.amount, event.usd, event.size) for event in found] == [(coins, 4.0, 4.0)]
    for other in ("THOUSAND", "UNKNOWN"):
        assert reader(*ROW, in_dollars=True)(f'({other}" L 2.5 4 {NOW})'.encode(), RECEIVED) is None


@pytest.mark.parametrize(
    ("symbol", "mark", "read"),
    [("COIN", "1", True), ("COIN", "2", False), ("COIN", "", True), ("DOLLARS", "2", True), ("DOLLARS", "1", False)],
)
def test_a_contract_of_another_kind_than_the_row_says_is_for_the_general_way(
    symbol: str, mark: str, read: bool
) -> None:
    kinds = one_of({"1": ContractKind.LINEAR, "2": ContractKind.INVERSE})
    scan = reader(*ROW, maybe(" of ", kinds), row=f"{NAMES} kind")
    frame = f'({symbol}" L 2.5 4 {NOW})' + (mark and f" of {mark}")
    assert (scan(frame.encode(), RECEIVED) is not None) is read


def test_ids_are_made_of_the_position_and_the_second_and_rows_of_one_are_for_the_general_way() -> None:
    signed = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]
    row = ("(", Symbol, '" ', Positive, " ", loose(opposite(signed)), " ", Milliseconds, ")")
    identity = ("symbol", "|", "size", "|", "price", "|", "second")
    read = reader("<", rows(*row), ">", row="symbol price size milliseconds", beside="rows", identity=identity)
    found = read(f'<(COIN" 2.50 "-4" {NOW}),(COIN" 2.5 4.25 {NOW + 999})>'.encode(), RECEIVED)
    assert found is not None
    second = NOW // 1000
    assert [(event.id, event.side, event.size) for event in found] == [
        (f"COIN|4.0|2.5|{second}", Side.LONG, 4.0),
        (f"COIN|-4.25|2.5|{second}", Side.SHORT, 4.25),
    ]
    assert read(f'<(COIN" 2.5 -4 {NOW}),(COIN" 2.50 -4.0 {NOW + 999})>'.encode(), RECEIVED) is None
    assert read(f'<(COIN" 2.5 -4 {NOW}),(COIN" 2.5 -4 {NOW + 1000})>'.encode(), RECEIVED) is not None


def test_rows_are_told_apart_by_what_their_ids_are_made_of_alone() -> None:
    row = ("(", int, " ", *ROW[1:])
    read = reader("<", rows(*row), ">", row=f"number {NAMES}", beside="rows", identity=("number", "|", "size"))
    first = f'(1 COIN" L 2.5 4 {NOW})'
    for other, apart in (("2 COIN", True), ("1 TENTH", False)):
        again = f'({other}" S 3.5 4 {NOW + 5000})'
        assert (read(f"<{first},{again}>".encode(), RECEIVED) is not None) is apart


@pytest.mark.parametrize("text", ['"2.5"', "2.5"])
def test_a_loose_number_is_in_quotes_or_not(text: str) -> None:
    assert scan_of("[", loose(Positive), "]")(f"[{text}]".encode()) == (2.5,)
    assert scan_of("[", opposite(loose(Positive)), "]")(f"[{text}]".encode()) == (-2.5,)
    for wrong in ('"2.5', '2.5"', '""2.5""', '"', '""', ""):
        assert scan_of("[", loose(Positive), "]")(f"[{wrong}]".encode()) is None


def test_a_passing_text_is_not_remembered() -> None:
    scan = scan_of('["', passing(Symbol), '"]')
    first, second = scan(b'["0f3b"]'), scan(b'["0f3b"]')
    assert first == second == ("0f3b",)
    assert first is not None
    assert second is not None
    assert first[0] is not second[0]


def test_an_event_may_be_as_far_ahead_as_clocks_differ() -> None:
    found = reader(*ROW)(f'(COIN" L 2.5 4 {NOW + 600_000})'.encode(), RECEIVED)
    assert found == (expected("COIN", Side.LONG, 2.5, 4.0, NOW + 600_000),)


def test_a_contract_that_is_not_listed_is_what_its_name_says() -> None:
    found = reader(*ROW)(f'(NAMED" L 2.5 4 {NOW})'.encode(), RECEIVED)
    assert found is not None
    assert [(event.instrument, event.asset, event.amount) for event in found] == [("NAMED", "named", 4.0)]


def test_an_instrument_that_comes_later_or_changes_counts_at_once() -> None:
    instruments = Instruments()
    read = Shape(*ROW).reader(Columns(NAMES, PriceBasis.FILL), Contracts("toy", instruments, by_name))
    assert read is not None
    frame = f'(TENTH" L 2.5 4 {NOW})'.encode()
    assert read(frame, RECEIVED) is None
    for multiplier in (0.1, 0.01):
        instruments.update([Instrument("TENTH", "TENTH", ContractKind.LINEAR, multiplier)])
        found = read(frame, RECEIVED)
        assert found is not None
        assert found[0].amount == 4.0 * multiplier


def test_nothing_stays_behind() -> None:
    read, scan = reader("<", rows(*ROW), ">", beside="rows"), scan_of("<", rows(*ROW), ">")
    good, bad = f'<(COIN" L 2.5 4 {NOW})>'.encode(), f'<(COIN" L 2.5 4 {NOW}),(ABSENT" L 2.5 4 {NOW})>'.encode()

    def work() -> None:
        for frame in (good, bad, good[:-1], b"<"):
            read(frame, RECEIVED)
            scan(frame)

    work()
    before = sys.getrefcount(CONTRACTS[0].asset), sys.getrefcount(Side.LONG), sys.getrefcount(None)
    for _ in range(1000):
        work()
    after = sys.getrefcount(CONTRACTS[0].asset), sys.getrefcount(Side.LONG), sys.getrefcount(None)
    assert all(later - earlier < 100 for earlier, later in zip(before, after, strict=True))


def test_a_scanner_built_from_other_sources_is_left_alone() -> None:
    assert shape._fitting(shape._scan) is shape._scan
    assert shape._fitting(ModuleType("liquake.venues._scan")) is None


def test_there_is_no_scanner_where_one_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    readers, contracts = Shape("[", int, "]"), Contracts("toy", Instruments(), by_name)
    monkeypatch.setenv(shape.PURE, "1")
    assert readers.scan is None
    assert readers.reader(Columns(NAMES, PriceBasis.FILL), contracts) is None
    assert not shape.compiled()
    monkeypatch.delenv(shape.PURE)
    assert readers.scan is not None
