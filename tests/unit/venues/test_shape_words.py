"""Words of shapes that few venues need, and what is made of rows that were scanned already."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liquake.model import ContractKind, Instrument, Instruments, Liquidation, PriceBasis, Side
from liquake.venues import shape
from liquake.venues.shape import (
    Columns,
    Contracts,
    Make,
    Scan,
    Shape,
    either,
    ending,
    maybe,
    moment,
    one_of,
    or_null,
    rows,
    skipped,
    written,
)
from liquake.venues.venue import Positive, Symbol

pytestmark = pytest.mark.skipif(not shape.compiled(), reason="the package was built without a C compiler")

NOW = 1_790_000_000_000
RECEIVED = NOW * 1_000_000 + 123_456
COIN = Instrument("COIN", "COIN", ContractKind.LINEAR, 1.0)
Signed = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def scan_of(*parts: object) -> Scan:
    scan = Shape(*parts).scan
    assert scan is not None
    return scan


def written_as(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> int | None:
    """The milliseconds that msgspec reads, rounded down; `None` where it reads none."""
    try:
        return (msgspec.json.decode(f'"{text}"', type=Aware) - EPOCH) // timedelta(milliseconds=1)
    except msgspec.ValidationError:
        return None


@given(text=st.integers(0, 253_402_300_799_999).map(lambda when: EPOCH + timedelta(milliseconds=when)).map(written_as))
@example(text="2000-02-29T00:00:00.000Z")
@example(text="2024-02-29T23:59:59.999Z")
@example(text="2100-03-01T00:00:00.000Z")
def test_a_moment_is_what_msgspec_makes_of_it(text: str) -> None:
    assert scan_of('["', moment(), '"]')(f'["{text}"]'.encode()) == (moment_of(text),)


@given(
    text=st.builds(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z".format,
        st.sampled_from((0, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 9999)),
        st.integers(0, 13),
        st.integers(0, 32),
        *(st.integers(0, 99) for _ in range(3)),
        st.integers(0, 999),
    )
)
def test_days_and_hours_that_are_none_are_left_alone(text: str) -> None:
    found = scan_of('["', moment(), '"]')(f'["{text}"]'.encode())
    assert found in (None, (moment_of(text),))


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-21T12:13:20Z",
        "2026-09-21T12:13:20.09Z",
        "2026-09-21T12:13:20.090Z ",
        "2026-09-21 12:13:20.090Z",
        "2026-09-21T12:13:20.090z",
        "2026-09-21T12:13:20.090",
        "2026-09-21T12:13:2x.090Z",
        "20260921T121320.090Z0000",
        "2026-09-21T12:13:20.09",
        "",
    ],
)
def test_a_moment_in_another_form_is_left_alone(text: str) -> None:
    assert scan_of('["', moment(), '"]')(f'["{text}"]'.encode()) is None


def test_a_moment_may_have_to_be_late_enough() -> None:
    scan, frame = scan_of('["', moment(NOW), '"]'), '["2026-09-21T{}Z"]'
    assert scan(frame.format("14:13:20.000").encode()) == (NOW,)
    assert scan(frame.format("14:13:19.999").encode()) is None


def test_a_text_may_have_to_end_so() -> None:
    scan = scan_of('["', ending(Symbol, "F0"), '"]')
    assert scan(b'["tBTCF0:USTF0"]') == ("tBTCF0:USTF0",)
    assert scan(b'["F0"]') == ("F0",)
    assert [scan(frame) for frame in (b'["tBTCUSD"]', b'["0"]', b'[""]', b'["F0x"]')] == [None] * 4


@pytest.mark.parametrize(("text", "value"), [("null", None), ("2.5", 2.5), ("0.5", 0.5)])
def test_a_number_may_be_null(text: str, value: float | None) -> None:
    assert scan_of("[", or_null(Positive), "]")(f"[{text}]".encode()) == (value,)
    assert scan_of("[", skipped(or_null(Positive)), "]")(f"[{text}]".encode()) == ()
    for wrong in ("nul", "nulll", '"null"', ""):
        assert scan_of("[", or_null(Positive), "]")(f"[{wrong}]".encode()) is None
    assert scan_of("[", Positive, "]")(b"[null]") is None


@given(number=st.floats(-1e17, 1e17, allow_subnormal=False).map(lambda number: round(number, 6)))
def test_a_number_that_may_be_below_zero_is_what_msgspec_makes_of_it(number: float) -> None:
    found = scan_of("[", Signed, "]")(f"[{number}]".encode())
    assert found is None or found == (number,)
    assert scan_of("[", Positive, "]")(f"[-{abs(number)}]".encode()) is None


def test_a_sign_alone_is_no_number() -> None:
    for wrong in ("-", "--1", "+1", "-.5", "-01", "- 1"):
        assert scan_of("[", Signed, "]")(f"[{wrong}]".encode()) is None


@given(number=st.integers(0, 10**17))
def test_an_integer_may_be_kept_as_its_text(number: int) -> None:
    assert scan_of("[", written(int), "]")(f"[{number}]".encode()) == (str(number),)
    assert scan_of("[", written(int), "]")(f"[0{number}]".encode()) is None


def test_rows_may_be_checked_and_not_kept() -> None:
    scan = scan_of("[", skipped(rows("(", int, ")")), "]", int)
    assert scan(b"[(1),(2),(3)]7") == (7,)
    assert scan(b"[" + b",".join([b"(1)"] * 100) + b"]7") == (7,)
    assert scan(b"[(1),(x)]7") is None
    some = scan_of("<", either(("[],",), ("[", skipped(rows("(", skipped(int), ")")), "],")), int)
    assert [some(frame) for frame in (b"<[],7", b"<[(1),(2)],7", b"<[(1)]7")] == [(7,), (7,), None]


@pytest.mark.parametrize("word", [ending(Symbol, "x"), written(int), or_null(float)])
def test_a_word_for_one_kind_is_none_for_another(word: Any) -> None:
    with pytest.raises(TypeError, match="is no"):
        {"text": or_null, "integer": or_null, "number": written}[word.name](word)


def maker(*parts: object, names: str, beside: str = "rows", **others: Any) -> Make:
    columns = Columns(names, PriceBasis.FILL, beside, **others)
    make = Shape(*parts).maker(columns, Contracts("toy", Instruments([COIN]), lambda _: None))
    assert make is not None
    return make


PARTS = ("<", rows("(", Symbol, '" ', one_of({"L": Side.LONG}), maybe(" ", Positive), " ", Signed, " ", int, ")"), ">")
NAMES = "symbol side price size milliseconds"


@given(size=st.floats(1e-9, 1e9) | st.floats(1e-5, 1e8).map(lambda size: round(size, 8)).filter(bool))
@example(size=1e-4)
@example(size=9999999.99999999)
@example(size=123456.0)
@example(size=0.00001)
@example(size=1e7)
@example(size=0.1 + 0.2)
def test_a_number_in_an_id_is_as_python_writes_it(size: float) -> None:
    make = maker(*PARTS, names=NAMES, identity=("size", "|", "milliseconds"))
    made = make((("COIN", Side.LONG, 2.5, size, NOW),), RECEIVED)
    assert made is None or [event.id for event in made] == [f"{size}|{NOW}"]
    assert made is not None or round(size, 8) != size or not 1e-4 <= size < 1e7


def test_an_id_that_is_not_plain_is_for_the_general_way() -> None:
    row = ("COIN", Side.LONG, 2.5, 4.0, NOW)
    for identity in (("side",), ("symbol", "x" * 256), ("symbol",) * 65, ("size", *("symbol",) * 60)):
        make = maker(*PARTS, names=NAMES, identity=identity)
        assert make((row,), RECEIVED) is None
    assert maker(*PARTS, names=NAMES, identity=("symbol",) * 64)((row,), RECEIVED) is not None
    assert maker(*PARTS, names=NAMES, identity=("milliseconds",))(((*row[:4], -NOW),), RECEIVED) is None


def test_rows_that_were_scanned_become_liquidations() -> None:
    scan, make = scan_of(*PARTS), maker(*PARTS, names=NAMES, identity=("symbol",))
    found = scan(f'<(COIN" L 2.5 4 {NOW}),(COIN" L 2.5 4 {NOW})>'.encode())
    assert found is not None
    wanted = Liquidation(
        "toy", "COIN", "COIN", Side.LONG, 2.5, PriceBasis.FILL, 4.0, 10.0, NOW * 1_000_000, RECEIVED, 4.0, "COIN"
    )
    assert make(found[0], RECEIVED) == (wanted, wanted)
    assert make((), RECEIVED) == ()


def test_rows_without_a_time_are_as_of_their_receipt() -> None:
    make = maker(*PARTS, names="symbol side price size number")
    made = make((("COIN", Side.LONG, 2.5, 4.0, 7),), RECEIVED)
    assert made is not None
    assert [(event.ts_event, event.ts_recv) for event in made] == [(NOW * 1_000_000, RECEIVED)]


@pytest.mark.parametrize(
    "row",
    [
        ("COIN", None, 2.5, 4.0, NOW),
        ("COIN", Side.LONG, None, 4.0, NOW),
        ("COIN", Side.LONG, 2.5, None, NOW),
        ("COIN", Side.LONG, 2.5, 0.0, NOW),
        ("ABSENT", Side.LONG, 2.5, 4.0, NOW),
        ("COIN", Side.LONG, 2.5, 4.0, NOW + 10**7),
    ],
)
def test_a_row_that_lacks_something_leaves_all_for_the_general_way(row: tuple[Any, ...]) -> None:
    good = ("COIN", Side.LONG, 2.5, 4.0, NOW)
    assert maker(*PARTS, names=NAMES)((good, row), RECEIVED) is None


@pytest.mark.parametrize("given_rows", [[], (1,), (("COIN",),), None])
def test_only_rows_of_the_shape_are_made_anything_of(given_rows: Any) -> None:
    with pytest.raises(TypeError):
        maker(*PARTS, names=NAMES)(given_rows, RECEIVED)


def test_a_row_that_lacks_what_is_beside_it_cannot_be_made_anything_of() -> None:
    row = ("(", one_of({"L": Side.LONG}), " ", Positive, " ", Signed, " ", int, ")")
    names = "side price size milliseconds"
    beside = maker("<", rows(*row), ">", Symbol, '"', names=names, beside="rows symbol")
    with pytest.raises(TypeError, match="that have all"):
        beside(((Side.LONG, 2.5, 4.0, NOW),), RECEIVED)


def test_there_is_no_maker_without_a_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shape.PURE, "1")
    columns = Columns(NAMES, PriceBasis.FILL, "rows")
    assert Shape(*PARTS).maker(columns, Contracts("toy", Instruments(), lambda _: None)) is None


def test_nothing_stays_behind() -> None:
    make = maker(*PARTS, names=NAMES, identity=("symbol", "|", "size"))
    good, odd = ("COIN", Side.LONG, 2.5, 4.0, NOW), ("COIN", Side.LONG, 2.5, None, NOW)

    def work() -> None:
        make((good, good), RECEIVED)
        make((good, odd), RECEIVED)

    work()
    before = [sys.getrefcount(each) for each in (good, odd, Side.LONG, COIN.asset, None, good[3])]
    for _ in range(1000):
        work()
    after = [sys.getrefcount(each) for each in (good, odd, Side.LONG, COIN.asset, None, good[3])]
    assert all(later - earlier < 100 for earlier, later in zip(before, after, strict=True))
