"""Deribit's liquidations are asked for behind: what is asked, how pages follow, and under which keys they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
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


def followed(start: int, end: int, crowded: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """The windows (milliseconds) asked for one after another, of which the `crowded` ones have more than a page."""
    windows: list[tuple[int, int]] = []
    asked: Request | None = VENUE.history(Instruments(), {"SOL"}, start * 1_000_000, end * 1_000_000)[0]
    while asked is not None:
        first, last = (int(query(asked)[f"{edge}_timestamp"]) for edge in ("start", "end"))
        windows.append((first, last))
        asked = VENUE.next_history(asked, page(more=crowded(first, last)))
    return windows


def seamless(windows: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether `windows` follow each other without a hole, from `start` to `end`."""
    return (
        windows[0][0] == start
        and windows[-1][1] == end
        and all(after[0] == before[1] + 1 for before, after in pairwise(windows))
    )


def test_a_long_time_is_asked_for_window_by_window_without_a_hole() -> None:
    start = NOW - 26 * 3_600_000
    windows = followed(start, NOW, lambda first, last: False)
    assert 10 < len(windows) < 100
    assert seamless(windows, start, NOW)


def test_a_crowded_window_is_cut_until_it_fits_whatever_the_order_of_its_trades() -> None:
    start, moment = NOW - 3_600_000, NOW - 1_234_567

    def crowded(first: int, last: int) -> bool:
        return first <= moment <= last and last - first > 50

    windows = followed(start, NOW, crowded)
    assert any(crowded(*window) for window in windows)
    assert len(windows) < 100
    assert seamless([window for window in windows if not crowded(*window)], start, NOW)


def test_a_millisecond_with_more_than_a_page_does_not_come_for_ever() -> None:
    windows = followed(NOW - 3, NOW, lambda first, last: True)
    assert windows.count((NOW - 1, NOW - 1)) == 1
    assert seamless([window for window in windows if window[0] == window[1]], NOW - 3, NOW)


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
