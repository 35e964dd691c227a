"""What only HTX does: gzip, pings to echo, amounts beside the contracts, a history per contract."""

from __future__ import annotations

import gzip
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from liquake.errors import HistoryError
from liquake.model import DecodeError, Gap, Instruments, Liquidation
from liquake.venues.htx import Htx
from liquake.venues.venue import Decoder, Request
from tests.venues.cases import NOW, RECEIVED
from tests.venues.htx_cases import CASES, frame, packed, past, row

HTX = Htx()
INSTRUMENTS = Instruments(CASES.instruments)
HOUR = 3600 * 1_000_000_000
REQUEST = HTX.history(INSTRUMENTS, {"BTC"}, RECEIVED - HOUR, RECEIVED)[0]


def decoder() -> Decoder:
    return HTX.decoder("linear", INSTRUMENTS)


def only(frame: bytes) -> Liquidation:
    (event,) = decoder().decode(frame, RECEIVED)
    assert isinstance(event, Liquidation)
    return event


def test_a_compressed_frame_reads_as_its_content_does() -> None:
    assert only(packed(frame())) == only(frame())


def test_a_frame_that_inflates_to_more_than_a_frame_may_is_an_error() -> None:
    (error,) = decoder().decode(gzip.compress(b" " * (17 << 20)), RECEIVED)
    assert isinstance(error, DecodeError)
    assert "more than a frame" in error.reason


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        ('{"op":"ping","ts":"1790000000123"}', '{"op":"pong","ts":"1790000000123"}'),
        ('{"op":"ping","ts":1790000000123}', '{"op":"pong","ts":1790000000123}'),
        ('{"ping":18212558000}', '{"pong":18212558000}'),
    ],
)
def test_a_ping_is_answered_with_exactly_its_own_number(ping: str, pong: str) -> None:
    reading = decoder()
    for sent in (packed(ping.encode()), ping):
        assert reading.decode(sent, RECEIVED) == ()
        assert reading.replies == [pong]
        reading.replies.clear()


def test_nothing_but_a_number_is_echoed() -> None:
    reading = decoder()
    for stamp in ('"1,\\"op\\":\\"sub\\""', "[1]", "null", '"' + "1" * 50 + '"', ""):
        reading.decode(f'{{"op":"ping","ts":{stamp}}}', RECEIVED)
    assert reading.replies == []


def test_amounts_that_are_told_need_no_instrument() -> None:
    linear = only(frame(contract_code="NEW-USDT", amount="40", price="2", trade_turnover="79.5"))
    assert (linear.amount, linear.usd) == (40.0, 79.5)
    inverse = only(frame(contract_code="BTC-USD", volume=80, amount=0.125, trade_turnover=80))
    assert (inverse.amount, inverse.usd) == (0.125, 8_000.0)
    untold = only(frame(amount=0, trade_turnover=0))
    assert (untold.amount, untold.usd) == (0.5, 32_000.0)


def test_the_history_of_an_event_has_the_key_of_its_push() -> None:
    (told,) = HTX.read_history(REQUEST, past(), INSTRUMENTS, RECEIVED)
    assert told == only(frame())


def test_the_history_of_both_sides_is_asked_for() -> None:
    for request in HTX.history(INSTRUMENTS, {"BTC"}, RECEIVED - HOUR, RECEIVED):
        assert parse_qs(urlsplit(request.url).query)["trade_type"] == ["0"]


def test_an_answer_that_is_no_history_is_refused() -> None:
    for answer in (b"", b'{"code":1347,"msg":"window","data":[]}', b'{"status":"error"}', b"[" * 100_000):
        with pytest.raises(HistoryError, match="htx"):
            HTX.read_history(REQUEST, answer, INSTRUMENTS, RECEIVED)


def test_the_history_is_asked_for_per_contract_in_windows_of_two_hours() -> None:
    listed = Instruments(HTX.read_instruments(CASES.answer))
    asked = [request.url for request in HTX.history(listed, {"BTC"}, RECEIVED - 5 * HOUR, RECEIVED)]
    linear = [url for url in asked if "/linear-swap-api/v3/swap_liquidation_orders?contract=BTC-USDT&" in url]
    inverse = [url for url in asked if "/swap-api/v3/swap_liquidation_orders?contract=BTC-USD&" in url]
    assert len(linear) == len(inverse) == 3
    assert len([request for request in HTX.history(Instruments(), {"SOL"}, 0, 1) if "SOL-USDT" in request.url]) == 1
    assert len(HTX.history(Instruments(), None, 0, 1)) > 5


def page(*ids: int) -> bytes:
    return json.dumps({"code": 200, "data": [row(query_id=each, created_at=NOW) for each in ids]}).encode()


def test_a_page_is_followed_by_the_one_before_its_oldest() -> None:
    second = HTX.next_history(REQUEST, page(91, 90))
    assert second == Request(f"{REQUEST.url}&from_id=90")
    assert HTX.next_history(second, page(80)) == Request(f"{REQUEST.url}&from_id=80")
    assert HTX.next_history(second, page(90)) is None
    assert HTX.next_history(second, page()) is None


def test_the_socket_of_prices_is_another_than_those_of_orders() -> None:
    connections = {connection.name: connection for connection in HTX.connections(INSTRUMENTS, None)}
    assert connections["linear"].url.endswith("/linear-swap-notification")
    assert connections["prices"].url.endswith("/linear-swap-ws")
    assert {name for name, connection in connections.items() if connection.priced} == {"prices"}


@pytest.mark.parametrize(
    ("connection", "whole"), [("linear", True), ("coin-swaps", True), ("coin-futures", False), ("prices", False)]
)
def test_a_gap_is_refilled_only_where_the_history_knows_what_was_missed(connection: str, whole: bool) -> None:
    assert HTX.refills(Gap("htx", connection, 0, 1, "the connection broke")) is whole
