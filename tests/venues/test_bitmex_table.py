"""BitMEX tells of liquidations by the changes of a table: what of them is new, and what has been counted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from liquake.model import Event, Instruments, Liquidation, Side
from liquake.venues.bitmex import Bitmex
from liquake.venues.venue import Decoder
from tests.venues.bitmex_cases import CASES, table
from tests.venues.cases import RECEIVED

INSERTED: dict[str, object] = {
    "orderID": "a",
    "symbol": "XBTUSD",
    "side": "Sell",
    "price": 50_000.0,
    "leavesQty": 4_000,
}


def decoder() -> Decoder:
    return Bitmex().decoder("realtime", Instruments())


def told(reading: Decoder, action: str, **changes: object) -> Sequence[Event]:
    return reading.decode(table(action, {"orderID": "a", "symbol": "XBTUSD", **changes}), RECEIVED)


def sizes(events: Sequence[Event]) -> list[tuple[float | None, str]]:
    assert all(isinstance(event, Liquidation) for event in events)
    return [(event.usd, event.key) for event in events if isinstance(event, Liquidation)]


def test_an_order_that_grows_counts_only_what_was_added() -> None:
    reading = decoder()
    assert sizes(reading.decode(table("insert", INSERTED), RECEIVED)) == [(4_000.0, "a")]
    (rise,) = told(reading, "update", leavesQty=7_000, price=49_000.0)
    assert isinstance(rise, Liquidation)
    assert (rise.usd, rise.side, rise.price, rise.key) == (3_000.0, Side.LONG, 49_000.0, "a|7000")


@pytest.mark.parametrize(
    "changes", [{"price": 49_000.0}, {"leavesQty": 3_000}, {"leavesQty": 4_000}, {"leavesQty": 0}], ids=str
)
def test_a_new_price_and_fills_are_nothing_new(changes: dict[str, object]) -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    assert not told(reading, "update", **changes)


def test_a_rise_after_fills_counts_from_the_highest_there_was() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    told(reading, "update", leavesQty=1_000)
    assert not told(reading, "update", leavesQty=3_500)
    assert sizes(told(reading, "update", leavesQty=4_500)) == [(500.0, "a|4500")]


def test_fills_told_with_a_new_price_are_fills_all_the_same() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    assert not told(reading, "update", leavesQty=1_000, price=49_000.0)
    assert not told(reading, "update", leavesQty=3_500)


def test_keys_of_large_orders_tell_single_contracts_apart() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    rises = [sizes(told(reading, "update", leavesQty=98_765_432 + more)) for more in range(2)]
    assert [key for rise in rises for _, key in rise] == ["a|98765432", "a|98765433"]


def test_a_price_that_moved_before_is_that_of_a_rise() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    told(reading, "update", price=48_000.0)
    (rise,) = told(reading, "update", leavesQty=4_100)
    assert isinstance(rise, Liquidation)
    assert rise.price == 48_000.0


def test_after_its_end_an_order_is_not_known_any_more() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    assert not told(reading, "delete")
    assert not told(reading, "update", leavesQty=9_000)


def test_a_reconnect_repeats_open_orders_under_the_key_they_had() -> None:
    first, second = decoder(), decoder()
    whole = sizes(first.decode(table("insert", INSERTED), RECEIVED))
    (left,) = second.decode(table("partial", {**INSERTED, "leavesQty": 1_500}), RECEIVED + 10**9)
    assert isinstance(left, Liquidation)
    assert left.key == whole[0][1]
    assert left.tags == ("open before subscribing",)


def test_both_sockets_of_a_rotation_give_a_rise_one_key() -> None:
    old, new = decoder(), decoder()
    old.decode(table("insert", INSERTED), RECEIVED)
    new.decode(table("partial", {**INSERTED, "leavesQty": 2_000}), RECEIVED)
    assert [key for _, key in sizes(told(old, "update", leavesQty=6_000))] == ["a|6000"]
    assert [key for _, key in sizes(told(new, "update", leavesQty=6_000))] == ["a|6000"]


def test_a_table_told_again_on_one_connection_forgets_nothing_counted() -> None:
    reading = decoder()
    reading.decode(table("insert", INSERTED), RECEIVED)
    reading.decode(table("partial", {**INSERTED, "leavesQty": 1_000}), RECEIVED)
    assert not told(reading, "update", leavesQty=4_000)
    assert sizes(told(reading, "update", leavesQty=4_200)) == [(200.0, "a|4200")]


def test_an_event_is_as_of_its_receipt_whatever_the_clock_shows() -> None:
    (event,) = decoder().decode(table("insert", INSERTED), RECEIVED + 777)
    assert isinstance(event, Liquidation)
    assert event.ts_event == RECEIVED


def test_the_whole_table_and_a_price_are_asked_for_whatever_the_assets() -> None:
    (connection,) = Bitmex().connections(Instruments(), {"SOL"})
    assert [each.acks for each in connection.subscriptions] == [("liquidation",), ("instrument:XBTUSD",)]
    assert connection.subscriptions[0].frame == '{"op":"subscribe","args":["liquidation"]}'


QUANTO = {"orderID": "q", "symbol": "ETHUSD", "side": "Buy", "price": 3_000.0, "leavesQty": 500}
MINUTE = 60_000_000_000


def quantos(bitcoin: float | None) -> Decoder:
    """Reads with the contracts of the venue's answer, after the mark price of a bitcoin."""
    venue = Bitmex()
    reading = venue.decoder("realtime", Instruments(venue.read_instruments(CASES.answer)))
    if bitcoin is not None:
        frame = {"symbol": "XBTUSD", "markPrice": bitcoin, "timestamp": "2026-03-01T00:00:00.000Z"}
        reading.decode(msgspec.json.encode({"table": "instrument", "action": "update", "data": [frame]}), RECEIVED)
    return reading


def test_a_contract_paid_in_bitcoin_is_worth_what_the_bitcoins_are() -> None:
    [event] = quantos(64_000.5).decode(table("insert", QUANTO), RECEIVED)
    assert isinstance(event, Liquidation)
    # 500 contracts of 100 satoshis per dollar of the price, at 3,000 dollars: 1.5 bitcoin.
    assert event.usd == pytest.approx(1.5 * 64_000.5)
    assert event.amount == pytest.approx(1.5 * 64_000.5 / 3_000.0)
    assert (event.asset, event.side, event.price, event.tags) == ("ETH", Side.SHORT, 3_000.0, ("bitcoin=64000.5",))


@pytest.mark.parametrize(("bitcoin", "later"), [(None, 0), (64_000.5, MINUTE + 1)])
def test_without_a_price_of_a_bitcoin_of_the_last_minute_it_has_no_amount(bitcoin: float | None, later: int) -> None:
    [event] = quantos(bitcoin).decode(table("insert", QUANTO), RECEIVED + later)
    assert isinstance(event, Liquidation)
    assert (event.amount, event.usd, event.tags) == (None, None, ())


def test_its_rise_counts_at_the_price_of_a_bitcoin_by_then() -> None:
    reading = quantos(64_000.5)
    reading.decode(table("insert", QUANTO), RECEIVED)
    [rise] = reading.decode(table("update", {"orderID": "q", "symbol": "ETHUSD", "leavesQty": 700}), RECEIVED + MINUTE)
    assert isinstance(rise, Liquidation)
    assert rise.usd == pytest.approx(0.6 * 64_000.5)
    assert rise.key == "q|700"
