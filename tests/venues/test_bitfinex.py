"""What only Bitfinex does: channels by number, triggers beside executions, and a history of both."""

from __future__ import annotations

import json

import pytest

from liquake.errors import HistoryError
from liquake.model import Instruments, Liquidation, Price, PriceBasis, Side
from liquake.venues.registry import find_venue
from liquake.venues.venue import Request
from tests.venues.bitfinex_cases import batch, row, status
from tests.venues.cases import NOW, RECEIVED

BITFINEX = find_venue("bitfinex")
MILLISECOND = 1_000_000


def answer(*rows: list[object]) -> bytes:
    return json.dumps([[each] for each in rows]).encode()


def ask(start: int = NOW - 60_000, end: int = NOW) -> Request:
    (request,) = BITFINEX.history(Instruments(), {"BTC"}, start * MILLISECOND, end * MILLISECOND)
    return request


def only(frame: bytes) -> Liquidation:
    (event,) = BITFINEX.decoder("status", Instruments()).decode(frame, RECEIVED)
    assert isinstance(event, Liquidation)
    return event


def test_the_feed_and_a_price_are_asked_for_by_their_keys() -> None:
    (connection,) = BITFINEX.connections(Instruments(), {"ETH"})
    assert [(each.acks, json.loads(each.frame)) for each in connection.subscriptions] == [
        ((key,), {"event": "subscribe", "channel": "status", "key": key})
        for key in ("deriv:tBTCF0:USTF0", "liq:global")
    ]


def test_prices_are_of_the_derivative_whose_channel_they_come_on() -> None:
    decoder = BITFINEX.decoder("status", Instruments())
    key = "deriv:tETHF0:USTF0"
    decoder.decode(json.dumps({"event": "subscribed", "channel": "status", "chanId": 7, "key": key}), RECEIVED)
    (of_ether,) = decoder.decode(status(channel=7, mark=3000.5), RECEIVED)
    (of_bitcoin,) = decoder.decode(status(channel=8, mark=64000.5), RECEIVED)
    assert isinstance(of_ether, Price)
    assert isinstance(of_bitcoin, Price)
    assert [(each.asset, each.price) for each in (of_ether, of_bitcoin)] == [("ETH", 3000.5), ("BTC", 64000.5)]


def test_prices_of_a_derivative_that_cannot_be_one_are_an_error() -> None:
    decoder = BITFINEX.decoder("status", Instruments())
    decoder.decode(json.dumps({"event": "subscribed", "chanId": 7, "key": "deriv:\u0007"}), RECEIVED)
    (event,) = decoder.decode(status(channel=7, mark=3000.5), RECEIVED)
    assert type(event).__name__ == "DecodeError"


def test_what_comes_on_the_channel_of_liquidations_is_one_or_an_error() -> None:
    decoder = BITFINEX.decoder("status", Instruments())
    decoder.decode(json.dumps({"event": "subscribed", "chanId": 417, "key": "liq:global"}), RECEIVED)
    (event,) = decoder.decode(json.dumps([417, ["neg", 5]]), RECEIVED)
    assert type(event).__name__ == "DecodeError"


def test_what_was_paid_goes_before_the_price_of_entry() -> None:
    paid, entered = only(batch(row())), only(batch(row(price=None)))
    assert (paid.price, paid.price_basis) == (64_000.0, PriceBasis.FILL)
    assert (entered.price, entered.price_basis) == (70_000.0, PriceBasis.ENTRY)


def test_a_position_counts_once_by_its_parts_or_as_what_the_system_took_over() -> None:
    decoder = BITFINEX.decoder("status", Instruments())
    whole = row(match=0, price=None, amount=1.5)
    parts = [row(amount=0.5, time=NOW + nth) for nth in range(3)]
    found = [event for each in (whole, *parts) for event in decoder.decode(batch(each), RECEIVED)]
    assert [getattr(event, "amount", None) for event in found] == [0.5, 0.5, 0.5]
    assert only(batch(row(match=0, sold=0, amount=1.5))).amount == 1.5


def test_the_history_gives_what_the_stream_gives_without_triggers() -> None:
    rows = [row(), row(match=0, price=None), row(amount=-1, time=NOW + 1), row()]
    streamed = BITFINEX.decoder("status", Instruments()).decode(batch(*rows), RECEIVED)
    assert list(BITFINEX.read_history(ask(), answer(*rows), Instruments(), RECEIVED)) == list(streamed)
    assert len({event.key for event in streamed if isinstance(event, Liquidation)}) == 3


def test_what_cannot_be_is_left_out_of_the_history() -> None:
    rows = [row(symbol="\u0007"), row(amount=0), row(price=None, base=None), row(time=NOW + 86_400_000), row(amount=-2)]
    (event,) = BITFINEX.read_history(ask(), answer(*rows), Instruments(), RECEIVED)
    assert event.side is Side.SHORT


def test_full_pages_are_followed_from_their_last_millisecond() -> None:
    first = ask()
    assert first.url.endswith(f"?start={NOW - 60_000}&end={NOW}&limit=500&sort=1")
    rows = [row(time=NOW - 59_000 + nth) for nth in range(500)]
    assert BITFINEX.next_history(first, answer(*rows[1:])) is None
    assert BITFINEX.next_history(first, answer(*rows)) == ask(NOW - 59_000 + 499)


def test_a_page_of_one_millisecond_alone_does_not_come_again_for_ever() -> None:
    full = answer(*(row(time=NOW) for _ in range(500)))
    second = BITFINEX.next_history(ask(), full)
    assert second == ask(NOW)
    assert BITFINEX.next_history(second, full) is None


@pytest.mark.parametrize("body", [b"", b"{}", b'["error",11010,"ratelimit: error"]', b"[" * 100_000], ids="abcd")
def test_an_answer_about_the_past_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(HistoryError, match="bitfinex"):
        BITFINEX.read_history(ask(), body, Instruments(), RECEIVED)
    with pytest.raises(HistoryError, match="elsewhere"):
        BITFINEX.next_history(Request("https://elsewhere.example"), answer())
