from __future__ import annotations

from liquake.model import Liquidation, PriceBasis, Side
from liquake.model.tape import Source, Tape


def liquidation(ts: int, side: Side, usd: float | None) -> Liquidation:
    return Liquidation("alpha", "AAA", "AAA", side, 1.0, PriceBasis.FILL, usd, usd, ts, ts, usd)


def test_liquidations_become_columns_in_order_and_those_without_dollars_are_counted() -> None:
    events = [liquidation(3, Side.LONG, 30.0), liquidation(1, Side.SHORT, 10.0), liquidation(2, Side.LONG, None)]
    tape = Tape.of(events, "mine")
    assert list(tape.ts) == [1, 3]
    assert [str(tape.sources[kind]) for kind in tape.source] == ["alpha SHORT", "alpha LONG"]
    assert list(tape.usd) == [10.0, 30.0]
    assert (tape.unsized, len(tape), tape.venues) == (1, 2, ("alpha",))


def test_an_empty_tape_has_no_sources() -> None:
    assert Tape.of([], "none").sources == ()


def test_both_sides_of_a_venue_have_a_place_though_one_was_quiet() -> None:
    tape = Tape.of_rows([(1, Source("alpha", Side.SHORT), 1.0, 1)], "one")
    assert tape.sources == (Source("alpha", Side.LONG), Source("alpha", Side.SHORT))
    assert list(tape.source) == [1]
