"""Deribit's liquidations are asked for behind: what is asked, how pages follow, and under which keys they come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from liquake.errors import HistoryError
from liquake.model import CoverageKind, DecodeError, Instruments, Liquidation, Side
from liquake.venues.deribit import Deribit
from liquake.venues.venue import Request
from tests.venues.cases import NOW, RECEIVED, text
from tests.venues.deribit_cases import batch, trade

VENUE = Deribit()
MINUTE = 60 * 10**9
START, END = NOW * 1_000_000 - 15 * MINUTE, NOW * 1_000_000


def query(request: Request) -> Mapping[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def page(*rows: object, more: bool = False) -> bytes:
    return text({"jsonrpc": "2.0", "result": {"trades": list(rows), "has_more": more}})


def read(answer: bytes) -> list[Liquidation]:
    (request, *_) = VENUE.history(Instruments(), None, START, END)
    return list(VENUE.read_history(request, answer, Instruments(), RECEIVED))


def test_the_poll_looks_an_hour_behind_and_at_every_trade_more_than_once() -> None:
    assert VENUE.coverage.kind is CoverageKind.DELAYED
    assert VENUE.poll is not None
    assert VENUE.poll.behind >= 3600.0
    assert VENUE.poll.span > 2 * VENUE.poll.every


@pytest.mark.parametrize(
    ("assets", "currencies"),
    [(None, ["BTC", "ETH", "USDC"]), ({"BTC"}, ["BTC", "USDC"]), ({"SOL", "DOGE"}, ["USDC"])],
)
def test_every_currency_that_may_have_the_assets_is_asked(assets: set[str] | None, currencies: list[str]) -> None:
    asked = [query(request) for request in VENUE.history(Instruments(), assets, START, END)]
    assert [each["currency"] for each in asked] == currencies
    for each in asked:
        assert (each["kind"], each["sorting"]) == ("future", "asc")
        assert int(each["start_timestamp"]) * 1_000_000 <= START
        assert int(each["end_timestamp"]) * 1_000_000 >= END


def test_a_long_time_is_cut_into_days_without_a_hole() -> None:
    asked = [query(request) for request in VENUE.history(Instruments(), {"SOL"}, START - 3 * 1440 * MINUTE, END)]
    starts = [int(each["start_timestamp"]) for each in asked]
    ends = [int(each["end_timestamp"]) for each in asked]
    assert len(asked) == 4
    assert starts[1:] == ends[:-1]


def test_only_flagged_trades_are_liquidations_and_their_keys_are_those_of_the_stream() -> None:
    flagged = trade(liquidation="M")
    found = read(page(trade(liquidation=None), flagged, trade(instrument_name="BTC-27DEC26-90000-C")))
    live = VENUE.decoder("prices", Instruments()).decode(batch(flagged), RECEIVED)
    assert [event.key for event in found] == [event.key for event in live if isinstance(event, Liquidation)]
    assert [event.side for event in found] == [Side.SHORT]


def test_where_both_were_liquidated_both_count_with_keys_of_their_own() -> None:
    taker, maker = read(page(trade(liquidation="MT", direction="buy")))
    assert (taker.side, maker.side) == (Side.SHORT, Side.LONG)
    assert taker.key != maker.key
    assert taker.usd == maker.usd


def test_a_trade_ahead_of_our_clock_is_left_out() -> None:
    assert read(page(trade(timestamp=NOW + 3_600_000))) == []


def test_the_next_page_begins_with_the_millisecond_the_last_one_ended_in() -> None:
    (first, *_) = VENUE.history(Instruments(), {"SOL"}, START, END)
    last = NOW - 60_000
    following = VENUE.next_history(first, page(trade(timestamp=last - 5), trade(timestamp=last), more=True))
    assert following is not None
    assert query(following) == {**query(first), "start_timestamp": str(last)}


def test_pages_end() -> None:
    (first, *_) = VENUE.history(Instruments(), {"SOL"}, START, END)
    assert VENUE.next_history(first, page(trade(), more=False)) is None
    assert VENUE.next_history(first, page(more=True)) is None


def test_a_millisecond_with_more_than_a_page_does_not_come_for_ever() -> None:
    asked = 0
    following: Request | None = VENUE.history(Instruments(), {"SOL"}, END - 2_000_000, END)[0]
    while following is not None:
        asked += 1
        full = page(trade(timestamp=int(query(following)["start_timestamp"])), more=True)
        following = VENUE.next_history(following, full)
    assert asked == 3


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"<html>", "malformed"),
        (b"{}", "no result"),
        (b'{"error":{"code":10028,"message":"too_many_requests"}}', "10028 too_many_requests"),
        (page(trade(price=-5)), "price"),
        (b"[" * 100_000, "."),
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes, word: str) -> None:
    with pytest.raises(HistoryError, match=word):
        read(answer)


def test_a_request_for_a_sign_of_life_is_answered() -> None:
    decoder = VENUE.decoder("prices", Instruments())
    for kind in ("heartbeat", "test_request"):
        frame = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}
        assert not decoder.decode(text(frame), RECEIVED)
    (reply,) = decoder.replies
    assert json.loads(reply)["method"] == "public/test"


def test_a_bad_trade_in_an_answer_given_to_the_decoder_leaves_the_others_standing() -> None:
    events = VENUE.decoder("prices", Instruments()).decode(page(trade(), trade(amount=-1), trade()), RECEIVED)
    assert [type(event) for event in events] == [Liquidation, DecodeError, Liquidation]


def test_the_socket_is_asked_for_prices_and_heartbeats_alone() -> None:
    (connection,) = VENUE.connections(Instruments(), {"SOL"})
    asked = [json.loads(each.frame) for each in connection.subscriptions]
    assert [each["method"] for each in asked] == ["public/set_heartbeat", "public/subscribe"]
    assert [each.acks for each in connection.subscriptions] == [(str(each["id"]),) for each in asked]
    assert asked[1]["params"]["channels"] == ["ticker.BTC-PERPETUAL.100ms"]
