"""What only Gate does: a history whose sign is the other one, under the keys of the stream."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from liquake.errors import HistoryError
from liquake.model import Instruments, Liquidation, PriceBasis, Side
from liquake.venues.gate import Gate
from liquake.venues.venue import Request
from tests.venues.cases import NOW, RECEIVED
from tests.venues.gate_cases import CASES, batch, frame, past, row

SECOND = 1_000_000_000
GATE = Gate()
INSTRUMENTS = Instruments(CASES.instruments)
REQUEST = GATE.history(INSTRUMENTS, None, RECEIVED - 60 * SECOND, RECEIVED)[0]


def streamed(frame: bytes) -> list[Liquidation]:
    events = GATE.decoder("usdt", INSTRUMENTS).decode(frame, RECEIVED)
    return [event for event in events if isinstance(event, Liquidation)]


def test_the_history_of_an_event_has_the_key_of_its_push_and_the_price_that_was_paid() -> None:
    (pushed,) = streamed(frame())
    (told,) = GATE.read_history(REQUEST, past(), INSTRUMENTS, RECEIVED)
    assert told.key == pushed.key
    assert (pushed.side, told.side) == (Side.LONG, Side.LONG)
    assert (pushed.price, pushed.price_basis) == (64_000.0, PriceBasis.LIMIT)
    assert (told.price, told.price_basis) == (64_100.0, PriceBasis.FILL)
    assert told.usd == pytest.approx(32_050.0)


def test_equal_orders_of_a_second_are_told_apart_though_their_milliseconds_differ() -> None:
    first, second, third = streamed(batch(row(), row(time_ms=NOW + 5), row(time_ms=NOW + 1000)))
    assert len({first.key, second.key, third.key}) == 3
    assert second.key == f"{first.key}|1"


def test_an_answer_that_is_no_history_is_refused() -> None:
    for answer in (b"", b'{"label":"INVALID_PARAM_VALUE","message":"range"}', b"[" * 100_000):
        with pytest.raises(HistoryError, match="gate"):
            GATE.read_history(REQUEST, answer, INSTRUMENTS, RECEIVED)


def test_a_row_of_no_position_is_left_out() -> None:
    assert GATE.read_history(REQUEST, past(size="0"), INSTRUMENTS, RECEIVED) == []


def test_windows_are_of_an_hour_at_most_and_leave_nothing_out() -> None:
    start, end = 1_790_000_000 * SECOND + 7, 1_790_009_000 * SECOND + 7
    spans = [
        tuple(int(part.partition("=")[2]) for part in request.url.partition("?")[2].split("&")[:2])
        for request in GATE.history(INSTRUMENTS, {"BTC"}, start, end)
        if "/usdt/" in request.url
    ]
    assert spans[0][0] * SECOND <= start
    assert spans[-1][1] * SECOND >= end
    assert all(until - since <= 3600 for since, until in spans)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def full_page(oldest: int) -> bytes:
    one = json.loads(past())[0]
    return json.dumps([{**one, "time": oldest + nth} for nth in range(1000)]).encode()


def test_a_full_page_is_followed_by_what_is_before_it() -> None:
    request = Request("https://api.gateio.ws/api/v4/futures/btc/liq_orders?from=1790000000&to=1790003600&limit=1000")
    following = GATE.next_history(request, full_page(1_790_001_000))
    assert following is not None
    assert following.url == request.url.replace("to=1790003600", "to=1790001001")
    assert GATE.next_history(following, full_page(1_790_001_000)) is None
    assert GATE.next_history(request, past()) is None
    assert GATE.next_history(request, b"[]") is None


def test_contracts_come_in_pages_of_a_thousand() -> None:
    (first, _) = GATE.instrument_requests()
    page = json.dumps([{"name": f"A{nth}_USDT", "quanto_multiplier": "1"} for nth in range(1000)]).encode()
    second = GATE.next_page(first, page)
    assert second is not None
    assert second.url == f"{first.url}&offset=1000"
    third = GATE.next_page(second, page)
    assert third is not None
    assert third.url == f"{first.url}&offset=2000"
    assert GATE.next_page(third, CASES.answer) is None


def test_sizes_are_asked_for_with_their_decimals() -> None:
    for connection in GATE.connections(INSTRUMENTS, {"BTC"}):
        assert ("X-Gate-Size-Decimal", "1") in connection.headers
        assert any('"!all"' in subscription.frame for subscription in connection.subscriptions)
