"""What only dYdX does: markets in portions, prices by socket, a history by pages."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from liquake.errors import HistoryError
from liquake.model import ContractKind, FeedState, FeedStatus, Instrument, Instruments, Liquidation, Price
from liquake.venues.registry import find_venue
from liquake.venues.venue import Connection, Request
from tests.venues import dydx_cases
from tests.venues.cases import NOW, RECEIVED, text

DYDX = find_venue("dydx")


def listed(symbols: Iterable[str]) -> Instruments:
    return Instruments(Instrument(symbol, f"C{symbol}", ContractKind.LINEAR, 1.0) for symbol in symbols)


def asked(connection: Connection) -> list[dict[str, object]]:
    return [json.loads(subscription.frame) for subscription in connection.subscriptions]


def test_dydx_asks_for_no_more_trades_on_a_socket_than_it_may_and_for_prices_on_each() -> None:
    markets = [f"C{number}-USD" for number in range(70)]
    connections = DYDX.connections(listed(markets), None)
    assert len(connections) == 3
    for connection in connections:
        price, *trades = asked(connection)
        assert price == {"type": "subscribe", "channel": "v4_markets"}
        assert len(trades) <= 32
        assert all((each["channel"], each["batched"]) == ("v4_trades", True) for each in trades)
    assert [each["id"] for connection in connections for each in asked(connection)[1:]] == markets


def test_dydx_asks_for_the_coins_wanted_while_it_knows_no_markets() -> None:
    (connection,) = DYDX.connections(Instruments(), {"SOL"})
    assert [each.acks for each in connection.subscriptions] == [("v4_markets",), ("v4_trades:SOL-USD",)]


def test_dydx_tells_on_each_socket_the_prices_of_its_own_markets() -> None:
    decoder = DYDX.decoder("trades-1", Instruments())
    told = {f"{coin}-USD": {"oraclePrice": "5", "marketId": 1} for coin in ("BTC", "ETH", "SOL")}
    frame = dydx_cases.message("channel_data", {"oraclePrices": told}, None, "v4_markets")
    first = decoder.decode(frame, RECEIVED)
    assert [event.asset for event in first if isinstance(event, Price)] == ["BTC"]
    decoder.decode(dydx_cases.message("subscribed", {"trades": []}, "ETH-USD"), RECEIVED)
    second = decoder.decode(frame, RECEIVED)
    assert {event.asset for event in second if isinstance(event, Price)} == {"BTC", "ETH"}


def test_dydx_takes_a_subscription_it_has_already_for_acknowledged() -> None:
    frame = dydx_cases.error("Invalid subscribe message: already subscribed (v4_markets-v4_markets)")
    (status,) = DYDX.decoder("trades-1", Instruments()).decode(frame, RECEIVED)
    assert status == FeedStatus("dydx", "trades-1", FeedState.SUBSCRIBED, RECEIVED, "v4_markets")


def test_dydx_reads_the_longest_name_of_a_market() -> None:
    market = f"FARTCOIN,RAYDIUM,{'9Bb6' * 11}-USD"
    (event,) = DYDX.decoder("trades-1", Instruments()).decode(dydx_cases.frame(market=market), RECEIVED)
    assert isinstance(event, Liquidation)
    assert (event.instrument, event.asset, event.amount) == (market, "FARTCOIN", 0.5)


def page(*rows: object) -> bytes:
    return text({"trades": list(rows)})


def history(start: int, end: int) -> Request:
    (request,) = DYDX.history(Instruments(), {"BTC"}, start * 1_000_000, end * 1_000_000)
    return request


def test_dydx_history_gives_what_the_stream_gave_within_the_time_asked_for() -> None:
    request = history(NOW - 5_000, NOW)
    assert request.url.partition("#")[0] == (
        "https://indexer.dydx.trade/v4/trades/perpetualMarket/BTC-USD"
        f"?limit=1000&createdBeforeOrAt={dydx_cases.moment(NOW)}"
    )
    rows = (
        dydx_cases.trade(),
        dydx_cases.trade(id="b", type="LIMIT"),
        dydx_cases.trade(id="c", type="DELEVERAGED"),
        dydx_cases.trade(id="d", createdAt=dydx_cases.moment(NOW - 5_001)),
    )
    told = DYDX.read_history(request, page(*rows), Instruments(), RECEIVED)
    assert list(told) == list(DYDX.decoder("trades-1", Instruments()).decode(dydx_cases.frame(), RECEIVED))
    assert DYDX.next_history(request, page(*rows)) is None


def test_dydx_history_turns_pages_until_the_beginning_is_reached() -> None:
    request = history(NOW - 5_000, NOW)

    def full(oldest: int) -> bytes:
        rows = [dydx_cases.trade(id=f"t{number}") for number in range(999)]
        return page(*rows, dydx_cases.trade(createdAt=dydx_cases.moment(oldest)))

    older = DYDX.next_history(request, full(NOW - 2_000))
    assert older is not None
    assert f"createdBeforeOrAt={dydx_cases.moment(NOW - 2_000)}" in older.url
    assert DYDX.next_history(older, full(NOW - 5_001)) is None
    assert DYDX.next_history(older, full(NOW - 2_000)) is None


@pytest.mark.parametrize("answer", [b"", b"{}", b"[" * 100_000, page(dydx_cases.trade(createdAt="soon"))])
def test_dydx_history_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(HistoryError, match="dydx"):
        DYDX.read_history(history(NOW - 5_000, NOW), answer, Instruments(), RECEIVED)


def test_dydx_history_of_no_market_is_refused() -> None:
    with pytest.raises(HistoryError, match="cannot be a market"):
        DYDX.read_history(
            Request("https://indexer.dydx.trade/v4/trades/x/%00?limit=1"), page(), Instruments(), RECEIVED
        )
