"""What only Kraken Futures does: products by name, and a history of trades in pages that go back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import pytest

from liquake.errors import HistoryError
from liquake.model import ContractKind, Instrument, Instruments, Liquidation, PriceBasis, Side
from liquake.venues.registry import find_venue
from liquake.venues.venue import Request
from tests.venues.cases import NOW, RECEIVED

KRAKEN = find_venue("kraken")
MILLISECOND = 1_000_000


def past(moment: str, uid: str, **changed: object) -> dict[str, object]:
    row = {
        "time": moment,
        "trade_id": 1,
        "price": 64000,
        "size": 0.5,
        "side": "sell",
        "type": "liquidation",
        "uid": uid,
    }
    return {**row, **changed}


def answer(*rows: dict[str, object]) -> bytes:
    return json.dumps({"result": "success", "history": rows}).encode()


def ask(start: int = NOW - 60_000, end: int = NOW) -> Request:
    (request,) = KRAKEN.history(Instruments(), {"SUI"}, start * MILLISECOND, end * MILLISECOND)
    return request


def read(*rows: dict[str, object]) -> Sequence[Liquidation]:
    return KRAKEN.read_history(ask(), answer(*rows), Instruments(), RECEIVED)


def asked_before(request: Request) -> str:
    return parse_qs(urlsplit(request.url).query)["lastTime"][0]


def test_the_history_gives_what_the_stream_would_have_given() -> None:
    row = {"feed": "trade", "product_id": "PF_SUIUSD", "uid": "u-1", "side": "sell", "type": "liquidation", "seq": 5}
    frame = json.dumps({**row, "time": NOW, "qty": 0.5, "price": 64000})
    assert list(KRAKEN.decoder("trades", Instruments()).decode(frame, RECEIVED)) == list(
        read(past("2026-09-21T14:13:20.123Z", "u-1"))
    )


def test_the_history_is_told_in_order_of_time_without_other_trades_and_without_what_is_too_old() -> None:
    found = read(
        past("2026-09-21T14:13:20.123Z", "d", side="buy"),
        past("2026-09-21T14:13:19.000Z", "c", type="fill"),
        past("2026-09-21T14:13:18.000Z", "b"),
        past("2026-09-21T14:12:00.000Z", "a"),
        past("2126-09-21T14:13:20.123Z", "z"),
    )
    assert [(event.key, event.side) for event in found] == [("b", Side.LONG), ("d", Side.SHORT)]
    assert {event.price_basis for event in found} == {PriceBasis.FILL}


def test_a_page_is_followed_by_the_one_before_it_until_the_start() -> None:
    first = ask()
    assert asked_before(first) == "2026-09-21T14:13:20.124Z"
    rows = [
        past(f"2026-09-21T14:13:{20 - number // 10:02}.{900 - number % 10:03}Z", str(number)) for number in range(100)
    ]
    second = KRAKEN.next_history(first, answer(*rows))
    assert second is not None
    # One millisecond more than the oldest: what else happened in it may be on the next page.
    assert asked_before(second) == "2026-09-21T14:13:11.892Z"
    assert KRAKEN.next_history(first, answer(*rows[:99])) is None
    old = past("2026-09-21T14:00:00.000Z", "old")
    assert KRAKEN.next_history(first, answer(*rows[:99], old)) is None


def test_a_page_of_one_millisecond_alone_does_not_come_again_for_ever() -> None:
    rows = [past("2026-09-21T14:13:20.000Z", str(number)) for number in range(100)]
    request: Request | None = ask()
    seen = []
    while request is not None:
        seen.append(asked_before(request)[-4:-1])
        request = KRAKEN.next_history(request, answer(*rows))
    assert seen == ["124", "001", "000"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"result":"error"}', b"[" * 100_000], ids=["", "list", "error", "deep"])
def test_an_answer_about_the_past_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(HistoryError, match="kraken"):
        KRAKEN.read_history(ask(), body, Instruments(), RECEIVED)
    with pytest.raises(HistoryError, match="elsewhere"):
        KRAKEN.next_history(Request("https://elsewhere.example"), answer())


def test_products_are_asked_for_by_name_in_frames_of_fifty_beside_a_price() -> None:
    listed = Instruments(
        Instrument(f"PF_C{number:03}USD", f"C{number:03}", ContractKind.LINEAR, 1.0) for number in range(120)
    )
    (connection,) = KRAKEN.connections(listed, None)
    frames = [json.loads(each.frame) for each in connection.subscriptions]
    assert frames[0] == {"event": "subscribe", "feed": "ticker", "product_ids": ["PF_XBTUSD"]}
    assert [len(frame["product_ids"]) for frame in frames[1:]] == [50, 50, 20]
    assert [name for frame in frames[1:] for name in frame["product_ids"]] == list(listed)
    assert connection.subscriptions[1].acks[0] == "trade:PF_C000USD"


def test_only_the_products_of_the_chosen_assets_are_asked_for() -> None:
    listed = Instruments(
        [
            Instrument("PF_XBTUSD", "BTC", ContractKind.LINEAR, 1.0),
            Instrument("PF_ETHUSD", "ETH", ContractKind.LINEAR, 1.0),
        ]
    )
    (connection,) = KRAKEN.connections(listed, {"BTC"})
    assert [ack for each in connection.subscriptions for ack in each.acks] == ["ticker:PF_XBTUSD", "trade:PF_XBTUSD"]


def test_large_coins_are_asked_for_while_no_instruments_are_known() -> None:
    (some,), (all_,) = (KRAKEN.connections(Instruments(), assets) for assets in ({"BTC", "SUI"}, None))
    acks = {ack for each in some.subscriptions for ack in each.acks}
    assert acks == {"ticker:PF_XBTUSD", "trade:PF_XBTUSD", "trade:PI_XBTUSD", "trade:PF_SUIUSD"}
    assert acks < {ack for each in all_.subscriptions for ack in each.acks}


def test_an_inverse_contract_of_more_than_a_dollar_counts_as_many() -> None:
    row = {"symbol": "PI_XBTUSD", "type": "futures_inverse", "contractSize": 10, "tradeable": True}
    (listed,) = KRAKEN.read_instruments(json.dumps({"instruments": [row]}).encode())
    assert listed.size(800.0, 64_000.0) == (0.125, 8_000.0)
