"""What only Bitget does: topics without symbols, and a history by category whose unit nobody states."""

from __future__ import annotations

import json

import pytest

from liquake.errors import HistoryError
from liquake.model import ContractKind, Instrument, Instruments, Side
from liquake.venues.registry import find_venue
from liquake.venues.venue import Request
from tests.venues.cases import NOW, RECEIVED

BITGET = find_venue("bitget")
MILLISECOND = 1_000_000


def past(when: int = NOW, **changed: object) -> dict[str, object]:
    return {"symbol": "BTCUSDT", "side": "buy", "price": "64000", "amount": "32", "ts": str(when), **changed}


def answer(*rows: dict[str, object], cursor: str | None = "") -> bytes:
    return json.dumps({"code": "00000", "msg": "success", "data": {"list": rows, "cursor": cursor}}).encode()


def ask() -> Request:
    return BITGET.history(Instruments(), None, (NOW - 60_000) * MILLISECOND, NOW * MILLISECOND)[0]


def test_all_three_categories_and_a_price_are_asked_for_on_one_socket() -> None:
    (connection,) = BITGET.connections(Instruments(), {"BTC"})
    assert [(each.acks, json.loads(each.frame)["args"]) for each in connection.subscriptions] == [
        (("ticker:BTCUSDT",), [{"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSDT"}]),
        (("liquidation:usdt-futures",), [{"instType": "usdt-futures", "topic": "liquidation"}]),
        (("liquidation:usdc-futures",), [{"instType": "usdc-futures", "topic": "liquidation"}]),
        (("liquidation:coin-futures",), [{"instType": "coin-futures", "topic": "liquidation"}]),
    ]


def test_the_history_tells_sides_and_times_and_leaves_amounts_open() -> None:
    known = Instruments([Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0)])
    rows = (past(), past(), past(NOW - 5, side="sell", symbol="BTCUSD"), past(NOW - 90_000), past(NOW + 1))
    found = BITGET.read_history(ask(), answer(*rows), known, RECEIVED)
    assert [(event.asset, event.side, event.ts_event // MILLISECOND) for event in found] == [
        ("BTC", Side.LONG, NOW),
        ("BTC", Side.LONG, NOW),
        ("BTC", Side.SHORT, NOW - 5),
    ]
    assert {(event.amount, event.usd, event.size) for event in found} == {(None, None, 32.0)}
    assert {event.tags for event in found} == {("amount unit not documented",)}
    assert len({event.key for event in found}) == 3


def test_the_history_has_the_keys_of_the_stream() -> None:
    argument = {"instType": "usdt-futures", "topic": "liquidation"}
    frame = json.dumps({"arg": argument, "action": "update", "data": [past()], "ts": NOW})
    (streamed,) = BITGET.decoder("public", Instruments()).decode(frame, RECEIVED)
    (refilled,) = BITGET.read_history(ask(), answer(past()), Instruments(), RECEIVED)
    assert getattr(streamed, "key", None) == refilled.key


def test_what_cannot_be_is_left_out_of_the_history() -> None:
    far = BITGET.history(Instruments(), None, 0, 2 * RECEIVED)[0]
    rows = (past(symbol="\u0007"), past(RECEIVED // MILLISECOND + 86_400_000))
    assert list(BITGET.read_history(far, answer(*rows), Instruments(), RECEIVED)) == []


def test_pages_are_turned_until_one_is_too_old_or_the_last() -> None:
    first = ask()
    second = BITGET.next_history(first, answer(past(), past(NOW - 90_000), cursor="a&b"))
    assert second is not None
    assert second.url == first.url.replace("#", "&cursor=a%26b#")
    assert BITGET.next_history(second, answer(past(), cursor="a&b")) is None
    assert BITGET.next_history(first, answer(past(NOW - 90_000), cursor="c")) is None
    assert BITGET.next_history(first, answer(cursor="c")) is None
    assert BITGET.next_history(first, answer(past(), cursor=None)) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code":"40020","data":null}', b"[" * 100_000], ids=["", "l", "e", "d"])
def test_an_answer_about_the_past_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(HistoryError, match="bitget"):
        BITGET.read_history(ask(), body, Instruments(), RECEIVED)
    with pytest.raises(HistoryError, match="elsewhere"):
        BITGET.next_history(Request("https://elsewhere.example"), answer())
